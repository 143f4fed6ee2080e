//! Checking a store, making its file small, and carrying sessions from one store to another.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use carrel_contract::{CodeModeFuture, Seq, SessionId};
use carrel_journal::check::{FaultKind, check};
use carrel_journal::error::{DamageKind, Damaged, StoreError};
use carrel_journal::export::{Counts, ExportError, export};
use carrel_journal::fork::{ForkError, Forked, fork};
use carrel_journal::import::{Existing, ImportError, import};
use carrel_journal::record::{Output, Record, Value};
use carrel_journal::testing::PassesOn;
use carrel_journal::{Blob, Cut, Memory, Owner, Position, Sqlite, Store, Tail};
use futures::executor::block_on;
use rusqlite::Connection;

fn session(name: &str) -> SessionId {
    SessionId::new(name).unwrap()
}

fn blob(text: &str) -> Blob {
    Blob::new(text.as_bytes().to_vec())
}

/// Gives a session some entries, of which the third names a blob of its own and the fourth one that others have, too.
fn fill(store: &dyn Store, name: &str) {
    let mut tail = Tail::start(session(name));
    let own = blob(&format!("large, of {name}"));
    let shared = blob("large, of all");
    for blob in [&own, &shared] {
        block_on(store.put_blob(tail.session(), blob.clone())).unwrap();
    }
    let in_blob = |blob: &Blob| Value::Blob { hash: blob.hash(), bytes: blob.bytes().len() as u64 };
    let texts = [Value::from(format!("first of {name}")), "second".into(), in_blob(&own), in_blob(&shared)];
    for text in texts {
        let expected = tail.position();
        let entry = tail.seal(&[Record::Warned { cell: 1, text }]).unwrap();
        block_on(store.append(tail.session(), expected, vec![entry])).unwrap();
    }
}

/// Everything of a session that can be read: its records and blobs.
fn contents(store: &dyn Store, name: &str) -> (Vec<Record>, Vec<Blob>) {
    let id = session(name);
    let page = block_on(store.read(&id, Position::START, usize::MAX)).unwrap();
    let mut tail = Tail::after(id.clone(), Position(page.head.first.0.saturating_sub(1)));
    let records =
        page.entries.iter().flat_map(|(position, bytes)| tail.read(*position, bytes).unwrap()).collect();
    let hashes = block_on(store.blobs(&id)).unwrap();
    (records, hashes.into_iter().map(|hash| block_on(store.get_blob(hash)).unwrap().unwrap()).collect())
}

fn exported(store: &dyn Store, names: &[&str]) -> Vec<u8> {
    let sessions: Vec<_> = names.iter().map(|name| session(name)).collect();
    let mut file = Vec::new();
    block_on(export(store, &sessions, &mut file)).unwrap();
    file
}

fn imported(store: &dyn Store, mut file: &[u8]) -> Result<Counts, ImportError> {
    block_on(import(store, &mut file, Existing::Refuse))
}

#[test]
fn a_sound_store_is_found_sound() {
    let store = Memory::new();
    for name in ["a", "b", "c"] {
        fill(&store, name);
    }
    let report = block_on(check(&store)).unwrap();
    assert_eq!((report.sessions, report.entries, report.blobs), (3, 12, 6));
    assert_eq!(report.faults, []);
}

