//! Reads a journal into what its session was.

use std::ops::ControlFlow;
use std::sync::Arc;

use carrel_contract::SessionId;
use carrel_contract::error::{Corrupt, ResumeError, StorageFailed, UnknownSession};
use carrel_journal::error::StoreError;
use carrel_journal::record::Value;
use carrel_journal::{BlobHash, Position, Record, Store, Tail};

use super::History;
use super::words::Nonsense;

/// What is read at once.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// Reads a session's journal to its end. Returns what it was, and where to write on.
///
/// # Errors
/// When there is none, when it is damaged, which names the place, or when the store fails.
pub(crate) async fn recover(
    store: &Arc<dyn Store>,
    session_id: &SessionId,
    image: BlobHash,
    now_us: i64,
) -> Result<(History, Tail), ResumeError> {
    let mut history: Option<History> = None;
    let tail = read(store, session_id, |record| {
        match &mut history {
            Some(history) => history.read(record)?,
            None => history = Some(History::new(record, image, now_us)?),
        }
        Ok(ControlFlow::Continue(()))
    })
    .await?;
    match history {
        Some(history) => Ok((history, tail)),
        None if tail.position() == Position::START => {
            Err(UnknownSession { session_id: session_id.clone() }.into())
        }
        None => Err(corrupt(session_id, &"its journal has no records")),
    }
}

/// Reads a session's journal, record by record, until it is told to stop. Returns how far it has read.
pub(crate) async fn read(
    store: &Arc<dyn Store>,
    session_id: &SessionId,
    mut take: impl FnMut(Record) -> Result<ControlFlow<()>, Nonsense>,
) -> Result<Tail, ResumeError> {
    let mut tail = Tail::start(session_id.clone());
    loop {
        let page = store.read(session_id, tail.position(), PAGE_BYTES).await;
        let page = page.map_err(|error| failed(session_id, &error))?;
        if page.entries.is_empty() {
            return Ok(tail);
        }
        for (position, bytes) in page.entries {
            let records = tail.read(position, &bytes).map_err(|error| corrupt(session_id, &error))?;
            for mut record in records {
                fill(store, session_id, &mut record).await?;
                let taken = take(record).map_err(|Nonsense(what)| {
                    corrupt(session_id, &format!("entry {position}: a record makes no sense: {what}"))
                })?;
                if taken.is_break() {
                    return Ok(tail);
                }
            }
        }
    }
}

/// Puts back what is kept in blobs.
async fn fill(
    store: &Arc<dyn Store>,
    session_id: &SessionId,
    record: &mut Record,
) -> Result<(), ResumeError> {
    for value in record.values_mut() {
        let Value::Blob { hash, .. } = value else { continue };
        let blob = store.get_blob(*hash).await.map_err(|error| failed(session_id, &error))?;
        let Some(blob) = blob else {
            return Err(corrupt(session_id, &format!("blob {hash} is not there")));
        };
        match String::from_utf8(blob.into_bytes().into()) {
            Ok(text) => *value = Value::Inline(text),
            Err(_) => return Err(corrupt(session_id, &format!("blob {hash} is no text"))),
        }
    }
    Ok(())
}

fn failed(session_id: &SessionId, error: &StoreError) -> ResumeError {
    match error {
        StoreError::DamagedBlob { .. } | StoreError::Damaged { .. } => corrupt(session_id, error),
        _ => StorageFailed { session_id: session_id.clone(), detail: error.to_string() }.into(),
    }
}

fn corrupt(session_id: &SessionId, what: &dyn std::fmt::Display) -> ResumeError {
    Corrupt { session_id: session_id.clone(), detail: what.to_string() }.into()
}
