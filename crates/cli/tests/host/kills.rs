//! Hosts that are killed at any point of many cells: at each call, answer, notification, end of a cell, and event that comes
//! from them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use carrel_contract::error::{ExecuteError, WaitError};
use carrel_contract::{
    CellId, CellResponse, CodeModeSession, CodeModeSessionProvider, Durability, ExecuteRequest, Notice, Seq,
    SessionSpec, TerminationReason, WaitRequest,
};
use carrel_host::{ProcessOptions, ProcessProvider};
use futures::StreamExt;
use futures::future::join_all;
use rustix::process::Signal;

use crate::harness::{LONG, Process, Tools, hosts, null, options, spec};

/// What runs at once. `echo` may not be called again, so a call that was under way has no outcome that is known.
const CELLS: [&str; 4] = [
    "for (let i = 0; i < 5; i++) text(await call(i))",
    "store('k', 1); await new Promise((done) => setTimeout(done, 1)); notify('half'); text(await call(1))",
    "text((await Promise.all([1, 2, 3].map(call))).join())",
    "text('quick')",
];
const CALL: &str = "const call = async (n) => {
    try { return await tools.echo(n) } catch (e) { if (e.name === 'OutcomeUnknownError') return '?'; throw e }
};\n";

/// Kills a host when as much has been seen of it.
struct Killer {
    seen: AtomicUsize,
    at: usize,
    host: OnceLock<Vec<Process>>,
}

impl Killer {
    fn see(&self) {
        if self.seen.fetch_add(1, Ordering::SeqCst) == self.at {
            self.kill();
        }
    }

    fn kill(&self) {
        self.host.get().into_iter().flatten().for_each(|host| host.signal(Signal::KILL));
    }
}

/// What became of a cell: `Err` when it was not admitted, as far as anybody knows.
type Ran = Result<(CellId, Result<CellResponse, WaitError>), ExecuteError>;

async fn run(session: &Arc<dyn CodeModeSession>, source: &str) -> Ran {
    let request = ExecuteRequest::new(format!("{CALL}{source}")).with_yield_time(LONG);
    let started = session.execute(request).await?;
    Ok((started.cell_id, started.first_response.await))
}

/// Runs the cells in a host that is killed when so much has been seen of it, at the latest when they are done, and one more
/// in the next. Returns what became of them all, what was called, and how much there was to see.
async fn killed_at(
    at: usize,
    options: ProcessOptions,
    change: impl FnOnce(&mut SessionSpec),
) -> (Vec<Ran>, CellResponse, Vec<String>, usize) {
    let killer = Arc::new(Killer { seen: AtomicUsize::new(0), at, host: OnceLock::new() });
    let calls = Arc::clone(&killer);
    let tools = Tools::new(move |_, input| {
        calls.see();
        let calls = Arc::clone(&calls);
        Box::pin(async move {
            tokio::task::yield_now().await;
            calls.see();
            Ok(input.unwrap_or_else(null))
        })
    });
    let tools = Arc::new(tools);
    let provider = ProcessProvider::new(options).unwrap();
    let mut spec = spec(&["echo"]);
    spec.tools[0].hints.idempotent = false;
    change(&mut spec);
    let session = provider.create(spec, Arc::clone(&tools) as _).await.unwrap();
    let first = killer.host.get_or_init(hosts);
    let mut events = session.events(Seq::START);
    let sees = async {
        while events.next().await.is_some() {
            killer.see();
        }
    };
    let work = async {
        let ran = join_all(CELLS.map(|source| run(&session, source))).await;
        killer.kill();
        first.iter().for_each(Process::ends);
        // One that was on its way as the host died may fail, and says so.
        let next = loop {
            match run(&session, "text(load('k')); text(await call('on'))").await {
                Ok((_, next)) => break next.unwrap(),
                Err(error) => assert!(matches!(error, ExecuteError::HostLost(_)), "{error}"),
            }
        };
        (ran, next)
    };
    let (ran, next) = tokio::select! {
        done = work => done,
        // The log goes on with the session.
        () = sees => panic!("the log of a session that goes on is over"),
    };
    for (cell_id, response) in ran.iter().flatten() {
        let again = session.wait(WaitRequest::new([cell_id.clone()])).await;
        match (response, again) {
            (Ok(response), Ok(again)) => assert_eq!(response.is_final(), again.cells[0].is_final()),
            (_, again) => assert!(matches!(again, Err(WaitError::OutcomeExpired(_))), "at {at}: {again:?}"),
        }
    }
    let calls = tools.calls.lock().unwrap().clone();
    (ran, next, calls, killer.seen.load(Ordering::SeqCst))
}

