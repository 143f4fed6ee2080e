//! What a client says to a host.

use minicbor::{Decode, Encode};

use crate::text::Text;
use crate::{Checked, Execute, Fault, Fork, Hello, LookedUp, Reading, Spec, Tool, ToolFailure, Wait};

/// A message to a host. Requests have numbers, which a connection never uses twice; a request is answered by a
/// [`Reply`](crate::Reply) with its number.
#[derive(Clone, Debug, Encode, Decode)]
pub enum ToHost {
    /// The first message. On stream 0.
    #[n(0)]
    Hello(#[n(0)] Hello),
    /// Asks for a session, which the stream stands for from now on. Answered by `Opened`.
    #[n(1)]
    Create {
        /// The request.
        #[n(0)]
        request: u64,
        /// What it is to be.
        #[n(1)]
        spec: Box<Spec>,
        /// Where it is the same as an earlier one's, that one's session is meant.
        #[n(2)]
        key: Option<String>,
    },
    /// Asks for a session that is kept. Answered by `Opened`.
    #[n(2)]
    Resume {
        /// The request.
        #[n(0)]
        request: u64,
        /// The session.
        #[n(1)]
        session_id: String,
    },
    /// Asks for the sessions that are kept. On stream 0. Answered by `Sessions`.
    #[n(3)]
    List {
        /// The request.
        #[n(0)]
        request: u64,
    },
    /// Deletes a session. On stream 0. Answered by `Done`.
    #[n(4)]
    Delete {
        /// The request.
        #[n(0)]
        request: u64,
        /// The session.
        #[n(1)]
        session_id: String,
    },
    /// Asks for a cell to be run. Answered by `Started`, then by `Observed` with its first response.
    #[n(5)]
    Execute {
        /// The request.
        #[n(0)]
        request: u64,
        /// The cell.
        #[n(1)]
        execute: Execute,
        /// Where it is the same as an earlier one's of this session, that one's cell is meant, and nothing is run again.
        #[n(2)]
        key: Option<String>,
    },
    /// Replaces the tools. Answered by `Done`.
    #[n(6)]
    SetTools {
        /// The request.
        #[n(0)]
        request: u64,
        /// The tools.
        #[cbor(n(1), decode_with = "crate::list::few")]
        tools: Vec<Tool>,
    },
    /// Observes cells. Answered by `Observed`.
    #[n(7)]
    Wait {
        /// The request.
        #[n(0)]
        request: u64,
        /// Which, and until when.
        #[n(1)]
        wait: Wait,
    },
    /// Ends a cell. Answered by `Observed`.
    #[n(8)]
    Terminate {
        /// The request.
        #[n(0)]
        request: u64,
        /// The cell.
        #[n(1)]
        cell_id: String,
    },
    /// Ends the session. Answered by `Done`.
    #[n(9)]
    Shutdown {
        /// The request.
        #[n(0)]
        request: u64,
    },
    /// Says that nobody waits for a request's answer any more. What it began goes on.
    #[n(10)]
    Cancel {
        /// The request.
        #[n(0)]
        request: u64,
    },
    /// Moves the session's reader past what a look gave it.
    #[n(11)]
    NoteRead {
        /// What it was given.
        #[n(0)]
        reading: Reading,
    },
    /// Follows the session's log after a cursor. Comes as `Events` of this number, and no more of them than there is room
    /// for.
    #[n(12)]
    Follow {
        /// The number, from those of requests.
        #[n(0)]
        request: u64,
        /// The cursor.
        #[n(1)]
        after: u64,
        /// How many entries there is room for.
        #[n(2)]
        room: u32,
    },
    /// Makes room for entries of a log that is followed.
    #[n(13)]
    MakeRoom {
        /// The number of `Follow`.
        #[n(0)]
        request: u64,
        /// For how many more.
        #[n(1)]
        room: u32,
    },
    /// Says that nobody holds the session any more. Its stream ends when what was asked before is answered.
    #[n(14)]
    Release,
    /// Answers a tool call.
    #[n(15)]
    Answer {
        /// The call.
        #[n(0)]
        call: u64,
        /// The result as JSON.
        #[n(1)]
        result: Option<Text>,
        /// Or the failure.
        #[cbor(n(2), decode_with = "crate::text::known")]
        failure: Option<ToolFailure>,
    },
    /// Answers a notification.
    #[n(16)]
    Delivered {
        /// The notification.
        #[n(0)]
        call: u64,
        /// Why it was not delivered.
        #[n(1)]
        fault: Option<Fault>,
    },
    /// Answers a question for the outcome of a call.
    #[n(17)]
    LookedUp {
        /// The question.
        #[n(0)]
        call: u64,
        /// What is known.
        #[n(1)]
        outcome: LookedUp,
    },
    /// Says how a call gets on.
    #[n(18)]
    Progress {
        /// The call.
        #[n(0)]
        call: u64,
        /// How.
        #[n(1)]
        progress: Progress,
    },
    /// Asks for a sign of life. On stream 0. Answered by `Pong`.
    #[n(19)]
    Ping {
        /// A number that the answer repeats.
        #[n(0)]
        number: u64,
    },
    /// Says that the client leaves. On stream 0. The host gives its sessions up and closes the connection.
    #[n(20)]
    Goodbye,
    /// Asks for a session that is another up to an event of its log. On stream 0. Answered by `Opened`, with its id.
    #[n(21)]
    Fork {
        /// The request.
        #[n(0)]
        request: u64,
        /// Of which, and up to where.
        #[n(1)]
        fork: Fork,
    },
    /// Asks for the keys of the session's stored values. Answered by `Stored`.
    #[n(22)]
    Stored {
        /// The request.
        #[n(0)]
        request: u64,
    },
    /// Answers a check.
    #[n(23)]
    Checked {
        /// The check.
        #[n(0)]
        call: u64,
        /// What was found.
        #[n(1)]
        outcome: Checked,
    },
}

/// How a call gets on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Progress {
    /// It got on.
    #[n(0)]
    Made {
        /// How much of it is done, from 0 to 100.
        #[n(0)]
        percent: Option<u8>,
        /// What it is doing.
        #[n(1)]
        message: Option<String>,
    },
    /// It waits for a person.
    #[n(1)]
    PersonAwaited {
        /// What the person was asked.
        #[n(0)]
        question: String,
    },
    /// It no longer waits for a person.
    #[n(2)]
    PersonAnswered,
    /// A person is asked whether the call is to be made: nothing of it has left yet. Answered by
    /// [`Noted`](crate::ToClient::Noted). For hosts that can do [`APPROVALS`](crate::APPROVALS), as the next two.
    #[n(3)]
    ApprovalAwaited {
        /// What the person was asked.
        #[n(0)]
        question: String,
    },
    /// The call is to be made, and may leave once this is answered by `Noted`, too.
    #[n(4)]
    ApprovalGiven,
    /// The call is not made, or nobody is asked any more.
    #[n(5)]
    ApprovalOver,
}
