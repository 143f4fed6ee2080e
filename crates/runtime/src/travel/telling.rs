//! Says what happens in a cell that runs again, as its steps have it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use carrel_contract::{CellError, CellErrorKind, Content, JsonText, Location, ToolCallId, ToolName};
use carrel_engine::{Dialect, Effect, Ending};
use carrel_journal::Record;

use super::recording::Inner;
use super::step::What;
use crate::cell::{self, Question, translate};
use crate::journal;

/// What is known of a cell's calls on the way, whose answers name them by handles alone.
pub(super) struct Teller {
    recording: Arc<Inner>,
    /// Those that wait; without their ids those that were not recorded.
    calls: BTreeMap<i64, Option<(ToolCallId, ToolName)>>,
}

impl Teller {
    pub(super) fn new(recording: Arc<Inner>) -> Self {
        Self { recording, calls: BTreeMap::new() }
    }

    /// Says what an effect is, with what is recorded of it.
    pub(super) fn effect(&mut self, effect: Effect, recorded: Option<&Record>) -> Option<What> {
        Some(match effect {
            Effect::CallTool { call, tool, input, location } => {
                let tool = self.recording.tools.name(tool)?.clone();
                let call_id = match recorded {
                    Some(Record::ToolCalled { call_id, .. }) => journal::call_id(call_id).ok(),
                    _ => None,
                };
                self.calls.insert(call.0, call_id.clone().map(|id| (id, tool.clone())));
                let location = location.map(|(line, column)| Location { line, column });
                let input = input.and_then(|input| JsonText::parse(&input).ok());
                What::Called { call_id, tool, input, location }
            }
            Effect::SearchTools { query, limit, .. } => {
                What::Asked { question: as_json(&Question::Search { query, limit }) }
            }
            Effect::DescribeTools { tools, .. } => {
                What::Asked { question: as_json(&Question::Describe { tools }) }
            }
            Effect::Notify { text } => What::Notified { text },
            Effect::Store { key, json } => What::Stored { key, json },
            Effect::SetTimer { id, delay_ms } => {
                What::TimerSet { timer: id, delay: Some(Duration::from_millis(delay_ms.into())) }
            }
            Effect::ClearTimer { id } => What::TimerCleared { timer: id },
            Effect::Yield => What::Yielded,
            Effect::Warn { reason } => What::Warned { text: format!("unhandled rejection: {reason}") },
            output => What::Output {
                content: match cell::content(output) {
                    Ok(content) => self.recording.log.fit(content),
                    Err(warning) => Content::text(warning),
                },
            },
        })
    }

    /// Says what a record of something given is.
    pub(super) fn given(&mut self, record: &Record) -> Option<What> {
        match record.clone() {
            Record::TimerFired { timer, .. } => Some(What::TimerFired { timer }),
            Record::Answered { call, answer, .. } => {
                let result = journal::answer_back(answer).ok()?;
                match self.calls.remove(&call).flatten() {
                    Some((call_id, tool)) => Some(What::Answered { call_id, tool, result }),
                    None => result.ok().map(|answer| What::Told { answer }),
                }
            }
            _ => None,
        }
    }

    /// Says how it ended.
    pub(super) fn end(&self, ending: &Ending) -> What {
        let (result, mut error) = translate::ending(ending.clone(), self.recording.limits.memory_bytes)
            .unwrap_or_else(|| (None, Some(out_of_time())));
        if let (Dialect::Codex, Some(error)) = (self.recording.dialect, &mut error) {
            translate::as_text(error);
        }
        What::Ended { result, error }
    }
}

/// Says what a record of something done is.
pub(super) fn done(record: &Record) -> Option<What> {
    Some(match record.clone() {
        Record::ToolCalled { call_id, tool, input, .. } => What::Called {
            call_id: journal::call_id(&call_id).ok(),
            tool: ToolName::new(&tool).ok()?,
            input: input.and_then(|input| journal::json(input).ok()),
            location: None,
        },
        Record::Asked { question, .. } => What::Asked { question: journal::json(question).ok()? },
        Record::TimerSet { timer, .. } => What::TimerSet { timer, delay: None },
        Record::TimerCleared { timer, .. } => What::TimerCleared { timer },
        Record::Output { content, .. } => What::Output { content: journal::content_back(content).ok()? },
        Record::Notified { text, .. } => What::Notified { text: journal::text(text).ok()? },
        Record::Stored { key, value, .. } => What::Stored { key, json: journal::text(value).ok()? },
        Record::ControlYielded { .. } => What::Yielded,
        Record::Warned { text, .. } => What::Warned { text: journal::text(text).ok()? },
        _ => return None,
    })
}

fn as_json(question: &Question) -> JsonText {
    JsonText::from_value(&serde_json::to_value(question).unwrap_or_default())
}

/// What became of a cell that did not come to an end by itself.
fn out_of_time() -> CellError {
    CellError::new(
        CellErrorKind::Trap,
        "CpuTimeExceeded",
        "the replay computed for longer than the cell was allowed",
    )
}
