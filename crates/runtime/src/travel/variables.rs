//! The variables of a notebook: taken up as they were saved, or computed again, or lost.
//!
//! They are the memory of a VM, so another build, whose image is another, cannot take them up; nor does this one when they
//! are not signed here. Then the cells that left them run again, against their recorded answers and with no tool called,
//! as far as the journal still has all of them.

use std::ops::ControlFlow;
use std::sync::Arc;

use carrel_contract::error::{ResumeError, StorageFailed};
use carrel_contract::{CellId, SessionId};
use carrel_engine::Snapshot;
use carrel_journal::error::StoreError;
use carrel_journal::{Position, Record, Store};

use super::recording::{Found, Inner};
use super::replay::Replay;
use crate::journal::{self, History, Left, Nonsense};
use crate::number::CellNumber;
use crate::provider::time_zone;
use crate::shared::Shared;

/// What became of variables.
pub(crate) enum Brought {
    /// They are as they were saved.
    Kept(Snapshot),
    /// They were computed again.
    Again(Snapshot),
    /// They are gone.
    Lost {
        /// Why they cannot be used, and why not computed again.
        why: String,
    },
}

/// Brings the variables back that a cell left: the last one before `before`, or of all.
pub(crate) async fn bring(
    shared: &Arc<Shared>,
    store: &Arc<dyn Store>,
    session_id: &SessionId,
    left: Left,
    before: Option<CellNumber>,
) -> Result<Brought, ResumeError> {
    let unusable = match take_up(shared, store, session_id, left).await? {
        Ok(variables) => return Ok(Brought::Kept(variables)),
        Err(unusable) => unusable,
    };
    Ok(match compute(shared, store, session_id, before).await? {
        Ok(variables) => Brought::Again(variables),
        Err(lost) => Brought::Lost { why: format!("{unusable}, and {lost}") },
    })
}

/// Takes variables up as they were saved, or says why that cannot be.
async fn take_up(
    shared: &Shared,
    store: &Arc<dyn Store>,
    session_id: &SessionId,
    left: Left,
) -> Result<Result<Snapshot, String>, ResumeError> {
    if let Err(untrusted) = shared.trust.check(left.blob, left.signature) {
        return Ok(Err(format!("their snapshot is not used: {untrusted}")));
    }
    let blob = match store.get_blob(left.blob).await {
        Ok(Some(blob)) => blob,
        Ok(None) => return Ok(Err("their snapshot is not there".to_owned())),
        Err(error @ StoreError::DamagedBlob { .. }) => return Ok(Err(error.to_string())),
        Err(error) => {
            return Err(StorageFailed { session_id: session_id.clone(), detail: error.to_string() }.into());
        }
    };
    Ok(match Snapshot::from_bytes(blob.bytes()) {
        Ok(variables) if variables.image() == shared.engine.image() => Ok(variables),
        Ok(_) => Err("another build of Carrel saved them".to_owned()),
        Err(error) => Err(error.to_string()),
    })
}

/// Runs all cells again that left variables, one after the other, or says why that cannot be.
async fn compute(
    shared: &Arc<Shared>,
    store: &Arc<dyn Store>,
    session_id: &SessionId,
    before: Option<CellNumber>,
) -> Result<Result<Snapshot, String>, ResumeError> {
    if !journal::is_whole(store, session_id).await? {
        return Ok(Err(
            "the beginning of the journal, of which they could be computed again, is cut off".to_owned()
        ));
    }
    let mut cells =
        Cells { shared: Arc::clone(shared), before, now: None, has_left: false, ended: Vec::new() };
    let mut history = None;
    let now_us = shared.environment.now_us();
    let read = journal::read(store, session_id, Position::START, |record| match &mut history {
        None => {
            history = Some(History::new(record, shared.trust.clone(), now_us)?);
            Ok(ControlFlow::Continue(()))
        }
        Some(history) => cells.read(history, record),
    });
    read.await?;
    let mut variables = None;
    for (cell_id, mut cell) in cells.ended {
        cell.variables = variables.take();
        let code = cell.code.clone().unwrap_or_else(|| cell.source.clone());
        variables = Replay::begin(Arc::new(cell), code, false)?.variables().await;
        if variables.is_none() {
            return Ok(Err(format!("{cell_id}, run again, did not do what it had done")));
        }
    }
    Ok(variables.ok_or_else(|| "the journal does not have the cells that left them".to_owned()))
}

/// The cells of a notebook that left variables, as they are read.
struct Cells {
    shared: Arc<Shared>,
    before: Option<CellNumber>,
    /// The one whose turn it is.
    now: Option<(CellNumber, Found)>,
    /// It has left variables, and its end is about to be read.
    has_left: bool,
    ended: Vec<(CellId, Inner)>,
}

impl Cells {
    fn read(&mut self, history: &mut History, record: Record) -> Result<ControlFlow<()>, Nonsense> {
        match &record {
            Record::CellBegun { cell, .. } => {
                if self.before == Some(CellNumber(*cell)) {
                    return Ok(ControlFlow::Break(()));
                }
                (self.now, self.has_left) = (Some((CellNumber(*cell), Found::default())), false);
            }
            Record::VariablesLeft { cell, .. } => {
                self.has_left |= self.now.as_ref().is_some_and(|(now, _)| now.0 == *cell);
            }
            // The cells after this began with none.
            Record::VariablesLost { .. } => self.ended.clear(),
            _ => {}
        }
        let Some((number, found)) = &mut self.now else {
            history.read(record)?;
            return Ok(ControlFlow::Continue(()));
        };
        let number = *number;
        // Only the order counts here, and not the numbers of events.
        if found.read(history, number, None, record)?.is_break()
            && let Some((_, found)) = self.now.take()
            && let (true, Some(ground)) = (self.has_left, found.ground)
        {
            let zone = time_zone(&history.spec)?;
            let cell_id = number.id()?;
            let inner =
                Inner::new(Arc::clone(&self.shared), history, cell_id.clone(), ground, found.lines, zone);
            self.ended.push((cell_id, inner));
        }
        Ok(ControlFlow::Continue(()))
    }
}
