//! A process that appends to a store, says what was acknowledged, and what it leaves, checked.
//!
//! Each thread writes a session of its own, whose every entry is known by its position.

use std::fs::OpenOptions;
use std::io::Write;
use std::mem::ManuallyDrop;
use std::path::Path;
use std::thread;

use bytes::Bytes;
use carrel_contract::SessionId;
use carrel_journal::error::{AppendError, PutBlobError, StoreError};
use carrel_journal::record::{Record, Value};
use carrel_journal::{Blob, Position, Sqlite, Store, Tail};
use futures::executor::block_on;

/// How many sessions are written side by side.
pub const THREADS: usize = 4;
/// Each so many entries, one has its text in a blob.
const BLOB_EACH: u64 = 7;

/// What went wrong, in words.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Appends so many entries to each session, and ends without closing the store. A store that fails has to say the same
/// ever after.
///
/// # Errors
/// How the store failed.
pub fn run(folder: &Path, count: u64) -> Result<(), Failure> {
    let store = Sqlite::open(folder.join("carrel.db")).map_err(|error| format!("{error:?}"))?;
    // What closing would write is the next process's to find missing.
    let store = ManuallyDrop::new(store);
    let said = OpenOptions::new().create(true).append(true).open(folder.join("acknowledged"))?;
    let done: Result<(), Failure> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (store, mut said) = (&*store, &said);
                scope.spawn(move || -> Result<(), Failure> {
                    let mut tail = check(store, thread)?;
                    for _ in 0..count {
                        match append(store, thread, &mut tail) {
                            Ok(position) => said.write_all(format!("{thread} {position}\n").as_bytes())?,
                            Err(error) => {
                                let again = append(store, thread, &mut tail).err();
                                if !matches!(again, Some(StoreError::Poisoned { .. })) {
                                    return Err(format!("after {error:?} it goes on: {again:?}").into());
                                }
                                return Err(format!("{error:?}").into());
                            }
                        }
                    }
                    Ok(())
                })
            })
            .collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread panicked")?)
    });
    done
}

/// Returns up to where each session was acknowledged.
pub fn acknowledged(said: &str) -> [u64; THREADS] {
    let mut last = [0; THREADS];
    for (thread, position) in said.lines().filter_map(|line| line.split_once(' ')) {
        let thread = thread.parse::<usize>().ok().and_then(|thread| last.get_mut(thread));
        if let (Some(last), Ok(position)) = (thread, position.parse()) {
            *last = position;
        }
    }
    last
}

/// Reads a session to its end, and checks that each entry is what was written at its position.
///
/// # Errors
/// Why it cannot be read; what is read and is something else is called WRONG.
pub fn check(store: &Sqlite, thread: usize) -> Result<Tail, Failure> {
    let mut tail = Tail::start(SessionId::new(&format!("thread-{thread}"))?);
    loop {
        let page = block_on(store.read(tail.session(), tail.position(), 1 << 20))?;
        if page.entries.is_empty() {
            return Ok(tail);
        }
        for (position, bytes) in page.entries {
            let records = tail.read(position, &bytes)?;
            let [Record::Notified { text: found, .. }] = records.as_slice() else {
                return Err(format!("WRONG: {position} has {records:?}").into());
            };
            let found = match found {
                Value::Inline(text) => Bytes::from(text.clone()),
                Value::Blob { hash, .. } => block_on(store.get_blob(*hash))?
                    .ok_or("a blob that an entry names is not there")?
                    .into_bytes(),
            };
            if found != text(thread, position) {
                return Err(format!("WRONG: {position} of {thread} has another text").into());
            }
        }
    }
}

/// The text of an entry: its length differs from those around it.
fn text(thread: usize, position: Position) -> String {
    format!("{thread} {position} ").repeat(1 + usize::try_from(position.0 % 50).unwrap_or(0))
}

fn append(store: &Sqlite, thread: usize, tail: &mut Tail) -> Result<Position, StoreError> {
    let position = tail.position().next();
    let mut text = Value::from(text(thread, position).as_str());
    if position.0.is_multiple_of(BLOB_EACH)
        && let Value::Inline(inline) = &text
    {
        let blob = Blob::new(inline.clone());
        let value = Value::Blob { hash: blob.hash(), bytes: inline.len() as u64 };
        block_on(store.put_blob(tail.session(), blob)).map_err(|error| match error {
            PutBlobError::Store(error) => error,
            other @ PutBlobError::TooLarge { .. } => {
                StoreError::Io { detail: other.to_string(), unknown: false }
            }
        })?;
        text = value;
    }
    let mut next = tail.clone();
    let entry = next.seal(&[Record::Notified { cell: 1, notification: position.0, text }]);
    let entries = entry.into_iter().collect();
    let appended = block_on(store.append(tail.session(), tail.position(), entries));
    let appended = appended.map_err(|error| match error {
        AppendError::Store(error) => error,
        other => StoreError::Io { detail: other.to_string(), unknown: false },
    })?;
    *tail = next;
    Ok(appended)
}
