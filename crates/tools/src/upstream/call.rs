//! Why a call did not get an answer, and what that means for whoever made it.

use std::time::Duration;

use carrel_contract::{JsonText, ToolError, ToolErrorCode};
use rmcp::ServiceError;
use rmcp::model::ErrorCode;
use rmcp::transport::streamable_http_client::{
    AuthRequiredError, HttpStatusError, InsufficientScopeError, StreamableHttpError,
};

use super::vitals::Vitals;
use crate::bound::bounded;
use crate::http::root_cause;

/// The longest message of an upstream's error that is kept, in bytes.
const MAX_MESSAGE_BYTES: usize = 16 << 10;

/// A call without an answer.
pub(crate) enum CallFailure {
    /// The server cannot be called, and the call was not sent.
    Unavailable { reason: String, retryable: bool },
    /// The connection was lost before the call was sent: another may do.
    Unsent { reason: String },
    /// The connection broke after the call was sent.
    OutcomeUnknown { reason: String },
    /// The server answered with an error of the protocol.
    Refused(ToolError),
    /// The server took longer than it may.
    TimedOut { after: Duration },
    /// The caller gave up.
    Cancelled,
}

impl CallFailure {
    /// Makes the error the cell gets. `repeatable` says whether the tool may be called twice.
    pub(crate) fn into_tool_error(self, server: &str, repeatable: bool) -> ToolError {
        match self {
            Self::Unavailable { reason, retryable } => unavailable(server, &reason, retryable),
            Self::Unsent { reason } => unavailable(server, &reason, true),
            Self::OutcomeUnknown { reason } => ToolError::new(
                ToolErrorCode::OutcomeUnknown,
                format!(
                    "MCP server `{server}` was lost during the call, which may or may not have happened: {reason}"
                ),
            )
            .with_retryable(repeatable),
            Self::Refused(error) => error,
            Self::TimedOut { after } => ToolError::new(
                ToolErrorCode::TimedOut,
                format!("MCP server `{server}` did not answer within {after:?}; the call may or may not have happened"),
            )
            .with_retryable(repeatable),
            Self::Cancelled => ToolError::new(ToolErrorCode::Cancelled, "the call was cancelled"),
        }
    }
}

fn unavailable(server: &str, reason: &str, retryable: bool) -> ToolError {
    let message = format!("MCP server `{server}` is not available, so the tool was not called: {reason}");
    ToolError::new(ToolErrorCode::Unavailable, message).with_retryable(retryable)
}

/// Reads what rmcp says of a call that it could not finish.
pub(super) fn failure(error: ServiceError, vitals: &Vitals) -> CallFailure {
    match error {
        ServiceError::McpError(error) => {
            let code = match error.code {
                ErrorCode::INVALID_PARAMS => ToolErrorCode::InvalidInput,
                ErrorCode::PARSE_ERROR | ErrorCode::INVALID_REQUEST | ErrorCode::METHOD_NOT_FOUND => {
                    ToolErrorCode::Internal
                }
                _ => ToolErrorCode::Failed,
            };
            let message = bounded(&vitals.redact(&error.message), MAX_MESSAGE_BYTES);
            let refused = ToolError::new(code, message);
            let data = error.data.as_ref().map(JsonText::from_value);
            CallFailure::Refused(match data.filter(|data| data.as_str().len() <= MAX_MESSAGE_BYTES) {
                Some(data) => refused.with_data(data),
                None => refused,
            })
        }
        ServiceError::TransportSend(error) => unsent(error.error.as_ref(), vitals),
        ServiceError::TransportClosed => CallFailure::OutcomeUnknown { reason: ending(vitals) },
        ServiceError::Cancelled { .. } => CallFailure::Cancelled,
        other => CallFailure::Refused(ToolError::new(
            ToolErrorCode::Internal,
            format!(
                "the server's answer is not the result of a tool call: {}",
                bounded(&other.to_string(), 500)
            ),
        )),
    }
}

/// A server that wants input from its client, or wants to be asked again later.
pub(super) fn unfinished() -> CallFailure {
    CallFailure::Refused(ToolError::new(
        ToolErrorCode::Internal,
        "the tool asks for a dialogue or a background task, which Carrel did not offer",
    ))
}

/// Says how the server went.
pub(super) fn ending(vitals: &Vitals) -> String {
    match vitals.ending() {
        Some(ending) => format!("its process {ending}"),
        None => "its connection was closed".to_owned(),
    }
}

/// A message that did not go out, or an HTTP exchange that failed at some point.
fn unsent(error: &(dyn std::error::Error + Send + Sync + 'static), vitals: &Vitals) -> CallFailure {
    if let Some(error) = error.downcast_ref::<std::io::Error>() {
        // The end of the line did not reach the server, so it has no message to act on.
        let reason = vitals.ending().map_or_else(|| error.to_string(), |_| ending(vitals));
        return CallFailure::Unsent { reason };
    }
    let reason = |text: String| bounded(&vitals.redact(&text), 500);
    match error.downcast_ref::<StreamableHttpError<reqwest::Error>>() {
        Some(StreamableHttpError::Client(error)) if error.is_connect() => {
            CallFailure::Unsent { reason: reason(root_cause(error)) }
        }
        Some(StreamableHttpError::HttpStatus(HttpStatusError { status: status @ (429 | 503), .. })) => {
            CallFailure::Unavailable {
                reason: format!("it answered with HTTP status {status}"),
                retryable: true,
            }
        }
        Some(StreamableHttpError::AuthRequired(AuthRequiredError { .. })) => CallFailure::Unavailable {
            reason: "it wants other credentials (HTTP status 401): log in again, as by `carrel login`"
                .to_owned(),
            retryable: false,
        },
        Some(StreamableHttpError::InsufficientScope(InsufficientScopeError { .. })) => {
            CallFailure::Refused(ToolError::new(
                ToolErrorCode::Denied,
                "the server's credentials do not allow this call (HTTP status 403)",
            ))
        }
        Some(StreamableHttpError::ResponseBodyTooLarge { max_size }) => CallFailure::Refused(ToolError::new(
            ToolErrorCode::TooLarge,
            format!("the server's answer is larger than {max_size} bytes. Ask for less at a time"),
        )),
        Some(StreamableHttpError::TransportChannelClosed) => CallFailure::Unsent { reason: ending(vitals) },
        Some(StreamableHttpError::UnexpectedServerResponse(text)) if !text.starts_with("HTTP ") => {
            CallFailure::Refused(ToolError::new(ToolErrorCode::Internal, reason(text.to_string())))
        }
        // The server forgot the session, and did not give another: it took no call.
        Some(StreamableHttpError::SessionExpired | StreamableHttpError::ReinitializationFailed(_)) => {
            CallFailure::Unsent { reason: reason(error.to_string()) }
        }
        _ => CallFailure::OutcomeUnknown { reason: reason(error.to_string()) },
    }
}
