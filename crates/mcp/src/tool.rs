//! The three tools that every client sees first: their names, in this order, what is said of them, and what they do.
//!
//! Descriptions stay under 1,000 characters, since some clients cut at 1,024; the guide says the rest.

use std::sync::Arc;
use std::time::Duration;

use carrel_contract::{CellId, CellResponse, ExecuteRequest, WaitRequest};
use rmcp::RoleServer;
use rmcp::model::{CallToolResponse, CallToolResult, ContentBlock, JsonObject, Tool, ToolAnnotations};
use rmcp::service::RequestContext;
use serde_json::{Value, json};

use crate::answer;
use crate::arguments::{Exec, Search, Wait};
use crate::ask::{self, Answers, Asking};
use crate::client::{self, Patience};
use crate::connection::Connection;
use crate::face::Shared;
use crate::refusal::Refusal;
use crate::sessions::Session;
use crate::task;

pub(crate) const EXEC: &str = "exec";
pub(crate) const WAIT: &str = "wait";
pub(crate) const SEARCH: &str = "search_tools";

/// Tools that a search names unless it is told how many, and at most.
const FOUND: usize = 10;
const MAX_FOUND: usize = 50;
/// What the declarations of a search may take, in tokens of four bytes.
const DECLARATION_TOKENS: usize = 1_200;
/// The longest that `exec` lets a cell run before it says that it runs on, unless it is told otherwise.
const YIELD_TIME: Duration = Duration::from_secs(10);

/// Returns the tools as they are listed.
pub(crate) fn list() -> Vec<Tool> {
    vec![exec_tool(), wait_tool(), search_tool()]
}

fn exec_tool() -> Tool {
    let schema = json!({
        "type": "object",
        "properties": {
            "code": { "type": "string", "description": "The cell: a JavaScript or TypeScript module. Top-level await works. Show results with text(value) or `export default value`." },
            "session_id": { "type": "string", "description": "The session to run in, as an earlier answer named it. By default this connection's own." },
            "yield_time_ms": { "type": "integer", "minimum": 0, "description": "Answer after this time at the latest, while the cell runs on. 10000 by default." },
            "max_output_tokens": { "type": "integer", "minimum": 0, "description": "The most output to show. What is left out can be read later." },
            "idempotency_key": { "type": "string", "pattern": "^[A-Za-z0-9_.:-]{1,128}$", "description": "Names this call within session_id, which has to be given: made again with the same key and code, it runs nothing and answers with the program of the first." },
        },
        "required": ["code"],
        "additionalProperties": false,
    });
    tool(
        EXEC,
        "Runs a program in a sandbox that calls tools as `await tools.NAME(args)`, in loops, side by side \
         (Promise.all), with what one returns passed to the next; only what it shows comes back. Find tools and their \
         types with search_tools, or inside with `await tools.$search(\"words\")`. Show results with text(value), \
         image(), or `export default value`. store(key, value) and load(key) keep values between programs of a session. \
         There is no network, no file, no import: tools are the only way out. A failing tool rejects with a ToolError. A \
         program that takes long goes on by itself: the answer names its cell_id for wait.",
        schema,
        cell_schema(true),
        ToolAnnotations::new().read_only(false).destructive(true).idempotent(false).open_world(true),
    )
}

fn wait_tool() -> Tool {
    let schema = json!({
        "type": "object",
        "properties": {
            "session_id": { "type": "string", "description": "The session, as exec named it." },
            "cell_id": { "type": "string", "description": "The cell to wait for." },
            "cell_ids": { "type": "array", "items": { "type": "string" }, "description": "Several cells, instead of cell_id." },
            "until": { "type": "string", "enum": ["all_ended", "any_ended", "any_output", "deadline"], "description": "What ends the wait early. all_ended by default." },
            "after": { "type": "integer", "minimum": 0, "description": "Show output after this cursor again, instead of what is new." },
            "yield_time_ms": { "type": "integer", "minimum": 0, "description": "Answer after this time at the latest. As long as this server allows by default." },
            "max_output_tokens": { "type": "integer", "minimum": 0, "description": "The most output to show of each cell." },
            "terminate": { "type": "boolean", "description": "End the cells now. What they did through tools stays done." },
        },
        "required": ["session_id"],
        "additionalProperties": false,
    });
    let output = json!({
        "type": "object",
        "properties": {
            "session_id": { "type": "string" },
            "cells": { "type": "array", "items": cell_schema(false) },
        },
        "required": ["session_id", "cells"],
    });
    tool(
        WAIT,
        "Waits for cells that exec left running, and returns what they showed since the last answer and how they ended. \
         It returns as soon as they end. Cells outlive connections and restarts of this server: name them again. With \
         `terminate: true` it ends them.",
        schema,
        output,
        // It can end a cell, whose uncommitted stores are then dropped.
        ToolAnnotations::new().read_only(false).destructive(true).idempotent(true).open_world(false),
    )
}

