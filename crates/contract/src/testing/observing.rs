//! Section 4: observing.

use std::time::Duration;

use futures::StreamExt;
use futures::future::{Either, select};

use super::harness::{Harness, LONG, completed, ended, event, run, start};
use crate::error::WaitError;
use crate::{CellId, CellResponse, EventKind, ExecuteRequest, Read, Seq, StreamItem, WaitRequest, WaitUntil};

/// A wait ends with its condition, not with its deadline.
pub async fn s4_a_wait_returns_as_soon_as_its_condition_holds(harness: Harness) {
    let session = harness.session().await;
    let started = start(&session, "text('first'); await tools.gate(); text('second')").await;
    let wait = |until| WaitRequest::new([started.cell_id.clone()]).until(until).with_yield_time(LONG);
    let output = session.wait(wait(WaitUntil::AnyOutput)).await.unwrap().cells.remove(0);
    assert!(matches!(&output, CellResponse::Yielded(_)));
    assert_eq!(output.text(), "first");
    harness.delegate.open_gate();
    let end = session.wait(wait(WaitUntil::AllEnded)).await.unwrap().cells.remove(0);
    assert_eq!(completed(end).observation.items.len(), 1, "what was given is not given again");
}

/// A wait over several cells ends with any or with all of them, in the order in which they were named.
pub async fn s4_a_wait_can_cover_many_cells(harness: Harness) {
    let session = harness.session().await;
    let slow = start(&session, "await tools.gate(); text('slow')").await.cell_id;
    let quick = start(&session, "text('quick')").await.cell_id;
    let wait = |until| WaitRequest::new([slow.clone(), quick.clone()]).until(until).with_yield_time(LONG);
    let any = session.wait(wait(WaitUntil::AnyEnded)).await.unwrap().cells;
    assert!(matches!(&any[..], [CellResponse::Yielded(_), CellResponse::Completed(_)]));
    harness.delegate.open_gate();
    let all = session.wait(wait(WaitUntil::AllEnded)).await.unwrap().cells;
    assert_eq!(all.iter().map(CellResponse::text).collect::<Vec<_>>(), ["slow", "quick"]);
}

/// Reading an outcome again gives it again, marked as read before.
pub async fn s4_a_finished_cell_can_be_read_again(harness: Harness) {
    let session = harness.session().await;
    let started = start(&session, "text('out'); export default { n: 1 }").await;
    let first = completed(started.first_response.await.unwrap());
    assert!(!first.read_before);
    let request = WaitRequest::new([started.cell_id.clone()]);
    let mut second = completed(session.wait(request).await.unwrap().cells.remove(0));
    assert!(second.read_before);
    second.read_before = false;
    assert_eq!(first, second);
    assert_eq!(first.result.unwrap().as_str(), "{\"n\":1}");
}

/// A look consumes nothing; what it gave is passed over once it is said to be read.
pub async fn s4_a_look_is_read_when_that_is_said(harness: Harness) {
    let session = harness.session().await;
    let started = start(&session, "text('out')").await;
    let look = || session.wait(WaitRequest::new([started.cell_id.clone()]).looking());
    let first = completed(look().await.unwrap().cells.remove(0));
    assert_eq!(first, completed(look().await.unwrap().cells.remove(0)));
    assert!(!first.read_before);
    session.note_read(Read::new(started.cell_id.clone(), first.observation.cursor));
    let again = completed(look().await.unwrap().cells.remove(0));
    assert!(again.read_before);
    assert_eq!(first.observation.items, again.observation.items);
}

/// A cell that never existed is a different error from one whose outcome is forgotten.
pub async fn s4_a_cell_that_never_was_is_another_error_than_one_forgotten(harness: Harness) {
    let session = harness.session_with(|spec| spec.limits.kept_outcomes = 1).await;
    let first = run(&session, "1").await.observation.cell_id;
    run(&session, "2").await;
    run(&session, "3").await;
    let wait = |id: &CellId| session.wait(WaitRequest::new([id.clone()]));
    assert!(matches!(wait(&first).await, Err(WaitError::OutcomeExpired(_))));
    let never = CellId::new("never-was").unwrap();
    assert!(matches!(wait(&never).await, Err(WaitError::UnknownCell(_))));
}

/// An observer that goes away leaves everything to the next.
pub async fn s4_a_dropped_observer_consumes_nothing(harness: Harness) {
    let session = harness.session().await;
    let started = start(&session, "text('kept'); await tools.gate()").await;
    harness.called(&started.cell_id).await;
    let waiting = session.wait(WaitRequest::new([started.cell_id.clone()]).with_yield_time(LONG));
    let Either::Right((_, waiting)) = select(waiting, std::future::ready(())).await else {
        panic!("the wait goes on")
    };
    drop(waiting);
    drop(started.first_response);
    harness.delegate.open_gate();
    assert_eq!(ended(&session, &started.cell_id).await.text(), "kept");
}

