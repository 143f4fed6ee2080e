//! What the journal of a session has of one of its cells.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use carrel_contract::error::{EngineFailure, HistoryCut, StorageFailed, UnknownCell, UnknownSession};
use carrel_contract::{CellId, Limits, Seq, SessionId, SessionMode, SessionSpec};
use carrel_engine::{Event, Snapshot, StoreQuota, TimeZone};
use carrel_journal::{Position, Record, Store, reread};

use super::variables::{self, Brought};
use super::{RecordingError, Replay};
use crate::cell::{Written, translate};
use crate::journal::{self, History, Left, Nonsense};
use crate::log::SessionLog;
use crate::number::CellNumber;
use crate::shared::Shared;
use crate::stored::Committed;
use crate::tools::ToolTable;

/// A cell as it was recorded, up to its end or up to now. Cheap to clone.
///
/// It was read from the store, and is of one moment: neither what the cell does later nor a replay changes it.
#[derive(Clone)]
pub struct Recording(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) shared: Arc<Shared>,
    pub(super) cell_id: CellId,
    pub(super) limits: Limits,
    pub(super) persistent: bool,
    pub(super) time_zone: TimeZone,
    pub(super) dialect: carrel_engine::Dialect,
    pub(super) source: String,
    /// What ran instead of the source.
    pub(super) code: Option<String>,
    pub(super) seed: u64,
    pub(super) begun_us: i64,
    pub(super) tools: Arc<ToolTable>,
    pub(super) stored: Arc<Committed>,
    pub(super) quota: StoreQuota,
    pub(super) variables: Option<Snapshot>,
    /// What cuts output as it was cut.
    pub(super) log: SessionLog,
    /// What was recorded since it began.
    pub(super) lines: Vec<Line>,
    pub(super) has_ended: bool,
}

/// A record of the cell.
pub(super) struct Line {
    pub(super) seq: Option<Seq>,
    pub(super) record: Record,
    /// What the VM was given, if it is that.
    pub(super) event: Option<Event>,
}

/// What is known of the cell on the way.
#[derive(Default)]
pub(super) struct Found {
    is_admitted: bool,
    /// The variables of the moment at which it began.
    variables: Option<Left>,
    pub(super) ground: Option<Ground>,
    pub(super) lines: Vec<Line>,
    has_ended: bool,
}

pub(super) struct Ground {
    source: String,
    code: Option<String>,
    seed: u64,
    begun_us: i64,
    tools: Arc<ToolTable>,
    stored: Arc<Committed>,
}

impl Inner {
    /// Puts together what was recorded of a cell that has ended, and that began without variables.
    pub(super) fn new(
        shared: Arc<Shared>,
        history: &History,
        cell_id: CellId,
        ground: Ground,
        lines: Vec<Line>,
        time_zone: TimeZone,
    ) -> Self {
        let limits = history.spec.limits.clone();
        Self {
            shared,
            cell_id,
            time_zone,
            dialect: translate::dialect(history.spec.dialect),
            persistent: history.spec.mode == SessionMode::Persistent,
            source: ground.source,
            code: ground.code,
            seed: ground.seed,
            begun_us: ground.begun_us,
            tools: ground.tools,
            stored: ground.stored,
            quota: history.past.stored.quota(),
            variables: None,
            log: SessionLog::new(limits.clone()),
            limits,
            lines,
            has_ended: true,
        }
    }
}

impl Recording {
    /// Reads the journal of a session up to the end of a cell; its owner may cut it meanwhile.
    pub(crate) async fn read(
        shared: Arc<Shared>,
        store: &Arc<dyn Store>,
        session_id: &SessionId,
        cell_id: &CellId,
        time_zone: impl Fn(&SessionSpec) -> Option<TimeZone>,
    ) -> Result<Self, RecordingError> {
        let attempt = || Self::attempt(Arc::clone(&shared), store, session_id, cell_id, &time_zone);
        reread(&**store, session_id, attempt).await
    }

