//! Asks the person at the client: by an elicitation, or, in the stateless revision, by an answer that asks for input and a
//! second call that brings it.
//!
//! What the second call brings back is sealed by this process, so that nobody can make it up. It runs nothing again: it
//! goes on waiting for the cells of the first.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use carrel_contract::{CellId, SessionId};
use rmcp::RoleServer;
use rmcp::model::{
    ElicitRequest, ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationSchema, EnumSchema,
    InputRequest, InputRequests, InputRequiredResult, InputResponses, ProtocolVersion,
};
use rmcp::service::RequestContext;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::approvals::{Approvals, Attendant, Decision, Question};
use crate::client::Patience;
use crate::face::Shared;
use crate::progress::Narrated as _;
use crate::refusal::Refusal;
use crate::sessions::Session;

/// For how long nothing more may come before what waits is asked for: calls made together are asked for together.
const SETTLED: Duration = Duration::from_millis(30);
/// For how long a person counts as there whose client has to call again: they think, and the client calls.
const THINKING: Duration = Duration::from_secs(600);
/// How many calls are asked for at once.
const ASKED: usize = 20;

const ALLOW: &str = "allow";
const ALLOW_FOR_SESSION: &str = "allow for this session";
const DENY: &str = "deny";
/// The name of what a person chooses.
const DECISION: &str = "decision";

/// What a call that asks waits for; sealed, and brought back by the client.
#[derive(Debug, Deserialize, Serialize)]
struct Waiting {
    session_id: SessionId,
    cells: Vec<CellId>,
    /// Questions that the person has put off.
    put_off: BTreeSet<u64>,
}

/// What a client brings when it calls a second time.
pub(crate) struct Answers {
    pub(crate) state: String,
    pub(crate) responses: Option<InputResponses>,
}

/// What asks, for the cells of one call. As long as it lives, the person at the client counts as there.
pub(crate) struct Asking<'a> {
    shared: &'a Shared,
    waiting: Waiting,
    person: Option<Box<dyn Attendant>>,
}

/// Takes the person at a client for there, if the client can ask one. It comes before a cell is run, whose first call may
/// be one that has to be asked about.
pub(crate) fn attend(shared: &Shared, context: &RequestContext<RoleServer>) -> Option<Box<dyn Attendant>> {
    shared.approvals.as_ref().filter(|_| can_ask(context)).map(|approvals| approvals.attend())
}

impl<'a> Asking<'a> {
    pub(crate) fn new(
        shared: &'a Shared,
        person: Option<Box<dyn Attendant>>,
        session: &Session,
        cells: Vec<CellId>,
    ) -> Self {
        let session_id = session.session.id().clone();
        Self { shared, waiting: Waiting { session_id, cells, put_off: BTreeSet::new() }, person }
    }

    /// Takes up a call that comes a second time, and passes on what the person said.
    pub(crate) async fn resume(
        shared: &'a Shared,
        person: Option<Box<dyn Attendant>>,
        answers: Answers,
        patience: Patience,
    ) -> Result<(Arc<Session>, Self), Refusal> {
        let mut waiting: Waiting = shared.codec.open_json(&answers.state).map_err(|error| {
            Refusal::new(format!("failed to read the request state: {error}")).advise(
                "it is good for the server that made it, until that ends; `wait` for the cell instead",
            )
        })?;
        let session = shared.sessions.named(waiting.session_id.as_str(), patience.servers).await?;
        let responses = answers.responses.into_iter().flatten();
        waiting.put_off.extend(pass_on(shared, &session, &waiting.cells, responses));
        Ok((session, Self { shared, waiting, person }))
    }

    /// Returns the cells that are waited for.
    pub(crate) fn cells(&self) -> &[CellId] {
        &self.waiting.cells
    }

