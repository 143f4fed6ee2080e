//! From the contract's words to the journal's, and back.
//!
//! What is read back is checked like anything that comes from outside: a store may be damaged in ways that no checksum
//! shows, or written by another version.

use std::time::Duration;

use carrel_contract::{
    CellError, CellErrorKind, CellId, ConsoleLevel, Content, EventKind, JsonText, Location,
    TerminationReason, ToolCallId, ToolError, ToolErrorCode, Usage,
};
use carrel_journal::Record;
use carrel_journal::record::{self, Answer, CellFailure, Level, Output, Termination, ToolFailure, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::log::Outcome;
use crate::number::CellNumber;

/// A record that cannot be what was written.
#[derive(Debug)]
pub(crate) struct Nonsense(pub(crate) String);

impl<E: std::error::Error> From<E> for Nonsense {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Returns a text; those in blobs were put back before.
pub(crate) fn text(value: Value) -> Result<String, Nonsense> {
    match value {
        Value::Inline(text) => Ok(text),
        Value::Blob { hash, .. } => Err(Nonsense(format!("blob {hash} is not there"))),
    }
}

pub(crate) fn json(value: Value) -> Result<JsonText, Nonsense> {
    Ok(JsonText::parse(&text(value)?)?)
}

pub(crate) fn json_of<T: DeserializeOwned>(value: Value) -> Result<T, Nonsense> {
    Ok(serde_json::from_str(&text(value)?)?)
}

/// Writes one of the contract's types down as JSON.
pub(crate) fn as_json<T: Serialize + ?Sized>(value: &T) -> Value {
    serde_json::to_string(value).unwrap_or_default().into()
}

/// Reads the text form of a unit of one of the contract's enums.
fn unit<T: DeserializeOwned>(name: &str) -> Result<T, Nonsense> {
    Ok(serde_json::from_value(name.into())?)
}

fn unit_name<T: Serialize>(unit: &T) -> String {
    serde_json::to_value(unit).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

pub(crate) fn call_id(id: &str) -> Result<ToolCallId, Nonsense> {
    Ok(ToolCallId::new(id)?)
}

pub(crate) fn content(content: &Content) -> Output {
    match content {
        Content::Text { text, level } => {
            Output::Text { text: text.as_str().into(), level: level.map(level_out) }
        }
        Content::Image { data, mime_type } => {
            Output::Image { data: data.as_str().into(), mime_type: mime_type.clone() }
        }
        Content::Audio { data, mime_type } => {
            Output::Audio { data: data.as_str().into(), mime_type: mime_type.clone() }
        }
        Content::Block { block } => Output::Block { json: block.as_str().into() },
        Content::ImageUrl { url, detail } => {
            Output::ImageUrl { url: url.as_str().into(), detail: unit_name(detail) }
        }
        Content::AudioUrl { url } => Output::AudioUrl { url: url.as_str().into() },
        // A kind that the journal does not know yet is kept as the contract writes it.
        other => Output::Block { json: as_json(other) },
    }
}

pub(crate) fn content_back(output: Output) -> Result<Content, Nonsense> {
    Ok(match output {
        Output::Text { text: value, level } => {
            Content::Text { text: text(value)?, level: level.map(level_back) }
        }
        Output::Image { data, mime_type } => Content::Image { data: text(data)?, mime_type },
        Output::Audio { data, mime_type } => Content::Audio { data: text(data)?, mime_type },
        Output::Block { json: block } => Content::Block { block: json(block)? },
        Output::ImageUrl { url, detail } => Content::ImageUrl { url: text(url)?, detail: unit(&detail)? },
        Output::AudioUrl { url } => Content::AudioUrl { url: text(url)? },
    })
}

fn level_out(level: ConsoleLevel) -> Level {
    match level {
        ConsoleLevel::Debug => Level::Debug,
        ConsoleLevel::Info => Level::Info,
        ConsoleLevel::Warn => Level::Warn,
        ConsoleLevel::Error => Level::Error,
        ConsoleLevel::Log => Level::Log,
    }
}

fn level_back(level: Level) -> ConsoleLevel {
    match level {
        Level::Debug => ConsoleLevel::Debug,
        Level::Log => ConsoleLevel::Log,
        Level::Info => ConsoleLevel::Info,
        Level::Warn => ConsoleLevel::Warn,
        Level::Error => ConsoleLevel::Error,
    }
}

pub(crate) fn tool_error(error: &ToolError) -> ToolFailure {
    ToolFailure {
        message: error.message.as_str().into(),
        code: error.code.as_str().to_owned(),
        retryable: error.retryable,
        data: error.data.as_ref().map(|data| data.as_str().into()),
    }
}

/// What a call came to, as the contract has it.
pub(crate) fn answer_back(answer: Answer) -> Result<Result<JsonText, ToolError>, Nonsense> {
    match answer {
        Answer::Result(value) => Ok(Ok(json(value)?)),
        Answer::Failed(failed) => {
            let code: ToolErrorCode = unit(&failed.code)?;
            let mut error = ToolError::new(code, text(failed.message)?).with_retryable(failed.retryable);
            error.data = failed.data.map(json).transpose()?;
            Ok(Err(error))
        }
    }
}

pub(crate) fn failure(error: &CellError) -> CellFailure {
    CellFailure {
        kind: unit_name(&error.kind),
        name: error.name.clone(),
        message: error.message.as_str().into(),
        stack: error.stack.as_str().into(),
        location: error.location.map(|place| (place.line, place.column)),
        excerpt: error.excerpt.clone(),
    }
}

fn failure_back(failure: CellFailure) -> Result<CellError, Nonsense> {
    let kind: CellErrorKind = unit(&failure.kind)?;
    let mut error = CellError::new(kind, failure.name, text(failure.message)?);
    error.stack = text(failure.stack)?;
    error.excerpt = failure.excerpt;
    error.location = failure.location.map(|(line, column)| Location { line, column });
    Ok(error)
}

/// Returns how a cell ended.
pub(crate) fn outcome(outcome: &Outcome) -> record::Outcome {
    match outcome {
        Outcome::Completed { result, error, warnings } => record::Outcome::Completed {
            result: result.as_ref().map(|json| json.as_str().into()),
            failure: error.as_ref().map(|error| Box::new(failure(error))),
            warnings: warnings.clone(),
        },
        Outcome::Terminated { reason: why, abandoned } => record::Outcome::Terminated {
            reason: reason(why),
            abandoned: abandoned.iter().map(|id| id.as_str().to_owned()).collect(),
        },
    }
}

pub(crate) fn outcome_back(outcome: record::Outcome) -> Result<Outcome, Nonsense> {
    Ok(match outcome {
        record::Outcome::Completed { result, failure, warnings } => Outcome::Completed {
            result: result.map(json).transpose()?,
            error: failure.map(|failure| failure_back(*failure)).transpose()?,
            warnings,
        },
        record::Outcome::Terminated { reason, abandoned } => Outcome::Terminated {
            reason: match reason {
                Termination::Requested => TerminationReason::Requested,
                Termination::Shutdown => TerminationReason::Shutdown,
                Termination::CpuTime { limit_us } => {
                    TerminationReason::CpuTime { limit: Duration::from_micros(limit_us) }
                }
            },
            abandoned: abandoned.iter().map(|id| call_id(id)).collect::<Result<_, _>>()?,
        },
    })
}

/// Returns what was heard of a call while it was under way.
pub(crate) fn status(cell_id: &CellId, kind: &EventKind) -> Record {
    let cell = CellNumber::of(cell_id).unwrap_or_default().0;
    match kind {
        EventKind::PersonAwaited { call_id, question } => {
            let (call_id, question) = (call_id.as_str().to_owned(), question.clone());
            Record::PersonAwaited { cell, call_id, question, decides: None }
        }
        EventKind::ToolProgressed { call_id, progress } => Record::ToolProgressed {
            cell,
            call_id: call_id.as_str().to_owned(),
            percent: progress.percent,
            message: progress.message.clone(),
        },
        EventKind::PersonAnswered { call_id } => {
            Record::PersonAnswered { cell, call_id: call_id.as_str().to_owned(), leaves: None }
        }
        other => Record::Warned { cell, text: format!("an event has no record: {other:?}").into() },
    }
}

/// Returns what a cell used.
pub(crate) fn usage(usage: Usage) -> record::Usage {
    let us = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    record::Usage { cpu_us: us(usage.cpu_time), elapsed_us: us(usage.elapsed), tool_calls: usage.tool_calls }
}

/// Returns why a cell was ended. What could not be written down is never read back.
pub(crate) fn reason(reason: &TerminationReason) -> Termination {
    match reason {
        TerminationReason::Shutdown => Termination::Shutdown,
        TerminationReason::CpuTime { limit } => {
            Termination::CpuTime { limit_us: u64::try_from(limit.as_micros()).unwrap_or(u64::MAX) }
        }
        _ => Termination::Requested,
    }
}
