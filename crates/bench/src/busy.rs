//! Figures of sessions that share threads.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use carrel_contract::{CodeModeSession, CodeModeSessionProvider, ExecuteRequest, SessionSpec};
use carrel_runtime::{InProcessProvider, Options};
use futures::future::join_all;
use tokio::runtime::{Builder, Runtime};

use crate::session::Tools;
use crate::table::{Table, median_of, milliseconds, per_second};

fn runtime(threads: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(threads).enable_all().build().expect("a runtime can be made")
}

fn provider(guest_threads: Option<NonZeroUsize>) -> InProcessProvider {
    let mut options = Options::default();
    options.guest_threads = guest_threads;
    InProcessProvider::new(options).expect("a provider can be made")
}

async fn session(provider: &InProcessProvider) -> Arc<dyn CodeModeSession> {
    let mut spec = SessionSpec::default();
    spec.limits.running_cells = 600;
    provider.create(spec, Arc::new(Tools)).await.expect("a session can be made")
}

async fn run(session: &dyn CodeModeSession) {
    let started = session.execute(ExecuteRequest::new("text(\"hi\")")).await.expect("admitted");
    let response = started.first_response.await.expect("observed");
    assert!(response.is_final(), "the cell ends: {response:?}");
}

pub(crate) fn measure(table: &mut Table) {
    for (what, shared) in [
        ("trivial cell while 100 CPU-bound cells run, of one session, p50", true),
        ("the same, the CPU-bound cells of another session", false),
    ] {
        table.row(what, "-", || {
            let runtime = runtime(2);
            let provider = provider(None);
            let times = runtime.block_on(async {
                let busy = session(&provider).await;
                let other = if shared { Arc::clone(&busy) } else { session(&provider).await };
                for _ in 0..100 {
                    let request = ExecuteRequest::new("for (;;) {}").with_yield_time(Duration::ZERO);
                    busy.execute(request).await.expect("admitted");
                }
                // New cells have spent their credit: what is measured is the state that lasts.
                let mut times = Vec::new();
                for _ in 0..300 {
                    let begun = Instant::now();
                    run(&*other).await;
                    times.push(begun.elapsed());
                }
                busy.shutdown().await.expect("ended");
                times
            });
            milliseconds(median_of(times.into_iter()))
        });
    }
    for threads in [1, 2, 4] {
        table.row(&format!("cells a second, 64 at once, tokio threads: {threads}"), "-", || {
            let runtime = runtime(threads);
            let provider = provider(NonZeroUsize::new(threads));
            let times = runtime.block_on(async {
                let session = session(&provider).await;
                let mut times = Vec::new();
                for _ in 0..10 {
                    let begun = Instant::now();
                    let lines = (0..64).map(|_| {
                        let session = Arc::clone(&session);
                        async move {
                            for _ in 0..40 {
                                run(&*session).await;
                            }
                        }
                    });
                    join_all(lines).await;
                    times.push(begun.elapsed());
                }
                times
            });
            per_second(64 * 40, median_of(times.into_iter()))
        });
    }
}
