//! Hosts that die, hang and wear out.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use carrel_contract::error::{ExecuteError, WaitError};
use carrel_contract::{
    CellResponse, CodeModeSessionProvider, Durability, EventKind, ExecuteRequest, Notice, Read, Seq,
    StreamItem, TerminationReason, WaitRequest, WaitUntil,
};
use carrel_host::{Pool, ProcessProvider};
use futures::StreamExt;
use rustix::process::Signal;
use tokio::sync::Notify;

use crate::harness::{LONG, Process, Tools, hosts, null, options, run, session, signal_hosts, spec};

fn is_lost(response: &CellResponse) -> bool {
    matches!(response, CellResponse::Terminated(done) if matches!(done.reason, TerminationReason::HostLost { .. }))
}

fn loss(response: &CellResponse) -> Option<(Vec<String>, u64, bool)> {
    response.observation().notices.iter().find_map(|notice| match notice {
        Notice::HostLost { cells, outcomes, values, .. } => {
            Some((cells.iter().map(ToString::to_string).collect(), *outcomes, *values))
        }
        _ => None,
    })
}

/// Tools of which the one with a number kills the host.
fn deadly(at: usize) -> Arc<Tools> {
    let calls = AtomicUsize::new(0);
    Arc::new(Tools::new(move |_, input| {
        let dies = calls.fetch_add(1, Ordering::SeqCst) == at;
        Box::pin(async move {
            if dies {
                signal_hosts(Signal::KILL);
            }
            Ok(input.unwrap_or_else(null))
        })
    }))
}

const STEPS: &str =
    "let sum = 0; for (let i = 0; i < 6; i++) { sum += await tools.echo(i); text(i) } text(sum)";

