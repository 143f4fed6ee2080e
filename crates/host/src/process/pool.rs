//! Which host a session is given: one that runs and takes more, else a new one.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use carrel_contract::error::HostLost;
use futures::future::{BoxFuture, join_all};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::task::TaskTracker;

use super::child::HostProcess;
use super::options::{Pool, ProcessOptions};
use super::reaper::Reaper;
use crate::client::{Home, Owner};

/// A host that dies sooner than this did not come up.
const COMES_UP: Duration = Duration::from_secs(1);

/// The hosts of a provider.
pub(super) struct Hosts {
    options: ProcessOptions,
    reaper: Reaper,
    places: Vec<Arc<Place>>,
    /// Hosts of one session each.
    alone: Mutex<Vec<Weak<Owner>>>,
    next: AtomicUsize,
    tasks: TaskTracker,
    /// All that were started and have not ended.
    processes: Mutex<Vec<Weak<HostProcess>>>,
    is_closed: AtomicBool,
}

/// Where one host is at a time.
#[derive(Default)]
struct Place {
    host: Mutex<Option<Arc<Owner>>>,
    /// Held while one is started.
    starting: tokio::sync::Mutex<()>,
    failures: Mutex<Failures>,
}

#[derive(Default)]
struct Failures {
    in_a_row: u32,
    wait_until: Option<Instant>,
}

impl Place {
    fn host(&self) -> MutexGuard<'_, Option<Arc<Owner>>> {
        self.host.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failures(&self) -> MutexGuard<'_, Failures> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn live(&self) -> Option<Arc<Owner>> {
        self.host().as_ref().filter(|owner| !owner.connection.is_lost()).cloned()
    }

    fn failed(&self, options: &ProcessOptions) {
        let mut failures = self.failures();
        let wait = options.backoff.saturating_mul(1 << failures.in_a_row.min(16)).min(options.max_backoff);
        failures.in_a_row += 1;
        failures.wait_until = Some(Instant::now() + wait);
    }
}

impl Hosts {
    pub(super) fn new(options: ProcessOptions) -> std::io::Result<Self> {
        let places = match options.pool {
            // The place of those that have a session each only remembers their failures.
            Pool::Shared | Pool::PerSession => 1,
            Pool::Hosts(hosts) => hosts.get(),
        };
        Ok(Self {
            options,
            reaper: Reaper::start()?,
            places: (0..places).map(|_| Arc::default()).collect(),
            alone: Mutex::default(),
            next: AtomicUsize::new(0),
            tasks: TaskTracker::new(),
            processes: Mutex::default(),
            is_closed: AtomicBool::new(false),
        })
    }

    /// Starts a host, not before the wait after one that failed is over.
    async fn start(&self, place: &Arc<Place>) -> Result<Arc<Owner>, HostLost> {
        if self.is_closed.load(Ordering::SeqCst) {
            return Err(closed());
        }
        crate::watch::over(tokio::runtime::Handle::current());
        let wait_until = place.failures().wait_until;
        if let Some(wait_until) = wait_until {
            sleep_until(wait_until).await;
        }
        let (owner, process) = HostProcess::start(&self.options, &self.reaper).await.map_err(|error| {
            place.failed(&self.options);
            HostLost { session_id: None, detail: format!("failed to {error}") }
        })?;
        {
            let mut processes = lock(&self.processes);
            processes.retain(|process| process.strong_count() > 0);
            processes.push(Arc::downgrade(&process));
        }
        if self.is_closed.load(Ordering::SeqCst) {
            return Err(closed());
        }
        let watched = watch(self.options.clone(), Arc::downgrade(&owner), process, Arc::downgrade(place));
        self.tasks.spawn(watched);
        Ok(owner)
    }

    /// Says goodbye to all hosts, waits until they have ended, and kills those that take longer than this. No other is started.
    pub(super) async fn close(&self, patience: Duration) {
        self.is_closed.store(true, Ordering::SeqCst);
        for owner in self.all() {
            owner.connection.say_goodbye();
        }
        let processes: Vec<_> = lock(&self.processes).drain(..).filter_map(|it| it.upgrade()).collect();
        join_all(processes.iter().map(|process| process.end(patience))).await;
    }
}

fn closed() -> HostLost {
    HostLost { session_id: None, detail: "its provider is closed".to_owned() }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Home for Hosts {
    fn connect(&self) -> BoxFuture<'_, Result<Arc<Owner>, HostLost>> {
        Box::pin(async move {
            let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.places.len().max(1);
            let Some(place) = self.places.get(turn) else {
                return Err(HostLost { session_id: None, detail: "the pool has no place".to_owned() });
            };
            if self.options.pool == Pool::PerSession {
                let owner = self.start(place).await?;
                let mut alone = lock(&self.alone);
                alone.retain(|owner| owner.strong_count() > 0);
                alone.push(Arc::downgrade(&owner));
                return Ok(owner);
            }
            if let Some(owner) = place.live() {
                return Ok(owner);
            }
            let _starting = place.starting.lock().await;
            if let Some(owner) = place.live() {
                return Ok(owner);
            }
            let owner = self.start(place).await?;
            *place.host() = Some(Arc::clone(&owner));
            Ok(owner)
        })
    }

    fn all(&self) -> Vec<Arc<Owner>> {
        let mut all: Vec<_> = self.places.iter().filter_map(|place| place.live()).collect();
        let alone = lock(&self.alone);
        all.extend(alone.iter().filter_map(Weak::upgrade));
        all
    }
}

/// Asks a host for signs of life until it ends, kills one that gives none, and takes one out of its place that has done
/// its share.
async fn watch(options: ProcessOptions, owner: Weak<Owner>, process: Arc<HostProcess>, place: Weak<Place>) {
    let began = Instant::now();
    let mut heard_at = Instant::now();
    let Some(connection) = owner.upgrade().map(|owner| Arc::clone(&owner.connection)) else { return };
    loop {
        connection.ping();
        tokio::select! {
            () = connection.lost.cancelled() => break,
            () = sleep(options.heartbeat) => {}
        }
        if connection.was_heard() {
            heard_at = Instant::now();
        } else if heard_at.elapsed() >= options.patience {
            process.kill();
            connection.end(&format!("it gave no sign of life for {:?} and was killed", options.patience));
            continue;
        }
        let is_worn = options.max_cells.is_some_and(|most| connection.cells() >= most)
            || options.max_memory_bytes.is_some_and(|most| process.memory_bytes() >= Some(most));
        if is_worn && let Some(place) = place.upgrade() {
            leave(&place, &owner);
        }
    }
    let Some(place) = place.upgrade() else { return };
    leave(&place, &owner);
    if began.elapsed() < COMES_UP && owner.strong_count() > 0 {
        place.failed(&options);
    } else {
        *place.failures() = Failures::default();
    }
}

/// Takes a host out of its place. It goes on for the sessions that it has.
fn leave(place: &Place, owner: &Weak<Owner>) {
    let left = {
        let mut host = place.host();
        host.take_if(|host| Arc::as_ptr(host) == owner.as_ptr())
    };
    drop(left);
}
