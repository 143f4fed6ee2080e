//! Section 5: ending.

use std::time::Duration;

use futures::future::join;

use super::delegate::Seen;
use super::harness::{Harness, completed, ended, event, run, start, terminated, text_of};
use crate::error::ExecuteError;
use crate::{CellResponse, EventKind, ExecuteRequest, SessionState, TerminationReason};

/// Guest code stops wherever it is; what was printed is there.
pub async fn s5_a_loop_is_terminated(harness: Harness) {
    let session = harness.session().await;
    for source in [
        "text('on'); while (true) {}",
        "text('on'); for (;;) { try { throw 1 } catch {} finally { continue } }",
        "text('on'); (async () => { for (;;) await null })(); await new Promise(() => {})",
        "text('on'); /(a+)+b/.test('a'.repeat(40))",
        "text('on'); [].join.call({ length: 2 ** 53 - 1 })",
    ] {
        let started = start(&session, source).await;
        event(&session, &started.cell_id, |kind| matches!(kind, EventKind::Output { .. })).await;
        let response = terminated(session.terminate(started.cell_id).await.unwrap());
        assert_eq!(response.reason, TerminationReason::Requested);
        assert_eq!(CellResponse::Terminated(response).text(), "on");
    }
}

/// Every callback's token fires, and a delegate that heeds it is joined.
pub async fn s5_a_waiting_cell_is_terminated_and_its_callbacks_cancelled(harness: Harness) {
    let session = harness.session().await;
    let started = start(&session, "await Promise.all([tools.hang(), tools.hang()])").await;
    harness.delegate.reached_times(2, |seen| matches!(seen, Seen::Called(..))).await;
    let response = terminated(session.terminate(started.cell_id.clone()).await.unwrap());
    assert!(response.abandoned.is_empty());
    let cancelled = Seen::Cancelled(started.cell_id, "hang".into());
    assert_eq!(harness.delegate.seen().iter().filter(|seen| **seen == cancelled).count(), 2);
}

/// The second gets the same outcome, not an error.
pub async fn s5_a_second_terminate_gets_the_same_outcome(harness: Harness) {
    let session = harness.session().await;
    let started = start(&session, "text('x'); await tools.hang()").await;
    harness.called(&started.cell_id).await;
    let (first, second) =
        join(session.terminate(started.cell_id.clone()), session.terminate(started.cell_id.clone())).await;
    let third = session.terminate(started.cell_id).await;
    for response in [first, second, third] {
        let response = response.unwrap();
        assert_eq!(response.text(), "x");
        assert_eq!(terminated(response).reason, TerminationReason::Requested);
    }
}

/// A natural result that is there first is what a later terminate returns.
pub async fn s5_a_natural_result_beats_a_later_terminate(harness: Harness) {
    let session = harness.session().await;
    let done = run(&session, "text('done')").await;
    let response = session.terminate(done.observation.cell_id).await.unwrap();
    assert_eq!(completed(response).error, None);
}

/// After the grace a callback is given up, and the outcome says which.
pub async fn s5_a_callback_that_ignores_its_token_is_abandoned_and_named(harness: Harness) {
    let session = harness.session_with(|spec| spec.limits.callback_grace = Duration::from_millis(20)).await;
    let started = start(&session, "await tools.ignore()").await;
    harness.called(&started.cell_id).await;
    let response = terminated(session.terminate(started.cell_id).await.unwrap());
    assert_eq!(response.abandoned.len(), 1);
}

/// Shutdown ends what runs, as terminate does, and a second one finds nothing to do.
pub async fn s5_shutdown_ends_every_cell_and_is_idempotent(harness: Harness) {
    let session = harness.session().await;
    let looping = start(&session, "while (true) {}").await;
    let waiting = start(&session, "await tools.hang()").await;
    harness.called(&waiting.cell_id).await;
    let (first, second) = join(session.shutdown(), session.shutdown()).await;
    first.unwrap();
    second.unwrap();
    session.shutdown().await.unwrap();
    assert_eq!(session.state(), SessionState::Closed);
    for started in [looping, waiting] {
        let response = terminated(started.first_response.await.unwrap());
        assert_eq!(response.reason, TerminationReason::Shutdown);
    }
}

/// Dropping the last handle of an ephemeral session does the same without waiting.
pub async fn s5_dropping_the_last_handle_ends_the_cells(harness: Harness) {
    let session = harness.session().await;
    let id = session.id().clone();
    let source = "try { await tools.hang() } catch (error) { text(error.code) }";
    let started = start(&session, source).await;
    harness.called(&started.cell_id).await;
    drop(session);
    let response = started.first_response.await.unwrap();
    if !harness.is_journaled() {
        return assert_eq!(terminated(response).reason, TerminationReason::Shutdown);
    }
    // It only leaves: its cell goes on where the session is resumed, and is told what nobody knows.
    assert!(!response.is_final(), "{response:?}");
    let again = harness.provider.resume(id, harness.delegate.clone()).await.unwrap();
    let end = ended(&again, &started.cell_id).await;
    assert_eq!(end.text(), "outcome_unknown", "{end:?}");
}