#[test]
fn check_names_session_and_place_of_each_fault_and_reads_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("carrel.db");
    let store = Sqlite::open(&path).unwrap();
    for name in ["a", "b", "c", "d", "e", "f"] {
        fill(&store, name);
    }
    drop(store);
    let raw = Connection::open(&path).unwrap();
    let key = |name: &str, position: i64| -> i64 {
        raw.query_row("SELECT id << 36 | ?2 FROM sessions WHERE name = ?1", (name, position), |row| {
            row.get(0)
        })
        .unwrap()
    };
    // One bit; an entry; two entries; the last entry's bytes; a blob's bytes; a blob.
    let mut bytes: Vec<u8> =
        raw.query_row("SELECT bytes FROM entries WHERE key = ?1", [key("a", 2)], |row| row.get(0)).unwrap();
    *bytes.get_mut(12).unwrap() ^= 16;
    raw.execute("UPDATE entries SET bytes = ?2 WHERE key = ?1", (key("a", 2), bytes)).unwrap();
    raw.execute("DELETE FROM entries WHERE key = ?1", [key("b", 3)]).unwrap();
    raw.execute("UPDATE entries SET key = -key WHERE key IN (?1, ?2)", (key("c", 1), key("c", 2))).unwrap();
    raw.execute("UPDATE entries SET key = ?2 WHERE key = ?1", (-key("c", 1), key("c", 2))).unwrap();
    raw.execute("UPDATE entries SET key = ?2 WHERE key = ?1", (-key("c", 2), key("c", 1))).unwrap();
    raw.execute("UPDATE entries SET bytes = x'' WHERE key = ?1", [key("d", 4)]).unwrap();
    raw.execute("UPDATE blobs SET bytes = x'00' WHERE hash = ?1", [blob("large, of e").hash().0]).unwrap();
    raw.execute(
        "DELETE FROM blob_uses WHERE blob = (SELECT id FROM blobs WHERE hash = ?1)",
        [blob("large, of f").hash().0],
    )
    .unwrap();
    drop(raw);

    let store = Sqlite::open(&path).unwrap();
    assert_eq!(block_on(store.file_faults()).unwrap(), [""; 0], "to SQLite all is well");
    let report = block_on(check(&store)).unwrap();
    let found: Vec<_> =
        report.faults.iter().map(|fault| (fault.session.as_str(), fault.kind.clone())).collect();
    let entry = |name, position, kind| {
        let damaged = Damaged { session: session(name), position: Position(position), kind };
        (name, FaultKind::Entry(damaged))
    };
    let (lost, damaged) = (blob("large, of f").hash(), blob("large, of e").hash());
    let expected = [
        entry("a", 2, DamageKind::Checksum),
        entry("b", 4, DamageKind::Missing { expected: Position(3) }),
        entry("c", 1, DamageKind::Checksum),
        entry("d", 4, DamageKind::Short),
        ("e", FaultKind::Store(StoreError::DamagedBlob { hash: damaged })),
        ("f", FaultKind::MissingBlob { position: Position(3), hash: lost }),
    ];
    assert_eq!(found, expected);
    assert!(report.faults.iter().all(|fault| fault.to_string().contains(fault.session.as_str())));
}

#[test]
fn sessions_travel_between_stores() {
    let from = Memory::new();
    for name in ["a", "b"] {
        fill(&from, name);
    }
    let file = exported(&from, &["b", "a"]);
    let folder = tempfile::tempdir().unwrap();
    let to = Sqlite::open(folder.path().join("carrel.db")).unwrap();
    let counts = imported(&to, &file).unwrap();
    assert_eq!(counts, Counts { sessions: 2, entries: 8, blobs: 3, skipped: 0 });
    for name in ["a", "b"] {
        assert_eq!(contents(&to, name), contents(&from, name));
    }
    assert_eq!(exported(&to, &["b", "a"]), file, "bit by bit");
    assert!(matches!(imported(&to, &file), Err(ImportError::Exists { .. })));
    let again = block_on(import(&to, &mut &*file, Existing::Skip)).unwrap();
    assert_eq!(again, Counts { skipped: 2, ..Counts::default() });
}

#[test]
fn a_journal_without_its_beginning_travels_and_begins_anew() {
    let from = Memory::new();
    fill(&from, "a");
    let cut = Cut { before: Position(3), blobs: block_on(from.blobs(&session("a"))).unwrap() };
    block_on(from.compact(&session("a"), Position(4), cut)).unwrap();
    let to = Memory::new();
    imported(&to, &exported(&from, &["a"])).unwrap();
    assert_eq!(contents(&to, "a"), contents(&from, "a"));
    assert_eq!(block_on(to.head(&session("a"))).unwrap().unwrap().last, Position(2));
    assert_eq!(block_on(check(&to)).unwrap().faults, []);
}

#[test]
fn a_damaged_session_is_not_exported() {
    let store = Memory::new();
    let sessions = [session("a"), session("none")];
    block_on(store.append(&sessions[0], Position::START, vec![Bytes::from("no entry of a journal's")]))
        .unwrap();
    let [damaged, none] =
        [0, 1].map(|at| block_on(export(&store, &sessions[at..=at], &mut Vec::new())).unwrap_err());
    assert!(matches!(damaged, ExportError::Damaged(_)), "{damaged}");
    assert!(matches!(none, ExportError::NoSession { .. }), "{none}");
}

/// A store whose owner cuts the session `talk` when it is looked at for the nth time.
struct Cutting {
    behind: Memory,
    looks: AtomicUsize,
    at: usize,
}

impl PassesOn for Cutting {
    type Behind = Memory;

    fn behind(&self) -> &Memory {
        &self.behind
    }

    fn look<'a, T: Send + 'a>(
        &'a self,
        work: impl FnOnce(&'a Memory) -> CodeModeFuture<'a, T, StoreError> + Send + 'a,
    ) -> CodeModeFuture<'a, T, StoreError> {
        Box::pin(async {
            if self.looks.fetch_add(1, Ordering::Relaxed) == self.at {
                let cut = Cut { before: Position(4), blobs: vec![blob("large, of all").hash()] };
                self.behind.compact(&session("talk"), Position(4), cut).await.unwrap();
            }
            work(&self.behind).await
        })
    }
}

