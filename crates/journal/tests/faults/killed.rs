//! Killed at any moment, a store has everything that it acknowledged, and nothing in half.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;

use carrel_journal::{Position, Sqlite};
use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};

use crate::writer::{THREADS, check, child};

/// Returns random numbers, and prints the seed that makes them again.
fn numbers() -> impl FnMut(u64) -> u64 {
    let seed = std::env::var("CARREL_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| std::process::id().into());
    println!("CARREL_SEED={seed}");
    let mut bytes = [0; 32];
    bytes.iter_mut().zip(seed.to_le_bytes()).for_each(|(byte, of_seed)| *byte = of_seed);
    let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    move |below| random.next_u64() % below
}

/// Has a child append, kills it after so many acknowledgements, and returns the last of each thread.
fn kill_after(path: &Path, acknowledgements: u64) -> [Position; THREADS] {
    let mut child = child("writer::appends_until_it_is_killed", path, "").spawn().unwrap();
    let mut last = [Position::START; THREADS];
    let mut seen = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        // The test runner's own lines are others.
        let Some((thread, position)) = line.split_once(' ') else { continue };
        let (Ok(thread), Ok(position)) = (thread.parse::<usize>(), position.parse()) else { continue };
        *last.get_mut(thread).unwrap() = Position(position);
        seen += 1;
        if seen == acknowledgements {
            // What it says between this and its death is read, too.
            child.kill().unwrap();
        }
    }
    assert!(!child.wait().unwrap().success(), "it does not end by itself");
    assert!(seen >= acknowledgements);
    last
}

#[test]
fn what_was_acknowledged_outlives_every_kill() {
    let kills = std::env::var("CARREL_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(25);
    let mut random = numbers();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("carrel.db");
    // The least and the most that each thread can have.
    let mut bounds = [(Position::START, Position::START); THREADS];
    for kill in 0..kills {
        for ((least, most), acknowledged) in bounds.iter_mut().zip(kill_after(&path, 1 + random(300))) {
            *least = acknowledged.max(*least);
            // Each thread asks for the next entry when it has the last.
            *most = acknowledged.max(*most).next();
        }
        // Every third time the next child finds the store as the kill left it.
        if kill % 3 == 2 {
            continue;
        }
        let store = Sqlite::open(&path).unwrap();
        for (thread, (least, most)) in bounds.iter_mut().enumerate() {
            let there = check(&store, thread).position();
            assert!(
                (*least..=*most).contains(&there),
                "kill {kill}: thread {thread} has {there}, and should have {least} to {most}"
            );
            (*least, *most) = (there, there);
        }
    }
}

/// A write-ahead log that ends anywhere, as after a loss of power, takes with it what was behind that, and nothing else.
#[test]
fn a_log_that_is_cut_short_leaves_whole_entries() {
    let mut random = numbers();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("carrel.db");
    let acknowledged = kill_after(&path, 200);
    let of = |path: &Path, suffix: &str| path.with_extension(suffix);
    let log = fs::read(of(&path, "db-wal")).unwrap();
    let mut lost = 0;
    for round in 0..60 {
        // The first two: all of it, and none.
        let length = [log.len() as u64, 0].get(round).copied().unwrap_or_else(|| random(log.len() as u64));
        let copy = folder.path().join(format!("copy-{round}.db"));
        fs::copy(&path, &copy).unwrap();
        fs::write(of(&copy, "db-wal"), log.get(..length as usize).unwrap()).unwrap();
        let store = Sqlite::open(&copy).unwrap();
        for (thread, acknowledged) in acknowledged.into_iter().enumerate() {
            let there = check(&store, thread).position();
            assert!(there <= acknowledged.next());
            assert!(round > 0 || there >= acknowledged, "the whole log has everything");
            lost += u64::from(there < acknowledged);
        }
    }
    assert!(lost > 0, "something was cut off");
}
