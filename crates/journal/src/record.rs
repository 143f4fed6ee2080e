//! The records of a journal, and how they are written.
//!
//! Each record is CBOR (RFC 8949), written by `minicbor`: an array of the record's number and of its fields in the order of
//! theirs. Why CBOR with numbered fields: a field that is added later is optional, and older bytes, which end before it, still
//! read; a field that this build does not know is skipped; a record says where it ends, and `carrel log` can show what it
//! does not know. JSON is twice as long; postcard, being without any of that, needs a reader for each version.
//! `minicbor` makes room for what it has read and not for a length that is stated, so hostile bytes cost what they weigh.
//!
//! **Rules of evolution.** A number is never used again. A new field is an `Option`, or has a default. A field is not removed: it
//! stays, unused. An optional field that holds an enum is read by `codec::known`. What older builds must not overlook is a new record or a new variant: they refuse it as
//! [newer](crate::error::DamageKind::NewerRecord). `tests/corpus` has the bytes of all versions, read by tests for ever.
//!
//! Times are microseconds since 1970; cells go by their numbers, calls by the engine's handles.

mod codec;
mod outcome;
mod value;

use codec::encoded_len;
pub(crate) use codec::{decode_all, decode_each, encode, known};
pub use outcome::{CellFailure, Outcome, Termination, Usage};
pub use value::{Answer, Level, Output, ToolFailure, Value};

use minicbor::{Decode, Encode};

use crate::{BlobHash, Signature};

