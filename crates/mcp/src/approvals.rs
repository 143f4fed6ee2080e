//! Calls that a policy holds back until a person has said whether they may be made, as a face knows them.

use std::pin::Pin;

use carrel_contract::{CellId, SessionId};

/// A call that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Names it for ever, within its [`Approvals`].
    pub id: u64,
    /// Names it for ever among those of all processes.
    pub name: String,
    /// The command with which a person at this machine answers it, where there is one.
    pub command: Option<String>,
    /// The session that calls.
    pub session_id: SessionId,
    /// The cell that calls.
    pub cell_id: CellId,
    /// What the person is asked: the tool, its input, where in the cell, and why.
    pub text: String,
}

/// What a person says to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// The call may be made.
    Allow,
    /// So may every call of this tool in this session.
    AllowForSession,
    /// It may not.
    Deny,
}

/// The calls that wait, of all sessions of a face.
pub trait Approvals: Send + Sync + 'static {
    /// Says that somebody can be asked, for as long as what this returns lives.
    fn attend(&self) -> Box<dyn Attendant>;

    /// Returns what is pending, oldest first.
    fn pending(&self) -> Vec<Question>;

    /// Passes on what a person said to several questions at once. Returns those that were no longer pending: another may have
    /// answered, or their cells have ended. One that the same answer to another covers has come in time.
    fn answer(&self, questions: &[u64], decision: Decision) -> Vec<u64>;
}

/// Somebody who can be asked.
pub trait Attendant: Send {
    /// Waits until something changed since this was last called; the first call returns at once. Cancel safe.
    fn changed(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}
