//! Which records are events of the session's log, and the numbers that they have there.
//!
//! A session numbers its events and not its records, so a reader of the journal has to count as the session did: every
//! record that an observer can see is an event, and the others, of which nothing outside the session comes, are none.

use std::collections::HashSet;

use carrel_contract::Seq;

use crate::Record;
use crate::fold::Fold;

/// Gives records, read in their order, the numbers of their events.
#[derive(Clone, Debug, Default)]
pub struct Numbering {
    last: Seq,
    /// Questions about the tools, by cell and handle: their answers are no events.
    asked: HashSet<(u64, i64)>,
}

impl Numbering {
    /// Goes on after a fold.
    #[must_use]
    pub fn after(fold: &Fold) -> Self {
        let asked = fold
            .running
            .iter()
            .flat_map(|cell| cell.questions.iter().map(|(handle, _)| (cell.cell, *handle)));
        Self { last: Seq(fold.last), asked: asked.collect() }
    }

    /// Returns the number of the event that a record is; `None` when it is none.
    pub fn number(&mut self, record: &Record) -> Option<Seq> {
        let is_event = match record {
            Record::Asked { cell, call, .. } => {
                self.asked.insert((*cell, *call));
                false
            }
            Record::Answered { cell, call, .. } => !self.asked.remove(&(*cell, *call)),
            Record::CellEnded { cell, .. } => {
                self.asked.retain(|(asking, _)| asking != cell);
                true
            }
            Record::CellAdmitted { .. }
            | Record::ToolCalled { .. }
            | Record::Output { .. }
            | Record::Notified { .. }
            | Record::ControlYielded { .. }
            | Record::ToolProgressed { .. }
            | Record::PersonAwaited { .. }
            | Record::PersonAnswered { .. } => true,
            Record::SessionCreated { .. }
            | Record::Adopted { .. }
            | Record::Forked { .. }
            | Record::ToolsSet { .. }
            | Record::CellBegun { .. }
            | Record::TimerSet { .. }
            | Record::TimerCleared { .. }
            | Record::TimerFired { .. }
            | Record::NotifyDelivered { .. }
            | Record::Warned { .. }
            | Record::Stored { .. }
            | Record::Unstored { .. }
            | Record::SnapshotTaken { .. }
            | Record::Checkpoint { .. }
            | Record::VariablesLeft { .. }
            | Record::VariablesLost { .. }
            | Record::Folded { .. }
            | Record::ReaderMoved { .. } => false,
        };
        is_event.then(|| {
            self.last = self.last.next();
            self.last
        })
    }

    /// Returns the number of the last event so far.
    #[must_use]
    pub fn last(&self) -> Seq {
        self.last
    }
}