/// One thing that happened in a session.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Record {
    /// The session was made. The first record of each journal.
    #[n(0)]
    SessionCreated {
        /// The contract's `SessionSpec`, as JSON.
        #[n(0)]
        spec: Value,
        /// When.
        #[n(1)]
        created_at_us: i64,
    },
    /// An owner took the session; each append of an earlier one fails from here on.
    #[n(1)]
    Adopted {
        /// The epoch of its lease.
        #[n(0)]
        epoch: u64,
        /// The owner.
        #[n(1)]
        owner: String,
        /// When, by the owner's clock.
        #[n(2)]
        at_us: i64,
    },
    /// A cell was admitted.
    #[n(2)]
    CellAdmitted {
        /// The cell.
        #[n(0)]
        cell: u64,
        /// The source as it was asked for. A fresh cell finds the values that were committed before this record.
        #[n(1)]
        source: Value,
        /// The seed of `Math.random`.
        #[n(2)]
        seed: u64,
        /// When.
        #[n(3)]
        at_us: i64,
        /// Its idempotency key.
        #[n(4)]
        key: Option<String>,
    },
    /// An admitted cell began: a persistent one when its turn had come, with the variables and the values of that moment.
    #[n(18)]
    CellBegun {
        /// The cell.
        #[n(0)]
        cell: u64,
        /// The code as the engine got it, where that is not the source.
        #[cbor(n(1), decode_with = "known")]
        code: Option<Value>,
        /// The cell's clock at its start.
        #[n(2)]
        now_us: i64,
    },
    /// A cell called a tool. Written before the call is made.
    #[n(3)]
    ToolCalled {
        /// The cell.
        #[n(0)]
        cell: u64,
        /// The engine's handle of the call.
        #[n(1)]
        call: i64,
        /// The call's id, as the delegate gets it.
        #[n(2)]
        call_id: String,
        /// The tool.
        #[n(3)]
        tool: String,
        /// The input as JSON; absent when there was none.
        #[cbor(n(4), decode_with = "known")]
        input: Option<Value>,
        /// Whether the call may be made again when its answer is not known.
        #[n(5)]
        repeatable: bool,
    },
    /// A call was answered. Written before the cell goes on with it.
    #[n(4)]
    Answered {
        /// The cell.
        #[n(0)]
        cell: u64,
        /// The call.
        #[n(1)]
        call: i64,
        /// The answer.
        #[n(2)]
        answer: Answer,
        /// The cell's clock.
        #[n(3)]
        now_us: i64,
    },
    /// A cell set a timer.
    #[n(5)]
    TimerSet {
        /// The cell.
        #[n(0)]
        cell: u64,
        /// The timer.
        #[n(1)]
        timer: i64,
        /// When it is due.
        #[n(2)]
        due_us: i64,
    },
    /// A cell cleared a timer.
    #[n(6)]
    TimerCleared {
        /// The cell.
        #[n(0)]
        cell: u64,
        /// The timer.
        #[n(1)]
        timer: i64,
    },
    /// A timer fired. Written before the cell goes on with it.
    #[n(7)]
    TimerFired {
        /// The cell.
        #[n(0)]
        cell: u64,
        /// The timer.
        #[n(1)]
        timer: i64,
        /// The cell's clock.
        #[n(2)]
        now_us: i64,
    },
    /// A cell emitted output.
    #[n(8)]
    Output {
        /// The cell.
        #[n(0)]
        cell: u64,
        /// What it emitted.
        #[n(1)]
        content: Output,
    },
    /// A cell notified its owner. Written before the notification is delivered.
    #[n(9)]
    Notified {
        /// The cell.
        #[n(0)]
        cell: u64,
        /// The number of the notification in its cell, from 1.
        #[n(1)]
        notification: u64,
        /// The text.
        #[n(2)]
        text: Value,
    },
    /// A notification was delivered.
    #[n(10)]
    NotifyDelivered {
        /// The cell.
        #[n(0)]
        cell: u64,
        /// The notification.
        #[n(1)]
        notification: u64,
    },
    /// A cell called `yield_control()`.
    #[n(11)]
    ControlYielded {
        /// The cell.
        #[n(0)]
        cell: u64,
    },
    /// A cell was warned of something.
    #[n(12)]
    Warned {
        /// The cell.
        #[n(0)]
        cell: u64,
        /// The warning.
        #[n(1)]
        text: Value,
    },
    /// A cell stored a value, which is committed when it ends by itself.
    #[n(19)]
    Stored {
        /// The cell.
        #[n(0)]
        cell: u64,
        /// The key.
        #[n(1)]
        key: String,
        /// The value as JSON.
        #[n(2)]
        value: Value,
    },
    /// A cell ended. Unless it was terminated, what it stored is committed with this.
    #[n(13)]
    CellEnded {
        /// The cell.
        #[n(0)]
        cell: u64,
        /// How.
        #[n(1)]
        outcome: Outcome,
        /// The keys of what it stored that the session had no room for: these are not committed. Many are in an `Unstored`
        /// before.
        #[n(2)]
        refused: Vec<String>,
        /// What it used.
        #[n(3)]
        usage: Usage,
        /// When.
        #[n(4)]
        ended_at_us: i64,
    },
    /// A cell's VM was saved, waiting for an event.
    #[n(14)]
    SnapshotTaken {
        /// The cell.
        #[n(0)]
        cell: u64,
        /// The snapshot.
        #[n(1)]
        blob: BlobHash,
        /// The hash of the VM's memory.
        #[n(2)]
        memory: BlobHash,
        /// How many events the VM had been given.
        #[n(3)]
        inputs: u64,
        /// How many effects it had had.
        #[n(4)]
        effects: u64,
        /// The image that the VM started from: another build cannot go on from here.
        #[n(5)]
        image: BlobHash,
        /// By whom, where the installation has a key: without one that is known a snapshot is no better than none.
        #[n(6)]
        signature: Option<Signature>,
    },
    /// What a cell's memory has to be at this point of a replay.
    #[n(15)]
    Checkpoint {
        /// The cell.
        #[n(0)]
        cell: u64,
        /// The hash of the VM's memory.
        #[n(1)]
        memory: BlobHash,
        /// How many events the VM had been given.
        #[n(2)]
        inputs: u64,
        /// The image that the VM started from: in another build's it is another.
        #[n(3)]
        image: BlobHash,
    },
    /// The variables that a cell of a persistent session left to the next.
    #[n(16)]
    VariablesLeft {
        /// The cell.
        #[n(0)]
        cell: u64,
        /// The snapshot of the VM between two cells.
        #[n(1)]
        blob: BlobHash,
        /// By whom, as of `SnapshotTaken`.
        #[n(2)]
        signature: Option<Signature>,
        /// The names that the cell declared, so that they can be told should the variables be lost.
        #[n(3)]
        names: Option<Vec<String>>,
    },
    /// The variables that cells of a persistent session left are lost: the next cell begins with none.
    #[n(27)]
    VariablesLost {
        /// Their names, as far as they are known.
        #[n(0)]
        names: Vec<String>,
        /// Why.
        #[n(1)]
        why: String,
    },
    /// The session's tools became others: cells admitted from here on have these.
    #[n(20)]
    ToolsSet {
        /// The contract's `ToolDescription`s, as JSON.
        #[n(0)]
        tools: Value,
    },
    /// A cell asked something about its tools, which nobody but the runtime answers.
    #[n(24)]
    Asked {
        /// The cell.
        #[n(0)]
        cell: u64,
        /// The engine's handle of the question.
        #[n(1)]
        call: i64,
        /// The question, as JSON.
        #[n(2)]
        question: Value,
    },
    /// A call got on.
    #[n(21)]
    ToolProgressed {
        /// The cell.
        #[n(0)]
        cell: u64,
        /// The call's id.
        #[n(1)]
        call_id: String,
        /// How much of it is done, of 100.
        #[n(2)]
        percent: Option<u8>,
        /// What it is doing.
        #[n(3)]
        message: Option<String>,
    },
    /// A call waits for a person.
    #[n(22)]
    PersonAwaited {
        /// The cell.
        #[n(0)]
        cell: u64,
        /// The call's id.
        #[n(1)]
        call_id: String,
        /// What the person was asked.
        #[n(2)]
        question: String,
        /// Whether they decide if the call is made, nothing of which has left yet.
        #[n(3)]
        decides: Option<bool>,
    },
    /// A call no longer waits for a person.
    #[n(23)]
    PersonAnswered {
        /// The cell.
        #[n(0)]
        cell: u64,
        /// The call's id.
        #[n(1)]
        call_id: String,
        /// Whether the call may leave after this; it may, unless that is said.
        #[n(2)]
        leaves: Option<bool>,
    },
    /// The session was forked off another: what comes before this is that one's, up to an event of its log.
    #[n(25)]
    Forked {
        /// The other session.
        #[n(0)]
        origin: String,
        /// The number of the last event that both have.
        #[n(1)]
        at: u64,
        /// When.
        #[n(2)]
        at_us: i64,
    },
    /// What the session had come to is written down in a blob: a reader may begin with that and go on after the entries
    /// that it stands for.
    #[n(26)]
    Folded {
        /// How many entries before this record's own the last one is that it stands for.
        #[n(0)]
        lag: u64,
        /// The [`Fold`](crate::fold::Fold).
        #[n(1)]
        blob: BlobHash,
        /// The blobs that it names.
        #[n(2)]
        blobs: Vec<BlobHash>,
        /// What it takes to read it all.
        #[n(3)]
        bytes: u64,
    },
    /// What a cell stored that the session had no room for, and that is not committed, where these are more keys than its
    /// end is to name. Comes before that.
    #[n(28)]
    Unstored {
        /// The cell.
        #[n(0)]
        cell: u64,
        /// The keys, a list as JSON.
        #[n(1)]
        keys: Value,
    },
    /// The session's reader was given a cell's output, or, where it has not moved, its outcome was read by another.
    #[n(17)]
    ReaderMoved {
        /// The cell.
        #[n(0)]
        cell: u64,
        /// Up to which number of the session's log.
        #[n(1)]
        cursor: u64,
    },
}

