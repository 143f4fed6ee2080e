//! The one thread that writes: what has been queued by all sessions becomes one transaction, and one fsync.
//!
//! While a commit is under way the queue fills with the next one's work, so the more is asked for, the more shares a commit,
//! and nobody waits for a timer. After a failed write nothing more is written: SQLite's state is sound then, but
//! whether the disk has what SQLite believes it has is not known until the file is opened again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::books::{Books, Known};
use super::fault;
use super::job::Job;
use super::queue::{Queue, Taker};
use crate::error::StoreError;

pub(super) type Writes = Queue<Box<dyn Job<Books>>>;

/// What the work of one transaction may cost: what is behind it waits for the next.
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// The length of the write-ahead log, in pages, from which on it is moved into the database: 8 MiB. The longer it may be,
/// the more often the same page is in it, which is then moved once.
const CHECKPOINT_PAGES: i32 = 4096;

pub(super) struct Writer {
    books: Books,
    path: PathBuf,
    poison: Option<StoreError>,
    /// The length of the write-ahead log after the last commit, in pages.
    log_pages: Arc<AtomicI32>,
}

impl Writer {
    pub(super) fn new(mut connection: Connection, path: &Path) -> rusqlite::Result<Self> {
        let log_pages = Arc::new(AtomicI32::new(0));
        let pages = Arc::clone(&log_pages);
        connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, length| {
            pages.store(length, Ordering::Relaxed);
            Ok(())
        }))?;
        let books = Books { connection, known: Known::default() };
        Ok(Self { books, path: path.to_path_buf(), poison: None, log_pages })
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
        if let Some(cause) = &self.poison {
            return Err(StoreError::Poisoned { cause: Box::new(cause.clone()) });
        }
        // Before the commit nothing has happened; of a commit that failed nobody knows.
        let (error, unknown) = match self.begin(jobs) {
            Ok(()) => match self.books.connection.execute_batch("COMMIT") {
                Ok(()) => return Ok(()),
                Err(error) => (error, true),
            },
            Err(error) => (error, false),
        };
        self.books.known.forget();
        let rolled_back =
            self.books.connection.is_autocommit() || self.books.connection.execute_batch("ROLLBACK").is_ok();
        let error = fault::translate(&error, &self.path, unknown);
        // Nothing was written when the lock could not be had.
        if !(rolled_back && matches!(error, StoreError::Busy { .. })) {
            self.poison(&error);
        }
        Err(error)
    }

    fn begin(&mut self, jobs: &mut [Box<dyn Job<Books>>]) -> rusqlite::Result<()> {
        self.books.connection.execute_batch("BEGIN IMMEDIATE")?;
        self.books.refresh()?;
        jobs.iter_mut().try_for_each(|job| job.run(&mut self.books))
    }

    /// Moves the write-ahead log into the database, as far as readers allow.
    fn checkpoint(&mut self) {
        let moved = self.books.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        if let Err(error) = moved {
            let error = fault::translate(&error, &self.path, false);
            if !matches!(error, StoreError::Busy { .. }) {
                self.poison(&error);
            }
        }
    }

    fn poison(&mut self, error: &StoreError) {
        self.poison = Some(error.clone());
        // Closing the last connection moves the log into the database. After a failed write that is for whoever opens it
        // next, with everything read from the disk anew. Where this cannot be said, closing does what it always does.
        drop(self.books.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true));
    }
}
