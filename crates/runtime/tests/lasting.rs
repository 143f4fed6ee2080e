//! Journals that are folded and cut while their sessions go on, and sessions that sleep: what is left, and what comes back.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use carrel_contract::error::{ExecuteError, ForkError};
use carrel_contract::testing::{RecordingDelegate, Seen, tool_descriptions};
use carrel_contract::{
    CellId, CellResponse, CodeModeSession, CodeModeSessionProvider, Durability, EventKind, ExecuteRequest,
    ForkRequest, Seq, SessionId, SessionMode, SessionSpec, SessionState, StreamItem, WaitRequest,
};
use carrel_journal::{BlobHash, Memory, Position, Record, Store, Tail};
use carrel_runtime::travel::{RecordingError, Verdict};
use carrel_runtime::{InProcessProvider, Options};
use futures::StreamExt;

const KEPT_BYTES: u64 = 100_000;

fn provider(store: &Arc<Memory>) -> InProcessProvider {
    let mut options = Options::default();
    options.store = Some(Arc::clone(store) as Arc<dyn Store>);
    options.folding.after_bytes = 20_000;
    options.folding.kept_bytes = KEPT_BYTES;
    options.folding.kept_notebook_bytes = KEPT_BYTES;
    InProcessProvider::new(options).unwrap()
}

async fn session(
    provider: &InProcessProvider,
    delegate: &Arc<RecordingDelegate>,
    change: impl FnOnce(&mut SessionSpec),
) -> Arc<dyn CodeModeSession> {
    let mut spec = SessionSpec::default();
    spec.tools = tool_descriptions();
    spec.durability = Durability::Journaled;
    change(&mut spec);
    let session = provider.create(spec, delegate.clone()).await.unwrap();
    delegate.belongs_to(&session);
    session
}

async fn start(session: &Arc<dyn CodeModeSession>, source: &str) -> CellId {
    session.execute(ExecuteRequest::new(source)).await.unwrap().cell_id
}

async fn end(session: &Arc<dyn CodeModeSession>, cell_id: &CellId) -> CellResponse {
    let request = WaitRequest::new([cell_id.clone()]).after(Seq::START).with_yield_time(Duration::MAX);
    session.wait(request).await.unwrap().cells.remove(0)
}

/// Waits until whoever had a session has given it back: who resumes it waits for that, too.
async fn given_back(provider: &InProcessProvider, id: &SessionId, delegate: &Arc<RecordingDelegate>) {
    drop(provider.resume(id.clone(), delegate.clone()).await.unwrap());
}

