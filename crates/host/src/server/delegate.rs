//! The delegate of a session whose owner is on the other side: every callback becomes a message, and waits for its answer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use carrel_contract::error::NotifyError;
use carrel_contract::{
    CallStatus, CancellationToken, CellId, CheckRequest, CheckerUnavailable, CodeModeFuture,
    CodeModeSessionDelegate, JsonText, LookedUp, Notification, PersonAwaited, ToolCall, ToolError,
    ToolErrorCode, ToolProgress, TypeDiagnostic,
};
use carrel_wire::{Call, Check, Progress, ToClient, encode};
use tokio::sync::{Semaphore, oneshot};

use super::approval::Approval;
use super::opened::Stream;
use crate::link::Unsent;

/// Notifications of a session that may be under way to a client that acknowledges none. More wait here, within what their
/// cells may hold.
const NOTIFICATIONS: usize = 16 * 1024;

/// See the [module](self).
pub(super) struct RemoteDelegate {
    stream: Arc<Stream>,
    next: AtomicU64,
    waiting: Mutex<HashMap<u64, Waiting>>,
    notifications: Semaphore,
    /// Whether the client checks the types of cells.
    checks: bool,
}

/// A callback that was not answered yet.
pub(super) struct Waiting {
    answer: oneshot::Sender<Answer>,
    status: CallStatus,
    person: Option<PersonAwaited>,
    approval: Option<Approval>,
}

impl Waiting {
    pub(super) fn answer(self, answer: Answer) {
        // Whoever waited may be gone.
        self.answer.send(answer).ok();
    }
}

/// What a client answered to a callback.
pub(super) enum Answer {
    /// To a call.
    Called(Result<JsonText, ToolError>),
    /// To a notification.
    Delivered(Result<(), NotifyError>),
    /// To a question.
    LookedUp(Result<LookedUp, ToolError>),
    /// To a check.
    Checked(Result<Vec<TypeDiagnostic>, CheckerUnavailable>),
}

impl RemoteDelegate {
    pub(super) fn new(stream: Arc<Stream>, checks: bool) -> Self {
        Self {
            stream,
            next: AtomicU64::new(1),
            waiting: Mutex::default(),
            notifications: Semaphore::new(NOTIFICATIONS),
            checks,
        }
    }

    /// Takes an answer. One that nobody waits for is too late, and changes nothing.
    pub(super) fn answer(&self, call: u64, answer: Answer) {
        if let Some(waiting) = self.claim(call) {
            waiting.answer(answer);
        }
    }

    /// Takes what an answer is for, which comes once.
    pub(super) fn claim(&self, call: u64) -> Option<Waiting> {
        self.lock().remove(&call)
    }

    /// Takes word of how a call gets on. Returns what is to be done about that meanwhile.
    pub(super) fn progress(
        &self,
        call: u64,
        progress: Progress,
    ) -> Option<impl Future<Output = ()> + Send + use<>> {
        match progress {
            Progress::ApprovalAwaited { question } => {
                let mut waiting = self.lock();
                let waiting = waiting.get_mut(&call)?;
                let (stream, status) = (Arc::clone(&self.stream), waiting.status.clone());
                let (approval, attended) = Approval::new(stream, call, status, question);
                waiting.approval = Some(approval);
                Some(attended)
            }
            Progress::ApprovalGiven => {
                self.lock().get_mut(&call)?.approval.take()?.give();
                None
            }
            Progress::ApprovalOver => {
                let over = self.lock().get_mut(&call)?.approval.take();
                drop(over);
                None
            }
            progress => {
                self.note(call, progress);
                None
            }
        }
    }

    fn note(&self, call: u64, progress: Progress) {
        let (status, answered) = match self.lock().get_mut(&call) {
            Some(waiting) => (waiting.status.clone(), waiting.person.take()),
            None => return,
        };
        match progress {
            Progress::Made { percent, message } => {
                let percent = percent.map(|percent| percent.min(100));
                status.progress(ToolProgress { percent, message });
                if let Some(waiting) = self.lock().get_mut(&call) {
                    waiting.person = answered;
                }
            }
            Progress::PersonAwaited { question } => {
                drop(answered);
                let person = status.await_person(&question);
                if let Some(waiting) = self.lock().get_mut(&call) {
                    waiting.person = Some(person);
                }
            }
            _ => drop(answered),
        }
    }

    /// Says that nobody will answer any more.
    pub(super) fn abandon(&self) {
        let waiting = std::mem::take(&mut *self.lock());
        drop(waiting);
    }

