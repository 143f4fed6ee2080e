//! Reads a journal into what its session was: from the newest fold on, which is looked for from the end.

use std::ops::ControlFlow;
use std::sync::Arc;

use carrel_contract::SessionId;
use carrel_contract::error::{Corrupt, ResumeError, StorageFailed, UnknownSession};
use carrel_journal::error::StoreError;
use carrel_journal::fold::{Fold, ReadFoldError};
use carrel_journal::record::Value;
use carrel_journal::{
    Beginning, BeginningError, Blob, BlobHash, Head, Position, Record, Store, Tail, reread,
};

use super::History;
use super::extent::{Extent, FoldMark};
use super::trust::Trust;
use super::words::Nonsense;

/// What is read at once.
const PAGE_BYTES: usize = 4 * 1024 * 1024;
/// How many entries are looked through for a fold first; then four times as many, and so on.
const FIRST_LOOK: u64 = 64;

/// What a journal came to.
pub(crate) struct Recovered {
    pub(crate) history: History,
    /// Where to write on.
    pub(crate) tail: Tail,
    /// What of the journal was read.
    pub(crate) extent: Extent,
}

/// A fold, as its record names it.
struct Named {
    blob: BlobHash,
    /// The last entry that it stands for.
    upto: Position,
    bytes: u64,
}

/// Reads a session's journal to its end; its owner may cut it meanwhile.
///
/// # Errors
/// When there is none, when it is damaged, which names the place, or when the store fails.
pub(crate) async fn recover(
    store: &Arc<dyn Store>,
    session_id: &SessionId,
    trust: &Trust,
    now_us: i64,
) -> Result<Recovered, ResumeError> {
    reread(&**store, session_id, || attempt(store, session_id, trust, now_us)).await
}

async fn attempt(
    store: &Arc<dyn Store>,
    session_id: &SessionId,
    trust: &Trust,
    now_us: i64,
) -> Result<Recovered, ResumeError> {
    let head = store.head(session_id).await.map_err(|error| failed(session_id, &error))?;
    let Some(head) = head.filter(|head| head.last > Position::START) else {
        return Err(UnknownSession { session_id: session_id.clone() }.into());
    };
    let named = newest_fold(store, session_id, head).await?;
    let mut extent = Extent::default();
    let unfolded = match named {
        Some(named) => Some((unfold(store, session_id, &named, trust, now_us).await?, named)),
        None => None,
    };
    let unfolded = match unfolded {
        // What the snapshot was to save a cell from is in the journal, where nothing was cut off it.
        Some((history, _)) if history.lacks_beginnings() && is_whole(store, session_id).await? => None,
        unfolded => unfolded,
    };
    let (mut history, mut tail) = match unfolded {
        Some((history, named)) => {
            extent.folds.push_back(FoldMark { upto: named.upto, written: 0 });
            extent.fold_bytes = named.bytes;
            (Some(history), Tail::after(session_id.clone(), named.upto))
        }
        None if head.first > Position::START.next() => {
            return Err(corrupt(
                session_id,
                &"its beginning is cut off, and nothing is left that says what it was",
            ));
        }
        None => (None, Tail::start(session_id.clone())),
    };
    loop {
        let page = store.read(session_id, tail.position(), PAGE_BYTES).await;
        let page = page.map_err(|error| failed(session_id, &error))?;
        if page.entries.is_empty() {
            break;
        }
        for (position, bytes) in page.entries {
            extent.bytes += bytes.len() as u64;
            let records = tail.read(position, &bytes).map_err(|error| corrupt(session_id, &error))?;
            for mut record in records {
                extent.named.extend(record.blobs().into_iter().map(|hash| (position, hash)));
                extent.bytes += fill(store, session_id, record.values_mut()).await?;
                let read = match &mut history {
                    Some(history) => history.read(record),
                    None => History::new(record, trust.clone(), now_us).map(|made| history = Some(made)),
                };
                read.map_err(|Nonsense(what)| {
                    corrupt(session_id, &format!("entry {position}: a record makes no sense: {what}"))
                })?;
            }
        }
    }
    let history = history.ok_or_else(|| corrupt(session_id, &"its journal has no records"))?;
    Ok(Recovered { history, tail, extent })
}

/// Looks for what a journal begins with, and unfolds it where that is a fold.
pub(crate) async fn begin(
    store: &Arc<dyn Store>,
    session_id: &SessionId,
    trust: &Trust,
    now_us: i64,
) -> Result<(Beginning, Option<History>), ResumeError> {
    let mut beginning = Beginning::of(&**store, session_id).await.map_err(|error| match error {
        BeginningError::Store(error) => failed(session_id, &error),
        error => corrupt(session_id, &error),
    })?;
    let Some((_, fold)) = &mut beginning.fold else { return Ok((beginning, None)) };
    let mut fold = (**fold).clone();
    fill(store, session_id, fold.values_mut()).await?;
    let history = History::unfold(fold, trust.clone(), now_us).map_err(|Nonsense(what)| {
        corrupt(session_id, &format!("the fold that it begins with makes no sense: {what}"))
    })?;
    Ok((beginning, Some(history)))
}

