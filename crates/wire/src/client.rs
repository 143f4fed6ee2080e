//! What a host says to a client.

use minicbor::{Decode, Encode};

use crate::{Call, Check, Fault, Hello, Item, Observed, State, ToolFailure};

/// A message to a client. Callbacks have numbers, which a stream never uses twice.
#[derive(Clone, Debug, Encode, Decode)]
pub enum ToClient {
    /// The first message. On stream 0.
    #[n(0)]
    Hello(#[n(0)] Hello),
    /// Answers a request.
    #[n(1)]
    Reply {
        /// The request.
        #[n(0)]
        request: u64,
        /// What became of it.
        #[n(1)]
        reply: Reply,
        /// What the session is doing.
        #[n(2)]
        state: State,
    },
    /// Calls a tool. Answered by `Answer`.
    #[n(2)]
    Call {
        /// The number of the callback.
        #[n(0)]
        call: u64,
        /// The call.
        #[n(1)]
        tool_call: Call,
    },
    /// Delivers a notification. Answered by `Delivered`.
    #[n(3)]
    Notify {
        /// The number of the callback.
        #[n(0)]
        call: u64,
        /// The cell that sends it.
        #[n(1)]
        cell_id: String,
        /// What it says.
        #[n(2)]
        text: String,
    },
    /// Asks what became of a call that was under way when its session was lost. Answered by `LookedUp`.
    #[n(4)]
    LookUp {
        /// The number of the callback.
        #[n(0)]
        call: u64,
        /// The call.
        #[n(1)]
        tool_call: Call,
    },
    /// Says that the answer to a callback is no longer wanted; it is still waited for, for a while.
    #[n(5)]
    CancelCall {
        /// The callback.
        #[n(0)]
        call: u64,
    },
    /// Says that a callback is no longer waited for.
    #[n(6)]
    DropCall {
        /// The callback.
        #[n(0)]
        call: u64,
    },
    /// Says that a cell is gone.
    #[n(7)]
    CellClosed {
        /// The cell.
        #[n(0)]
        cell_id: String,
    },
    /// Entries of a log that is followed.
    #[n(8)]
    Events {
        /// The number of `Follow`.
        #[n(0)]
        request: u64,
        /// The entries.
        #[cbor(n(1), decode_with = "crate::list::few")]
        items: Vec<Item>,
        /// Whether nothing comes after them.
        #[n(2)]
        end: bool,
    },
    /// Says that nothing comes on this stream any more.
    #[n(10)]
    Ended,
    /// A sign of life. On stream 0.
    #[n(9)]
    Pong {
        /// The number of `Ping`.
        #[n(0)]
        number: u64,
    },
    /// Says that what a client said last of an approval is written down, or why it cannot be.
    #[n(11)]
    Noted {
        /// The callback that it is of.
        #[n(0)]
        call: u64,
        /// Why it is not: the call must not be made.
        #[cbor(n(1), decode_with = "crate::text::known")]
        failure: Option<ToolFailure>,
    },
    /// Has the types of a cell checked, before it runs. Answered by `Checked`. For clients that can do
    /// [`CHECKS`](crate::CHECKS).
    #[n(12)]
    Check {
        /// The number of the callback.
        #[n(0)]
        call: u64,
        /// The cell, and what it stands on.
        #[n(1)]
        check: Check,
    },
}

/// What became of a request.
#[derive(Clone, Debug, Encode, Decode)]
pub enum Reply {
    /// It was done.
    #[n(0)]
    Done,
    /// It failed.
    #[n(1)]
    Failed(#[n(0)] Fault),
    /// The stream stands for this session.
    #[n(2)]
    Opened {
        /// The session.
        #[n(0)]
        session_id: String,
    },
    /// The sessions that are kept.
    #[n(3)]
    Sessions(#[cbor(n(0), decode_with = "crate::list::many")] Vec<String>),
    /// The cell is admitted.
    #[n(4)]
    Started {
        /// The cell.
        #[n(0)]
        cell_id: String,
    },
    /// What was observed, cell by cell.
    #[n(5)]
    Observed(#[cbor(n(0), decode_with = "crate::list::few")] Vec<Observed>),
    /// What is stored, by its keys.
    #[n(6)]
    Stored(#[cbor(n(0), decode_with = "crate::list::many")] Vec<StoredKey>),
}

/// The contract's `StoredKey`.
#[derive(Clone, Debug, Encode, Decode)]
pub struct StoredKey {
    /// The key.
    #[n(0)]
    pub key: String,
    /// The size of its value as JSON.
    #[n(1)]
    pub value_bytes: u64,
}
