//! Persistent sessions: what carries over from cell to cell, and in which order they run.

use std::sync::Arc;

use futures::future::join_all;

use super::harness::{Harness, ended, event, run, start, terminated, text_of};
use crate::{CellResponse, CodeModeSession, EventKind, SessionMode};

async fn persistent(harness: &Harness) -> Arc<dyn CodeModeSession> {
    harness.session_with(|spec| spec.mode = SessionMode::Persistent).await
}

/// Variables, functions, classes and closures carry over, and names can be declared again.
pub async fn persistent_a_cell_sees_what_earlier_ones_declared(harness: Harness) {
    let session = persistent(&harness).await;
    run(
        &session,
        "const a = 1; let n = 0; function next() { return ++n } class P { x = a } globalThis.g = 'g';",
    )
    .await;
    assert_eq!(text_of(&session, "text([a, next(), next(), new P().x, g])").await, "[1,1,2,1,\"g\"]");
    assert_eq!(text_of(&session, "const a = 5; text([a, n])").await, "[5,2]");
    assert_eq!(text_of(&session, "text([a, next()])").await, "[5,3]");
    let other = persistent(&harness).await;
    assert_eq!(text_of(&other, "text(typeof next)").await, "undefined");
}

/// What a cell awaited carries over, too: objects of its answers, closures over them.
pub async fn persistent_what_a_tool_answered_carries_over(harness: Harness) {
    let session = persistent(&harness).await;
    run(&session, "const found = await tools.echo({ rows: [1, 2, 3] }); const sum = () => found.rows.reduce((a, b) => a + b)")
        .await;
    assert_eq!(text_of(&session, "found.rows.push(4); text(sum())").await, "10");
}

/// A cell that fails, or calls `exit()`, keeps what it did so far.
pub async fn persistent_a_failed_cell_keeps_what_it_did(harness: Harness) {
    let session = persistent(&harness).await;
    run(&session, "let log = ['begun']").await;
    run(&session, "log.push('before'); null.x; log.push('after')").await;
    run(&session, "log.push('exit'); try { exit() } finally { log.push('finally') }").await;
    run(&session, "let log = ;").await;
    assert_eq!(text_of(&session, "text(log)").await, "[\"begun\",\"before\",\"exit\"]");
}

/// What a terminated cell did to the variables never happened.
pub async fn persistent_a_terminated_cell_leaves_the_variables_alone(harness: Harness) {
    let session = persistent(&harness).await;
    run(&session, "let n = 1; const list = [1]").await;
    let started = start(&session, "n = 2; list.push(2); await tools.hang()").await;
    harness.called(&started.cell_id).await;
    terminated(session.terminate(started.cell_id).await.unwrap());
    let started = start(&session, "n = 3; text('looping'); for (let i = 0; ; i++) list[i % 9] = 3").await;
    event(&session, &started.cell_id, |kind| matches!(kind, EventKind::Output { .. })).await;
    terminated(session.terminate(started.cell_id).await.unwrap());
    assert_eq!(text_of(&session, "text([n, list])").await, "[1,[1]]");
}

/// Cells run one at a time, in the order of their admission.
pub async fn persistent_cells_take_turns_in_order(harness: Harness) {
    let session = persistent(&harness).await;
    let first = start(&session, "const order = []; await tools.gate(); order.push(1); store('by', 1)").await;
    harness.called(&first.cell_id).await;
    let mut waiting = Vec::new();
    for n in 2..6 {
        waiting.push(
            start(&session, &format!("order.push({n}); text([load('by'), order]); store('by', {n})")).await,
        );
    }
    harness.delegate.open_gate();
    let mut texts = Vec::new();
    for started in waiting {
        texts.push(ended(&session, &started.cell_id).await.text());
    }
    assert_eq!(texts, ["[1,[1,2]]", "[2,[1,2,3]]", "[3,[1,2,3,4]]", "[4,[1,2,3,4,5]]"]);
}

