//! Life after life on what the one before left, and at times two at once, until everything is done; and what there is to
//! be said of it.

use std::fmt;
use std::ops::AddAssign;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use carrel_contract::SessionMode;
use carrel_journal::{Memory, Position, Store};
use carrel_runtime::Folding;
use futures::executor::block_on;
use futures::future::select_all;
use tokio::time::Instant;

use super::disk::{Disk, Faults};
use super::life::{Process, Set};
use super::owners::Owners;
use super::program::Program;
use super::random::Random;
use super::task::{End, Fork, Task};
use super::tools::{Books, Tools};

/// After so many lives there are no faults any more, and nobody has a rival, so that there is an end.
const FAULTY_LIVES: usize = 12;
const LIVES: usize = 20;

/// All that came of a seed.
#[derive(Debug, PartialEq, Eq)]
pub struct History {
    /// How much there was of it.
    pub counts: Counts,
    /// The entries of each session.
    pub journals: Vec<Vec<Vec<u8>>>,
    /// The events of each session, as they were seen.
    pub events: Vec<Vec<String>>,
}

/// How much there was of a history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Processes that died.
    pub deaths: u64,
    /// Processes whose store failed.
    pub failures: u64,
    /// Sessions that went from one process to another while both lived.
    pub taken: u64,
    /// Cells that ended as they must.
    pub cells: u64,
    /// Sessions that were forked off others.
    pub forks: u64,
    /// Calls that a program was told nobody knows of.
    pub unknown: u64,
    /// The entries of all journals.
    pub entries: u64,
    /// Journals that were folded, each time.
    pub folds: u64,
    /// Journals without their beginning.
    pub cut: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.deaths += other.deaths;
        self.failures += other.failures;
        self.taken += other.taken;
        self.cells += other.cells;
        self.forks += other.forks;
        self.unknown += other.unknown;
        self.entries += other.entries;
        self.folds += other.folds;
        self.cut += other.cut;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { deaths, failures, taken, cells, forks, unknown, entries, folds, cut } = self;
        write!(
            f,
            "{cells} cells, {forks} forks, {entries} entries, {folds} folds, {cut} cut journals, {deaths} deaths, \
             {failures} failed stores, {taken} sessions taken, {unknown} unknown calls"
        )
    }
}

/// What outlives the processes of a history.
#[derive(Default)]
struct World {
    kept: Arc<Memory>,
    owners: Arc<Owners>,
    books: Books,
    counts: Counts,
    now_us: i64,
}

/// Lives the history of a seed.
///
/// # Errors
/// What is not as it must be.
pub fn live(seed: u64) -> Result<History, String> {
    let mut random = Random::new(seed);
    let tasks = tasks(&mut random);
    let mut world = World { now_us: 1_790_000_000_000_000, ..World::default() };
    for nth in 0..LIVES {
        if world.live(nth, &mut random, &tasks).map_err(|what| format!("life {nth}: {what}"))? {
            return world.finish(&tasks);
        }
    }
    Err("it never came to its end".to_owned())
}

fn tasks(random: &mut Random) -> Vec<Arc<Task>> {
    let made: Vec<_> = (0..=random.below(2)).map(|_| Arc::new(task(random))).collect();
    let mut forks = Vec::new();
    for origin in &made {
        if random.once_in(3) {
            let after = Duration::from_millis(random.below(30_000));
            let fork = Fork { of: Arc::clone(origin), after, random: Mutex::new(random.branch()) };
            let (mode, programs) = (origin.mode, Arc::clone(&origin.programs));
            forks.push(Arc::new(Task { mode, programs, fork: Some(fork), told: Mutex::default() }));
        }
    }
    made.into_iter().chain(forks).collect()
}

fn task(random: &mut Random) -> Task {
    let mode = if random.once_in(3) { SessionMode::Persistent } else { SessionMode::Fresh };
    let programs = (0..=random.below(3)).map(|n| Program::new(random, 100 * (n + 1))).collect();
    Task { mode, programs, fork: None, told: Mutex::default() }
}

