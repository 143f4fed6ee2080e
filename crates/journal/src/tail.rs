//! The end of a session's journal, as its reader or its one writer knows it.
//!
//! A writer reads the journal through its tail and then writes on with it: the checksum of what was read last is what the
//! next entry is chained to.

use bytes::Bytes;
use carrel_contract::SessionId;

use crate::error::{DamageKind, Damaged};
use crate::{Chain, Position, Record, entry};

/// How far a session's journal was read or written.
#[derive(Clone, Debug)]
pub struct Tail {
    session: SessionId,
    position: Position,
    /// `None` before the first entry that was read of a journal whose beginning is not there.
    chain: Option<Chain>,
}

impl Tail {
    /// Stands before the first entry of a journal.
    #[must_use]
    pub fn start(session: SessionId) -> Self {
        Self { session, position: Position::START, chain: Some(Chain::START) }
    }

    /// Stands after an entry that was not read, to read on from there. Says nothing of what is before.
    #[must_use]
    pub fn after(session: SessionId, position: Position) -> Self {
        if position == Position::START {
            return Self::start(session);
        }
        Self { session, position, chain: None }
    }

    /// Returns the session.
    #[must_use]
    pub fn session(&self) -> &SessionId {
        &self.session
    }

    /// Returns the position of the last entry.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// Checks and reads the next entry, and moves behind it.
    ///
    /// # Errors
    /// [`Damaged`], which names the place, when it is not the next, is not as it was written, or is not for this build to
    /// read. The tail stays where it was.
    pub fn read(&mut self, position: Position, bytes: &[u8]) -> Result<Vec<Record>, Damaged> {
        let checked = self.check(position, bytes)?;
        let (records, chain) = (checked.records()?, checked.chain);
        self.position = position;
        self.chain = Some(chain);
        Ok(records)
    }

    /// Checks the next entry without reading its records, and moves behind it.
    ///
    /// # Errors
    /// [`Damaged`], as from [`read`](Self::read).
    pub fn pass(&mut self, position: Position, bytes: &[u8]) -> Result<(), Damaged> {
        let chain = self.check(position, bytes)?.chain;
        self.position = position;
        self.chain = Some(chain);
        Ok(())
    }

    /// Checks and reads the next entry, each record with its bytes, and moves behind it.
    pub(crate) fn take_apart(
        &mut self,
        position: Position,
        bytes: &[u8],
    ) -> Result<Vec<(Record, Vec<u8>)>, Damaged> {
        let checked = self.check(position, bytes)?;
        let records = checked.each().map(|read| read.map(|(record, bytes)| (record, bytes.to_vec())));
        let (records, chain) = (records.collect::<Result<_, _>>()?, checked.chain);
        (self.position, self.chain) = (position, Some(chain));
        Ok(records)
    }

    /// Makes the next entry of records that are encoded already, and moves behind it.
    pub(crate) fn seal_encoded(&mut self, records: &[u8]) -> Option<Bytes> {
        let position = self.position.next();
        let (bytes, chain) = entry::seal_encoded(&self.session, position, self.chain?, records);
        (self.position, self.chain) = (position, Some(chain));
        Some(bytes)
    }

    /// Checks the next entry, and makes it the next of another journal, with the same records. Moves both.
    pub(crate) fn hand_over(&mut self, bytes: &[u8], other: &mut Self) -> Result<Bytes, Damaged> {
        let position = self.position.next();
        let checked = self.check(position, bytes)?;
        let (next, before) = (other.position.next(), other.chain.unwrap_or(Chain::START));
        let (sealed, other_chain) = entry::seal_encoded(&other.session, next, before, checked.encoded());
        (other.position, other.chain) = (next, Some(other_chain));
        let chain = checked.chain;
        (self.position, self.chain) = (position, Some(chain));
        Ok(sealed)
    }

    fn check<'a>(&'a self, position: Position, bytes: &'a [u8]) -> Result<entry::Checked<'a>, Damaged> {
        if position != self.position.next() {
            let kind = DamageKind::Missing { expected: self.position.next() };
            return Err(Damaged::new(&self.session, position, kind));
        }
        entry::check(&self.session, position, self.chain, bytes)
    }

    /// Makes the next entry, and moves behind it. Whoever cannot be sure to append it keeps a clone of the tail before.
    ///
    /// `None` when the entry before was never read: what it is to be chained to is not known.
    #[must_use]
    pub fn seal(&mut self, records: &[Record]) -> Option<Bytes> {
        let position = self.position.next();
        let (bytes, chain) = entry::seal(&self.session, position, self.chain?, records);
        self.position = position;
        self.chain = Some(chain);
        Some(bytes)
    }
}
