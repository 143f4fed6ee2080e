//! Sections 7, 8 and 10: clocks, limits and bad input.

use std::time::Duration;

use super::harness::{Harness, completed, ended, run, start, terminated, text_of};
use crate::error::{Coded, CreateError, ExecuteError, TerminateError, WaitError};
use crate::{
    CellErrorKind, CellId, ExecuteRequest, SessionSpec, TerminationReason, ToolDescription, ToolName,
    WaitRequest,
};

/// The CPU limit ends a busy cell; waiting for a timer far longer than it costs nothing.
pub async fn s7_cpu_time_is_limited_and_waiting_is_free(harness: Harness) {
    let limit = Duration::from_millis(50);
    let session = harness.session_with(|spec| spec.limits.cpu_time = limit).await;
    let busy = start(&session, "text('so far'); for (;;) {}").await;
    let response = busy.first_response.await.unwrap();
    assert_eq!(response.text(), "so far");
    assert_eq!(terminated(response).reason, TerminationReason::CpuTime { limit });
    let waited =
        run(&session, "await new Promise((resolve) => setTimeout(resolve, 150)); text('waited')").await;
    assert_eq!(waited.error, None);
    assert!(waited.observation.usage.cpu_time < limit);
}

/// Over the limit `execute` is refused, with the names of those that hold the places.
pub async fn s8_running_cells_are_limited_and_named(harness: Harness) {
    let session = harness.session_with(|spec| spec.limits.running_cells = 2).await;
    let first = start(&session, "await tools.gate()").await;
    let second = start(&session, "await tools.gate()").await;
    let refused = session.execute(ExecuteRequest::new("1")).await;
    let Err(ExecuteError::LimitReached(limit)) = refused else { panic!("the third is refused") };
    assert_eq!((limit.limit, limit.maximum), ("running_cells", 2));
    assert_eq!(limit.running, [first.cell_id.clone(), second.cell_id.clone()]);
    harness.delegate.open_gate();
    completed(first.first_response.await.unwrap());
    assert_eq!(text_of(&session, "text('place')").await, "place");
}

/// A heap bomb is one cell's error; its neighbour does not notice.
pub async fn s8_memory_is_limited_for_one_cell_alone(harness: Harness) {
    let session = harness.session_with(|spec| spec.limits.memory_bytes = 16 << 20).await;
    let neighbour = start(&session, "await tools.gate(); text('unharmed')").await;
    harness.called(&neighbour.cell_id).await;
    let bomb = run(&session, "const a = []; for (;;) a.push(new Array(1000).fill(a.length))").await;
    let error = bomb.error.expect("the bomb fails");
    assert_eq!(error.kind, CellErrorKind::OutOfMemory);
    assert!(error.message.contains("memory_bytes"), "{}", error.message);
    let caught = "let a = []; try { for (;;) a.push('x'.repeat(1e6) + a.length) } catch (e) { a = null; text(e.name) }";
    assert_eq!(text_of(&session, caught).await, "InternalError");
    harness.delegate.open_gate();
    assert_eq!(neighbour.first_response.await.unwrap().text(), "unharmed");
}

/// A tool input or result that is too large fails its call, with the limit's name.
pub async fn s8_tool_values_are_limited(harness: Harness) {
    let session = harness.session_with(|spec| spec.limits.tool_value_bytes = 1000).await;
    let source = "
        const code = (promise) => promise.then(() => 'fine', (e) => e.code + ': ' + e.message);
        text(await code(tools.large(900))); text(await code(tools.large(5000))); text(await code(tools.echo('y'.repeat(5000))));";
    let text = text_of(&session, source).await;
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "fine");
    for line in &lines[1..] {
        assert!(line.starts_with("too_large: ") && line.ends_with("`tool_value_bytes` = 1000"), "{line}");
    }
}

