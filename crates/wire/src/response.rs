//! What a session answers of a cell.

use std::time::Duration;

use carrel_contract as contract;
use carrel_contract::{
    CellError, CellErrorKind, CellResponse, Completed, ConsoleLevel, JsonText, Location, Seq, SessionState,
    Terminated, TerminationReason, ToolCallId, Yielded,
};
use minicbor::{Decode, Encode};

use crate::text::{Malformed, Text, call_id, cell_id};

/// What a session is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum State {
    /// It takes cells.
    #[n(0)]
    Open,
    /// It ends its cells.
    #[n(1)]
    ShuttingDown,
    /// It has ended.
    #[n(2)]
    Closed,
}

/// The contract's `CellResponse`.
#[derive(Clone, Debug, Encode, Decode)]
pub enum Observed {
    /// The cell is alive.
    #[n(0)]
    Yielded(#[n(0)] Observation),
    /// The cell came to its end.
    #[n(1)]
    Completed {
        /// What was observed.
        #[n(0)]
        observation: Observation,
        /// The value of its `export default`, as JSON.
        #[n(1)]
        result: Option<Text>,
        /// Why it failed.
        #[cbor(n(2), decode_with = "crate::text::known")]
        failure: Option<CellFailure>,
        /// What its author should know.
        #[n(3)]
        warnings: Vec<String>,
        /// Whether this was given to a reader before.
        #[n(4)]
        read_before: bool,
    },
    /// The cell was ended from outside.
    #[n(2)]
    Terminated {
        /// What was observed.
        #[n(0)]
        observation: Observation,
        /// Why.
        #[n(1)]
        reason: Reason,
        /// Callbacks that were abandoned.
        #[n(2)]
        abandoned: Vec<String>,
        /// Whether this was given to a reader before.
        #[n(3)]
        read_before: bool,
    },
}

/// The contract's `Observation`.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Observation {
    /// The cell.
    #[n(0)]
    pub cell_id: String,
    /// Its output.
    #[n(1)]
    pub items: Vec<OutputItem>,
    /// The cursor to go on from.
    #[n(2)]
    pub cursor: u64,
    /// Bytes that are not in the items.
    #[n(3)]
    pub omitted_bytes: u64,
    /// What the cell has used.
    #[n(4)]
    pub usage: Usage,
    /// What its reader should know.
    #[n(5)]
    pub notices: Vec<Notice>,
}

/// The contract's `OutputItem`.
#[derive(Clone, Debug, Encode, Decode)]
pub struct OutputItem {
    /// The number of its event.
    #[n(0)]
    pub seq: u64,
    /// What it is.
    #[n(1)]
    pub content: Content,
}

/// The contract's `Content`.
#[derive(Clone, Debug, Encode, Decode)]
pub enum Content {
    /// Text.
    #[n(0)]
    Text {
        /// The text.
        #[n(0)]
        text: String,
        /// The console method that wrote it.
        #[cbor(n(1), decode_with = "crate::text::known")]
        level: Option<Level>,
    },
    /// A picture.
    #[n(1)]
    Image {
        /// The bytes in base64.
        #[n(0)]
        data: String,
        /// Its media type.
        #[n(1)]
        mime_type: String,
    },
    /// A sound.
    #[n(2)]
    Audio {
        /// The bytes in base64.
        #[n(0)]
        data: String,
        /// Its media type.
        #[n(1)]
        mime_type: String,
    },
    /// Any other MCP content block, as JSON.
    #[n(3)]
    Block(#[n(0)] Text),
}

/// A console method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Level {
    /// `console.debug`.
    #[n(0)]
    Debug,
    /// `console.log`.
    #[n(1)]
    Log,
    /// `console.info`.
    #[n(2)]
    Info,
    /// `console.warn`.
    #[n(3)]
    Warn,
    /// `console.error`.
    #[n(4)]
    Error,
}

/// The contract's `Usage`.
#[derive(Clone, Copy, Debug, Encode, Decode)]
pub struct Usage {
    /// Guest CPU time.
    #[n(0)]
    pub cpu_time: Duration,
    /// Time since admission.
    #[n(1)]
    pub elapsed: Duration,
    /// Tool calls made.
    #[n(2)]
    pub tool_calls: u64,
}

