//! The power is lost while a store writes: at any point, and with any part of what was not synced on the disk.

use std::fs;

use carrel_journal::Sqlite;

use crate::trace::{Disk, Image, Step, read};
use crate::{Random, append};
use carrel_crash::appends::{THREADS, acknowledged, check};

/// Returns what was done to the disk of a store that goes on with what an earlier process left in its log, and the disk
/// before.
fn traced(fault: &str) -> (Image, Vec<Step>, String) {
    let folder = tempfile::tempdir().unwrap();
    let before = append(folder.path(), 30, "", None);
    assert!(before.status.success(), "{before:?}");
    let image = Image::of(folder.path());
    let said = fs::read_to_string(folder.path().join("acknowledged")).unwrap();
    let trace = folder.path().join("trace");
    let output = append(folder.path(), 30, fault, Some(&trace));
    assert!(output.status.success(), "{output:?}");
    (image, read(&trace), said)
}

#[test]
fn what_was_acknowledged_outlives_every_loss_of_power() {
    let mut random = Random::new();
    let (image, steps, mut said) = traced("");
    let mut disk = Disk::new(image);
    let (mut cuts, mut more) = (0, 0);
    for (place, step) in steps.iter().enumerate() {
        disk.take(step);
        if let Step::Said(line) = step {
            said.push_str(line);
        }
        if random.below(steps.len()) >= 120 {
            continue;
        }
        cuts += 1;
        let folder = tempfile::tempdir().unwrap();
        disk.lose_power(&mut random).put(folder.path());
        let store = Sqlite::open(folder.path().join("carrel.db")).unwrap();
        for (thread, acknowledged) in acknowledged(&said).into_iter().enumerate() {
            let there = check(&store, thread).unwrap().position().0;
            // A thread waits for one entry at a time.
            assert!(
                (acknowledged..=acknowledged + 1).contains(&there),
                "step {place} of {}: thread {thread} has {there}, and {acknowledged} were acknowledged",
                steps.len()
            );
            more += there - acknowledged;
        }
    }
    assert!(cuts > 20 && more > 0, "power is lost {cuts} times, in the middle of something: {more}");
}

/// A disk that says it has written and has not: nobody can keep such a promise. What is there is what was written, up to a
/// point, or is refused.
#[test]
fn after_a_lie_there_is_a_beginning_or_a_refusal() {
    let mut random = Random::new();
    let (image, steps, said) = traced("lie:sync:1");
    let mut disk = Disk::new(image);
    steps.iter().for_each(|step| disk.take(step));
    let (mut lost, mut refused) = (0, 0);
    for _ in 0..60 {
        let folder = tempfile::tempdir().unwrap();
        disk.lose_power(&mut random).put(folder.path());
        let Ok(store) = Sqlite::open(folder.path().join("carrel.db")) else {
            refused += 1;
            continue;
        };
        for (thread, acknowledged) in acknowledged(&said).into_iter().enumerate() {
            match check(&store, thread) {
                Ok(tail) => lost += u64::from(tail.position().0 < acknowledged),
                Err(error) => {
                    let error = error.to_string();
                    assert!(!error.contains("WRONG"), "{error}");
                    refused += 1;
                }
            }
        }
    }
    assert!(lost + refused > 0, "the lies had consequences for {THREADS} sessions");
    println!("of {} sessions, {lost} were cut short and {refused} refused", 60 * THREADS);
}