    /// Says which calls of the cells wait for a person.
    pub(crate) fn notes(shared: &Shared, session: &Session, cells: &[CellId]) -> Vec<String> {
        let pending = shared.approvals.as_ref().map(|approvals| approvals.pending()).unwrap_or_default();
        let here = pending.into_iter().filter(|question| {
            question.session_id == *session.session.id() && cells.contains(&question.cell_id)
        });
        let note = |question: Question| {
            let how = question.command.map(|command| {
                format!("; they answer at a terminal of this machine: `{command}`, or the same with `--deny`")
            });
            format!("a call waits for a person: {}{}", question.text, how.unwrap_or_default())
        };
        here.take(ASKED).map(note).collect()
    }

    /// Waits for what comes of the cells, and tells and asks the client meanwhile.
    ///
    /// # Errors
    /// What the client has to answer first.
    pub(crate) async fn through<T>(
        self,
        waited: impl Future<Output = T>,
        session: &Session,
        context: &RequestContext<RoleServer>,
    ) -> Result<T, InputRequiredResult> {
        let cells = self.waiting.cells.clone();
        tokio::select! {
            biased;
            output = waited.narrated(session, &cells, context) => Ok(output),
            question = self.attend(context) => Err(question),
        }
    }

    /// Looks after calls that wait for a person, if the client can ask one. Ends only where the answer to the client has
    /// to be a question.
    async fn attend(mut self, context: &RequestContext<RoleServer>) -> InputRequiredResult {
        let (Some(approvals), Some(mut person)) = (&self.shared.approvals, self.person.take()) else {
            return std::future::pending().await;
        };
        let is_stateless = context
            .protocol_version()
            .is_some_and(|version| version.as_str() >= ProtocolVersion::V_2026_07_28.as_str());
        loop {
            while self.open(&approvals.pending()).is_empty() {
                person.changed().await;
            }
            while tokio::time::timeout(SETTLED, person.changed()).await.is_ok() {}
            let questions = self.open(&approvals.pending());
            if questions.is_empty() {
                continue;
            }
            if is_stateless {
                if let Ok(state) = self.shared.codec.seal_json(&self.waiting) {
                    let requests = questions.iter().map(request).collect();
                    let question = InputRequiredResult::new(Some(requests), Some(state));
                    self.shared.sessions.keep_person(person, THINKING);
                    return question;
                }
                return std::future::pending().await;
            }
            for question in questions {
                let asked = context.peer.create_elicitation(form(&question));
                tokio::select! {
                    asked = asked => match asked.ok().and_then(|result| decision(&result)) {
                        Some(decision) => _ = approvals.answer(&[question.id], decision),
                        None => { self.waiting.put_off.insert(question.id); }
                    },
                    // Its cell has ended, or somebody else has answered.
                    () = gone(approvals.as_ref(), question.id) => {}
                }
            }
        }
    }

    /// Returns those of the questions that are to be asked here.
    fn open(&self, pending: &[Question]) -> Vec<Question> {
        let Waiting { session_id, cells, put_off } = &self.waiting;
        let here = pending.iter().filter(|question| {
            question.session_id == *session_id
                && cells.contains(&question.cell_id)
                && !put_off.contains(&question.id)
        });
        here.take(ASKED).cloned().collect()
    }
}

/// Returns what the person at a client is to be asked of a cell, if anything; they count as there for a while.
pub(crate) fn requests(
    shared: &Shared,
    session: &Session,
    cell: &CellId,
    person: Box<dyn Attendant>,
) -> Option<InputRequests> {
    shared.sessions.keep_person(person, THINKING);
    let pending = shared.approvals.as_ref()?.pending();
    let here = pending
        .iter()
        .filter(|question| question.session_id == *session.session.id() && question.cell_id == *cell);
    let requests: InputRequests = here.take(ASKED).map(request).collect();
    (!requests.is_empty()).then_some(requests)
}

