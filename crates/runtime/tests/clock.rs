//! Times, to the millisecond, under a clock that stands still until everything waits for it.
//!
//! A VM that computes does not hold that clock, so each test waits for an event before it looks at the time.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::sync::Arc;
use std::time::Duration;

use carrel_contract::error::WaitError;
use carrel_contract::testing::{RecordingDelegate, Seen, tool_descriptions};
use carrel_contract::{
    CellId, CellResponse, CodeModeSession, CodeModeSessionProvider, EventKind, ExecuteRequest, Seq,
    SessionSpec, StreamItem, WaitRequest,
};
use carrel_runtime::{InProcessProvider, Options};
use futures::StreamExt;
use tokio::time::{Instant, advance};

async fn session(
    change: impl FnOnce(&mut SessionSpec),
) -> (Arc<dyn CodeModeSession>, Arc<RecordingDelegate>) {
    let delegate = RecordingDelegate::new();
    let mut spec = SessionSpec::default();
    spec.tools = tool_descriptions();
    change(&mut spec);
    let provider = InProcessProvider::new(Options::default()).unwrap();
    let session = provider.create(spec, delegate.clone()).await.unwrap();
    (session, delegate)
}

/// Starts a cell, and waits until its tool was called.
async fn called(session: &Arc<dyn CodeModeSession>, delegate: &RecordingDelegate, source: &str) -> CellId {
    let cell_id = session.execute(ExecuteRequest::new(source)).await.unwrap().cell_id;
    delegate.reached(|seen| matches!(seen, Seen::Called(..))).await;
    cell_id
}

/// Waits for the end of a cell, without a deadline.
async fn ended(session: &Arc<dyn CodeModeSession>) {
    let mut events = session.events(Seq::START);
    while let Some(StreamItem::Event(event)) = events.next().await {
        if let EventKind::CellCompleted { .. } | EventKind::CellTerminated { .. } = event.kind {
            return;
        }
    }
}

async fn outcome(session: &Arc<dyn CodeModeSession>, cell_id: CellId) -> Result<CellResponse, WaitError> {
    let request = WaitRequest::new([cell_id]).after(Seq::START).with_yield_time(Duration::ZERO);
    Ok(session.wait(request).await?.cells.remove(0))
}

#[tokio::test(start_paused = true)]
async fn a_response_is_given_exactly_at_its_yield_time() {
    let (session, delegate) = session(|_| ()).await;
    let cell_id = called(&session, &delegate, "await tools.hang()").await;
    for asked in [Duration::from_millis(1), Duration::from_secs(10), Duration::from_secs(3600)] {
        let begun = Instant::now();
        session.wait(WaitRequest::new([cell_id.clone()]).with_yield_time(asked)).await.unwrap();
        assert_eq!(begun.elapsed(), asked);
    }
}

#[tokio::test(start_paused = true)]
async fn an_outcome_is_kept_for_its_age() {
    let (session, _) = session(|_| ()).await;
    let cell_id = session.execute(ExecuteRequest::new("text('kept')")).await.unwrap().cell_id;
    ended(&session).await;
    advance(Duration::from_secs(7 * 24 * 3600 - 1)).await;
    assert_eq!(outcome(&session, cell_id.clone()).await.unwrap().text(), "kept");
    advance(Duration::from_secs(1)).await;
    assert!(matches!(outcome(&session, cell_id).await, Err(WaitError::OutcomeExpired(_))));
}

#[tokio::test(start_paused = true)]
async fn a_callback_has_its_grace_and_no_more() {
    let (session, delegate) = session(|_| ()).await;
    let cell_id = called(&session, &delegate, "await tools.ignore()").await;
    let begun = Instant::now();
    session.terminate(cell_id).await.unwrap();
    assert_eq!(begun.elapsed(), Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_notification_has_its_time_and_its_grace() {
    let (session, delegate) = session(|_| ()).await;
    let cell_id = session.execute(ExecuteRequest::new("notify('never')")).await.unwrap().cell_id;
    delegate.reached(|seen| matches!(seen, Seen::Notified(..))).await;
    let begun = Instant::now();
    ended(&session).await;
    assert_eq!(begun.elapsed(), Duration::from_secs(6));
    assert!(outcome(&session, cell_id).await.unwrap().is_final());
}

#[tokio::test(start_paused = true)]
async fn a_tool_has_its_time() {
    for (tool, taken) in [("hang", 60), ("ignore", 61)] {
        let (session, delegate) = session(|spec| spec.limits.tool_time = Some(Duration::from_secs(60))).await;
        let source = format!(
            "try {{ await tools.{tool}() }} catch (e) {{ text(e.code + ' ' + e.retryable + ' ' + e.message) }}"
        );
        let begun = Instant::now();
        let cell_id = called(&session, &delegate, &source).await;
        ended(&session).await;
        assert_eq!(begun.elapsed(), Duration::from_secs(taken));
        let text = outcome(&session, cell_id).await.unwrap().text();
        assert!(text.starts_with("timed_out true") && text.contains("`tool_time` = 60s"), "{text}");
    }
}
