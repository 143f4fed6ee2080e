//! Sessions in a world that is made up: one thread, a clock that stands still until everything waits for it, and a store
//! that delays, fails, and dies. A seed is a whole history, the same again each time.
//!
//! `program` makes up what the cells do, `disk` is the store, `life` is one process on it, and `history` lives one after
//! the other until all is done, and checks what is left.

mod disk;
mod history;
mod life;
mod program;
mod random;
mod tools;

use std::time::Instant;

pub use history::{History, live};

/// Lives so many histories, from a seed on.
///
/// # Errors
/// What went wrong first, with the seed that makes it again.
pub fn run(seeds: u64, first: u64) -> Result<(), String> {
    let begun = Instant::now();
    let mut all = history::Counts::default();
    for seed in first..first.saturating_add(seeds) {
        let history = live(seed).map_err(|what| format!("seed {seed}: {what}"))?;
        all += history.counts;
    }
    println!("seeds {first} to {}: {all}, in {:.1?}", first.saturating_add(seeds) - 1, begun.elapsed());
    Ok(())
}
