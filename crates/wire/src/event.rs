//! A session's log, as a client follows it.

use carrel_contract as contract;
use carrel_contract::{Seq, StreamItem, ToolErrorCode, ToolName, ToolProgress};
use minicbor::{Decode, Encode};

use crate::content::Content;
use crate::failure::CellFailure;
use crate::reason::Reason;
use crate::text::{Malformed, call_id, cell_id};
use crate::tool::ToolCode;

/// The contract's `StreamItem`.
#[derive(Clone, Debug, Encode, Decode)]
pub enum Item {
    /// The next entry.
    #[n(0)]
    Event(#[n(0)] Event),
    /// Entries that are no longer retained.
    #[n(1)]
    Missed {
        /// The first that is missing.
        #[n(0)]
        first: u64,
        /// The last that is missing.
        #[n(1)]
        last: u64,
    },
}

/// The contract's `Event`.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Event {
    /// Its number.
    #[n(0)]
    pub seq: u64,
    /// Its cell.
    #[n(1)]
    pub cell_id: String,
    /// What happened.
    #[n(2)]
    pub kind: EventKind,
}

/// The contract's `EventKind`.
#[derive(Clone, Debug, Encode, Decode)]
pub enum EventKind {
    /// The cell was admitted.
    #[n(0)]
    CellAdmitted,
    /// It called a tool.
    #[n(1)]
    ToolCalled {
        /// The call.
        #[n(0)]
        call_id: String,
        /// The tool.
        #[n(1)]
        tool: String,
    },
    /// A call got on.
    #[n(2)]
    ToolProgressed {
        /// The call.
        #[n(0)]
        call_id: String,
        /// How much of it is done, from 0 to 100.
        #[n(1)]
        percent: Option<u8>,
        /// What it is doing.
        #[n(2)]
        message: Option<String>,
    },
    /// A call waits for a person.
    #[n(3)]
    PersonAwaited {
        /// The call.
        #[n(0)]
        call_id: String,
        /// What the person was asked.
        #[n(1)]
        question: String,
    },
    /// A call no longer waits for a person.
    #[n(4)]
    PersonAnswered {
        /// The call.
        #[n(0)]
        call_id: String,
    },
    /// A call was answered.
    #[n(5)]
    ToolAnswered {
        /// The call.
        #[n(0)]
        call_id: String,
        /// Why it failed.
        #[cbor(n(1), decode_with = "crate::text::known")]
        error: Option<ToolCode>,
    },
    /// It emitted output.
    #[n(6)]
    Output(#[n(0)] Content),
    /// It notified its owner.
    #[n(7)]
    Notified(#[n(0)] String),
    /// It called `yield_control()`.
    #[n(8)]
    ControlYielded,
    /// It came to its end.
    #[n(9)]
    CellCompleted {
        /// Why it failed.
        #[cbor(n(0), decode_with = "crate::text::known")]
        failure: Option<CellFailure>,
    },
    /// It was ended from outside.
    #[n(10)]
    CellTerminated(#[n(0)] Reason),
    /// Something that this version of the protocol has no word for.
    #[n(11)]
    Other,
}

impl From<contract::EventKind> for EventKind {
    fn from(kind: contract::EventKind) -> Self {
        use contract::EventKind as Kind;
        match kind {
            Kind::CellAdmitted => Self::CellAdmitted,
            Kind::ToolCalled { call_id, tool } => {
                Self::ToolCalled { call_id: call_id.into(), tool: tool.into() }
            }
            Kind::ToolProgressed { call_id, progress } => Self::ToolProgressed {
                call_id: call_id.into(),
                percent: progress.percent,
                message: progress.message,
            },
            Kind::PersonAwaited { call_id, question } => {
                Self::PersonAwaited { call_id: call_id.into(), question }
            }
            Kind::PersonAnswered { call_id } => Self::PersonAnswered { call_id: call_id.into() },
            Kind::ToolAnswered { call_id, error } => {
                Self::ToolAnswered { call_id: call_id.into(), error: error.map(ToolCode::from) }
            }
            Kind::Output { content } => Self::Output(content.into()),
            Kind::Notified { text } => Self::Notified(text),
            Kind::ControlYielded => Self::ControlYielded,
            Kind::CellCompleted { error } => Self::CellCompleted { failure: error.map(CellFailure::from) },
            Kind::CellTerminated { reason } => Self::CellTerminated(reason.into()),
            _ => Self::Other,
        }
    }
}

impl EventKind {
    fn into_contract(self) -> Result<Option<contract::EventKind>, Malformed> {
        use contract::EventKind as Kind;
        Ok(Some(match self {
            Self::CellAdmitted => Kind::CellAdmitted,
            Self::ToolCalled { call_id: id, tool } => {
                Kind::ToolCalled { call_id: call_id(&id)?, tool: ToolName::new(&tool)? }
            }
            Self::ToolProgressed { call_id: id, percent, message } => {
                Kind::ToolProgressed { call_id: call_id(&id)?, progress: ToolProgress { percent, message } }
            }
            Self::PersonAwaited { call_id: id, question } => {
                Kind::PersonAwaited { call_id: call_id(&id)?, question }
            }
            Self::PersonAnswered { call_id: id } => Kind::PersonAnswered { call_id: call_id(&id)? },
            Self::ToolAnswered { call_id: id, error } => {
                Kind::ToolAnswered { call_id: call_id(&id)?, error: error.map(ToolErrorCode::from) }
            }
            Self::Output(content) => Kind::Output { content: content.try_into()? },
            Self::Notified(text) => Kind::Notified { text },
            Self::ControlYielded => Kind::ControlYielded,
            Self::CellCompleted { failure } => Kind::CellCompleted { error: failure.map(Into::into) },
            Self::CellTerminated(reason) => Kind::CellTerminated { reason: reason.into() },
            Self::Other => return Ok(None),
        }))
    }
}

impl From<StreamItem> for Item {
    fn from(item: StreamItem) -> Self {
        match item {
            StreamItem::Event(event) => Self::Event(Event {
                seq: event.seq.0,
                cell_id: event.cell_id.into(),
                kind: event.kind.into(),
            }),
            StreamItem::Missed { first_missed, last_missed } => {
                Self::Missed { first: first_missed.0, last: last_missed.0 }
            }
        }
    }
}

impl TryFrom<Item> for StreamItem {
    type Error = Malformed;

    fn try_from(wire: Item) -> Result<Self, Malformed> {
        Ok(match wire {
            Item::Event(event) => match event.kind.into_contract()? {
                Some(kind) => {
                    Self::Event(contract::Event::new(Seq(event.seq), cell_id(&event.cell_id)?, kind))
                }
                None => Self::Missed { first_missed: Seq(event.seq), last_missed: Seq(event.seq) },
            },
            Item::Missed { first, last } => Self::Missed { first_missed: Seq(first), last_missed: Seq(last) },
        })
    }
}
