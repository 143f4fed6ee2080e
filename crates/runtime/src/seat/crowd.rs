//! Which sessions are in memory and at rest, so that those that have rested longest leave first when it gets crowded, or when
//! others need the places of their VMs.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::pressure;

/// How often it is looked how much memory there is, at most.
const LOOK_TIME: Duration = Duration::from_millis(250);
/// How many sessions leave at each such look: one of so many.
const ONE_OF: usize = 8;
/// How long it is waited for a session to leave: it is written down first.
const ROOM_TIME: Duration = Duration::from_secs(10);

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
    /// Told when one that rested has left, or is used.
    over: Notify,
}

/// A session that came to rest.
struct Rested {
    go: Arc<Notify>,
    has_vms: HasVms,
    is_asked: bool,
}

/// Tells whether a session has VMs now. Asked under no lock.
type HasVms = Arc<dyn Fn() -> bool + Send + Sync>;

#[derive(Default)]
struct State {
    awake: usize,
    /// Those at rest, the longest first. One that is asked to go stays here until it has left, or is used.
    resting: BTreeMap<u64, Rested>,
    rested: u64,
    looked: Option<Instant>,
}

impl State {
    /// Returns those that nobody has asked to go, the longest first.
    fn not_asked(&mut self) -> impl Iterator<Item = (&u64, &mut Rested)> {
        self.resting.iter_mut().filter(|(_, rested)| !rested.is_asked)
    }
}

impl Rested {
    fn ask(&mut self) {
        self.is_asked = true;
        self.go.notify_one();
    }
}

impl Crowd {
    pub(crate) fn new(hibernation: Hibernation) -> Self {
        Self { hibernation, state: Mutex::default(), over: Notify::new() }
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

    /// One has come to rest: until what is returned is dropped, when it has left or is used.
    pub(crate) fn rest(self: &Arc<Self>, has_vms: impl Fn() -> bool + Send + Sync + 'static) -> Resting {
        let go = Arc::new(Notify::new());
        let mut state = self.lock();
        state.rested += 1;
        let key = state.rested;
        state
            .resting
            .insert(key, Rested { go: Arc::clone(&go), has_vms: Arc::new(has_vms), is_asked: false });
        self.relieve(&mut state);
        drop(state);
        Resting { crowd: Arc::clone(self), key, go }
    }

    /// One that was asked to go has come to be used meanwhile: another may go.
    pub(crate) fn somebody_else(&self) {
        self.relieve(&mut self.lock());
    }

    /// Has the session leave that has rested longest of those with VMs, and waits until one is gone, or is used instead. Tells
    /// whether there was one. Cancel safe.
    pub(crate) async fn make_room(&self) -> bool {
        let mut over = pin!(self.over.notified());
        over.as_mut().enable();
        let resting: Vec<_> =
            self.lock().not_asked().map(|(key, rested)| (*key, Arc::clone(&rested.has_vms))).collect();
        let with_vms = resting.into_iter().find(|(_, has_vms)| has_vms()).map(|(key, _)| key);
        let is_asked = {
            let mut state = self.lock();
            if let Some(rested) = with_vms.and_then(|key| state.resting.get_mut(&key)) {
                rested.ask();
            }
            // Or somebody else has asked one.
            state.resting.values().any(|rested| rested.is_asked)
        };
        is_asked && timeout(ROOM_TIME, over).await.is_ok()
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
            let Some((_, longest)) = state.not_asked().next() else { return };
            longest.ask();
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
        self.crowd.over.notify_waiters();
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
        let resting: Vec<_> = (0..3).map(|_| crowd.rest(|| false)).collect();
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
    #[tokio::test]
    async fn room_is_made_by_those_that_have_any() {
        let crowd = Arc::new(Crowd::new(Hibernation::default()));
        crowd.lock().looked = Some(Instant::now() + Duration::from_secs(3600));
        let goes = |resting: &Resting| resting.asked_to_go().now_or_never().is_some();
        let (without, with) = (crowd.rest(|| false), crowd.rest(|| true));
        let mut first = Box::pin(crowd.make_room());
        assert!(first.as_mut().now_or_never().is_none());
        assert!(goes(&with) && !goes(&without));
        // Who comes while it is leaving waits for the same.
        let mut second = Box::pin(crowd.make_room());
        assert!(second.as_mut().now_or_never().is_none());
        drop(with);
        assert_eq!((first.now_or_never(), second.now_or_never()), (Some(true), Some(true)));
        assert_eq!(crowd.make_room().now_or_never(), Some(false));
    }
}