impl World {
    /// Lives once: one process, or two at the same time. Tells whether everything is done.
    fn live(&mut self, nth: usize, random: &mut Random, tasks: &[Arc<Task>]) -> Result<bool, String> {
        let is_faulty = nth < FAULTY_LIVES;
        let mut of_life = random.branch();
        let has_rival = is_faulty && of_life.once_in(3);
        let mut processes = vec![self.process(format!("life {nth}"), nth, has_rival, &mut of_life)];
        if has_rival {
            let mut rival = self.process(format!("rival {nth}"), nth, has_rival, &mut of_life);
            rival.starts_after = Duration::from_millis(of_life.below(40_000));
            // Its clock is fast, or slow, or as good as right.
            rival.base_us += match of_life.below(3) {
                0 => millis(of_life.below(600_000)),
                1 => -millis(of_life.below(600_000)),
                _ => millis(of_life.below(1000)),
            };
            processes.push(rival);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let (ends, lived) = runtime.block_on(async {
            let begun = Instant::now();
            let mut lives: Vec<_> =
                processes.into_iter().map(|process| Box::pin(process.live(begun, tasks))).collect();
            let mut ends = Vec::new();
            while !lives.is_empty() {
                let (end, _, others) = select_all(lives).await;
                let is_over = matches!(end, Some(End::Done | End::Wrong(_)));
                ends.push(end);
                lives = if is_over { Vec::new() } else { others };
            }
            (ends, begun.elapsed())
        });
        // With all that was still under way in it.
        drop(runtime);
        self.now_us += i64::try_from(lived.as_micros()).unwrap_or(0) + millis(random.below(60_000));
        if random.once_in(4) {
            // Somebody sets the clock, forward or back.
            self.now_us += millis(random.below(1_200_000)) - millis(600_000);
        }
        let mut is_done = false;
        for end in ends {
            match end {
                None => self.counts.deaths += 1,
                Some(End::Failed) => self.counts.failures += 1,
                Some(End::Owner) => return Err("a process gave up that need not".to_owned()),
                Some(End::Wrong(what)) => return Err(what),
                Some(End::Done) => is_done = true,
            }
        }
        self.owners.seen().wrong.map_or(Ok(is_done), Err)
    }

    fn process(&self, name: String, nth: usize, has_rival: bool, random: &mut Random) -> Process {
        let is_faulty = nth < FAULTY_LIVES;
        let faults = Faults {
            of_writes: if is_faulty { 8 + random.below(60) } else { 0 },
            delays: if has_rival { 100 } else { 0 },
        };
        let (kept, owners) = (Arc::clone(&self.kept), Arc::clone(&self.owners));
        let disk = Arc::new(Disk::new(kept, owners, name, random.branch(), faults));
        let books = Arc::clone(&self.books);
        let tools = Tools { books, disk: Arc::clone(&disk), time: nth, random: Mutex::new(random.branch()) };
        let longest = if has_rival { 180_000 } else { 60_000 };
        let killed_after =
            if is_faulty { Duration::from_millis(random.below(longest)) } else { Duration::MAX };
        let set = (has_rival && random.once_in(4)).then(|| Set {
            after: Duration::from_millis(random.below(60_000)),
            by_us: millis(random.below(1_200_000)) - millis(600_000),
        });
        // Sessions sleep whenever they can, or soon, or not at all.
        let idle = Duration::from_millis(match random.below(4) {
            0 => 3_600_000,
            1 => 100,
            _ => 0,
        });
        Process {
            disk,
            tools,
            base_us: self.now_us,
            set,
            random: random.branch(),
            starts_after: Duration::ZERO,
            killed_after,
            idle,
            folding: folding(random),
        }
    }

    /// Checks what is left, and returns it.
    fn finish(mut self, tasks: &[Arc<Task>]) -> Result<History, String> {
        let (mut journals, mut events) = (Vec::new(), Vec::new());
        for task in tasks {
            let told = task.told.lock().unwrap_or_else(PoisonError::into_inner);
            for (place, program) in task.programs.iter().enumerate() {
                let printed = told.outcomes.get(&place).ok_or("a cell has no outcome")?;
                self.counts.unknown += program.check(printed, task.fork.is_some())? as u64;
                self.counts.cells += 1;
            }
            if let Some(fork) = &task.fork {
                self.counts.forks += 1;
                let origin = fork.of.told.lock().unwrap_or_else(PoisonError::into_inner);
                let differs = |place: &usize| origin.outcomes.get(place) != told.outcomes.get(place);
                if let Some(place) = told.ended_before().find(differs) {
                    return Err(format!("cell {} had ended, and has another outcome in a fork", place + 1));
                }
            }
            events.push(told.events.values().map(|event| format!("{event:?}")).collect());
            let session = told.session.as_ref().ok_or("a session was never made")?;
            let page = block_on(self.kept.read(session, Position::START, usize::MAX))
                .map_err(|error| error.to_string())?;
            self.counts.entries += page.entries.len() as u64;
            self.counts.cut += u64::from(page.head.first > Position::START.next());
            journals.push(page.entries.into_iter().map(|(_, bytes)| bytes.to_vec()).collect());
        }
        let seen = self.owners.seen();
        (self.counts.folds, self.counts.taken) = (seen.folds, seen.taken);
        let counts = self.counts;
        let books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((key, by)) = books.iter().find(|(_, by)| by.len() > 1) {
            return Err(format!("done more than once: {key}, by {by:?}"));
        }
        if counts.unknown > 0 && counts.deaths + counts.failures + counts.taken + counts.forks == 0 {
            return Err("a call is unknown, and nothing ever failed".to_owned());
        }
        Ok(History { counts, journals, events })
    }
}

/// Journals are folded and cut all the time, or at times, or, with so little in them, never.
fn folding(random: &mut Random) -> Folding {
    let mut folding = Folding::default();
    let (after, kept) = match random.below(4) {
        0 => (600, 300),
        1 => (3000, 1500),
        2 => (2000, u64::MAX),
        _ => return folding,
    };
    (folding.after_bytes, folding.kept_bytes) = (after, kept);
    if random.once_in(2) {
        folding.kept_notebook_bytes = kept;
    }
    if random.once_in(2) {
        folding.part_bytes = 500;
    }
    folding
}

fn millis(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(0) * 1000
}
