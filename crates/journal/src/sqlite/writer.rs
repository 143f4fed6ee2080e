//! The one thread that writes: what has been queued by all sessions becomes one transaction, and one fsync.
//!
//! While a commit is under way the queue fills with the next one's work, so the more is asked for, the more shares a commit,
//! and nobody waits for a timer. After a failed write nothing more is written: SQLite's state is sound then, but
//! whether the disk has what SQLite believes it has is not known until the file is opened again, which the writer tries now and
//! then.

use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;

use super::books::{Books, Known};
use super::fault;
use super::job::Job;
use super::queue::{Queue, Taker};
use super::schema;
use crate::error::StoreError;

pub(super) type Writes = Queue<Box<dyn Job<Books>>>;

/// What the work of one transaction may cost: what is behind it waits for the next.
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// The length of the write-ahead log, in pages, from which on it is moved into the database: 8 MiB. The longer it may be,
/// the more often the same page is in it, which is then moved once.
const CHECKPOINT_PAGES: i32 = 4096;
/// How long after a failure, or an attempt that failed, the next who wants to write has the file opened again.
const REOPENED_AFTER: Duration = Duration::from_secs(5);

pub(super) struct Writer {
    standing: Standing,
    path: PathBuf,
    /// The length of the write-ahead log after the last commit, in pages.
    log_pages: Arc<AtomicI32>,
}

enum Standing {
    Well(Books),
    /// A write failed.
    Poisoned {
        cause: StoreError,
        tried: Instant,
    },
}

impl Writer {
    /// Opens the file, and moves what an earlier writer left in the log into the database.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let log_pages = Arc::new(AtomicI32::new(0));
        let (books, _) = open(path, &log_pages)?;
        Ok(Self { standing: Standing::Well(books), path: path.to_path_buf(), log_pages })
    }

    /// Writes what is queued until the queue is closed and empty.
    pub(super) fn run(mut self, queue: &Writes) {
        let _taker = Taker(queue);
        while let Some(mut jobs) = queue.take(BATCH_BYTES) {
            let settled = self.commit(&mut jobs);
            for job in jobs {
                job.tell(settled.clone());
            }
            if settled.is_ok() && self.log_pages.load(Ordering::Relaxed) >= CHECKPOINT_PAGES {
                self.checkpoint();
            }
        }
    }

    /// Does all work in one transaction.
    fn commit(&mut self, jobs: &mut [Box<dyn Job<Books>>]) -> Result<(), StoreError> {
        let books = match &mut self.standing {
            Standing::Well(books) => books,
            Standing::Poisoned { cause, tried } => {
                let poisoned = StoreError::Poisoned { cause: Box::new(cause.clone()) };
                if tried.elapsed() < REOPENED_AFTER {
                    return Err(poisoned);
                }
                let reopened = open(&self.path, &self.log_pages);
                *tried = Instant::now();
                let Ok((books, Log::Moved)) = reopened else { return Err(poisoned) };
                self.standing = Standing::Well(books);
                return self.commit(jobs);
            }
        };
        // Before the commit nothing has happened; of a commit that failed nobody knows.
        let (error, unknown) = match begin(books, jobs) {
            Ok(()) => match books.connection.execute_batch("COMMIT") {
                Ok(()) => return Ok(()),
                Err(error) => (error, true),
            },
            Err(error) => (error, false),
        };
        books.known.forget();
        let rolled_back =
            books.connection.is_autocommit() || books.connection.execute_batch("ROLLBACK").is_ok();
        let error = fault::translate(&error, &self.path, unknown);
        // Nothing was written when the lock could not be had.
        if !(rolled_back && matches!(error, StoreError::Busy { .. })) {
            self.poison(&error);
        }
        Err(error)
    }

    /// Moves the write-ahead log into the database, as far as readers allow.
    fn checkpoint(&mut self) {
        let Standing::Well(books) = &self.standing else { return };
        let moved = books.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        if let Err(error) = moved {
            let error = fault::translate(&error, &self.path, false);
            if !matches!(error, StoreError::Busy { .. }) {
                self.poison(&error);
            }
        }
    }

    fn poison(&mut self, error: &StoreError) {
        let poisoned = Standing::Poisoned { cause: error.clone(), tried: Instant::now() };
        let Standing::Well(books) = mem::replace(&mut self.standing, poisoned) else { return };
        // Closing the last connection moves the log into the database. After a failed write that is for whoever opens it
        // next, with everything read from the disk anew. Where this cannot be said, closing does what it always does.
        drop(books.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true));
    }
}

/// What became of the log of a file that was opened.
enum Log {
    /// All of it is in the database, and on the disk: also what could not be got there before.
    Moved,
    /// Somebody reads what is in it.
    Read,
}

/// Opens the file for a writer.
fn open(path: &Path, log_pages: &Arc<AtomicI32>) -> Result<(Books, Log), StoreError> {
    let translate = |error: rusqlite::Error| fault::translate(&error, path, false);
    let mut connection = schema::open_writer(path)?;
    let is_read = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
    let log = if is_read.map_err(translate)? { Log::Read } else { Log::Moved };
    let pages = Arc::clone(log_pages);
    let hook = move |_: &mut rusqlite::hooks::Wal, length| {
        pages.store(length, Ordering::Relaxed);
        Ok(())
    };
    connection.wal_hook(Some(hook)).map_err(translate)?;
    Ok((Books { connection, known: Known::default() }, log))
}

fn begin(books: &mut Books, jobs: &mut [Box<dyn Job<Books>>]) -> rusqlite::Result<()> {
    books.connection.execute_batch("BEGIN IMMEDIATE")?;
    books.refresh()?;
    jobs.iter_mut().try_for_each(|job| job.run(books))
}
