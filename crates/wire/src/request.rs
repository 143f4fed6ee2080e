//! What a client asks of a session.

use std::time::Duration;

use carrel_contract::{
    ExecuteRequest, ForkRequest, IdempotencyKey, Read, Seq, SessionName, WaitRequest, WaitUntil,
};
use minicbor::{Decode, Encode};

use crate::text::{Malformed, Text, cell_id, session_id};

/// The contract's `ExecuteRequest`.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Execute {
    /// The cell.
    #[n(0)]
    pub source: Text,
    /// When the first response is due.
    #[n(1)]
    pub yield_time: Option<Duration>,
    /// The most output that it carries.
    #[n(2)]
    pub max_output_tokens: Option<u64>,
    /// Whether it only looks.
    #[n(3)]
    pub look: Option<bool>,
    /// Its idempotency key.
    #[n(4)]
    pub idempotency_key: Option<String>,
}

/// The contract's `WaitRequest`.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Wait {
    /// The cells.
    #[cbor(n(0), decode_with = "crate::list::few")]
    pub cells: Vec<String>,
    /// What has been read already.
    #[n(1)]
    pub after: Option<u64>,
    /// What ends it.
    #[cbor(n(2), decode_with = "crate::text::known")]
    pub until: Option<Until>,
    /// The deadline.
    #[n(3)]
    pub yield_time: Option<Duration>,
    /// The most output that each response carries.
    #[n(4)]
    pub max_output_tokens: Option<u64>,
    /// Whether it only looks.
    #[n(5)]
    pub look: Option<bool>,
}

/// What ends a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Until {
    /// The deadline.
    #[n(0)]
    Deadline,
    /// Any output.
    #[n(1)]
    AnyOutput,
    /// The end of any cell.
    #[n(2)]
    AnyEnded,
    /// The end of all cells.
    #[n(3)]
    AllEnded,
}

/// The contract's `Read`.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Reading {
    /// The cell.
    #[n(0)]
    pub cell_id: String,
    /// Where it began.
    #[n(1)]
    pub after: Option<u64>,
    /// The cursor that the response gave.
    #[n(2)]
    pub cursor: u64,
    /// Whether it was the session's reader who read.
    #[n(3)]
    pub moves: bool,
    /// Whether the response was another host's; it was not, when this is absent.
    #[n(4)]
    pub earlier: Option<bool>,
}

/// The contract's `ForkRequest`.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Fork {
    /// The other session.
    #[n(0)]
    pub session_id: String,
    /// The last event that both are to have.
    #[n(1)]
    pub at: Option<u64>,
    /// What people are to call the new session.
    #[n(2)]
    pub name: Option<String>,
}

impl From<ForkRequest> for Fork {
    fn from(request: ForkRequest) -> Self {
        Self {
            session_id: request.session_id.into(),
            at: request.at.map(|at| at.0),
            name: request.name.map(String::from),
        }
    }
}

impl TryFrom<Fork> for ForkRequest {
    type Error = Malformed;

    fn try_from(wire: Fork) -> Result<Self, Malformed> {
        let mut request = Self::new(session_id(&wire.session_id)?);
        request.at = wire.at.map(Seq);
        request.name = wire.name.as_deref().map(SessionName::new).transpose()?;
        Ok(request)
    }
}

fn tokens(count: usize) -> Option<u64> {
    Some(u64::try_from(count).unwrap_or(u64::MAX))
}

impl From<ExecuteRequest> for Execute {
    fn from(request: ExecuteRequest) -> Self {
        Self {
            source: Text(request.source.into()),
            yield_time: Some(request.yield_time),
            max_output_tokens: tokens(request.max_output_tokens),
            look: Some(request.look),
            idempotency_key: request.idempotency_key.map(String::from),
        }
    }
}

impl TryFrom<Execute> for ExecuteRequest {
    type Error = Malformed;

    fn try_from(wire: Execute) -> Result<Self, Malformed> {
        let mut request = Self::new(&*wire.source.0);
        request.yield_time = wire.yield_time.unwrap_or(request.yield_time);
        if let Some(tokens) = wire.max_output_tokens {
            request.max_output_tokens = usize::try_from(tokens).unwrap_or(usize::MAX);
        }
        request.look = wire.look.unwrap_or_default();
        request.idempotency_key = wire.idempotency_key.as_deref().map(IdempotencyKey::new).transpose()?;
        Ok(request)
    }
}

impl From<WaitRequest> for Wait {
    fn from(request: WaitRequest) -> Self {
        Self {
            cells: request.cells.into_iter().map(String::from).collect(),
            after: request.after.map(|after| after.0),
            until: Some(match request.until {
                WaitUntil::Deadline => Until::Deadline,
                WaitUntil::AnyOutput => Until::AnyOutput,
                WaitUntil::AnyEnded => Until::AnyEnded,
                _ => Until::AllEnded,
            }),
            yield_time: Some(request.yield_time),
            max_output_tokens: tokens(request.max_output_tokens),
            look: Some(request.look),
        }
    }
}

impl TryFrom<Wait> for WaitRequest {
    type Error = Malformed;

    fn try_from(wire: Wait) -> Result<Self, Malformed> {
        let cells = wire.cells.iter().map(|id| cell_id(id)).collect::<Result<Vec<_>, _>>()?;
        let mut request = Self::new(cells);
        request.after = wire.after.map(Seq);
        request.until = match wire.until {
            Some(Until::Deadline) => WaitUntil::Deadline,
            Some(Until::AnyOutput) => WaitUntil::AnyOutput,
            Some(Until::AnyEnded) => WaitUntil::AnyEnded,
            Some(Until::AllEnded) | None => WaitUntil::AllEnded,
        };
        request.yield_time = wire.yield_time.unwrap_or(request.yield_time);
        if let Some(tokens) = wire.max_output_tokens {
            request.max_output_tokens = usize::try_from(tokens).unwrap_or(usize::MAX);
        }
        request.look = wire.look.unwrap_or_default();
        Ok(request)
    }
}

impl From<Read> for Reading {
    fn from(read: Read) -> Self {
        Self {
            cell_id: read.cell_id.into(),
            after: read.after.map(|after| after.0),
            cursor: read.cursor.0,
            moves: read.moves,
            earlier: read.earlier.then_some(true),
        }
    }
}

impl TryFrom<Reading> for Read {
    type Error = Malformed;

    fn try_from(wire: Reading) -> Result<Self, Malformed> {
        let mut read = Self::new(cell_id(&wire.cell_id)?, Seq(wire.cursor));
        read.after = wire.after.map(Seq);
        read.moves = wire.moves;
        read.earlier = wire.earlier.unwrap_or_default();
        Ok(read)
    }
}
