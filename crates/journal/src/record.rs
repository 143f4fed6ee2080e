//! The records of a journal, and how they are written.
//!
//! Each record is CBOR (RFC 8949), written by `minicbor`: an array of the record's number and of its fields in the order of
//! theirs. Why CBOR with numbered fields: a field that is added later is optional, and older bytes, which end before it, still
//! read; a field that this build does not know is skipped; a record says where it ends, and `carrel log` can show what it
//! does not know. JSON is twice as long; postcard, being without any of that, needs a reader for each version.
//! `minicbor` makes room for what it has read and not for a length that is stated, so hostile bytes cost what they weigh.
//!
//! **Rules of evolution.** A number is never used again. A new field is an `Option`, or has a default. A field is not removed: it
//! stays, unused. What older builds must not overlook is a new record or a new variant: they refuse it as
//! [newer](crate::error::DamageKind::NewerRecord). `tests/corpus` has the bytes of all versions, read by tests for ever.
//!
//! Times are microseconds since 1970; cells go by their numbers, calls by the engine's handles.

mod codec;
mod outcome;
mod value;

pub(crate) use codec::{decode_all, encode};
pub use outcome::{CellFailure, Outcome, Termination, Usage, Write};
pub use value::{Answer, Level, Output, ToolFailure, Value};

use minicbor::{Decode, Encode};

use crate::BlobHash;

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
        /// The code as the engine gets it.
        #[n(1)]
        code: Value,
        /// The source as it was asked for, where that is not the code.
        #[n(2)]
        original: Option<Value>,
        /// The seed of `Math.random`.
        #[n(3)]
        seed: u64,
        /// The cell's clock at its start.
        #[n(4)]
        now_us: i64,
        /// The tools that it may call, as a blob; those of the session's spec when absent.
        #[n(5)]
        tools: Option<BlobHash>,
        /// When its first response was due.
        #[n(6)]
        yield_time_us: u64,
        /// The output budget of its first response.
        #[n(7)]
        max_output_tokens: u64,
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
        #[n(4)]
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
    /// A cell ended; what it stored is committed with this.
    #[n(13)]
    CellEnded {
        /// The cell.
        #[n(0)]
        cell: u64,
        /// How.
        #[n(1)]
        outcome: Outcome,
        /// What it stored, each key once; nothing when it was terminated.
        #[n(2)]
        writes: Vec<Write>,
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
        /// How many effects it had had.
        #[n(3)]
        effects: u64,
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
        /// The hash of the VM's memory.
        #[n(2)]
        memory: BlobHash,
    },
    /// The session's reader was given a cell's output.
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
