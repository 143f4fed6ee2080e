//! Sections 1 and 2: the interface, and what of a cell's world reaches through it.

use futures::StreamExt;

use super::delegate::Seen;
use super::harness::{Harness, completed, event, run, start, text_of};
use crate::error::{DeleteError, ResumeError};
use crate::{EventKind, Seq, SessionState, StreamItem};

/// A caller can terminate a cell by its id before the cell's first response.
pub async fn s1_a_cell_has_its_id_before_its_first_response(harness: Harness) {
    let session = harness.session().await;
    let started = start(&session, "await tools.hang()").await;
    let response = session.terminate(started.cell_id.clone()).await.unwrap();
    assert_eq!(response.observation().cell_id, started.cell_id);
    assert!(started.first_response.await.unwrap().is_final());
}

/// Ids are unique within their owner for ever.
pub async fn s1_ids_are_never_used_again(harness: Harness) {
    let session = harness.session().await;
    let mut ids = std::collections::HashSet::new();
    for _ in 0..20 {
        let started = start(&session, "1").await;
        assert!(ids.insert(started.cell_id.clone()));
        started.first_response.await.unwrap();
    }
    let other = harness.session().await;
    assert_ne!(other.id(), session.id());
}

/// A provider lists, resumes and deletes what it keeps, and tells what it never had.
pub async fn s1_a_session_is_listed_resumed_and_deleted(harness: Harness) {
    let session = harness.session().await;
    let id = session.id().clone();
    assert!(harness.provider.list().await.unwrap().contains(&id));
    let again = harness.provider.resume(id.clone(), harness.delegate.clone()).await.unwrap();
    assert_eq!(again.id(), &id);
    assert_eq!(text_of(&again, "text('here')").await, "here");
    harness.provider.delete(id.clone()).await.unwrap();
    assert_eq!(session.state(), SessionState::Closed);
    assert!(!harness.provider.list().await.unwrap().contains(&id));
    assert!(matches!(harness.provider.delete(id.clone()).await, Err(DeleteError::UnknownSession(_))));
    let resumed = harness.provider.resume(id, harness.delegate.clone()).await;
    assert!(matches!(resumed.err(), Some(ResumeError::UnknownSession(_))));
}

/// The log has a cell's admission before anything else of it.
pub async fn s1_a_cell_is_running_before_anything_it_does_reaches_the_delegate(harness: Harness) {
    let session = harness.session().await;
    let started = start(&session, "await tools.echo(1)").await;
    started.first_response.await.unwrap();
    let mut events = session.events(Seq::START);
    let Some(StreamItem::Event(first)) = events.next().await else { panic!("the log has a first event") };
    assert_eq!((first.cell_id, first.kind), (started.cell_id, EventKind::CellAdmitted));
}

/// Values go as JSON; no input means no input.
pub async fn s2_a_tool_call_goes_out_and_its_answer_comes_back(harness: Harness) {
    let session = harness.session().await;
    let text = text_of(
        &session,
        "text(await tools.echo({ a: [1, 'ü', null], d: new Date(0) })); text(await tools.echo()); text(await tools.echo(undefined))",
    )
    .await;
    assert_eq!(text, "{\"a\":[1,\"ü\",null],\"d\":\"1970-01-01T00:00:00.000Z\"}\nnull\nnull");
}

/// A failing tool rejects with a `ToolError` that says which tool, why and whether to try again.
pub async fn s2_a_failing_tool_rejects_with_a_tool_error(harness: Harness) {
    let session = harness.session().await;
    let text = text_of(
        &session,
        "try { await tools.fail({ x: 1 }) } catch (e) {
           text([e instanceof ToolError, e instanceof Error, e.name, e.message, e.tool, e.code, e.retryable, e.data])
         }",
    )
    .await;
    assert_eq!(text, r#"[true,true,"ToolError","it failed","fail","failed",true,{"x":1}]"#);
}

/// Calls that are not awaited one by one are under way together.
pub async fn s2_calls_run_side_by_side(harness: Harness) {
    let session = harness.session().await;
    let source = "const all = [1, 2, 3].map((n) => tools.gate(n)); text(await Promise.all(all))";
    let started = start(&session, source).await;
    let is_called = |kind: &EventKind| matches!(kind, EventKind::ToolCalled { call_id, .. } if call_id.as_str().ends_with('3'));
    event(&session, &started.cell_id, is_called).await;
    harness.delegate.open_gate();
    let response = started.first_response.await.unwrap();
    assert_eq!(response.text(), "[1,2,3]");
    assert_eq!(response.observation().usage.tool_calls, 3);
}

/// An unknown name throws a `TypeError` that lists the nearest names.
pub async fn s2_an_unknown_tool_names_the_nearest(harness: Harness) {
    let session = harness.session().await;
    let error = run(&session, "text('before');\nawait tools.ecoh(1)").await.error.expect("the cell fails");
    assert_eq!(error.name, "TypeError");
    assert!(error.message.contains("\"ecoh\"") && error.message.contains("echo"), "{}", error.message);
    assert_eq!(error.location.map(|at| at.line), Some(2));
}

/// A notification does not wait for the cell's end.
pub async fn s2_notifications_arrive_while_the_cell_runs(harness: Harness) {
    let session = harness.session().await;
    let started = start(&session, "notify('half way'); await tools.gate()").await;
    harness.called(&started.cell_id).await;
    harness.delegate.open_gate();
    completed(started.first_response.await.unwrap());
    assert!(harness.delegate.seen().contains(&Seen::Notified(started.cell_id, "half way".into())));
}

/// A session's cells have the time zone that it was made with.
pub async fn s2_local_times_are_of_the_sessions_zone(harness: Harness) {
    let source = "text(new Date(0).getHours()); text(new Date(0).toLocaleTimeString())";
    let session = harness.session_with(|spec| spec.time_zone = Some("Asia/Tokyo".into())).await;
    assert_eq!(text_of(&session, source).await, "9\n9:00:00 AM");
    let session = harness.session().await;
    assert_eq!(text_of(&session, source).await, "0\n12:00:00 AM");
}
