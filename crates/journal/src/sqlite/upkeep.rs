//! What is done to the whole file now and then: looked at, and made as small as it can be.

use std::fs;
use std::path::Path;

use rusqlite::{Connection, Result, TransactionBehavior};

use super::{fault, schema};
use crate::error::StoreError;

/// The most that SQLite says of one file.
const MOST_FAULTS: usize = 100;
/// How long a lease has to have run out before a session that was never begun is given up: a day. Where there was none, as
/// of a blob that came after its session was deleted, that begins with the first look at it.
const ABANDONED_US: i64 = 24 * 3600 * 1_000_000;

/// The size of a file before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compacted {
    /// Before, the log included.
    pub before_bytes: u64,
    /// After.
    pub after_bytes: u64,
}

/// Returns what is wrong with the file's own structure, as SQLite says it; nothing when all is well.
pub(super) fn faults(connection: &Connection) -> Result<Vec<String>> {
    let mut statement = connection.prepare(&format!("PRAGMA integrity_check({MOST_FAULTS})"))?;
    let lines = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>>>()?;
    Ok(lines.into_iter().filter(|line| line != "ok").collect())
}

pub(super) fn compact(path: &Path, now_us: i64) -> std::result::Result<Compacted, StoreError> {
    let before_bytes = size(path);
    let mut connection = schema::open_writer(path)?;
    let translate = |error: rusqlite::Error| fault::translate(&error, path, false);
    sweep(&mut connection, now_us).map_err(translate)?;
    connection.execute_batch("VACUUM").map_err(translate)?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(translate)?;
    drop(connection);
    Ok(Compacted { before_bytes, after_bytes: size(path) })
}

/// Gives up what a crash left: sessions that were leased and never begun, blobs that nobody has.
fn sweep(connection: &mut Connection, now_us: i64) -> Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute(
        "UPDATE sessions SET until_us = ?1 WHERE until_us IS NULL
         AND NOT EXISTS (SELECT 1 FROM entries WHERE key BETWEEN id << 36 AND id << 36 | 0xfffffffff)",
        [now_us],
    )?;
    transaction.execute(
        "DELETE FROM sessions WHERE until_us < ?1
         AND NOT EXISTS (SELECT 1 FROM entries WHERE key BETWEEN id << 36 AND id << 36 | 0xfffffffff)",
        [now_us.saturating_sub(ABANDONED_US)],
    )?;
    transaction.execute_batch(
        "DELETE FROM blob_uses WHERE session NOT IN (SELECT id FROM sessions);
         DELETE FROM blobs WHERE id NOT IN (SELECT blob FROM blob_uses);",
    )?;
    transaction.commit()
}

fn size(path: &Path) -> u64 {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    [path, Path::new(&log)].iter().map(|file| fs::metadata(file).map_or(0, |data| data.len())).sum()
}
