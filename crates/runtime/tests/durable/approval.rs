//! Calls that wait for a person to allow them: nothing of such a call has left, and that is known after the session was lost.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use carrel_contract::error::NotifyError;
use carrel_contract::testing::tool_descriptions;
use carrel_contract::{
    CancellationToken, CellId, CellResponse, CodeModeFuture, CodeModeSessionDelegate,
    CodeModeSessionProvider, Durability, ExecuteRequest, JsonText, Notice, Notification, SessionSpec,
    ToolCall, ToolError,
};
use tokio::sync::watch;

use super::{Fragile, end, provider, system};

/// Asks a person before each call. The person is the test.
#[derive(Default)]
struct Asking {
    asked: watch::Sender<usize>,
    allowed: watch::Sender<bool>,
    made: watch::Sender<usize>,
}

impl CodeModeSessionDelegate for Asking {
    fn invoke_tool(
        &self,
        call: ToolCall,
        cancel: CancellationToken,
    ) -> CodeModeFuture<'_, JsonText, ToolError> {
        Box::pin(async move {
            let asked = call.status.await_approval("may it be made?").await?;
            self.asked.send_modify(|asked| *asked += 1);
            let mut allowed = self.allowed.subscribe();
            tokio::select! {
                _ = allowed.wait_for(|allowed| *allowed) => {}
                () = cancel.cancelled() => {
                    return Err(ToolError::new(carrel_contract::ToolErrorCode::Cancelled, "cancelled"));
                }
            }
            asked.given().await?;
            self.made.send_modify(|made| *made += 1);
            Ok(call.input.unwrap_or_else(|| JsonText::parse("null").unwrap()))
        })
    }

    fn notify(&self, _: Notification, _: CancellationToken) -> CodeModeFuture<'_, (), NotifyError> {
        Box::pin(async { Ok(()) })
    }

    fn cell_closed(&self, _: &CellId) {}
}

async fn reached(count: &watch::Sender<usize>, times: usize) {
    count.subscribe().wait_for(|count| *count >= times).await.unwrap();
}

fn spec() -> SessionSpec {
    let mut spec = SessionSpec::default();
    (spec.tools, spec.durability) = (tool_descriptions(), Durability::Journaled);
    spec
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_nobody_allowed_is_asked_for_again() {
    let (store, delegate) = (Arc::<Fragile>::default(), Arc::<Asking>::default());
    for folds in [false, true] {
        let mut options = super::options(&store, system());
        if folds {
            options.folding.after_bytes = 1;
        }
        let here = carrel_runtime::InProcessProvider::new(options).unwrap();
        let session = here.create(spec(), delegate.clone()).await.unwrap();
        let before = (*delegate.asked.borrow(), *delegate.made.borrow());
        let cell = session.execute(ExecuteRequest::new("text(await tools.echo(7))")).await.unwrap().cell_id;
        reached(&delegate.asked, before.0 + 1).await;
        let id = session.id().clone();
        drop(session);
        let again = here.resume(id, delegate.clone()).await.unwrap();
        reached(&delegate.asked, before.0 + 2).await;
        assert_eq!(*delegate.made.borrow(), before.1, "nobody has allowed it");
        delegate.allowed.send_replace(true);
        let response = end(&again, &cell).await;
        assert_eq!(response.text(), "7");
        assert_eq!(*delegate.made.borrow(), before.1 + 1);
        for notice in &response.observation().notices {
            assert!(matches!(notice, Notice::Recovered { unknown, .. } if unknown.is_empty()), "{notice:?}");
        }
        delegate.allowed.send_replace(false);
    }
}

/// Appends that the store was asked for.
fn appends(store: &Fragile) -> usize {
    store.appends.load(Ordering::Relaxed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_was_allowed_leaves_when_that_is_durable() {
    let (store, delegate) = (Arc::<Fragile>::default(), Arc::<Asking>::default());
    let here = provider(&store, system());
    let session = here.create(spec(), delegate.clone()).await.unwrap();
    let cell = session.execute(ExecuteRequest::new("text(await tools.echo(7))")).await.unwrap().cell_id;
    reached(&delegate.asked, 1).await;
    // That it waits was written before anybody was asked: what is held from here on is that it was allowed.
    store.holds.send_replace(true);
    let before = appends(&store);
    delegate.allowed.send_replace(true);
    store.asked.subscribe().wait_for(|asked| *asked > before).await.unwrap();
    assert_eq!(*delegate.made.borrow(), 0, "it is not known yet that it may have been made");
    store.holds.send_replace(false);
    let CellResponse::Completed(done) = end(&session, &cell).await else { panic!("it ends") };
    assert!(done.error.is_none());
    assert_eq!(*delegate.made.borrow(), 1);
}
