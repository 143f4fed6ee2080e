//! Whose turn it is: sessions share the threads of CPU-bound cells fairly, and cells that wait hold none.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use carrel_contract::testing::{RecordingDelegate, tool_descriptions};
use carrel_contract::{
    CellResponse, CodeModeSession, CodeModeSessionProvider, ExecuteRequest, SessionSpec, StartedCell,
    TerminationReason, WaitRequest,
};
use carrel_runtime::{InProcessProvider, Options};

const LONG: Duration = Duration::from_secs(3600);

fn provider() -> InProcessProvider {
    let mut options = Options::default();
    options.guest_threads = Some(NonZeroUsize::MIN);
    InProcessProvider::new(options).unwrap()
}

async fn session(
    provider: &InProcessProvider,
    delegate: &Arc<RecordingDelegate>,
    change: impl FnOnce(&mut SessionSpec),
) -> Arc<dyn CodeModeSession> {
    let mut spec = SessionSpec::default();
    spec.tools = tool_descriptions();
    spec.limits.running_cells = 1000;
    change(&mut spec);
    provider.create(spec, delegate.clone()).await.unwrap()
}

async fn start(session: &Arc<dyn CodeModeSession>, source: &str) -> StartedCell {
    session.execute(ExecuteRequest::new(source).with_yield_time(LONG)).await.unwrap()
}

/// Returns the CPU time that a session's cells have used, and ends them.
async fn end_and_charge(session: &Arc<dyn CodeModeSession>, cells: Vec<StartedCell>) -> Duration {
    session.shutdown().await.unwrap();
    let mut used = Duration::ZERO;
    for started in cells {
        let request = WaitRequest::new([started.cell_id]).with_yield_time(LONG);
        used += session.wait(request).await.unwrap().cells.remove(0).observation().usage.cpu_time;
    }
    used
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_with_many_loops_takes_no_more_than_one_with_one() {
    let (provider, delegate) = (provider(), RecordingDelegate::new());
    let many = session(&provider, &delegate, |_| ()).await;
    let limit = Duration::from_millis(200);
    let one = session(&provider, &delegate, |spec| spec.limits.cpu_time = limit).await;
    let mut loops = Vec::new();
    for _ in 0..60 {
        loops.push(start(&many, "for (;;) {}").await);
    }
    let response = start(&one, "for (;;) {}").await.first_response.await.unwrap();
    let CellResponse::Terminated(terminated) = response else {
        panic!("it used up its CPU time: {response:?}")
    };
    assert_eq!(terminated.reason, TerminationReason::CpuTime { limit });
    // In turns between cells, the many would have had 60 times as much; in turns between sessions, as much. Measured in
    // CPU time, so that it does not matter what else the machine does; what they have between the end of the one and
    // their own is allowed for.
    let used = end_and_charge(&many, loops).await;
    assert!(used < limit * 15, "{used:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_loops_do_not_hold_up_a_tools_answer() {
    let (provider, delegate) = (provider(), RecordingDelegate::new());
    let many = session(&provider, &delegate, |_| ()).await;
    let other = session(&provider, &delegate, |_| ()).await;
    let mut loops = Vec::new();
    // The engine's pool has a thousand places, of which the other session takes one.
    for _ in 0..999 {
        loops.push(start(&many, "for (;;) {}").await);
    }
    // In turns with all the loops, each of these calls would cost a second of their CPU time.
    let source = "for (let i = 0; i < 100; i++) await tools.echo(i); text('done')";
    assert_eq!(start(&other, source).await.first_response.await.unwrap().text(), "done");
    let used = end_and_charge(&many, loops).await;
    assert!(used < Duration::from_secs(20), "{used:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cells_that_wait_hold_no_thread() {
    let (provider, delegate) = (provider(), RecordingDelegate::new());
    let session = session(&provider, &delegate, |_| ()).await;
    let mut cells = vec![start(&session, "text(await tools.gate(0))").await];
    let before = threads();
    for n in 1..900 {
        cells.push(start(&session, &format!("text(await tools.gate({n}))")).await);
    }
    for started in &cells {
        let cell_id = &started.cell_id;
        delegate
            .reached(
                |seen| matches!(seen, carrel_contract::testing::Seen::Called(cell, _) if cell == cell_id),
            )
            .await;
    }
    assert_eq!(threads(), before);
    delegate.open_gate();
    for (n, started) in cells.into_iter().enumerate() {
        assert_eq!(started.first_response.await.unwrap().text(), n.to_string());
    }
}

/// Returns how many threads this process has; 0 where the system does not say.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}
