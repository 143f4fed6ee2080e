//! Section 5 again: what a delegate that misbehaves cannot do.

use std::time::Duration;

use futures::future::join_all;

use super::delegate::{RecordingDelegate, Seen};
use super::harness::{Harness, LONG, completed, run, start, terminated, text_of};
use crate::{CellResponse, SessionState, TerminationReason, ToolCallId};

const GRACE: Duration = Duration::from_millis(20);

/// A delegate that panics before it returns a future fails that call, and no other.
pub async fn s5_a_panic_before_the_future_fails_one_call(harness: Harness) {
    let session = harness.session().await;
    let source = "const [bad, good] = await Promise.allSettled([tools.panic_at_once(), tools.echo(7)]);
        text([bad.reason.code, bad.reason.message.includes('as it was asked to'), good.value])";
    assert_eq!(text_of(&session, source).await, r#"["internal",true,7]"#);
}

/// A delegate that blocks its thread holds neither the end of its cell nor another cell.
pub async fn s5_a_delegate_that_blocks_its_thread_holds_no_cell(harness: Harness) {
    let session = harness.session_with(|spec| spec.limits.callback_grace = GRACE).await;
    let started = start(&session, "text('before'); await tools.block()").await;
    harness.called(&started.cell_id).await;
    assert_eq!(text_of(&session, "text(await tools.echo('neighbour'))").await, "neighbour");
    let response = terminated(session.terminate(started.cell_id).await.unwrap());
    assert_eq!(response.abandoned.len(), 1);
    assert_eq!(CellResponse::Terminated(response).text(), "before");
    harness.delegate.unblock();
    session.shutdown().await.unwrap();
    assert_eq!(session.state(), SessionState::Closed);
}

/// Nor does it hold a cell that ends by itself, which names it.
pub async fn s5_a_blocked_call_that_nobody_awaits_is_named(harness: Harness) {
    let session = harness.session_with(|spec| spec.limits.callback_grace = GRACE).await;
    let source = "const gate = tools.gate(); tools.block(); await gate; text('done')";
    let started = start(&session, source).await;
    let blocked = Seen::Called(started.cell_id.clone(), "block".into());
    harness.delegate.reached(|seen| *seen == blocked).await;
    harness.delegate.open_gate();
    let completed = completed(started.first_response.await.unwrap());
    assert_eq!(completed.error, None);
    assert!(completed.warnings.iter().any(|warning| warning.contains("abandoned: call-2")), "{completed:?}");
    harness.delegate.unblock();
}

/// Shutdown is over within its time, even when a thread is stuck in the delegate.
pub async fn s5_shutdown_is_over_in_its_time_whatever_the_delegate_does(harness: Harness) {
    let session = harness
        .session_with(|spec| {
            spec.limits.callback_grace = GRACE;
            spec.limits.shutdown_time = Duration::from_millis(500);
        })
        .await;
    let blocked = start(&session, "await tools.block()").await;
    let ignoring = start(&session, "await tools.ignore()").await;
    harness.called(&blocked.cell_id).await;
    harness.called(&ignoring.cell_id).await;
    session.shutdown().await.unwrap();
    for started in [blocked, ignoring] {
        let response = terminated(started.first_response.await.unwrap());
        assert_eq!(response.reason, TerminationReason::Shutdown);
        assert_eq!(response.abandoned, [ToolCallId::new("call-1").unwrap()]);
    }
    harness.delegate.unblock();
}

/// What comes after the token has fired is joined, and changes nothing.
pub async fn s5_an_answer_that_comes_late_changes_nothing(harness: Harness) {
    // Long enough for a call that is answered at once, on a busy machine, too.
    let session = harness.session_with(|spec| spec.limits.tool_time = Some(Duration::from_millis(700))).await;
    let source = "text(await tools.late(1).then(() => 'answered', (e) => e.code)); text(await tools.echo(2))";
    assert_eq!(text_of(&session, source).await, "timed_out\n2");
    let session = harness.session().await;
    let started = start(&session, "text(await tools.late(1))").await;
    harness.called(&started.cell_id).await;
    let response = terminated(session.terminate(started.cell_id).await.unwrap());
    assert!(response.abandoned.is_empty());
    assert_eq!(CellResponse::Terminated(response).text(), "");
}

/// A callback may end its own cell and wait for that: given up after the grace, it stands in nobody's way.
pub async fn s5_a_delegate_may_end_the_cell_that_called_it(harness: Harness) {
    let session = harness.session_with(|spec| spec.limits.callback_grace = GRACE).await;
    let started = start(&session, "text('x'); await tools.end()").await;
    let response = terminated(started.first_response.await.unwrap());
    assert_eq!(response.reason, TerminationReason::Requested);
    assert_eq!(CellResponse::Terminated(response).text(), "x");
}

/// A callback may observe its own cell.
pub async fn s5_a_delegate_may_wait_for_the_cell_that_called_it(harness: Harness) {
    let session = harness.session().await;
    assert_eq!(text_of(&session, "text('so far'); text(await tools.look())").await, "so far\nso far");
}

/// Callbacks of many cells may all call back into their session at once.
pub async fn s5_many_delegates_may_call_back_at_once(harness: Harness) {
    let session = harness.session().await;
    let source = "text(await tools.reenter(\"text(await tools.reenter('text(1)') + '2')\") + '3')";
    let texts = join_all((0..16).map(|_| text_of(&session, source))).await;
    assert!(texts.iter().all(|text| text == "123"), "{texts:?}");
}

/// A notification that the delegate fails to deliver, or panics over, is a warning.
pub async fn s5_notifications_that_fail_are_warnings(harness: Harness) {
    let session = harness
        .session_with(|spec| {
            // A panic that is reported with its backtrace takes its time on a busy machine.
            spec.limits.notify_time = LONG;
        })
        .await;
    let completed = run(&session, "notify('fine'); notify('fail'); notify('panic')").await;
    assert_eq!(completed.error, None);
    let warnings = completed.warnings.join("\n");
    for part in ["not delivered: as it was asked to", "the delegate panicked"] {
        assert!(warnings.contains(part), "{part}: {warnings}");
    }
}

/// Notifications are delivered, or time out.
pub async fn s5_notifications_that_are_never_delivered_time_out(harness: Harness) {
    let session = harness
        .session_with(|spec| {
            spec.limits.notify_time = Duration::from_millis(50);
            spec.limits.callback_grace = GRACE;
        })
        .await;
    let completed = run(&session, "notify('never')").await;
    assert_eq!(completed.error, None);
    let warnings = completed.warnings.join("\n");
    for part in ["1 notifications", "notify_time"] {
        assert!(warnings.contains(part), "{part}: {warnings}");
    }
}

/// A panic in `cell_closed` costs neither the outcome nor the place.
pub async fn s5_a_panic_at_the_close_does_no_harm(harness: Harness) {
    let harness = harness.with(RecordingDelegate::panicking_at_close());
    let session = harness.session_with(|spec| spec.limits.running_cells = 1).await;
    for _ in 0..3 {
        let completed = run(&session, "text('fine')").await;
        let closed = Seen::Closed(completed.observation.cell_id);
        assert_eq!(harness.delegate.seen().iter().filter(|seen| **seen == closed).count(), 1);
    }
    session.shutdown().await.unwrap();
}
