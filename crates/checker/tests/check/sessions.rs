//! Sessions of the in-process provider whose cells are checked.

use std::sync::Arc;
use std::time::Duration;

use carrel_checker::Options;
use carrel_contract::testing::{Harness, RecordingDelegate, tool_descriptions};
use carrel_contract::{
    CellChecker, CellErrorKind, CellResponse, CheckRequest, CheckerUnavailable, CodeModeFuture,
    CodeModeSession, CodeModeSessionProvider, Completed, ExecuteRequest, SessionMode, SessionSpec,
    TerminationReason, TypeDiagnostic,
};
use carrel_runtime::InProcessProvider;

use crate::common::checker;

fn provider(checker: Arc<dyn CellChecker>) -> Arc<dyn CodeModeSessionProvider> {
    let mut options = carrel_runtime::Options::default();
    options.checker = Some(checker);
    Arc::new(InProcessProvider::new(options).unwrap())
}

async fn session(checker: Arc<dyn CellChecker>, mode: SessionMode) -> Arc<dyn CodeModeSession> {
    let mut spec = SessionSpec::default();
    spec.check = true;
    spec.mode = mode;
    spec.tools = tool_descriptions();
    provider(checker).create(spec, RecordingDelegate::new()).await.unwrap()
}

async fn run(session: &Arc<dyn CodeModeSession>, source: &str) -> Completed {
    let request = ExecuteRequest::new(source).with_yield_time(Duration::from_secs(3600));
    let started = session.execute(request).await.unwrap();
    match started.first_response.await.unwrap() {
        CellResponse::Completed(completed) => completed,
        other => panic!("the cell completes, but: {other:?}"),
    }
}

async fn kind_of(session: &Arc<dyn CodeModeSession>, source: &str) -> Option<CellErrorKind> {
    let completed = run(session, source).await;
    assert_eq!(completed.warnings, Vec::<String>::new(), "{source}");
    completed.error.map(|error| error.kind)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_holds_with_a_checker() {
    let provider = provider(Arc::new(checker(Options::default())));
    carrel_contract::testing::check_a_cell_is_checked_or_says_that_it_was_not(Harness::new(provider.clone()))
        .await;
    carrel_contract::testing::check_is_off_unless_asked_for(Harness::new(provider)).await;
}

#[tokio::test]
async fn cells_of_a_persistent_session_are_checked_against_those_before_them() {
    let session = session(Arc::new(checker(Options::default())), SessionMode::Persistent).await;
    assert_eq!(kind_of(&session, "const n: number = 1; interface P { x: number }").await, None);
    assert_eq!(kind_of(&session, "const p: P = { x: n }; text(p.x);").await, None);
    assert_eq!(kind_of(&session, "n.toUpperCase()").await, Some(CellErrorKind::Types));
    // What failed the check declared nothing.
    assert_eq!(kind_of(&session, "const m = 'a'; n.toUpperCase()").await, Some(CellErrorKind::Types));
    assert_eq!(kind_of(&session, "m").await, Some(CellErrorKind::Types));
    assert_eq!(kind_of(&session, "const n = 'a'; text(n.toUpperCase())").await, None);
    assert_eq!(kind_of(&session, "text(n.toUpperCase())").await, None);
    // What threw keeps what it did, and may hold anything.
    assert_eq!(
        kind_of(&session, "var n = JSON.parse('5'), later = n; JSON.parse('null').x; var after = 1;").await,
        Some(CellErrorKind::Thrown)
    );
    assert_eq!(kind_of(&session, "n.toFixed(); later.toFixed();").await, None);
}

#[tokio::test]
async fn an_error_shows_where_and_what() {
    let session = session(Arc::new(checker(Options::default())), SessionMode::Fresh).await;
    let error = run(&session, "const o = { total: 1 };\ntext(o.totl as number);").await.error.unwrap();
    assert_eq!(
        error.message,
        "1 type error; nothing of the cell was run\n\n\
         2:8 TS2551: Property 'totl' does not exist on type '{ total: number; }'. Did you mean 'total'?\n  \
         text(o.totl as number);\n         ^"
    );
}

/// A checker that does what it is told.
struct Odd(fn() -> Result<Vec<TypeDiagnostic>, CheckerUnavailable>, bool);

impl CellChecker for Odd {
    fn check(&self, _: CheckRequest) -> CodeModeFuture<'_, Vec<TypeDiagnostic>, CheckerUnavailable> {
        if self.1 { Box::pin(std::future::pending()) } else { Box::pin(async { (self.0)() }) }
    }
}

#[tokio::test]
async fn a_checker_that_cannot_tell_keeps_no_cell_from_running() {
    let limit = Duration::from_secs(1);
    let timed_out = Odd(|| Err(CheckerUnavailable::TimedOut { limit: Duration::from_secs(1) }), false);
    let panics = Odd(|| panic!("odd"), false);
    let reasons = [
        format!("the check took longer than {limit:?}"),
        "the type checker failed: it panicked: odd".to_owned(),
    ];
    for (odd, reason) in [timed_out, panics].into_iter().zip(reasons) {
        for mode in [SessionMode::Fresh, SessionMode::Persistent] {
            let session = session(Arc::new(Odd(odd.0, odd.1)), mode).await;
            let completed = run(&session, "text(1)").await;
            assert_eq!(completed.warnings, [format!("the cell was not checked before it ran: {reason}")]);
            assert_eq!(CellResponse::Completed(completed).text(), "1");
        }
    }
}

#[tokio::test]
async fn a_cell_is_terminated_while_it_is_checked() {
    let session = session(Arc::new(Odd(|| Ok(Vec::new()), true)), SessionMode::Persistent).await;
    let started = session.execute(ExecuteRequest::new("text(1)")).await.unwrap();
    let CellResponse::Terminated(ended) = session.terminate(started.cell_id).await.unwrap() else {
        panic!("terminated")
    };
    assert_eq!(ended.reason, TerminationReason::Requested);
    session.shutdown().await.unwrap();
}