/// Passes on what a person said to questions of a cell.
///
/// # Errors
/// The client is one that was asked nothing, since it can ask nobody.
pub(crate) fn answer(
    shared: &Shared,
    session: &Session,
    cell: &CellId,
    responses: InputResponses,
    context: &RequestContext<RoleServer>,
) -> Result<(), Refusal> {
    if !can_ask(context) {
        return Err(Refusal::new(
            "failed to pass the answer on: it takes a client that can ask a person, and this one has no elicitation of forms",
        ));
    }
    pass_on(shared, session, std::slice::from_ref(cell), responses);
    Ok(())
}

/// Passes on what a person said, to questions of these cells and no others. Returns those that were put off.
fn pass_on(
    shared: &Shared,
    session: &Session,
    cells: &[CellId],
    responses: impl IntoIterator<Item = (String, Value)>,
) -> Vec<u64> {
    let Some(approvals) = &shared.approvals else { return Vec::new() };
    let mut put_off = Vec::new();
    for (name, response) in responses {
        let pending = approvals.pending().into_iter().find(|question| {
            question.name == name
                && question.session_id == *session.session.id()
                && cells.contains(&question.cell_id)
        });
        let Some(question) = pending else { continue };
        match serde_json::from_value(response).ok().and_then(|result| decision(&result)) {
            Some(decision) => _ = approvals.answer(&[question.id], decision),
            None => put_off.push(question.id),
        }
    }
    put_off
}

fn request(question: &Question) -> (String, InputRequest) {
    (question.name.clone(), InputRequest::Elicitation(ElicitRequest::new(form(question))))
}

/// Waits until a question is no longer pending.
async fn gone(approvals: &dyn Approvals, question: u64) {
    let mut attendant = approvals.attend();
    while approvals.pending().iter().any(|pending| pending.id == question) {
        attendant.changed().await;
    }
}

/// Tells whether the client can show a form to a person.
fn can_ask(context: &RequestContext<RoleServer>) -> bool {
    let capability = context.client_capabilities().and_then(|capabilities| capabilities.elicitation);
    // One that names no kind has the first there was, forms.
    capability.is_some_and(|kinds| kinds.form.is_some() || kinds.url.is_none())
}

fn form(question: &Question) -> ElicitRequestParams {
    let choices = [ALLOW, ALLOW_FOR_SESSION, DENY].map(str::to_owned).to_vec();
    let choice = EnumSchema::builder(choices).untitled().build();
    let schema = ElicitationSchema::builder().required_enum_schema(DECISION, choice).build();
    ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: question.text.clone(),
        requested_schema: schema
            .unwrap_or_else(|_| ElicitationSchema::new(std::collections::BTreeMap::new())),
    }
}

/// Reads what a person said; `None` when they said nothing. Whatever is not clearly a yes is none.
fn decision(result: &ElicitResult) -> Option<Decision> {
    match result.action {
        ElicitationAction::Accept => {
            let chosen =
                result.content.as_ref().and_then(|content| content.get(DECISION)).and_then(Value::as_str);
            Some(match chosen {
                Some(ALLOW) => Decision::Allow,
                Some(ALLOW_FOR_SESSION) => Decision::AllowForSession,
                _ => Decision::Deny,
            })
        }
        ElicitationAction::Cancel => None,
        _ => Some(Decision::Deny),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_clear_yes_is_one() {
        let said = |action, content: Value| {
            let result: ElicitResult =
                serde_json::from_value(json!({ "action": action, "content": content })).unwrap();
            decision(&result)
        };
        assert_eq!(said("accept", json!({ "decision": "allow" })), Some(Decision::Allow));
        let session = json!({ "decision": "allow for this session" });
        assert_eq!(said("accept", session), Some(Decision::AllowForSession));
        for content in [json!({ "decision": "deny" }), json!({ "decision": true }), json!({}), json!("allow")]
        {
            assert_eq!(said("accept", content.clone()), Some(Decision::Deny), "{content}");
        }
        assert_eq!(said("decline", json!({ "decision": "allow" })), Some(Decision::Deny));
        assert_eq!(said("cancel", json!({ "decision": "allow" })), None);
    }
}
