//! Keeps a journal short: folds what it says when that has become much, and cuts off what was before.
//!
//! A fold is made beside the session, which goes on: the journal is read as after a crash, from the fold before, and what it
//! comes to is kept as a blob. The record that names it says up to where it goes, so whatever was written meanwhile is read
//! on top of it. Lost at any point, there is the journal as it was.

use std::sync::Arc;

use carrel_journal::record::Value;
use carrel_journal::{Record, fold};

use super::extent::{Extent, FoldMark};
use super::recovery::{Recovered, recover};
use super::writer::Journal;
use crate::shared::Core;

/// Texts from this length on are blobs beside a fold: so many of them that its record could not name them all do not come
/// together.
const BLOB_BYTES: usize = 256 * 1024;

/// So many blobs a record names at most: 34 bytes each, in an entry of 512 KiB.
const MOST_BLOBS: usize = 15_000;

/// What is written while a journal is folded is no more than so many times what made that due; then who writes waits.
const OVER: u64 = 16;

/// When a journal is folded, and what is left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Folding {
    /// It is folded when so many bytes were written since the fold before, or as many as that took, if these are more:
    /// 1 MiB by default. Coming back takes as long as reading so much does.
    pub after_bytes: u64,
    /// So many bytes before its end are kept for those who read it: 8 MiB by default. What is older goes.
    pub kept_bytes: u64,
    /// The same of a persistent session: 64 MiB by default. A build of another image computes its variables again by
    /// running all of its cells, and can do so as long as the journal has its beginning.
    pub kept_notebook_bytes: u64,
    /// What a journal is folded into is kept in blobs of up to so many bytes: 64 MiB by default.
    pub part_bytes: usize,
}

impl Default for Folding {
    fn default() -> Self {
        Self {
            after_bytes: 1024 * 1024,
            kept_bytes: 8 * 1024 * 1024,
            kept_notebook_bytes: 64 * 1024 * 1024,
            part_bytes: fold::PART_BYTES,
        }
    }
}

/// Whoever has this folds the journal.
pub(crate) struct Folder(Arc<Journal>);

impl Folder {
    pub(crate) fn journal(&self) -> &Arc<Journal> {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        self.0.with_extent(|written| written.is_folding = false);
        self.0.say_caught_up();
    }
}

impl Journal {
    /// Tells whether a journal should be folded and nobody is at it; who is told so has to do it.
    pub(crate) fn fold_if_due(this: &Arc<Self>, folding: Folding) -> Option<Folder> {
        let is_due = this.with_extent(|written| {
            let is_due = !written.is_folding && written.is_due(folding);
            if is_due {
                written.is_folding = true;
                written.longest = OVER * folding.after_bytes.max(written.fold_bytes);
            }
            is_due
        });
        is_due.then(|| Folder(Arc::clone(this)))
    }

    /// Waits until it is not being folded, and has it never folded again.
    pub(crate) async fn stays_as_it_is(&self) {
        *self.folding.lock().await = true;
    }
}

/// Folds the journal of a session, and cuts off what is not needed, until that is not due any more.
pub(crate) async fn keep_short(core: &Arc<Core>, folder: Folder) {
    let (journal, folding) = (folder.journal(), core.shared.folding);
    let kept_bytes = match core.notebook {
        Some(_) => folding.kept_bytes.max(folding.kept_notebook_bytes),
        None => folding.kept_bytes,
    };
    let is_over = journal.folding.lock().await;
    while !*is_over && journal.with_extent(|extent| extent.is_due(folding)) && journal.trouble().is_none() {
        if let Err(what) = fold_now(core, journal).await {
            tracing::warn!(session = %core.id, %what, "the journal was not folded");
            return;
        }
        journal.say_caught_up();
        let cut = journal.with_extent(|extent| {
            let is_enough = |fold: &&FoldMark| extent.bytes - fold.written >= kept_bytes;
            extent.folds.iter().rev().find(is_enough).map(|fold| fold.upto)
        });
        if let Some(upto) = cut {
            journal.with_extent(|extent| extent.cut_after(upto));
            core.flush();
        }
    }
}

async fn fold_now(core: &Arc<Core>, journal: &Journal) -> Result<(), String> {
    let begun = journal.with_extent(Extent::begin_fold);
    let recovered = recover(&journal.store, &core.id, &core.shared.trust, core.now_us()).await;
    let Recovered { history, tail, .. } = recovered.map_err(|error| error.to_string())?;
    let upto = tail.position();
    let mut fold = core.aside(move || history.fold()).await;
    let mut bytes = 0;
    for value in fold.values_mut() {
        let Value::Inline(text) = value else { continue };
        if text.len() < BLOB_BYTES {
            continue;
        }
        let length = text.len() as u64;
        bytes += length;
        // Most are there already, and are kept once.
        let kept = journal.keep(std::mem::take(text).into_bytes()).await;
        let hash = kept.map_err(|trouble| trouble.to_string())?;
        *value = Value::Blob { hash, bytes: length };
    }
    let mut blobs = fold.blobs();
    let encoded = core.aside(move || fold.to_bytes()).await;
    bytes += encoded.len() as u64;
    let mut parts = Vec::new();
    for part in fold::parts(&encoded, core.shared.folding.part_bytes) {
        parts.push(journal.keep(part.to_vec()).await.map_err(|trouble| trouble.to_string())?);
    }
    let blob = match *parts.as_slice() {
        [whole] => whole,
        _ => journal.keep(fold::list(&parts)).await.map_err(|trouble| trouble.to_string())?,
    };
    blobs.extend(parts.into_iter().filter(|part| *part != blob));
    if blobs.len() > MOST_BLOBS {
        return Err(format!("it would name {} blobs, and a record has room for {MOST_BLOBS}", blobs.len()));
    }
    core.note(|| Record::Folded { lag: upto.0, blob, blobs, bytes });
    core.settled().await.map_err(|trouble| trouble.to_string())?;
    journal.with_extent(|extent| {
        extent.fold_bytes = bytes;
        extent.folds.push_back(FoldMark { upto, written: begun });
    });
    Ok(())
}
