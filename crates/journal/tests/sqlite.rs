//! What only the SQLite store promises: what it finds again, what it refuses to open, and what it says then.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::path::Path;

use bytes::Bytes;
use carrel_contract::SessionId;
use carrel_journal::error::{AppendError, StoreError};
use carrel_journal::{Blob, Cut, Owner, Position, Sqlite, Store};
use futures::executor::block_on;
use rusqlite::Connection;
use tempfile::TempDir;

fn session() -> SessionId {
    SessionId::new("s").unwrap()
}

fn append(store: &Sqlite, expected: u64, text: &str) -> Result<Position, AppendError> {
    let entry = Bytes::copy_from_slice(text.as_bytes());
    block_on(store.append(&session(), Position(expected), vec![entry]))
}

fn texts(store: &Sqlite) -> Vec<String> {
    let page = block_on(store.read(&session(), Position::START, usize::MAX)).unwrap();
    page.entries.into_iter().map(|(_, bytes)| String::from_utf8(bytes.to_vec()).unwrap()).collect()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn everything_is_there_after_opening_again() {
    let folder = folder();
    let path = folder.path().join("new/folders/carrel.db");
    let blob = Blob::new(vec![7; 100_000]);
    let (owner, other) = (Owner::new("a").unwrap(), Owner::new("b").unwrap());
    let hour = std::time::Duration::from_secs(3600);
    let store = Sqlite::open(&path).unwrap();
    block_on(store.put_blob(&session(), blob.clone())).unwrap();
    append(&store, 0, "first").unwrap();
    append(&store, 1, "second").unwrap();
    let lease = block_on(store.acquire(&session(), &owner, hour, 0)).unwrap();
    drop(store);

    let store = Sqlite::open(&path).unwrap();
    assert_eq!(texts(&store), ["first", "second"]);
    assert_eq!(block_on(store.get_blob(blob.hash())).unwrap(), Some(blob));
    block_on(store.acquire(&session(), &other, hour, 0)).unwrap_err();
    block_on(store.renew(&session(), &lease, hour, 0)).unwrap();
    append(&store, 2, "third").unwrap();
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 3, "the file, its log, its index");
    drop(store);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "closing leaves one file");
}

#[test]
fn dropping_the_store_writes_what_was_asked_for() {
    let folder = folder();
    let path = folder.path().join("carrel.db");
    let store = Sqlite::open(&path).unwrap();
    for n in 0..100 {
        drop(store.append(&session(), Position(n), vec![Bytes::from("x")]));
    }
    drop(store);
    assert_eq!(texts(&Sqlite::open(&path).unwrap()).len(), 100);
}

#[test]
fn two_that_have_one_file_open_see_each_others_appends_and_fence_each_other() {
    let folder = folder();
    let path = folder.path().join("carrel.db");
    let (a, b) = (Sqlite::open(&path).unwrap(), Sqlite::open(&path).unwrap());
    append(&a, 0, "a").unwrap();
    append(&b, 1, "b").unwrap();
    let conflict = AppendError::Conflict { expected: Position(1), actual: Position(2) };
    assert_eq!(append(&a, 1, "late").unwrap_err(), conflict);
    append(&a, 2, "a again").unwrap();
    assert_eq!(texts(&b), ["a", "b", "a again"]);
    block_on(b.compact(&session(), Position(3), Cut { before: Position(3), blobs: Vec::new() })).unwrap();
    append(&a, 3, "after the cut").unwrap();
    assert!(block_on(a.delete(&session())).unwrap());
    let conflict = AppendError::Conflict { expected: Position(4), actual: Position::START };
    assert_eq!(append(&b, 4, "late").unwrap_err(), conflict);
    append(&b, 0, "anew").unwrap();
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt;

    let folder = folder();
    let path = folder.path().join("data/carrel.db");
    let store = Sqlite::open(&path).unwrap();
    append(&store, 0, "x").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for file in fs::read_dir(path.parent().unwrap()).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
}

#[test]
fn what_is_no_store_is_refused_and_left_as_it_is() {
    let folder = folder();
    let text = folder.path().join("notes.txt");
    fs::write(
        &text,
        "nothing that a store would write, and longer than a header of SQLite's, by some way at least",
    )
    .unwrap();
    let other = folder.path().join("other.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (x); PRAGMA user_version = 1;").unwrap();
    for path in [text, other] {
        let before = fs::read(&path).unwrap();
        assert_eq!(Sqlite::open(&path).unwrap_err(), StoreError::NotAStore { path: path.clone() });
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}

#[test]
fn a_newer_store_is_refused_and_left_as_it_is() {
    let folder = folder();
    let path = folder.path().join("carrel.db");
    drop(Sqlite::open(&path).unwrap());
    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 7").unwrap();
    let before = fs::read(&path).unwrap();
    let error = Sqlite::open(&path).unwrap_err();
    assert_eq!(error, StoreError::NewerSchema { path: path.clone(), found: 7, newest: 1 });
    assert!(error.to_string().contains("newer version of Carrel"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_path_that_cannot_be_is_named() {
    let folder = folder();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [file.join("carrel.db"), folder.path().to_path_buf()] {
        let error = Sqlite::open(&path).unwrap_err();
        assert!(matches!(error, StoreError::CannotOpen { .. }), "{error:?}");
        assert!(error.to_string().contains(&*folder.path().to_string_lossy()), "{error}");
    }
}

#[test]
fn of_many_that_make_a_store_at_once_all_get_it() {
    let folder = folder();
    let path = folder.path().join("carrel.db");
    std::thread::scope(|scope| {
        for n in 0..8 {
            let path = &path;
            scope.spawn(move || {
                let store = Sqlite::open(path).unwrap();
                let session = SessionId::new(&format!("s{n}")).unwrap();
                block_on(store.append(&session, Position::START, vec![Bytes::from("x")])).unwrap();
            });
        }
    });
    assert_eq!(block_on(Sqlite::open(&path).unwrap().list(None, 100)).unwrap().len(), 8);
}

/// Overwrites bytes of the file where `what` stands.
fn damage(path: &Path, what: &[u8]) {
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.windows(what.len()).position(|window| window == what).unwrap();
    bytes.get_mut(at..).unwrap().first_mut().map(|byte| *byte ^= 1).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_damaged_blob_is_named() {
    let folder = folder();
    let path = folder.path().join("carrel.db");
    let (blob, sound) = (Blob::new(&b"some large value"[..]), Blob::new(&b"another"[..]));
    let store = Sqlite::open(&path).unwrap();
    block_on(store.put_blob(&session(), blob.clone())).unwrap();
    block_on(store.put_blob(&session(), sound.clone())).unwrap();
    drop(store);
    damage(&path, b"some large value");
    let store = Sqlite::open(&path).unwrap();
    let error = block_on(store.get_blob(blob.hash())).unwrap_err();
    assert_eq!(error, StoreError::DamagedBlob { hash: blob.hash() });
    assert_eq!(block_on(store.get_blob(sound.hash())).unwrap(), Some(sound));
}
