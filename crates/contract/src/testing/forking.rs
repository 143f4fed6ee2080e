//! Forks: sessions that are another up to an event of its log.

use std::sync::Arc;

use super::delegate::Seen;
use super::harness::{Harness, LONG, completed, ended, event, run, start, terminated, text_of};
use crate::error::ForkError;
use crate::{
    CellId, CodeModeSession, EventKind, ForkRequest, Notice, Seq, SessionId, SessionMode, SessionName,
    WaitRequest,
};

/// Forks a session, and brings the fork to life.
async fn forked(harness: &Harness, request: ForkRequest) -> Arc<dyn CodeModeSession> {
    let id = harness.provider.fork(request).await.expect("the session is forked");
    harness.provider.resume(id, harness.delegate.clone()).await.expect("the fork is resumed")
}

fn of(session: &Arc<dyn CodeModeSession>) -> ForkRequest {
    ForkRequest::new(session.id().clone())
}

/// Sessions that are not journaled have no log to fork.
async fn is_refused(harness: &Harness, session: &Arc<dyn CodeModeSession>) -> bool {
    if harness.is_journaled() {
        return false;
    }
    let refused = harness.provider.fork(of(session)).await;
    assert!(matches!(refused, Err(ForkError::Unsupported(_))), "{refused:?}");
    true
}

/// A fork has what was there up to the event, and nothing after it; both go on by themselves.
pub async fn fork_goes_on_from_an_event_of_the_other(harness: Harness) {
    let session = harness.session().await;
    if is_refused(&harness, &session).await {
        return;
    }
    run(&session, "store('k', 'first'); text('one')").await;
    let first = event(&session, &CellId::new("cell-1").unwrap(), |kind| {
        matches!(kind, EventKind::CellCompleted { .. })
    })
    .await;
    run(&session, "store('k', 'second'); text('two')").await;
    let name = SessionName::new("a-fork").unwrap();
    let fork = forked(&harness, of(&session).at(first.seq).named(name.clone())).await;
    assert_eq!(SessionName::of(fork.id()), Some(name));
    assert_ne!(fork.id(), session.id());
    assert!(harness.provider.list().await.unwrap().contains(fork.id()));
    let read = WaitRequest::new([first.cell_id.clone()]).after(Seq::START);
    assert_eq!(fork.wait(read).await.unwrap().cells.remove(0).text(), "one");
    // Its next cell is its own, and so is what that stores.
    assert_eq!(text_of(&fork, "text(load('k')); store('k', 'other')").await, "first");
    assert_eq!(text_of(&session, "text(load('k'))").await, "second");
    assert_eq!(text_of(&fork, "text(load('k'))").await, "other");
    let empty = forked(&harness, of(&session).at(Seq::START)).await;
    assert_eq!(text_of(&empty, "text(String(load('k')))").await, "undefined");
    let whole = forked(&harness, of(&session)).await;
    harness.provider.delete(session.id().clone()).await.unwrap();
    assert_eq!(text_of(&whole, "text(load('k'))").await, "second", "it needs nothing of the other");
}

/// A cell that waits for several calls goes on in the fork with the answers that were there, and the others are made good
/// as after a crash. The other session has its own, once.
pub async fn fork_in_the_middle_of_calls_side_by_side(harness: Harness) {
    let session = harness
        .session_with(|spec| {
            for tool in &mut spec.tools {
                tool.hints.read_only = tool.name.as_str() == "gate";
            }
        })
        .await;
    if is_refused(&harness, &session).await {
        return;
    }
    let source = "const all = [];
        const calls = [tools.echo('a'), tools.gate('b'), tools.hang('c')];
        await Promise.all(calls.map((call) => call.then((it) => all.push(it), (it) => all.push(it.code))));
        text(all.sort())";
    let cell = start(&session, source).await.cell_id;
    // The first answer may come before the last call, where the cell was held up between the two.
    let answered = event(&session, &cell, |kind| matches!(kind, EventKind::ToolAnswered { .. })).await;
    let is_last =
        |kind: &EventKind| matches!(kind, EventKind::ToolCalled { tool, .. } if tool.as_str() == "hang");
    let called = event(&session, &cell, is_last).await;
    harness.delegate.reached(|seen| matches!(seen, Seen::Called(_, tool) if tool == "hang")).await;
    let fork = forked(&harness, of(&session).at(answered.seq.max(called.seq))).await;
    // The gate is asked again: it is read-only. The other call is nobody's to make again.
    let asked = |seen: &Seen| matches!(seen, Seen::Called(_, tool) if tool == "gate");
    harness.delegate.reached_times(2, asked).await;
    harness.delegate.open_gate();
    let read = WaitRequest::new([cell.clone()]).with_yield_time(LONG);
    let response = completed(fork.wait(read).await.unwrap().cells.remove(0));
    assert_eq!(crate::CellResponse::Completed(response.clone()).text(), "[\"a\",\"b\",\"outcome_unknown\"]");
    let Some(Notice::Recovered { repeated, unknown }) = response.observation.notices.first() else {
        panic!("what became of the calls is said: {response:?}")
    };
    assert_eq!((repeated.len(), unknown.len()), (1, 1));
    terminated(session.terminate(cell).await.expect("the other was not disturbed"));
    let calls = |tool: &str| {
        let seen = harness.delegate.seen();
        seen.iter().filter(|seen| matches!(seen, Seen::Called(_, name) if name == tool)).count()
    };
    assert_eq!((calls("echo"), calls("gate"), calls("hang")), (1, 2, 1));
}

