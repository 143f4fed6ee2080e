//! Random operations on a session, beside a model of one: whatever they are, both must say the same.
//!
//! `program` makes cells whose every step is known, `delegate` answers their calls when it is told to, `reference` is the
//! model, `drive` performs an operation on both and compares: every response, every error, and the whole log.
//!
//! `CARREL_MODEL_SEQUENCES` sets how many sequences are tried, 300 by default, each of up to 40 operations. The seed of
//! one that fails is printed; `CARREL_MODEL_SEED` set to it plays that sequence alone.

mod delegate;
mod drive;
mod program;
mod random;
mod reference;

use std::env;

use drive::Drive;
use random::Random;

use super::harness::Harness;

const SEQUENCES: u64 = 300;
const OPERATIONS: usize = 40;

/// Says which sequence it was, should it fail.
struct Sequence(u64);

impl Drop for Sequence {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("play this sequence again with CARREL_MODEL_SEED={}", self.0);
        }
    }
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|e| panic!("{name}={text}: {e}")))
}

/// See the [module](self).
pub async fn any_sequence_of_operations_does_what_the_model_does(harness: Harness) {
    if let Some(seed) = number("CARREL_MODEL_SEED") {
        return play(&harness, seed).await;
    }
    let mut seeds = Random::new(Random::seed());
    for _ in 0..number("CARREL_MODEL_SEQUENCES").unwrap_or(SEQUENCES) {
        play(&harness, seeds.next()).await;
    }
}

async fn play(harness: &Harness, seed: u64) {
    let _sequence = Sequence(seed);
    let mut random = Random::new(seed);
    let mut drive = Drive::new(harness, &mut random).await;
    for _ in 0..random.below(OPERATIONS) {
        drive.operate(&mut random).await;
    }
    drive.finish().await;
}