/// `yield_control()` gives the observer what there is, while the cell goes on.
pub async fn s4_yield_control_ends_an_observation(harness: Harness) {
    let session = harness.session().await;
    let started = start(&session, "text('one'); yield_control(); await tools.gate(); text('two')").await;
    let first = started.first_response.await.unwrap();
    assert!(matches!(&first, CellResponse::Yielded(_)));
    assert_eq!(first.text(), "one");
    harness.delegate.open_gate();
    let rest = session.wait(WaitRequest::new([started.cell_id]).with_yield_time(LONG)).await.unwrap();
    assert_eq!(rest.cells[0].text(), "two");
}

/// The yield time holds under a CPU-bound cell, and under one that prints without end.
pub async fn s4_a_busy_cell_yields_at_its_time(harness: Harness) {
    let session = harness.session().await;
    for source in ["text('busy'); while (true) {}", "for (;;) text('busy')"] {
        let request = ExecuteRequest::new(source).with_yield_time(Duration::ZERO);
        let started = session.execute(request).await.unwrap();
        assert!(matches!(started.first_response.await.unwrap(), CellResponse::Yielded(_)));
        event(&session, &started.cell_id, |kind| matches!(kind, EventKind::Output { .. })).await;
        let wait = WaitRequest::new([started.cell_id.clone()]).after(Seq::START).until(WaitUntil::Deadline);
        let response = session.wait(wait.with_yield_time(Duration::from_millis(30))).await.unwrap();
        assert!(matches!(&response.cells[..], [CellResponse::Yielded(_)]));
        assert!(response.cells[0].text().starts_with("busy"));
        session.terminate(started.cell_id).await.unwrap();
    }
}

/// The log has everything that happened, without a gap, and ends with the session.
pub async fn s4_events_tell_the_whole_story_in_order(harness: Harness) {
    let session = harness.session().await;
    let started = start(&session, "text('a'); await tools.echo(1); notify('n'); yield_control()").await;
    ended(&session, &started.cell_id).await;
    session.shutdown().await.unwrap();
    let items: Vec<_> = session.events(Seq::START).collect().await;
    let mut names = Vec::new();
    for (n, item) in (1..).zip(items) {
        let StreamItem::Event(event) = item else { panic!("nothing is missed") };
        assert_eq!(event.seq, Seq(n));
        names.push(match event.kind {
            EventKind::CellAdmitted => "admitted",
            EventKind::Output { .. } => "output",
            EventKind::ToolCalled { .. } => "called",
            EventKind::ToolAnswered { error: None, .. } => "answered",
            EventKind::Notified { .. } => "notified",
            EventKind::ControlYielded => "yielded",
            EventKind::CellCompleted { error: None } => "completed",
            other => panic!("nothing else happens, but: {other:?}"),
        });
    }
    assert_eq!(names, ["admitted", "output", "called", "answered", "notified", "yielded", "completed"]);
}

/// A reader that comes late, or is slow, is told which numbers it must do without.
pub async fn s4_a_late_reader_is_told_what_it_missed(harness: Harness) {
    let session = harness.session_with(|spec| spec.limits.kept_events = 5).await;
    run(&session, "for (let i = 0; i < 20; i++) text(i)").await;
    let mut events = session.events(Seq::START);
    // Admission, 20 items, completion: 22 entries, of which the last 5 are kept.
    let missed = StreamItem::Missed { first_missed: Seq(1), last_missed: Seq(17) };
    assert_eq!(events.next().await, Some(missed));
    let Some(StreamItem::Event(next)) = events.next().await else { panic!("the rest follows") };
    assert_eq!(next.seq, Seq(18));
}

/// A reader with a cursor of its own does not move the session's.
pub async fn s4_a_cursor_of_ones_own_moves_nobody_elses(harness: Harness) {
    let session = harness.session().await;
    let started = start(&session, "text('one'); await tools.gate(); text('two')").await;
    harness.called(&started.cell_id).await;
    let far = WaitRequest::new([started.cell_id.clone()]).after(Seq(1000)).with_yield_time(Duration::ZERO);
    assert_eq!(session.wait(far.clone()).await.unwrap().cells[0].text(), "");
    harness.delegate.open_gate();
    ended(&session, &started.cell_id).await;
    session.wait(far).await.unwrap();
    let own = session.wait(WaitRequest::new([started.cell_id])).await.unwrap();
    assert_eq!(own.cells[0].text(), "one\ntwo");
}
