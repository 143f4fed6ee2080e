//! The file: how it is made, opened and brought up to date.
//!
//! | table | rows |
//! | --- | --- |
//! | `sessions` | a session's name, and its lease |
//! | `entries` | an entry each; the key is the session's id and the position in one number ([`key`](super::key)). There is no count of them anywhere: an append writes its rows and nothing else |
//! | `journal` | the same for people, a view with session and position |
//! | `blobs` | large values by their hash, the bytes on pages of their own |
//! | `blob_uses` | which session has which blob |
//!
//! Entries of 64 sessions lie on 64 pages, so a commit writes as many; hence pages of 2 KiB. Measured, for a record of 256
//! bytes: 5.9 KB are written with those, 9.3 KB with 4 KiB, 4.7 KB with 1 KiB, which takes more time; with a table
//! clustered by two columns, where rows over a quarter of a page spill, 7.5 KB with 2 KiB.
//!
//! `application_id` and `user_version` tell a store from another file, and its version. A migration goes from each version
//! to the next; there is one version so far.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::{BUSY_TIMEOUT, fault};
use crate::error::StoreError;

/// "CARL".
const APPLICATION_ID: i32 = 0x4341_524c;
const PAGE_BYTES: usize = 2048;
/// Each brings the schema to the version of its place, from 1.
const MIGRATIONS: [&str; 1] = ["
    CREATE TABLE sessions (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        epoch INTEGER NOT NULL DEFAULT 0,
        owner TEXT,
        until_us INTEGER
    ) STRICT;
    CREATE TABLE entries (
        key INTEGER PRIMARY KEY,
        bytes BLOB NOT NULL
    ) STRICT;
    CREATE VIEW journal AS
        SELECT name AS session, key & 0xfffffffff AS position, length(bytes) AS length, bytes
        FROM entries JOIN sessions ON id = key >> 36;
    CREATE TABLE blobs (
        id INTEGER PRIMARY KEY,
        hash BLOB NOT NULL UNIQUE,
        bytes BLOB NOT NULL
    ) STRICT;
    CREATE TABLE blob_uses (
        session INTEGER NOT NULL,
        blob INTEGER NOT NULL,
        PRIMARY KEY (session, blob)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX blob_users ON blob_uses (blob);
"];

/// Makes the file and its folder, if they are not there, for nobody else to read.
pub(super) fn create_file(path: &Path) -> Result<(), StoreError> {
    let cannot = |path: &Path| {
        let path = path.to_path_buf();
        move |error: io::Error| StoreError::CannotOpen { path, detail: error.to_string() }
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    create_folder(folder).map_err(cannot(folder))?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        // The file's name has to outlive a loss of power, too.
        Ok(_) => sync_folder(folder).map_err(cannot(folder)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(cannot(path)(error)),
    }
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

/// Elsewhere a folder is no file that could be synchronised; the system looks after names by itself.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Opens a connection that writes, and brings the schema up to date.
pub(super) fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    let translate = |error: rusqlite::Error| fault::translate(&error, path, false);
    let mut connection = open(path).map_err(translate)?;
    check(&connection, path)?;
    // Of a file that has pages already, this changes nothing.
    connection.execute_batch(&format!("PRAGMA page_size = {PAGE_BYTES}")).map_err(translate)?;
    let mode = write_ahead(&connection).map_err(translate)?;
    if mode != "wal" {
        return Err(StoreError::Io {
            detail: format!("SQLite keeps the journal mode {mode}"),
            unknown: false,
        });
    }
    // Checkpoints are the writer's: one that SQLite does by itself hides its errors.
    connection
        .execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;
             PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -16000; PRAGMA temp_store = MEMORY;",
        )
        .map_err(translate)?;
    migrate(&mut connection, path)?;
    Ok(connection)
}

/// Has SQLite write ahead. Returns the mode that it is in then.
fn write_ahead(connection: &Connection) -> rusqlite::Result<String> {
    let mut statement = connection.prepare("PRAGMA journal_mode = WAL")?;
    let mut rows = statement.query([])?;
    let mode = rows.next()?.map(|row| row.get(0)).transpose()?.unwrap_or_default();
    // The mode is named before it is written; whether that was done, the step behind the row says.
    rows.next()?;
    Ok(mode)
}

/// Opens a connection that only reads, of a store that a writer has opened.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let opened = open(path).and_then(|connection| {
        connection.execute_batch("PRAGMA query_only = ON; PRAGMA wal_autocheckpoint = 0;")?;
        Ok(connection)
    });
    opened.map_err(|error| fault::translate(&error, path, false))
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

/// Refuses what is not a store or is newer, before anything of it is changed. Returns the version; 0 of an empty file.
fn check(connection: &Connection, path: &Path) -> Result<usize, StoreError> {
    let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let look = || {
        // All of one moment: another process may just be making the store. It may be part of a transaction, too.
        connection.execute_batch("SAVEPOINT look")?;
        let (application, version) = (number("PRAGMA application_id")?, number("PRAGMA user_version")?);
        let tables = number("SELECT count(*) FROM sqlite_schema")?;
        connection.execute_batch("RELEASE look")?;
        Ok((application, version, tables))
    };
    let looked: rusqlite::Result<_> = look();
    let (application, version, tables) = looked.map_err(|error| fault::translate(&error, path, false))?;
    if tables == 0 && application == 0 && version == 0 {
        return Ok(0);
    }
    if application != i64::from(APPLICATION_ID) {
        return Err(StoreError::NotAStore { path: path.to_path_buf() });
    }
    let newest = MIGRATIONS.len();
    match usize::try_from(version) {
        Ok(version) if version <= newest => Ok(version),
        _ => Err(StoreError::NewerSchema {
            path: path.to_path_buf(),
            found: u32::try_from(version).unwrap_or(u32::MAX),
            newest: u32::try_from(newest).unwrap_or(u32::MAX),
        }),
    }
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let translate = |error: rusqlite::Error| fault::translate(&error, path, false);
    if check(connection, path)? == MIGRATIONS.len() {
        return Ok(());
    }
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(translate)?;
    // Another process may have been quicker.
    let version = check(&transaction, path)?;
    for migration in MIGRATIONS.iter().skip(version) {
        transaction.execute_batch(migration).map_err(translate)?;
    }
    transaction
        .execute_batch(&format!(
            "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {};",
            MIGRATIONS.len()
        ))
        .map_err(translate)?;
    transaction.commit().map_err(translate)
}