    async fn attempt(
        shared: Arc<Shared>,
        store: &Arc<dyn Store>,
        session_id: &SessionId,
        cell_id: &CellId,
        time_zone: impl Fn(&SessionSpec) -> Option<TimeZone>,
    ) -> Result<Self, RecordingError> {
        let unknown_cell = || UnknownCell { cell_id: cell_id.clone() };
        let number = CellNumber::of(cell_id).ok_or_else(unknown_cell)?;
        let failed = |error: &dyn fmt::Display| StorageFailed {
            session_id: session_id.clone(),
            detail: error.to_string(),
        };
        let head = store.head(session_id).await.map_err(|error| failed(&error))?;
        if head.is_none_or(|head| head.last == Position::START) {
            return Err(UnknownSession { session_id: session_id.clone() }.into());
        }
        let now_us = shared.environment.now_us();
        let begun = journal::begin(store, session_id, &shared.trust, now_us).await;
        let (beginning, mut history) =
            begun.map_err(|error| RecordingError::of_reading(session_id, error))?;
        let mut numbering = beginning.numbering();
        // Of a cell that had begun by then, the beginning is gone.
        let is_cut = history.as_ref().is_some_and(|history| history.has_begun(number));
        let mut found = Found::default();
        let read = journal::read(store, session_id, beginning.upto, |record| {
            let seq = numbering.number(&record);
            let Some(history) = &mut history else {
                history = Some(History::new(record, shared.trust.clone(), now_us)?);
                return Ok(ControlFlow::Continue(()));
            };
            found.read(history, number, seq, record)
        });
        read.await.map_err(|error| RecordingError::of_reading(session_id, error))?;
        let Some(history) = history.filter(|_| !is_cut) else {
            let (session_id, asked) = (session_id.clone(), cell_id.to_string());
            let first = format!("entry {} of its journal", beginning.upto.next());
            return Err(HistoryCut { session_id, asked, first }.into());
        };
        if !found.is_admitted && history.past.newest < number {
            return Err(unknown_cell().into());
        }
        let not_begun = || RecordingError::NotBegun { cell_id: cell_id.clone() };
        let ground = found.ground.ok_or_else(not_begun)?;
        let variables = match found.variables.filter(|_| history.spec.mode == SessionMode::Persistent) {
            None => None,
            Some(left) => match variables::bring(&shared, store, session_id, left, Some(number)).await {
                Ok(Brought::Kept(variables) | Brought::Again(variables)) => Some(variables),
                Ok(Brought::Lost { why }) => {
                    return Err(RecordingError::VariablesLost { cell_id: cell_id.clone(), why });
                }
                Err(error) => return Err(RecordingError::of_reading(session_id, error)),
            },
        };
        let time_zone = time_zone(&history.spec);
        let time_zone = time_zone.ok_or_else(|| failed(&"its time zone is not known here"))?;
        let (lines, has_ended) = (found.lines, found.has_ended);
        let inner = Inner::new(shared, &history, cell_id.clone(), ground, lines, time_zone);
        Ok(Self(Arc::new(Inner { variables, has_ended, ..inner })))
    }

    /// Returns the cell.
    #[must_use]
    pub fn cell_id(&self) -> &CellId {
        &self.0.cell_id
    }

    /// Returns the cell's source, as it was asked for.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// Tells whether the cell had ended when it was read.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.0.has_ended
    }

    /// Returns the number of the last event that was recorded of the cell.
    #[must_use]
    pub fn last(&self) -> Seq {
        self.0.lines.iter().filter_map(|line| line.seq).next_back().unwrap_or_default()
    }

    /// Runs the cell again.
    ///
    /// # Errors
    /// When no VM can be made.
    pub fn replay(&self) -> Result<Replay, EngineFailure> {
        let code = self.0.code.clone().unwrap_or_else(|| self.0.source.clone());
        Replay::begin(Arc::clone(&self.0), code, false)
    }

    /// Runs another source, JavaScript or TypeScript, against the answers that were recorded.
    ///
    /// # Errors
    /// When no VM can be made.
    pub fn replay_edited(&self, source: impl Into<String>) -> Result<Replay, EngineFailure> {
        let (code, _) = Written::read(source.into());
        Replay::begin(Arc::clone(&self.0), code, true)
    }
}

impl Found {
    /// Reads a record, and keeps it where it is of the cell. Breaks at the cell's end.
    pub(super) fn read(
        &mut self,
        history: &mut History,
        number: CellNumber,
        seq: Option<Seq>,
        record: Record,
    ) -> Result<ControlFlow<()>, Nonsense> {
        let is_of_cell = record.cell() == Some(number.0);
        let begins = is_of_cell && matches!(record, Record::CellBegun { .. });
        let ends = is_of_cell && matches!(record, Record::CellEnded { .. });
        if begins {
            self.variables = history.variables;
        }
        let kept = (is_of_cell && (self.ground.is_some() || begins)).then(|| record.clone());
        history.read(record)?;
        self.is_admitted |= is_of_cell;
        let Some(record) = kept else { return Ok(flow(ends)) };
        let cell = history.running.get_mut(&number);
        if let Some(cell) = cell.as_deref().filter(|_| begins) {
            self.ground = Some(Ground {
                source: cell.source.clone(),
                code: cell.code.clone(),
                seed: cell.seed,
                begun_us: cell.begun_us.unwrap_or_default(),
                tools: Arc::clone(&cell.tools),
                stored: Arc::clone(&cell.stored),
            });
        }
        // What was read is put together here, not for a session that goes on.
        let event = cell.and_then(|cell| {
            cell.effects.clear();
            cell.inputs.pop_back()
        });
        self.lines.push(Line { seq, record, event });
        self.has_ended = ends;
        Ok(flow(ends))
    }
}

fn flow(ends: bool) -> ControlFlow<()> {
    if ends { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { cell_id, lines, has_ended, .. } = &*self.0;
        f.debug_struct("Recording")
            .field("cell_id", cell_id)
            .field("records", &lines.len())
            .field("has_ended", has_ended)
            .finish_non_exhaustive()
    }
}
