//! The loop of one cell: wait for an event, hand it to the VM, perform what comes out.
//!
//! The actor is the cell's one writer to the log, so the order of its entries is the order of what happened, and
//! whether a cell completed or was terminated is decided here and nowhere else.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use carrel_contract::{
    CancellationToken, CellId, Content, EventKind, JsonText, Notification, TerminationReason, ToolCall,
    ToolCallId, ToolError, ToolErrorCode,
};
use carrel_engine::{CallHandle, Effect, Ending, Event, MediaKind, Progress, Turn, Vm};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;

use super::calls::{self, Answer};
use super::timers::Timers;
use super::translate;
use crate::control::CellControl;
use crate::guest::{Away, Ran};
use crate::number::CellNumber;
use crate::shared::Core;

/// Warnings kept of one cell; a program can reject more promises than anybody wants to read.
const KEPT_WARNINGS: usize = 20;
/// The CPU time after which a VM with events still to come leaves this thread to others.
const SLICE: Duration = Duration::from_millis(1);

/// A cell that runs. Dropping it, which only a panic or the end of the runtime does, cancels its callbacks.
pub(crate) struct Cell {
    pub(super) core: Arc<Core>,
    pub(super) id: CellId,
    pub(super) number: CellNumber,
    pub(super) control: Arc<CellControl>,
    pub(super) callbacks: Callbacks,
    pub(super) writes: HashMap<String, String>,
    pub(super) warnings: Vec<String>,
    timers: Timers,
    cpu_used: Duration,
}

/// The callbacks under way. The token is the parent of each callback's own.
pub(super) struct Callbacks {
    pub(super) cancel: CancellationToken,
    pub(super) calls: FuturesUnordered<BoxFuture<'static, Answer>>,
    pub(super) call_ids: HashMap<CallHandle, ToolCallId>,
    pub(super) notifications: FuturesUnordered<BoxFuture<'static, Option<String>>>,
    calls_made: u64,
}

/// How the guest came to its end.
pub(super) enum End {
    Natural(Ending),
    Terminated(TerminationReason),
}

/// Where the VM is.
enum Place {
    /// Here, and waits for an event.
    Idle(Vm),
    /// In the lane of CPU-bound VMs.
    Away(Away),
}

impl Cell {
    pub(crate) fn new(core: Arc<Core>, id: CellId, number: CellNumber, control: Arc<CellControl>) -> Self {
        Self {
            core,
            id,
            number,
            control,
            callbacks: Callbacks {
                cancel: CancellationToken::new(),
                calls: FuturesUnordered::new(),
                call_ids: HashMap::new(),
                notifications: FuturesUnordered::new(),
                calls_made: 0,
            },
            writes: HashMap::new(),
            warnings: Vec::new(),
            timers: Timers::default(),
            cpu_used: Duration::ZERO,
        }
    }

    /// Runs the cell to its end and makes the outcome visible.
    pub(crate) async fn run(mut self, vm: Vm) {
        let end = self.drive(vm).await;
        self.finish(end).await;
    }

    async fn drive(&mut self, vm: Vm) -> End {
        let mut place = match self.run_here(vm) {
            Ok(place) => place,
            Err(end) => return end,
        };
        // Events that came while the VM was away.
        let mut waiting = Vec::new();
        loop {
            tokio::task::consume_budget().await;
            let event = tokio::select! {
                biased;
                reason = self.control.requested() => {
                    if let Place::Away(vm) = &place {
                        self.core.log.charge(&self.id, vm.cpu_so_far(), 0);
                    }
                    return End::Terminated(reason);
                }
                ran = away(&mut place) => {
                    // A VM that does not come back is lost with the lane, and that with the provider.
                    let Some(ran) = ran else { return End::Terminated(TerminationReason::Shutdown) };
                    place = match self.settle(ran, &mut waiting) {
                        Ok(place) => place,
                        Err(end) => return end,
                    };
                    continue;
                }
                Some(answer) = self.callbacks.calls.next() => self.answered(answer),
                Some(failure) = self.callbacks.notifications.next() => {
                    self.notified(failure);
                    continue;
                }
                id = self.timers.next() => Event::TimerFired { id, now_us: self.core.now_us() },
            };
            place = match place {
                Place::Away(vm) => {
                    waiting.push(event);
                    Place::Away(vm)
                }
                Place::Idle(mut vm) => {
                    vm.deliver(event);
                    match self.run_here(vm) {
                        Ok(place) => place,
                        Err(end) => return end,
                    }
                }
            };
        }
    }

    /// Runs the VM on this thread, for one slice; most turns need less.
    fn run_here(&mut self, vm: Vm) -> Result<Place, End> {
        let ran = Ran::slice(vm, &self.core.shared.ticker);
        self.settle(ran, &mut Vec::new())
    }

