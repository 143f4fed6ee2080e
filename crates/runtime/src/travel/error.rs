//! Why a cell cannot be run again.

use carrel_contract::error::{
    Corrupt, EngineFailure, HistoryCut, ResumeError, StorageFailed, UnknownCell, UnknownSession,
};
use carrel_contract::{CellId, SessionId};

/// A cell cannot be run again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// See [`UnknownSession`].
    #[error(transparent)]
    UnknownSession(#[from] UnknownSession),
    /// See [`UnknownCell`].
    #[error(transparent)]
    UnknownCell(#[from] UnknownCell),
    /// It was admitted, and nothing of it ran: it was ended before its turn came, its types did not fit, or its turn is
    /// still to come.
    #[error("replay {cell_id}: nothing of it has run")]
    NotBegun {
        /// The cell.
        cell_id: CellId,
    },
    /// See [`HistoryCut`].
    #[error(transparent)]
    HistoryCut(#[from] HistoryCut),
    /// The variables that it began with can be neither used nor computed again.
    #[error("replay {cell_id}: the variables it began with are lost: {why}")]
    VariablesLost {
        /// The cell.
        cell_id: CellId,
        /// Why.
        why: String,
    },
    /// See [`Corrupt`].
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
    /// See [`StorageFailed`].
    #[error(transparent)]
    StorageFailed(#[from] StorageFailed),
    /// See [`EngineFailure`].
    #[error(transparent)]
    EngineFailure(#[from] EngineFailure),
}

impl RecordingError {
    /// Says why a journal could not be read.
    pub(super) fn of_reading(session_id: &SessionId, error: ResumeError) -> Self {
        match error {
            ResumeError::UnknownSession(error) => error.into(),
            ResumeError::Corrupt(error) => error.into(),
            ResumeError::StorageFailed(error) => error.into(),
            ResumeError::EngineFailure(error) => error.into(),
            other => StorageFailed { session_id: session_id.clone(), detail: other.to_string() }.into(),
        }
    }
}
