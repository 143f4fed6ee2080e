//! Turns a cell's final response into what is said of it and the exit code. Pure.

use std::fmt;
use std::time::Duration;

use carrel_contract::{CellId, CellResponse, Notice, TerminationReason, ToolCallId};

use super::report::{self, Memory};
use super::source::Source;
use crate::exit::Exit;
use crate::terminal::{Look, Tone};
use crate::units::show_duration;

/// Why this program asked for the cell to be terminated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// `--timeout` passed.
    Timeout(Duration),
    /// Ctrl-C, or a signal of its kind.
    Interrupt(Exit),
    /// Standard output takes no more.
    Output(Exit),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout(limit) => write!(f, "its --timeout of {} passed", show_duration(*limit)),
            Self::Interrupt(_) => f.write_str("it was interrupted"),
            Self::Output(_) => f.write_str("its output cannot be written any more"),
        }
    }
}

/// Returns how the program ends. A natural end that came first beats the wish to stop the cell.
pub(crate) fn exit(response: &CellResponse, stop: Option<Stop>) -> Exit {
    if let Some(Stop::Output(exit)) = stop {
        return exit;
    }
    match response {
        CellResponse::Completed(completed) if completed.error.is_none() => Exit::Success,
        CellResponse::Completed(_) => Exit::Failed,
        CellResponse::Terminated(terminated) => match (&terminated.reason, stop) {
            (TerminationReason::Requested, Some(Stop::Interrupt(exit))) => exit,
            _ => Exit::Terminated,
        },
        _ => Exit::Internal,
    }
}

/// What is said after the last item.
pub(crate) struct Closing {
    /// The cell's result, for standard output.
    pub(crate) result: Option<String>,
    /// Warnings, for standard error.
    pub(crate) notes: Vec<(Tone, String)>,
    /// The error with its caret, for standard error, harmless and with colours of our own.
    pub(crate) error: Option<String>,
}

/// Puts the end of a cell into words.
pub(crate) fn closing(
    response: &CellResponse,
    stop: Option<Stop>,
    source: &Source,
    memory: Memory,
    look: Look,
) -> Closing {
    let mut closing = Closing { result: None, notes: Vec::new(), error: None };
    match response {
        CellResponse::Completed(completed) => {
            closing.result = completed.result.as_ref().map(|json| match json.to_value() {
                serde_json::Value::String(text) => text,
                // The text itself where the tree is beyond serde's depth.
                serde_json::Value::Null => json.as_str().to_owned(),
                value => format!("{value:#}"),
            });
            closing.notes = completed
                .warnings
                .iter()
                .map(|warning| (Tone::Warning, format!("warning: {warning}")))
                .collect();
            closing.error =
                completed.error.as_ref().map(|error| report::cell_error(error, source, memory, look));
        }
        CellResponse::Terminated(terminated) => {
            let why = match (&terminated.reason, stop) {
                (TerminationReason::CpuTime { limit }, _) => {
                    closing.error = Some(report::cpu_time(*limit, look));
                    return closing;
                }
                (TerminationReason::Requested, Some(stop)) => stop.to_string(),
                (TerminationReason::Shutdown, _) => "its session was shut down".into(),
                (TerminationReason::StorageFailed { detail }, _) => {
                    format!("what it did could not be written down: {detail}")
                }
                (TerminationReason::HostLost { detail }, _) => {
                    format!("the process that ran it is gone: {detail}")
                }
                _ => "somebody asked for it".into(),
            };
            let help = matches!(stop, Some(Stop::Timeout(_)))
                .then(|| "`--timeout` sets how long a cell may run; without it there is no end".to_owned());
            closing.error = Some(report::fault(&format!("the cell was terminated: {why}"), help, look));
            if !terminated.abandoned.is_empty() {
                let note = format!(
                    "warning: {} tool calls did not end and were abandoned",
                    terminated.abandoned.len()
                );
                closing.notes.push((Tone::Warning, note));
            }
        }
        _ => {}
    }
    closing
}

/// Writes the footer: how it ended, time, CPU, calls.
pub(crate) fn footer(response: &CellResponse, failed_calls: u64) -> String {
    let verdict = match response {
        CellResponse::Completed(completed) if completed.error.is_none() => "done",
        CellResponse::Completed(_) => "failed",
        _ => "terminated",
    };
    let usage = response.observation().usage;
    let calls = match (usage.tool_calls, failed_calls) {
        (0, _) => "no tool calls".to_owned(),
        (calls, 0) => format!("{calls} tool call{}", plural(calls)),
        (calls, failed) => format!("{calls} tool call{}, {failed} failed", plural(calls)),
    };
    format!("{verdict} in {}, {} CPU, {calls}", show_duration(usage.elapsed), show_duration(usage.cpu_time))
}

