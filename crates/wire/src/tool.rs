//! Tool calls and their answers.

use carrel_contract as contract;
use carrel_contract::{
    JsonText, Location, SessionId, ToolCall, ToolError, ToolErrorCode, ToolName, ToolOrigin,
};
use minicbor::{Decode, Encode};

use crate::failure::Place;
use crate::same::same;
use crate::spec::Origin;
use crate::text::{Malformed, Text, call_id, cell_id};

/// The contract's `ToolCall`. Its session is that of the stream.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Call {
    /// The cell that calls.
    #[n(0)]
    pub cell_id: String,
    /// The call, unique within its cell.
    #[n(1)]
    pub call_id: String,
    /// The tool.
    #[n(2)]
    pub tool: String,
    /// The input as JSON.
    #[n(3)]
    pub input: Option<Text>,
    /// Where in the cell it stands.
    #[n(4)]
    pub location: Option<Place>,
    /// What the tool's owner knows it by.
    #[n(5)]
    pub origin: Option<Origin>,
}

/// The contract's `ToolError`.
#[derive(Clone, Debug, Encode, Decode)]
pub struct ToolFailure {
    /// What went wrong.
    #[n(0)]
    pub message: String,
    /// The kind of failure.
    #[n(1)]
    pub code: ToolCode,
    /// Whether the same call may succeed later.
    #[n(2)]
    pub retryable: bool,
    /// What the tool sent along, as JSON.
    #[n(3)]
    pub data: Option<Text>,
}

/// The contract's `ToolErrorCode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum ToolCode {
    /// The tool reported a failure.
    #[n(0)]
    Failed,
    /// The input does not fit.
    #[n(1)]
    InvalidInput,
    /// The tool cannot be reached.
    #[n(2)]
    Unavailable,
    /// It may or may not have happened.
    #[n(3)]
    OutcomeUnknown,
    /// It took too long.
    #[n(4)]
    TimedOut,
    /// It was cancelled.
    #[n(5)]
    Cancelled,
    /// The input or the result is too large.
    #[n(6)]
    TooLarge,
    /// It was refused.
    #[n(7)]
    Denied,
    /// The answer was not what the protocol allows.
    #[n(8)]
    Internal,
}

/// The contract's `LookedUp`, or a failure.
#[derive(Clone, Debug, Encode, Decode)]
pub enum LookedUp {
    /// It was answered so, as JSON.
    #[n(0)]
    Answered(#[n(0)] Text),
    /// It never happened.
    #[n(1)]
    NeverHappened,
    /// Nobody knows.
    #[n(2)]
    Unknown,
    /// It failed so.
    #[n(3)]
    Failed(#[n(0)] ToolFailure),
}

same!(ToolErrorCode, ToolCode: Failed InvalidInput Unavailable OutcomeUnknown TimedOut Cancelled TooLarge Denied Internal;
    else Internal);

impl From<ToolCall> for Call {
    fn from(call: ToolCall) -> Self {
        Self {
            cell_id: call.cell_id.into(),
            call_id: call.call_id.into(),
            tool: call.tool.into(),
            input: call.input.map(Text::from),
            location: call.location.map(Place::from),
            origin: call.origin.map(Origin::from),
        }
    }
}

impl Call {
    /// Checks the call and makes it one of a session's.
    ///
    /// # Errors
    /// [`Malformed`] when an id, the tool's name or the input is none.
    pub fn of_session(self, session_id: SessionId) -> Result<ToolCall, Malformed> {
        let input = self.input.map(JsonText::try_from).transpose()?;
        let tool = ToolName::new(&self.tool)?;
        let call = ToolCall::new(session_id, cell_id(&self.cell_id)?, call_id(&self.call_id)?, tool, input);
        Ok(call.at(self.location.map(Location::from)).of(self.origin.map(ToolOrigin::from)))
    }
}

impl From<ToolError> for ToolFailure {
    fn from(error: ToolError) -> Self {
        Self {
            message: error.message,
            code: error.code.into(),
            retryable: error.retryable,
            data: error.data.map(Text::from),
        }
    }
}

impl TryFrom<ToolFailure> for ToolError {
    type Error = Malformed;

    fn try_from(wire: ToolFailure) -> Result<Self, Malformed> {
        let mut error = Self::new(wire.code.into(), wire.message).with_retryable(wire.retryable);
        error.data = wire.data.map(JsonText::try_from).transpose()?;
        Ok(error)
    }
}

impl From<Result<contract::LookedUp, ToolError>> for LookedUp {
    fn from(outcome: Result<contract::LookedUp, ToolError>) -> Self {
        match outcome {
            Ok(contract::LookedUp::Answered(json)) => Self::Answered(json.into()),
            Ok(contract::LookedUp::NeverHappened) => Self::NeverHappened,
            Ok(contract::LookedUp::Unknown) => Self::Unknown,
            Err(error) => Self::Failed(error.into()),
        }
    }
}

impl LookedUp {
    /// Checks what is known.
    ///
    /// # Errors
    /// [`Malformed`] when what should be JSON is not.
    pub fn into_contract(self) -> Result<Result<contract::LookedUp, ToolError>, Malformed> {
        Ok(match self {
            Self::Answered(json) => Ok(contract::LookedUp::Answered(json.try_into()?)),
            Self::NeverHappened => Ok(contract::LookedUp::NeverHappened),
            Self::Unknown => Ok(contract::LookedUp::Unknown),
            Self::Failed(failure) => Err(failure.try_into()?),
        })
    }
}
