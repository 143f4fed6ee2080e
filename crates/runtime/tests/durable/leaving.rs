//! Sessions that leave, or are forked, in the middle of something: nothing of it is lost, and nothing is done twice.

use std::sync::Arc;

use carrel_contract::error::NotifyError;
use carrel_contract::testing::{RecordingDelegate, tool_descriptions};
use carrel_contract::{
    CancellationToken, CellChecker, CellId, CellResponse, CheckRequest, CheckerUnavailable, CodeModeFuture,
    CodeModeSessionDelegate, CodeModeSessionProvider, Durability, ExecuteRequest, ForkRequest, JsonText,
    LookedUp, Notification, SessionSpec, ToolCall, ToolError, TypeDiagnostic,
};
use carrel_runtime::InProcessProvider;
use tokio::sync::watch;

use super::{Fragile, end, options, provider, system};

/// Counts what it is asked, and answers no call; of notifications, none before it is told to.
#[derive(Default)]
struct Slow {
    calls: watch::Sender<usize>,
    notified: watch::Sender<usize>,
    delivers: watch::Sender<bool>,
}

impl CodeModeSessionDelegate for Slow {
    fn invoke_tool(&self, _: ToolCall, cancel: CancellationToken) -> CodeModeFuture<'_, JsonText, ToolError> {
        self.calls.send_modify(|calls| *calls += 1);
        Box::pin(async move {
            cancel.cancelled().await;
            Err(ToolError::new(carrel_contract::ToolErrorCode::Cancelled, "cancelled"))
        })
    }

    /// By the key of the call, which it was never called with.
    fn lookup_outcome(&self, _: ToolCall, _: CancellationToken) -> CodeModeFuture<'_, LookedUp, ToolError> {
        Box::pin(async { Ok(LookedUp::NeverHappened) })
    }

    fn notify(&self, _: Notification, cancel: CancellationToken) -> CodeModeFuture<'_, (), NotifyError> {
        self.notified.send_modify(|notified| *notified += 1);
        let mut delivers = self.delivers.subscribe();
        Box::pin(async move {
            tokio::select! {
                _ = delivers.wait_for(|delivers| *delivers) => {}
                () = cancel.cancelled() => {}
            }
            Ok(())
        })
    }

    fn cell_closed(&self, _: &CellId) {}
}

fn spec() -> SessionSpec {
    let mut spec = SessionSpec::default();
    (spec.tools, spec.durability) = (tool_descriptions(), Durability::Journaled);
    spec
}

async fn reached(count: &watch::Sender<usize>, times: usize) {
    count.subscribe().wait_for(|count| *count >= times).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notification_under_way_is_delivered_when_the_session_is_back() {
    let (store, delegate) = (Arc::<Fragile>::default(), Arc::<Slow>::default());
    let here = provider(&store, system());
    let session = here.create(spec(), delegate.clone()).await.unwrap();
    let cell = session.execute(ExecuteRequest::new("text('x'); notify('done')")).await.unwrap().cell_id;
    reached(&delegate.notified, 1).await;
    let id = session.id().clone();
    drop(session);
    let again = here.resume(id, delegate.clone()).await.unwrap();
    reached(&delegate.notified, 2).await;
    delegate.delivers.send_replace(true);
    let CellResponse::Completed(done) = end(&again, &cell).await else { panic!("it ends") };
    assert_eq!((done.error, done.warnings), (None, Vec::new()));
}

/// Never says anything of the first cell that it is shown.
#[derive(Default)]
struct Thinking(watch::Sender<usize>);

impl CellChecker for Thinking {
    fn check(&self, _: CheckRequest) -> CodeModeFuture<'_, Vec<TypeDiagnostic>, CheckerUnavailable> {
        let before = *self.0.borrow();
        self.0.send_replace(before + 1);
        Box::pin(async move { if before == 0 { std::future::pending().await } else { Ok(Vec::new()) } })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cell_that_is_being_checked_is_checked_again_and_runs() {
    let (store, delegate, checker) =
        (Arc::<Fragile>::default(), RecordingDelegate::new(), Arc::<Thinking>::default());
    let mut options = options(&store, system());
    options.checker = Some(checker.clone());
    let here = InProcessProvider::new(options).unwrap();
    let mut spec = spec();
    spec.check = true;
    let session = here.create(spec, delegate.clone()).await.unwrap();
    let cell = session.execute(ExecuteRequest::new("text('ran')")).await.unwrap().cell_id;
    reached(&checker.0, 1).await;
    let id = session.id().clone();
    drop(session);
    let again = here.resume(id, delegate).await.unwrap();
    assert_eq!(end(&again, &cell).await.text(), "ran");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fork_does_not_do_what_its_origin_is_doing_and_draws_numbers_of_its_own() {
    let (store, delegate) = (Arc::<Fragile>::default(), Arc::<Slow>::default());
    let here = provider(&store, system());
    let session = here.create(spec(), delegate.clone()).await.unwrap();
    let source = "text(await tools.echo('pay').catch((error) => error.code))";
    let cell = session.execute(ExecuteRequest::new(source)).await.unwrap().cell_id;
    reached(&delegate.calls, 1).await;
    let id = here.fork(ForkRequest::new(session.id().clone())).await.unwrap();
    let fork = here.resume(id, delegate.clone()).await.unwrap();
    assert_eq!(end(&fork, &cell).await.text(), "outcome_unknown");
    assert_eq!(*delegate.calls.borrow(), 1);
    let mut drawn = Vec::new();
    for session in [&session, &fork] {
        let cell = session.execute(ExecuteRequest::new("text(crypto.randomUUID())")).await.unwrap().cell_id;
        drawn.push(end(session, &cell).await.text());
    }
    assert_ne!(drawn[0], drawn[1]);
}
