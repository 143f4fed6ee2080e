//! From the engine's words to the contract's.

use carrel_contract::{
    CellError, CellErrorKind, ConsoleLevel, Dialect, ImageDetail, JsonText, Location, ToolCallId, ToolError,
    ToolErrorCode,
};
use carrel_engine::{CallHandle, Ending, Event, GuestError, Level};

use crate::log::cut_text;

/// The most that is kept of an error's message and of its stack.
const TEXT_BYTES: usize = 64 * 1024;
/// The most that is kept of an error's class.
const NAME_BYTES: usize = 256;

/// What a cell finds around it, as the engine has it.
pub(crate) fn dialect(dialect: Dialect) -> carrel_engine::Dialect {
    match dialect {
        Dialect::Codex => carrel_engine::Dialect::Codex,
        _ => carrel_engine::Dialect::Carrel,
    }
}

/// What the cell's source is called in stack traces.
pub(super) fn file(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Codex => "exec_main.mjs",
        _ => "cell.js",
    }
}

/// Makes an error what Codex shows of it: one text.
pub(crate) fn as_text(error: &mut CellError) {
    let name = std::mem::take(&mut error.name);
    let stack = std::mem::take(&mut error.stack);
    if !name.is_empty() {
        error.message = format!("{name}: {}", error.message);
        if !stack.is_empty() {
            error.message = format!("{}\n{stack}", error.message);
        }
    }
}

pub(super) fn detail(detail: carrel_engine::ImageDetail) -> ImageDetail {
    match detail {
        carrel_engine::ImageDetail::Auto => ImageDetail::Auto,
        carrel_engine::ImageDetail::Low => ImageDetail::Low,
        carrel_engine::ImageDetail::High => ImageDetail::High,
        carrel_engine::ImageDetail::Original => ImageDetail::Original,
    }
}

/// What an ending means for the outcome; `None` when the guest was ended from outside or by its CPU time.
pub(crate) fn ending(ending: Ending, memory_bytes: usize) -> Option<(Option<JsonText>, Option<CellError>)> {
    let failed = |error| Some((None, Some(error)));
    match ending {
        // What the guest calls JSON is checked like anything else that comes from it.
        Ending::Completed(result) => Some((result.and_then(|json| JsonText::parse(&json).ok()), None)),
        Ending::Exited => Some((None, None)),
        Ending::SyntaxError(error) => failed(thrown(CellErrorKind::Syntax, &error)),
        Ending::Threw(error) => failed(thrown(CellErrorKind::Thrown, &error)),
        Ending::Unsettled => failed(CellError::new(
            CellErrorKind::Unsettled,
            "UnsettledError",
            "the cell awaits a promise that nothing is left to settle: no tool call is pending and no timer is set",
        )),
        Ending::OutOfMemory(error) => {
            let mut failure = thrown(CellErrorKind::OutOfMemory, &error.unwrap_or_default());
            failure.name = "InternalError".to_owned();
            failure.message = format!("out of memory: the cell's limit is `memory_bytes` = {memory_bytes}");
            failed(failure)
        }
        Ending::StackExhausted => failed(CellError::new(
            CellErrorKind::StackExhausted,
            "RangeError",
            "data or calls are nested so deeply that the engine's stack is exhausted",
        )),
        Ending::Trapped(detail) => failed(CellError::new(CellErrorKind::Trap, "EngineFault", detail)),
        Ending::Stopped | Ending::CpuTimeExhausted => None,
    }
}

fn thrown(kind: CellErrorKind, error: &GuestError) -> CellError {
    // Bounded like everything that is kept of a cell.
    let location = error.location().map(|(line, column)| Location { line, column });
    let mut failure =
        CellError::new(kind, cut_text(&error.name, NAME_BYTES), cut_text(&error.message, TEXT_BYTES));
    failure.stack = cut_text(&error.stack, TEXT_BYTES);
    failure.location = location;
    failure
}

pub(super) fn level(level: Level) -> ConsoleLevel {
    match level {
        Level::Debug => ConsoleLevel::Debug,
        Level::Log => ConsoleLevel::Log,
        Level::Info => ConsoleLevel::Info,
        Level::Warn => ConsoleLevel::Warn,
        Level::Error => ConsoleLevel::Error,
    }
}

/// What a call came to, as the guest is given it.
pub(crate) fn answered(
    call: CallHandle,
    call_id: Option<&ToolCallId>,
    result: Result<JsonText, ToolError>,
    now_us: i64,
) -> Event {
    match result {
        Ok(json) => Event::Answered { call, json: json.into_shared(), now_us },
        Err(error) => Event::Failed { call, json: tool_error(call_id, &error).into(), now_us },
    }
}

/// Writes a failed call as the guest reads it.
fn tool_error(call_id: Option<&ToolCallId>, error: &ToolError) -> String {
    // Somebody has to find out what became of it, and asks for it by its id.
    let unknown = call_id.filter(|_| error.code == ToolErrorCode::OutcomeUnknown);
    serde_json::json!({
        "message": error.message,
        "code": error.code.as_str(),
        "retryable": error.retryable,
        "data": error.data,
        "callId": unknown.map(ToolCallId::as_str),
    })
    .to_string()
}
