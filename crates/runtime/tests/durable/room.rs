//! What an entry of a journal has no room for does not end its session.

use std::sync::Arc;

use carrel_contract::testing::{RecordingDelegate, Seen, tool_descriptions};
use carrel_contract::{
    CellResponse, CodeModeSession, CodeModeSessionProvider, Completed, Durability, SessionSpec,
};

use super::{Fragile, end, journaled, provider, start, system};

pub(super) fn completed(response: CellResponse) -> Completed {
    match response {
        CellResponse::Completed(completed) => completed,
        other => unreachable!("it has not come to its end: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_media_type_that_is_no_such_thing_fails_its_cell_alone() {
    let (store, delegate) = (Arc::<Fragile>::default(), RecordingDelegate::new());
    let here = provider(&store, system());
    let session = journaled(&here, &delegate).await;
    let cell = start(&session, "image({ type: 'image', data: 'AAAA', mimeType: 'x'.repeat(600000) })").await;
    let error = completed(end(&session, &cell).await).error.unwrap();
    assert!(error.message.contains("mimeType has 600000 characters"), "{}", error.message);
    let cell = start(&session, "text('well')").await;
    assert_eq!(end(&session, &cell).await.text(), "well");
}

/// Two cells, each of which could store all of its values, and not both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cell_may_store_in_vain_more_keys_than_an_entry_holds() {
    let (store, delegate) = (Arc::<Fragile>::default(), RecordingDelegate::new());
    let here = provider(&store, system());
    let mut spec = SessionSpec::default();
    (spec.tools, spec.durability) = (tool_descriptions(), Durability::Journaled);
    spec.limits.stored_keys = 600;
    let session: Arc<dyn CodeModeSession> = here.create(spec, delegate.clone()).await.unwrap();
    let source = |key: char| {
        format!("for (let i = 0; i < 600; i++) store('{key}'.repeat(1000) + i, i); await tools.gate()")
    };
    let cells = [start(&session, &source('a')).await, start(&session, &source('b')).await];
    delegate.reached_times(2, |seen| matches!(seen, Seen::Called(_, tool) if tool == "gate")).await;
    delegate.open_gate();
    let mut vain = 0;
    for cell in &cells {
        vain += completed(end(&session, cell).await).warnings.len();
    }
    assert_eq!(vain, 1, "one of them");
    let keys = session.stored().await.unwrap();
    let id = session.id().clone();
    drop(session);
    let again: Arc<dyn CodeModeSession> = here.resume(id, delegate).await.unwrap();
    assert_eq!(again.stored().await.unwrap(), keys);
    for cell in &cells {
        completed(end(&again, cell).await);
    }
}
