//! Journaled sessions beyond the suite: owners, storage that fails, journals that are damaged, replays that differ.
//! `crates/crash` kills real processes.
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod approval;
mod asleep;
mod beyond;
mod keeping;
mod leaving;
mod room;
mod trust;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use carrel_contract::error::{CreateError, ExecuteError, ResumeError};
use carrel_contract::testing::{RecordingDelegate, Seen, tool_descriptions};
use carrel_contract::{
    CellErrorKind, CellId, CellResponse, CodeModeFuture, CodeModeSession, CodeModeSessionProvider,
    Durability, ExecuteRequest, Notice, Seq, SessionId, SessionSpec, SessionState, TerminationReason,
    WaitRequest,
};
use carrel_journal::error::{AppendError, StoreError};
use carrel_journal::record::{Answer, Value};
use carrel_journal::testing::PassesOn;
use carrel_journal::{Memory, Owner, Page, Position, Record, Store, Tail};
use carrel_runtime::{Environment, InProcessProvider, Options, SystemEnvironment};
use tokio::sync::watch;

/// A store that can be told to fail, and whose entries a test can exchange.
#[derive(Default)]
struct Fragile {
    memory: Memory,
    is_full: AtomicBool,
    /// Whether it takes entries alone, and how much else it did not take.
    keeps_nothing: AtomicBool,
    refused: watch::Sender<usize>,
    /// Whose journal cannot be read yet, and how often somebody began to.
    unread: watch::Sender<Option<SessionId>>,
    reads: watch::Sender<usize>,
    /// Whether appends wait.
    holds: watch::Sender<bool>,
    appends: AtomicUsize,
    /// The same, for those who wait for one.
    asked: watch::Sender<usize>,
    exchanged: Mutex<Option<(Position, Bytes)>>,
}

impl PassesOn for Fragile {
    type Behind = Memory;

    fn behind(&self) -> &Memory {
        &self.memory
    }

    fn write<'a, T: Send + 'a, E: From<StoreError> + Send + 'a>(
        &'a self,
        work: impl FnOnce(&'a Memory) -> CodeModeFuture<'a, T, E> + Send + 'a,
    ) -> CodeModeFuture<'a, T, E> {
        if self.keeps_nothing.load(Ordering::Relaxed) {
            self.refused.send_modify(|refused| *refused += 1);
            return Box::pin(async { Err(StoreError::Full.into()) });
        }
        work(&self.memory)
    }

    fn write_entries(
        &self,
        session: SessionId,
        expected: Position,
        entries: Vec<Bytes>,
    ) -> CodeModeFuture<'_, Position, AppendError> {
        if self.is_full.load(Ordering::Relaxed) {
            return Box::pin(async { Err(StoreError::Full.into()) });
        }
        let before = self.appends.fetch_add(1, Ordering::Relaxed);
        self.asked.send_replace(before + 1);
        Box::pin(async move {
            self.holds.subscribe().wait_for(|holds| !holds).await.ok();
            self.memory.append(&session, expected, entries).await
        })
    }

    fn read_entries(
        &self,
        session: SessionId,
        after: Position,
        max_bytes: usize,
    ) -> CodeModeFuture<'_, Page, StoreError> {
        let page = self.memory.read(&session, after, max_bytes);
        self.reads.send_modify(|reads| *reads += 1);
        Box::pin(async move {
            self.unread.subscribe().wait_for(|unread| unread.as_ref() != Some(&session)).await.ok();
            let mut page = page.await?;
            if let Some((position, bytes)) = &*self.exchanged.lock().unwrap() {
                for entry in page.entries.iter_mut().filter(|entry| entry.0 == *position) {
                    entry.1 = bytes.clone();
                }
            }
            Ok(page)
        })
    }
}

/// A clock that is an hour fast.
struct Fast;

impl Environment for Fast {
    fn now_us(&self) -> i64 {
        SystemEnvironment.now_us() + 3_600_000_000
    }

    fn random(&self) -> u64 {
        SystemEnvironment.random()
    }
}

fn options(store: &Arc<Fragile>, environment: Arc<dyn Environment>) -> Options {
    let mut options = Options::default();
    options.store = Some(Arc::clone(store) as Arc<dyn Store>);
    options.environment = environment;
    options
}

fn provider(store: &Arc<Fragile>, environment: Arc<dyn Environment>) -> InProcessProvider {
    InProcessProvider::new(options(store, environment)).unwrap()
}

fn system() -> Arc<dyn Environment> {
    Arc::new(SystemEnvironment)
}

