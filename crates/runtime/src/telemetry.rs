//! What an operator sees of sessions: spans through `tracing`, metrics through the facade of `metrics`.
//!
//! Attributes are named after OpenTelemetry's semantic conventions for generative AI where these have a name
//! (`gen_ai.…`, `error.type`, as of version 1.38), else `carrel.…`. What a model or a tool said is in none of them.
//! docs/observability.md has the tables.

use std::time::Duration;

use carrel_contract::error::{Coded, ExecuteError};
use carrel_contract::{
    CellErrorKind, CellId, SessionId, SessionMode, TerminationReason, ToolCallId, ToolError, ToolName,
};
use metrics::{Gauge, counter, gauge, histogram};
use tokio::time::Instant;
use tracing::{Span, field, info_span};

use crate::log::Outcome;

/// One more of something, until it is dropped.
pub(crate) struct Counted(Gauge);

impl Counted {
    fn of(gauge: Gauge) -> Self {
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// A session, for as long as it has a handle or a cell.
pub(crate) struct SessionTelemetry {
    span: Span,
    _counted: Counted,
}

impl SessionTelemetry {
    pub(crate) fn new(id: &SessionId, mode: SessionMode) -> Self {
        let span = info_span!(
            parent: None,
            "carrel.session",
            gen_ai.conversation.id = id.as_str(),
            carrel.session.mode = mode_name(mode),
        );
        Self { span, _counted: Counted::of(gauge!("carrel.sessions")) }
    }

    /// A cell was admitted.
    pub(crate) fn cell(&self, session_id: &SessionId, id: &CellId) -> CellTelemetry {
        let span = info_span!(
            parent: &self.span,
            "carrel.cell",
            gen_ai.conversation.id = session_id.as_str(),
            carrel.cell.id = id.as_str(),
            carrel.cell.outcome = field::Empty,
            carrel.cell.cpu_time_us = field::Empty,
            carrel.cell.tool_calls = field::Empty,
            error.type = field::Empty,
        );
        CellTelemetry {
            span,
            begun: Instant::now(),
            cpu_time: Duration::ZERO,
            tool_calls: 0,
            _counted: Counted::of(gauge!("carrel.cells.running")),
        }
    }
}

/// A cell was not admitted.
pub(crate) fn cell_refused(error: &ExecuteError) {
    counter!("carrel.cells.refused", "error.type" => error.code().to_string()).increment(1);
}

/// A cell that runs.
pub(crate) struct CellTelemetry {
    pub(crate) span: Span,
    begun: Instant,
    cpu_time: Duration,
    tool_calls: u64,
    _counted: Counted,
}

impl CellTelemetry {
    pub(crate) fn charge(&mut self, cpu_time: Duration, tool_calls: u64) {
        self.cpu_time += cpu_time;
        self.tool_calls += tool_calls;
    }

    pub(crate) fn ended(&self, outcome: &Outcome) {
        let (name, error) = match outcome {
            Outcome::Completed { error: None, .. } => ("completed", None),
            Outcome::Completed { error: Some(error), .. } => ("failed", Some(error_name(error.kind))),
            Outcome::Terminated { reason, .. } => ("terminated", Some(reason_name(reason))),
        };
        self.span.record("carrel.cell.outcome", name);
        self.span
            .record("carrel.cell.cpu_time_us", u64::try_from(self.cpu_time.as_micros()).unwrap_or(u64::MAX));
        self.span.record("carrel.cell.tool_calls", self.tool_calls);
        if let Some(error) = error {
            self.span.record("error.type", error);
        }
        counter!("carrel.cells", "carrel.cell.outcome" => name, "error.type" => error.unwrap_or(""))
            .increment(1);
        histogram!("carrel.cell.duration", "carrel.cell.outcome" => name).record(self.begun.elapsed());
        histogram!("carrel.cell.cpu_time", "carrel.cell.outcome" => name).record(self.cpu_time);
    }
}

/// A tool call that is under way.
pub(crate) struct CallTelemetry {
    pub(crate) span: Span,
    tool: ToolName,
    begun: Instant,
    _counted: Counted,
}

impl CallTelemetry {
    /// Below the span that the caller is in.
    pub(crate) fn new(tool: &ToolName, id: &ToolCallId) -> Self {
        let span = info_span!(
            "execute_tool",
            otel.name = field::Empty,
            gen_ai.operation.name = "execute_tool",
            gen_ai.tool.name = tool.as_str(),
            gen_ai.tool.call.id = id.as_str(),
            gen_ai.tool.type = "function",
            error.type = field::Empty,
        );
        if !span.is_disabled() {
            span.record("otel.name", format!("execute_tool {tool}"));
        }
        Self {
            span,
            tool: tool.clone(),
            begun: Instant::now(),
            _counted: Counted::of(gauge!("carrel.tool_calls.pending")),
        }
    }

    pub(crate) fn answered<T>(&self, result: &Result<T, ToolError>) {
        let error = result.as_ref().err().map_or("", |error| error.code.as_str());
        if !error.is_empty() {
            self.span.record("error.type", error);
        }
        let tool = || self.tool.to_string();
        counter!("carrel.tool_calls", "gen_ai.tool.name" => tool(), "error.type" => error).increment(1);
        histogram!("carrel.tool_call.duration", "gen_ai.tool.name" => tool()).record(self.begun.elapsed());
    }
}

fn mode_name(mode: SessionMode) -> &'static str {
    match mode {
        SessionMode::Persistent => "persistent",
        SessionMode::Fresh => "fresh",
    }
}

fn error_name(kind: CellErrorKind) -> &'static str {
    match kind {
        CellErrorKind::Syntax => "syntax",
        CellErrorKind::Types => "types",
        CellErrorKind::Thrown => "thrown",
        CellErrorKind::OutOfMemory => "out_of_memory",
        CellErrorKind::Unsettled => "unsettled",
        CellErrorKind::StackExhausted => "stack_exhausted",
        _ => "trap",
    }
}

fn reason_name(reason: &TerminationReason) -> &'static str {
    match reason {
        TerminationReason::Shutdown => "shutdown",
        TerminationReason::CpuTime { .. } => "cpu_time",
        _ => "requested",
    }
}
