//! What the writer does to the tables, inside a transaction that it has begun.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use carrel_contract::SessionId;
use rusqlite::{Connection, OptionalExtension, Result, params};

use super::key;
use crate::error::{AcquireError, AppendError, CompactError, RenewError};
use crate::{Blob, BlobHash, Cut, Lease, Owner, Position};

/// Above this many sessions what is known of them is forgotten: about 10 MB.
const MOST_KNOWN: usize = 100_000;

/// The writer's connection, with what it knows of the tables.
pub(super) struct Books {
    pub(super) connection: Connection,
    pub(super) known: Known,
}

/// Where sessions' journals stand, as long as nobody else writes.
#[derive(Default)]
pub(super) struct Known {
    sessions: HashMap<SessionId, Row>,
    /// SQLite's number for "what others have committed".
    data_version: i64,
}

#[derive(Clone, Copy)]
struct Row {
    id: i64,
    last: Position,
}

impl Known {
    pub(super) fn forget(&mut self) {
        self.sessions.clear();
    }
}

impl Books {
    /// Forgets what others may have changed.
    pub(super) fn refresh(&mut self) -> Result<()> {
        let version =
            self.connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?;
        if version != self.known.data_version || self.known.sessions.len() > MOST_KNOWN {
            self.known.forget();
            self.known.data_version = version;
        }
        Ok(())
    }

    fn find(&mut self, session: &SessionId) -> Result<Option<Row>> {
        if let Some(row) = self.known.sessions.get(session) {
            return Ok(Some(*row));
        }
        let id: Option<i64> = self
            .connection
            .prepare_cached("SELECT id FROM sessions WHERE name = ?1")?
            .query_row([session.as_str()], |row| row.get(0))
            .optional()?;
        let Some(id) = id else { return Ok(None) };
        let last = self
            .connection
            .prepare_cached("SELECT max(key) FROM entries WHERE key BETWEEN ?1 AND ?2")?
            .query_row([key::of(id, Position::START), key::last(id)], |row| row.get(0))
            .map(key::position)?;
        let row = Row { id, last };
        self.known.sessions.insert(session.clone(), row);
        Ok(Some(row))
    }

    fn find_or_make(&mut self, session: &SessionId) -> Result<Row> {
        if let Some(row) = self.find(session)? {
            return Ok(row);
        }
        self.connection
            .prepare_cached("INSERT INTO sessions (name) VALUES (?1)")?
            .execute([session.as_str()])?;
        let id = key::check_session(self.connection.last_insert_rowid(), session)?;
        let row = Row { id, last: Position::START };
        self.known.sessions.insert(session.clone(), row);
        Ok(row)
    }

    pub(super) fn append(
        &mut self,
        session: &SessionId,
        expected: Position,
        entries: &[Bytes],
    ) -> Result<std::result::Result<Position, AppendError>> {
        let actual = self.find(session)?.map_or(Position::START, |row| row.last);
        if actual != expected {
            return Ok(Err(AppendError::Conflict { expected, actual }));
        }
        if entries.is_empty() {
            return Ok(Ok(actual));
        }
        let mut row = self.find_or_make(session)?;
        let mut insert =
            self.connection.prepare_cached("INSERT INTO entries (key, bytes) VALUES (?1, ?2)")?;
        for entry in entries {
            row.last = row.last.next();
            insert.execute(params![key::of(row.id, row.last), entry.as_ref()])?;
        }
        self.known.sessions.insert(session.clone(), row);
        Ok(Ok(row.last))
    }

    pub(super) fn compact(
        &mut self,
        session: &SessionId,
        expected: Position,
        cut: &Cut,
    ) -> Result<std::result::Result<(), CompactError>> {
        let found = self.find(session)?;
        let actual = found.map_or(Position::START, |row| row.last);
        if actual != expected {
            return Ok(Err(CompactError::Conflict { expected, actual }));
        }
        let Some(row) = found else { return Ok(Ok(())) };
        self.connection
            .prepare_cached("DELETE FROM entries WHERE key >= ?1 AND key < ?2")?
            .execute([key::of(row.id, Position::START), key::of(row.id, cut.before.min(row.last))])?;
        let kept: HashSet<_> = cut.blobs.iter().collect();
        for (blob, hash) in self.blobs(row.id)? {
            if !kept.contains(&hash) {
                self.give_up(row.id, blob)?;
            }
        }
        Ok(Ok(()))
    }

    pub(super) fn delete(&mut self, session: &SessionId) -> Result<bool> {
        let Some(row) = self.find(session)? else { return Ok(false) };
        self.known.sessions.remove(session);
        for (blob, _) in self.blobs(row.id)? {
            self.give_up(row.id, blob)?;
        }
        self.connection
            .prepare_cached("DELETE FROM entries WHERE key BETWEEN ?1 AND ?2")?
            .execute([key::of(row.id, Position::START), key::last(row.id)])?;
        self.connection.prepare_cached("DELETE FROM sessions WHERE id = ?1")?.execute([row.id])?;
        Ok(row.last > Position::START)
    }

