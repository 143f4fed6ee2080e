//! The store on one machine: one SQLite file.
//!
//! SQLite, because it is trusted with everything, keeps journal, blobs and leases in one transactional file, and anyone's
//! `sqlite3` opens it. In WAL mode with `synchronous = FULL` a commit is one fsync; one thread commits for all sessions
//! what they have asked for meanwhile, so they share it. Reads have connections and threads of their own. Several processes
//! may open one file: a transaction takes the file's lock, and each append says what it expects.
//!
//! SQLite does not notice a flipped bit in a row; the checksums of [`entry`](crate::entry) and the hashes of blobs do.

mod books;
mod fault;
mod job;
mod key;
mod queue;
mod reading;
mod schema;
mod upkeep;
mod writer;

pub use self::upkeep::Compacted;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bytes::Bytes;
use carrel_contract::{CodeModeFuture, SessionId};
use rusqlite::Connection;

use self::books::Books;
use self::job::Job;
use self::queue::{Queue, Taker};
use crate::error::{AcquireError, AppendError, CompactError, PutBlobError, RenewError, StoreError};
use crate::{Blob, BlobHash, Cut, Head, Lease, Owner, Page, Position, Store, lease, store};

/// How long another process may hold the file's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// What may wait to be written: 64 MiB with what each piece of work costs by itself.
const QUEUE_BYTES: usize = 64 * 1024 * 1024;
/// What a piece of work costs beside its bytes.
const JOB_BYTES: usize = 256;
/// How many reads may wait.
const QUEUED_READS: usize = 1024;
/// The threads that read.
const READERS: usize = 2;

/// A store in one SQLite file.
///
/// Dropping the last handle writes what has been asked for, waits for that, and closes the file.
pub struct Sqlite {
    path: PathBuf,
    writes: Arc<Queue<Box<dyn Job<Books>>>>,
    reads: Arc<Queue<Box<dyn Job<Connection>>>>,
    threads: Vec<JoinHandle<()>>,
}

impl Sqlite {
    /// Makes the file of a store and its folder if they are not there, readable by their owner alone, and nothing more: for those who
    /// open it when they can make no folders any more. Blocks.
    ///
    /// # Errors
    /// [`StoreError::CannotOpen`].
    pub fn make_file(path: impl AsRef<Path>) -> Result<(), StoreError> {
        schema::create_file(path.as_ref())
    }

    /// Opens a store, and makes it and its folder if they are not there, readable by their owner alone. Blocks.
    ///
    /// What an earlier process wrote and did not move into the database is moved now, so that a write which failed for
    /// that process cannot be half believed by this one.
    ///
    /// # Errors
    /// [`StoreError`]: what cannot be opened, is no store, is newer, read-only, damaged, or locked for too long.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        schema::create_file(path)?;
        let writer = writer::Writer::open(path)?;
        let readers = (0..READERS).map(|_| schema::open_reader(path)).collect::<Result<Vec<_>, _>>()?;

        let mut store = Self {
            path: path.to_path_buf(),
            writes: Arc::new(Queue::new(QUEUE_BYTES)),
            reads: Arc::new(Queue::new(QUEUED_READS)),
            threads: Vec::with_capacity(1 + READERS),
        };
        let writes = Arc::clone(&store.writes);
        store.start("carrel-store-writer", move || writer.run(&writes))?;
        for connection in readers {
            let (reads, path) = (Arc::clone(&store.reads), store.path.clone());
            store.start("carrel-store-reader", move || read(connection, &path, &reads))?;
        }
        Ok(store)
    }

    fn start(&mut self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
        let thread = thread::Builder::new().name(name.to_owned()).spawn(run).map_err(|error| {
            StoreError::Io { detail: format!("start the thread {name}: {error}"), unknown: false }
        })?;
        self.threads.push(thread);
        Ok(())
    }

    /// Makes a file as small as it can be, and gives up what a crash left in it: blobs that no session has, and sessions that
    /// were taken and never begun, when their lease ran out a day before `now_us`. Needs room for a second copy on the
    /// disk, and nobody else may write meanwhile. Blocks.
    ///
    /// # Errors
    /// [`StoreError`]; when another process is at it, [`StoreError::Busy`].
    pub fn compact_file(path: impl AsRef<Path>, now_us: i64) -> Result<Compacted, StoreError> {
        upkeep::compact(path.as_ref(), now_us)
    }

    /// Returns what is wrong with the file's own structure, as SQLite says it; nothing when all is well.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn file_faults(&self) -> CodeModeFuture<'_, Vec<String>, StoreError> {
        self.read_with(|connection| upkeep::faults(connection))
    }

    /// Returns how much a session has in the file: its entries, and its blobs, of which others may have some, too.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn size_bytes(&self, session: &SessionId) -> CodeModeFuture<'_, u64, StoreError> {
        let session = session.clone();
        self.read_with(move |connection| reading::size_bytes(connection, &session))
    }

    /// Returns the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn write<T: Send + 'static, E: From<StoreError> + Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnOnce(&mut Books) -> rusqlite::Result<Result<T, E>> + Send + 'static,
    ) -> CodeModeFuture<'static, T, E> {
        job::ask(&self.writes, JOB_BYTES + bytes, work)
    }

    fn read_with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> CodeModeFuture<'static, T, StoreError> {
        job::ask(&self.reads, 1, |connection| work(connection).map(Ok))
    }
}

