//! Tells the host how a call gets on.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use carrel_contract::{CallObserver, ToolProgress};
use carrel_wire::{Progress, ToHost, encode};

use super::connection::Owner;

/// Word of how a call gets on goes out no more often than this.
pub(super) const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// Tells the host how a call gets on.
pub(super) struct Teller {
    owner: Arc<Owner>,
    stream: u32,
    call: u64,
    told: Mutex<Option<Instant>>,
}

impl Teller {
    pub(super) fn new(owner: Arc<Owner>, stream: u32, call: u64) -> Self {
        Self { owner, stream, call, told: Mutex::new(None) }
    }

    fn message(&self, progress: Progress) -> Vec<u8> {
        encode(&ToHost::Progress { call: self.call, progress })
    }

    fn tell(&self, progress: Progress) {
        self.owner.connection.outbox.push(self.stream, self.message(progress));
    }
}

impl CallObserver for Teller {
    fn progress(&self, progress: ToolProgress) {
        {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            if told.is_some_and(|at| at.elapsed() < PROGRESS_EVERY) {
                return;
            }
            *told = Some(Instant::now());
        }
        // A host that does not read misses it.
        let made = Progress::Made { percent: progress.percent, message: progress.message };
        self.owner.connection.outbox.offer(self.stream, self.message(made));
    }

    fn person_awaited(&self, question: &str) {
        self.tell(Progress::PersonAwaited { question: question.to_owned() });
    }

    fn person_answered(&self) {
        self.tell(Progress::PersonAnswered);
    }
}
