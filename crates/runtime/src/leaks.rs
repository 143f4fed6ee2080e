//! What is left of a cell and of a session when they have ended: tests that look inside, for nothing.

use std::sync::Arc;
use std::time::Duration;

use carrel_contract::error::WaitError;
use carrel_contract::testing::{RecordingDelegate, Seen, tool_descriptions};
use carrel_contract::{CodeModeSession, ExecuteRequest, SessionSpec, WaitRequest};

use crate::session::Session;
use crate::tasks::Kind;
use crate::{InProcessProvider, Options};

const LONG: Duration = Duration::from_secs(3600);

async fn session(delegate: Arc<RecordingDelegate>, change: impl FnOnce(&mut SessionSpec)) -> Arc<Session> {
    let mut spec = SessionSpec::default();
    spec.tools = tool_descriptions();
    change(&mut spec);
    InProcessProvider::new(Options::default()).unwrap().make(spec, delegate).await.unwrap()
}

fn request(source: &str) -> ExecuteRequest {
    ExecuteRequest::new(source).with_yield_time(LONG)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_of_a_cell_but_its_outcome() {
    let delegate = RecordingDelegate::new();
    let session = session(Arc::clone(&delegate), |spec| spec.limits.kept_outcomes = 3).await;
    let core = session.core();
    let mut controls = Vec::new();
    for source in [
        "text('fine')",
        "throw new Error('no')",
        "exit()",
        "syntax error",
        "await tools.echo(1); notify('x')",
        "tools.hang(); await tools.echo(1)",
        "store('k', 1); setTimeout(() => {}, 1e6)",
        "await tools.hang()",
        "for (;;) {}",
    ] {
        for _ in 0..20 {
            // Observed by nobody; the last two are ended from outside, perhaps before they have begun.
            let started = session.execute(request(source)).await.unwrap();
            controls
                .extend(core.admission.control_of(&started.cell_id).map(|control| Arc::downgrade(&control)));
            let is_endless = source.contains("await tools.hang") || source.contains("for (;;)");
            if is_endless {
                session.terminate(started.cell_id).await.unwrap();
            } else {
                session.wait(WaitRequest::new([started.cell_id]).with_yield_time(LONG)).await.unwrap();
            }
        }
    }
    assert!(!controls.is_empty());
    // A cell's outcome is the last thing that its task leaves; the task itself ends a moment later.
    core.outside.tasks.ended().await;
    assert_eq!((core.outside.tasks.count(Kind::Cell), core.outside.tasks.count(Kind::Callback)), (0, 0));
    assert!(controls.iter().all(|control| control.strong_count() == 0));
    assert_eq!(core.admission.running(), 0);
    assert_eq!(core.log.cells(), 3);
    assert_eq!(core.outside.call_places.available_permits(), core.limits.pending_tool_calls);
    let closed = delegate.seen().into_iter().filter(|seen| matches!(seen, Seen::Closed(_))).count();
    assert_eq!(closed, 9 * 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_of_an_outcome_that_nobody_will_ask_for() {
    let session = session(RecordingDelegate::new(), |_| ()).await;
    let core = session.core();
    let running = session.execute(request("await tools.hang()")).await.unwrap().cell_id;
    for _ in 0..10 {
        let cell_id = session.execute(request("text('fine')")).await.unwrap().cell_id;
        let wait = WaitRequest::new([cell_id.clone()]).with_yield_time(LONG);
        session.wait(wait.clone()).await.unwrap();
        session.forget(&cell_id);
        assert!(matches!(session.wait(wait).await, Err(WaitError::OutcomeExpired(_))));
    }
    session.forget(&running);
    assert_eq!(core.log.cells(), 1, "one that runs is not forgotten");
    session.terminate(running).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_task_is_left_of_a_session() {
    let delegate = RecordingDelegate::new();
    let session = session(Arc::clone(&delegate), |_| ()).await;
    for source in
        ["await tools.hang()", "for (;;) {}", "await tools.gate()", "notify('never')", "text('over')"]
    {
        session.execute(request(source)).await.unwrap();
    }
    delegate.reached(|seen| matches!(seen, Seen::Called(_, tool) if tool == "gate")).await;
    let core = session.core();
    assert!(core.outside.tasks.count(Kind::Cell) >= 3 && core.outside.tasks.count(Kind::Callback) >= 2);
    session.shutdown().await.unwrap();
    assert_eq!((core.outside.tasks.count(Kind::Cell), core.outside.tasks.count(Kind::Callback)), (0, 0));
    let left = Arc::downgrade(&core);
    drop((core, session));
    assert_eq!(left.strong_count(), 0);
}
