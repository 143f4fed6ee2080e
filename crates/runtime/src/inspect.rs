//! Says what a session that is kept has come to, without taking it over: whoever has it goes on undisturbed.

use std::collections::BTreeMap;
use std::sync::Arc;

use carrel_contract::error::{ResumeError, StorageFailed};
use carrel_contract::{CellId, Seq, SessionId, SessionSpec, StoredKey};
use carrel_journal::error::StoreError;
use carrel_journal::record::{Outcome, Value};
use carrel_journal::{Position, Record, Store, Tail, reread};

use crate::environment::{Environment as _, SystemEnvironment};
use crate::journal::{self, Trust};
use crate::number::CellNumber;

/// What is read at once.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// What a kept session has come to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Kept {
    /// How it was made, with the tools that its next cell gets.
    pub spec: SessionSpec,
    /// The latest time that it knows of, in microseconds since 1970.
    pub used_at_us: i64,
    /// How many cells it has admitted.
    pub admitted: u64,
    /// The cells that have not ended, and those that ended and whose outcome can still be read, oldest first.
    pub cells: Vec<KeptCell>,
    /// Its stored values, by their keys.
    pub stored: Vec<StoredKey>,
}

/// A cell of a kept session.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KeptCell {
    /// Its id.
    pub id: CellId,
    /// Whether it goes on when the session is resumed.
    pub is_running: bool,
    /// Up to where the session's reader has been given its output.
    pub read_up_to: Seq,
    /// Whether there is more of it than its reader was given.
    pub is_unread: bool,
}

/// A cell as its author wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WrittenCell {
    /// Its id.
    pub id: CellId,
    /// Its source.
    pub source: String,
    /// Whether it ended without an error; `None` while it runs.
    pub succeeded: Option<bool>,
}

/// Reads what a session has come to. Cancel safe.
///
/// # Errors
/// As [`resume`](carrel_contract::CodeModeSessionProvider::resume), but that somebody may have it.
pub async fn inspect(store: &Arc<dyn Store>, session_id: &SessionId) -> Result<Kept, ResumeError> {
    // No VM is made of what is read, so no snapshot matters.
    let recovered = journal::recover(store, session_id, &Trust::none(), SystemEnvironment.now_us()).await?;
    let history = recovered.history;
    let mut spec = history.spec;
    spec.tools = history.past.tools.descriptions().to_vec();
    let mut cells = history.past.log.readers();
    cells.sort_by_key(|cell| CellNumber::of(&cell.id));
    Ok(Kept {
        spec,
        used_at_us: history.now_us,
        admitted: history.past.newest.0,
        cells,
        stored: history.past.stored.committed().keys(),
    })
}

/// Reads the sources of a session's cells, oldest first: of all whose admission the journal still has. Cancel safe.
///
/// # Errors
/// [`ResumeError`]: the store failed, or the journal is damaged.
pub async fn written(
    store: &Arc<dyn Store>,
    session_id: &SessionId,
) -> Result<Vec<WrittenCell>, ResumeError> {
    reread(&**store, session_id, || read_written(store, session_id)).await
}

async fn read_written(
    store: &Arc<dyn Store>,
    session_id: &SessionId,
) -> Result<Vec<WrittenCell>, ResumeError> {
    let failed = |error: StoreError| {
        ResumeError::from(StorageFailed { session_id: session_id.clone(), detail: error.to_string() })
    };
    let head = store.head(session_id).await.map_err(failed)?;
    let before = head.map_or(0, |head| head.first.0.saturating_sub(1));
    let mut tail = Tail::after(session_id.clone(), Position(before));
    let mut cells = BTreeMap::new();
    loop {
        let page = store.read(session_id, tail.position(), PAGE_BYTES).await.map_err(failed)?;
        if page.entries.is_empty() {
            return Ok(cells.into_values().collect());
        }
        for (position, bytes) in page.entries {
            let records = tail.read(position, &bytes).map_err(|damage| {
                ResumeError::from(carrel_contract::error::Corrupt {
                    session_id: session_id.clone(),
                    detail: damage.to_string(),
                })
            })?;
            for record in records {
                match record {
                    Record::CellAdmitted { cell, source, .. } => {
                        let Ok(id) = CellNumber(cell).id() else { continue };
                        let source = text(store, source).await.map_err(failed)?;
                        cells.insert(cell, WrittenCell { id, source, succeeded: None });
                    }
                    Record::CellEnded { cell, outcome, .. } => {
                        if let Some(cell) = cells.get_mut(&cell) {
                            let succeeded = matches!(outcome, Outcome::Completed { failure: None, .. });
                            cell.succeeded = Some(succeeded);
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}

/// Returns a text, from its blob where it is in one; nothing where that is gone.
async fn text(store: &Arc<dyn Store>, value: Value) -> Result<String, StoreError> {
    let hash = match value {
        Value::Inline(text) => return Ok(text),
        Value::Blob { hash, .. } => hash,
    };
    let blob = store.get_blob(hash).await?;
    Ok(blob.map(|blob| String::from_utf8_lossy(blob.bytes()).into_owned()).unwrap_or_default())
}
