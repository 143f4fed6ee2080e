//! What a session is at a moment: what all its records up to an entry come to.
//!
//! A fold stands for the journal before it, so that coming back costs what happened since. It is made by reading the
//! journal, and by nothing else, so that it says what its records say. It is CBOR with numbered fields, and its evolution
//! has the rules of [`record`](crate::record)s; it is kept as a blob, or in [`parts`], which
//! [`Record::Folded`](crate::Record::Folded) names, and its large texts are blobs of their own, most of which the journal
//! before had already.

mod parts;

pub use parts::{PART_BYTES, ReadFoldError, list, parts};

use minicbor::{Decode, Encode};

use crate::record::{Outcome, Output, Usage, Value};
use crate::{BlobHash, Signature, SnapshotKey};

/// The version that this build writes, as the first byte.
pub const VERSION: u8 = 1;

/// A session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Fold {
    /// The contract's `SessionSpec`, as JSON, without its tools.
    #[n(0)]
    pub spec: Value,
    /// The latest time that was known.
    #[n(1)]
    pub now_us: i64,
    /// Lists of tools: the contract's `ToolDescription`s, as JSON.
    #[n(2)]
    pub tools: Vec<Value>,
    /// The place of the list that new cells have.
    #[n(3)]
    pub current_tools: u64,
    /// The committed values.
    #[n(4)]
    pub stored: Vec<Stored>,
    /// The variables of a persistent session.
    #[n(5)]
    pub variables: Option<BlobHash>,
    /// The cells that left them, where cells are checked.
    #[n(6)]
    pub earlier: Vec<Declared>,
    /// The number of the last event of its log.
    #[n(7)]
    pub last: u64,
    /// The number of its newest cell.
    #[n(8)]
    pub newest_cell: u64,
    /// All output that is kept, by the numbers of its events.
    #[n(9)]
    pub outputs: Vec<Item>,
    /// The newest events, up to the last.
    #[n(10)]
    pub events: Vec<Event>,
    /// The cells that its log has; those that have ended in the order in which they did.
    #[n(11)]
    pub cells: Vec<Cell>,
    /// What those that have not ended need to go on.
    #[n(12)]
    pub running: Vec<Running>,
    /// Who signed the variables.
    #[n(13)]
    pub variables_signature: Option<Signature>,
    /// The names of the variables.
    #[n(14)]
    pub names: Option<Vec<String>>,
    /// Variables that were lost, as long as nobody was told.
    #[n(15)]
    pub lost: Option<Lost>,
}

/// Variables that were lost.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Lost {
    /// Their names.
    #[n(0)]
    pub names: Vec<String>,
    /// Why.
    #[n(1)]
    pub why: String,
}

/// A stored value.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Stored {
    /// Its key.
    #[n(0)]
    pub key: String,
    /// It, as JSON; absent where there was none.
    #[cbor(n(1), decode_with = "crate::record::known")]
    pub value: Option<Value>,
}

/// A cell that left variables.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Declared {
    /// Its source.
    #[n(0)]
    pub source: Value,
    /// Whether it came to its end.
    #[n(1)]
    pub completed: bool,
}

/// An item of output.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Item {
    /// The number of its event.
    #[n(0)]
    pub seq: u64,
    /// Its content.
    #[n(1)]
    pub content: Output,
}

/// An event of the log.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Event {
    /// Its number.
    #[n(0)]
    pub seq: u64,
    /// Its cell.
    #[n(1)]
    pub cell: u64,
    /// The contract's `EventKind`, as JSON; absent for output, which is among the outputs.
    #[cbor(n(2), decode_with = "crate::record::known")]
    pub kind: Option<Value>,
}

/// What the log has of a cell.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Cell {
    /// Its number.
    #[n(0)]
    pub cell: u64,
    /// When it was admitted.
    #[n(1)]
    pub admitted_at_us: i64,
    /// Its text that is kept.
    #[n(2)]
    pub text: Window,
    /// Its other output that is kept.
    #[n(3)]
    pub media: Window,
    /// The numbers of its last event, its last output and its last yield.
    #[n(4)]
    pub last: (u64, u64, u64),
    /// How far the session's reader has read.
    #[n(5)]
    pub read_up_to: u64,
    /// How it ended, if it has.
    #[n(6)]
    pub ended: Option<Ended>,
    /// What it was admitted under, if anything.
    #[n(7)]
    pub key: Option<Key>,
    /// Variables that were lost before it, as long as its reader was not told.
    #[n(8)]
    pub lost: Option<Lost>,
}

/// An idempotency key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Key {
    /// It.
    #[n(0)]
    pub key: String,
    /// The hash of the source that came with it.
    #[n(1)]
    pub source: BlobHash,
}