fn is_lost(response: &CellResponse) -> bool {
    matches!(response, CellResponse::Terminated(done) if matches!(done.reason, TerminationReason::HostLost { .. }))
}

/// Tries one in so many points of what there is to see.
async fn at_many_points(every: usize, mut attempt: impl AsyncFnMut(usize) -> usize) {
    let most = attempt(usize::MAX).await;
    assert!(most > 30, "there is much to see: {most}");
    for at in (0..most).step_by(every) {
        attempt(at).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_session_in_memory_lost_is_told_once_wherever_its_host_was_killed() {
    at_many_points(3, async |at| {
        let (ran, next, _, seen) = killed_at(at, options(), |_| {}).await;
        let (mut lost, mut outcomes) = (BTreeSet::new(), 0);
        for ran in &ran {
            match ran {
                Ok((cell_id, Ok(response))) if is_lost(response) => drop(lost.insert(cell_id.clone())),
                Ok((_, Ok(response))) => {
                    assert!(matches!(response, CellResponse::Completed(_)), "at {at}: {response:?}");
                    outcomes += 1;
                }
                // It had ended, and nobody had heard how.
                Ok((_, Err(WaitError::OutcomeExpired(_)))) => outcomes += 1,
                Err(ExecuteError::HostLost(_)) => {}
                other => panic!("at {at}: {other:?}"),
            }
        }
        assert_eq!(next.text(), "undefined\non", "at {at}");
        let responses =
            ran.iter().flatten().filter_map(|(_, response)| response.as_ref().ok()).chain([&next]);
        // A cell whose admission was looked at after others had been told is told by itself.
        let (mut cells, mut told, mut with_values) = (Vec::new(), 0, Vec::new());
        for notice in responses.flat_map(|response| &response.observation().notices) {
            let Notice::HostLost { cells: more, outcomes, values, .. } = notice else {
                panic!("at {at}: {notice:?}")
            };
            cells.extend(more);
            told += outcomes;
            with_values.push(*values);
        }
        assert_eq!(cells.len(), lost.len(), "at {at}: each once: {cells:?}");
        assert_eq!((cells.into_iter().cloned().collect(), told), (lost, outcomes), "at {at}");
        let values = with_values.iter().filter(|values| **values).count();
        assert!(!with_values.is_empty() && values == usize::from(outcomes > 0), "at {at}: {with_values:?}");
        seen
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journaled_session_goes_on_wherever_its_host_was_killed_and_calls_nothing_twice() {
    at_many_points(5, async |at| {
        let folder = tempfile::tempdir().unwrap();
        let mut options = options();
        options.command.args.extend(["--store".into(), folder.path().join("carrel.db").into()]);
        let (ran, next, calls, seen) =
            killed_at(at, options, |spec| spec.durability = Durability::Journaled).await;
        let all = BTreeSet::from_iter(&calls);
        assert_eq!(all.len(), calls.len(), "at {at}: no call was made twice: {calls:?}");
        let mut told = 0;
        let texts: Vec<_> = ran
            .iter()
            .map(|ran| {
                let response = ran.as_ref().unwrap().1.as_ref().unwrap();
                assert!(
                    matches!(response, CellResponse::Completed(done) if done.error.is_none()),
                    "{response:?}"
                );
                told += response.observation().notices.iter().map(unknown).sum::<usize>();
                response.text().replace([',', '\n'], " ")
            })
            .collect();
        let is = |text: &str, expected: &str| {
            assert_eq!(text.split(' ').count(), expected.split(' ').count(), "at {at}: {text}");
            let mut pairs = text.split(' ').zip(expected.split(' '));
            assert!(pairs.all(|(is, expected)| is == expected || is == "?"), "at {at}: {text}");
            text.matches('?').count()
        };
        let expected = ["0 1 2 3 4", "1", "1 2 3", "quick"];
        let unknown: usize = texts.iter().zip(expected).map(|(text, expected)| is(text, expected)).sum();
        assert_eq!(unknown, told, "at {at}: each call without an outcome is told: {ran:?}");
        assert_eq!(next.text(), "1\non", "at {at}");
        seen
    })
    .await;
}

/// Returns how many calls a notice says are unknown.
fn unknown(notice: &Notice) -> usize {
    match notice {
        Notice::Recovered { unknown, .. } => unknown.len(),
        other => panic!("nothing is lost: {other:?}"),
    }
}
