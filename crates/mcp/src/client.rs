//! What a client's own limits leave room for, by its name.
//!
//! A call that takes longer than its client waits is lost to the model, and a result that is larger than the client shows is
//! cut by it, without a word on where the rest is. Sources, as of November 2026: Claude Code warns from 10,000 tokens on and cuts
//! at 25,000 (`MAX_MCP_OUTPUT_TOKENS`, its documentation on MCP); its command line waits for hours, but over HTTP for the first byte
//! and in the desktop application for 60 s (anthropics/claude-code#63379). Codex waits 60 s (`tool_timeout_sec`, its documentation)
//! and cuts at about 10,000 tokens. The TypeScript SDK, and what is built on it without another word (Cursor, Cline, Zed, the
//! inspector), waits 60 s (`DEFAULT_REQUEST_TIMEOUT_MSEC`). Gemini CLI waits 10 minutes (`MCP_DEFAULT_TIMEOUT_MSEC`).
//! Visual Studio Code has no limit of its own; its users cancel.

use std::time::Duration;

use rmcp::RoleServer;
use rmcp::service::RequestContext;
use tokio::time::Instant;

use crate::face::Shared;

/// How long a call may take where nothing is known of the client: some give up at 60 s.
const WAIT: Duration = Duration::from_secs(50);
/// How long of that servers that are being connected are waited for; half of it, where that is less.
const CONNECTING: Duration = Duration::from_secs(25);
/// What a result may hold where nothing is known, in tokens of four bytes: some cut at 10,000.
const OUTPUT_TOKENS: usize = 8_000;

/// What an answer to a client may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The longest that a call keeps it waiting.
    pub(crate) wait: Duration,
    /// The most output of a result, in tokens of four bytes.
    pub(crate) output_tokens: usize,
}

/// Clients whose limits are others, by what their names begin with, in lower case.
const KNOWN: &[(&str, Limits)] = &[
    ("gemini-cli", Limits { wait: Duration::from_secs(9 * 60), output_tokens: OUTPUT_TOKENS }),
    ("visual studio code", Limits { wait: Duration::from_secs(5 * 60), output_tokens: OUTPUT_TOKENS }),
    ("claude-code", Limits { wait: WAIT, output_tokens: 9_000 }),
    ("codex", Limits { wait: WAIT, output_tokens: OUTPUT_TOKENS }),
    ("cursor", Limits { wait: WAIT, output_tokens: OUTPUT_TOKENS }),
];

impl Limits {
    /// Returns what is known of a client.
    fn of(name: Option<&str>) -> Self {
        let name = name.unwrap_or_default().to_lowercase();
        let known = KNOWN.iter().find(|(begins, _)| name.starts_with(begins));
        known.map_or(Self { wait: WAIT, output_tokens: OUTPUT_TOKENS }, |(_, limits)| *limits)
    }
}

/// Returns the limits of who made a request: what the face was told counts, then what is known of the client.
pub(crate) fn limits(shared: &Shared, context: &RequestContext<RoleServer>) -> Limits {
    let client = context.client_info();
    let known = Limits::of(client.as_ref().map(|client| client.name.as_str()));
    Limits {
        wait: shared.options.max_wait.unwrap_or(known.wait),
        output_tokens: shared.options.output_tokens.unwrap_or(known.output_tokens),
    }
}

/// The time of one call, from its beginning on: whatever it waits for is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Patience {
    /// When the client has to have its answer; `None` when that is further away than clocks reach.
    end: Option<Instant>,
    /// Until when servers that are being connected are waited for.
    pub(crate) servers: Instant,
}

impl Patience {
    /// Returns that of a request which came just now.
    pub(crate) fn of(shared: &Shared, context: &RequestContext<RoleServer>) -> Self {
        Self::from_now(limits(shared, context).wait)
    }

    fn from_now(wait: Duration) -> Self {
        let now = Instant::now();
        Self { end: now.checked_add(wait), servers: now + CONNECTING.min(wait / 2) }
    }

    /// Returns how long the call may go on waiting.
    pub(crate) fn left(&self) -> Duration {
        self.end.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_known_by_their_names() {
        let wait = |name| Limits::of(name).wait.as_secs();
        assert_eq!([wait(None), wait(Some("some-client")), wait(Some("claude-code"))], [50, 50, 50]);
        assert_eq!(wait(Some("gemini-cli-mcp-client")), 540);
        assert_eq!(wait(Some("Visual Studio Code - Insiders")), 300);
        assert_eq!(Limits::of(Some("claude-code")).output_tokens, 9_000);
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_call_has_waited_it_does_not_wait_again() {
        let secs = Duration::from_secs;
        for (wait, servers) in [(secs(50), secs(25)), (secs(10), secs(5)), (Duration::ZERO, Duration::ZERO)] {
            let patience = Patience::from_now(wait);
            assert_eq!(patience.servers - Instant::now(), servers);
            tokio::time::advance(servers).await;
            assert_eq!(patience.left(), wait - servers);
            tokio::time::advance(wait).await;
            assert_eq!(patience.left(), Duration::ZERO);
        }
        assert_eq!(Patience::from_now(Duration::MAX).left(), Duration::MAX);
    }
}