/// The contract's `Notice`.
#[derive(Clone, Debug, Encode, Decode)]
pub enum Notice {
    /// The session is there again.
    #[n(0)]
    Recovered {
        /// Calls that were made again.
        #[n(0)]
        repeated: Vec<String>,
        /// Calls of which nobody knows.
        #[n(1)]
        unknown: Vec<String>,
    },
    /// The process that had the session is gone.
    #[n(1)]
    HostLost {
        /// What is known of its end.
        #[n(0)]
        detail: String,
        /// The cells that ran.
        #[n(1)]
        cells: Vec<String>,
        /// How many outcomes are lost.
        #[n(2)]
        outcomes: u64,
        /// Whether values may be lost.
        #[n(3)]
        values: bool,
    },
}

/// The contract's `TerminationReason`.
#[derive(Clone, Debug, Encode, Decode)]
pub enum Reason {
    /// Somebody asked for it.
    #[n(0)]
    Requested,
    /// Its session was shut down.
    #[n(1)]
    Shutdown,
    /// It used too much CPU time.
    #[n(2)]
    CpuTime(#[n(0)] Duration),
    /// What it did could not be written down.
    #[n(3)]
    StorageFailed(#[n(0)] String),
    /// The process that ran it is gone.
    #[n(4)]
    HostLost(#[n(0)] String),
}

/// The contract's `CellError`.
#[derive(Clone, Debug, Encode, Decode)]
pub struct CellFailure {
    /// Who is at fault.
    #[n(0)]
    pub kind: FailureKind,
    /// The error's class.
    #[n(1)]
    pub name: String,
    /// Its message.
    #[n(2)]
    pub message: String,
    /// Its stack.
    #[n(3)]
    pub stack: String,
    /// Where it was thrown.
    #[n(4)]
    pub location: Option<Place>,
    /// The line of that place.
    #[n(5)]
    pub excerpt: Option<String>,
}

/// A place in a source.
#[derive(Clone, Copy, Debug, Encode, Decode)]
pub struct Place {
    /// The line, from 1.
    #[n(0)]
    pub line: u32,
    /// The column, from 1.
    #[n(1)]
    pub column: u32,
}

/// The contract's `CellErrorKind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum FailureKind {
    /// The source does not parse.
    #[n(0)]
    Syntax,
    /// It failed the check of its types.
    #[n(1)]
    Types,
    /// It threw.
    #[n(2)]
    Thrown,
    /// It used up its memory.
    #[n(3)]
    OutOfMemory,
    /// It waits for nothing.
    #[n(4)]
    Unsettled,
    /// The engine's stack is exhausted.
    #[n(5)]
    StackExhausted,
    /// It did not do again what it did.
    #[n(6)]
    ReplayDivergence,
    /// The guest trapped.
    #[n(7)]
    Trap,
}

/// Writes both directions between an enum of the contract and the wire's. `else` stands for what the contract got later.
macro_rules! same {
    ($contract:ty, $wire:ty: $($name:ident)* $(; else $other:ident)?) => {
        impl From<$contract> for $wire {
            fn from(value: $contract) -> Self {
                match value {
                    $(<$contract>::$name => Self::$name,)*
                    $(_ => Self::$other,)?
                }
            }
        }

        impl From<$wire> for $contract {
            fn from(value: $wire) -> Self {
                match value {
                    $(<$wire>::$name => Self::$name,)*
                }
            }
        }
    };
}
pub(crate) use same;

same!(SessionState, State: Open ShuttingDown Closed; else Closed);
same!(ConsoleLevel, Level: Debug Log Info Warn Error);
same!(CellErrorKind, FailureKind: Syntax Types Thrown OutOfMemory Unsettled StackExhausted ReplayDivergence Trap; else Trap);

impl From<Location> for Place {
    fn from(place: Location) -> Self {
        Self { line: place.line, column: place.column }
    }
}

impl From<Place> for Location {
    fn from(place: Place) -> Self {
        Self { line: place.line, column: place.column }
    }
}

impl From<contract::Content> for Content {
    fn from(content: contract::Content) -> Self {
        match content {
            contract::Content::Text { text, level } => Self::Text { text, level: level.map(Level::from) },
            contract::Content::Image { data, mime_type } => Self::Image { data, mime_type },
            contract::Content::Audio { data, mime_type } => Self::Audio { data, mime_type },
            contract::Content::Block { block } => Self::Block(block.into()),
            other => Self::Text { text: format!("{other:?}"), level: None },
        }
    }
}

impl TryFrom<Content> for contract::Content {
    type Error = Malformed;

    fn try_from(wire: Content) -> Result<Self, Malformed> {
        Ok(match wire {
            Content::Text { text, level } => Self::Text { text, level: level.map(ConsoleLevel::from) },
            Content::Image { data, mime_type } => Self::Image { data, mime_type },
            Content::Audio { data, mime_type } => Self::Audio { data, mime_type },
            Content::Block(block) => Self::Block { block: block.try_into()? },
        })
    }
}

impl From<CellError> for CellFailure {
    fn from(error: CellError) -> Self {
        Self {
            kind: error.kind.into(),
            name: error.name,
            message: error.message,
            stack: error.stack,
            location: error.location.map(Place::from),
            excerpt: error.excerpt,
        }
    }
}

impl From<CellFailure> for CellError {
    fn from(wire: CellFailure) -> Self {
        let mut error = Self::new(wire.kind.into(), wire.name, wire.message);
        error.stack = wire.stack;
        error.location = wire.location.map(Location::from);
        error.excerpt = wire.excerpt;
        error
    }
}

impl From<TerminationReason> for Reason {
    fn from(reason: TerminationReason) -> Self {
        match reason {
            TerminationReason::Shutdown => Self::Shutdown,
            TerminationReason::CpuTime { limit } => Self::CpuTime(limit),
            TerminationReason::StorageFailed { detail } => Self::StorageFailed(detail),
            TerminationReason::HostLost { detail } => Self::HostLost(detail),
            _ => Self::Requested,
        }
    }
}

impl From<Reason> for TerminationReason {
    fn from(wire: Reason) -> Self {
        match wire {
            Reason::Requested => Self::Requested,
            Reason::Shutdown => Self::Shutdown,
            Reason::CpuTime(limit) => Self::CpuTime { limit },
            Reason::StorageFailed(detail) => Self::StorageFailed { detail },
            Reason::HostLost(detail) => Self::HostLost { detail },
        }
    }
}

fn texts<T: Into<String>>(ids: Vec<T>) -> Vec<String> {
    ids.into_iter().map(Into::into).collect()
}

fn call_ids(ids: &[String]) -> Result<Vec<ToolCallId>, Malformed> {
    ids.iter().map(|id| call_id(id)).collect()
}

impl Notice {
    fn of(notice: contract::Notice) -> Option<Self> {
        match notice {
            contract::Notice::Recovered { repeated, unknown } => {
                Some(Self::Recovered { repeated: texts(repeated), unknown: texts(unknown) })
            }
            contract::Notice::HostLost { detail, cells, outcomes, values } => {
                Some(Self::HostLost { detail, cells: texts(cells), outcomes, values })
            }
            _ => None,
        }
    }
}

impl TryFrom<Notice> for contract::Notice {
    type Error = Malformed;

    fn try_from(wire: Notice) -> Result<Self, Malformed> {
        Ok(match wire {
            Notice::Recovered { repeated, unknown } => {
                Self::Recovered { repeated: call_ids(&repeated)?, unknown: call_ids(&unknown)? }
            }
            Notice::HostLost { detail, cells, outcomes, values } => {
                let cells = cells.iter().map(|id| cell_id(id)).collect::<Result<_, _>>()?;
                Self::HostLost { detail, cells, outcomes, values }
            }
        })
    }
}

impl From<contract::Observation> for Observation {
    fn from(observation: contract::Observation) -> Self {
        let item = |item: contract::OutputItem| OutputItem { seq: item.seq.0, content: item.content.into() };
        Self {
            cell_id: observation.cell_id.into(),
            items: observation.items.into_iter().map(item).collect(),
            cursor: observation.cursor.0,
            omitted_bytes: observation.omitted_bytes,
            usage: Usage {
                cpu_time: observation.usage.cpu_time,
                elapsed: observation.usage.elapsed,
                tool_calls: observation.usage.tool_calls,
            },
            notices: observation.notices.into_iter().filter_map(Notice::of).collect(),
        }
    }
}

impl TryFrom<Observation> for contract::Observation {
    type Error = Malformed;

    fn try_from(wire: Observation) -> Result<Self, Malformed> {
        let mut observation = Self::new(cell_id(&wire.cell_id)?, Seq(wire.cursor));
        for item in wire.items {
            let content = item.content.try_into()?;
            observation.items.push(contract::OutputItem { seq: Seq(item.seq), content });
        }
        observation.omitted_bytes = wire.omitted_bytes;
        observation.usage.cpu_time = wire.usage.cpu_time;
        observation.usage.elapsed = wire.usage.elapsed;
        observation.usage.tool_calls = wire.usage.tool_calls;
        observation.notices =
            wire.notices.into_iter().map(contract::Notice::try_from).collect::<Result<_, _>>()?;
        Ok(observation)
    }
}

impl From<CellResponse> for Observed {
    fn from(response: CellResponse) -> Self {
        match response {
            CellResponse::Completed(done) => Self::Completed {
                observation: done.observation.into(),
                result: done.result.map(Text::from),
                failure: done.error.map(CellFailure::from),
                warnings: done.warnings,
                read_before: done.read_before,
            },
            CellResponse::Terminated(done) => Self::Terminated {
                observation: done.observation.into(),
                reason: done.reason.into(),
                abandoned: texts(done.abandoned),
                read_before: done.read_before,
            },
            other => Self::Yielded(other.observation().clone().into()),
        }
    }
}

impl TryFrom<Observed> for CellResponse {
    type Error = Malformed;

    fn try_from(wire: Observed) -> Result<Self, Malformed> {
        Ok(match wire {
            Observed::Yielded(observation) => Self::Yielded(Yielded::new(observation.try_into()?)),
            Observed::Completed { observation, result, failure, warnings, read_before } => {
                let mut done = Completed::new(observation.try_into()?);
                done.result = result.map(JsonText::try_from).transpose()?;
                done.error = failure.map(CellError::from);
                done.warnings = warnings;
                done.read_before = read_before;
                Self::Completed(done)
            }
            Observed::Terminated { observation, reason, abandoned, read_before } => {
                let mut done = Terminated::new(observation.try_into()?, reason.into());
                done.abandoned = call_ids(&abandoned)?;
                done.read_before = read_before;
                Self::Terminated(done)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::CellId;

    fn observation() -> contract::Observation {
        let mut observation = contract::Observation::new(CellId::new("cell-1").unwrap(), Seq(9));
        let block = JsonText::parse("{\"type\":\"x\"}").unwrap();
        for content in [
            contract::Content::Text { text: "ü".into(), level: Some(ConsoleLevel::Warn) },
            contract::Content::Image { data: "AAAA".into(), mime_type: "image/png".into() },
            contract::Content::Audio { data: "AAAA".into(), mime_type: "audio/wav".into() },
            contract::Content::Block { block },
        ] {
            observation.items.push(contract::OutputItem { seq: Seq(3), content });
        }
        observation.omitted_bytes = 5;
        observation.usage.cpu_time = Duration::from_nanos(1);
        observation.usage.tool_calls = 2;
        let calls = vec![ToolCallId::new("call-1").unwrap()];
        observation.notices = vec![
            contract::Notice::Recovered { repeated: calls.clone(), unknown: calls },
            contract::Notice::HostLost {
                detail: "gone".into(),
                cells: vec![CellId::new("cell-7").unwrap()],
                outcomes: 3,
                values: true,
            },
        ];
        observation
    }

    #[test]
    fn responses_come_back_as_they_were() {
        let mut error = CellError::new(CellErrorKind::Trap, "E", "m");
        error.stack = "at cell".into();
        error.location = Some(Location { line: 1, column: 2 });
        error.excerpt = Some("x\n^".into());
        let mut completed = Completed::new(observation());
        completed.result = Some(JsonText::parse("[1]").unwrap());
        completed.error = Some(error);
        completed.warnings = vec!["w".into()];
        completed.read_before = true;
        let limit = Duration::from_millis(50);
        let mut responses =
            vec![CellResponse::Yielded(Yielded::new(observation())), CellResponse::Completed(completed)];
        for reason in [
            TerminationReason::Requested,
            TerminationReason::Shutdown,
            TerminationReason::CpuTime { limit },
            TerminationReason::StorageFailed { detail: "full".into() },
            TerminationReason::HostLost { detail: "gone".into() },
        ] {
            let mut done = Terminated::new(observation(), reason);
            done.abandoned = vec![ToolCallId::new("call-2").unwrap()];
            responses.push(CellResponse::Terminated(done));
        }
        for response in responses {
            let bytes = crate::encode(&Observed::from(response.clone()));
            let back = CellResponse::try_from(crate::decode::<Observed>(&bytes).unwrap()).unwrap();
            assert_eq!(back, response);
        }
    }
}
