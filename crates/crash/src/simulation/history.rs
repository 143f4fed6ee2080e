//! Life after life on what the one before left, until everything is done; and what there is to be said of it.

use std::fmt;
use std::ops::AddAssign;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use carrel_contract::SessionMode;
use carrel_journal::{Memory, Position, Store};
use futures::executor::block_on;
use tokio::time::{Instant, sleep};

use super::disk::Disk;
use super::life::{End, Surroundings, Task, Told, live as live_once};
use super::program::Program;
use super::random::Random;
use super::tools::{Books, Tools};

/// After so many lives there are no faults any more, so that there is an end.
const FAULTY_LIVES: usize = 12;
const LIVES: usize = 20;

/// All that came of a seed.
#[derive(Debug, PartialEq, Eq)]
pub struct History {
    /// How much there was of it.
    pub counts: Counts,
    /// The entries of each session.
    pub journals: Vec<Vec<Vec<u8>>>,
    /// The events of each session, as its last reader had them.
    pub events: Vec<Vec<String>>,
}

/// How much there was of a history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Processes that died.
    pub deaths: u64,
    /// Processes whose store failed.
    pub failures: u64,
    /// Cells that ended as they must.
    pub cells: u64,
    /// Calls that a program was told nobody knows of.
    pub unknown: u64,
    /// The entries of all journals.
    pub entries: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.deaths += other.deaths;
        self.failures += other.failures;
        self.cells += other.cells;
        self.unknown += other.unknown;
        self.entries += other.entries;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { deaths, failures, cells, unknown, entries } = self;
        write!(
            f,
            "{cells} cells, {entries} entries, {deaths} deaths, {failures} failed stores, {unknown} unknown calls"
        )
    }
}

/// Lives the history of a seed.
///
/// # Errors
/// What is not as it must be.
pub fn live(seed: u64) -> Result<History, String> {
    let mut random = Random::new(seed);
    let tasks: Vec<Task> = (0..=random.below(2)).map(|_| task(&mut random)).collect();
    let kept = Arc::new(Memory::new());
    let books = Books::default();
    let mut counts = Counts::default();
    let mut now_us: i64 = 1_790_000_000_000_000;
    for nth in 0..LIVES {
        let faults = if nth < FAULTY_LIVES { 8 + random.below(60) } else { 0 };
        let mut of_life = random.branch();
        let disk = Arc::new(Disk::new(Arc::clone(&kept), of_life.branch(), faults));
        let tools = Tools { books: Arc::clone(&books), random: Mutex::new(of_life.branch()) };
        let surroundings = Mutex::new(of_life.branch());
        let killed_after =
            if faults > 0 { Duration::from_millis(of_life.below(60_000)) } else { Duration::MAX };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        // Sessions sleep whenever they can, or soon, or not at all.
        let idle = Duration::from_millis(match of_life.below(4) {
            0 => 3_600_000,
            1 => 100,
            _ => 0,
        });
        let (end, lived) = runtime.block_on(async {
            let begun = Instant::now();
            let surroundings = Surroundings { base_us: now_us, begun, random: surroundings };
            let end = tokio::select! {
                biased;
                () = disk.died() => None,
                end = live_once(Arc::clone(&disk), surroundings, nth, idle, tools, &tasks) => Some(end),
                () = sleep(killed_after) => None,
            };
            disk.die();
            (end, begun.elapsed())
        });
        // With all that was still under way in it.
        drop(runtime);
        now_us += i64::try_from(lived.as_micros()).unwrap_or(0);
        now_us += i64::try_from(random.below(60_000_000)).unwrap_or(0);
        if random.once_in(4) {
            // Somebody sets the clock, forward or back.
            now_us += i64::try_from(random.below(1_200_000_000)).unwrap_or(0) - 600_000_000;
        }
        match end {
            None => counts.deaths += 1,
            Some(End::Failed) => counts.failures += 1,
            Some(End::Wrong(what)) => return Err(format!("life {nth}: {what}")),
            Some(End::Done) => return finish(counts, &kept, &books, tasks),
        }
    }
    Err("it never came to its end".to_owned())
}

fn task(random: &mut Random) -> Task {
    let mode = if random.once_in(3) { SessionMode::Persistent } else { SessionMode::Fresh };
    let programs = (0..=random.below(3)).map(|n| Program::new(random, 100 * (n + 1))).collect();
    Task { mode, programs, told: Mutex::default() }
}

/// Checks what is left, and returns it.
fn finish(mut counts: Counts, kept: &Memory, books: &Books, tasks: Vec<Task>) -> Result<History, String> {
    let (mut journals, mut events) = (Vec::new(), Vec::new());
    for task in tasks {
        let Told { session, outcomes, events: seen, .. } =
            task.told.into_inner().unwrap_or_else(PoisonError::into_inner);
        for (place, program) in task.programs.iter().enumerate() {
            let printed = outcomes.get(&place).ok_or("a cell has no outcome")?;
            counts.unknown += program.check(printed)? as u64;
            counts.cells += 1;
        }
        events.push(seen);
        let session = session.ok_or("a session was never made")?;
        let page =
            block_on(kept.read(&session, Position::START, usize::MAX)).map_err(|error| error.to_string())?;
        counts.entries += page.entries.len() as u64;
        journals.push(page.entries.into_iter().map(|(_, bytes)| bytes.to_vec()).collect());
    }
    let books = books.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((key, times)) = books.iter().find(|(_, times)| **times > 1) {
        return Err(format!("done {times} times: {key}"));
    }
    if counts.unknown > 0 && counts.deaths + counts.failures == 0 {
        return Err("a call is unknown, and nothing ever failed".to_owned());
    }
    Ok(History { counts, journals, events })
}
