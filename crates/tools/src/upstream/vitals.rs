//! What is known of a connection while it lives and after: shared by its transport, which finds out, and by
//! its owner, who has to say.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::error::LastWords;
use super::tail::Tail;
use crate::bound::bounded;
use crate::config::Redactor;
use crate::printable::printable;

/// What is kept of the first line of noise, in bytes.
const MAX_NOISE_BYTES: usize = 200;

/// The state of one connection.
#[derive(Debug, Default)]
pub(super) struct Vitals {
    /// Fires when the server is known to be gone.
    pub(super) lost: CancellationToken,
    seen: Mutex<Seen>,
    redactor: Redactor,
}

#[derive(Debug, Default)]
struct Seen {
    stderr: Tail,
    noise: Option<(String, u64)>,
    ending: Option<(String, Instant)>,
    http: Option<HttpFault>,
}

/// The last failure of an HTTP exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HttpFault {
    /// No connection came about.
    Unreachable(String),
    /// The server refused.
    Status(u16),
    /// Something else.
    Other(String),
}

impl Vitals {
    pub(super) fn new(redactor: Redactor) -> Self {
        Self { redactor, ..Self::default() }
    }

    pub(super) fn redact(&self, text: &str) -> String {
        self.redactor.redact(text)
    }

    pub(super) fn push_stderr(&self, bytes: &[u8]) {
        self.seen().stderr.push(bytes);
    }

    /// Takes note of a line on stdout that is not a message.
    pub(super) fn note_noise(&self, line: &[u8]) {
        let mut seen = self.seen();
        match &mut seen.noise {
            Some((_, lines)) => *lines += 1,
            None => {
                let text = printable(&String::from_utf8_lossy(line.get(..4096).unwrap_or(line)));
                seen.noise = Some((bounded(&self.redact(text.trim()), MAX_NOISE_BYTES), 1));
            }
        }
    }

    pub(super) fn note_http(&self, fault: HttpFault) {
        self.seen().http = Some(fault);
    }

    pub(super) fn http_fault(&self) -> Option<HttpFault> {
        self.seen().http.clone()
    }

    /// Declares the server gone, and how. The first ending counts.
    pub(super) fn end(&self, ending: String) {
        self.seen().ending.get_or_insert_with(|| (ending, Instant::now()));
        self.lost.cancel();
    }

    pub(super) fn ending(&self) -> Option<String> {
        self.seen().ending.as_ref().map(|(ending, _)| ending.clone())
    }

    /// Returns when the server was found to be gone.
    pub(super) fn ended_at(&self) -> Option<Instant> {
        self.seen().ending.as_ref().map(|(_, at)| *at)
    }

    pub(super) fn last_words(&self) -> LastWords {
        let seen = self.seen();
        LastWords { stderr: self.redact(&seen.stderr.text()), noise: seen.noise.clone() }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
