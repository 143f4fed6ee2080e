//! Figures of sessions in this process.

use std::fs;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use carrel_contract::error::NotifyError;
use carrel_contract::{
    CancellationToken, CellId, CodeModeFuture, CodeModeSession, CodeModeSessionDelegate,
    CodeModeSessionProvider, EventKind, ExecuteRequest, JsonText, Notification, Seq, SessionSpec, StreamItem,
    ToolCall, ToolDescription, ToolError, ToolName,
};
use carrel_runtime::{InProcessProvider, Options};
use futures::StreamExt;
use futures::future::join_all;
use tokio::runtime::{Builder, Runtime};

use crate::table::{Table, median, median_of, milliseconds, per_second};

/// Answers `echo` at once and `hang` never.
pub(crate) struct Tools;

impl CodeModeSessionDelegate for Tools {
    fn invoke_tool(
        &self,
        call: ToolCall,
        cancel: CancellationToken,
    ) -> CodeModeFuture<'_, JsonText, ToolError> {
        Box::pin(async move {
            if call.tool.as_str() == "hang" {
                cancel.cancelled().await;
            }
            Ok(call.input.unwrap_or_else(|| JsonText::parse("null").expect("null is JSON")))
        })
    }

    fn notify(&self, _: Notification, _: CancellationToken) -> CodeModeFuture<'_, (), NotifyError> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn cell_closed(&self, _: &CellId) {}
}

pub(crate) struct Bench {
    pub(crate) runtime: Runtime,
    // Held: sessions outlive their provider, but not its name.
    _provider: InProcessProvider,
    session: Arc<dyn CodeModeSession>,
}

impl Bench {
    /// One thread for everything but CPU-bound cells, as where one core is all there is.
    pub(crate) fn new(change: impl FnOnce(&mut SessionSpec, &mut Options)) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
        let mut spec = SessionSpec::default();
        spec.tools = ["echo", "hang"]
            .map(|name| ToolDescription::new(ToolName::new(name).expect("a name"), ""))
            .to_vec();
        let mut options = Options::default();
        options.guest_threads = Some(NonZeroUsize::MIN);
        change(&mut spec, &mut options);
        let provider = InProcessProvider::new(options).expect("a provider can be made");
        let session =
            runtime.block_on(provider.create(spec, Arc::new(Tools))).expect("a session can be made");
        Self { runtime, _provider: provider, session }
    }

    pub(crate) async fn run(&self, source: &str) {
        let started = self.session.execute(ExecuteRequest::new(source)).await.expect("admitted");
        let response = started.first_response.await.expect("observed");
        assert!(response.is_final(), "the cell ends: {response:?}");
    }
}

pub(crate) fn measure(table: &mut Table) {
    table.row("trivial cell, text(\"hi\"), in process, p50", "0.10 ms", || {
        let bench = Bench::new(|_, _| ());
        milliseconds(bench.runtime.block_on(async {
            let mut times = Vec::new();
            for _ in 0..2000 {
                let begun = Instant::now();
                bench.run("text(\"hi\")").await;
                times.push(begun.elapsed());
            }
            median_of(times.into_iter())
        }))
    });
    table.row("cells a second, 64 at once, one thread", "5000 /s", || {
        let bench = Bench::new(|_, _| ());
        let time = median(5, || {
            bench.runtime.block_on(async {
                for _ in 0..20 {
                    join_all((0..64).map(|_| bench.run("text(\"hi\")"))).await;
                }
            });
        });
        per_second(20 * 64, time)
    });
    table.row("nested tool call in process, 1,000 in sequence, each", "0.010 ms", || {
        let bench = Bench::new(|_, _| ());
        let source = "for (let i = 0; i < 1000; i++) await tools.echo({ n: i })";
        milliseconds(median(15, || bench.runtime.block_on(bench.run(source))) / 1000)
    });
    table.row("Promise.all of 10,000 tool calls, in process", "100000 /s", || {
        let bench = Bench::new(|_, _| ());
        let source = "await Promise.all(Array.from({ length: 10000 }, (_, i) => tools.echo({ n: i })))";
        per_second(10_000, median(9, || bench.runtime.block_on(bench.run(source))))
    });
    table.row("memory a suspended cell, not shared with others", "0.20 MB", || {
        let bench = Bench::new(|spec, _| spec.limits.running_cells = 600);
        let grown_by = |count: usize| {
            bench.runtime.block_on(async {
                for _ in 0..count {
                    let source = "text('hi'); await tools.hang({ a: 1 })";
                    let request = ExecuteRequest::new(source).with_yield_time(Duration::ZERO);
                    let started = bench.session.execute(request).await.expect("admitted");
                    called(&*bench.session, &started.cell_id).await;
                }
            });
            private_bytes()
        };
        let (before, after) = (grown_by(50), grown_by(500));
        format!("{:.3} MB", after.saturating_sub(before) as f64 / 500.0 / 1e6)
    });
    table.row("10,000 suspended cells: memory each, threads for them", "0.20 MB, 0", || {
        const CELLS: u32 = 10_000;
        let bench = Bench::new(|spec, options| {
            spec.limits.running_cells = CELLS as usize + 1;
            options.engine.max_vms = CELLS + 1;
        });
        // The ticker and the lane have their threads before there is a cell that waits.
        bench.runtime.block_on(bench.run("text('hi')"));
        let (bytes, threads) = (private_bytes(), threads());
        bench.runtime.block_on(async {
            for _ in 0..CELLS {
                let request = ExecuteRequest::new("text('hi'); await tools.hang({ a: 1 })");
                bench.session.execute(request).await.expect("admitted");
            }
            // There is one thread, and it takes cells in the order in which they came: this one is after all others.
            bench.run("text('hi')").await;
        });
        let each = private_bytes().saturating_sub(bytes) as f64 / f64::from(CELLS) / 1e6;
        format!("{each:.3} MB, {}", self::threads() - threads)
    });
    table.row("stop while(true){}, from terminate to outcome", "0.40 ms", || {
        let bench = Bench::new(|_, _| ());
        let times: Vec<_> = bench.runtime.block_on(async {
            let mut times = Vec::new();
            for _ in 0..50 {
                let request =
                    ExecuteRequest::new("while (true) {}").with_yield_time(Duration::from_millis(5));
                let started = bench.session.execute(request).await.expect("admitted");
                started.first_response.await.expect("observed");
                let begun = Instant::now();
                bench.session.terminate(started.cell_id).await.expect("terminated");
                times.push(begun.elapsed());
            }
            times
        });
        milliseconds(median_of(times.into_iter()))
    });
}

/// Returns how many threads this process has; 0 where there is no `/proc`.
fn threads() -> usize {
    fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}

async fn called(session: &dyn CodeModeSession, cell_id: &CellId) {
    let mut events = session.events(Seq::START);
    while let Some(item) = events.next().await {
        if let StreamItem::Event(event) = item
            && event.cell_id == *cell_id
            && matches!(event.kind, EventKind::ToolCalled { .. })
        {
            return;
        }
    }
}

/// Returns the memory that this process has to itself; 0 where the system does not say.
fn private_bytes() -> usize {
    private_bytes_of("self")
}

/// Returns the memory that a process has to itself. What VMs share, the image, `VmRSS` counts once for each of them, so it
/// says nothing here.
pub(crate) fn private_bytes_of(process: &str) -> usize {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("RssAnon:")?.trim().strip_suffix(" kB"));
    kilobytes.and_then(|digits| digits.trim().parse::<usize>().ok()).unwrap_or(0) * 1024
}
