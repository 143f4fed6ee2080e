//! How sessions sleep and wake when the store fails or is slow.

use std::sync::Weak;

use carrel_contract::error::{NotifyError, WaitError};
use carrel_contract::{
    CancellationToken, CodeModeSessionDelegate, JsonText, Notification, Read, ToolCall, ToolError,
};
use futures::StreamExt;
use tokio::time::Instant;

use super::*;

/// A provider whose sessions sleep whenever they can.
fn sleepy(store: &Arc<Fragile>) -> InProcessProvider {
    let mut options = options(store, system());
    options.hibernation.idle = Duration::ZERO;
    InProcessProvider::new(options).unwrap()
}

/// Waits until no session is in memory any more.
async fn asleep(provider: &InProcessProvider) {
    while provider.awake() > 0 {
        tokio::task::yield_now().await;
    }
}

/// Does something beside the test, which joins it.
#[expect(clippy::disallowed_methods, reason = "the test is its owner, and joins it")]
fn aside<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> tokio::task::JoinHandle<T> {
    tokio::spawn(work)
}

#[tokio::test(start_paused = true)]
async fn a_session_that_cannot_be_woken_is_tried_again_less_and_less_often() {
    let (store, delegate) = (Arc::<Fragile>::default(), RecordingDelegate::new());
    let here = sleepy(&store);
    let session = journaled(&here, &delegate).await;
    let cell = start(&session, "text(await tools.gate('open'))").await;
    delegate.reached(|seen| matches!(seen, Seen::Called(..))).await;
    asleep(&here).await;
    store.keeps_nothing.store(true, Ordering::Relaxed);
    let begun = Instant::now();
    let mut events = session.events(Seq(u64::MAX));
    delegate.open_gate();
    // Whoever only listens is told that nothing comes.
    assert!(events.next().await.is_none());
    assert!(matches!(session.wait(WaitRequest::new([cell.clone()])).await, Err(WaitError::StorageFailed(_))));
    // After 0, 1, 3, 7 and 15 s, for that wait, and once its lease is renewed meanwhile.
    store.refused.subscribe().wait_for(|refused| *refused == 7).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(14), "{:?}", begun.elapsed());
    store.keeps_nothing.store(false, Ordering::Relaxed);
    assert_eq!(end(&session, &cell).await.text(), "open");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_sleeps_once_what_kept_it_awake_was_read() {
    let (store, delegate) = (Arc::<Fragile>::default(), RecordingDelegate::new());
    let here = provider(&store, system());
    let session = journaled(&here, &delegate).await;
    let cell = start(&session, "text(await tools.gate())").await;
    delegate.reached(|seen| matches!(seen, Seen::Called(..))).await;
    let id = session.id().clone();
    drop((session, here));
    let here = sleepy(&store);
    // The session was lost with a call under way, which is a notice to whoever reads.
    let again = loop {
        match here.resume(id.clone(), delegate.clone()).await {
            Ok(session) => break session,
            Err(ResumeError::OwnedElsewhere(_)) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    };
    let mut request = WaitRequest::new([cell.clone()]).with_yield_time(Duration::MAX);
    request.look = true;
    let looked = again.wait(request).await.unwrap();
    let observation = looked.cells[0].observation();
    assert!(matches!(observation.notices[..], [Notice::Recovered { .. }]), "{looked:?}");
    assert_eq!(here.awake(), 1);
    again.note_read(Read::new(cell, observation.cursor));
    asleep(&here).await;
}

/// A delegate that looks at its session as it goes.
struct Curious {
    session: Mutex<Option<Weak<dyn CodeModeSession>>>,
    found: Arc<Mutex<Option<SessionState>>>,
}

impl CodeModeSessionDelegate for Curious {
    fn invoke_tool(&self, _: ToolCall, _: CancellationToken) -> CodeModeFuture<'_, JsonText, ToolError> {
        Box::pin(std::future::pending())
    }

    fn notify(&self, _: Notification, _: CancellationToken) -> CodeModeFuture<'_, (), NotifyError> {
        Box::pin(std::future::pending())
    }

    fn cell_closed(&self, _: &CellId) {}
}

