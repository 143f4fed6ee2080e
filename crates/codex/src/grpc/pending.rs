//! The calls of a session that wait for their answers, and those that were answered.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use carrel_contract::JsonText;
use tokio::sync::oneshot;
use tonic::Status;

use super::{ids, messages as m};
use crate::recent::Recent;

/// What a call comes to.
type Answer = Result<JsonText, String>;

/// Those of a session.
#[derive(Default)]
pub(super) struct Pending(Mutex<State>);

#[derive(Default)]
struct State {
    calls: HashMap<String, oneshot::Sender<Answer>>,
    answered: Recent<String>,
}

impl Pending {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Draws the id of a call, and returns where its answer comes. The call waits for as long as the first of the two lives.
    pub(super) fn begin(&self) -> (Asked<'_>, oneshot::Receiver<Answer>) {
        let (id, (sender, answer)) = (ids::draw(), oneshot::channel());
        self.state().calls.insert(id.clone(), sender);
        (Asked { pending: self, id }, answer)
    }

    /// Takes the answer to a call. One that cannot be read leaves the call open; a second one is passed over.
    pub(super) fn answer(&self, request: m::CompleteToolCallRequest) -> Result<(), Status> {
        let id = ids::uuid("tool invocation ID", &request.invocation_id)?;
        {
            let state = self.state();
            if state.answered.contains(id) {
                return Ok(());
            }
            if !state.calls.contains_key(id) {
                return Err(Status::not_found("unknown code-mode tool invocation"));
            }
        }
        let answer = match request.outcome {
            Some(m::CompleteToolCallRequestOutcome::Succeeded(done)) => {
                let invalid = |error: &dyn std::fmt::Display| {
                    Status::invalid_argument(format!("invalid code-mode tool output JSON: {error}"))
                };
                let text = String::from_utf8(done.output_json).map_err(|error| invalid(&error))?;
                Ok(JsonText::parse(&text).map_err(|error| invalid(&error.message))?)
            }
            Some(m::CompleteToolCallRequestOutcome::Failed(failed)) => Err(failed.message),
            None => return Err(Status::invalid_argument("code-mode tool completion has no outcome")),
        };
        let call = self.state().end(id);
        if let Some(call) = call {
            call.send(answer).ok();
        }
        Ok(())
    }
}

impl State {
    /// Has a call be one that was answered, in the same step.
    fn end(&mut self, id: &str) -> Option<oneshot::Sender<Answer>> {
        self.answered.push(id.to_owned());
        self.calls.remove(id)
    }
}

/// A call that waits for its answer; afterwards it is known to have been.
pub(super) struct Asked<'a> {
    pending: &'a Pending,
    pub(super) id: String,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.pending.state().end(&self.id);
    }
}
