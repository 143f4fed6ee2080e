//! Hosts that die, hang and wear out.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use carrel_contract::error::{ExecuteError, WaitError};
use carrel_contract::{
    CellResponse, CodeModeSessionProvider, Durability, EventKind, ExecuteRequest, Notice, Seq, StreamItem,
    TerminationReason, WaitRequest,
};
use carrel_host::{Pool, ProcessProvider};
use futures::StreamExt;
use rustix::process::Signal;

use crate::harness::{LONG, Tools, ends, hosts, null, options, run, session, signal_hosts, spec};

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
    signal_hosts(Signal::KILL).into_iter().for_each(ends);
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
    stopped.into_iter().for_each(ends);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_has_done_its_share_takes_no_more_sessions() {
    let mut options = options();
    options.heartbeat = Duration::from_millis(10);
    options.max_cells = Some(2);
    let provider = ProcessProvider::new(options).unwrap();
    let tools = Arc::new(Tools::echo());
    let first = session(&provider, &tools).await;
    let [old] = hosts()[..] else { panic!("one host") };
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
    ends(old);
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
        all.into_iter().for_each(ends);
    }
}
