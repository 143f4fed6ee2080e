//! How sessions sleep and wake when the store fails or is slow.

use std::sync::Weak;

use carrel_contract::error::NotifyError;
use carrel_contract::{
    CancellationToken, CodeModeSessionDelegate, JsonText, Notification, Read, SessionState, ToolCall,
    ToolError,
};
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
    delegate.open_gate();
    // After 0, 1, 3, 7 and 15 s, and once its lease is renewed meanwhile.
    store.refused.subscribe().wait_for(|refused| *refused == 6).await.unwrap();
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
