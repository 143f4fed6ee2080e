//! What a caller asks of a session.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{CellId, IdempotencyKey, Seq, SessionId, SessionName};

/// The default time after which a first response is given: 10 s.
const DEFAULT_YIELD_TIME: Duration = Duration::from_secs(10);
/// The default budget of a response's output, in tokens of four bytes.
const DEFAULT_OUTPUT_TOKENS: usize = 10_000;

/// Asks for a cell to be run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ExecuteRequest {
    /// The cell: an ES module.
    pub source: String,
    /// When the first response is due at the latest, counted from admission.
    #[serde(default = "default_yield_time")]
    pub yield_time: Duration,
    /// The most output the first response carries, in tokens of four bytes of UTF-8.
    #[serde(default = "default_output_tokens")]
    pub max_output_tokens: usize,
    /// Whether the first response only looks: the session's reader stays where it is until
    /// [`note_read`](crate::CodeModeSession::note_read) moves it. For whoever passes responses on and may lose them.
    #[serde(default)]
    pub look: bool,
    /// What tells this request from others, so that making it again runs nothing again. See
    /// [`execute`](crate::CodeModeSession::execute).
    #[serde(default)]
    pub idempotency_key: Option<IdempotencyKey>,
}

fn default_yield_time() -> Duration {
    DEFAULT_YIELD_TIME
}

fn default_output_tokens() -> usize {
    DEFAULT_OUTPUT_TOKENS
}

impl ExecuteRequest {
    /// Asks for `source` to be run, with the defaults: 10 s, 10,000 tokens.
    pub fn new(source: impl Into<String>) -> Self {
        Self {
            source: source.into(),
            yield_time: DEFAULT_YIELD_TIME,
            max_output_tokens: DEFAULT_OUTPUT_TOKENS,
            look: false,
            idempotency_key: None,
        }
    }

    /// Makes the request one that can be made again.
    #[must_use]
    pub fn with_idempotency_key(mut self, key: IdempotencyKey) -> Self {
        self.idempotency_key = Some(key);
        self
    }

    /// Makes the first response a look.
    #[must_use]
    pub fn looking(mut self) -> Self {
        self.look = true;
        self
    }

    /// Sets when the first response is due.
    #[must_use]
    pub fn with_yield_time(mut self, yield_time: Duration) -> Self {
        self.yield_time = yield_time;
        self
    }

    /// Sets the output budget of the first response.
    #[must_use]
    pub fn with_max_output_tokens(mut self, tokens: usize) -> Self {
        self.max_output_tokens = tokens;
        self
    }
}

/// Asks to observe one or more cells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WaitRequest {
    /// The cells, at least one.
    pub cells: Vec<CellId>,
    /// What has been read already; by default, what this session's reader was last given of each cell.
    #[serde(default)]
    pub after: Option<Seq>,
    /// What ends the wait before its deadline.
    #[serde(default)]
    pub until: WaitUntil,
    /// The deadline, counted from the call.
    #[serde(default = "default_yield_time")]
    pub yield_time: Duration,
    /// The most output each cell's response carries, in tokens of four bytes of UTF-8.
    #[serde(default = "default_output_tokens")]
    pub max_output_tokens: usize,
    /// Whether the responses only look: the session's reader stays where it is until
    /// [`note_read`](crate::CodeModeSession::note_read) moves it. For whoever passes responses on and may lose them.
    #[serde(default)]
    pub look: bool,
}

impl WaitRequest {
    /// Asks to observe `cells` until all have ended, for 10 s at most.
    pub fn new(cells: impl IntoIterator<Item = CellId>) -> Self {
        Self {
            cells: cells.into_iter().collect(),
            after: None,
            until: WaitUntil::default(),
            yield_time: DEFAULT_YIELD_TIME,
            max_output_tokens: DEFAULT_OUTPUT_TOKENS,
            look: false,
        }
    }

    /// Makes the responses looks.
    #[must_use]
    pub fn looking(mut self) -> Self {
        self.look = true;
        self
    }

    /// Sets what ends the wait.
    #[must_use]
    pub fn until(mut self, until: WaitUntil) -> Self {
        self.until = until;
        self
    }

    /// Sets the cursor.
    #[must_use]
    pub fn after(mut self, after: Seq) -> Self {
        self.after = Some(after);
        self
    }

    /// Sets the deadline.
    #[must_use]
    pub fn with_yield_time(mut self, yield_time: Duration) -> Self {
        self.yield_time = yield_time;
        self
    }

    /// Sets the output budget.
    #[must_use]
    pub fn with_max_output_tokens(mut self, tokens: usize) -> Self {
        self.max_output_tokens = tokens;
        self
    }
}

/// What ends a wait before its deadline. A cell that yields by `yield_control()` ends any of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WaitUntil {
    /// Nothing but the deadline, or the end of all cells.
    Deadline,
    /// Any output of any cell, or an end.
    AnyOutput,
    /// The end of any cell.
    AnyEnded,
    /// The end of all cells.
    #[default]
    AllEnded,
}

/// Asks for a session that is another up to an event of its log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ForkRequest {
    /// The other session.
    pub session_id: SessionId,
    /// The last event that both are to have: [`Seq::START`] is before the first cell. By default, the last there is.
    #[serde(default)]
    pub at: Option<Seq>,
    /// What people are to call the new session.
    #[serde(default)]
    pub name: Option<SessionName>,
}

impl ForkRequest {
    /// Asks for a session that is what another is now.
    #[must_use]
    pub fn new(session_id: SessionId) -> Self {
        Self { session_id, at: None, name: None }
    }

    /// Sets the last event that both are to have.
    #[must_use]
    pub fn at(mut self, at: Seq) -> Self {
        self.at = Some(at);
        self
    }

    /// Sets what people are to call the new session.
    #[must_use]
    pub fn named(mut self, name: SessionName) -> Self {
        self.name = Some(name);
        self
    }
}

/// What a reader was given by a look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Read {
    /// The cell.
    pub cell_id: CellId,
    /// Where the reading began; by default, where the session's reader stood.
    #[serde(default)]
    pub after: Option<Seq>,
    /// The cursor that the response gave.
    pub cursor: Seq,
    /// Whether it was the session's reader who read. Somebody with a cursor of their own only marks an outcome as read.
    pub moves: bool,
    /// Whether the response was given before the session was lost and brought back: it told nothing of that.
    #[serde(default)]
    pub earlier: bool,
}

impl Read {
    /// Describes a reading from where the session's reader stood.
    #[must_use]
    pub fn new(cell_id: CellId, cursor: Seq) -> Self {
        Self { cell_id, after: None, cursor, moves: true, earlier: false }
    }

    /// Says that somebody with a cursor of their own read.
    #[must_use]
    pub fn by_another(mut self) -> Self {
        self.moves = false;
        self
    }

    /// Sets where the reading began.
    #[must_use]
    pub fn after(mut self, after: Seq) -> Self {
        self.after = Some(after);
        self
    }
}
