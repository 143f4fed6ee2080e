//! What happens in a cell, one thing at a time, and where it stands between.

use std::collections::BTreeMap;
use std::time::Duration;

use carrel_contract::{
    CellError, Content, JsonText, Location, Seq, TerminationReason, ToolCallId, ToolError, ToolName,
};

/// One thing that happened in a cell.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Step {
    /// The number of its event in the session's log; `None` for what is no event, or is not in the log.
    pub seq: Option<Seq>,
    /// The cell's clock, in microseconds since 1970.
    pub now_us: i64,
    /// What happened.
    pub what: What,
    /// How that compares with what was recorded.
    pub against: Against,
}

/// How what a cell does compares with what was recorded of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Against {
    /// It is the same.
    Same,
    /// It was not recorded.
    New,
    /// It was recorded, and did not happen.
    Missing,
    /// It comes after all that was recorded: the cell runs, or was lost.
    Beyond,
}

/// What can happen in a cell.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum What {
    /// It began.
    Began,
    /// It called a tool.
    Called {
        /// The call; `None` when it is not in the log.
        call_id: Option<ToolCallId>,
        /// The tool.
        tool: ToolName,
        /// The input; `None` when there was none.
        input: Option<JsonText>,
        /// Where the call stands in the cell's code, where that is known.
        location: Option<Location>,
    },
    /// A call was answered.
    Answered {
        /// The call.
        call_id: ToolCallId,
        /// The tool.
        tool: ToolName,
        /// The answer.
        result: Result<JsonText, ToolError>,
    },
    /// It asked about its tools, as `tools.$search` and `tools.$describe` do.
    Asked {
        /// The question, as JSON.
        question: JsonText,
    },
    /// A question about its tools was answered.
    Told {
        /// The answer.
        answer: JsonText,
    },
    /// It set a timer.
    TimerSet {
        /// The timer.
        timer: i64,
        /// The delay; `None` of one that was recorded and is missing.
        delay: Option<Duration>,
    },
    /// It cleared a timer.
    TimerCleared {
        /// The timer.
        timer: i64,
    },
    /// A timer fired.
    TimerFired {
        /// The timer.
        timer: i64,
    },
    /// It emitted output.
    Output {
        /// What it emitted.
        content: Content,
    },
    /// It notified its owner.
    Notified {
        /// The text.
        text: String,
    },
    /// It stored a value, to be committed when it ends.
    Stored {
        /// The key.
        key: String,
        /// The value as JSON.
        json: String,
    },
    /// It called `yield_control()`.
    Yielded,
    /// It left a rejection unhandled.
    Warned {
        /// The reason.
        text: String,
    },
    /// It came to its end.
    Ended {
        /// The value of its `export default`.
        result: Option<JsonText>,
        /// Why it failed, if it did.
        error: Option<CellError>,
    },
    /// It was ended from outside.
    Terminated {
        /// Why.
        reason: TerminationReason,
    },
}

/// A tool call without an answer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PendingCall {
    /// The call; `None` when it is not in the log.
    pub call_id: Option<ToolCallId>,
    /// The tool.
    pub tool: ToolName,
    /// The input; `None` when there was none.
    pub input: Option<JsonText>,
    /// Where it stands in the cell's code, where that is known.
    pub location: Option<Location>,
}

/// Where a cell stands between two steps.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct State {
    /// The number of the last event that it has had.
    pub seq: Seq,
    /// Its clock, in microseconds since 1970.
    pub now_us: i64,
    /// The calls that wait for an answer, in the order in which they were made.
    pub calls: Vec<PendingCall>,
    /// The timers that are set, each with the time at which it is due, in microseconds since 1970, where that is known.
    pub timers: BTreeMap<i64, Option<i64>>,
    /// What it has emitted.
    pub output: Vec<Content>,
    /// What it has stored, by key, as JSON.
    pub stored: BTreeMap<String, String>,
}

impl State {
    /// Takes a step.
    pub(super) fn take(&mut self, step: &Step) {
        if step.against == Against::Missing {
            return;
        }
        self.seq = step.seq.unwrap_or(self.seq);
        self.now_us = step.now_us;
        match &step.what {
            What::Called { call_id, tool, input, location } => self.calls.push(PendingCall {
                call_id: call_id.clone(),
                tool: tool.clone(),
                input: input.clone(),
                location: *location,
            }),
            What::Answered { call_id, .. } => {
                self.calls.retain(|call| call.call_id.as_ref() != Some(call_id));
            }
            What::TimerSet { timer, delay } => {
                let due_us = delay.map(|delay| {
                    self.now_us.saturating_add(i64::try_from(delay.as_micros()).unwrap_or(i64::MAX))
                });
                self.timers.insert(*timer, due_us);
            }
            What::TimerCleared { timer } | What::TimerFired { timer } => drop(self.timers.remove(timer)),
            What::Output { content } => self.output.push(content.clone()),
            What::Stored { key, json } => drop(self.stored.insert(key.clone(), json.clone())),
            What::Ended { .. } | What::Terminated { .. } => {
                self.calls.clear();
                self.timers.clear();
            }
            What::Began
            | What::Asked { .. }
            | What::Told { .. }
            | What::Notified { .. }
            | What::Yielded
            | What::Warned { .. } => {}
        }
    }
}
