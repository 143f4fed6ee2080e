//! What a client is told of cells: blocks for whoever shows them, and the same as an object.

use carrel_contract::{
    CellError, CellErrorKind, CellResponse, ConsoleLevel, Content, Notice, Observation, OutputItem,
    TerminationReason, WaitResponse,
};
use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Map, Value, json};

use crate::ask::Asking;
use crate::face::Shared;
use crate::output;
use crate::sessions::Session;

/// Tells of the cell that `exec` ran.
pub(crate) fn of_exec(shared: &Shared, session: &Session, response: &CellResponse) -> CallToolResult {
    let mut told = Told::default();
    let mut object = told.cell(shared, session, response);
    object.insert("session_id".to_owned(), session.session.id().as_str().into());
    session.saw(response.observation().cursor);
    told.result(Value::Object(object))
}

/// Tells of the cells that were waited for.
pub(crate) fn of_wait(shared: &Shared, session: &Session, response: &WaitResponse) -> CallToolResult {
    let mut told = Told::default();
    let cells: Vec<_> =
        response.cells.iter().map(|response| Value::Object(told.cell(shared, session, response))).collect();
    if let Some(least) = response.cells.iter().map(|cell| cell.observation().cursor).min() {
        session.saw(least);
    }
    told.result(json!({ "session_id": session.session.id().as_str(), "cells": cells }))
}

#[derive(Default)]
struct Told {
    blocks: Vec<ContentBlock>,
    failed: bool,
}

impl Told {
    fn result(self, structured: Value) -> CallToolResult {
        let mut result = CallToolResult::success(self.blocks);
        result.is_error = Some(self.failed);
        result.structured_content = Some(structured);
        result
    }

    /// Tells of one cell, and returns it as an object.
    fn cell(&mut self, shared: &Shared, session: &Session, response: &CellResponse) -> Map<String, Value> {
        let observation = response.observation();
        let (session_id, cell_id) = (session.session.id().as_str(), observation.cell_id.as_str());
        let mut object = Map::new();
        object.insert("cell_id".to_owned(), cell_id.into());
        let output = self.output(&observation.items);
        let mut notes = notices(observation);
        let elapsed = observation.usage.elapsed;
        let took =
            format!("after {:.1} s, {} tool calls", elapsed.as_secs_f64(), observation.usage.tool_calls);
        let (status, line) = match response {
            CellResponse::Yielded(_) => {
                notes.extend(Asking::notes(shared, session, std::slice::from_ref(&observation.cell_id)));
                let line = format!(
                    "cell {cell_id} runs on {took}. To go on: wait({{\"session_id\":\"{session_id}\",\"cell_id\":\"{cell_id}\"}})"
                );
                ("running", line)
            }
            CellResponse::Completed(completed) => {
                if let Some(result) = &completed.result {
                    self.blocks.push(ContentBlock::text(result.as_str()));
                    object.insert("result".to_owned(), result.to_value());
                }
                notes.extend(completed.warnings.iter().map(|warning| format!("warning: {warning}")));
                match &completed.error {
                    None => ("completed", format!("cell {cell_id} completed {took}")),
                    Some(error) => {
                        self.failed = true;
                        self.blocks.push(ContentBlock::text(describe(error)));
                        object.insert("error".to_owned(), error_object(error));
                        ("failed", format!("cell {cell_id} failed {took}"))
                    }
                }
            }
            CellResponse::Terminated(terminated) => {
                let reason = reason(&terminated.reason);
                self.failed |= terminated.reason != TerminationReason::Requested;
                notes.extend(terminated.abandoned.iter().map(|call| {
                    format!("the call {call} did not end in time and was left alone: it may still happen")
                }));
                object.insert("reason".to_owned(), reason.clone().into());
                ("terminated", format!("cell {cell_id} was terminated {took}: {reason}"))
            }
            _ => ("running", format!("cell {cell_id} is in a state that this server does not know")),
        };
        if observation.omitted_bytes > 0 {
            let address = output::address(session.session.id(), &observation.cell_id, 0);
            notes.push(format!(
                "{} bytes of output are not shown: read the resource {address}, or wait with `after` and more \
                 `max_output_tokens`",
                observation.omitted_bytes
            ));
        }
        let mut closing = notes.iter().map(|note| format!("[{note}]\n")).collect::<String>();
        closing.push_str(&format!("[session {session_id}: {line}]"));
        self.blocks.push(ContentBlock::text(closing));

        object.insert("status".to_owned(), status.into());
        object.insert("output".to_owned(), output.into());
        object.insert("notes".to_owned(), notes.into());
        object.insert("omitted_bytes".to_owned(), observation.omitted_bytes.into());
        object.insert("cursor".to_owned(), observation.cursor.0.into());
        let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        object.insert("elapsed_ms".to_owned(), millis.into());
        object.insert("tool_calls".to_owned(), observation.usage.tool_calls.into());
        object
    }

