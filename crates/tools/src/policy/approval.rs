//! Calls that wait for a person, and the person's answers.
//!
//! The owner of a session holds [`Approvals`] and one or more [`Attendant`]s, who see what waits and are woken when that
//! changes. Each request is answered exactly once, or withdrawn when its cell ends: whoever asked holds a guard.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use carrel_contract::{CellId, JsonText, Location, SessionId, ToolCallId, ToolName};
use tokio::sync::{Semaphore, SemaphorePermit, oneshot, watch};

use super::question::{printable_input, printable_line};
use super::session::{Session, Settled};

/// How many requests are pending at once, unless set otherwise; more wait their turn.
const DEFAULT_PENDING: usize = 64;
/// What a question shows of an input, in bytes.
const QUESTION_INPUT_BYTES: usize = 2000;

/// Names one request for ever, within its [`Approvals`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApprovalId(pub u64);

impl fmt::Display for ApprovalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A call that a person is asked to allow.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ApprovalRequest {
    /// The request.
    pub id: ApprovalId,
    /// The session that calls.
    pub session_id: SessionId,
    /// The cell that calls.
    pub cell_id: CellId,
    /// The call, unique within its cell.
    pub call_id: ToolCallId,
    /// The tool.
    pub tool: ToolName,
    /// The server that has it, where that is known.
    pub server: Option<String>,
    /// The input: the very one that is sent when it is allowed.
    pub input: Option<JsonText>,
    /// Where in the cell the call stands, where that is known.
    pub location: Option<Location>,
    /// What in the policy asks.
    pub rule: String,
    /// Why, as the policy says.
    pub reason: Option<String>,
}

impl ApprovalRequest {
    /// Writes the call as one line that a terminal can be shown: `tool({"id":1}) at line 3`. A large input is cut in
    /// its middle, and how much is missing is said.
    #[must_use]
    pub fn call_line(&self) -> String {
        let input = printable_input(self.input.as_ref(), QUESTION_INPUT_BYTES);
        let place = self.location.map(|at| format!(" at line {}, column {}", at.line, at.column));
        format!("{}({input}){}", self.tool, place.unwrap_or_default())
    }

    /// Writes who asks and why as one line that a terminal can be shown.
    #[must_use]
    pub fn reason_line(&self) -> String {
        let reason = self.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let server = self.server.as_ref().map(|server| format!("server `{server}`, ")).unwrap_or_default();
        printable_line(&format!("{server}{}{reason}", self.rule))
    }

    /// Writes the question as one line of less than 4 KiB that a terminal can be shown.
    #[must_use]
    pub fn question(&self) -> String {
        format!("allow {}? ({})", self.call_line(), self.reason_line())
    }
}

/// What a person says to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// The call may be made.
    Allow,
    /// So may every call of this tool in this cell.
    AllowForCell,
    /// So may every call of this tool in this session.
    AllowForSession,
    /// The call may not be made.
    Deny {
        /// Why, for the model.
        reason: Option<String>,
    },
}

/// A request that cannot be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// It was answered before, or withdrawn.
    #[error("answer request {0}: it is no longer pending: it was answered, or its call ended")]
    NoLongerPending(ApprovalId),
    /// There never was such a request.
    #[error("answer request {0}: there is no such request")]
    NeverAsked(ApprovalId),
}

impl AnswerError {
    /// Returns the request.
    #[must_use]
    pub fn id(&self) -> ApprovalId {
        match self {
            Self::NoLongerPending(id) | Self::NeverAsked(id) => *id,
        }
    }
}

/// The calls that wait for a person, of any number of sessions. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Approvals(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Counts what happened, so that nobody misses a change.
    changes: watch::Sender<u64>,
    places: Semaphore,
}

#[derive(Debug, Default)]
struct State {
    asked: u64,
    pending: BTreeMap<ApprovalId, Entry>,
    attendants: usize,
}

#[derive(Debug)]
struct Entry {
    request: Arc<ApprovalRequest>,
    answer: oneshot::Sender<Answer>,
    /// Where the answer is kept.
    session: Arc<Mutex<Session>>,
}

impl Default for Approvals {
    fn default() -> Self {
        Self::new(DEFAULT_PENDING)
    }
}

impl Approvals {
    /// Makes a place for at most so many pending requests, at least one; further calls wait their turn.
    #[must_use]
    pub fn new(max_pending: usize) -> Self {
        let places = Semaphore::new(max_pending.clamp(1, Semaphore::MAX_PERMITS));
        Self(Arc::new(Shared { state: Mutex::default(), changes: watch::Sender::new(0), places }))
    }

    /// Says that somebody looks after the requests, for as long as what this returns lives.
    #[must_use = "the requests are attended to as long as this lives"]
    pub fn attend(&self) -> Attendant {
        self.0.lock().attendants += 1;
        self.0.changed();
        let mut changes = self.0.changes.subscribe();
        changes.mark_changed();
        Attendant { approvals: self.clone(), changes }
    }

    /// Tells whether anybody does.
    #[must_use]
    pub fn is_attended(&self) -> bool {
        self.0.lock().attendants > 0
    }

