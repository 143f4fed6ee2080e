//! How a cell comes to its end, from the guest's last instruction to the visible outcome.

use std::time::Duration;

use carrel_contract::{JsonText, TerminationReason, ToolCallId};
use futures::StreamExt;
use tokio::time::timeout;

use super::actor::{Cell, End};
use super::{calls, translate};
use crate::log::Outcome;

impl Cell {
    /// Ends the cell. No guest code runs any more: the VM is gone.
    ///
    /// First what the guest still wanted delivered, then the callbacks, then the stored values, and the outcome
    /// last: whoever sees it finds everything else done.
    pub(super) async fn finish(mut self, end: End) {
        let natural = match end {
            End::Natural(ending) => {
                translate::ending(ending, self.core.limits.memory_bytes).ok_or_else(|| self.control.reason())
            }
            End::Terminated(reason) => Err(reason),
        };
        if natural.is_ok() {
            self.deliver_notifications().await;
        }
        let abandoned = self.end_callbacks().await;
        let outcome = self.outcome(natural, abandoned);
        calls::close(&*self.core.delegate(), &self.id);
        self.core.leave(self.number, || self.core.log.end(&self.id, outcome));
    }

    fn outcome(
        &mut self,
        natural: Result<(Option<JsonText>, Option<carrel_contract::CellError>), TerminationReason>,
        abandoned: Vec<ToolCallId>,
    ) -> Outcome {
        match natural {
            Ok((result, error)) => {
                self.core.stored.commit(std::mem::take(&mut self.writes));
                if !abandoned.is_empty() {
                    let names: Vec<_> = abandoned.iter().map(ToolCallId::as_str).collect();
                    self.warn(format!(
                        "callbacks that ignored their cancellation were abandoned: {}",
                        names.join(", ")
                    ));
                }
                Outcome::Completed { result, error, warnings: std::mem::take(&mut self.warnings) }
            }
            Err(reason) => Outcome::Terminated { reason, abandoned },
        }
    }

    /// Waits for the notifications under way, unless somebody wants the cell gone.
    async fn deliver_notifications(&mut self) {
        let limit = self.core.limits.notify_time;
        let mut failures = Vec::new();
        let delivered = {
            let control = &self.control;
            let notifications = &mut self.callbacks.notifications;
            timeout(limit, async {
                while !notifications.is_empty() {
                    tokio::select! {
                        biased;
                        Some(failure) = notifications.next() => failures.push(failure),
                        _ = control.requested() => break,
                    }
                }
            })
            .await
        };
        for failure in failures {
            self.notified(failure);
        }
        let left = self.callbacks.notifications.len();
        if delivered.is_err() || left > 0 {
            self.warn(format!("{left} notifications were not delivered within `notify_time` = {limit:?}"));
        }
    }

    /// Cancels the callbacks and gives them their grace. Returns the calls that did not end in it.
    async fn end_callbacks(&mut self) -> Vec<ToolCallId> {
        self.callbacks.cancel.cancel();
        let limit = self.core.limits.callback_grace;
        let callbacks = &mut self.callbacks;
        let joined = async {
            while let Some(answer) = callbacks.calls.next().await {
                callbacks.call_ids.remove(&answer.handle);
            }
            while callbacks.notifications.next().await.is_some() {}
        };
        // A delegate that ends at once at its token costs no timer.
        if limit > Duration::ZERO {
            drop(timeout(limit, joined).await);
        }
        let mut abandoned: Vec<_> = self.callbacks.call_ids.drain().map(|(_, call_id)| call_id).collect();
        abandoned.sort_by_key(|call_id| (call_id.as_str().len(), call_id.clone()));
        // What is left is dropped here, its tokens having fired.
        self.callbacks.calls.clear();
        self.callbacks.notifications.clear();
        abandoned
    }
}
