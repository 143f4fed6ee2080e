//! A million cells and a million tool calls in one session, and the memory that is left of them: `./x soak [CELLS]`.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use carrel_contract::{
    CodeModeSession, CodeModeSessionProvider, ExecuteRequest, SessionSpec, ToolDescription, ToolName,
};
use carrel_runtime::{InProcessProvider, Options};
use futures::future::join_all;
use tokio::runtime::Builder;

use crate::process::resident_bytes;
use crate::session::Tools;

const CELLS: usize = 1_000_000;
/// Cells that run side by side.
const LINES: usize = 32;
/// What is kept of a session (outcomes, events) has reached its bounds after so many.
const WARM_UP: usize = 20_000;

/// Runs the soak for so many cells, each of which makes one tool call, a million by default.
pub(crate) fn run(cells: Option<usize>) {
    let cells = cells.unwrap_or(CELLS);
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    let mut options = Options::default();
    options.guest_threads = Some(NonZeroUsize::MIN);
    let provider = InProcessProvider::new(options).expect("a provider can be made");
    let mut spec = SessionSpec::default();
    spec.tools = ["echo"].map(|name| ToolDescription::new(ToolName::new(name).expect("a name"), "")).to_vec();
    let session = runtime.block_on(provider.create(spec, Arc::new(Tools))).expect("a session can be made");
    let report =
        |done: usize| println!("{done:>9} cells: {:>7.1} MB resident", resident_bytes() as f64 / 1e6);

    report(0);
    runtime.block_on(batch(&*session, WARM_UP));
    report(WARM_UP);
    let begun = Instant::now();
    for part in 1..=10 {
        runtime.block_on(batch(&*session, cells / 10));
        report(WARM_UP + part * (cells / 10));
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("{cells} cells with a tool call each in {seconds:.0} s, {:.0} a second", cells as f64 / seconds);
}

async fn batch(session: &dyn CodeModeSession, cells: usize) {
    let line = || async {
        for n in 0..cells / LINES {
            // Of every kind: most end well, some fail, some leave a call behind.
            let source = match n % 10 {
                8 => "store('last', await tools.echo({ n: 1 })); throw new Error('as it goes')",
                9 => "tools.echo({ n: 1 }); notify('left')",
                _ => "text((await tools.echo({ n: 1 })).n)",
            };
            let started = session.execute(ExecuteRequest::new(source)).await.expect("admitted");
            let response = started.first_response.await.expect("observed");
            assert!(response.is_final(), "the cell ends: {response:?}");
        }
    };
    join_all((0..LINES).map(|_| line())).await;
}
