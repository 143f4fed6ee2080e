//! Figures of sessions that outlive their process, in SQLite, on the disk that holds the folder for temporary files.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use carrel_contract::{
    CellId, CodeModeSession, CodeModeSessionProvider, Durability, ExecuteRequest, Seq, SessionSpec,
    ToolDescription, ToolName, WaitRequest,
};
use carrel_journal::{Sqlite, Store};
use carrel_runtime::{InProcessProvider, Options};
use futures::future::join_all;
use tokio::runtime::{Builder, Runtime};

use crate::session::Tools;
use crate::table::{Table, median, median_of, milliseconds, per_second};

struct Bench {
    runtime: Runtime,
    store: Arc<Sqlite>,
    provider: InProcessProvider,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self::with(|_| ())
    }

    fn with(change: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let store = Arc::new(Sqlite::open(folder.path().join("carrel.db")).expect("a store can be opened"));
        let mut options = Options::default();
        options.guest_threads = Some(NonZeroUsize::MIN);
        options.store = Some(Arc::clone(&store) as Arc<dyn Store>);
        change(&mut options);
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
        let provider = InProcessProvider::new(options).expect("a provider can be made");
        Self { runtime, store, provider, _folder: folder }
    }

    async fn session(&self) -> Arc<dyn CodeModeSession> {
        let mut spec = SessionSpec::default();
        spec.durability = Durability::Journaled;
        spec.tools = ["echo", "hang"]
            .map(|name| ToolDescription::new(ToolName::new(name).expect("a name"), ""))
            .to_vec();
        self.provider.create(spec, Arc::new(Tools)).await.expect("a session can be made")
    }

    /// How many entries a session's journal has.
    async fn entries(&self, session: &dyn CodeModeSession) -> u64 {
        self.store.head(session.id()).await.expect("the store is well").unwrap_or_default().last.0
    }
}

async fn start(session: &dyn CodeModeSession, source: &str) -> CellId {
    let request = ExecuteRequest::new(source).with_yield_time(Duration::ZERO);
    session.execute(request).await.expect("admitted").cell_id
}

async fn end(session: &dyn CodeModeSession, cell_id: CellId) {
    let request = WaitRequest::new([cell_id]).after(Seq::START).with_yield_time(Duration::from_secs(600));
    let response = session.wait(request).await.expect("observed");
    assert!(response.cells.iter().all(carrel_contract::CellResponse::is_final), "the cell ends");
}

pub(crate) fn measure(table: &mut Table) {
    const CALLS: u32 = 200;
    let calls = format!("for (let i = 0; i < {CALLS}; i++) await tools.echo({{ n: i }})");
    table.row("trivial cell in a journaled session, p50", "-", || {
        let bench = Bench::new();
        let session = bench.runtime.block_on(bench.session());
        let one =
            || bench.runtime.block_on(async { end(&*session, start(&*session, "text('hi')").await).await });
        milliseconds(median(101, one))
    });
    table.row("journaled tool calls, 64 sessions at once", "20000 /s", || {
        let bench = Bench::new();
        let sessions = bench.runtime.block_on(join_all((0..64).map(|_| bench.session())));
        let time = median(5, || {
            bench.runtime.block_on(join_all(sessions.iter().map(|session| async {
                end(&**session, start(&**session, &calls).await).await;
            })));
        });
        per_second(64 * CALLS as usize, time)
    });
    table.row("commits of 200 journaled calls in sequence", "202", || {
        let bench = Bench::new();
        bench.runtime.block_on(async {
            let session = bench.session().await;
            let before = bench.entries(&*session).await;
            end(&*session, start(&*session, &calls).await).await;
            (bench.entries(&*session).await - before).to_string()
        })
    });
    table.row("bytes kept of a journaled call", "-", || {
        let bench = Bench::new();
        bench.runtime.block_on(async {
            let session = bench.session().await;
            let kept = async || bench.store.size_bytes(session.id()).await.expect("the store is well");
            let before = kept().await;
            end(&*session, start(&*session, &calls).await).await;
            format!("{} B", (kept().await - before) / u64::from(CALLS))
        })
    });
    for (calls, goal) in [(0, "-"), (200, "50 ms"), (2_000, "-"), (20_000, "-")] {
        let row = format!("session restored, with a cell after {calls} journaled calls");
        table.row(&row, goal, || milliseconds(median_of((0..5).map(|_| restored(&Bench::new(), calls)))));
        // Neither is one saved nor folded whose journal is short.
        if calls >= 2_000 {
            table.row(&format!("{row}, never folded"), "-", || {
                let bench = Bench::with(|options| options.folding.after_bytes = u64::MAX / 64);
                milliseconds(restored(&bench, calls))
            });
        }
    }
}

/// Measures how long a session is on its way back, with a cell that made so many calls, one after the other, and waits.
fn restored(bench: &Bench, calls: u64) -> Duration {
    bench.runtime.block_on(async {
        let session = bench.session().await;
        let source = format!(
            "for (let i = 0; i < {calls}; i++) await tools.echo({{ n: i }}); try {{ await tools.hang() }} catch {{ text('again') }}"
        );
        let cell_id = start(&*session, &source).await;
        // The last call is under way once everything before it is written.
        while bench.entries(&*session).await < calls {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let id = session.id().clone();
        drop(session);
        bench.provider.settle().await;
        let begun = Instant::now();
        let again = bench.provider.resume(id, Arc::new(Tools)).await.expect("it is there");
        end(&*again, cell_id).await;
        begun.elapsed()
    })
}
