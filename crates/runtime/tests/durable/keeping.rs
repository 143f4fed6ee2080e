//! What a store does not take is nowhere else either.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use carrel_contract::testing::{RecordingDelegate, Seen, tool_descriptions};
use carrel_contract::{CodeModeSession, CodeModeSessionProvider, Durability, SessionMode, SessionSpec};
use carrel_runtime::InProcessProvider;

use super::room::completed;
use super::{Fragile, end, provider, start, system};

async fn persistent(
    provider: &InProcessProvider,
    delegate: &Arc<RecordingDelegate>,
) -> Arc<dyn CodeModeSession> {
    let mut spec = SessionSpec::default();
    (spec.tools, spec.durability) = (tool_descriptions(), Durability::Journaled);
    spec.mode = SessionMode::Persistent;
    provider.create(spec, delegate.clone()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn variables_that_cannot_be_kept_are_not_left_either() {
    let (store, delegate) = (Arc::<Fragile>::default(), RecordingDelegate::new());
    let here = provider(&store, system());
    let session = persistent(&here, &delegate).await;
    let cell = start(&session, "let n = 1").await;
    completed(end(&session, &cell).await);
    let cell = start(&session, "n = 2; await tools.gate()").await;
    delegate.reached(|seen| matches!(seen, Seen::Called(_, tool) if tool == "gate")).await;
    store.keeps_nothing.store(true, Ordering::Relaxed);
    delegate.open_gate();
    let warnings = completed(end(&session, &cell).await).warnings.join("\n");
    assert!(warnings.contains("the variables could not be saved") && warnings.contains("full"), "{warnings}");
    store.keeps_nothing.store(false, Ordering::Relaxed);
    let cell = start(&session, "text(n)").await;
    assert_eq!(end(&session, &cell).await.text(), "1");
    let id = session.id().clone();
    drop(session);
    let again: Arc<dyn CodeModeSession> = here.resume(id, delegate).await.unwrap();
    let cell = start(&again, "text(n)").await;
    assert_eq!(end(&again, &cell).await.text(), "1");
}