/// Output of a kind within its bounds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Window {
    /// The first items.
    #[n(0)]
    pub head: Vec<u64>,
    /// The last items.
    #[n(1)]
    pub tail: Vec<u64>,
    /// Bytes that ever came to the tail.
    #[n(2)]
    pub tail_pushed: u64,
    /// Bytes that were dropped from it.
    #[n(3)]
    pub dropped: u64,
    /// The last item that was.
    #[n(4)]
    pub last_dropped: u64,
    /// Places of readers, with what had come to the tail by then.
    #[n(5)]
    pub places: Vec<(u64, u64)>,
}

/// How a cell ended.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Ended {
    /// How.
    #[n(0)]
    pub outcome: Outcome,
    /// The number of the event.
    #[n(1)]
    pub seq: u64,
    /// When.
    #[n(2)]
    pub at_us: i64,
    /// What it used.
    #[n(3)]
    pub usage: Usage,
    /// The cursor with which the outcome was read first.
    #[n(4)]
    pub first_read_after: Option<u64>,
    /// Whether anybody has read it.
    #[n(5)]
    pub was_read: bool,
}

/// A cell that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Running {
    /// Its number.
    #[n(0)]
    pub cell: u64,
    /// Its source.
    #[n(1)]
    pub source: Value,
    /// What the engine got instead of the source.
    #[cbor(n(2), decode_with = "crate::record::known")]
    pub code: Option<Value>,
    /// The seed of `Math.random`.
    #[n(3)]
    pub seed: u64,
    /// The place of the list of its tools.
    #[n(4)]
    pub tools: u64,
    /// In which values what it stands on differs from what is committed.
    #[n(5)]
    pub stored: Vec<Stored>,
    /// The clock with which it began; absent when it has not.
    #[n(6)]
    pub begun_us: Option<i64>,
    /// The latest time that it was told.
    #[n(7)]
    pub clock_us: i64,
    /// Its VM, as it was saved last.
    #[n(8)]
    pub saved: Option<Saved>,
    /// What its VM was given since.
    #[cbor(n(9), decode_with = "crate::record::known")]
    pub inputs: Vec<Input>,
    /// What it did since.
    #[n(10)]
    pub done: Done,
    /// What its memory was on the way: after so many inputs, the hash, and the image.
    #[n(11)]
    pub checkpoints: Vec<(u64, BlobHash, BlobHash)>,
    /// What it was given and what it did in all.
    #[n(12)]
    pub counts: (u64, u64),
    /// Calls that were not answered.
    #[n(13)]
    pub calls: Vec<Call>,
    /// Questions that were not: handle, and question as JSON.
    #[n(14)]
    pub questions: Vec<(i64, Value)>,
    /// Timers: which, and when they are due.
    #[n(15)]
    pub timers: Vec<(i64, i64)>,
    /// Notifications that were not delivered.
    #[n(16)]
    pub undelivered: Vec<(u64, Value)>,
    /// What it stored.
    #[n(17)]
    pub writes: Vec<Stored>,
    /// What its author should know.
    #[n(18)]
    pub warnings: Vec<Value>,
    /// How many calls it made.
    #[n(19)]
    pub calls_made: u64,
    /// How many notifications.
    #[n(20)]
    pub notified: u64,
    /// The variables that it leaves when it ends, which is about to be said.
    #[n(21)]
    pub left: Option<Left>,
}

/// The variables that a cell leaves.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Left {
    /// The snapshot.
    #[n(0)]
    pub blob: BlobHash,
    /// Who signed it.
    #[n(1)]
    pub signature: Option<Signature>,
    /// The names that the cell declared.
    #[n(2)]
    pub names: Vec<String>,
}

/// A VM that was saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Saved {
    /// The snapshot.
    #[n(0)]
    pub blob: BlobHash,
    /// The hash of its memory.
    #[n(1)]
    pub memory: BlobHash,
    /// The image that the VM started from.
    #[n(2)]
    pub image: BlobHash,
    /// Who signed it.
    #[n(3)]
    pub signature: Option<Signature>,
}

/// What a VM was given.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Input {
    /// A call was answered.
    #[n(0)]
    Answered {
        /// The call.
        #[n(0)]
        call: i64,
        /// The result, as the guest got it.
        #[n(1)]
        json: Value,
        /// The cell's clock.
        #[n(2)]
        now_us: i64,
    },
    /// A call failed.
    #[n(1)]
    Failed {
        /// The call.
        #[n(0)]
        call: i64,
        /// The error, as the guest got it.
        #[n(1)]
        json: Value,
        /// The cell's clock.
        #[n(2)]
        now_us: i64,
    },
    /// A timer fired.
    #[n(2)]
    TimerFired {
        /// The timer.
        #[n(0)]
        timer: i64,
        /// The cell's clock.
        #[n(1)]
        now_us: i64,
    },
}

/// What a cell did, as far as a replay has to know it: how much, and a digest over all of it. So a cell that did a great
/// deal since its VM was saved, one that prints for example, takes no more room than any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Done {
    /// How many effects.
    #[n(0)]
    pub count: u64,
    /// How many of them were warnings.
    #[n(1)]
    pub warned: u64,
    /// The digest, from [`Record::digest_after`](crate::Record::digest_after) of one after the other.
    #[n(2)]
    pub digest: BlobHash,
}