impl Drop for Curious {
    fn drop(&mut self) {
        let session = self.session.lock().unwrap().take().and_then(|session| session.upgrade());
        *self.found.lock().unwrap() = session.map(|session| session.state());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_that_goes_may_look_at_its_session() {
    let (store, found) = (Arc::<Fragile>::default(), Arc::<Mutex<_>>::default());
    let here = provider(&store, system());
    let curious = Arc::new(Curious { session: Mutex::default(), found: Arc::clone(&found) });
    let mut spec = SessionSpec::default();
    spec.durability = Durability::Journaled;
    let session = here.create(spec, curious.clone()).await.unwrap();
    *curious.session.lock().unwrap() = Some(Arc::downgrade(&session));
    drop(curious);
    let again = here.resume(session.id().clone(), RecordingDelegate::new()).await.unwrap();
    assert_eq!(*found.lock().unwrap(), Some(SessionState::Open));
    assert_eq!(again.state(), SessionState::Open);
}

#[tokio::test]
async fn a_session_that_goes_takes_nothing_from_the_one_that_is_resumed() {
    let (store, delegate) = (Arc::<Fragile>::default(), RecordingDelegate::new());
    let here = Arc::new(sleepy(&store));
    let mut spec = SessionSpec::default();
    spec.tools = tool_descriptions();
    spec.tools
        .iter_mut()
        .filter(|tool| tool.name.as_str() == "hang")
        .for_each(|tool| tool.hints.read_only = true);
    spec.durability = Durability::Journaled;
    let session = here.create(spec, delegate.clone()).await.unwrap();
    let (id, user) = (session.id().clone(), Arc::clone(&session));
    let cell = start(&session, "await tools.gate(); await tools.hang()").await;
    let waits = aside(async move { end(&user, &cell).await });
    delegate.reached(|seen| matches!(seen, Seen::Called(_, tool) if tool == "gate")).await;
    // Whether or not it slept before it was waited for: now it does not.
    let other = start(&session, "1").await;
    end(&session, &other).await;
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    // It falls asleep while its call is not written down yet, and nobody holds it any more.
    store.holds.send_replace(true);
    delegate.open_gate();
    delegate.reached(|seen| matches!(seen, Seen::Called(_, tool) if tool == "hang")).await;
    waits.abort();
    waits.await.unwrap_err();
    let resumed = {
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        drop(session);
        let (here, id, delegate) = (Arc::clone(&here), id.clone(), delegate.clone());
        aside(async move { here.resume(id, delegate).await })
    };
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    store.holds.send_replace(false);
    let again = resumed.await.unwrap().unwrap();
    here.settle().await;
    // A call of its is under way, so it is this provider's, awake or asleep.
    start(&again, "await tools.gate(); await tools.hang()").await;
    assert!(store.memory.lease(&id).await.unwrap().is_some(), "it was given back under the new one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_wakes_is_resumed_once_it_has_left_again() {
    let (store, delegate) = (Arc::<Fragile>::default(), RecordingDelegate::new());
    let here = Arc::new(sleepy(&store));
    let session = journaled(&here, &delegate).await;
    let id = session.id().clone();
    let cell = start(&session, "await tools.gate().catch(() => 0); text('over')").await;
    delegate.reached(|seen| matches!(seen, Seen::Called(..))).await;
    asleep(&here).await;
    let before = *store.reads.borrow();
    store.unread.send_replace(Some(id.clone()));
    delegate.open_gate();
    store.reads.subscribe().wait_for(|reads| *reads > before).await.unwrap();
    // Its journal is being read, to wake it; now nobody holds it any more.
    drop(session);
    let resumed = {
        let (here, id, delegate) = (Arc::clone(&here), id.clone(), delegate.clone());
        aside(async move { here.resume(id, delegate).await })
    };
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    store.unread.send_replace(None);
    let again = resumed.await.unwrap().unwrap();
    assert_eq!(end(&again, &cell).await.text(), "over");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_is_slow_to_come_back_holds_up_no_other() {
    let (store, delegate) = (Arc::<Fragile>::default(), RecordingDelegate::new());
    let here = Arc::new(provider(&store, system()));
    let (slow, quick) = (journaled(&here, &delegate).await, journaled(&here, &delegate).await);
    let (slow_id, quick_id) = (slow.id().clone(), quick.id().clone());
    drop((slow, quick));
    here.settle().await;
    store.unread.send_replace(Some(slow_id.clone()));
    let resume = || {
        let (here, id, delegate) = (Arc::clone(&here), slow_id.clone(), delegate.clone());
        aside(async move { here.resume(id, delegate).await })
    };
    let (one, other) = (resume(), resume());
    store.reads.subscribe().wait_for(|reads| *reads > 0).await.unwrap();
    here.resume(quick_id.clone(), delegate.clone()).await.unwrap();
    here.delete(quick_id).await.unwrap();
    store.unread.send_replace(None);
    // Whoever came second has the session that was brought back for the first.
    let (one, other) = (one.await.unwrap().unwrap(), other.await.unwrap().unwrap());
    assert!(Arc::ptr_eq(&one, &other));
    one.shutdown().await.unwrap();
    let again = here.resume(slow_id, delegate).await.unwrap();
    assert_eq!((one.state(), again.state()), (SessionState::Closed, SessionState::Open));
}
