//! What goes into a VM and what comes out of it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::TimeZone;

/// How a cell begins.
#[derive(Clone)]
pub struct Start {
    /// The cell: an ES module in UTF-8.
    pub source: String,
    /// The tools it can call.
    pub tools: Arc<Tools>,
    /// The values it can load. Part of the cell's input: a replay has to bring the same.
    pub stored: Arc<dyn StoredValues>,
    /// What it can store.
    pub quota: StoreQuota,
    /// The seed of `Math.random`.
    pub seed: u64,
    /// The time, in microseconds since 1970.
    pub now_us: i64,
    /// The zone of its local times.
    pub time_zone: TimeZone,
    /// What it finds around it. All cells of a VM speak one.
    pub dialect: Dialect,
    /// Whether the VM is to outlive the cell, for further cells that see the variables it leaves: what it declares at
    /// its top level, and what it adds to the globals. Another declaration of the same name gives that variable a new
    /// value, for functions of earlier cells, too.
    pub persistent: bool,
}

/// What a cell finds around it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Carrel's own globals.
    #[default]
    Carrel,
    /// Those of the code mode of Codex (`docs/codex.md`).
    Codex,
}

/// The values that the session stored before a cell began. Must not change while the cell lives.
pub trait StoredValues: Send + Sync {
    /// Returns the value under a key, as JSON.
    fn get(&self, key: &str) -> Option<Arc<str>>;

    /// Returns how many keys there are and the length of all their values.
    fn size(&self) -> StoredSize;
}

/// A session that stored nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NothingStored;

impl StoredValues for NothingStored {
    fn get(&self, _key: &str) -> Option<Arc<str>> {
        None
    }

    fn size(&self) -> StoredSize {
        StoredSize::default()
    }
}

/// The size of a session's stored values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoredSize {
    /// Keys.
    pub keys: usize,
    /// The length of all keys, and of all values as JSON, in bytes of UTF-8.
    pub bytes: usize,
}

/// What may be stored; over it `store()` throws a `QuotaError`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreQuota {
    /// The length of one value, in bytes.
    pub value_bytes: usize,
    /// The session's stored values in all.
    pub total: StoredSize,
}

impl Default for StoreQuota {
    fn default() -> Self {
        const MIB: usize = 1024 * 1024;
        Self { value_bytes: 8 * MIB, total: StoredSize { keys: 10_000, bytes: 64 * MIB } }
    }
}

/// The tools of a session, in the form in which a guest reads them. Made once a session.
#[derive(Debug, Default)]
pub struct Tools {
    /// Each name ended by a newline, in the order of `json`.
    pub(crate) names: String,
    /// `[{"name":…,"description":…},…]`; empty when there are none.
    pub(crate) json: String,
    count: usize,
}

impl Tools {
    /// Takes names, which must be identifiers, with their descriptions. A tool is known by its place.
    #[must_use]
    pub fn new<'a>(tools: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        #[derive(Serialize)]
        struct Entry<'a> {
            name: &'a str,
            description: &'a str,
        }

        let entries: Vec<_> =
            tools.into_iter().map(|(name, description)| Entry { name, description }).collect();
        let names = entries.iter().flat_map(|entry| [entry.name, "\n"]).collect();
        let json = if entries.is_empty() {
            String::new()
        } else {
            serde_json::to_string(&entries).unwrap_or_default()
        };
        Self { names, json, count: entries.len() }
    }

    /// Returns how many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Tells whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// One pending tool call of a VM, or one question about its tools. Never used twice by the same VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallHandle(pub i64);

/// What happens to a VM after its start. Each moves its clock, which must not go backwards.
#[derive(Clone, Debug)]
pub enum Event {
    /// A tool call succeeded. An answer to a call that is not pending is ignored.
    Answered {
        /// The call.
        call: CallHandle,
        /// Its result as JSON text.
        json: Arc<str>,
        /// The time, in microseconds since 1970.
        now_us: i64,
    },
    /// A tool call failed. The cell catches a `ToolError`.
    Failed {
        /// The call.
        call: CallHandle,
        /// The error as JSON: `{"message", "code", "retryable", "data"?}`.
        json: Arc<str>,
        /// The time, in microseconds since 1970.
        now_us: i64,
    },
    /// A timer fired. One that the cell has cleared is ignored.
    TimerFired {
        /// The id from [`Effect::SetTimer`].
        id: i64,
        /// The time, in microseconds since 1970.
        now_us: i64,
    },
}