/// Reads a session's journal, from after a position, record by record, until it is told to stop.
pub(crate) async fn read(
    store: &Arc<dyn Store>,
    session_id: &SessionId,
    after: Position,
    mut take: impl FnMut(Record) -> Result<ControlFlow<()>, Nonsense>,
) -> Result<(), ResumeError> {
    let mut tail = Tail::after(session_id.clone(), after);
    loop {
        let page = store.read(session_id, tail.position(), PAGE_BYTES).await;
        let page = page.map_err(|error| failed(session_id, &error))?;
        if page.entries.is_empty() {
            return Ok(());
        }
        for (position, bytes) in page.entries {
            let records = tail.read(position, &bytes).map_err(|error| corrupt(session_id, &error))?;
            for mut record in records {
                fill(store, session_id, record.values_mut()).await?;
                let taken = take(record).map_err(|Nonsense(what)| {
                    corrupt(session_id, &format!("entry {position}: a record makes no sense: {what}"))
                })?;
                if taken.is_break() {
                    return Ok(());
                }
            }
        }
    }
}

/// Tells whether a journal is there from the session's making on; a fork of one that was cut begins with a fold.
pub(crate) async fn is_whole(store: &Arc<dyn Store>, session_id: &SessionId) -> Result<bool, ResumeError> {
    let mut tail = Tail::start(session_id.clone());
    let page =
        store.read(session_id, Position::START, 1).await.map_err(|error| failed(session_id, &error))?;
    let Some((position, bytes)) = page.entries.into_iter().next() else { return Ok(false) };
    if position > Position::START.next() {
        return Ok(false);
    }
    let records = tail.read(position, &bytes).map_err(|error| corrupt(session_id, &error))?;
    Ok(matches!(records.first(), Some(Record::SessionCreated { .. })))
}

/// Looks for the newest fold, from the end, a little at a time: what is found costs what came after it.
async fn newest_fold(
    store: &Arc<dyn Store>,
    session_id: &SessionId,
    head: Head,
) -> Result<Option<Named>, ResumeError> {
    let (mut upto, mut look) = (head.last, FIRST_LOOK);
    let beginning = Position(head.first.0.saturating_sub(1));
    while upto > beginning {
        let after = Position(upto.0.saturating_sub(look)).max(beginning);
        let mut found = None;
        let mut tail = Tail::after(session_id.clone(), after);
        while tail.position() < upto {
            let page = store.read(session_id, tail.position(), PAGE_BYTES).await;
            let entries = page.map_err(|error| failed(session_id, &error))?.entries;
            if entries.is_empty() {
                break;
            }
            for (position, bytes) in entries.into_iter().filter(|(position, _)| *position <= upto) {
                for record in tail.read(position, &bytes).map_err(|error| corrupt(session_id, &error))? {
                    if let Record::Folded { lag, blob, bytes, .. } = record {
                        found = Some(Named { blob, upto: Position(position.0.saturating_sub(lag)), bytes });
                    }
                }
            }
        }
        if found.is_some() {
            return Ok(found);
        }
        (upto, look) = (after, look.saturating_mul(4));
    }
    Ok(None)
}

async fn unfold(
    store: &Arc<dyn Store>,
    session_id: &SessionId,
    named: &Named,
    trust: &Trust,
    now_us: i64,
) -> Result<History, ResumeError> {
    let mut fold = Fold::read(&**store, named.blob).await.map_err(|error| match error {
        ReadFoldError::Store(error) => failed(session_id, &error),
        error => corrupt(session_id, &error),
    })?;
    fill(store, session_id, fold.values_mut()).await?;
    History::unfold(fold, trust.clone(), now_us).map_err(|Nonsense(what)| {
        corrupt(session_id, &format!("the fold up to entry {} makes no sense: {what}", named.upto))
    })
}

/// Puts back what is kept in blobs. Returns how many bytes that was.
async fn fill(
    store: &Arc<dyn Store>,
    session_id: &SessionId,
    values: Vec<&mut Value>,
) -> Result<u64, ResumeError> {
    let mut filled = 0;
    for value in values {
        let Value::Blob { hash, .. } = value else { continue };
        let blob = blob(store, session_id, *hash).await?;
        filled += blob.bytes().len() as u64;
        match String::from_utf8(blob.into_bytes().into()) {
            Ok(text) => *value = Value::Inline(text),
            Err(_) => return Err(corrupt(session_id, &format!("blob {hash} is no text"))),
        }
    }
    Ok(filled)
}

async fn blob(store: &Arc<dyn Store>, session_id: &SessionId, hash: BlobHash) -> Result<Blob, ResumeError> {
    let blob = store.get_blob(hash).await.map_err(|error| failed(session_id, &error))?;
    blob.ok_or_else(|| corrupt(session_id, &format!("blob {hash} is not there")))
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