    fn blobs(&self, session: i64) -> Result<Vec<(i64, BlobHash)>> {
        self.connection
            .prepare_cached(
                "SELECT blobs.id, blobs.hash FROM blob_uses JOIN blobs ON blobs.id = blob WHERE session = ?1",
            )?
            .query_map([session], |row| Ok((row.get(0)?, BlobHash(row.get(1)?))))?
            .collect()
    }

    fn give_up(&self, session: i64, blob: i64) -> Result<()> {
        self.connection
            .prepare_cached("DELETE FROM blob_uses WHERE session = ?1 AND blob = ?2")?
            .execute([session, blob])?;
        self.connection
            .prepare_cached(
                "DELETE FROM blobs WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM blob_uses WHERE blob = ?1)",
            )?
            .execute([blob])?;
        Ok(())
    }

    pub(super) fn put_blob(&mut self, session: &SessionId, blob: &Blob) -> Result<()> {
        let hash = blob.hash();
        if !self.share_blob(session, hash)? {
            self.connection
                .prepare_cached("INSERT INTO blobs (hash, bytes) VALUES (?1, ?2)")?
                .execute(params![&hash.0, blob.bytes().as_ref()])?;
            self.share_blob(session, hash)?;
        }
        Ok(())
    }

    /// Keeps for a session a blob that is there; false when it is not.
    pub(super) fn share_blob(&mut self, session: &SessionId, hash: BlobHash) -> Result<bool> {
        let found: Option<i64> = self
            .connection
            .prepare_cached("SELECT id FROM blobs WHERE hash = ?1")?
            .query_row([&hash.0], |row| row.get(0))
            .optional()?;
        let Some(blob) = found else { return Ok(false) };
        let row = self.find_or_make(session)?;
        self.connection
            .prepare_cached("INSERT OR IGNORE INTO blob_uses (session, blob) VALUES (?1, ?2)")?
            .execute([row.id, blob])?;
        Ok(true)
    }

    pub(super) fn acquire(
        &mut self,
        session: &SessionId,
        owner: &Owner,
        until_us: i64,
        now_us: i64,
    ) -> Result<std::result::Result<Lease, AcquireError>> {
        let row = self.find_or_make(session)?;
        let (epoch, held): (i64, Option<(String, i64)>) = self
            .connection
            .prepare_cached("SELECT epoch, owner, until_us FROM sessions WHERE id = ?1")?
            .query_row([row.id], |row| {
                let owner: Option<String> = row.get(1)?;
                Ok((row.get(0)?, owner.zip(row.get(2)?)))
            })?;
        if let Some((held_by, held_until_us)) = held
            && held_by != owner.as_str()
            && now_us < held_until_us
            // A name that is none was not written by a store, and holds nothing up.
            && let Ok(owner) = Owner::new(&held_by)
        {
            return Ok(Err(AcquireError::OwnedElsewhere { owner, until_us: held_until_us }));
        }
        let epoch = epoch.saturating_add(1);
        self.connection
            .prepare_cached("UPDATE sessions SET epoch = ?2, owner = ?3, until_us = ?4 WHERE id = ?1")?
            .execute(params![row.id, epoch, owner.as_str(), until_us])?;
        Ok(Ok(Lease { owner: owner.clone(), epoch: epoch.unsigned_abs(), until_us }))
    }

    pub(super) fn renew(
        &mut self,
        session: &SessionId,
        lease: Lease,
        until_us: i64,
    ) -> Result<std::result::Result<Lease, RenewError>> {
        let changed = self.change_lease(
            "UPDATE sessions SET until_us = ?4 WHERE name = ?1 AND owner = ?2 AND epoch = ?3",
            session,
            &lease,
            until_us,
        )?;
        Ok(if changed {
            Ok(Lease { until_us, ..lease })
        } else {
            Err(RenewError::Lost { epoch: lease.epoch })
        })
    }

    pub(super) fn release(&mut self, session: &SessionId, lease: &Lease) -> Result<()> {
        self.change_lease(
            "UPDATE sessions SET owner = NULL, until_us = ?4 WHERE name = ?1 AND owner = ?2 AND epoch = ?3",
            session,
            lease,
            0,
        )?;
        Ok(())
    }

    fn change_lease(&self, sql: &str, session: &SessionId, lease: &Lease, until_us: i64) -> Result<bool> {
        let epoch = i64::try_from(lease.epoch).unwrap_or(i64::MAX);
        let changed = self.connection.prepare_cached(sql)?.execute(params![
            session.as_str(),
            lease.owner.as_str(),
            epoch,
            until_us
        ])?;
        Ok(changed > 0)
    }
}