    /// Performs the effects of a turn and puts the VM where it belongs now.
    fn settle(&mut self, mut ran: Ran, waiting: &mut Vec<Event>) -> Result<Place, End> {
        let mut here = Duration::ZERO;
        loop {
            let Ran { mut vm, turn: Turn { effects, progress }, cpu } = ran;
            self.cpu_used += cpu;
            self.charge(&effects, cpu);
            for effect in effects {
                self.perform(effect);
            }
            match progress {
                Progress::Ended(Ending::Stopped) => return Err(End::Terminated(self.control.reason())),
                Progress::Ended(ending) => return Err(End::Natural(ending)),
                _ if self.cpu_used >= self.core.limits.cpu_time => {
                    let limit = self.core.limits.cpu_time;
                    return Err(End::Terminated(TerminationReason::CpuTime { limit }));
                }
                Progress::Idle if waiting.is_empty() => return Ok(Place::Idle(vm)),
                Progress::Idle | Progress::Ready if here < SLICE => {
                    waiting.drain(..).for_each(|event| vm.deliver(event));
                    ran = Ran::slice(vm, &self.core.shared.ticker);
                    here += ran.cpu;
                }
                _ => {
                    waiting.drain(..).for_each(|event| vm.deliver(event));
                    let left = self.core.limits.cpu_time.saturating_sub(self.cpu_used);
                    return Ok(Place::Away(self.core.shared.lane.run(vm, left)));
                }
            }
        }
    }

    fn charge(&self, effects: &[Effect], cpu: Duration) {
        let calls = effects.iter().filter(|effect| matches!(effect, Effect::CallTool { .. })).count();
        self.core.log.charge(&self.id, cpu, calls as u64);
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::CallTool { call, tool, input } => self.call_tool(call, tool, input.as_deref()),
            Effect::Text { text, level } => {
                self.output(Content::Text { text, level: level.map(translate::level) });
            }
            Effect::Media { kind: MediaKind::Image, data, mime_type } => {
                self.output(Content::Image { data, mime_type });
            }
            Effect::Media { kind: MediaKind::Audio, data, mime_type } => {
                self.output(Content::Audio { data, mime_type });
            }
            Effect::Block { json } => match JsonText::parse(&json) {
                Ok(block) => self.output(Content::Block { block }),
                Err(error) => self.warn(format!("a content block was dropped: {error}")),
            },
            Effect::Notify { text } => {
                self.core.log.append(&self.id, EventKind::Notified { text: text.clone() });
                let notification = Notification::new(self.core.id.clone(), self.id.clone(), text);
                let cancel = self.callbacks.cancel.child_token();
                self.callbacks.notifications.push(calls::notify(self.core.delegate(), notification, cancel));
            }
            Effect::Store { key, json } => {
                self.writes.insert(key, json);
            }
            Effect::SetTimer { id, delay_ms } => self.timers.set(id, Duration::from_millis(delay_ms.into())),
            Effect::ClearTimer { id } => self.timers.clear(id),
            Effect::Yield => self.core.log.append(&self.id, EventKind::ControlYielded),
            Effect::Warn { reason } => self.warn(format!("unhandled rejection: {reason}")),
        }
    }

    fn call_tool(&mut self, handle: CallHandle, tool: usize, input: Option<&str>) {
        self.callbacks.calls_made += 1;
        let id = ToolCallId::new(&format!("call-{}", self.callbacks.calls_made));
        let (Some(tool), Ok(call_id)) = (self.core.tool_name(tool), id) else {
            return self.warn("the guest called a tool that does not exist".to_owned());
        };
        self.core
            .log
            .append(&self.id, EventKind::ToolCalled { call_id: call_id.clone(), tool: tool.clone() });
        self.callbacks.call_ids.insert(handle, call_id.clone());
        let answer = match input.map(JsonText::parse).transpose() {
            Ok(input) => {
                let call = ToolCall::new(self.core.id.clone(), self.id.clone(), call_id, tool, input);
                let cancel = self.callbacks.cancel.child_token();
                calls::call_tool(Arc::clone(&self.core), handle, call, cancel)
            }
            Err(error) => {
                let error = ToolError::new(ToolErrorCode::InvalidInput, error.to_string());
                Box::pin(std::future::ready(Answer { handle, call_id, result: Err(error) }))
            }
        };
        self.callbacks.calls.push(answer);
    }

    fn answered(&mut self, answer: Answer) -> Event {
        let Answer { handle, call_id, result } = answer;
        self.callbacks.call_ids.remove(&handle);
        let error = result.as_ref().err().map(|error| error.code);
        self.core.log.append(&self.id, EventKind::ToolAnswered { call_id, error });
        let now_us = self.core.now_us();
        match result {
            Ok(json) => Event::Answered { call: handle, json: json.into_shared(), now_us },
            Err(error) => Event::Failed { call: handle, json: translate::tool_error(&error).into(), now_us },
        }
    }

    pub(super) fn notified(&mut self, failure: Option<String>) {
        if let Some(detail) = failure {
            self.warn(format!("a notification was not delivered: {detail}"));
        }
    }

    pub(super) fn warn(&mut self, warning: String) {
        if self.warnings.len() < KEPT_WARNINGS {
            self.warnings.push(warning);
        }
    }

    fn output(&self, content: Content) {
        self.core.log.append(&self.id, EventKind::Output { content });
    }
}

/// Waits for a VM that is away; for ever when it is here. `None` when it is lost.
async fn away(place: &mut Place) -> Option<Ran> {
    match place {
        Place::Away(vm) => vm.returned().await,
        Place::Idle(_) => std::future::pending().await,
    }
}
