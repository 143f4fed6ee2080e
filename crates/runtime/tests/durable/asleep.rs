//! How sessions sleep and wake when the store fails or is slow.

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
