//! Section 1, of requests that come again: what was run under an idempotency key is not run a second time.

use std::sync::Arc;

use super::delegate::Seen;
use super::harness::{Harness, LONG, completed, text_of};
use crate::error::{Coded, ExecuteError};
use crate::{CellResponse, CodeModeSession, ExecuteRequest, IdempotencyKey};

fn request(key: &str, source: &str) -> ExecuteRequest {
    let key = IdempotencyKey::new(key).expect("it is one");
    ExecuteRequest::new(source).with_yield_time(LONG).with_idempotency_key(key)
}

fn calls(harness: &Harness) -> usize {
    harness.delegate.seen().iter().filter(|seen| matches!(seen, Seen::Called(..))).count()
}

/// The same request again runs nothing: it has the cell of the first, and its output from the beginning, while that runs
/// and after it has ended.
pub async fn s1_a_key_runs_once(harness: Harness) {
    let session = harness.session().await;
    let source = "text('begun'); text(await tools.gate(7))";
    let first = session.execute(request("a", source)).await.unwrap();
    harness.called(&first.cell_id).await;
    let second = session.execute(request("a", source)).await.unwrap();
    assert_eq!(second.cell_id, first.cell_id);
    harness.delegate.open_gate();
    for started in [first, second, session.execute(request("a", source)).await.unwrap()] {
        assert_eq!(
            CellResponse::Completed(completed(started.first_response.await.unwrap())).text(),
            "begun\n7"
        );
    }
    assert_eq!(calls(&harness), 1);
    // Another key is another request, and no key is one every time.
    let other = session.execute(request("b", source)).await.unwrap();
    completed(other.first_response.await.unwrap());
    text_of(&session, source).await;
    assert_eq!(calls(&harness), 3);
}

/// Of requests that come at the same time, one is run.
pub async fn s1_a_key_runs_once_whoever_comes_at_once(harness: Harness) {
    let session = harness.session().await;
    let all = (0..20).map(|_| session.execute(request("a", "text(await tools.echo(1))")));
    let mut ids = Vec::new();
    for started in futures::future::join_all(all).await {
        let response = started.unwrap().first_response.await.unwrap();
        ids.push(response.observation().cell_id.clone());
        assert_eq!(response.text(), "1");
    }
    ids.dedup();
    assert_eq!((ids.len(), calls(&harness)), (1, 1));
}

/// A cell is found by its key where no other would be admitted.
pub async fn s1_a_key_finds_its_cell_whatever_else_is_full(harness: Harness) {
    let session = harness.session_with(|spec| spec.limits.running_cells = 1).await;
    let first = session.execute(request("a", "await tools.gate(1)")).await.unwrap();
    let refused = session.execute(request("b", "await tools.gate(1)")).await;
    assert!(matches!(refused.err(), Some(ExecuteError::LimitReached(_))));
    let again = session.execute(request("a", "await tools.gate(1)")).await.unwrap();
    assert_eq!(again.cell_id, first.cell_id);
    harness.delegate.open_gate();
    completed(again.first_response.await.unwrap());
    // The one that was refused has left no key behind.
    completed(
        session.execute(request("b", "await tools.gate(1)")).await.unwrap().first_response.await.unwrap(),
    );
}

/// A key outlives the handle of the session.
pub async fn s1_a_key_is_known_to_whoever_resumes_the_session(harness: Harness) {
    let session = harness.session().await;
    let first = session.execute(request("a", "text(await tools.echo(1))")).await.unwrap();
    let again: Arc<dyn CodeModeSession> =
        harness.provider.resume(session.id().clone(), harness.delegate.clone()).await.unwrap();
    let second = again.execute(request("a", "text(await tools.echo(1))")).await.unwrap();
    assert_eq!(second.cell_id, first.cell_id);
    assert_eq!(second.first_response.await.unwrap().text(), "1");
    assert_eq!(calls(&harness), 1);
}

/// A key that came with another source is an error that names its cell, and runs nothing.
pub async fn s1_a_key_with_another_source_is_refused(harness: Harness) {
    let session = harness.session().await;
    let first = session.execute(request("a", "text(1)")).await.unwrap();
    let refused = session.execute(request("a", "text(await tools.echo(2))")).await;
    let Err(ExecuteError::KeyReused(error)) = refused else { panic!("the request is refused") };
    assert_eq!((&error.cell_id, error.code().to_string().as_str()), (&first.cell_id, "CR0021"));
    assert_eq!(first.first_response.await.unwrap().text(), "1");
    assert_eq!((text_of(&session, "text('usable')").await.as_str(), calls(&harness)), ("usable", 0));
}

/// A key is kept as long as its cell's outcome, and its place is free then.
pub async fn s1_a_key_is_forgotten_with_its_outcome(harness: Harness) {
    let session = harness.session_with(|spec| spec.limits.kept_outcomes = 2).await;
    let first = session.execute(request("a", "text(1)")).await.unwrap();
    let id = first.cell_id.clone();
    completed(first.first_response.await.unwrap());
    text_of(&session, "1").await;
    assert_eq!(session.execute(request("a", "text(1)")).await.unwrap().cell_id, id);
    text_of(&session, "2").await;
    assert_ne!(session.execute(request("a", "text(2)")).await.unwrap().cell_id, id);
}