/// A cell that waits for its turn can be terminated, which changes nothing for the others.
pub async fn persistent_a_cell_that_waits_for_its_turn_is_terminated(harness: Harness) {
    let session = persistent(&harness).await;
    let first = start(&session, "let seen = []; await tools.gate(); seen.push('first')").await;
    harness.called(&first.cell_id).await;
    let second = start(&session, "seen.push('second')").await;
    let third = start(&session, "seen.push('third'); text(seen)").await;
    let response = terminated(session.terminate(second.cell_id).await.unwrap());
    assert!(response.observation.items.is_empty());
    harness.delegate.open_gate();
    assert_eq!(ended(&session, &third.cell_id).await.text(), "[\"first\",\"third\"]");
}

/// Shutdown ends the cell that runs and those that wait.
pub async fn persistent_shutdown_ends_the_cells_that_wait(harness: Harness) {
    let session = persistent(&harness).await;
    let first = start(&session, "await tools.hang()").await;
    harness.called(&first.cell_id).await;
    let second = start(&session, "text('never')").await;
    session.shutdown().await.unwrap();
    for cell in [first, second] {
        let response = terminated(ended(&session, &cell.cell_id).await);
        assert!(response.observation.items.is_empty());
    }
}

/// A cell that takes its VM with it says that the variables are as before.
pub async fn persistent_a_cell_that_exhausts_its_memory_says_what_became_of_the_variables(harness: Harness) {
    let session = harness
        .session_with(|spec| {
            spec.mode = SessionMode::Persistent;
            spec.limits.memory_bytes = 8 * 1024 * 1024;
        })
        .await;
    run(&session, "let kept = 'kept'; const few = []").await;
    let failed =
        run(&session, "kept = 'changed'; while (true) few.push('x'.repeat(100_000) + few.length)").await;
    assert!(failed.error.is_some());
    let expected =
        if failed.warnings.iter().any(|w| w.contains("as they were before")) { "kept" } else { "changed" };
    assert_eq!(text_of(&session, "few.length = 0; text(kept)").await, expected);
}

/// Variables of many MiB carry over as well.
pub async fn persistent_large_variables_carry_over(harness: Harness) {
    let session = persistent(&harness).await;
    run(&session, "const rows = Array.from({ length: 100_000 }, (_, i) => ({ i, name: 'row ' + i }))").await;
    assert_eq!(text_of(&session, "rows[99_999].name += '!'; text(rows.length)").await, "100000");
    assert_eq!(
        text_of(&session, "text([rows[99_999], rows[5].name])").await,
        "[{\"i\":99999,\"name\":\"row 99999!\"},\"row 5\"]"
    );
}

/// Whenever cells are terminated, what the others did is there, in order, and nothing of them.
pub async fn persistent_terminations_leave_what_the_other_cells_did(harness: Harness) {
    let session = persistent(&harness).await;
    run(&session, "const done = []").await;
    let mut cells = Vec::new();
    for n in 0..40 {
        let source = format!("done.push({n}); await tools.echo({n}); for (let i = 0; i < {}; i++);", n * 500);
        cells.push(start(&session, &source).await.cell_id);
    }
    // Some while they wait for their turn, some while they run, some after their end.
    let terminations = cells.iter().step_by(3).rev().map(|cell_id| session.terminate(cell_id.clone()));
    join_all(terminations).await.into_iter().for_each(|response| drop(response.unwrap()));
    let mut completed = Vec::new();
    for (n, cell_id) in cells.iter().enumerate() {
        if matches!(ended(&session, cell_id).await, CellResponse::Completed(_)) {
            completed.push(n);
        }
    }
    assert!(completed.len() >= 26, "those that nobody terminated complete: {completed:?}");
    assert_eq!(text_of(&session, "text(done)").await, format!("{completed:?}").replace(' ', ""));
}
