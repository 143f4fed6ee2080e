//! Writes and syncs that fail: nothing is acknowledged after that, and a disk that is well again has all that was.

use std::fs;

use carrel_journal::Sqlite;

use crate::append;
use carrel_crash::appends::{acknowledged, check};

/// Fails at each of these calls in turn; the store has to say so with one of these names.
fn fails(fault: &str, calls: &[u64], names: &[&str]) {
    for call in calls {
        let folder = tempfile::tempdir().unwrap();
        let output = append(folder.path(), 40, &format!("{fault}:{call}:{call}"), None);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{fault} at {call}: {error}");
        assert!(names.iter().any(|name| error.contains(name)), "{fault} at {call}: {error}");
        assert!(!error.contains("it goes on"), "{fault} at {call}: {error}");
        let store = Sqlite::open(folder.path().join("carrel.db")).unwrap();
        let said = fs::read_to_string(folder.path().join("acknowledged")).unwrap_or_default();
        for (thread, acknowledged) in acknowledged(&said).into_iter().enumerate() {
            let there = check(&store, thread).unwrap().position().0;
            assert!(
                (acknowledged..=acknowledged + 1).contains(&there),
                "{fault} at {call}: thread {thread} has {there}, and {acknowledged} were acknowledged"
            );
        }
    }
}

const WRITES: [u64; 5] = [6, 23, 40, 77, 111];
const SYNCS: [u64; 6] = [1, 2, 3, 9, 16, 25];

#[test]
fn a_sync_that_fails_alone() {
    fails("eio:sync", &SYNCS, &["Io {"]);
}

#[test]
fn a_write_that_fails_or_is_done_in_part() {
    fails("eio:write", &WRITES, &["Io {"]);
    fails("tear:write", &WRITES, &["Io {"]);
}

#[test]
fn a_disk_that_is_full_or_read_only_from_some_point_on() {
    fails("full:write", &WRITES, &["Full"]);
    fails("readonly:write", &WRITES, &["ReadOnly", "Io {"]);
}

/// A slow disk is no broken one.
#[test]
fn a_disk_that_takes_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let output = append(folder.path(), 10, "slow:sync:1", None);
    assert!(output.status.success(), "{output:?}");
    let store = Sqlite::open(folder.path().join("carrel.db")).unwrap();
    for thread in 0..carrel_crash::appends::THREADS {
        assert_eq!(check(&store, thread).unwrap().position().0, 10);
    }
}
