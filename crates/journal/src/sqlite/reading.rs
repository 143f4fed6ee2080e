//! What is read, on connections of its own, so that no reader waits for a commit.

use bytes::Bytes;
use carrel_contract::SessionId;
use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension, Result};

use super::key;
use crate::{Blob, BlobHash, Head, Lease, Owner, Page, Position};

pub(super) fn page(
    connection: &mut Connection,
    session: &SessionId,
    after: Position,
    max_bytes: usize,
) -> Result<Page> {
    // One transaction, so that entries and head are of one moment.
    let transaction = connection.transaction()?;
    let Some(id) = session_id(&transaction, session)? else { return Ok(Page::default()) };
    let head = head_of(&transaction, id)?;
    let mut statement = transaction
        .prepare_cached("SELECT key, bytes FROM entries WHERE key > ?1 AND key <= ?2 ORDER BY key")?;
    let mut rows = statement.query([key::of(id, after), key::last(id)])?;
    let (mut entries, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let entry = row.get_ref(1)?.as_blob()?;
        bytes += entry.len();
        if bytes > max_bytes && !entries.is_empty() {
            break;
        }
        entries.push((key::position(row.get(0)?), Bytes::copy_from_slice(entry)));
    }
    Ok(Page { entries, head })
}

pub(super) fn head(connection: &mut Connection, session: &SessionId) -> Result<Option<Head>> {
    let transaction = connection.transaction()?;
    let Some(id) = session_id(&transaction, session)? else { return Ok(None) };
    Ok(Some(head_of(&transaction, id)?).filter(|head| head.last > Position::START))
}

fn session_id(connection: &Connection, session: &SessionId) -> Result<Option<i64>> {
    connection
        .prepare_cached("SELECT id FROM sessions WHERE name = ?1")?
        .query_row([session.as_str()], |row| row.get(0))
        .optional()
}

fn head_of(connection: &Connection, id: i64) -> Result<Head> {
    // Two queries, for which SQLite looks at the two ends; one for both looks at every row.
    connection
        .prepare_cached(
            "SELECT (SELECT min(key) FROM entries WHERE key BETWEEN ?1 AND ?2),
                    (SELECT max(key) FROM entries WHERE key BETWEEN ?1 AND ?2)",
        )?
        .query_row([key::of(id, Position::START), key::last(id)], |row| {
            Ok(Head { first: key::position(row.get(0)?), last: key::position(row.get(1)?) })
        })
}

pub(super) fn list(
    connection: &mut Connection,
    after: Option<&SessionId>,
    limit: usize,
) -> Result<Vec<SessionId>> {
    let after = after.map_or("", SessionId::as_str);
    connection
        .prepare_cached(
            "SELECT name FROM sessions WHERE name > ?1
             AND EXISTS (SELECT 1 FROM entries WHERE key BETWEEN id << 36 AND id << 36 | 0xfffffffff)
             ORDER BY name LIMIT ?2",
        )?
        .query_map((after, i64::try_from(limit).unwrap_or(i64::MAX)), |row| {
            SessionId::new(row.get_ref(0)?.as_str()?)
                .map_err(|error| Error::FromSqlConversionFailure(0, Type::Text, error.into()))
        })?
        .collect()
}

pub(super) fn blobs(connection: &mut Connection, session: &SessionId) -> Result<Vec<BlobHash>> {
    connection
        .prepare_cached(
            "SELECT blobs.hash FROM sessions JOIN blob_uses ON session = sessions.id
             JOIN blobs ON blobs.id = blob WHERE name = ?1 ORDER BY blobs.hash",
        )?
        .query_map([session.as_str()], |row| row.get(0).map(BlobHash))?
        .collect()
}

pub(super) fn lease(connection: &mut Connection, session: &SessionId) -> Result<Option<Lease>> {
    let lease = connection
        .prepare_cached("SELECT owner, epoch, until_us FROM sessions WHERE name = ?1 AND owner IS NOT NULL")?
        .query_row([session.as_str()], |row| {
            let (owner, epoch): (String, i64) = (row.get(0)?, row.get(1)?);
            // A name that is none was not written by a store, and is nobody's.
            let owner = Owner::new(&owner).ok();
            let until_us = row.get(2)?;
            Ok(owner.map(|owner| Lease { owner, epoch: epoch.unsigned_abs(), until_us }))
        })
        .optional()?;
    Ok(lease.flatten())
}

pub(super) fn size_bytes(connection: &mut Connection, session: &SessionId) -> Result<u64> {
    let transaction = connection.transaction()?;
    let Some(id) = session_id(&transaction, session)? else { return Ok(0) };
    transaction
        .prepare_cached(
            "SELECT (SELECT coalesce(sum(length(bytes)), 0) FROM entries WHERE key BETWEEN ?1 AND ?2)
                  + (SELECT coalesce(sum(length(bytes)), 0) FROM blob_uses JOIN blobs ON blobs.id = blob
                     WHERE session = ?3)",
        )?
        .query_row([key::of(id, Position::START), key::last(id), id], |row| row.get(0).map(i64::unsigned_abs))
}

/// Reads a blob as it is.
pub(super) fn blob(connection: &mut Connection, hash: BlobHash) -> Result<Option<Blob>> {
    connection
        .prepare_cached("SELECT bytes FROM blobs WHERE hash = ?1")?
        .query_row([&hash.0], |row| Ok(Blob::new(row.get::<_, Vec<u8>>(0)?)))
        .optional()
}
