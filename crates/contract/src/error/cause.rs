//! One struct per cause, carrying what a caller needs to act.

use std::time::Duration;

use super::code::{Coded, ErrorCode};
use crate::{CellId, SessionId};

macro_rules! codes {
    ($($name:ident = $code:literal, $retryable:literal;)*) => {
        $(impl Coded for $name {
            fn code(&self) -> ErrorCode {
                ErrorCode($code)
            }

            fn retryable(&self) -> bool {
                $retryable
            }
        })*

        /// Every code of this crate with the name of its cause.
        #[cfg(test)]
        pub(crate) const ALL: &[(u16, &str)] = &[$(($code, stringify!($name))),*];
    };
}

codes! {
    InvalidId = 1, false;
    InvalidToolName = 2, false;
    InvalidJson = 3, false;
    InvalidSpec = 4, false;
    InvalidRequest = 5, false;
    InvalidSource = 6, false;
    LimitReached = 7, true;
    ShuttingDown = 8, false;
    SessionClosed = 9, false;
    UnknownCell = 10, false;
    OutcomeExpired = 11, false;
    UnknownSession = 12, false;
    Unsupported = 13, false;
    HostLost = 14, true;
    Corrupt = 15, false;
    EngineFailure = 16, true;
    NotifyError = 17, true;
    StorageFailed = 18, false;
    OwnedElsewhere = 19, true;
    HistoryCut = 20, false;
    KeyReused = 21, false;
}