/// A fork can be forked, at events of either.
pub async fn fork_of_a_fork_has_what_both_had(harness: Harness) {
    let session = harness.session().await;
    if is_refused(&harness, &session).await {
        return;
    }
    run(&session, "store('path', ['a'])").await;
    let fork = forked(&harness, of(&session)).await;
    run(&fork, "store('path', [...load('path'), 'b'])").await;
    let second = CellId::new("cell-2").unwrap();
    let end = event(&fork, &second, |kind| matches!(kind, EventKind::CellCompleted { .. })).await;
    run(&fork, "store('path', [...load('path'), 'c'])").await;
    let of_both = forked(&harness, of(&fork).at(end.seq)).await;
    assert_eq!(text_of(&of_both, "text(load('path'))").await, "[\"a\",\"b\"]");
    let of_first = forked(&harness, of(&fork).at(Seq(end.seq.0 - 1))).await;
    // There the second cell was about to end.
    assert_eq!(ended(&of_first, &second).await.text(), "");
    assert_eq!(text_of(&of_first, "text(load('path'))").await, "[\"a\",\"b\"]");
}

/// Variables, functions and closures are those of the event.
pub async fn fork_of_a_notebook_has_its_variables(harness: Harness) {
    let session = harness.session_with(|spec| spec.mode = SessionMode::Persistent).await;
    if is_refused(&harness, &session).await {
        return;
    }
    run(&session, "let n = 0; const next = () => ++n; next()").await;
    let first = CellId::new("cell-1").unwrap();
    let end = event(&session, &first, |kind| matches!(kind, EventKind::CellCompleted { .. })).await;
    run(&session, "n = 100").await;
    let running = start(&session, "n += 1; await tools.gate(); text(next())").await.cell_id;
    harness.called(&running).await;
    let earlier = forked(&harness, of(&session).at(end.seq)).await;
    assert_eq!(text_of(&earlier, "text(next())").await, "2");
    let now = forked(&harness, of(&session)).await;
    let response = completed(ended(&now, &running).await);
    assert!(
        response.error.is_some_and(|error| error.message.contains("may or may not")),
        "the gate was lost"
    );
    assert_eq!(text_of(&now, "text(next())").await, "102");
    harness.delegate.open_gate();
    assert_eq!(ended(&session, &running).await.text(), "102");
}

/// What cannot be forked, or not so, is told apart; nothing is left of it.
pub async fn fork_that_cannot_be_made_says_why(harness: Harness) {
    let session = harness.session().await;
    if is_refused(&harness, &session).await {
        return;
    }
    run(&session, "text('hi')").await;
    let before = harness.provider.list().await.unwrap();
    let nobody = SessionId::new("nobody").unwrap();
    let refused = harness.provider.fork(ForkRequest::new(nobody)).await;
    assert!(matches!(refused, Err(ForkError::UnknownSession(_))), "{refused:?}");
    let refused = harness.provider.fork(of(&session).at(Seq(1000))).await;
    let Err(ForkError::InvalidRequest(error)) = refused else { panic!("the log is shorter: {refused:?}") };
    assert!(error.field == "at" && error.problem.contains("ends with 3"), "{error}");
    assert_eq!(harness.provider.list().await.unwrap(), before);
    assert_eq!(text_of(&session, "text('still here')").await, "still here");
}
