//! Tells the host how a call gets on.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use carrel_contract::{
    CallObserver, CancellationToken, CodeModeFuture, ToolError, ToolErrorCode, ToolProgress,
};
use carrel_wire::{APPROVALS, Progress, ToHost, encode};
use tokio::sync::oneshot;

use super::connection::Owner;

/// Word of how a call gets on goes out no more often than this.
pub(super) const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// Tells the host how a call gets on.
pub(super) struct Teller {
    owner: Arc<Owner>,
    stream: u32,
    call: u64,
    told: Mutex<Option<Instant>>,
    /// Nobody waits for the call any more, or nothing is heard of its host.
    dropped: CancellationToken,
    noting: Mutex<VecDeque<Noting>>,
}

/// Who waits until the host has something written down.
type Noting = oneshot::Sender<Result<(), ToolError>>;

impl Teller {
    pub(super) fn new(owner: Arc<Owner>, stream: u32, call: u64, dropped: CancellationToken) -> Self {
        Self { owner, stream, call, told: Mutex::new(None), dropped, noting: Mutex::default() }
    }

    /// Takes word that what was said first of an approval is written down.
    pub(super) fn noted(&self, noted: Result<(), ToolError>) {
        let first = self.noting().pop_front();
        if let Some(first) = first {
            // Whoever waited may be gone.
            first.send(noted).ok();
        }
    }

    fn noting(&self) -> MutexGuard<'_, VecDeque<Noting>> {
        self.noting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says something of an approval, and waits until the host has written it down.
    fn note(&self, progress: Progress) -> CodeModeFuture<'_, (), ToolError> {
        let (noting, noted) = oneshot::channel();
        {
            // In the order in which they are sent.
            let mut all = self.noting();
            all.push_back(noting);
            self.tell(progress);
        }
        Box::pin(async move {
            let lost = || {
                let message = "the call is over, or the host of its session is lost";
                ToolError::new(ToolErrorCode::Cancelled, message)
            };
            tokio::select! {
                noted = noted => noted.map_err(|_| lost())?,
                () = self.dropped.cancelled() => Err(lost()),
            }
        })
    }

    fn knows_approvals(&self) -> bool {
        self.owner.connection.host_can(APPROVALS)
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

    fn approval_awaited(&self, question: &str) -> CodeModeFuture<'_, (), ToolError> {
        if self.knows_approvals() {
            return self.note(Progress::ApprovalAwaited { question: question.to_owned() });
        }
        self.person_awaited(question);
        Box::pin(std::future::ready(Ok(())))
    }

    fn approval_given(&self) -> CodeModeFuture<'_, (), ToolError> {
        if self.knows_approvals() {
            return self.note(Progress::ApprovalGiven);
        }
        self.person_answered();
        Box::pin(std::future::ready(Ok(())))
    }

    fn approval_over(&self) {
        self.tell(if self.knows_approvals() { Progress::ApprovalOver } else { Progress::PersonAnswered });
    }
}
