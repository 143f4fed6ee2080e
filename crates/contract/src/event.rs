//! A session's log, as its readers see it.

use std::pin::Pin;

use futures_core::Stream;
use serde::{Deserialize, Serialize};

use crate::{
    CellError, CellId, Content, Seq, TerminationReason, ToolCallId, ToolErrorCode, ToolName, ToolProgress,
};

/// One entry of a session's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Event {
    /// Its place in the log.
    pub seq: Seq,
    /// The cell it belongs to.
    pub cell_id: CellId,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

impl Event {
    /// Makes an entry.
    #[must_use]
    pub fn new(seq: Seq, cell_id: CellId, kind: EventKind) -> Self {
        Self { seq, cell_id, kind }
    }
}

/// What happened to a cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventKind {
    /// It was admitted.
    CellAdmitted,
    /// It called a tool.
    ToolCalled {
        /// The call.
        call_id: ToolCallId,
        /// The tool.
        tool: ToolName,
    },
    /// A call of its got on. Comes a few times a second at most.
    ToolProgressed {
        /// The call.
        call_id: ToolCallId,
        /// How far it has come.
        progress: ToolProgress,
    },
    /// A call of its waits for a person.
    PersonAwaited {
        /// The call.
        call_id: ToolCallId,
        /// What the person was asked.
        question: String,
    },
    /// A call of its no longer waits for a person.
    PersonAnswered {
        /// The call.
        call_id: ToolCallId,
    },
    /// A call of its was answered.
    ToolAnswered {
        /// The call.
        call_id: ToolCallId,
        /// Why it failed; `None` when it did not.
        error: Option<ToolErrorCode>,
    },
    /// It emitted output.
    Output {
        /// The output.
        content: Content,
    },
    /// It notified its owner.
    Notified {
        /// The text.
        text: String,
    },
    /// It called `yield_control()`.
    ControlYielded,
    /// It came to its end; what it stored is committed.
    CellCompleted {
        /// Why it failed; `None` when it did not.
        error: Option<CellError>,
    },
    /// It was ended from outside; what it stored is discarded.
    CellTerminated {
        /// Why.
        reason: TerminationReason,
    },
}

/// What a reader of the log is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum StreamItem {
    /// The next entry.
    Event(Event),
    /// Entries that are no longer retained: the reader was too slow, or began too early.
    Missed {
        /// The first that is missing.
        first_missed: Seq,
        /// The last that is missing.
        last_missed: Seq,
    },
}

/// A session's log from a cursor on, in order. Ends when the session has shut down and all was read.
///
/// A slow reader blocks nobody: what leaves the retained window before it was read is reported as
/// [`StreamItem::Missed`].
pub type EventStream = Pin<Box<dyn Stream<Item = StreamItem> + Send>>;
