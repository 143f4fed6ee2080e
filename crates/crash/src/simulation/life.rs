//! One process, from its start to its death, or until all is done.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use carrel_journal::{Owner, Store};
use carrel_runtime::{Environment, Folding, InProcessProvider, Options};
use futures::future::try_join_all;
use tokio::time::{Instant, sleep};

use super::disk::Disk;
use super::random::Random;
use super::task::{End, Task, Work};
use super::tools::Tools;

/// A process, before it starts.
pub(super) struct Process {
    pub(super) disk: Arc<Disk>,
    pub(super) tools: Tools,
    /// What its clock says when the time begins in which it lives, and how that goes wrong.
    pub(super) base_us: i64,
    pub(super) set: Option<Set>,
    pub(super) random: Random,
    pub(super) starts_after: Duration,
    pub(super) killed_after: Duration,
    pub(super) idle: Duration,
    pub(super) folding: Folding,
}

/// Somebody sets a clock, forward or back.
pub(super) struct Set {
    pub(super) after: Duration,
    pub(super) by_us: i64,
}

/// The clock of a process, and its randomness.
struct Surroundings {
    base_us: i64,
    set: Option<Set>,
    begun: Instant,
    random: Mutex<Random>,
}

impl Environment for Surroundings {
    fn now_us(&self) -> i64 {
        let lived = self.begun.elapsed();
        let set = self.set.as_ref().filter(|set| set.after <= lived).map_or(0, |set| set.by_us);
        self.base_us + set + i64::try_from(lived.as_micros()).unwrap_or(0)
    }

    fn random(&self) -> u64 {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).next()
    }
}

impl Process {
    /// Lives. Returns what it came to; `None` when it died.
    pub(super) async fn live(self, begun: Instant, tasks: &[Arc<Task>]) -> Option<End> {
        let disk = Arc::clone(&self.disk);
        sleep(self.starts_after).await;
        let killed_after = self.killed_after;
        let end = tokio::select! {
            biased;
            () = disk.died() => None,
            end = self.work(begun, tasks) => Some(end),
            () = sleep(killed_after) => None,
        };
        // What it had under way does nothing more.
        disk.die();
        end
    }

    async fn work(self, begun: Instant, tasks: &[Arc<Task>]) -> End {
        let mut options = Options::default();
        options.engine.max_vms = 64;
        // Some turns on, and a VM is worth saving.
        options.engine.turn_time = Some(Duration::from_millis(7));
        options.owner = Owner::new(self.disk.process()).ok();
        options.store = Some(self.disk as Arc<dyn Store>);
        options.environment = Arc::new(Surroundings {
            base_us: self.base_us,
            set: self.set,
            begun,
            random: Mutex::new(self.random),
        });
        options.hibernation.idle = self.idle;
        options.folding = self.folding;
        let provider = match InProcessProvider::new(options) {
            Ok(provider) => provider,
            Err(error) => return End::Wrong(error.to_string()),
        };
        let tools = Arc::new(self.tools);
        let work = |task| Work { task, provider: &provider, tools: &tools };
        let works: Vec<Work<'_>> = tasks.iter().map(|task| work(task)).collect();
        match try_join_all(works.iter().map(Work::go)).await {
            Ok(_) => End::Done,
            Err(end) => end,
        }
    }
}
