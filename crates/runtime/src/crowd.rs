//! Which sessions are in memory and at rest, so that those that have rested longest leave first when it gets crowded.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::pressure;

/// How often it is looked how much memory there is, at most.
const LOOK_TIME: Duration = Duration::from_millis(250);
/// How many sessions leave at each such look: one of so many.
const ONE_OF: usize = 8;

/// When a journaled session leaves memory, although somebody holds it: one that nobody uses, and whose cells, if it has any,
/// wait for calls or timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hibernation {
    /// After this time: 60 s by default.
    pub idle: Duration,
    /// At once, when more journaled sessions than this are in memory, those first that have waited longest: 1,000 by default.
    pub most_awake: usize,
    /// At once, when the process has more bytes than this in memory; no bound by default. Whatever it is, sessions leave when less
    /// than a twentieth of the machine's memory, or of what the process's control group may have, is left.
    pub most_resident_bytes: Option<u64>,
}

impl Default for Hibernation {
    fn default() -> Self {
        Self { idle: Duration::from_secs(60), most_awake: 1000, most_resident_bytes: None }
    }
}

/// The journaled sessions in memory.
pub(crate) struct Crowd {
    pub(crate) hibernation: Hibernation,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    awake: usize,
    /// Those at rest, the longest first.
    resting: BTreeMap<u64, Arc<Notify>>,
    rested: u64,
    looked: Option<Instant>,
}

impl Crowd {
    pub(crate) fn new(hibernation: Hibernation) -> Self {
        Self { hibernation, state: Mutex::default() }
    }

    /// One more is in memory.
    pub(crate) fn enter(self: &Arc<Self>) -> Awake {
        let mut state = self.lock();
        state.awake += 1;
        self.relieve(&mut state);
        Awake(Arc::clone(self))
    }

    /// Returns how many are in memory.
    pub(crate) fn awake(&self) -> usize {
        self.lock().awake
    }

    /// One has come to rest.
    pub(crate) fn rest(self: &Arc<Self>) -> Resting {
        let go = Arc::new(Notify::new());
        let mut state = self.lock();
        state.rested += 1;
        let key = state.rested;
        state.resting.insert(key, Arc::clone(&go));
        self.relieve(&mut state);
        drop(state);
        Resting { crowd: Arc::clone(self), key, go }
    }

    /// One that was asked to go has come to be used meanwhile: another may go.
    pub(crate) fn somebody_else(&self) {
        self.relieve(&mut self.lock());
    }

    /// Asks those to go that are too many.
    fn relieve(&self, state: &mut State) {
        let mut too_many = state.awake.saturating_sub(self.hibernation.most_awake).min(1);
        let now = Instant::now();
        if state.looked.is_none_or(|looked| now - looked >= LOOK_TIME) {
            state.looked = Some(now);
            if pressure::is_high(self.hibernation.most_resident_bytes) {
                too_many = too_many.max(state.resting.len().div_ceil(ONE_OF));
            }
        }
        for _ in 0..too_many {
            let Some((_, go)) = state.resting.pop_first() else { return };
            go.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session is in memory for as long as this lives.
pub(crate) struct Awake(Arc<Crowd>);

impl Drop for Awake {
    fn drop(&mut self) {
        self.0.lock().awake -= 1;
    }
}

/// A session rests for as long as this lives.
pub(crate) struct Resting {
    crowd: Arc<Crowd>,
    key: u64,
    go: Arc<Notify>,
}

impl Resting {
    /// Waits until it is asked to go.
    pub(crate) async fn asked_to_go(&self) {
        self.go.notified().await;
    }
}

impl Drop for Resting {
    fn drop(&mut self) {
        self.crowd.lock().resting.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn when_it_is_crowded_those_go_first_that_have_rested_longest() {
        let crowd = Arc::new(Crowd::new(Hibernation { most_awake: 3, ..Hibernation::default() }));
        // Whether the machine is short of memory is not what is tested here.
        crowd.lock().looked = Some(Instant::now() + Duration::from_secs(3600));
        let goes = |resting: &Resting| resting.asked_to_go().now_or_never().is_some();
        let mut awake: Vec<_> = (0..3).map(|_| crowd.enter()).collect();
        let resting: Vec<_> = (0..3).map(|_| crowd.rest()).collect();
        assert!(!resting.iter().any(goes), "there is room for all");
        awake.push(crowd.enter());
        assert!(goes(&resting[0]) && !goes(&resting[1]) && !goes(&resting[2]));
        // It was used just then, so another goes.
        crowd.somebody_else();
        assert!(goes(&resting[1]) && !goes(&resting[2]));
        awake.truncate(2);
        crowd.somebody_else();
        assert!(!goes(&resting[2]), "there is room again");
        drop(resting);
        assert_eq!((crowd.awake(), crowd.lock().resting.len()), (2, 0));
    }
}