fn search_tool() -> Tool {
    let schema = json!({
        "type": "object",
        "properties": {
            "query": { "type": "string", "description": "What the tool should do, in a few words." },
            "limit": { "type": "integer", "minimum": 1, "maximum": MAX_FOUND, "description": "The most tools to name. 10 by default." },
        },
        "required": ["query"],
        "additionalProperties": false,
    });
    let output = json!({
        "type": "object",
        "properties": {
            "tools": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": { "name": { "type": "string" }, "description": { "type": "string" } },
                    "required": ["name", "description"],
                },
            },
            "declarations": { "type": "string", "description": "TypeScript, of the best of them." },
            "missing": { "type": "array", "items": { "type": "string" }, "description": "Servers whose tools are not there, and why." },
        },
        "required": ["tools", "declarations"],
    });
    tool(
        SEARCH,
        "Finds tools that programs run by exec can call, best first, with TypeScript declarations of the best. They are \
         called inside a program only, as `await tools.NAME(args)`.",
        schema,
        output,
        ToolAnnotations::new().read_only(true).idempotent(true).open_world(false),
    )
}

fn tool(
    name: &'static str,
    description: &'static str,
    input: Value,
    output: Value,
    hints: ToolAnnotations,
) -> Tool {
    let object = |schema: Value| -> Arc<JsonObject> {
        match schema {
            Value::Object(object) => Arc::new(object),
            _ => Arc::default(),
        }
    };
    Tool::new(name, description, object(input)).with_raw_output_schema(object(output)).with_annotations(hints)
}

/// What is said of a cell; with its session where it stands alone.
fn cell_schema(with_session: bool) -> Value {
    let mut schema = json!({
        "type": "object",
        "properties": {
            "cell_id": { "type": "string" },
            "status": { "type": "string", "enum": ["running", "completed", "failed", "terminated"] },
            "output": { "type": "string", "description": "The text it showed since the last answer." },
            "result": { "description": "What it exported by default." },
            "error": {
                "type": "object",
                "properties": {
                    "name": { "type": "string" },
                    "message": { "type": "string" },
                    "stack": { "type": "string" },
                },
                "required": ["name", "message"],
            },
            "reason": { "type": "string", "description": "Why it was terminated." },
            "notes": { "type": "array", "items": { "type": "string" }, "description": "What else should be known." },
            "omitted_bytes": { "type": "integer", "description": "Output that is not shown." },
            "cursor": { "type": "integer", "description": "Where the shown output ends." },
            "elapsed_ms": { "type": "integer" },
            "tool_calls": { "type": "integer" },
        },
        "required": ["cell_id", "status", "output", "cursor"],
    });
    if with_session
        && let (Some(Value::Object(properties)), id) =
            (schema.get_mut("properties"), json!({ "type": "string" }))
    {
        properties.insert("session_id".to_owned(), id);
    }
    schema
}

/// Runs a cell. Cancelling the call, or closing the connection, leaves the cell running.
pub(crate) async fn exec(
    connection: &Connection,
    arguments: Exec,
    answers: Option<Answers>,
    context: &RequestContext<RoleServer>,
    patience: Patience,
) -> Result<CallToolResponse, Refusal> {
    let shared = connection.face.shared();
    let person = ask::attend(shared, context);
    let limits = client::limits(shared, context);
    if answers.is_none() {
        shared.supply.ready_for(&arguments.code, &shared.catalogue, patience.servers).await?;
    }
    let yield_time = arguments.yield_time_ms.map_or(YIELD_TIME, Duration::from_millis);
    let tokens = arguments.max_output_tokens.unwrap_or(limits.output_tokens);
    if let Some(answers) = answers {
        // The cell runs: the call comes a second time with what a person said.
        let (session, asking) = Asking::resume(shared, person, answers, patience).await?;
        let request = WaitRequest::new(asking.cells().iter().cloned())
            .with_yield_time(yield_time.min(patience.left()))
            .with_max_output_tokens(tokens);
        let waited = session.session.wait(request);
        return match asking.through(waited, &session, context).await {
            Ok(response) => {
                let response = response.map_err(|error| Refusal::failed(&error))?;
                let cell = response.cells.first().ok_or_else(|| Refusal::new("failed to find the cell"))?;
                Ok(answered(shared, &session, cell, context))
            }
            Err(question) => Ok(question.into()),
        };
    }
    let session = match &arguments.session_id {
        Some(handle) => shared.sessions.named(handle, patience.servers).await?,
        // Another connection could not find the session that this one has.
        None if arguments.idempotency_key.is_some() => {
            return Err(Refusal::new("failed to take the request: `idempotency_key` counts within a session, and there is no `session_id`")
                .advise("call `exec` once without a key, as with the code `0`, and pass the `session_id` that it returns"));
        }
        None => connection.own_session(patience).await?,
    };
    let mut request = ExecuteRequest::new(arguments.code)
        .with_yield_time(yield_time.min(patience.left()))
        .with_max_output_tokens(tokens);
    request.idempotency_key = arguments.idempotency_key;
    let started = session.session.execute(request).await.map_err(|error| Refusal::failed(&error))?;
    shared.sessions.keep_until_ended(&session, &started.cell_id);
    let asking = Asking::new(shared, person, &session, vec![started.cell_id]);
    match asking.through(started.first_response, &session, context).await {
        Ok(response) => {
            let response = response.map_err(|error| Refusal::failed(&error))?;
            Ok(answered(shared, &session, &response, context))
        }
        Err(question) => Ok(question.into()),
    }
}