impl Record {
    /// Returns the number of the cell that it is of.
    #[must_use]
    pub fn cell(&self) -> Option<u64> {
        match self {
            Self::SessionCreated { .. }
            | Self::Adopted { .. }
            | Self::ToolsSet { .. }
            | Self::Forked { .. }
            | Self::VariablesLost { .. }
            | Self::Folded { .. } => None,
            Self::CellAdmitted { cell, .. }
            | Self::CellBegun { cell, .. }
            | Self::ToolCalled { cell, .. }
            | Self::Answered { cell, .. }
            | Self::TimerSet { cell, .. }
            | Self::TimerCleared { cell, .. }
            | Self::TimerFired { cell, .. }
            | Self::Output { cell, .. }
            | Self::Notified { cell, .. }
            | Self::NotifyDelivered { cell, .. }
            | Self::ControlYielded { cell }
            | Self::Warned { cell, .. }
            | Self::Stored { cell, .. }
            | Self::Unstored { cell, .. }
            | Self::CellEnded { cell, .. }
            | Self::SnapshotTaken { cell, .. }
            | Self::Checkpoint { cell, .. }
            | Self::VariablesLeft { cell, .. }
            | Self::Asked { cell, .. }
            | Self::ToolProgressed { cell, .. }
            | Self::PersonAwaited { cell, .. }
            | Self::PersonAnswered { cell, .. }
            | Self::ReaderMoved { cell, .. } => Some(*cell),
        }
    }