    /// Shows what a cell showed, texts that follow each other as one, and returns all of its text.
    fn output(&mut self, items: &[OutputItem]) -> String {
        let mut all = String::new();
        let mut run = String::new();
        for item in items {
            let block = match &item.content {
                Content::Text { text, level } => {
                    let prefix = level.map(console_prefix).unwrap_or_default();
                    run.push_str(&format!("{prefix}{text}\n"));
                    continue;
                }
                Content::Image { data, mime_type } => ContentBlock::image(data.clone(), mime_type.clone()),
                Content::Audio { data, mime_type } => ContentBlock::audio(data.clone(), mime_type.clone()),
                // A block of a kind that this server does not know is shown as the JSON that it is.
                Content::Block { block } => serde_json::from_str(block.as_str())
                    .unwrap_or_else(|_| ContentBlock::text(block.as_str())),
                _ => continue,
            };
            self.flush(&mut run, &mut all);
            self.blocks.push(block);
        }
        self.flush(&mut run, &mut all);
        all
    }

    fn flush(&mut self, run: &mut String, all: &mut String) {
        if !run.is_empty() {
            all.push_str(run);
            self.blocks.push(ContentBlock::text(std::mem::take(run)));
        }
    }
}

fn console_prefix(level: ConsoleLevel) -> &'static str {
    match level {
        ConsoleLevel::Warn => "warn: ",
        ConsoleLevel::Error => "error: ",
        _ => "",
    }
}

fn notices(observation: &Observation) -> Vec<String> {
    let told = observation.notices.iter().filter_map(|notice| match notice {
        Notice::Recovered { repeated, unknown } => {
            let names = |calls: &[carrel_contract::ToolCallId]| {
                calls.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            };
            let mut text = "the session was lost with its process and goes on where it was".to_owned();
            if !repeated.is_empty() {
                text.push_str(&format!("; calls made again: {}", names(repeated)));
            }
            if !unknown.is_empty() {
                text.push_str(&format!("; calls that may or may not have happened: {}", names(unknown)));
            }
            Some(text)
        }
        Notice::VariablesLost { names, why } => {
            let names = if names.is_empty() { "all".to_owned() } else { names.join(", ") };
            Some(format!(
                "the variables that earlier cells left are lost, and have to be made again: {names} ({why})"
            ))
        }
        _ => None,
    });
    told.collect()
}

fn describe(error: &CellError) -> String {
    let mut text = match error.kind {
        CellErrorKind::Thrown if error.name.is_empty() => format!("uncaught: {}", error.message),
        _ => format!("{}: {}", if error.name.is_empty() { "Error" } else { &error.name }, error.message),
    };
    match (&error.excerpt, error.stack.trim_end(), error.location) {
        (Some(excerpt), ..) => text.push_str(&format!("\n{excerpt}")),
        (None, "", Some(at)) => text.push_str(&format!("\n    at line {}, column {}", at.line, at.column)),
        (None, "", None) => {}
        (None, stack, _) => text.push_str(&format!("\n{stack}")),
    }
    text
}

fn error_object(error: &CellError) -> Value {
    json!({ "name": error.name, "message": error.message, "stack": error.stack })
}

fn reason(reason: &TerminationReason) -> String {
    match reason {
        TerminationReason::Requested => "it was asked for".to_owned(),
        TerminationReason::Shutdown => "its session was shut down".to_owned(),
        TerminationReason::CpuTime { limit } => {
            format!("it computed for longer than {:.0} s, its limit of CPU time", limit.as_secs_f64())
        }
        TerminationReason::StorageFailed { detail } => {
            format!("what it did could not be written down: {detail}")
        }
        _ => "for a reason that this server does not know".to_owned(),
    }
}
