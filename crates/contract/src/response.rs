//! What a session answers.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::WaitError;
use crate::{CellId, CodeModeFuture, JsonText, OutputItem, Seq, ToolCallId};

/// The receipt of an admitted cell.
///
/// The id is known before anything the cell does can reach the delegate. Dropping the receipt, or the future
/// in it, consumes nothing: the cell runs on and can be waited for.
pub struct StartedCell {
    /// The admitted cell.
    pub cell_id: CellId,
    /// Resolves to the cell's first response: at its end, its first `yield_control()`, or its yield time.
    pub first_response: CodeModeFuture<'static, CellResponse, WaitError>,
}

impl fmt::Debug for StartedCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StartedCell").field("cell_id", &self.cell_id).finish_non_exhaustive()
    }
}

/// What a wait found, one response a cell, in the order the cells were named.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WaitResponse {
    /// The responses.
    pub cells: Vec<CellResponse>,
}

impl WaitResponse {
    /// Wraps responses.
    #[must_use]
    pub fn new(cells: Vec<CellResponse>) -> Self {
        Self { cells }
    }
}

/// What one observation of a cell found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
#[non_exhaustive]
pub enum CellResponse {
    /// The cell is alive.
    Yielded(Yielded),
    /// The cell came to its end, well or with an error.
    Completed(Completed),
    /// The cell was ended from outside.
    Terminated(Terminated),
}

impl CellResponse {
    /// Returns what all kinds of responses carry.
    #[must_use]
    pub fn observation(&self) -> &Observation {
        match self {
            Self::Yielded(r) => &r.observation,
            Self::Completed(r) => &r.observation,
            Self::Terminated(r) => &r.observation,
        }
    }

    /// Tells whether the cell has ended.
    #[must_use]
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Yielded(_))
    }

    /// Returns the text of all text items, in order.
    #[must_use]
    pub fn text(&self) -> String {
        self.observation()
            .items
            .iter()
            .filter_map(|item| match &item.content {
                crate::Content::Text { text, .. } => Some(text.as_str()),
                _ => None,
            })
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// What every response says of its cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Observation {
    /// The cell.
    pub cell_id: CellId,
    /// The output after the cursor, cut in the middle where the budget asked for it.
    pub items: Vec<OutputItem>,
    /// The cursor to continue from.
    pub cursor: Seq,
    /// Bytes of output after the cursor that are not in `items`: cut by the budget, or dropped from the
    /// retained window.
    pub omitted_bytes: u64,
    /// What the cell has used so far.
    pub usage: Usage,
    /// What its reader should know of the session and was not told yet: what a recovery restored, for example.
    #[serde(default)]
    pub notices: Vec<Notice>,
}

/// What a reader should know of what happened to a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Notice {
    /// The session was lost with its process and is there again. The cell goes on where it was.
    Recovered {
        /// The calls that were under way and were made again, with the same idempotency key.
        repeated: Vec<ToolCallId>,
        /// The calls that were under way and may or may not have happened: the cell was told so.
        unknown: Vec<ToolCallId>,
    },
    /// The process that had the session is gone, and with it what the session held in memory. The session goes on, empty,
    /// in another one.
    HostLost {
        /// What is known of its end.
        detail: String,
        /// The cells that ran, and were terminated by it.
        cells: Vec<CellId>,
        /// How many outcomes can no longer be read.
        outcomes: u64,
        /// Whether cells had come to their end, which may have stored values and left variables: these are lost.
        values: bool,
    },
    /// What the cells of a persistent session had left is lost: this cell began without it.
    VariablesLost {
        /// The names of the variables, functions and classes, as far as they are known.
        names: Vec<String>,
        /// Why they could neither be taken up nor computed again.
        why: String,
    },
}

impl Observation {
    /// Makes an observation without output.
    #[must_use]
    pub fn new(cell_id: CellId, cursor: Seq) -> Self {
        Self {
            cell_id,
            items: Vec::new(),
            cursor,
            omitted_bytes: 0,
            usage: Usage::default(),
            notices: Vec::new(),
        }
    }
}

