//! Checking a store, making its file small, and carrying sessions from one store to another.
#![expect(clippy::unwrap_used, reason = "a test")]

use bytes::Bytes;
use carrel_contract::SessionId;
use carrel_journal::check::{FaultKind, check};
use carrel_journal::error::{DamageKind, Damaged, StoreError};
use carrel_journal::export::{Counts, ExportError, export};
use carrel_journal::import::{Existing, ImportError, import};
use carrel_journal::record::{Record, Value};
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