/// Text that cannot be an identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("use {value:?} as the id of a {kind}: {reason}")]
pub struct InvalidId {
    /// What it was to identify.
    pub kind: &'static str,
    /// The text, cut at 160 characters.
    pub value: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl InvalidId {
    pub(crate) fn new(kind: &'static str, value: &str, reason: &'static str) -> Self {
        Self { kind, value: value.chars().take(160).collect(), reason }
    }
}

/// Text that cannot be a tool's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("use {name:?} as the name of a tool: it must be an ASCII identifier of 1 to 128 bytes")]
pub struct InvalidToolName {
    /// The text, cut at 160 characters.
    pub name: String,
}

/// Text that is not one JSON value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read JSON: {message}")]
pub struct InvalidJson {
    /// The line of the first fault, from 1.
    pub line: usize,
    /// The column of the first fault, from 1.
    pub column: usize,
    /// The fault.
    pub message: String,
}

/// A specification that no session can be made of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("make a session: `{field}` {problem}")]
pub struct InvalidSpec {
    /// The field at fault.
    pub field: &'static str,
    /// What is wrong and what is accepted.
    pub problem: String,
}

/// A request that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("take the request: `{field}` {problem}")]
pub struct InvalidRequest {
    /// The field at fault.
    pub field: &'static str,
    /// What is wrong and what is accepted.
    pub problem: String,
}

/// A source that cannot be a cell. One that merely does not parse is the cell's own error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("take the source: it {problem}")]
pub struct InvalidSource {
    /// What is wrong and what is accepted.
    pub problem: String,
}

/// An idempotency key that came before, with another source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("run the cell: its idempotency key is that of {cell_id}, which has another source")]
pub struct KeyReused {
    /// The cell that was run under the key.
    pub cell_id: CellId,
}

/// A limit of the session that holds now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stay within `{limit}` = {maximum}{}", held_by(.running))]
#[non_exhaustive]
pub struct LimitReached {
    /// The limit, by its name in [`Limits`](crate::Limits), or `max_vms` for the places of the provider's engine, which
    /// all its sessions share.
    pub limit: &'static str,
    /// Its value.
    pub maximum: u64,
    /// The cells that hold the places, when cells do.
    pub running: Vec<CellId>,
}

impl LimitReached {
    /// Names a limit, its value and who holds it.
    #[must_use]
    pub fn new(limit: &'static str, maximum: u64, running: Vec<CellId>) -> Self {
        Self { limit, maximum, running }
    }
}

fn held_by(running: &[CellId]) -> String {
    if running.is_empty() {
        return String::new();
    }
    let names: Vec<_> = running.iter().map(CellId::as_str).collect();
    format!("; held by {}", names.join(", "))
}

/// The session is ending and takes no new cells.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("use session {session_id}: it is shutting down")]
pub struct ShuttingDown {
    /// The session.
    pub session_id: SessionId,
}

/// The session has ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("use session {session_id}: it has been shut down")]
pub struct SessionClosed {
    /// The session.
    pub session_id: SessionId,
}

/// A cell that this session never had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("find cell {cell_id}: this session never had it")]
pub struct UnknownCell {
    /// The id asked for.
    pub cell_id: CellId,
}

/// A cell whose outcome is no longer kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read cell {cell_id}: it has ended and its outcome is no longer kept")]
pub struct OutcomeExpired {
    /// The id asked for.
    pub cell_id: CellId,
}

/// A session that this provider does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("find session {session_id}: this provider does not have it")]
pub struct UnknownSession {
    /// The id asked for.
    pub session_id: SessionId,
}

/// Something this provider does not offer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("make a session: `{field}` = {value} is not offered by this provider; it offers {offered}")]
pub struct Unsupported {
    /// The field that asked for it.
    pub field: &'static str,
    /// What was asked for.
    pub value: &'static str,
    /// What can be had.
    pub offered: &'static str,
}

/// The process that held the session is gone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("reach the host{}: {detail}", of_session(.session_id.as_ref()))]
pub struct HostLost {
    /// The session, where there is one.
    pub session_id: Option<SessionId>,
    /// What is known of its end.
    pub detail: String,
}

fn of_session(session_id: Option<&SessionId>) -> String {
    session_id.map(|id| format!(" of session {id}")).unwrap_or_default()
}

/// What was kept of the session cannot be trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read what was kept of session {session_id}: {detail}")]
pub struct Corrupt {
    /// The session.
    pub session_id: SessionId,
    /// Where and what.
    pub detail: String,
}

/// What the session writes down could not be written. It acknowledges nothing more; what it acknowledged before is there
/// when it is resumed, once the storage is well again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("keep session {session_id}: {detail}")]
pub struct StorageFailed {
    /// The session.
    pub session_id: SessionId,
    /// What the storage said.
    pub detail: String,
}

/// Another owner has the session.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("use session {session_id}: {owner} has it")]
pub struct OwnedElsewhere {
    /// The session.
    pub session_id: SessionId,
    /// Who has it, as it names itself.
    pub owner: String,
}

/// The beginning of a session's log is no longer there: it was folded into what came of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("go back to {asked} of session {session_id}: its log is there from {first} on")]
pub struct HistoryCut {
    /// The session.
    pub session_id: SessionId,
    /// What was asked for: an event, or a cell.
    pub asked: String,
    /// The first place that can still be gone back to.
    pub first: String,
}

/// The engine could not be started, or could not make a VM.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("use the engine: {detail}")]
pub struct EngineFailure {
    /// What the engine said.
    pub detail: String,
}

/// A notification that was not delivered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("deliver a notification: {detail}")]
pub struct NotifyError {
    /// Why.
    pub detail: String,
    /// How long it was tried.
    pub tried_for: Option<Duration>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_code_is_unique_and_has_its_page_and_every_page_its_code() {
        let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
        let mut expected = BTreeSet::new();
        for (code, name) in ALL {
            let file = format!("{}.md", ErrorCode(*code));
            let page = std::fs::read_to_string(pages.join(&file)).unwrap_or_else(|e| panic!("{file}: {e}"));
            assert!(page.starts_with(&format!("# {}: {name}\n", ErrorCode(*code))), "{file} names its cause");
            assert!(expected.insert(file), "CR{code:04} is given twice");
        }
        let present: BTreeSet<_> = std::fs::read_dir(pages)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with("CR"))
            .collect();
        assert_eq!(present, expected);
    }

    #[test]
    fn a_reached_limit_names_itself_its_value_and_its_holders() {
        let error =
            LimitReached::new("running_cells", 2, vec![CellId::new("a").unwrap(), CellId::new("b").unwrap()]);
        assert_eq!(error.to_string(), "stay within `running_cells` = 2; held by a, b");
    }
}
