//! A disk that is full, or refuses: nothing more is acknowledged, and once there is room nothing is missing.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use carrel_journal::Sqlite;
use carrel_journal::error::StoreError;

use crate::writer::{THREADS, append, check, child, path_of_child};

/// Runs a test of this program after a shell's `setup`, and expects it to pass.
fn run(test: &str, path: &Path, setup: &str) {
    let output = child(test, path, setup).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

/// Appends until the store fails, checks that it acknowledges nothing more, and returns how it failed and what was
/// acknowledged by then.
fn append_until_it_fails(store: &Sqlite) -> (StoreError, Vec<u64>) {
    let mut tails: Vec<_> = (0..THREADS).map(|thread| check(store, thread)).collect();
    let error =
        (0..THREADS).cycle().find_map(|thread| append(store, thread, tails.get_mut(thread)?).err()).unwrap();
    let acknowledged = tails.iter().map(|tail| tail.position().0).collect();
    for (thread, tail) in tails.iter_mut().enumerate() {
        let poisoned = StoreError::Poisoned { cause: Box::new(error.clone()) };
        assert_eq!(append(store, thread, tail).unwrap_err(), poisoned);
    }
    (error, acknowledged)
}

/// Appends until the store takes that again, and checks that nothing is missing.
fn heals(store: &Sqlite, acknowledged: &[u64]) {
    assert_eq!(positions(store), acknowledged);
    let mut tail = check(store, 0);
    while let Err(error) = append(store, 0, &mut tail) {
        assert!(matches!(error, StoreError::Poisoned { .. }), "{error}");
        std::thread::yield_now();
    }
    for thread in 1..THREADS {
        append(store, thread, &mut check(store, thread)).unwrap();
    }
    let more: Vec<_> = acknowledged.iter().map(|last| last + 1).collect();
    assert_eq!(positions(store), more);
}

fn positions(store: &Sqlite) -> Vec<u64> {
    (0..THREADS).map(|thread| check(store, thread).position().0).collect()
}

/// In a name space of its own, on a file system of 2 MiB.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_stops_the_store_and_room_brings_everything_back() {
    let folder = tempfile::tempdir().unwrap();
    let mount = "mount -t tmpfs -o size=2m tmpfs \"$CARREL_FAULTS_STORE\"";
    let unshare = ["unshare -m", "unshare -rm"].into_iter().find(|unshare| {
        let script = format!("exec {unshare} sh -c '{mount}'");
        let mut command = Command::new("sh");
        command.args(["-c", &script]).env("CARREL_FAULTS_STORE", folder.path()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    });
    let Some(unshare) = unshare else {
        println!("not run: this system lets nobody mount a file system, not even in a name space of its own");
        return;
    };
    let setup = format!("exec {unshare} sh -c '{mount} && exec \"$0\" \"$@\"' \"$0\" \"$@\";");
    run("full::fills_the_disk_again_and_again", folder.path(), &setup);
}

#[test]
#[ignore = "run by the test above, on a small file system"]
fn fills_the_disk_again_and_again() {
    let Some(folder) = path_of_child() else { return };
    let path = folder.join("carrel.db");
    let ballast = folder.join("ballast");
    let mut before = vec![0; THREADS];
    for round in 0..12 {
        // The less ballast, the later in a round the disk is full.
        fs::write(&ballast, vec![1; 1_000_000 - 60_000 * round]).unwrap();
        let acknowledged = match Sqlite::open(&path) {
            Ok(store) => {
                let (error, acknowledged) = append_until_it_fails(&store);
                assert_eq!(error, StoreError::Full);
                assert_eq!(positions(&store), acknowledged, "reading goes on");
                if round == 3 {
                    fs::remove_file(&ballast).unwrap();
                    heals(&store, &acknowledged);
                    before = positions(&store);
                    continue;
                }
                acknowledged
            }
            // Not even the log's first page could be written.
            Err(error) => {
                assert_eq!(error, StoreError::Full);
                before.clone()
            }
        };
        fs::remove_file(&ballast).unwrap();
        let store = Sqlite::open(&path).unwrap();
        assert_eq!(positions(&store), acknowledged, "round {round}");
        for thread in 0..THREADS {
            append(&store, thread, &mut check(&store, thread)).unwrap();
        }
        before = positions(&store);
    }
}

/// The system refuses to let a file grow.
#[cfg(unix)]
#[test]
fn a_write_that_is_refused_stops_the_store_and_nothing_is_missing_later() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("carrel.db");
    for blocks in [100, 150, 333, 700, 1001] {
        // In blocks of 512 bytes; without the signal a write over that fails.
        let setup = format!("trap '' XFSZ; ulimit -f {blocks};");
        run("full::appends_until_a_write_is_refused", &path, &setup);
        let store = Sqlite::open(&path).unwrap();
        let said = fs::read_to_string(path.with_extension("acknowledged")).unwrap();
        let acknowledged: Vec<u64> = said.split(' ').map(|number| number.parse().unwrap()).collect();
        for ((there, acknowledged), thread) in positions(&store).into_iter().zip(acknowledged).zip(0..) {
            // The one that failed may have happened.
            assert!(
                (acknowledged..=acknowledged + 1).contains(&there),
                "{blocks}: {there} of {acknowledged}"
            );
            append(&store, thread, &mut check(&store, thread)).unwrap();
        }
    }
}

#[test]
#[ignore = "run by the test above, under a limit"]
fn appends_until_a_write_is_refused() {
    let Some(path) = path_of_child() else { return };
    let store = Sqlite::open(&path).unwrap();
    let (error, acknowledged) = append_until_it_fails(&store);
    assert!(matches!(error, StoreError::Io { .. }), "{error:?}");
    let said: Vec<_> = acknowledged.iter().map(u64::to_string).collect();
    fs::write(path.with_extension("acknowledged"), said.join(" ")).unwrap();
}
