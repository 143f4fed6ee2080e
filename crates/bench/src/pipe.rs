//! Figures of sessions in a host process, over its standard streams: everything once with client and host on one
//! processor, and once wherever the system puts them.
//!
//! The host is this program, started with `--host`, so that it is the same build and can hold as many cells as are asked for.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, fs};

use carrel_contract::{
    CodeModeSession, CodeModeSessionProvider, ExecuteRequest, SessionSpec, ToolDescription, ToolName,
};
use carrel_host::{HostCommand, Hosted, Listen, ProcessOptions, ProcessProvider, die_with_parent};
use carrel_runtime::{InProcessProvider, Options};
use futures::future::join_all;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use tokio::runtime::{Builder, Runtime};

use crate::session::{Tools, private_bytes_of};
use crate::table::{Table, median, median_of, milliseconds, per_second};

/// The cells that the largest row suspends, and one more to run after them.
const CELLS: u32 = 10_001;

/// Serves a client on the standard streams. `args` are those that a provider adds to its command.
pub(crate) fn host(args: &[String]) {
    let number = |name: &str| {
        let value = args.iter().skip_while(|arg| *arg != name).nth(1);
        value.and_then(|value| value.parse().ok()).expect("it is a number")
    };
    let (parent, cells) = (number("--parent"), number("--cells"));
    assert!(die_with_parent(parent).expect("the kernel agrees"), "the parent is there");
    let runtime = Builder::new_multi_thread().enable_all().build().expect("a runtime can be made");
    runtime.block_on(async {
        let mut options = Options::default();
        options.engine.max_vms = cells;
        let provider = Arc::new(InProcessProvider::new(options).expect("a provider can be made"));
        let bound = Listen::Stdio.bind().expect("there are pipes");
        let listening = bound.listen().expect("the runtime can wait for them");
        // How the client leaves is the client's business.
        listening.serve(Arc::new(Hosted::new(provider, "bench"))).await.ok();
    });
}

struct Bench {
    runtime: Runtime,
    session: Arc<dyn CodeModeSession>,
    _provider: ProcessProvider,
}

impl Bench {
    fn new() -> Self {
        Self::of(Options::default().engine.max_vms)
    }

    /// The same with a host that holds so many cells: it makes room for them as it starts.
    fn of(cells: u32) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
        let mut spec = SessionSpec::default();
        spec.tools = ["echo", "hang"]
            .map(|name| ToolDescription::new(ToolName::new(name).expect("a name"), ""))
            .to_vec();
        spec.limits.running_cells = cells as usize;
        let program = env::current_exe().expect("this program is somewhere");
        let command =
            HostCommand { program, args: vec!["--host".into(), "--cells".into(), cells.to_string().into()] };
        let provider = ProcessProvider::new(ProcessOptions::new(command)).expect("a provider can be made");
        let session =
            runtime.block_on(provider.create(spec, Arc::new(Tools))).expect("a session can be made");
        Self { runtime, session, _provider: provider }
    }

    async fn run(&self, source: &str) {
        let request = ExecuteRequest::new(source).with_yield_time(Duration::from_secs(600));
        let started = self.session.execute(request).await.expect("admitted");
        let response = started.first_response.await.expect("observed");
        assert!(response.is_final(), "the cell ends: {response:?}");
    }
}

/// Has this thread, and what it starts, on one processor until it is dropped.
struct Pinned(CpuSet);

impl Pinned {
    fn new() -> Self {
        let all = sched_getaffinity(None).expect("the kernel knows");
        let first = (0..CpuSet::MAX_CPU).find(|cpu| all.is_set(*cpu)).expect("there is a processor");
        let mut one = CpuSet::new();
        one.set(first);
        sched_setaffinity(None, &one).expect("the kernel agrees");
        Self(all)
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        sched_setaffinity(None, &self.0).expect("it was so before");
    }
}

pub(crate) fn measure(table: &mut Table) {
    let mut both = |what: &str, goal: &str, measure: fn() -> String| {
        table.row(&format!("{what}, one processor"), goal, || {
            let _pinned = Pinned::new();
            measure()
        });
        table.row(&format!("{what}, free"), goal, measure);
    };
    both("over a pipe: trivial cell, text(\"hi\"), p50", "0.20 ms", || {
        let bench = Bench::new();
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
    both("over a pipe: cells a second, 64 at once", "5000 /s", || {
        let bench = Bench::new();
        let time = median(5, || {
            bench.runtime.block_on(async {
                for _ in 0..20 {
                    join_all((0..64).map(|_| bench.run("text(\"hi\")"))).await;
                }
            });
        });
        per_second(20 * 64, time)
    });
    both("over a pipe: nested tool call, 1,000 in sequence, each", "0.045 ms", || {
        let bench = Bench::new();
        let source = "for (let i = 0; i < 1000; i++) await tools.echo({ n: i })";
        milliseconds(median(15, || bench.runtime.block_on(bench.run(source))) / 1000)
    });
    both("over a pipe: Promise.all of 10,000 tool calls", "100000 /s", || {
        let bench = Bench::new();
        let source = "await Promise.all(Array.from({ length: 10000 }, (_, i) => tools.echo({ n: i })))";
        per_second(10_000, median(9, || bench.runtime.block_on(bench.run(source))))
    });
    both("a host started, a session in it, its first result", "8 ms", || {
        milliseconds(median(30, || {
            let bench = Bench::new();
            bench.runtime.block_on(bench.run("text(\"hi\")"));
        }))
    });
    both("the same with room for 8 cells, as `carrel run` makes, not for 1,000", "8 ms", || {
        milliseconds(median(30, || {
            let bench = Bench::of(8);
            bench.runtime.block_on(bench.run("text(\"hi\")"));
        }))
    });
    for cells in [NonZeroUsize::MIN.get(), 100, 1_000, 10_000] {
        table.row(
            &format!("a host with {cells} suspended cells: its memory, threads"),
            "0.20 MB each",
            || {
                let bench = Bench::of(CELLS);
                bench.runtime.block_on(bench.run("text('hi')"));
                let host = host_of_this().expect("there is one");
                let before = private_bytes_of(&host);
                bench.runtime.block_on(async {
                    for _ in 0..cells {
                        let source = "text('hi'); await tools.hang({ a: 1 })";
                        bench.session.execute(ExecuteRequest::new(source)).await.expect("admitted");
                    }
                    // It is admitted after all others, and they have their turns in that order.
                    bench.run("text('hi')").await;
                });
                let after = private_bytes_of(&host);
                let each = after.saturating_sub(before) as f64 / cells as f64 / 1e6;
                let threads = fs::read_dir(format!("/proc/{host}/task")).map_or(0, Iterator::count);
                format!("{:.1} MB ({each:.3} each), {threads}", after as f64 / 1e6)
            },
        );
    }
}

/// Finds the youngest host of this process: those of other rows may be on their way out.
fn host_of_this() -> Option<String> {
    let parent = std::process::id().to_string();
    let hosts = fs::read_dir("/proc").ok()?.filter_map(Result::ok).filter_map(|entry| {
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        let of_parent = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.to_owned();
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        (of_parent == parent).then_some(pid)
    });
    hosts.max().map(|pid| pid.to_string())
}