/// What a cell wants done, in the order in which it wanted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A tool is called. [`Event::Answered`] or [`Event::Failed`] settles its promise.
    CallTool {
        /// Names the call in its answer.
        call: CallHandle,
        /// The place of the tool in [`Tools`].
        tool: usize,
        /// The input as JSON text; `None` when there was none.
        input: Option<String>,
        /// Line and column, from 1, of the cell's code that called; `None` when none of this cell's did.
        location: Option<(u32, u32)>,
    },
    /// The cell looks for tools. [`Event::Answered`] settles its promise, with an array of what was found.
    SearchTools {
        /// Names the question in its answer.
        call: CallHandle,
        /// What the tools should do, in words. Any text of up to 1,000 UTF-16 code units.
        query: String,
        /// How many to return at most, from 1 to 100.
        limit: usize,
    },
    /// The cell wants to know how to call some tools. [`Event::Answered`] settles its promise, with a text.
    DescribeTools {
        /// Names the question in its answer.
        call: CallHandle,
        /// The places of the tools in [`Tools`], at most 100.
        tools: Vec<usize>,
    },
    /// Text for the output.
    Text {
        /// The text.
        text: String,
        /// The console method it came from; `None` for `text()`.
        level: Option<Level>,
    },
    /// A picture or a sound for the output.
    Media {
        /// Which.
        kind: MediaKind,
        /// The bytes in base64.
        data: String,
        /// The media type.
        mime_type: String,
    },
    /// A picture for the output, by a data URL that nobody looked into.
    ImageUrl {
        /// The URL.
        url: String,
        /// How closely it is to be looked at.
        detail: ImageDetail,
    },
    /// A sound for the output, likewise.
    AudioUrl {
        /// The URL.
        url: String,
    },
    /// Another MCP content block for the output, as JSON text.
    Block {
        /// The block.
        json: String,
    },
    /// A message to the cell's owner.
    Notify {
        /// The message.
        text: String,
    },
    /// A value is stored, to be committed when the cell ends.
    Store {
        /// The key.
        key: String,
        /// The value as JSON text.
        json: String,
    },
    /// A timer is to fire once.
    SetTimer {
        /// Names the timer in [`Event::TimerFired`]; an id that repeats is set again after it fired.
        id: i64,
        /// After how many milliseconds.
        delay_ms: u32,
    },
    /// A timer is no longer wanted.
    ClearTimer {
        /// The timer.
        id: i64,
    },
    /// The observer is to be given what there is.
    Yield,
    /// Something the author of the cell should know: for now, a rejection that nobody handled.
    Warn {
        /// The rejection's reason.
        reason: GuestError,
    },
}

/// A picture or a sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MediaKind {
    /// A picture.
    Image,
    /// A sound.
    Audio,
}

/// How closely a model is to look at a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ImageDetail {
    /// As it sees fit.
    Auto,
    /// Roughly.
    Low,
    /// Closely.
    High,
    /// At its own size.
    Original,
}

/// A console method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// `console.debug`, `console.trace`.
    Debug,
    /// `console.log`.
    Log,
    /// `console.info`.
    Info,
    /// `console.warn`.
    Warn,
    /// `console.error`.
    Error,
}

/// What one run of a VM brought.
#[derive(Debug)]
#[must_use]
pub struct Turn {
    /// What the cell wants done.
    pub effects: Vec<Effect>,
    /// Where the VM stands.
    pub progress: Progress,
    /// The CPU time that it took.
    pub cpu_time: Duration,
}

/// Where a VM stands after a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It used up its slice in the middle of an event: call [`Vm::run`](crate::Vm::run) again.
    Preempted,
    /// It is done with an event and has a further one: call [`Vm::run`](crate::Vm::run) again.
    Ready,
    /// It waits for an event.
    Idle,
    /// It has ended; the VM takes no further event.
    Ended(Ending),
}

/// How a cell ended.
///
/// A persistent VM is whole after those that the guest itself reports, and gone after the last three and an
/// `OutOfMemory` without an error; see [`Vm::is_whole`](crate::Vm::is_whole).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The module ran to its end; its `export default` as JSON text, when it has one that JSON can hold.
    Completed(Option<String>),
    /// It called `exit()`.
    Exited,
    /// The source does not parse.
    SyntaxError(GuestError),
    /// An error reached the top.
    Threw(GuestError),
    /// The module waits for a promise that nothing is left to settle.
    Unsettled,
    /// The memory limit was reached and the cell did not come back from it. Has the error where the guest
    /// could still make one.
    OutOfMemory(Option<GuestError>),
    /// It used up its CPU time, [`VmLimits::cpu_time`](crate::VmLimits::cpu_time).
    CpuTimeExhausted,
    /// It was stopped from outside, by its [`Stopper`](crate::Stopper).
    Stopped,
    /// It nested or recursed so deeply in the engine's own code, where no `RangeError` is thrown, that its stack is
    /// exhausted.
    StackExhausted,
    /// The guest trapped: a fault of the engine. Says what wasmtime said.
    Trapped(String),
}

/// A thrown value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct GuestError {
    /// The error's class; empty when the value is not an error.
    pub name: String,
    /// The error's message, or the value as text.
    pub message: String,
    /// The stack trace, one frame a line.
    pub stack: String,
    /// The name of the cell in the stack trace: `cell.js`; `cell2.js` for the second of a persistent VM.
    pub file: String,
}

impl GuestError {
    /// Returns line and column, from 1, of the topmost frame that lies in the cell.
    #[must_use]
    pub fn location(&self) -> Option<(u32, u32)> {
        let file = if self.file.is_empty() { "cell.js" } else { &self.file };
        self.stack.lines().find_map(|frame| {
            let (_, place) = frame.rsplit_once(file)?;
            let place = place.strip_prefix(':')?;
            let (line, column) = place.trim_end_matches(')').split_once(':')?;
            Some((line.parse().ok()?, column.parse().ok()?))
        })
    }
}

impl fmt::Display for GuestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.name, self.message)
        }
    }
}

impl fmt::Debug for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Start")
            .field("source", &self.source)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_read_off_the_topmost_frame_of_the_cell() {
        let error = GuestError {
            stack: "    at parse (native)\n    at f (cell.js:3:14)\n    at <anonymous> (cell.js:9:1)".into(),
            ..GuestError::default()
        };
        assert_eq!(error.location(), Some((3, 14)));
        let syntax = GuestError { stack: "    at cell.js:2:7".into(), ..GuestError::default() };
        assert_eq!(syntax.location(), Some((2, 7)));
        let hostile =
            GuestError { stack: "cell.js:99999999999:1\ncell.js:x".into(), ..GuestError::default() };
        assert_eq!(hostile.location(), None);
    }
}
