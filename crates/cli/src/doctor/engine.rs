//! Tries the engine: that cells run, and that the sandbox holds what it promises.

use std::sync::Arc;
use std::time::{Duration, Instant};

use carrel_contract::{
    CellErrorKind, CellResponse, CodeModeSessionProvider, ExecuteRequest, Limits, SessionSpec,
    TerminationReason,
};

use super::check::Check;
use crate::provider;
use crate::servers;
use crate::units::{show_bytes, show_duration};

/// Longer than any of the trial cells takes on a working machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// The CPU time that the endless trial cell gets.
const SHORT: Duration = Duration::from_millis(50);

/// Names of other worlds that must not exist in a cell's.
const FORBIDDEN: &str = "text(['process', 'require', 'fetch', 'WebAssembly', 'SharedArrayBuffer', 'Deno', 'std', 'os']\
    .filter(name => name in globalThis).join(' '))";

/// Makes the checks. The first that fails is the last: the others would fail for its reason.
pub(super) async fn checks() -> Vec<Check> {
    let began = Instant::now();
    let provider = match provider::in_process() {
        Ok(provider) => provider,
        Err(error) => {
            let help = "this build does not fit this machine; build Carrel here with `./x run`";
            return vec![Check::fail("engine", format!("failed to {error}"), help.into())];
        }
    };
    let loaded = began.elapsed();
    let (check, works) = trivial_cell(&provider, loaded).await;
    if !works {
        return vec![check];
    }
    let pool = Check::ok("pool", provider::describe_pool());
    vec![check, pool, isolation(&provider).await, memory(&provider).await, cpu(&provider).await]
}

/// Runs one cell in a session of its own.
async fn cell(
    provider: &Arc<dyn CodeModeSessionProvider>,
    limits: Limits,
    source: &str,
) -> Result<CellResponse, String> {
    let mut spec = SessionSpec::default();
    spec.limits = limits;
    let session = provider.create(spec, servers::no_tools()).await.map_err(|e| format!("failed to {e}"))?;
    let request = ExecuteRequest::new(source).with_yield_time(PATIENCE);
    let response = match session.execute(request).await {
        Ok(started) => started.first_response.await.map_err(|e| format!("failed to {e}")),
        Err(error) => Err(format!("failed to {error}")),
    };
    // Nothing is left running that could make this fail.
    session.shutdown().await.ok();
    response
}

async fn trivial_cell(provider: &Arc<dyn CodeModeSessionProvider>, loaded: Duration) -> (Check, bool) {
    let help = "no cell can run here: please report this with the output of this command";
    let mut times = Vec::new();
    for _ in 0..2 {
        let began = Instant::now();
        match cell(provider, Limits::default(), "text('hi')").await {
            Ok(response) if response.text() == "hi" => times.push(show_duration(began.elapsed())),
            Ok(response) => {
                let detail = format!("a trivial cell ended as {response:?}");
                return (Check::fail("engine", detail, help.into()), false);
            }
            Err(error) => return (Check::fail("engine", error, help.into()), false),
        }
    }
    let detail =
        format!("loaded in {}; a trivial cell took {}", show_duration(loaded), times.join(", then "));
    (Check::ok("engine", detail), true)
}

async fn isolation(provider: &Arc<dyn CodeModeSessionProvider>) -> Check {
    let help = "a cell could reach out of its sandbox: do not run cells you do not trust, and report this";
    match cell(provider, Limits::default(), FORBIDDEN).await {
        Ok(response) if response.text().is_empty() => Check::ok(
            "sandbox",
            "each cell is a WebAssembly instance of its own in this process, without files, network, clock or \
             processes"
                .into(),
        ),
        Ok(response) => {
            Check::fail("sandbox", format!("cells can see: {}", response.text()), help.into())
        }
        Err(error) => Check::fail("sandbox", error, help.into()),
    }
}

async fn memory(provider: &Arc<dyn CodeModeSessionProvider>) -> Check {
    let limits = Limits::default();
    let limit = show_bytes(limits.memory_bytes);
    let help = "a cell can take more memory than it may: do not run cells you do not trust, and report this";
    let eater = "const all = []; for (;;) all.push(new Uint8Array(1 << 20))";
    match cell(provider, limits, eater).await {
        Ok(CellResponse::Completed(done))
            if done.error.as_ref().is_some_and(|e| e.kind == CellErrorKind::OutOfMemory) =>
        {
            Check::ok("memory limit", format!("a cell that eats memory fails at {limit}, and only it"))
        }
        // A cell may also see the refusal as an error that it could have caught.
        Ok(CellResponse::Completed(done)) if done.error.is_some() => {
            Check::ok("memory limit", format!("a cell that eats memory is refused more than {limit}"))
        }
        Ok(response) => {
            Check::fail("memory limit", format!("a cell that eats memory ended as {response:?}"), help.into())
        }
        Err(error) => Check::fail("memory limit", error, help.into()),
    }
}

async fn cpu(provider: &Arc<dyn CodeModeSessionProvider>) -> Check {
    let mut limits = Limits::default();
    limits.cpu_time = SHORT;
    let began = Instant::now();
    match cell(provider, limits, "for (;;);").await {
        Ok(CellResponse::Terminated(done)) if matches!(done.reason, TerminationReason::CpuTime { .. }) => {
            let took = began.elapsed();
            let detail = format!(
                "a loop without end, given {}, was stopped after {}",
                show_duration(SHORT),
                show_duration(took)
            );
            if took > SHORT * 10 {
                let help = "this machine is busy, or its clock is coarse: limits will be kept late";
                return Check::warn("cpu limit", detail, help.into());
            }
            Check::ok("cpu limit", detail)
        }
        Ok(response) => {
            let help = "a cell can run without end: do not run cells you do not trust, and report this";
            Check::fail("cpu limit", format!("a loop without end ended as {response:?}"), help.into())
        }
        Err(error) => Check::fail("cpu limit", error, "no cell can be limited here: report this".into()),
    }
}
