//! Sessions in a world that is made up: one thread, a clock that stands still until everything waits for it, and a store
//! that delays, fails, and dies. A seed is a whole history, the same again each time.
//!
//! `program` makes up what the cells do, `disk` is the store, `life` is one process on it, and `history` lives one after
//! the other, and sometimes two at once, until all is done, and checks what is left. `task` is what there is to be done, in
//! sessions that are made and in forks of them, with whatever anybody was told of it. Two processes of one time have clocks
//! of their own, and take sessions from each other: `owners` sees that whoever lost one appends nothing to it any more.
//! What that means for the calls that it has under way is said in `tools`.

mod disk;
mod history;
mod life;
mod owners;
mod program;
mod random;
mod task;
mod tools;

use std::time::Instant;

pub use history::{Counts, History, live};

/// Lives so many histories, from a seed on.
///
/// # Errors
/// What went wrong first, with the seed that makes it again.
pub fn run(seeds: u64, first: u64) -> Result<(), String> {
    let begun = Instant::now();
    let mut all = Counts::default();
    for seed in first..first.saturating_add(seeds) {
        let history = live(seed).map_err(|what| format!("seed {seed}: {what}"))?;
        all += history.counts;
    }
    println!("seeds {first} to {}: {all}, in {:.1?}", first.saturating_add(seeds) - 1, begun.elapsed());
    Ok(())
}
