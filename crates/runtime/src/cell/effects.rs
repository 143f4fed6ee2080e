//! What the guest wants done, and how it is done: written down first, where the session writes down what it does.
//!
//! What a cell that is brought back did before its session was lost is not done again: it is compared with what was
//! written down, and must be the same.

use std::sync::Arc;
use std::time::Duration;

use carrel_contract::{Content, EventKind, JsonText, Location, Notification, ToolCall};
use carrel_engine::{CallHandle, Effect, Event, MediaKind};
use carrel_journal::Record;
use carrel_journal::record::Answer;

use super::actor::Cell;
use super::callbacks::{self, Delivered, Origin};
use super::questions::Question;
use super::translate;
use crate::journal;
use crate::tools::Repeat;

/// Unhandled rejections that are written down; a program can have more than anybody wants to read.
const WARNINGS: u64 = 20;

impl Cell {
    pub(super) fn perform(&mut self, effect: Effect) {
        if self.replay.as_mut().is_some_and(|replay| replay.is_again(&effect, &self.tools, &self.core.log)) {
            return;
        }
        self.effects_count += u64::from(is_written_down(&effect, self.warned));
        let cell = self.number.0;
        match effect {
            Effect::CallTool { call, tool, input, location } => {
                self.call_tool(call, tool, input.as_deref(), location);
            }
            Effect::SearchTools { call, query, limit } => self.ask(call, Question::Search { query, limit }),
            Effect::DescribeTools { call, tools } => self.ask(call, Question::Describe { tools }),
            Effect::Notify { text } => self.notify(text),
            Effect::Store { key, json } => {
                let (written, value) = (key.clone(), json.as_str());
                self.core.note(|| Record::Stored { cell, key: written, value: value.into() });
                self.writes.insert(key, json);
            }
            Effect::SetTimer { id, delay_ms } => {
                let delay = Duration::from_millis(delay_ms.into());
                let due_us = self.now_us().saturating_add(i64::from(delay_ms) * 1000);
                self.core.note(|| Record::TimerSet { cell, timer: id, due_us });
                self.timers.set(id, delay);
            }
            Effect::ClearTimer { id } => {
                self.core.note(|| Record::TimerCleared { cell, timer: id });
                self.timers.clear(id);
                if let Some(replay) = &mut self.replay {
                    replay.clear_timer(id);
                }
            }
            Effect::Yield => {
                self.core
                    .log
                    .append(&self.id, EventKind::ControlYielded, |_| Record::ControlYielded { cell });
            }
            Effect::Warn { reason } => {
                let warning = format!("unhandled rejection: {reason}");
                if self.warned < WARNINGS {
                    self.warned += 1;
                    self.core.note(|| Record::Warned { cell, text: warning.as_str().into() });
                }
                self.warnings.add(&warning);
            }
            output => match content(output) {
                Ok(content) => self.output(content),
                Err(warning) => self.warnings.add(&warning),
            },
        }
    }

    fn ask(&mut self, call: CallHandle, question: Question) {
        self.core.note(|| Record::Asked {
            cell: self.number.0,
            call: call.0,
            question: journal::as_json(&question),
        });
        self.questions.ask(call, question);
    }

    /// Writes down the answer to a question, and returns it as the guest is given it.
    pub(super) fn told(&mut self, call: CallHandle, json: Arc<str>) -> Event {
        let now_us = self.now_us();
        self.inputs_count += 1;
        self.core.note(|| Record::Answered {
            cell: self.number.0,
            call: call.0,
            answer: Answer::Result((&*json).into()),
            now_us,
        });
        Event::Answered { call, json, now_us }
    }

    fn call_tool(
        &mut self,
        handle: CallHandle,
        tool: usize,
        input: Option<&str>,
        location: Option<(u32, u32)>,
    ) {
        let (Some(description), Some(call_id)) = (self.tools.at(tool), self.callbacks.next_call_id()) else {
            return self.warnings.add("the guest called a tool that does not exist");
        };
        let (tool, upstream) = (description.name.clone(), description.origin.clone());
        let (cell, repeat) = (self.number.0, self.tools.repeat(&tool));
        let kind = EventKind::ToolCalled { call_id: call_id.clone(), tool: tool.clone() };
        self.core.log.append(&self.id, kind, |_| Record::ToolCalled {
            cell,
            call: handle.0,
            call_id: call_id.as_str().to_owned(),
            tool: tool.as_str().to_owned(),
            input: input.map(Into::into),
            repeatable: repeat != Repeat::Never,
        });
        let input = input.map(JsonText::parse).transpose();
        let location = location.map(|(line, column)| Location { line, column });
        let call = input.map(|input| {
            ToolCall::new(self.core.id.clone(), self.id.clone(), call_id.clone(), tool, input)
                .of(upstream)
                .at(location)
        });
        self.callbacks.call(&self.core, handle, call_id, call, repeat, Origin::Cell);
    }

