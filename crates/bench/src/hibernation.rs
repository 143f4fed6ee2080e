//! Figures of sessions that sleep, in SQLite: what each takes of memory and disk, and how long it takes to wake one.
//!
//! `CARREL_SESSIONS` says of how many: 100,000 unless it does, which take a minute.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{env, fs};

use carrel_contract::error::NotifyError;
use carrel_contract::{
    CancellationToken, CellId, CodeModeFuture, CodeModeSession, CodeModeSessionDelegate,
    CodeModeSessionProvider, Durability, EventKind, ExecuteRequest, JsonText, Notification, Seq, SessionId,
    SessionSpec, StreamItem, ToolCall, ToolDescription, ToolError, ToolName,
};
use carrel_journal::{Sqlite, Store};
use carrel_runtime::{InProcessProvider, Options};
use futures::{StreamExt, stream};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use crate::table::{Table, median_of, milliseconds};

/// How many sessions are made side by side.
const AT_ONCE: usize = 64;
/// How many are woken.
const WOKEN: usize = 201;
/// Made first, so that what grows once has grown.
const BEFORE: usize = 500;

/// A tool that answers when it is told to.
#[derive(Default)]
struct Held(Mutex<HashMap<SessionId, oneshot::Sender<()>>>);

impl Held {
    fn answer(&self, session: &SessionId) {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(session);
        held.expect("its call is under way").send(()).expect("somebody waits for it");
    }
}

impl CodeModeSessionDelegate for Held {
    fn invoke_tool(&self, call: ToolCall, _: CancellationToken) -> CodeModeFuture<'_, JsonText, ToolError> {
        let (answer, answered) = oneshot::channel();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(call.session_id, answer);
        Box::pin(async move {
            answered.await.ok();
            Ok(JsonText::from_value(&1.into()))
        })
    }

    fn notify(&self, _: Notification, _: CancellationToken) -> CodeModeFuture<'_, (), NotifyError> {
        Box::pin(async { Ok(()) })
    }

    fn cell_closed(&self, _: &CellId) {}
}

struct Bench {
    provider: InProcessProvider,
    held: Arc<Held>,
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let store = Sqlite::open(folder.path().join("carrel.db")).expect("a store can be opened");
        let mut options = Options::default();
        options.store = Some(Arc::new(store) as Arc<dyn Store>);
        options.hibernation.idle = Duration::ZERO;
        let provider = InProcessProvider::new(options).expect("a provider can be made");
        Self { provider, held: Arc::default(), folder }
    }

    /// Makes sessions with a cell each, and waits until all sleep.
    async fn asleep(&self, count: usize, source: &str) -> Vec<Arc<dyn CodeModeSession>> {
        let make = |_| async {
            let mut spec = SessionSpec::default();
            spec.durability = Durability::Journaled;
            spec.tools = vec![ToolDescription::new(ToolName::new("held").expect("a name"), "")];
            let delegate = Arc::clone(&self.held) as Arc<dyn CodeModeSessionDelegate>;
            let session = self.provider.create(spec, delegate).await.expect("a session can be made");
            session.execute(ExecuteRequest::new(source)).await.expect("admitted");
            session
        };
        let sessions = stream::iter(0..count).map(make).buffer_unordered(AT_ONCE).collect().await;
        while self.provider.awake() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        sessions
    }
}

/// What a session does before it sleeps, and what wakes it.
struct Kind {
    what: &'static str,
    source: &'static str,
    wake: fn(&Held, &SessionId),
}

const KINDS: [Kind; 3] = [
    Kind { what: "idle", source: "text('hi')", wake: |_, _| () },
    Kind {
        what: "a cell waits for a timer",
        source: "await new Promise((go) => setTimeout(go, 1e9))",
        wake: |_, _| (),
    },
    Kind { what: "a cell waits for a call", source: "text(await tools.held())", wake: Held::answer },
];

pub(crate) fn measure(table: &mut Table) {
    let count = env::var("CARREL_SESSIONS").ok().and_then(|count| count.parse().ok()).unwrap_or(100_000);
    for kind in KINDS {
        let Kind { what, source, wake } = kind;
        table.row(&format!("{count} hibernated sessions, {what}: memory, disk each"), "none, -", || {
            let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
            runtime.expect("a runtime can be made").block_on(async {
                let bench = Bench::new();
                let before = bench.asleep(BEFORE, source).await;
                let (memory, disk) = (resident(), size(bench.folder.path()));
                let sessions = bench.asleep(count, source).await;
                let each = |now: u64, before: u64| now.saturating_sub(before) as f64 / 1024.0 / count as f64;
                let (memory, disk) = (each(resident(), memory), each(size(bench.folder.path()), disk));
                drop((sessions, before));
                format!("{memory:.2}, {disk:.1} KiB")
            })
        });
        if what == "a cell waits for a timer" {
            continue;
        }
        table.row(&format!("wake a hibernated session, {what}, to the end of its cell, p50"), "-", || {
            let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
            runtime.expect("a runtime can be made").block_on(async {
                let bench = Bench::new();
                let mut times = Vec::new();
                for session in bench.asleep(WOKEN, source).await {
                    let begun = Instant::now();
                    wake(&bench.held, session.id());
                    if what == "idle" {
                        session.execute(ExecuteRequest::new(source)).await.expect("admitted");
                    }
                    end(&*session, if what == "idle" { 2 } else { 1 }).await;
                    times.push(begun.elapsed());
                }
                milliseconds(median_of(times.into_iter()))
            })
        });
    }
}

/// Waits for the end of a session's nth cell, without using the session.
async fn end(session: &dyn CodeModeSession, nth: usize) {
    let mut events = session.events(Seq::START);
    let mut ends = 0;
    while ends < nth {
        let event = events.next().await.expect("it goes on");
        let StreamItem::Event(event) = event else { continue };
        ends += usize::from(matches!(event.kind, EventKind::CellCompleted { .. }));
    }
}

/// What this process has in memory, in bytes; 0 where nobody says.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// What the files of a folder take, in bytes.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).expect("the folder is there");
    entries.flatten().filter_map(|entry| entry.metadata().ok()).map(|data| data.len()).sum()
}