/// What a cell has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Usage {
    /// Guest CPU time.
    pub cpu_time: Duration,
    /// Time since admission, or from admission to end. Like the CPU time, in whole microseconds.
    pub elapsed: Duration,
    /// Tool calls made.
    pub tool_calls: u64,
}

/// A cell that is alive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Yielded {
    /// What was observed.
    #[serde(flatten)]
    pub observation: Observation,
}

impl Yielded {
    /// Wraps an observation.
    #[must_use]
    pub fn new(observation: Observation) -> Self {
        Self { observation }
    }
}

/// A cell that came to its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Completed {
    /// What was observed.
    #[serde(flatten)]
    pub observation: Observation,
    /// The value of its `export default`, when it has one that JSON can hold.
    pub result: Option<JsonText>,
    /// Why the program failed; `None` when it did not.
    pub error: Option<CellError>,
    /// What its author should know, an unhandled rejection for example.
    pub warnings: Vec<String>,
    /// Whether this outcome was given to a reader before.
    pub read_before: bool,
}

impl Completed {
    /// Makes the outcome of a program that succeeded without a result.
    #[must_use]
    pub fn new(observation: Observation) -> Self {
        Self { observation, result: None, error: None, warnings: Vec::new(), read_before: false }
    }
}

/// A cell that was ended from outside. Its uncommitted stores are discarded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Terminated {
    /// What was observed.
    #[serde(flatten)]
    pub observation: Observation,
    /// Why it was ended.
    pub reason: TerminationReason,
    /// Callbacks that did not end within their grace and were abandoned.
    pub abandoned: Vec<ToolCallId>,
    /// Whether this outcome was given to a reader before.
    pub read_before: bool,
}

impl Terminated {
    /// Makes the outcome of a cell that was ended for `reason`.
    #[must_use]
    pub fn new(observation: Observation, reason: TerminationReason) -> Self {
        Self { observation, reason, abandoned: Vec::new(), read_before: false }
    }
}

/// Why a cell was ended from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum TerminationReason {
    /// Somebody asked for it.
    Requested,
    /// Its session was shut down.
    Shutdown,
    /// It used more CPU time than its limit.
    CpuTime {
        /// The limit.
        limit: Duration,
    },
    /// What it did could not be written down.
    StorageFailed {
        /// What the storage said.
        detail: String,
    },
    /// The process that ran it is gone.
    HostLost {
        /// What is known of its end.
        detail: String,
    },
}

/// Why a program failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CellError {
    /// Who is at fault.
    pub kind: CellErrorKind,
    /// The error's class, as in `TypeError`; empty when what was thrown is not an error.
    pub name: String,
    /// The error's message.
    pub message: String,
    /// The stack trace, one frame a line, with the cell's own lines and columns. May be empty.
    pub stack: String,
    /// Where in the cell it was thrown, when that is known.
    pub location: Option<Location>,
    /// The line of that place with a caret under it in a second line, when the cell did not come to run.
    #[serde(default)]
    pub excerpt: Option<String>,
}

impl CellError {
    /// Makes an error without stack, location and excerpt.
    pub fn new(kind: CellErrorKind, name: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
            message: message.into(),
            stack: String::new(),
            location: None,
            excerpt: None,
        }
    }
}

/// Who is at fault when a program failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CellErrorKind {
    /// The source does not parse.
    Syntax,
    /// The program failed the check of its types, and nothing of it was run.
    Types,
    /// The program threw.
    Thrown,
    /// The program used up its memory.
    OutOfMemory,
    /// The program waits for a promise that nothing is left to settle.
    Unsettled,
    /// The program nested its data or its calls so deeply that the engine's own stack is exhausted.
    StackExhausted,
    /// After a recovery the program did not do again what its journal says it did: it cannot go on.
    ReplayDivergence,
    /// The guest trapped: an engine fault that harms no other cell.
    Trap,
}

/// A place in a cell's source, both counted from 1; the column in UTF-16 code units, as JavaScript counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}