#[test]
fn a_session_that_is_cut_while_it_is_read_is_sound_and_can_be_exported() {
    let mut was_cut = 0;
    for at in 0..20 {
        let store = || {
            let behind = Memory::new();
            fill(&behind, "talk");
            Cutting { behind, looks: AtomicUsize::new(0), at }
        };
        assert_eq!(block_on(check(&store())).unwrap().faults, [], "cut at {at}");
        let (from, to) = (store(), Memory::new());
        imported(&to, &exported(&from, &["talk"])).unwrap();
        assert_eq!(block_on(check(&to)).unwrap().faults, [], "cut at {at}");
        let (records, _) = contents(&to, "talk");
        was_cut += usize::from(records.len() == 1);
        assert!([1, 4].contains(&records.len()), "cut at {at}: {records:?}");
    }
    assert!(was_cut > 2, "it was cut in time {was_cut} times");
}

#[test]
fn a_file_that_is_cut_short_is_refused_and_leaves_no_half_session() {
    let from = Memory::new();
    fill(&from, "a");
    let file = exported(&from, &["a"]);
    for length in 0..file.len() {
        let to = Memory::new();
        let error = imported(&to, &file[..length]).unwrap_err();
        assert!(matches!(error, ImportError::Short { .. } | ImportError::NotAnExport), "{length}: {error}");
        let there = block_on(to.head(&session("a"))).unwrap();
        assert!(there.is_none() || contents(&to, "a") == contents(&from, "a"), "{length}");
    }
}

#[test]
fn every_flipped_bit_of_a_file_is_noticed() {
    let from = Memory::new();
    fill(&from, "a");
    let mut file = exported(&from, &["a"]);
    for bit in 0..file.len() * 8 {
        file[bit / 8] ^= 1 << (bit % 8);
        assert!(imported(&Memory::new(), &file).is_err(), "bit {bit}");
        file[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn a_compacted_file_is_small_and_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("carrel.db");
    let store = Sqlite::open(&path).unwrap();
    fill(&store, "stays");
    for name in ["gone", "gone too"] {
        let id = session(&name.replace(' ', "-"));
        block_on(store.put_blob(&id, Blob::new(vec![7; 1_000_000]))).unwrap();
        block_on(store.append(&id, Position::START, vec![Bytes::from("x")])).unwrap();
        block_on(store.delete(&id)).unwrap();
    }
    let owner = Owner::new("crashed").unwrap();
    let lease = |name| block_on(store.acquire(&session(name), &owner, std::time::Duration::ZERO, 0)).unwrap();
    lease("never-begun");
    lease("stays");
    block_on(store.put_blob(&session("never-begun"), blob("left over"))).unwrap();
    drop(store);

    let day_us = 24 * 3600 * 1_000_000;
    Sqlite::compact_file(&path, day_us).unwrap();
    let is_there =
        || block_on(Sqlite::open(&path).unwrap().get_blob(blob("left over").hash())).unwrap().is_some();
    assert!(is_there(), "it may yet begin");
    let compacted = Sqlite::compact_file(&path, day_us + 1).unwrap();
    assert!(!is_there());
    assert!(compacted.after_bytes < 100_000, "{compacted:?}");
    let store = Sqlite::open(&path).unwrap();
    let whole = Memory::new();
    fill(&whole, "stays");
    assert_eq!(contents(&store, "stays"), contents(&whole, "stays"));
    assert_eq!(
        block_on(store.acquire(&session("stays"), &owner, std::time::Duration::ZERO, 0)).unwrap().epoch,
        2
    );
}

/// Its owner did not know yet that it is gone.
#[test]
fn a_blob_that_comes_after_its_session_was_deleted_is_given_up_one_day() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("carrel.db");
    let store = Sqlite::open(&path).unwrap();
    fill(&store, "gone");
    block_on(store.delete(&session("gone"))).unwrap();
    block_on(store.put_blob(&session("gone"), blob("late"))).unwrap();
    drop(store);
    let day_us = 24 * 3600 * 1_000_000;
    let is_there = || block_on(Sqlite::open(&path).unwrap().get_blob(blob("late").hash())).unwrap().is_some();
    for (now_us, is_kept) in [(1, true), (day_us + 1, true), (day_us + 2, false)] {
        Sqlite::compact_file(&path, now_us).unwrap();
        assert_eq!(is_there(), is_kept, "at {now_us}");
    }
}

fn said(text: &str) -> Record {
    Record::Output { cell: 1, content: Output::Text { text: text.into(), level: None } }
}

/// Makes a session that emits so many texts, each in an entry of its own, after the entries with which it begins.
fn talk(store: &dyn Store, name: &str, texts: usize) {
    let mut tail = Tail::start(session(name));
    let made = Record::SessionCreated { spec: "{}".into(), created_at_us: 1 };
    let admitted = Record::CellAdmitted { cell: 1, source: "x".into(), seed: 1, at_us: 2, key: None };
    let mut entries = vec![tail.seal(&[made]).unwrap(), tail.seal(&[admitted]).unwrap()];
    entries.extend((0..texts).map(|n| tail.seal(&[said(&n.to_string())]).unwrap()));
    block_on(store.append(&session(name), Position::START, entries)).unwrap();
}

fn forked(store: &dyn Store, name: &str, at: Option<u64>, to: &str) -> Result<Forked, ForkError> {
    block_on(fork(store, &session(name), at.map(Seq), &session(to), 3))
}

#[test]
fn a_fork_has_the_records_up_to_its_event_in_few_entries() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("carrel.db");
    for store in [&Memory::new() as &dyn Store, &Sqlite::open(&path).unwrap()] {
        talk(store, "talk", 10_000);
        let (all, _) = contents(store, "talk");
        for (at, expected) in [(Some(0), 1), (Some(1), 2), (Some(2), 3), (Some(5001), 5002), (None, 10_002)] {
            let to = format!("fork-{expected}");
            let done = forked(store, "talk", at, &to).unwrap();
            assert!(done.entries < 10, "{done:?}");
            let (mut records, _) = contents(store, &to);
            let last = Record::Forked { origin: "talk".into(), at: done.at.0, at_us: 3 };
            assert_eq!(records.pop(), Some(last));
            assert_eq!(records, all[..expected]);
        }
        assert_eq!(block_on(check(store)).unwrap().faults, []);
    }
}