/// Returns what a call of `exec` is answered with: of a cell that runs on, a task where the client has such.
fn answered(
    shared: &Shared,
    session: &Session,
    response: &CellResponse,
    context: &RequestContext<RoleServer>,
) -> CallToolResponse {
    if !response.is_final() && task::is_supported(context) {
        return CallToolResponse::Task(task::create(shared, session, response));
    }
    answer::of_exec(shared, session, response).into()
}

/// Waits for cells, or ends them.
pub(crate) async fn wait(
    connection: &Connection,
    arguments: Wait,
    answers: Option<Answers>,
    context: &RequestContext<RoleServer>,
    patience: Patience,
) -> Result<CallToolResponse, Refusal> {
    let shared = connection.face.shared();
    let person = ask::attend(shared, context);
    let (session, asking) = match answers {
        Some(answers) => Asking::resume(shared, person, answers, patience).await?,
        None => {
            let session = shared.sessions.named(&arguments.session_id, patience.servers).await?;
            let cells: Vec<CellId> = arguments.cell_id.into_iter().chain(arguments.cell_ids).collect();
            if cells.is_empty() {
                let message = "failed to wait: name the cell in `cell_id`, or several in `cell_ids`";
                return Err(Refusal::new(message));
            }
            if arguments.terminate {
                terminate(&session, &cells).await?;
            }
            let asking = Asking::new(shared, person, &session, cells);
            (session, asking)
        }
    };
    let yield_time = arguments.yield_time_ms.map_or(Duration::MAX, Duration::from_millis);
    let tokens = client::limits(shared, context).output_tokens;
    let mut request = WaitRequest::new(asking.cells().iter().cloned())
        .until(arguments.until)
        .with_yield_time(yield_time.min(patience.left()))
        .with_max_output_tokens(arguments.max_output_tokens.unwrap_or(tokens));
    if let Some(after) = arguments.after {
        request = request.after(after);
    }
    let response = match asking.through(session.session.wait(request), &session, context).await {
        Ok(response) => response.map_err(|error| Refusal::failed(&error))?,
        Err(question) => return Ok(question.into()),
    };
    for cell in response.cells.iter().filter(|cell| !cell.is_final()) {
        shared.sessions.keep_until_ended(&session, &cell.observation().cell_id);
    }
    Ok(answer::of_wait(shared, &session, &response).into())
}

async fn terminate(session: &Session, cells: &[CellId]) -> Result<(), Refusal> {
    let ends = cells.iter().map(|cell| session.session.terminate(cell.clone()));
    for ended in futures::future::join_all(ends).await {
        ended.map_err(|error| Refusal::failed(&error))?;
    }
    Ok(())
}

/// Finds tools, when the servers that have them are there. What is missing after a while is said.
pub(crate) async fn search(
    connection: &Connection,
    arguments: &Search,
    patience: Patience,
) -> CallToolResult {
    let shared = connection.face.shared();
    shared.supply.ready(patience.servers).await.ok();
    let limit = arguments.limit.unwrap_or(FOUND).clamp(1, MAX_FOUND);
    let found = shared.catalogue.search(&arguments.query, limit, DECLARATION_TOKENS);
    let mut text = String::new();
    if found.names.is_empty() {
        text.push_str("no tool was found: try other words for what it does\n");
    }
    for (name, summary) in &found.names {
        text.push_str(&format!("{name}: {summary}\n"));
    }
    let declarations = found.declarations;
    if !declarations.is_empty() {
        text.push_str(&format!("\n```ts\n{declarations}```\n"));
    }
    let missing = shared.supply.missing();
    for missing in &missing {
        text.push_str(&format!("\n[{missing}]"));
    }
    let tools: Vec<_> =
        found.names.iter().map(|(name, summary)| json!({ "name": name, "description": summary })).collect();
    let mut result = CallToolResult::success(vec![ContentBlock::text(text)]);
    result.structured_content =
        Some(json!({ "tools": tools, "declarations": declarations, "missing": missing }));
    result
}
