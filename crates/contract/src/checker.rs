//! The way to a type checker, which looks at a cell before it runs.
//!
//! A session whose [`check`](crate::SessionSpec::check) is set hands each cell to a [`CellChecker`] that its provider was
//! given. The checker never sees a session: a request holds all it needs, so one may serve many sessions, in this
//! process or beside it.

use std::sync::Arc;
use std::time::Duration;

use crate::{CellId, CodeModeFuture, Location, SessionId, ToolDescription};

/// Checks cells against the types of what they use.
pub trait CellChecker: Send + Sync {
    /// Checks a cell. Returns what is wrong with it, in the order of its text; nothing when it may run.
    ///
    /// A syntax error is none of its business: such a cell passes. Dropping the future cancels the check.
    ///
    /// # Errors
    /// [`CheckerUnavailable`] when it cannot tell, and then the cell runs unchecked.
    fn check(&self, request: CheckRequest) -> CodeModeFuture<'_, Vec<TypeDiagnostic>, CheckerUnavailable>;
}

/// A cell that is to be checked, and what it stands on.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CheckRequest {
    /// The cell, in JavaScript or TypeScript.
    pub source: Arc<str>,
    /// The tools it may call. Requests of one session share them.
    pub tools: Arc<[ToolDescription]>,
    /// In a persistent session, the cells that left it their variables, in the order they ran. Requests of one session share their
    /// sources.
    pub earlier: Vec<EarlierCell>,
    /// Which cell it is, for a checker that has to find its session's owner; a check may be of none.
    pub cell: Option<(SessionId, CellId)>,
}

impl CheckRequest {
    /// Makes a request for a cell that stands on its tools alone.
    #[must_use]
    pub fn new(source: Arc<str>, tools: Arc<[ToolDescription]>) -> Self {
        Self { source, tools, earlier: Vec::new(), cell: None }
    }

    /// Adds the cells that ran before.
    #[must_use]
    pub fn with_earlier(mut self, earlier: Vec<EarlierCell>) -> Self {
        self.earlier = earlier;
        self
    }

    /// Says which cell it is.
    #[must_use]
    pub fn of_cell(mut self, session_id: SessionId, cell_id: CellId) -> Self {
        self.cell = Some((session_id, cell_id));
        self
    }
}

/// A cell that has run, and left its top-level declarations to later ones.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EarlierCell {
    /// The cell, as it was written.
    pub source: Arc<str>,
    /// Whether it came to its end without an error. What another one declares is there, but may hold anything.
    pub completed: bool,
}

impl EarlierCell {
    /// Describes a cell that has run.
    #[must_use]
    pub fn new(source: Arc<str>, completed: bool) -> Self {
        Self { source, completed }
    }
}

/// One thing that is wrong with a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TypeDiagnostic {
    /// Where it begins.
    pub location: Location,
    /// The checker's code for it, such as `TS2345`.
    pub code: String,
    /// What is wrong, for the model.
    pub message: String,
}

impl TypeDiagnostic {
    /// Makes a diagnostic.
    pub fn new(location: Location, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { location, code: code.into(), message: message.into() }
    }
}

/// Why a cell could not be checked. Each message finishes "the cell was not checked, because …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckerUnavailable {
    /// There is none.
    #[error("there is no type checker here: {detail}")]
    Absent {
        /// Where it was looked for.
        detail: String,
    },
    /// Too many others are being checked.
    #[error("the type checker was busy with other cells for {limit:?}")]
    Busy {
        /// The longest wait.
        limit: Duration,
    },
    /// The cell, with what it stands on, is too large.
    #[error("it has {bytes} bytes, and the type checker takes {limit}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The check took too long.
    #[error("the check took longer than {limit:?}")]
    TimedOut {
        /// The limit.
        limit: Duration,
    },
    /// The checker failed, or answered what nobody understands.
    #[error("the type checker failed: {detail}")]
    Failed {
        /// What happened.
        detail: String,
    },
}
