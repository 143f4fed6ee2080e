//! Eight threads that append, each to its own session, and what they leave, checked.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use bytes::Bytes;
use carrel_contract::SessionId;
use carrel_journal::error::{AppendError, PutBlobError, StoreError};
use carrel_journal::record::{Record, Value};
use carrel_journal::{Blob, Position, Sqlite, Store, Tail};
use futures::executor::block_on;

pub(crate) const THREADS: usize = 8;
/// Each so many entries, one has its text in a blob.
const BLOB_EACH: u64 = 7;

pub(crate) fn session(thread: usize) -> SessionId {
    SessionId::new(&format!("thread-{thread}")).unwrap()
}

/// The text of an entry: its length differs from those around it.
fn text(thread: usize, position: Position) -> String {
    format!("{thread} {position} ").repeat(1 + (position.0 % 50) as usize)
}

/// Reads a session, checks all of it, and returns its end.
pub(crate) fn check(store: &Sqlite, thread: usize) -> Tail {
    let mut tail = Tail::start(session(thread));
    loop {
        let page = block_on(store.read(tail.session(), tail.position(), 1 << 20)).unwrap();
        if page.entries.is_empty() {
            return tail;
        }
        for (position, bytes) in page.entries {
            let records = tail.read(position, &bytes).unwrap();
            let [Record::Notified { text: found, .. }] = records.as_slice() else { panic!("{records:?}") };
            let found = match found {
                Value::Inline(text) => Bytes::from(text.clone()),
                // What an entry names is there.
                Value::Blob { hash, .. } => block_on(store.get_blob(*hash)).unwrap().unwrap().into_bytes(),
            };
            assert_eq!(found, text(thread, position));
        }
    }
}

/// Appends the next entry.
pub(crate) fn append(store: &Sqlite, thread: usize, tail: &mut Tail) -> Result<Position, StoreError> {
    let position = tail.position().next();
    let text = text(thread, position);
    let text = if position.0.is_multiple_of(BLOB_EACH) {
        let blob = Blob::new(text);
        let value = Value::Blob { hash: blob.hash(), bytes: blob.bytes().len() as u64 };
        match block_on(store.put_blob(tail.session(), blob)) {
            Ok(()) => value,
            Err(PutBlobError::Store(error)) => return Err(error),
            Err(error) => panic!("{error}"),
        }
    } else {
        text.into()
    };
    let mut next = tail.clone();
    let entry = next.seal(&[Record::Notified { cell: 1, notification: position.0, text }]).unwrap();
    match block_on(store.append(tail.session(), tail.position(), vec![entry])) {
        Ok(position) => {
            *tail = next;
            Ok(position)
        }
        Err(AppendError::Store(error)) => Err(error),
        Err(error) => panic!("{error}"),
    }
}

/// Returns the command that runs a test of this program by itself; `setup`, a shell's, comes before.
pub(crate) fn child(test: &str, path: &Path, setup: &str) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("{setup} exec \"$0\" \"$@\"")).arg(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--ignored", "--nocapture", "--test-threads=1"]);
    command.env("CARREL_FAULTS_STORE", path).stdout(Stdio::piped());
    command
}

/// Returns the store's path in a child; `None` when somebody else runs its test.
pub(crate) fn path_of_child() -> Option<std::path::PathBuf> {
    std::env::var_os("CARREL_FAULTS_STORE").map(Into::into)
}

/// Says what was acknowledged: one write, which a kill does not split.
pub(crate) fn say(thread: usize, position: Position) {
    let mut out = std::io::stdout().lock();
    // The test runner has begun a line of its own.
    out.write_all(format!("\n{thread} {position}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// Appends until it is killed.
#[test]
#[ignore = "the process that the others kill"]
fn appends_until_it_is_killed() {
    let Some(path) = path_of_child() else { return };
    let store = Sqlite::open(path).unwrap();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let store = &store;
            scope.spawn(move || {
                let mut tail = check(store, thread);
                loop {
                    say(thread, append(store, thread, &mut tail).unwrap());
                }
            });
        }
    });
}
