//! The object that `run --json` prints. Its shape is documented in `docs/cli.md`.

use carrel_contract::{CellError, CellId, CellResponse, JsonText, OutputItem, TerminationReason};
use serde::Serialize;

use super::outcome::Stop;
use super::renderer::{Asked, Told};
use crate::exit::Exit;
use crate::sanitize::sanitize_json;

/// One run, for programs.
#[derive(Debug, Serialize)]
struct Object<'a> {
    status: Status,
    exit_code: u8,
    cell_id: &'a CellId,
    items: &'a [OutputItem],
    omitted_bytes: u64,
    result: Option<&'a JsonText>,
    error: Option<&'a CellError>,
    termination: Option<Termination>,
    warnings: &'a [String],
    approvals: &'a [Asked],
    progress: &'a [Told],
    usage: Usage,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Succeeded,
    Failed,
    Terminated,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
enum Termination {
    CpuTime { limit_ms: f64 },
    Timeout { limit_ms: f64 },
    Interrupted,
    Other,
}

#[derive(Debug, Serialize)]
struct Usage {
    elapsed_ms: f64,
    cpu_ms: f64,
    tool_calls: u64,
    failed_tool_calls: u64,
}

/// Writes the object on one line.
///
/// # Errors
/// When the response holds what JSON cannot: no response of a provider does.
pub(crate) fn object(
    response: &CellResponse,
    stop: Option<Stop>,
    exit: Exit,
    failed_tool_calls: u64,
    approvals: &[Asked],
    progress: &[Told],
) -> serde_json::Result<String> {
    let observation = response.observation();
    let (status, result, error, warnings, termination) = match response {
        CellResponse::Completed(completed) => {
            let status = if completed.error.is_none() { Status::Succeeded } else { Status::Failed };
            (status, completed.result.as_ref(), completed.error.as_ref(), completed.warnings.as_slice(), None)
        }
        CellResponse::Terminated(terminated) => {
            let why = termination(&terminated.reason, stop);
            (Status::Terminated, None, None, <&[_]>::default(), Some(why))
        }
        _ => (Status::Terminated, None, None, <&[_]>::default(), Some(Termination::Other)),
    };
    let object = Object {
        status,
        exit_code: exit.code(),
        cell_id: &observation.cell_id,
        items: &observation.items,
        omitted_bytes: observation.omitted_bytes,
        result,
        error,
        termination,
        warnings,
        approvals,
        progress,
        usage: Usage {
            elapsed_ms: observation.usage.elapsed.as_secs_f64() * 1e3,
            cpu_ms: observation.usage.cpu_time.as_secs_f64() * 1e3,
            tool_calls: observation.usage.tool_calls,
            failed_tool_calls,
        },
    };
    Ok(sanitize_json(&serde_json::to_string(&object)?).into_owned())
}

fn termination(reason: &TerminationReason, stop: Option<Stop>) -> Termination {
    match (reason, stop) {
        (TerminationReason::CpuTime { limit }, _) => {
            Termination::CpuTime { limit_ms: limit.as_secs_f64() * 1e3 }
        }
        (_, Some(Stop::Timeout(limit))) => Termination::Timeout { limit_ms: limit.as_secs_f64() * 1e3 },
        (_, Some(Stop::Interrupt(_))) => Termination::Interrupted,
        _ => Termination::Other,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use carrel_contract::{Completed, Content, Observation, Seq, Terminated};
    use serde_json::{Value, json};

    use super::*;

    fn observation() -> Observation {
        let mut observation = Observation::new(CellId::new("c").unwrap(), Seq(2));
        observation.items.push(OutputItem { seq: Seq(1), content: Content::text("hi\u{9b}") });
        observation
    }

    fn parsed(response: &CellResponse, stop: Option<Stop>, exit: Exit) -> Value {
        let text = object(response, stop, exit, 0, &[], &[]).unwrap();
        assert!(!text.contains(['\n', '\u{9b}']), "{text}");
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_success_has_every_field() {
        let mut completed = Completed::new(observation());
        completed.result = Some(JsonText::parse("[1]").unwrap());
        let value = parsed(&CellResponse::Completed(completed), None, Exit::Success);
        assert_eq!(
            value,
            json!({
                "status": "succeeded", "exit_code": 0, "cell_id": "c",
                "items": [{ "seq": 1, "type": "text", "text": "hi\u{9b}" }],
                "omitted_bytes": 0, "result": [1], "error": null, "termination": null, "warnings": [],
                "approvals": [], "progress": [],
                "usage": { "elapsed_ms": 0.0, "cpu_ms": 0.0, "tool_calls": 0, "failed_tool_calls": 0 },
            })
        );
    }

    #[test]
    fn a_termination_says_why() {
        let response = CellResponse::Terminated(Terminated::new(observation(), TerminationReason::Requested));
        let stop = Some(Stop::Timeout(Duration::from_millis(200)));
        let value = parsed(&response, stop, Exit::Terminated);
        assert_eq!(value["status"], "terminated");
        assert_eq!(value["termination"], json!({ "reason": "timeout", "limit_ms": 200.0 }));
    }
}
