//! Cells that take long as tasks (the extension of SEP-2663), for clients that support them: such a client asks for the state
//! instead of its model calling `wait`.
//!
//! There is no table of tasks. A task's id names its session and its cell, and its state is read of these: so it is there after
//! the server was killed, and for as long as the cell's outcome is kept.

use carrel_contract::{CellId, CellResponse, Seq, TerminationReason, WaitRequest};
use jiff::Timestamp;
use rmcp::RoleServer;
use rmcp::model::{
    CreateTaskResult, DetailedTask, GetTaskResult, InputResponses, ProtocolVersion, Task, TaskPayload,
    TaskStatus,
};
use rmcp::service::RequestContext;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

use crate::answer;
use crate::ask::{self, Asking};
use crate::client::{self, Patience};
use crate::face::Shared;
use crate::refusal::Refusal;
use crate::sessions::Session;

/// How often a client should ask, in milliseconds.
const POLL_MS: u64 = 1_000;

/// Tells whether the client can be given a task instead of a result.
pub(crate) fn is_supported(context: &RequestContext<RoleServer>) -> bool {
    let is_stateless = context
        .protocol_version()
        .is_some_and(|version| version.as_str() >= ProtocolVersion::V_2026_07_28.as_str());
    is_stateless && context.client_capabilities().is_some_and(|capabilities| capabilities.supports_tasks())
}

/// A task, as its id says.
struct Named {
    session: Arc<Session>,
    cell: CellId,
    created: Timestamp,
}

/// Makes a task of a cell that runs on.
pub(crate) fn create(shared: &Shared, session: &Session, response: &CellResponse) -> CreateTaskResult {
    let observation = response.observation();
    let created = Timestamp::now()
        .checked_sub(jiff::SignedDuration::try_from(observation.usage.elapsed).unwrap_or_default())
        .unwrap_or_else(|_| Timestamp::now());
    let id = format!("{}/{}/{}", session.session.id(), observation.cell_id, created.as_millisecond());
    CreateTaskResult::new(describe(shared, id, created).with_status_message(working(&observation.cell_id)))
}

/// Says how a task stands.
pub(crate) async fn get(
    shared: &Shared,
    id: String,
    context: &RequestContext<RoleServer>,
) -> Result<GetTaskResult, Refusal> {
    let Named { session, cell, created } = named(shared, &id, context).await?;
    let person = ask::attend(shared, context);
    let request = WaitRequest::new([cell.clone()])
        .after(Seq::START)
        .with_yield_time(Duration::ZERO)
        .with_max_output_tokens(client::limits(shared, context).output_tokens);
    let response = session.session.wait(request).await.map_err(|error| Refusal::failed(&error))?;
    let response = response.cells.first().ok_or_else(|| Refusal::new("failed to find the cell"))?;
    let mut task = describe(shared, id, created);
    let payload = match response {
        CellResponse::Yielded(_) => {
            shared.sessions.keep_until_ended(&session, &cell);
            let notes = Asking::notes(shared, &session, std::slice::from_ref(&cell));
            let requests = person.and_then(|person| ask::requests(shared, &session, &cell, person));
            let message = notes.into_iter().next().unwrap_or_else(|| working(&cell));
            task = task.with_status_message(message);
            match requests {
                Some(input_requests) => TaskPayload::InputRequired { input_requests },
                None => TaskPayload::Working,
            }
        }
        CellResponse::Terminated(ended) if ended.reason == TerminationReason::Requested => {
            TaskPayload::Cancelled
        }
        ended => match serde_json::to_value(answer::of_exec(shared, &session, ended)) {
            Ok(Value::Object(result)) => TaskPayload::Completed { result },
            _ => return Err(Refusal::new("failed to write the result down")),
        },
    };
    Ok(GetTaskResult::new(DetailedTask::new(task, payload)))
}

/// Passes on what a person said to what a task asks.
pub(crate) async fn update(
    shared: &Shared,
    id: &str,
    responses: InputResponses,
    context: &RequestContext<RoleServer>,
) -> Result<(), Refusal> {
    let Named { session, cell, .. } = named(shared, id, context).await?;
    ask::answer(shared, &session, &cell, responses, context)
}

/// Ends a task's cell.
pub(crate) async fn cancel(
    shared: &Shared,
    id: &str,
    context: &RequestContext<RoleServer>,
) -> Result<(), Refusal> {
    let Named { session, cell, .. } = named(shared, id, context).await?;
    session.session.terminate(cell).await.map_err(|error| Refusal::failed(&error))?;
    Ok(())
}

async fn named(shared: &Shared, id: &str, context: &RequestContext<RoleServer>) -> Result<Named, Refusal> {
    let parts = parse(id);
    let Some((session, cell, created)) = parts else {
        return Err(Refusal::new(format!("failed to find the task {id:?}: no task has such an id")));
    };
    let session = shared.sessions.named(session, Patience::of(shared, context).servers).await?;
    Ok(Named { session, cell, created })
}

fn parse(id: &str) -> Option<(&str, CellId, Timestamp)> {
    let (session, rest) = id.split_once('/')?;
    let (cell, created) = rest.split_once('/')?;
    let created = Timestamp::from_millisecond(created.parse().ok()?).ok()?;
    Some((session, CellId::new(cell).ok()?, created))
}

fn describe(shared: &Shared, id: String, created: Timestamp) -> Task {
    let now = Timestamp::now().to_string();
    let task = Task::new(id, TaskStatus::Working, created.to_string(), now).with_poll_interval_ms(POLL_MS);
    // From its end on, but that is no earlier than its beginning.
    task.with_ttl_ms(u64::try_from(shared.sessions.outcome_age().as_millis()).unwrap_or(u64::MAX))
}

fn working(cell: &CellId) -> String {
    format!("cell {cell} runs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_its_session_its_cell_and_its_beginning() {
        let (session, cell, created) = parse("session-1/cell:2/1763706600000").unwrap();
        assert_eq!(
            (session, cell.as_str(), created.as_millisecond()),
            ("session-1", "cell:2", 1_763_706_600_000)
        );
        for none in [
            "",
            "session-1",
            "session-1/cell-1",
            "session-1/cell 1/5",
            "session-1/cell-1/x",
            "s/c/9223372036854775807",
        ] {
            assert!(parse(none).is_none(), "{none}");
        }
    }
}
