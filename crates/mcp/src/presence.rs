//! A person who counts as there between the calls of their client: they think, and it asks again and again.
//!
//! One is kept, however often it asks: whose calls are held back does not tell people apart.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use carrel_contract::CancellationToken;
use tokio::time::{Instant, sleep_until};

use crate::approvals::Attendant;

/// See the [module](self).
#[derive(Clone, Default)]
pub(crate) struct Presence(Arc<Mutex<Option<Kept>>>);

struct Kept {
    until: Instant,
    /// What says that they are there.
    _person: Box<dyn Attendant>,
}

impl Presence {
    /// Counts a person as there for so long. If nobody was kept, returns what has to be run: it ends when the last such time is
    /// over, or this is closed, and they are gone then.
    pub(crate) fn keep(
        &self,
        person: Box<dyn Attendant>,
        time: Duration,
        closed: CancellationToken,
    ) -> Option<impl Future<Output = ()> + Send + use<>> {
        let until = Instant::now() + time;
        let mut kept = self.lock();
        if let Some(kept) = kept.as_mut() {
            kept.until = kept.until.max(until);
            return None;
        }
        *kept = Some(Kept { until, _person: person });
        let presence = self.clone();
        Some(async move {
            while let Some(until) = presence.until(&closed) {
                closed.run_until_cancelled(sleep_until(until)).await;
            }
        })
    }

    /// Returns until when they count as there; takes them for gone when that is over.
    fn until(&self, closed: &CancellationToken) -> Option<Instant> {
        let mut kept = self.lock();
        let until = kept.as_ref()?.until;
        if until > Instant::now() && !closed.is_cancelled() {
            return Some(until);
        }
        let gone = kept.take();
        drop(kept);
        drop(gone);
        None
    }

    fn lock(&self) -> MutexGuard<'_, Option<Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use tokio::time::advance;

    use super::*;

    struct Person(Arc<()>);

    impl Attendant for Person {
        fn changed(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
            assert!(Arc::strong_count(&self.0) > 1);
            Box::pin(std::future::pending())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_is_kept_however_often_their_client_asks() {
        let (presence, people, closed) = (Presence::default(), Arc::new(()), CancellationToken::new());
        let there = || Arc::strong_count(&people) - 1;
        let keep =
            || presence.keep(Box::new(Person(Arc::clone(&people))), Duration::from_secs(600), closed.clone());
        let kept = keep().unwrap();
        for _ in 0..5 {
            advance(Duration::from_secs(500)).await;
            assert!(keep().is_none());
            assert_eq!(there(), 1);
        }
        kept.await;
        assert_eq!(there(), 0);
        let kept = keep().unwrap();
        closed.cancel();
        kept.await;
        assert_eq!(there(), 0);
    }
}