    fn notify(&mut self, text: String) {
        self.notified += 1;
        let (cell, notification) = (self.number.0, self.notified);
        self.core.log.append(&self.id, EventKind::Notified { text: text.clone() }, |_| Record::Notified {
            cell,
            notification,
            text: text.as_str().into(),
        });
        self.deliver(notification, text);
    }

    /// Has a notification delivered.
    pub(super) fn deliver(&mut self, notification: u64, text: String) {
        let message = Notification::new(self.core.id.clone(), self.id.clone(), text);
        self.callbacks.notify(&self.core, notification, message);
    }

    fn output(&self, content: Content) {
        let cell = self.number.0;
        self.core.log.append(&self.id, EventKind::Output { content }, |kind| {
            let content = match kind {
                EventKind::Output { content } => journal::content(content),
                _ => journal::content(&Content::text("")),
            };
            Record::Output { cell, content }
        });
    }

    /// Writes down what a call came to, and returns it as the guest is given it.
    pub(super) fn answered(&mut self, answer: callbacks::Answer) -> Event {
        self.callbacks.answered(&answer);
        self.gathering.is_precious |= answer.repeat != Repeat::Freely;
        let callbacks::Answer { handle, call_id, result, .. } = answer;
        let now_us = self.now_us();
        let kind = EventKind::ToolAnswered {
            call_id: call_id.clone(),
            error: result.as_ref().err().map(|error| error.code),
        };
        self.inputs_count += 1;
        self.unsaved.bytes += result.as_ref().map_or(0, |json| json.as_str().len());
        self.core.log.append(&self.id, kind, |_| Record::Answered {
            cell: self.number.0,
            call: handle.0,
            answer: match &result {
                Ok(json) => Answer::Result(json.as_str().into()),
                Err(error) => Answer::Failed(journal::tool_error(error)),
            },
            now_us,
        });
        translate::answered(handle, Some(&call_id), result, now_us)
    }

    /// Writes down that a timer fired, and returns that as the guest is given it.
    pub(super) fn fired(&mut self, timer: i64) -> Event {
        let now_us = self.now_us();
        self.inputs_count += 1;
        self.core.note(|| Record::TimerFired { cell: self.number.0, timer, now_us });
        Event::TimerFired { id: timer, now_us }
    }

    pub(super) fn notified(&mut self, delivered: Delivered) {
        self.callbacks.delivered(&delivered);
        let notification = delivered.notification;
        self.core.note(|| Record::NotifyDelivered { cell: self.number.0, notification });
        if let Some(detail) = delivered.failure {
            self.warnings.add(&format!("a notification was not delivered: {detail}"));
        }
    }
}

/// Tells whether an effect is a record of its own.
fn is_written_down(effect: &Effect, warned: u64) -> bool {
    match effect {
        Effect::Warn { .. } => warned < WARNINGS,
        Effect::Block { json } => JsonText::parse(json).is_ok(),
        _ => true,
    }
}

/// Returns output as the contract has it, or what is wrong with it.
pub(crate) fn content(effect: Effect) -> Result<Content, String> {
    match effect {
        Effect::Text { text, level } => Ok(Content::Text { text, level: level.map(translate::level) }),
        Effect::Media { kind: MediaKind::Image, data, mime_type } => Ok(Content::Image { data, mime_type }),
        Effect::Media { kind: MediaKind::Audio, data, mime_type } => Ok(Content::Audio { data, mime_type }),
        Effect::ImageUrl { url, detail } => Ok(Content::ImageUrl { url, detail: translate::detail(detail) }),
        Effect::AudioUrl { url } => Ok(Content::AudioUrl { url }),
        Effect::Block { json } => match JsonText::parse(&json) {
            Ok(block) => Ok(Content::Block { block }),
            Err(error) => Err(format!("a content block was dropped: {error}")),
        },
        other => Err(format!("an effect is no output: {other:?}").chars().take(200).collect()),
    }
}