#[tokio::test(flavor = "multi_thread")]
async fn a_session_in_memory_says_once_what_it_lost_and_goes_on() {
    for at in 0..6 {
        let provider = ProcessProvider::new(options()).unwrap();
        let tools = deadly(at + 1);
        let session = session(&provider, &tools).await;
        let done = run(&session, "store('k', await tools.echo(1))").await;
        let mut events = session.events(Seq::START);
        let started = session.execute(ExecuteRequest::new(STEPS).with_yield_time(LONG)).await.unwrap();
        let lost = started.cell_id.clone();
        let response = started.first_response.await.unwrap();
        assert!(is_lost(&response), "{response:?}");
        assert_eq!(loss(&response), Some((vec![lost.to_string()], 1, true)), "at call {at}");

        let next = run(&session, "text(load('k') === undefined); text(await tools.echo(7))").await;
        assert_eq!((next.text().as_str(), loss(&next)), ("true\n7", None));
        assert!(
            next.observation().cell_id != lost && next.observation().cell_id != done.observation().cell_id
        );
        let again = session.wait(WaitRequest::new([lost.clone()])).await.unwrap().cells.remove(0);
        assert!(matches!(&again, CellResponse::Terminated(done) if done.read_before) && is_lost(&again));
        assert!(is_lost(&session.terminate(lost.clone()).await.unwrap()));
        let expired = session.wait(WaitRequest::new([done.observation().cell_id.clone()])).await;
        assert!(matches!(expired, Err(WaitError::OutcomeExpired(_))), "{expired:?}");

        session.shutdown().await.unwrap();
        let (mut last, mut ended) = (Seq::START, Vec::new());
        while let Some(item) = events.next().await {
            let StreamItem::Event(event) = item else { continue };
            assert!(event.seq > last, "the log goes on");
            last = event.seq;
            if matches!(event.kind, EventKind::CellCompleted { .. } | EventKind::CellTerminated { .. }) {
                ended.push(event.cell_id);
            }
        }
        assert_eq!(ended, [done.observation().cell_id.clone(), lost, next.observation().cell_id.clone()]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loss_that_nobody_waited_for_is_told_with_the_next_response() {
    let provider = ProcessProvider::new(options()).unwrap();
    let session = session(&provider, &Arc::new(Tools::echo())).await;
    run(&session, "store('k', 1)").await;
    signal_hosts(Signal::KILL).iter().for_each(Process::ends);
    // One that was on its way as the host died may fail, and says so.
    let response = loop {
        match session.execute(ExecuteRequest::new("text('on')").with_yield_time(LONG)).await {
            Ok(started) => break started.first_response.await.unwrap(),
            Err(error) => assert!(matches!(error, ExecuteError::HostLost(_)), "{error}"),
        }
    };
    assert_eq!((response.text().as_str(), loss(&response)), ("on", Some((vec![], 1, true))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journaled_session_goes_on_where_it_was() {
    for at in 0..6 {
        let folder = tempfile::tempdir().unwrap();
        let mut options = options();
        options.command.args.extend(["--store".into(), folder.path().join("carrel.db").into()]);
        let provider = ProcessProvider::new(options).unwrap();
        let tools = deadly(at);
        let mut spec = spec(&["echo"]);
        spec.durability = Durability::Journaled;
        let session = provider.create(spec, Arc::clone(&tools) as _).await.unwrap();
        let mut events = session.events(Seq::START);
        let response = run(&session, STEPS).await;
        assert!(matches!(&response, CellResponse::Completed(done) if done.error.is_none()), "{response:?}");
        assert_eq!(response.text(), "0\n1\n2\n3\n4\n5\n15", "killed at call {at}");
        let mut calls = tools.calls.lock().unwrap().clone();
        assert_eq!(calls.len(), 7, "the one under way was made again, and no other");
        calls.dedup();
        assert_eq!(calls.len(), 6, "under the same key");
        session.shutdown().await.unwrap();
        let mut last = Seq::START;
        while let Some(item) = events.next().await {
            let StreamItem::Event(event) = item else { continue };
            assert_eq!(event.seq, last.next(), "the log goes on without a gap");
            last = event.seq;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_while_its_host_is_gone_is_not_shown_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options();
    options.command.args.extend(["--store".into(), folder.path().join("carrel.db").into()]);
    let provider = ProcessProvider::new(options).unwrap();
    let called = Arc::new(Notify::new());
    let calls = Arc::clone(&called);
    let tools = Tools::new(move |_, _| {
        calls.notify_one();
        Box::pin(std::future::pending())
    });
    let mut spec = spec(&["echo"]);
    spec.durability = Durability::Journaled;
    spec.tools[0].hints.idempotent = false;
    let session = provider.create(spec, Arc::new(tools)).await.unwrap();
    let source = "text('a'); yield_control(); try { await tools.echo() } catch (e) { text(e.name) }";
    let mut request = ExecuteRequest::new(source).with_yield_time(LONG);
    request.look = true;
    let started = session.execute(request).await.unwrap();
    let seen = started.first_response.await.unwrap();
    assert_eq!(seen.text(), "a");
    called.notified().await;
    signal_hosts(Signal::KILL).iter().for_each(Process::ends);
    session.note_read(Read::new(started.cell_id.clone(), seen.observation().cursor));
    let request = WaitRequest::new([started.cell_id]).until(WaitUntil::AllEnded).with_yield_time(LONG);
    let response = session.wait(request).await.unwrap().cells.remove(0);
    assert_eq!(response.text(), "OutcomeUnknownError", "{response:?}");
    let [Notice::Recovered { unknown, .. }] = &response.observation().notices[..] else {
        panic!("what was read before the loss says nothing of it: {response:?}")
    };
    assert_eq!(unknown.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journaled_session_goes_on_when_its_host_hangs() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options();
    options.command.args.extend(["--store".into(), folder.path().join("carrel.db").into()]);
    options.heartbeat = Duration::from_millis(50);
    options.patience = Duration::from_secs(2);
    let provider = ProcessProvider::new(options).unwrap();
    let stopped = Arc::new(Mutex::new(Vec::new()));
    let stops = Arc::clone(&stopped);
    let tools = Tools::new(move |_, input| {
        let mut stopped = stops.lock().unwrap();
        if stopped.is_empty() {
            *stopped = signal_hosts(Signal::STOP);
        }
        Box::pin(async move { Ok(input.unwrap_or_else(null)) })
    });
    let mut spec = spec(&["echo"]);
    spec.durability = Durability::Journaled;
    let session = provider.create(spec, Arc::new(tools)).await.unwrap();
    assert_eq!(run(&session, STEPS).await.text(), "0\n1\n2\n3\n4\n5\n15");
    // It is not only passed over: it can do no more harm.
    stopped.lock().unwrap().iter().for_each(Process::ends);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_hangs_is_noticed_replaced_and_fenced() {
    let mut options = options();
    options.heartbeat = Duration::from_millis(50);
    options.patience = Duration::from_secs(2);
    let provider = ProcessProvider::new(options).unwrap();
    let session = session(&provider, &Arc::new(Tools::echo())).await;
    let request =
        ExecuteRequest::new("await new Promise((done) => setTimeout(done, 1e9))").with_yield_time(LONG);
    let started = session.execute(request).await.unwrap();
    let stopped = signal_hosts(Signal::STOP);
    let response = started.first_response.await.unwrap();
    let CellResponse::Terminated(done) = &response else { panic!("it is lost: {response:?}") };
    let TerminationReason::HostLost { detail } = &done.reason else { panic!("{:?}", done.reason) };
    assert!(detail.contains("no sign of life"), "{detail}");
    assert_eq!(run(&session, "text('on')").await.text(), "on");
    stopped.iter().for_each(Process::ends);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_has_done_its_share_takes_no_more_sessions() {
    let mut options = options();
    options.heartbeat = Duration::from_millis(10);
    options.max_cells = Some(2);
    let provider = ProcessProvider::new(options).unwrap();
    let tools = Arc::new(Tools::echo());
    let first = session(&provider, &tools).await;
    let old = hosts();
    assert_eq!(old.len(), 1);
    for _ in 0..2 {
        run(&first, "store('k', 'kept')").await;
    }
    // It leaves its place with the next heartbeat.
    let second = loop {
        let second = session(&provider, &tools).await;
        if hosts().len() == 2 {
            break second;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(run(&first, "text(load('k'))").await.text(), "kept");
    assert_eq!(run(&second, "text('new')").await.text(), "new");
    drop(first);
    old.iter().for_each(Process::ends);
    assert_eq!(run(&second, "text('on')").await.text(), "on");
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_spread_as_the_pool_says() {
    for (pool, expected) in
        [(Pool::Shared, 1), (Pool::Hosts(NonZeroUsize::new(2).unwrap()), 2), (Pool::PerSession, 3)]
    {
        let mut options = options();
        options.pool = pool;
        let provider = ProcessProvider::new(options).unwrap();
        let tools = Arc::new(Tools::echo());
        let mut sessions = Vec::new();
        for _ in 0..3 {
            sessions.push(session(&provider, &tools).await);
        }
        let all = hosts();
        assert_eq!(all.len(), expected, "{pool:?}");
        assert_eq!(provider.list().await.unwrap().len(), 3);
        for session in &sessions {
            assert_eq!(run(session, "text(await tools.echo(1))").await.text(), "1");
        }
        drop((sessions, provider));
        all.iter().for_each(Process::ends);
    }
}