#[test]
fn a_fork_shares_the_blobs_it_names_and_no_others() {
    let store = Memory::new();
    let (first, second) = (blob("first"), blob("second"));
    let mut tail = Tail::start(session("a"));
    let named = |blob: &Blob| Record::Notified {
        cell: 1,
        notification: 1,
        text: Value::Blob { hash: blob.hash(), bytes: blob.bytes().len() as u64 },
    };
    for blob in [&first, &second] {
        block_on(store.put_blob(tail.session(), blob.clone())).unwrap();
    }
    let made = Record::SessionCreated { spec: "{}".into(), created_at_us: 1 };
    // All in one entry, which is cut in its middle.
    let entry = tail.seal(&[made, named(&first), named(&second)]).unwrap();
    block_on(store.append(&session("a"), Position::START, vec![entry])).unwrap();
    assert_eq!(forked(&store, "a", Some(1), "b").unwrap().blobs, 1);
    block_on(store.delete(&session("a"))).unwrap();
    assert_eq!(contents(&store, "b").1, [first]);
    assert_eq!(block_on(store.get_blob(second.hash())).unwrap(), None);
    assert_eq!(block_on(check(&store)).unwrap().faults, []);
}

#[test]
fn what_cannot_be_forked_leaves_nothing() {
    let store = Memory::new();
    talk(&store, "talk", 10);
    talk(&store, "taken", 1);
    assert!(matches!(forked(&store, "nobody", None, "x"), Err(ForkError::NoSession { .. })));
    assert!(matches!(forked(&store, "talk", None, "taken"), Err(ForkError::Exists { .. })));
    let Err(ForkError::Beyond { last, .. }) = forked(&store, "talk", Some(12), "x") else {
        panic!("it ends")
    };
    assert_eq!(last, Seq(11));
    // A journal that names a blob which is not there.
    let mut tail = Tail::start(session("poor"));
    let text = Value::Blob { hash: blob("gone").hash(), bytes: 4 };
    let made = Record::SessionCreated { spec: text, created_at_us: 1 };
    let entry = tail.seal(&[made]).unwrap();
    block_on(store.append(&session("poor"), Position::START, vec![entry])).unwrap();
    assert!(matches!(forked(&store, "poor", None, "x"), Err(ForkError::NoBlob { .. })));
    // One that is damaged, and one that was cut.
    block_on(store.append(&session("torn"), Position::START, vec![Bytes::from_static(b"torn")])).unwrap();
    assert!(matches!(forked(&store, "torn", None, "x"), Err(ForkError::Damaged(_))));
    let cut = Cut { before: Position(5), blobs: Vec::new() };
    block_on(store.compact(&session("talk"), Position(12), cut)).unwrap();
    let Err(ForkError::Cut { first, .. }) = forked(&store, "talk", Some(9), "x") else {
        panic!("it was cut")
    };
    assert_eq!(first, Position(5));
    assert_eq!(block_on(store.head(&session("x"))).unwrap(), None);
}