async fn journaled(
    provider: &InProcessProvider,
    delegate: &Arc<RecordingDelegate>,
) -> Arc<dyn CodeModeSession> {
    let mut spec = SessionSpec::default();
    spec.tools = tool_descriptions();
    spec.durability = Durability::Journaled;
    let session = provider.create(spec, delegate.clone()).await.unwrap();
    delegate.belongs_to(&session);
    session
}

/// A session whose tool `echo` is said to read and change nothing.
async fn reading(
    provider: &InProcessProvider,
    delegate: &Arc<RecordingDelegate>,
) -> Arc<dyn CodeModeSession> {
    let mut spec = SessionSpec::default();
    spec.tools = tool_descriptions();
    spec.tools
        .iter_mut()
        .filter(|tool| tool.name.as_str() == "echo")
        .for_each(|tool| tool.hints.read_only = true);
    spec.durability = Durability::Journaled;
    provider.create(spec, delegate.clone()).await.unwrap()
}

async fn start(session: &Arc<dyn CodeModeSession>, source: &str) -> CellId {
    session.execute(ExecuteRequest::new(source)).await.unwrap().cell_id
}

async fn end(session: &Arc<dyn CodeModeSession>, cell_id: &CellId) -> CellResponse {
    let request = WaitRequest::new([cell_id.clone()]).after(Seq::START).with_yield_time(Duration::MAX);
    session.wait(request).await.unwrap().cells.remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_has_one_owner() {
    let (store, delegate) = (Arc::<Fragile>::default(), RecordingDelegate::new());
    let here = provider(&store, system());
    let session = journaled(&here, &delegate).await;
    let cell = start(&session, "store('k', 1); await tools.gate()").await;

    let there = provider(&store, system());
    let refused = there.resume(session.id().clone(), delegate.clone()).await;
    assert!(matches!(refused.err(), Some(ResumeError::OwnedElsewhere(_))));

    // By another's clock the lease has run out: it takes over, and here nothing can be written any more.
    let later = provider(&store, Arc::new(Fast));
    let taken = later.resume(session.id().clone(), delegate.clone()).await.unwrap();
    let fenced = session.execute(ExecuteRequest::new("1")).await;
    assert!(matches!(fenced.err(), Some(ExecuteError::OwnedElsewhere(_))));
    delegate.open_gate();
    let CellResponse::Completed(done) = end(&taken, &cell).await else { panic!("it goes on there") };
    // Nobody knows what became of the call, and the cell, which does not catch that, is told so.
    assert!(done.error.is_some_and(|error| error.message.contains("may or may not")), "{:?}", done.warnings);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_written_down_is_not_acknowledged() {
    let (store, delegate) = (Arc::<Fragile>::default(), RecordingDelegate::new());
    let here = provider(&store, system());
    let session = journaled(&here, &delegate).await;
    let kept = start(&session, "text(await tools.echo('kept')); store('k', 'v')").await;
    assert_eq!(end(&session, &kept).await.text(), "kept");

    let running = start(&session, "await tools.gate(); await tools.echo('after')").await;
    store.is_full.store(true, Ordering::Relaxed);
    let refused = session.execute(ExecuteRequest::new("text('lost')")).await;
    let Some(ExecuteError::StorageFailed(error)) = refused.err() else { panic!("the disk is full") };
    assert!(error.detail.contains("full"), "{error}");
    assert!(session.wait(WaitRequest::new([running.clone()])).await.is_err(), "nothing more is acknowledged");
    assert_eq!(session.state(), SessionState::Closed);
    let id = session.id().clone();
    let refused = here.create(
        {
            let mut spec = SessionSpec::default();
            spec.durability = Durability::Journaled;
            spec
        },
        delegate.clone(),
    );
    assert!(matches!(refused.await.err(), Some(CreateError::StorageFailed(_))));

    // The disk is well again. Whoever still holds the old one is not in the way.
    store.is_full.store(false, Ordering::Relaxed);
    delegate.open_gate();
    let again = here.resume(id, delegate.clone()).await.unwrap();
    assert_eq!(end(&again, &kept).await.text(), "kept");
    let response = end(&again, &running).await;
    assert!(
        !matches!(&response, CellResponse::Terminated(it) if matches!(it.reason, TerminationReason::StorageFailed { .. }))
    );
    let load = start(&again, "text(load('k'))").await;
    assert_eq!(end(&again, &load).await.text(), "v");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_journal_names_the_place_and_harms_no_other() {
    let (store, delegate) = (Arc::<Fragile>::default(), RecordingDelegate::new());
    let here = provider(&store, system());
    let (broken, sound) = (journaled(&here, &delegate).await, journaled(&here, &delegate).await);
    let cell = start(&sound, "text('sound')").await;
    end(&sound, &cell).await;
    let (broken_id, sound_id) = (broken.id().clone(), sound.id().clone());
    drop((broken, sound));
    let page = store.memory.read(&broken_id, Position::START, 1 << 20).await.unwrap();
    let (position, bytes) = page.entries[0].clone();
    let mut flipped = bytes.to_vec();
    flipped[20] ^= 1;
    *store.exchanged.lock().unwrap() = Some((position, flipped.into()));
    let id = broken_id.clone();
    let refused = here.resume(broken_id, delegate.clone()).await;
    let Some(ResumeError::Corrupt(error)) = refused.err() else { panic!("it is damaged") };
    assert!(error.detail.contains("entry 1"), "{error}");
    assert_eq!(store.memory.lease(&id).await.unwrap(), None, "others may look after it");
    *store.exchanged.lock().unwrap() = None;
    let again = here.resume(sound_id, delegate).await.unwrap();
    assert_eq!(end(&again, &cell).await.text(), "sound");
}

/// A journal in which a call was answered otherwise: the program takes another way than the one that was written down.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_that_differs_ends_its_cell_alone() {
    let (store, delegate) = (Arc::<Fragile>::default(), RecordingDelegate::new());
    let here = provider(&store, system());
    let session = journaled(&here, &delegate).await;
    let differs =
        start(&session, "store('bad', 1); text('it is ' + await tools.echo(1)); await tools.gate().catch(() => 0); await tools.gate()").await;
    let goes_on = start(&session, "await new Promise((go) => setTimeout(go, 300)); text('went on')").await;
    delegate.reached(|seen| matches!(seen, Seen::Called(_, tool) if tool == "gate")).await;
    let id = session.id().clone();
    drop(session);
    // Written anew with another answer: sound, and yet another story.
    let mut reader = Tail::start(id.clone());
    let mut writer = Tail::start(id.clone());
    drop(here);
    let other = Arc::<Fragile>::default();
    // Given back, and so written to its end.
    while store.memory.acquire(&id, &Owner::new("the test").unwrap(), Duration::ZERO, 0).await.is_err() {
        tokio::task::yield_now().await;
    }
    let page = store.memory.read(&id, Position::START, 1 << 20).await.unwrap();
    for (position, bytes) in page.entries {
        let mut records = reader.read(position, &bytes).unwrap();
        for record in &mut records {
            if let Record::Answered { answer: Answer::Result(value), .. } = record {
                *value = Value::from("2");
            }
        }
        let entry = writer.seal(&records).unwrap();
        let before = Position(position.0 - 1);
        other.append(&id, before, vec![entry]).await.unwrap();
    }
    let there = provider(&other, system());
    let again = there.resume(id, delegate.clone()).await.unwrap();
    let CellResponse::Completed(done) = end(&again, &differs).await else { panic!("it has ended") };
    assert_eq!(done.error.map(|error| error.kind), Some(CellErrorKind::ReplayDivergence));
    let look = start(&again, "text(String(load('bad')))").await;
    assert_eq!(end(&again, &look).await.text(), "undefined", "what it stored is discarded");
    let response = end(&again, &goes_on).await;
    assert_eq!(response.text(), "went on");
    assert!(matches!(response.observation().notices.as_slice(), [] | [Notice::Recovered { .. }]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_only_read_do_not_wait_for_the_disk_and_share_its_writes() {
    let (store, delegate) = (Arc::<Fragile>::default(), RecordingDelegate::new());
    let here = provider(&store, system());
    let session = reading(&here, &delegate).await;
    let called =
        |tool: &'static str| move |seen: &Seen| matches!(seen, Seen::Called(_, called) if called == tool);
    let source = "await tools.gate(); for (let i = 0; i < 40; i++) await tools.echo(i); await tools.step(2); text('done')";
    let cell = start(&session, source).await;
    delegate.reached(called("gate")).await;
    store.holds.send_replace(true);
    let before = store.appends.load(Ordering::Relaxed);
    delegate.open_gate();
    delegate.reached_times(40, called("echo")).await;
    // All were answered, at most one write was asked for, and none is done. What follows changes something.
    assert!(store.appends.load(Ordering::Relaxed) <= before + 1);
    assert!(!delegate.seen().iter().any(called("step")));
    store.holds.send_replace(false);
    assert_eq!(end(&session, &cell).await.text(), "done");
}
