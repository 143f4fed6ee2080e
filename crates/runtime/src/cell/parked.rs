//! What stays of a cell that waits while its session sleeps: what it waits for, and what is written down nowhere.
//!
//! Its VM, its log and its stored values come back from the journal. Calls under way cannot be written down, so they go on,
//! and are taken over where they are.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::actor::{Cell, End, Place};
use super::callbacks::Callbacks;
use super::timers::Timers;
use super::warnings::Warnings;
use crate::telemetry::CellTelemetry;

/// What a cell waits for, and what is known of it here alone.
pub(crate) struct Parked {
    /// There when calls are under way.
    callbacks: Option<Box<Callbacks>>,
    /// In the order in which they are due.
    timers: Box<[(i64, Instant)]>,
    /// It waits for its turn, and for nothing else.
    waits_for_turn: bool,
    telemetry: CellTelemetry,
    beside: Beside,
}

/// What is known of a cell beside what its journal says.
pub(super) struct Beside {
    warnings: Warnings,
    answering: Duration,
    /// What it had used.
    cpu_time: Duration,
    tool_calls: u64,
}

impl Parked {
    /// Returns when its next timer is due.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.timers.first().map(|(_, at)| *at)
    }

    /// Tells whether it waits for the cells before it in its session, and for nothing else.
    pub(crate) fn waits_for_turn(&self) -> bool {
        self.waits_for_turn
    }

    /// Tells whether calls of it are under way.
    pub(crate) fn has_calls(&self) -> bool {
        self.callbacks.is_some()
    }

    /// Tells whether a call of it was answered.
    pub(crate) fn is_answered(&self) -> bool {
        self.callbacks.as_ref().is_some_and(|callbacks| callbacks.has_done())
    }

    /// Returns what is taken over by the cell that comes back.
    pub(super) fn taken_over(self) -> (Callbacks, Timers, CellTelemetry, Option<Beside>) {
        let callbacks = self.callbacks.map(|callbacks| *callbacks).unwrap_or_default();
        (callbacks, Timers::of(&self.timers), self.telemetry, Some(self.beside))
    }

    /// Tells its calls to end, and gives them their grace: nobody waits for them any more.
    pub(crate) async fn end(self, grace: Duration) {
        let Some(mut callbacks) = self.callbacks else { return };
        callbacks.cancel.cancel();
        timeout(grace, callbacks.join()).await.ok();
        callbacks.abandon().await;
    }
}

impl Cell {
    /// Leaves with its session, which goes to sleep. The VM is saved, where that costs less than computing it again.
    pub(super) async fn park(&mut self, place: Place) -> End {
        if let Place::Idle(vm) = place {
            self.save_to_sleep(vm).await;
        }
        End::Parked
    }

    /// Leaves behind what is to stay, and is gone.
    pub(super) fn hand_over(self) {
        let (cpu_time, tool_calls) = self.core.log.used(&self.id);
        let waits_for_turn = self.core.notebook.is_some() && self.turn.is_none();
        let Self { core, number, callbacks, timers, telemetry, warnings, answering, .. } = self;
        let callbacks = (!callbacks.is_empty()).then(|| Box::new(callbacks));
        let beside = Beside { warnings, answering, cpu_time, tool_calls };
        let timers = timers.into_due();
        core.parked()
            .insert(number, Box::new(Parked { callbacks, timers, waits_for_turn, telemetry, beside }));
        core.leave(number, || ());
    }

    /// Knows again what its journal does not say, once that has been gone through. Tells whether the cell was parked.
    pub(super) fn remember(&mut self) -> bool {
        let Some(Beside { warnings, answering, cpu_time, tool_calls }) = self.beside.take() else {
            return false;
        };
        (self.warnings, self.answering) = (warnings, answering);
        self.core.log.has_used(&self.id, cpu_time, tool_calls);
        true
    }
}