/// Reads what is queued until the queue is closed and empty.
fn read(mut connection: Connection, path: &Path, queue: &Queue<Box<dyn Job<Connection>>>) {
    let _taker = Taker(queue);
    while let Some(jobs) = queue.take(1) {
        for mut job in jobs {
            let done = job.run(&mut connection).map_err(|error| fault::translate(&error, path, false));
            job.tell(done);
        }
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.writes.close();
        self.reads.close();
        for thread in self.threads.drain(..) {
            // One that panicked has nothing more to say.
            drop(thread.join());
        }
    }
}

impl Store for Sqlite {
    fn append(
        &self,
        session: &SessionId,
        expected: Position,
        entries: Vec<Bytes>,
    ) -> CodeModeFuture<'_, Position, AppendError> {
        if let Err(error) = store::check_append(expected, &entries) {
            return Box::pin(std::future::ready(Err(error)));
        }
        let session = session.clone();
        let bytes = entries.iter().map(|entry| JOB_BYTES + entry.len()).sum();
        self.write(bytes, move |books| books.append(&session, expected, &entries))
    }

    fn read(
        &self,
        session: &SessionId,
        after: Position,
        max_bytes: usize,
    ) -> CodeModeFuture<'_, Page, StoreError> {
        let session = session.clone();
        self.read_with(move |connection| reading::page(connection, &session, after, max_bytes))
    }

    fn head(&self, session: &SessionId) -> CodeModeFuture<'_, Option<Head>, StoreError> {
        let session = session.clone();
        self.read_with(move |connection| reading::head(connection, &session))
    }

    fn list(
        &self,
        after: Option<&SessionId>,
        limit: usize,
    ) -> CodeModeFuture<'_, Vec<SessionId>, StoreError> {
        let after = after.cloned();
        self.read_with(move |connection| reading::list(connection, after.as_ref(), limit))
    }

    fn delete(&self, session: &SessionId) -> CodeModeFuture<'_, bool, StoreError> {
        let session = session.clone();
        self.write(0, move |books| books.delete(&session).map(Ok))
    }

    fn compact(
        &self,
        session: &SessionId,
        expected: Position,
        cut: Cut,
    ) -> CodeModeFuture<'_, (), CompactError> {
        let session = session.clone();
        self.write(0, move |books| books.compact(&session, expected, &cut))
    }

    fn put_blob(&self, session: &SessionId, blob: Blob) -> CodeModeFuture<'_, (), PutBlobError> {
        if let Err(error) = store::check_blob(&blob) {
            return Box::pin(std::future::ready(Err(error)));
        }
        let session = session.clone();
        self.write(blob.bytes().len(), move |books| books.put_blob(&session, &blob).map(Ok))
    }

    fn share_blob(&self, session: &SessionId, hash: BlobHash) -> CodeModeFuture<'_, bool, PutBlobError> {
        let session = session.clone();
        self.write(0, move |books| books.share_blob(&session, hash).map(Ok))
    }

    fn get_blob(&self, hash: BlobHash) -> CodeModeFuture<'_, Option<Blob>, StoreError> {
        let read = self.read_with(move |connection| reading::blob(connection, hash));
        Box::pin(async move {
            let blob = read.await?;
            match blob {
                Some(blob) if blob.hash() != hash => Err(StoreError::DamagedBlob { hash }),
                blob => Ok(blob),
            }
        })
    }

    fn blobs(&self, session: &SessionId) -> CodeModeFuture<'_, Vec<BlobHash>, StoreError> {
        let session = session.clone();
        self.read_with(move |connection| reading::blobs(connection, &session))
    }

    fn acquire(
        &self,
        session: &SessionId,
        owner: &Owner,
        ttl: Duration,
        now_us: i64,
    ) -> CodeModeFuture<'_, Lease, AcquireError> {
        let (session, owner, until_us) = (session.clone(), owner.clone(), lease::until(now_us, ttl));
        self.write(0, move |books| books.acquire(&session, &owner, until_us, now_us))
    }

    fn renew(
        &self,
        session: &SessionId,
        lease: &Lease,
        ttl: Duration,
        now_us: i64,
    ) -> CodeModeFuture<'_, Lease, RenewError> {
        let (session, lease, until_us) = (session.clone(), lease.clone(), lease::until(now_us, ttl));
        self.write(0, move |books| books.renew(&session, lease, until_us))
    }

    fn lease(&self, session: &SessionId) -> CodeModeFuture<'_, Option<Lease>, StoreError> {
        let session = session.clone();
        self.read_with(move |connection| reading::lease(connection, &session))
    }

    fn release(&self, session: &SessionId, lease: &Lease) -> CodeModeFuture<'_, (), StoreError> {
        let (session, lease) = (session.clone(), lease.clone());
        self.write(0, move |books| books.release(&session, &lease).map(Ok))
    }
}