impl Default for Done {
    fn default() -> Self {
        Self { count: 0, warned: 0, digest: BlobHash([0; 32]) }
    }
}

/// A call that was under way.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Call {
    /// The engine's handle.
    #[n(0)]
    pub handle: i64,
    /// The call's id.
    #[n(1)]
    pub call_id: String,
    /// The tool.
    #[n(2)]
    pub tool: String,
    /// The input, as JSON.
    #[cbor(n(3), decode_with = "crate::record::known")]
    pub input: Option<Value>,
    /// Whether it may be made again.
    #[n(4)]
    pub repeatable: bool,
    /// Whether it waited for a person to allow it, and has never left.
    #[n(5)]
    pub unsent: Option<bool>,
}

/// Bytes are no fold that this build can read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFold {
    /// A newer version wrote it.
    #[error(
        "the fold is of version {version} or has what a newer version added ({what}); this build reads up to {VERSION}"
    )]
    Newer {
        /// The version.
        version: u8,
        /// What is not known.
        what: String,
    },
    /// They are something else.
    #[error("the bytes are no fold: {what}")]
    Damaged {
        /// What is wrong with them.
        what: String,
    },
}

impl Fold {
    /// Writes it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        match minicbor::encode(self, &mut bytes) {
            Ok(()) => bytes,
            // A Vec takes everything, and nothing in a fold refuses to be written.
            Err(error) => unreachable!("{error}"),
        }
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`InvalidFold`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidFold> {
        let damaged = |what: String| InvalidFold::Damaged { what };
        let (version, rest) = bytes.split_first().ok_or_else(|| damaged("there are none".to_owned()))?;
        if *version != VERSION {
            return Err(InvalidFold::Newer { version: *version, what: "its first byte".to_owned() });
        }
        minicbor::decode(rest).map_err(|error| {
            let what = error.to_string();
            if error.is_unknown_variant() || error.is_custom() {
                InvalidFold::Newer { version: *version, what }
            } else {
                damaged(what)
            }
        })
    }

    /// Returns its texts, each of which may be in a blob.
    pub fn values_mut(&mut self) -> Vec<&mut Value> {
        let mut values = vec![&mut self.spec];
        values.extend(&mut self.tools);
        values.extend(self.stored.iter_mut().filter_map(|stored| stored.value.as_mut()));
        values.extend(self.earlier.iter_mut().map(|cell| &mut cell.source));
        values.extend(self.outputs.iter_mut().map(|item| item.content.value_mut()));
        values.extend(self.events.iter_mut().filter_map(|event| event.kind.as_mut()));
        let outcomes = self.cells.iter_mut().filter_map(|cell| cell.ended.as_mut());
        values.extend(outcomes.flat_map(|ended| ended.outcome.values_mut()));
        values.extend(self.running.iter_mut().flat_map(Running::values_mut));
        values
    }

    /// Signs the snapshots that it names.
    pub fn sign(&mut self, key: &SnapshotKey) {
        self.variables_signature = self.variables.map(|snapshot| key.sign(snapshot));
        for cell in &mut self.running {
            if let Some(saved) = &mut cell.saved {
                saved.signature = Some(key.sign(saved.blob));
            }
            if let Some(left) = &mut cell.left {
                left.signature = Some(key.sign(left.blob));
            }
        }
    }

    /// Returns the blobs that it names, sorted, each once.
    #[must_use]
    pub fn blobs(&mut self) -> Vec<BlobHash> {
        let mut blobs: Vec<_> = self.variables.into_iter().collect();
        blobs.extend(self.running.iter().filter_map(|cell| cell.saved).map(|saved| saved.blob));
        blobs.extend(self.running.iter().filter_map(|cell| cell.left.as_ref()).map(|left| left.blob));
        blobs.extend(self.values_mut().into_iter().filter_map(|value| match value {
            Value::Blob { hash, .. } => Some(*hash),
            Value::Inline(_) => None,
        }));
        blobs.sort_unstable();
        blobs.dedup();
        blobs
    }
}

impl Running {
    fn values_mut(&mut self) -> Vec<&mut Value> {
        let mut values = vec![&mut self.source];
        values.extend(&mut self.code);
        values.extend(self.stored.iter_mut().chain(&mut self.writes).filter_map(|it| it.value.as_mut()));
        values.extend(self.inputs.iter_mut().filter_map(|input| match input {
            Input::Answered { json, .. } | Input::Failed { json, .. } => Some(json),
            Input::TimerFired { .. } => None,
        }));
        values.extend(self.calls.iter_mut().filter_map(|call| call.input.as_mut()));
        values.extend(self.questions.iter_mut().map(|(_, question)| question));
        values.extend(self.undelivered.iter_mut().map(|(_, text)| text));
        values.extend(&mut self.warnings);
        values
    }
}