    /// Returns what is pending, oldest first.
    #[must_use]
    pub fn pending(&self) -> Vec<Arc<ApprovalRequest>> {
        self.0.lock().pending.values().map(|entry| Arc::clone(&entry.request)).collect()
    }

    /// Answers several requests alike. Each that is pending gets the answer; what could not be answered is returned.
    ///
    /// An answer for a tool's every call in a cell or a session answers the others of those that are pending, too.
    pub fn answer(&self, ids: &[ApprovalId], answer: &Answer) -> Result<(), Vec<AnswerError>> {
        let mut failures = Vec::new();
        let answered = {
            let mut state = self.0.lock();
            let mut answered = Vec::new();
            for &id in ids {
                match state.pending.remove(&id) {
                    Some(entry) => answered.push(entry),
                    None if id.0 >= 1 && id.0 <= state.asked => {
                        failures.push(AnswerError::NoLongerPending(id));
                    }
                    None => failures.push(AnswerError::NeverAsked(id)),
                }
            }
            let covers = |by: &ApprovalRequest, other: &ApprovalRequest| {
                let same = by.session_id == other.session_id && by.tool == other.tool;
                match answer {
                    Answer::AllowForSession => same,
                    Answer::AllowForCell => same && by.cell_id == other.cell_id,
                    Answer::Allow | Answer::Deny { .. } => false,
                }
            };
            let covered: Vec<ApprovalId> = state
                .pending
                .iter()
                .filter(|(_, other)| answered.iter().any(|by| covers(&by.request, &other.request)))
                .map(|(&id, _)| id)
                .collect();
            answered.extend(covered.iter().filter_map(|id| state.pending.remove(id)));
            // Under the lock: the next call of a tool that was allowed is not asked for any more.
            for Entry { request, session, .. } in &answered {
                session.lock().unwrap_or_else(PoisonError::into_inner).keep(request, answer);
            }
            answered
        };
        for entry in answered {
            // Nobody hears it when the call ends at this moment.
            entry.answer.send(answer.clone()).ok();
        }
        self.0.changed();
        if failures.is_empty() { Ok(()) } else { Err(failures) }
    }

    /// Waits for a place among the pending. Cancel safe.
    pub(super) async fn place(&self) -> Option<SemaphorePermit<'_>> {
        self.0.places.acquire().await.ok()
    }

    /// Asks, with the id filled in, unless an earlier answer, kept in `session`, holds. The request is pending until it
    /// is answered or what this returns is dropped.
    pub(super) fn ask(
        &self,
        mut request: ApprovalRequest,
        session: &Arc<Mutex<Session>>,
    ) -> Result<Pending, Settled> {
        let (answer, answered) = oneshot::channel();
        let id = {
            let mut state = self.0.lock();
            // The session's lock is always taken under this one, or alone.
            let settled = session.lock().unwrap_or_else(PoisonError::into_inner).settled(&request);
            if let Some(settled) = settled {
                return Err(settled);
            }
            state.asked += 1;
            let id = ApprovalId(state.asked);
            request.id = id;
            let entry = Entry { request: Arc::new(request), answer, session: Arc::clone(session) };
            state.pending.insert(id, entry);
            id
        };
        self.0.changed();
        Ok(Pending { approvals: self.clone(), id, answered })
    }

    /// Returns what counts the changes, without looking after anything.
    #[cfg(test)]
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// Waits until nobody looks after the requests. Cancel safe.
    pub(super) async fn unattended(&self) {
        let mut changes = self.0.changes.subscribe();
        // The sender lives as long as this.
        changes.wait_for(|_| !self.is_attended()).await.ok();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) {
        self.changes.send_modify(|changes| *changes = changes.wrapping_add(1));
    }
}

/// Somebody who looks after the requests.
#[derive(Debug)]
pub struct Attendant {
    approvals: Approvals,
    changes: watch::Receiver<u64>,
}

impl Attendant {
    /// Waits until something changed since this was last called: a request came, was answered or was withdrawn. The
    /// first call returns at once. Cancel safe.
    pub async fn changed(&mut self) {
        // The sender lives as long as this.
        self.changes.changed().await.ok();
    }
}

impl Deref for Attendant {
    type Target = Approvals;

    fn deref(&self) -> &Approvals {
        &self.approvals
    }
}

impl Drop for Attendant {
    fn drop(&mut self) {
        {
            let mut state = self.approvals.0.lock();
            state.attendants = state.attendants.saturating_sub(1);
        }
        self.approvals.0.changed();
    }
}

/// A request under way.
pub(super) struct Pending {
    approvals: Approvals,
    id: ApprovalId,
    answered: oneshot::Receiver<Answer>,
}

impl Pending {
    /// Waits for the answer. Cancel safe.
    pub(super) async fn answer(&mut self) -> Option<Answer> {
        (&mut self.answered).await.ok()
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let withdrawn = self.approvals.0.lock().pending.remove(&self.id).is_some();
        if withdrawn {
            self.approvals.0.changed();
        }
    }
}