/// Calls over the limit wait their turn; none is refused.
pub async fn s8_pending_calls_wait_their_turn(harness: Harness) {
    let session = harness.session_with(|spec| spec.limits.pending_tool_calls = 3).await;
    let source = "const all = await Promise.all(Array.from({ length: 100 }, (_, i) => tools.echo(i))); text(all.reduce((a, b) => a + b))";
    assert_eq!(text_of(&session, source).await, "4950");
}

/// The oldest outcomes go first.
pub async fn s8_outcomes_are_forgotten_over_their_limit(harness: Harness) {
    let session = harness.session_with(|spec| spec.limits.kept_outcomes = 3).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(run(&session, "text('x')").await.observation.cell_id);
    }
    let kept: Vec<_> =
        futures::future::join_all(ids.iter().map(|id| session.wait(WaitRequest::new([id.clone()])))).await;
    assert_eq!(kept.iter().map(Result::is_ok).collect::<Vec<_>>(), [false, false, true, true, true]);
    let gone = session.terminate(ids[0].clone()).await;
    assert!(matches!(gone, Err(TerminateError::OutcomeExpired(_))));
}

/// Each bad request gets an error that names what was wrong, changes nothing and leaves the session usable.
pub async fn s10_bad_requests_name_what_was_wrong(harness: Harness) {
    let session = harness.session_with(|spec| spec.limits.source_bytes = 100).await;
    for (source, named) in [("", "empty"), (" \n\t ", "empty"), (&"x".repeat(101), "source_bytes")] {
        let refused = session.execute(ExecuteRequest::new(source)).await;
        let Err(ExecuteError::InvalidSource(error)) = refused else { panic!("the source is refused") };
        assert!(error.problem.contains(named), "{error}");
    }
    let nothing = session.wait(WaitRequest::new([])).await;
    let Err(WaitError::InvalidRequest(error)) = nothing else { panic!("a wait for nothing is refused") };
    assert_eq!(error.field, "cells");
    for id in ["cell-0", "cell-999", "cell-01", "other"] {
        let id = CellId::new(id).unwrap();
        assert!(matches!(session.terminate(id).await, Err(TerminateError::UnknownCell(_))));
    }
    let error = run(&session, "let = 1;\n\n  let let = 2").await.error.expect("it does not parse");
    assert_eq!((error.kind, error.name.as_str()), (CellErrorKind::Syntax, "SyntaxError"));
    assert!(error.location.is_some());
    let error = run(&session, "import fs from 'fs'").await.error.expect("it does not link");
    assert!(error.message.contains("\"fs\""), "{}", error.message);
    let stuck = run(&session, "await new Promise(() => {})").await;
    assert_eq!(stuck.error.map(|error| error.kind), Some(CellErrorKind::Unsettled));
    let huge_wait = ExecuteRequest::new("text('usable')").with_yield_time(Duration::MAX);
    let started = session.execute(huge_wait).await.unwrap();
    assert_eq!(ended(&session, &started.cell_id).await.text(), "usable");
}

/// A specification that no session can be made of says which field and why.
pub async fn s10_bad_specifications_name_what_was_wrong(harness: Harness) {
    let twice = || ToolDescription::new(ToolName::new("same").unwrap(), "");
    let tools = SessionSpec { tools: vec![twice(), twice()], ..SessionSpec::default() };
    let mut no_cells = SessionSpec::default();
    no_cells.limits.running_cells = 0;
    let (mut little, mut much) = (SessionSpec::default(), SessionSpec::default());
    little.limits.memory_bytes = 1024;
    much.limits.memory_bytes = usize::MAX;
    for (spec, field) in [
        (tools, "tools"),
        (no_cells, "limits.running_cells"),
        (little, "limits.memory_bytes"),
        (much, "limits.memory_bytes"),
        (SessionSpec { time_zone: Some("Mars/Olympus".into()), ..SessionSpec::default() }, "time_zone"),
    ] {
        let refused = harness.provider.create(spec, harness.delegate.clone()).await;
        let Err(CreateError::InvalidSpec(error)) = refused else { panic!("the specification is refused") };
        assert_eq!(error.field, field);
        assert_eq!(error.code().to_string(), "CR0004");
    }
}