/// After shutdown nothing is admitted, and what was is still there to read.
pub async fn s5_a_session_that_is_shut_down_takes_no_cell(harness: Harness) {
    let session = harness.session().await;
    let before = run(&session, "text('before')").await.observation.cell_id;
    session.shutdown().await.unwrap();
    let refused = session.execute(ExecuteRequest::new("text('after')")).await;
    assert!(matches!(refused, Err(ExecuteError::SessionClosed(_) | ExecuteError::ShuttingDown(_))));
    assert_eq!(ended(&session, &before).await.text(), "before");
}

/// `cell_closed` comes exactly once a cell, after its last callback, however the cell ends.
pub async fn s5_cell_closed_comes_once_a_cell(harness: Harness) {
    let session = harness.session().await;
    let mut ids = vec![
        run(&session, "await tools.echo(1)").await.observation.cell_id,
        run(&session, "throw new Error('x')").await.observation.cell_id,
        run(&session, "let x = ;").await.observation.cell_id,
    ];
    let started = start(&session, "await tools.hang()").await;
    harness.called(&started.cell_id).await;
    session.terminate(started.cell_id.clone()).await.unwrap();
    ids.push(started.cell_id);
    session.shutdown().await.unwrap();
    let seen = harness.delegate.seen();
    for id in ids {
        let closed: Vec<_> =
            seen.iter().enumerate().filter(|(_, seen)| **seen == Seen::Closed(id.clone())).collect();
        assert_eq!(closed.len(), 1, "{id}");
        let last = seen.iter().rposition(|seen| match seen {
            Seen::Called(cell, _)
            | Seen::Cancelled(cell, _)
            | Seen::Notified(cell, _)
            | Seen::Closed(cell) => *cell == id,
        });
        assert_eq!(Some(closed[0].0), last, "{id}");
    }
}

/// A panic in a delegate is that call's error.
pub async fn s5_a_panicking_delegate_fails_one_call(harness: Harness) {
    let session = harness.session().await;
    let source = "const [bad, good] = await Promise.allSettled([tools.panic(), tools.echo(7)]); text([bad.reason.code, good.value])";
    assert_eq!(text_of(&session, source).await, r#"["internal",7]"#);
}

/// A callback may use its own session: nothing deadlocks.
pub async fn s5_a_delegate_may_call_back_into_its_session(harness: Harness) {
    let session = harness.session_with(|spec| spec.limits.callback_grace = Duration::from_millis(20)).await;
    assert_eq!(text_of(&session, "text(await tools.reenter(\"text('inner')\"))").await, "inner");
    let started = start(&session, "await tools.shutdown()").await;
    let response = terminated(started.first_response.await.unwrap());
    assert_eq!(response.reason, TerminationReason::Shutdown);
    assert_eq!(session.state(), SessionState::Closed);
}

/// A call that waited its turn when its cell ended never goes out.
pub async fn s5_a_call_is_not_issued_after_its_cell_ended(harness: Harness) {
    let session = harness.session_with(|spec| spec.limits.pending_tool_calls = 1).await;
    let started = start(&session, "await Promise.all([tools.hang(), tools.echo(1), tools.echo(2)])").await;
    harness.called(&started.cell_id).await;
    terminated(session.terminate(started.cell_id.clone()).await.unwrap());
    let calls = harness.delegate.seen().into_iter().filter(|seen| matches!(seen, Seen::Called(..))).count();
    assert!(calls <= 1, "{calls}");
}

/// A cell that ends before its calls are answered has them cancelled, and its author hears of it.
pub async fn s5_calls_that_nobody_awaited_are_cancelled_and_named(harness: Harness) {
    let session = harness.session().await;
    let completed = run(&session, "tools.hang(); await tools.echo(1)").await;
    assert_eq!(completed.error, None);
    assert_eq!(completed.warnings.len(), 1);
    assert!(completed.warnings[0].contains("await") && completed.warnings[0].contains("call-1"));
    // In the order in which they were made: `hang` was there before `echo` was answered.
    let cancelled = Seen::Cancelled(completed.observation.cell_id, "hang".into());
    assert!(harness.delegate.seen().contains(&cancelled));
}

/// A delegate whose future panics as it is dropped loses neither the cell's end nor its place.
pub async fn s5_a_future_that_panics_as_it_is_dropped_does_no_harm(harness: Harness) {
    let session = harness
        .session_with(|spec| {
            spec.limits.callback_grace = Duration::from_millis(20);
            spec.limits.running_cells = 1;
        })
        .await;
    let started = start(&session, "await tools.mine()").await;
    harness.called(&started.cell_id).await;
    terminated(session.terminate(started.cell_id.clone()).await.unwrap());
    assert!(harness.delegate.seen().contains(&Seen::Closed(started.cell_id)));
    assert_eq!(text_of(&session, "text('place')").await, "place");
}
