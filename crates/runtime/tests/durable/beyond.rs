//! Cells that were killed in the middle of an event: what they do beyond what was written down is the present.

use std::sync::Arc;
use std::time::Duration;

use carrel_contract::error::NotifyError;
use carrel_contract::testing::tool_descriptions;
use carrel_contract::{
    CancellationToken, CellId, CodeModeFuture, CodeModeSession, CodeModeSessionDelegate,
    CodeModeSessionProvider, Durability, JsonText, Notification, SessionSpec, ToolCall, ToolError,
};
use carrel_journal::{Owner, Position, Record, Store, Tail};
use carrel_runtime::InProcessProvider;
use tokio::sync::watch;

use super::{Fragile, end, options, provider, start, system};

/// Takes all in, and answers when it may.
#[derive(Default)]
struct Takes {
    taken: watch::Sender<usize>,
    answers: watch::Sender<bool>,
}

impl CodeModeSessionDelegate for Takes {
    fn invoke_tool(&self, _: ToolCall, cancel: CancellationToken) -> CodeModeFuture<'_, JsonText, ToolError> {
        Box::pin(async move {
            self.taken.send_modify(|taken| *taken += 1);
            let mut answers = self.answers.subscribe();
            tokio::select! {
                _ = answers.wait_for(|answers| *answers) => {}
                () = cancel.cancelled() => {}
            }
            Ok(JsonText::parse("null").unwrap())
        })
    }

    fn notify(&self, _: Notification, _: CancellationToken) -> CodeModeFuture<'_, (), NotifyError> {
        Box::pin(async { Ok(()) })
    }

    fn cell_closed(&self, _: &CellId) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_whose_cell_calls_on_is_not_held_for_ever() {
    let (store, delegate) = (Arc::<Fragile>::default(), Arc::<Takes>::default());
    let mut options = options(&store, system());
    options.folding.after_bytes = u64::MAX;
    let here = InProcessProvider::new(options).unwrap();
    let mut spec = SessionSpec::default();
    (spec.tools, spec.durability) = (tool_descriptions(), Durability::Journaled);
    spec.tools.iter_mut().for_each(|tool| tool.hints.read_only = true);
    let session: Arc<dyn CodeModeSession> = here.create(spec, delegate.clone()).await.unwrap();
    // More than the cell's callbacks may hold.
    let source = "const s = 'x'.repeat(1e6); \
        text((await Promise.all(Array.from({ length: 100 }, () => tools.echo(s)))).length)";
    let cell = start(&session, source).await;
    delegate.taken.subscribe().wait_for(|taken| *taken > 20).await.unwrap();
    let id = session.id().clone();
    drop((session, here));
    // Given back, and so written to its end.
    while store.memory.acquire(&id, &Owner::new("the test").unwrap(), Duration::ZERO, 0).await.is_err() {
        tokio::task::yield_now().await;
    }

    // As it is when only ten of the calls came to the disk.
    let other = Arc::<Fragile>::default();
    for hash in store.memory.blobs(&id).await.unwrap() {
        let blob = store.memory.get_blob(hash).await.unwrap().unwrap();
        other.memory.put_blob(&id, blob).await.unwrap();
    }
    let (mut reader, mut writer, mut calls) = (Tail::start(id.clone()), Tail::start(id.clone()), 0);
    for (position, bytes) in store.memory.read(&id, Position::START, usize::MAX).await.unwrap().entries {
        let mut records = reader.read(position, &bytes).unwrap();
        records.retain(|record| {
            calls += usize::from(matches!(record, Record::ToolCalled { .. }));
            calls <= 10
        });
        let expected = writer.position();
        let entry = writer.seal(&records).unwrap();
        other.memory.append(&id, expected, vec![entry]).await.unwrap();
    }
    assert!(calls > 10, "{calls} calls were written down");

    let delegate = Arc::<Takes>::default();
    delegate.answers.send_replace(true);
    let again: Arc<dyn CodeModeSession> = provider(&other, system()).resume(id, delegate).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(60), end(&again, &cell)).await;
    assert_eq!(ended.unwrap().text(), "100");
}