    /// Makes a callback and waits for its answer, which may be long in coming after `cancel` has fired.
    async fn call(
        &self,
        status: CallStatus,
        cancel: &CancellationToken,
        message: impl FnOnce(u64) -> ToClient,
    ) -> Result<Answer, Lost> {
        let call = self.next.fetch_add(1, Ordering::Relaxed);
        let (answer, mut answered) = oneshot::channel();
        self.lock().insert(call, Waiting { answer, status, person: None, approval: None });
        let mut under_way = UnderWay { delegate: self, call, sent: false };
        let sent = self.stream.outbox.send(self.stream.number, encode(&message(call))).await;
        sent.map_err(|unsent| match unsent {
            Unsent::TooLarge => Lost::TooLarge,
            Unsent::Closed => Lost::Unsent,
        })?;
        under_way.sent = true;
        tokio::select! {
            biased;
            answer = &mut answered => return answer.map_err(|_| Lost::Unanswered),
            () = cancel.cancelled() => {}
        }
        self.stream.outbox.push(self.stream.number, encode(&ToClient::CancelCall { call }));
        answered.await.map_err(|_| Lost::Unanswered)
    }

    /// Has the client check a cell.
    pub(super) async fn check(
        &self,
        cell_id: CellId,
        request: &CheckRequest,
    ) -> Result<Vec<TypeDiagnostic>, CheckerUnavailable> {
        if !self.checks {
            let detail = "the client of its session has none".to_owned();
            return Err(CheckerUnavailable::Absent { detail });
        }
        let check = Check::of_cell(cell_id, request);
        // One that nobody waits for any more is dropped.
        let never = CancellationToken::new();
        match self.call(CallStatus::default(), &never, |call| ToClient::Check { call, check }).await {
            Ok(Answer::Checked(outcome)) => outcome,
            Ok(_) => Err(CheckerUnavailable::Failed { detail: confused().message }),
            Err(lost) => Err(CheckerUnavailable::Failed { detail: ToolError::from(lost).message }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a callback has no answer.
enum Lost {
    /// The client does not take so much.
    TooLarge,
    /// The client was gone before it was made.
    Unsent,
    /// The client is gone.
    Unanswered,
}

impl From<Lost> for ToolError {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::TooLarge => Self::new(ToolErrorCode::TooLarge, "the input is longer than the client takes"),
            Lost::Unsent => Self::new(ToolErrorCode::Unavailable, "the client of this session is gone")
                .with_retryable(true),
            Lost::Unanswered => Self::new(
                ToolErrorCode::OutcomeUnknown,
                "the client of this session was lost: the call may or may not have happened",
            ),
        }
    }
}

impl From<Lost> for NotifyError {
    fn from(lost: Lost) -> Self {
        Self { detail: ToolError::from(lost).message, tried_for: None }
    }
}

/// A callback, until it is answered. Dropped before, it says so.
struct UnderWay<'a> {
    delegate: &'a RemoteDelegate,
    call: u64,
    sent: bool,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let unanswered = self.delegate.lock().remove(&self.call);
        if unanswered.is_some() && self.sent {
            let stream = &self.delegate.stream;
            stream.outbox.push(stream.number, encode(&ToClient::DropCall { call: self.call }));
        }
    }
}

/// What a client answers to a question that was another.
fn confused() -> ToolError {
    ToolError::new(ToolErrorCode::Internal, "the client answered another question than it was asked")
}

impl CodeModeSessionDelegate for RemoteDelegate {
    fn invoke_tool(
        &self,
        call: ToolCall,
        cancel: CancellationToken,
    ) -> CodeModeFuture<'_, JsonText, ToolError> {
        Box::pin(async move {
            let status = call.status.clone();
            let tool_call = Call::from(call);
            match self.call(status, &cancel, |call| ToClient::Call { call, tool_call }).await? {
                Answer::Called(result) => result,
                _ => Err(confused()),
            }
        })
    }

    fn lookup_outcome(
        &self,
        call: ToolCall,
        cancel: CancellationToken,
    ) -> CodeModeFuture<'_, LookedUp, ToolError> {
        Box::pin(async move {
            let tool_call = Call::from(call);
            let asked =
                self.call(CallStatus::default(), &cancel, |call| ToClient::LookUp { call, tool_call });
            match asked.await? {
                Answer::LookedUp(outcome) => outcome,
                _ => Err(confused()),
            }
        })
    }

    fn notify(
        &self,
        notification: Notification,
        cancel: CancellationToken,
    ) -> CodeModeFuture<'_, (), NotifyError> {
        Box::pin(async move {
            let _place = self.notifications.acquire().await.map_err(|_| Lost::Unsent)?;
            let (cell_id, text) = (notification.cell_id.into(), notification.text);
            let asked =
                self.call(CallStatus::default(), &cancel, |call| ToClient::Notify { call, cell_id, text });
            match asked.await? {
                Answer::Delivered(result) => result,
                _ => Err(NotifyError { detail: confused().message, tried_for: None }),
            }
        })
    }

    fn cell_closed(&self, cell_id: &CellId) {
        let cell_id = cell_id.as_str().to_owned();
        self.stream.outbox.push(self.stream.number, encode(&ToClient::CellClosed { cell_id }));
    }
}