    /// Returns the time that it tells, in microseconds since 1970.
    #[must_use]
    pub fn at_us(&self) -> Option<i64> {
        match self {
            Self::SessionCreated { created_at_us: at, .. }
            | Self::Adopted { at_us: at, .. }
            | Self::Forked { at_us: at, .. }
            | Self::CellAdmitted { at_us: at, .. }
            | Self::CellBegun { now_us: at, .. }
            | Self::Answered { now_us: at, .. }
            | Self::TimerFired { now_us: at, .. }
            | Self::CellEnded { ended_at_us: at, .. } => Some(*at),
            _ => None,
        }
    }

    /// Returns the blobs that it names.
    #[must_use]
    pub fn into_blobs(mut self) -> Vec<BlobHash> {
        self.blobs()
    }

    /// Returns the blobs that it names now.
    pub fn blobs(&mut self) -> Vec<BlobHash> {
        match self {
            Self::SnapshotTaken { blob, .. } | Self::VariablesLeft { blob, .. } => vec![*blob],
            Self::Folded { blob, blobs, .. } => blobs.iter().copied().chain([*blob]).collect(),
            _ => self
                .values_mut()
                .into_iter()
                .filter_map(|value| match value {
                    Value::Blob { hash, .. } => Some(*hash),
                    Value::Inline(_) => None,
                })
                .collect(),
        }
    }

    /// Returns how many bytes it takes in an entry.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        encoded_len(self)
    }

    /// Returns a digest of it and of all before it, of which `before` is the digest.
    #[must_use]
    pub fn digest_after(&self, before: BlobHash) -> BlobHash {
        let mut bytes = before.0.to_vec();
        encode(self, &mut bytes);
        BlobHash::of(&bytes)
    }

    /// Returns its texts, each of which may be in a blob.
    pub fn values_mut(&mut self) -> Vec<&mut Value> {
        match self {
            Self::SessionCreated { spec: value, .. }
            | Self::CellAdmitted { source: value, .. }
            | Self::Notified { text: value, .. }
            | Self::Warned { text: value, .. }
            | Self::Stored { value, .. }
            | Self::Unstored { keys: value, .. }
            | Self::Asked { question: value, .. }
            | Self::ToolsSet { tools: value } => vec![value],
            Self::ToolCalled { input: value, .. } | Self::CellBegun { code: value, .. } => {
                value.iter_mut().collect()
            }
            Self::Output { content, .. } => vec![content.value_mut()],
            Self::Answered { answer: Answer::Result(value), .. } => vec![value],
            Self::Answered { answer: Answer::Failed(failure), .. } => {
                [Some(&mut failure.message), failure.data.as_mut()].into_iter().flatten().collect()
            }
            Self::CellEnded { outcome, .. } => outcome.values_mut(),
            _ => Vec::new(),
        }
    }
}
