//! What a cell is told of a call that was not made, or whose result it does not get.
//!
//! Each message says first whether the tool was called, then why, then whether trying again helps: the model reads
//! nothing else. `data.refused_by` is for programs.

use std::time::Duration;

use carrel_contract::{JsonText, ToolError, ToolErrorCode, ToolName};
use serde_json::json;

use super::meter::Reached;

/// Who refused.
#[derive(Clone, Copy, Debug)]
enum By {
    Policy,
    Limit,
    Person,
    Nobody,
}

fn refused(by: By, rule: &str, message: String) -> ToolError {
    let by = match by {
        By::Policy => "policy",
        By::Limit => "limit",
        By::Person => "person",
        By::Nobody => "unattended",
    };
    ToolError::new(ToolErrorCode::Denied, message)
        .with_data(JsonText::from_value(&json!({ "refused_by": by, "rule": rule })))
}

fn because(rule: &str, reason: Option<&str>) -> String {
    reason.map_or_else(|| rule.to_owned(), |reason| format!("{rule}: {reason}"))
}

pub(super) fn by_policy(tool: &ToolName, rule: &str, reason: Option<&str>) -> ToolError {
    let because = because(rule, reason);
    let message =
        format!("`{tool}` was not called: the policy denies it ({because}). Calling it again does not help");
    refused(By::Policy, rule, message)
}

pub(super) fn unknown(tool: &ToolName) -> ToolError {
    let message =
        format!("`{tool}` was not called: the policy knows no such tool, and denies what it does not know");
    refused(By::Policy, "unknown tool", message)
}

pub(super) fn by_person(tool: &ToolName, rule: &str, reason: Option<&str>) -> ToolError {
    let because = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    let message = format!(
        "`{tool}` was not called: a person was asked and refused it{because}. The same call is refused for as long as \
         this cell runs"
    );
    refused(By::Person, rule, message)
}

pub(super) fn again_by_person(tool: &ToolName, rule: &str) -> ToolError {
    let message = format!(
        "`{tool}` was not called: a person refused this same call earlier in this cell. Calling it again does not help"
    );
    refused(By::Person, rule, message)
}

pub(super) fn unattended(tool: &ToolName, rule: &str, reason: Option<&str>, hint: Option<&str>) -> ToolError {
    let because = because(rule, reason);
    let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
    let message = format!(
        "`{tool}` was not called: a person has to allow it ({because}), and nobody is there to be asked. Calling it \
         again does not help{hint}"
    );
    refused(By::Nobody, rule, message)
}

pub(super) fn limit_reached(tool: &ToolName, rule: &str, reached: &Reached) -> ToolError {
    let Reached { limit, value, after, .. } = reached;
    let then = match after {
        Some(after) => format!("A call fits again in {} s", after.as_secs_f64().ceil()),
        None if *limit == "calls_per_cell" => "No further call fits in this cell".to_owned(),
        None => "No further call fits in this session".to_owned(),
    };
    let message =
        format!("`{tool}` was not called: `{limit}` = {value} of the policy ({rule}) is reached. {then}");
    refused(By::Limit, rule, message).with_retryable(after.is_some())
}

pub(super) fn input_too_large(tool: &ToolName, rule: &str, bytes: usize, limit: usize) -> ToolError {
    let message = format!(
        "`{tool}` was not called: its input has {bytes} bytes, more than `input_bytes` = {limit} of the policy ({rule})"
    );
    ToolError::new(ToolErrorCode::TooLarge, message)
}

pub(super) fn result_too_large(tool: &ToolName, rule: &str, bytes: usize, limit: usize) -> ToolError {
    let message = format!(
        "`{tool}` was called, but its result has {bytes} bytes, more than `result_bytes` = {limit} of the policy \
         ({rule}), and was dropped. Ask for less at a time"
    );
    ToolError::new(ToolErrorCode::TooLarge, message)
}

/// Drops what a failed call says when it is too much. What kind of failure it is stays.
pub(super) fn bounded_failure(tool: &ToolName, rule: &str, error: ToolError, limit: usize) -> ToolError {
    let bytes = error.message.len() + error.data.as_ref().map_or(0, |data| data.as_str().len());
    if bytes <= limit {
        return error;
    }
    let message = format!(
        "`{tool}` failed, and what is said of it has {bytes} bytes, more than `result_bytes` = {limit} of the policy \
         ({rule}), and was dropped"
    );
    ToolError::new(error.code, message).with_retryable(error.retryable)
}

pub(super) fn timed_out(tool: &ToolName, rule: &str, limit: Duration, repeatable: bool) -> ToolError {
    let message = format!(
        "`{tool}` was called, took longer than `call_seconds` = {} of the policy ({rule}), and was told to stop: what it \
         does may or may not have happened",
        limit.as_secs_f64()
    );
    ToolError::new(ToolErrorCode::TimedOut, message).with_retryable(repeatable)
}

pub(super) fn cancelled(tool: &ToolName) -> ToolError {
    ToolError::new(ToolErrorCode::Cancelled, format!("`{tool}` was not called: its cell ended first"))
}
