//! Figures of the journal's stores: what an append costs, alone and when many sessions append at once.
//!
//! The SQLite rows are of the disk that holds the folder for temporary files (`TMPDIR`), which must be no memory disk.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use carrel_contract::SessionId;
use carrel_journal::{Memory, Record, Sqlite, Store, Tail};
use futures::executor::block_on;
use futures::future::join_all;

use crate::table::{Table, median_of, milliseconds, per_second};

const WRITERS: usize = 64;
/// The text that makes a record 256 bytes long.
const TEXT_BYTES: usize = 248;
const APPENDS: usize = 600;

pub(crate) fn measure(table: &mut Table) {
    table.row("journal: an entry of a 256-byte record made and checked", "-", || {
        let mut tail = Tail::start(session(0));
        milliseconds(median_of((0..2000).map(|_| {
            let mut reader = tail.clone();
            let begun = Instant::now();
            let entry = tail.seal(&[record()]).expect("the chain is known");
            reader.read(tail.position(), &entry).expect("it is sound");
            begun.elapsed()
        })))
    });
    for (name, make) in STORES {
        let folder = tempfile::tempdir().expect("a folder");
        let goal = if name == "SQLite" { "0.2 ms" } else { "-" };
        table.row(&format!("journal: one append, alone, {name}"), goal, || {
            milliseconds(alone(&*make(folder.path())))
        });
        for (records, goal) in [(1, "20000 /s"), (4, "70000 /s")] {
            let goal = if name == "SQLite" { goal } else { "-" };
            table.row(&format!("journal: records of 64 writers, {records} an append, {name}"), goal, || {
                let folder = tempfile::tempdir().expect("a folder");
                let (took, _) = together(&*make(folder.path()), records);
                per_second(WRITERS * APPENDS * records, took)
            });
        }
    }
    table.row("journal: bytes written for a record of 256, 64 writers", "-", || {
        let folder = tempfile::tempdir().expect("a folder");
        let (_, written) = together(&*sqlite(folder.path()), 1);
        format!("{} B", written / (WRITERS * APPENDS) as u64)
    });
    table.row("journal: the same, alone", "-", || {
        let folder = tempfile::tempdir().expect("a folder");
        let store = sqlite(folder.path());
        let before = written_bytes();
        alone(&*store);
        format!("{} B", (written_bytes() - before) / ALONE as u64)
    });
}

type Make = fn(&Path) -> Arc<dyn Store>;
const STORES: [(&str, Make); 2] = [("memory", |_| Arc::new(Memory::new())), ("SQLite", sqlite)];
const ALONE: usize = 2000;

fn sqlite(folder: &Path) -> Arc<dyn Store> {
    Arc::new(Sqlite::open(folder.join("carrel.db")).expect("a store"))
}

fn session(number: usize) -> SessionId {
    SessionId::new(&format!("session-{number}")).expect("an id")
}

fn record() -> Record {
    Record::Notified { cell: 1, notification: 1, text: "x".repeat(TEXT_BYTES).into() }
}

/// Returns the median time of an append that nobody shares a commit with.
fn alone(store: &dyn Store) -> Duration {
    let mut tail = Tail::start(session(0));
    median_of((0..ALONE).map(|_| {
        let expected = tail.position();
        let entry = tail.seal(&[record()]).expect("the chain is known");
        let begun = Instant::now();
        block_on(store.append(tail.session(), expected, vec![entry])).expect("it is appended");
        begun.elapsed()
    }))
}

/// Has all writers append, each one entry after the other; returns how long it took, and what was written to the disk.
fn together(store: &dyn Store, records: usize) -> (Duration, u64) {
    let (begun, before) = (Instant::now(), written_bytes());
    block_on(join_all((0..WRITERS).map(|writer| async move {
        let mut tail = Tail::start(session(writer));
        let batch = vec![record(); records];
        for _ in 0..APPENDS {
            let expected = tail.position();
            let entry = tail.seal(&batch).expect("the chain is known");
            store.append(tail.session(), expected, vec![entry]).await.expect("it is appended");
        }
    })));
    (begun.elapsed(), written_bytes() - before)
}

/// Returns what this process has had written to the disk; 0 where the system does not say.
fn written_bytes() -> u64 {
    let counts = fs::read_to_string("/proc/self/io").unwrap_or_default();
    counts.lines().find_map(|line| line.strip_prefix("write_bytes: ")?.parse().ok()).unwrap_or(0)
}