/// Says what a reader should know of a session that was lost.
pub(super) fn notice(notice: &Notice, cell_id: &CellId) -> Vec<String> {
    // What this version does not know of, it cannot tell.
    let (repeated, unknown) = match notice {
        Notice::Recovered { repeated, unknown } => (repeated, unknown),
        Notice::VariablesLost { names, why } => {
            let names = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
            return vec![format!(
                "{cell_id} began without the variables that earlier cells left{names} ({why})"
            )];
        }
        _ => return Vec::new(),
    };
    let calls = |ids: &[ToolCallId], was: &str| {
        let count = ids.len() as u64;
        (count > 0).then(|| format!("{cell_id}: {count} call{} {was}", plural(count)))
    };
    [calls(repeated, "made again"), calls(unknown, "that may or may not have happened, as the cell was told")]
        .into_iter()
        .flatten()
        .collect()
}

fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

#[cfg(test)]
mod tests {
    use carrel_contract::{
        CellError, CellErrorKind, CellId, Completed, JsonText, Observation, Seq, Terminated, Yielded,
    };

    use super::*;

    const LOOK: Look = Look { colour: false, width: 100 };
    const MEMORY: Memory = Memory { given: 1 << 20, most: 2 << 20 };

    fn observation() -> Observation {
        Observation::new(CellId::new("c").unwrap(), Seq(1))
    }

    fn completed(error: Option<CellError>) -> CellResponse {
        let mut completed = Completed::new(observation());
        completed.error = error;
        CellResponse::Completed(completed)
    }

    fn terminated(reason: TerminationReason) -> CellResponse {
        CellResponse::Terminated(Terminated::new(observation(), reason))
    }

    #[test]
    fn every_end_has_its_code() {
        let failed = || completed(Some(CellError::new(CellErrorKind::Thrown, "Error", "x")));
        let requested = || terminated(TerminationReason::Requested);
        let timeout = Some(Stop::Timeout(Duration::from_secs(1)));
        let cpu = terminated(TerminationReason::CpuTime { limit: Duration::from_secs(1) });
        assert_eq!(exit(&completed(None), None), Exit::Success);
        assert_eq!(exit(&failed(), None), Exit::Failed);
        assert_eq!(exit(&cpu, None), Exit::Terminated);
        assert_eq!(exit(&requested(), timeout), Exit::Terminated);
        assert_eq!(exit(&requested(), Some(Stop::Interrupt(Exit::Asked))), Exit::Asked);
        assert_eq!(exit(&requested(), Some(Stop::Output(Exit::BrokenPipe))), Exit::BrokenPipe);
        assert_eq!(exit(&CellResponse::Yielded(Yielded::new(observation())), None), Exit::Internal);
    }

    #[test]
    fn an_end_that_came_first_stays() {
        assert_eq!(exit(&completed(None), Some(Stop::Interrupt(Exit::Interrupted))), Exit::Success);
        assert_eq!(exit(&completed(None), Some(Stop::Output(Exit::BrokenPipe))), Exit::BrokenPipe);
    }

    #[test]
    fn a_result_reads_as_text_would() {
        let source = Source { name: "c".into(), text: String::new(), folder: None };
        for (json, shown) in
            [("\"a\\nb\"", "a\nb"), ("12", "12"), ("{\"a\":1}", "{\n  \"a\": 1\n}"), ("null", "null")]
        {
            let mut completed = Completed::new(observation());
            completed.result = Some(JsonText::parse(json).unwrap());
            let closing = closing(&CellResponse::Completed(completed), None, &source, MEMORY, LOOK);
            assert_eq!(closing.result.as_deref(), Some(shown));
        }
    }

    #[test]
    fn the_footer_counts() {
        let with = |elapsed, cpu, calls, error| {
            let mut observation = observation();
            observation.usage.elapsed = Duration::from_millis(elapsed);
            observation.usage.cpu_time = Duration::from_micros(cpu);
            observation.usage.tool_calls = calls;
            let mut completed = Completed::new(observation);
            completed.error = error;
            CellResponse::Completed(completed)
        };
        let error = || Some(CellError::new(CellErrorKind::Thrown, "Error", "x"));
        assert_eq!(footer(&with(1500, 900, 0, None), 0), "done in 1.5 s, 900 µs CPU, no tool calls");
        assert_eq!(footer(&with(20, 900, 7, None), 0), "done in 20 ms, 900 µs CPU, 7 tool calls");
        assert_eq!(
            footer(&with(20, 900, 1, error()), 1),
            "failed in 20 ms, 900 µs CPU, 1 tool call, 1 failed"
        );
    }
}
