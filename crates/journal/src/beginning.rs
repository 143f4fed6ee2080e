//! What a journal begins with: the making of its session, or, where that was cut off, a fold.
//!
//! A journal is cut after an entry that a fold goes up to, so among what is left is a record that names this fold, and
//! whoever reads it goes on from there: with what the session was, and with the number of its last event.

use carrel_contract::SessionId;

use crate::error::{DamageKind, Damaged, StoreError};
use crate::fold::{Fold, ReadFoldError};
use crate::{BlobHash, Numbering, Position, Record, Store, Tail};

/// What is read from the store at once.
const PAGE_BYTES: usize = 4 << 20;

/// Where to begin to read a journal.
#[derive(Clone, Debug)]
pub struct Beginning {
    /// The last entry that is not to be read: the journal's start, or where the fold goes up to.
    pub upto: Position,
    /// The fold, with the record that names it; `None` where the journal begins with the making of the session.
    pub fold: Option<(Record, Box<Fold>)>,
}

/// The beginning of a journal was not found.
#[derive(Debug, thiserror::Error)]
pub enum BeginningError {
    /// It was cut off, and no fold stands for it; or it is cut just now.
    #[error("read the journal of session {session}: it was cut, and begins with entry {first}")]
    Cut {
        /// The session.
        session: SessionId,
        /// The first entry that is there.
        first: Position,
    },
    /// The journal is damaged.
    #[error(transparent)]
    Damaged(#[from] Damaged),
    /// The fold is not there.
    #[error("read the journal of session {session}: its blob {hash} is not there")]
    NoBlob {
        /// The session.
        session: SessionId,
        /// The blob.
        hash: BlobHash,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Beginning {
    /// Looks for the beginning of a journal. A session that is not there begins at its start.
    ///
    /// # Errors
    /// [`BeginningError`].
    pub async fn of(store: &dyn Store, session: &SessionId) -> Result<Self, BeginningError> {
        let first = match store.head(session).await? {
            Some(head) if head.last > Position::START => head.first,
            _ => return Ok(Self { upto: Position::START, fold: None }),
        };
        let before = Position(first.0.saturating_sub(1));
        let mut tail = Tail::after(session.clone(), before);
        loop {
            let page = store.read(session, tail.position(), PAGE_BYTES).await?;
            if page.head.first != first || page.entries.is_empty() {
                return Err(BeginningError::Cut { session: session.clone(), first: page.head.first });
            }
            for (position, bytes) in page.entries {
                for record in tail.read(position, &bytes)? {
                    if matches!(record, Record::SessionCreated { .. }) {
                        return Ok(Self { upto: Position::START, fold: None });
                    }
                    let Record::Folded { lag, blob, .. } = record else { continue };
                    let upto = Position(position.0.saturating_sub(lag));
                    if upto < before {
                        continue;
                    }
                    let fold = Fold::read(store, blob).await.map_err(|error| match error {
                        ReadFoldError::NoBlob { hash } => {
                            BeginningError::NoBlob { session: session.clone(), hash }
                        }
                        ReadFoldError::Invalid(error) => {
                            let kind = DamageKind::Record { offset: 0, what: error.to_string() };
                            Damaged::new(session, position, kind).into()
                        }
                        ReadFoldError::Store(error) => error.into(),
                    })?;
                    return Ok(Self { upto, fold: Some((record, Box::new(fold))) });
                }
            }
        }
    }

    /// Returns the numbers that events have from here on.
    #[must_use]
    pub fn numbering(&self) -> Numbering {
        self.fold.as_ref().map(|(_, fold)| Numbering::after(fold)).unwrap_or_default()
    }
}
