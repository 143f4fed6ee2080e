//! What is said to a client, and what it says, in the words of either side.

use carrel_contract::{CellResponse, JsonText, ToolError, ToolErrorCode};
use carrel_wire::{Fault, Malformed, Observed, Reply, StoredKey, Text, ToolFailure};

pub(super) fn not_an_answer(error: &Malformed) -> ToolError {
    ToolError::new(ToolErrorCode::Internal, format!("the client's answer is none: failed to {error}"))
}

pub(super) fn stored_key(stored: carrel_contract::StoredKey) -> StoredKey {
    StoredKey { key: stored.key, value_bytes: u64::try_from(stored.value_bytes).unwrap_or(u64::MAX) }
}

pub(super) fn observed(cells: Vec<CellResponse>) -> Reply {
    Reply::Observed(cells.into_iter().map(Observed::from).collect())
}

pub(super) fn done(result: Result<(), Fault>) -> Reply {
    match result {
        Ok(()) => Reply::Done,
        Err(fault) => Reply::Failed(fault),
    }
}

pub(super) fn answer(
    result: Option<Text>,
    failure: Option<ToolFailure>,
) -> Result<Result<JsonText, ToolError>, Malformed> {
    Ok(match (result, failure) {
        (_, Some(failure)) => Err(ToolError::try_from(failure)?),
        (Some(result), None) => Ok(JsonText::try_from(result)?),
        (None, None) => Ok(JsonText::from_value(&().into())),
    })
}

/// Says that the provider is at fault.
pub(super) fn panicked() -> Fault {
    // The panic hook has reported what it is.
    let message = "use the host: it panicked over this request".to_owned();
    Fault { code: 14, detail: Some(message.clone()), message, ..Fault::default() }
}