/// Returns the records of a journal, with the bytes of its entries, and the blobs they name.
async fn journal(store: &Memory, id: &SessionId) -> (Vec<Record>, usize, HashSet<BlobHash>) {
    let head = store.head(id).await.unwrap().unwrap();
    let mut tail = Tail::after(id.clone(), Position(head.first.0 - 1));
    let page = store.read(id, tail.position(), usize::MAX).await.unwrap();
    let bytes = page.entries.iter().map(|(_, bytes)| bytes.len()).sum();
    let records: Vec<_> =
        page.entries.into_iter().flat_map(|(at, bytes)| tail.read(at, &bytes).unwrap()).collect();
    let named = records.iter().cloned().flat_map(Record::into_blobs).collect();
    (records, bytes, named)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_of_any_length_has_a_short_journal_and_all_comes_back() {
    let (store, delegate) = (Arc::new(Memory::new()), RecordingDelegate::new());
    let here = provider(&store);
    let session = session(&here, &delegate, |spec| {
        spec.limits.kept_outcomes = 10;
        spec.limits.kept_events = 500;
    })
    .await;
    let id = session.id().clone();
    let waits =
        start(&session, "store('w', load('n') ?? 'none'); text(await tools.gate()); export default 7").await;
    delegate.reached(|seen| matches!(seen, Seen::Called(_, tool) if tool == "gate")).await;
    let (mut cells, mut last) = (Vec::new(), Seq::START);
    for n in 0..300 {
        let source = format!(
            "text('{}'); store('n', {n}); store('k{}', await tools.echo({n}))",
            "x".repeat(2000),
            n % 5
        );
        let cell = start(&session, &source).await;
        last = end(&session, &cell).await.observation().cursor;
        cells.push(cell);
    }
    let mut events = session.events(Seq::START);
    let Some(StreamItem::Missed { last_missed, .. }) = events.next().await else {
        panic!("too many to be kept")
    };
    // What goes on when the session is back drives some more of them out.
    let last_missed = Seq(last_missed.0 + 50);
    let kept: Vec<_> = session.events(last_missed).take(50).collect().await;
    drop((events, session));
    given_back(&here, &id, &delegate).await;
    drop(here);

    let (records, bytes, named) = journal(&store, &id).await;
    assert!(records.iter().any(|record| matches!(record, Record::Folded { .. })));
    assert!(
        !records.iter().any(|record| matches!(record, Record::SessionCreated { .. })),
        "its beginning is cut off"
    );
    assert!((bytes as u64) < 4 * KEPT_BYTES, "{bytes} bytes");
    let blobs: HashSet<_> = store.blobs(&id).await.unwrap().into_iter().collect();
    assert!(named.is_subset(&blobs), "what is named is there");
    assert!(blobs.len() <= named.len() + 2, "what nobody names is gone: {} and {}", blobs.len(), named.len());

    let there = provider(&store);
    // What is left of it can be run again, and its events have the numbers that they had.
    let recording = there.recording(&id, &cells[299]).await.unwrap();
    assert_eq!(recording.last(), last);
    let mut replay = recording.replay().unwrap();
    while replay.step().await.is_some() {}
    assert_eq!(replay.verdict(), Some(&Verdict::Ended { differences: 0 }));
    for gone in [&waits, &cells[0]] {
        let recording = there.recording(&id, gone).await;
        assert!(matches!(recording, Err(RecordingError::HistoryCut(_))), "{recording:?}");
    }
    let early = there.fork(ForkRequest::new(id.clone()).at(Seq(3))).await;
    assert!(matches!(early, Err(ForkError::HistoryCut(_))), "{early:?}");
    let mut fork = there.fork(ForkRequest::new(id.clone())).await.unwrap();
    for _ in 0..2 {
        // A fork of a fork begins with a fold, too.
        fork = there.fork(ForkRequest::new(fork)).await.unwrap();
    }
    let forked = there.resume(fork, RecordingDelegate::new()).await.unwrap();
    let look = start(&forked, "text([load('n'), load('k4')])").await;
    assert_eq!(end(&forked, &look).await.text(), "[299,299]");

    let again = there.resume(id, delegate.clone()).await.unwrap();
    assert!(again.events(last_missed).take(50).collect::<Vec<_>>().await == kept, "the log is the same");
    assert!(again.wait(WaitRequest::new([cells[0].clone()])).await.is_err(), "it was forgotten");
    for cell in &cells[295..] {
        assert_eq!(end(&again, cell).await.text(), "x".repeat(2000));
    }
    // The gate is no tool that may be called twice, and what became of the call is not known.
    let CellResponse::Completed(done) = end(&again, &waits).await else { panic!("it goes on") };
    assert!(done.error.is_some_and(|error| error.message.contains("may or may not")));
    let look = start(&again, "text([load('n'), load('k4'), load('w')])").await;
    assert_eq!(end(&again, &look).await.text(), "[299,299,\"none\"]");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cell_that_prints_without_end_has_a_short_journal_and_is_replayed() {
    let (store, delegate) = (Arc::new(Memory::new()), RecordingDelegate::new());
    let here = provider(&store);
    let session = session(&here, &delegate, |spec| {
        spec.limits.output_bytes = 10_000;
        spec.limits.kept_events = 10;
    })
    .await;
    let id = session.id().clone();
    let source = "for (let i = 0; i < 40_000; i++) text('line number ' + i + ', and more'.repeat(9)); \
                  text(await tools.gate()); text(Math.random() < 2)";
    let prints = start(&session, source).await;
    delegate.reached(|seen| matches!(seen, Seen::Called(_, tool) if tool == "gate")).await;
    let before =
        session.wait(WaitRequest::new([prints.clone()]).after(Seq::START).with_yield_time(Duration::ZERO));
    let before = before.await.unwrap().cells.remove(0);
    drop(session);
    given_back(&here, &id, &delegate).await;
    let (_, bytes, _) = journal(&store, &id).await;
    assert!((bytes as u64) < 25 * KEPT_BYTES, "{bytes} bytes of 6 MB written");
    let again = here.resume(id, delegate.clone()).await.unwrap();
    let after =
        again.wait(WaitRequest::new([prints.clone()]).after(Seq::START).with_yield_time(Duration::ZERO));
    let after = after.await.unwrap().cells.remove(0);
    assert_eq!(after.text(), before.text());
    assert_eq!(after.observation().omitted_bytes, before.observation().omitted_bytes);
    let CellResponse::Completed(done) = end(&again, &prints).await else { panic!("it goes on") };
    assert!(
        done.error.is_some_and(|error| error.message.contains("may or may not")),
        "it did all that again"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notebook_keeps_its_variables_and_not_those_before() {
    let (store, delegate) = (Arc::new(Memory::new()), RecordingDelegate::new());
    let here = provider(&store);
    let session = session(&here, &delegate, |spec| spec.mode = SessionMode::Persistent).await;
    let id = session.id().clone();
    let first = start(&session, "let total = 0; const add = (n) => total += n;").await;
    end(&session, &first).await;
    for n in 0..80 {
        let cell = start(&session, &format!("add({n})")).await;
        end(&session, &cell).await;
    }
    drop(session);
    given_back(&here, &id, &delegate).await;
    let blobs = store.blobs(&id).await.unwrap().len();
    assert!(blobs < 50, "{blobs} blobs of 81 cells");
    let again = here.resume(id, delegate).await.unwrap();
    let look = start(&again, "text(total)").await;
    assert_eq!(end(&again, &look).await.text(), "3160");
}

/// Returns whether somebody has a session: its lease is given back when it sleeps.
async fn sleeps(store: &Memory, id: &SessionId) {
    while store.lease(id).await.unwrap().is_some() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_is_not_used_sleeps_and_wakes_with_the_next_use() {
    let (store, delegate) = (Arc::new(Memory::new()), RecordingDelegate::new());
    let mut options = Options::default();
    options.store = Some(Arc::clone(&store) as Arc<dyn Store>);
    options.hibernation.idle = Duration::ZERO;
    let here = InProcessProvider::new(options).unwrap();
    let session = session(&here, &delegate, |spec| spec.mode = SessionMode::Persistent).await;
    let id = session.id().clone();
    let mut events = session.events(Seq::START);
    for n in 0..5 {
        let declared = if n == 0 { "let n = 0; " } else { "" };
        let cell = start(&session, &format!("{declared}n += {n}; text(n); store('n', n)")).await;
        assert_eq!(end(&session, &cell).await.text(), (0..=n).sum::<i32>().to_string());
        sleeps(&store, &id).await;
        assert_eq!(session.state(), SessionState::Open);
    }
    // Each cell was admitted, said a number and ended; a reader that was there all the time has seen all of it.
    for seq in 1..=15 {
        let Some(StreamItem::Event(event)) = events.next().await else { panic!("nothing was missed") };
        assert_eq!(event.seq, Seq(seq));
    }
    // While it sleeps another process may have it.
    let there = provider(&store);
    let taken = there.resume(id.clone(), delegate.clone()).await.unwrap();
    let refused = session.execute(ExecuteRequest::new("1")).await;
    assert!(matches!(refused.err(), Some(ExecuteError::OwnedElsewhere(_))));
    let cell = start(&taken, "n = 100; store('n', 7)").await;
    end(&taken, &cell).await;
    drop(taken);
    there.settle().await;
    let cell = start(&session, "text([n, load('n')])").await;
    assert_eq!(end(&session, &cell).await.text(), "[100,7]");
    for seq in 16..=20 {
        let Some(StreamItem::Event(event)) = events.next().await else { panic!("nothing was missed") };
        assert_eq!(event.seq, Seq(seq));
    }
    drop(session);
    here.settle().await;
    assert!(events.next().await.is_none(), "it ends with its session");
}

/// A provider whose sessions sleep whenever they can, with its store.
fn sleepy() -> (Arc<Memory>, InProcessProvider) {
    let store = Arc::new(Memory::new());
    let mut options = Options::default();
    options.store = Some(Arc::clone(&store) as Arc<dyn Store>);
    options.hibernation.idle = Duration::ZERO;
    (store, InProcessProvider::new(options).unwrap())
}

/// Reads the events of a session, without using it, up to one of a kind.
async fn heard(session: &Arc<dyn CodeModeSession>, mut wanted: impl FnMut(&EventKind) -> bool) {
    let mut events = session.events(Seq::START);
    loop {
        let item = events.next().await;
        assert!(matches!(item, Some(StreamItem::Event(_))), "nothing was missed, and it goes on: {item:?}");
        if let Some(StreamItem::Event(event)) = item
            && wanted(&event.kind)
        {
            return;
        }
    }
}

fn is_end(kind: &EventKind) -> bool {
    matches!(kind, EventKind::CellCompleted { .. } | EventKind::CellTerminated { .. })
}

/// Returns how often a session was brought back from its journal.
async fn wakings(store: &Memory, id: &SessionId) -> usize {
    let (records, ..) = journal(store, id).await;
    records.iter().filter(|record| matches!(record, Record::Adopted { .. })).count() - 1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_whose_cell_waits_for_a_timer_sleeps_until_that_is_due() {
    let (store, here) = sleepy();
    for mode in [SessionMode::Fresh, SessionMode::Persistent] {
        let delegate = RecordingDelegate::new();
        let session = session(&here, &delegate, |spec| spec.mode = mode).await;
        let source = "let n = 1; store('n', 7); for (; n < 4; n++) { text(n); \
                      await new Promise((go) => setTimeout(go, 30)); } text('over')";
        let cell = start(&session, source).await;
        // Nobody has it meanwhile, and nobody uses it.
        sleeps(&store, session.id()).await;
        heard(&session, is_end).await;
        assert!(wakings(&store, session.id()).await > 0, "it slept");
        assert_eq!(end(&session, &cell).await.text(), "1\n2\n3\nover");
        let look = start(&session, "text(load('n'))").await;
        assert_eq!(end(&session, &look).await.text(), "7");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_under_way_go_on_while_their_session_sleeps_and_their_answers_wake_it() {
    let (store, here) = sleepy();
    let delegate = RecordingDelegate::new();
    let session = session(&here, &delegate, |_| ()).await;
    let id = session.id().clone();
    // Two cells wait; a third comes and goes each time, and each time the session sleeps with the calls of the two.
    let two =
        start(&session, "text(await Promise.all([tools.gate(1), tools.gate(2)])); text(await tools.step(3))")
            .await;
    let one = start(&session, "try { text(await tools.gate(4)) } catch (e) { text(e.code) }").await;
    delegate.reached_times(3, |seen| matches!(seen, Seen::Called(_, tool) if tool == "gate")).await;
    for n in 0..5 {
        let cell = start(&session, &format!("text({n})")).await;
        let ended = end(&session, &cell).await;
        assert_eq!(ended.text(), n.to_string());
    }
    while here.awake() > 0 {
        tokio::task::yield_now().await;
    }
    assert!(!delegate.seen().iter().any(|seen| matches!(seen, Seen::Cancelled(..))), "no call was cancelled");
    delegate.open_gate();
    let mut ends = 0;
    heard(&session, |kind| {
        ends += usize::from(is_end(kind));
        ends == 7
    })
    .await;
    let response = end(&session, &two).await;
    assert_eq!(response.text(), "[1,2]\n3");
    assert!(response.observation().notices.is_empty(), "it was not lost: {response:?}");
    assert_eq!(end(&session, &one).await.text(), "4");
    // Each was made once.
    let called = delegate.seen().iter().filter(|seen| matches!(seen, Seen::Called(..))).count();
    assert_eq!(called, 4);
    assert!(wakings(&store, &id).await > 0, "it slept");
    // It is still its owner's, and given back when nobody holds it.
    let waits = start(&session, "await tools.hang()").await;
    delegate.reached(|seen| matches!(seen, Seen::Called(_, tool) if tool == "hang")).await;
    drop(session);
    given_back(&here, &id, &delegate).await;
    delegate.reached(|seen| matches!(seen, Seen::Cancelled(cell, _) if *cell == waits)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_call_tells_reaches_the_log_of_a_session_that_sleeps() {
    let (_, here) = sleepy();
    let delegate = RecordingDelegate::new();
    let session = session(&here, &delegate, |_| ()).await;
    let cell = start(&session, "text(await tools.person('yes'))").await;
    heard(&session, |kind| matches!(kind, EventKind::PersonAwaited { .. })).await;
    delegate.open_gate();
    heard(&session, |kind| matches!(kind, EventKind::PersonAnswered { .. })).await;
    heard(&session, is_end).await;
    assert_eq!(end(&session, &cell).await.text(), "yes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cell_is_ended_while_its_session_sleeps() {
    let (_, here) = sleepy();
    let delegate = RecordingDelegate::new();
    let session =
        session(&here, &delegate, |spec| spec.limits.callback_grace = Duration::from_millis(50)).await;
    for tool in ["hang", "ignore"] {
        let cell = start(&session, &format!("text('before'); await tools.{tool}()")).await;
        delegate.reached(|seen| matches!(seen, Seen::Called(_, called) if called == tool)).await;
        let ended = session.terminate(cell.clone()).await.unwrap();
        let CellResponse::Terminated(ended) = ended else { panic!("{ended:?}") };
        assert_eq!(ended.abandoned.len(), usize::from(tool == "ignore"));
    }
    session.shutdown().await.unwrap();
    assert_eq!(session.state(), SessionState::Closed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_it_is_crowded_sessions_sleep_that_would_rest_for_long() {
    let store = Arc::new(Memory::new());
    let mut options = Options::default();
    options.store = Some(Arc::clone(&store) as Arc<dyn Store>);
    options.hibernation.idle = Duration::from_secs(3600);
    options.hibernation.most_awake = 3;
    let here = InProcessProvider::new(options).unwrap();
    let delegate = RecordingDelegate::new();
    let mut sessions = Vec::new();
    for n in 0..10 {
        let session = session(&here, &delegate, |_| ()).await;
        let cell =
            start(&session, &format!("text({n}); await new Promise((go) => setTimeout(go, 1e8))")).await;
        heard(&session, |kind| matches!(kind, EventKind::Output { .. })).await;
        sessions.push((session, cell));
    }
    while here.awake() > 3 {
        tokio::task::yield_now().await;
    }
    for (n, (session, cell)) in sessions.iter().enumerate() {
        let request = WaitRequest::new([cell.clone()]).with_yield_time(Duration::ZERO);
        let response = session.wait(request).await.unwrap().cells.remove(0);
        assert_eq!(response.text(), n.to_string());
        assert!(response.observation().notices.is_empty());
    }
}
