//! What an owner must be told of a session in memory when its host is gone: which cells ran, and what else is lost.
//!
//! It is told once. The cells that ran have an outcome here, which can be read again like any other.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use carrel_contract::{
    CellId, CellResponse, Event, EventKind, Notice, Observation, Seq, Terminated, TerminationReason,
};

/// Outcomes that are remembered to have been: those of newer hosts, in the order of their ends.
const REMEMBERED: usize = 10_000;

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Ledger {
    running: BTreeSet<CellId>,
    /// Each with the host that said so, counted from 0.
    ended: BTreeMap<CellId, u64>,
    host: u64,
    ended_order: VecDeque<CellId>,
    /// Cells that came to their end in the host that there is.
    outcomes: u64,
    lost: BTreeMap<CellId, Lost>,
    expired: BTreeSet<CellId>,
    expired_order: VecDeque<CellId>,
    events: VecDeque<Event>,
    notice: Option<Notice>,
}

#[derive(Debug)]
struct Lost {
    seq: Seq,
    detail: String,
    was_read: bool,
}

/// What a host's word of a cell's end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Close {
    /// The first.
    First,
    /// The first of this host, which went on with a cell that another had ended, and could not write that down.
    Again,
    /// One too many.
    Twice,
}

/// Where a cell stands that may not be of the host that there is.
#[derive(Debug)]
pub(super) enum Standing {
    /// It was lost, with this outcome.
    Lost(Box<CellResponse>),
    /// It had ended, and its outcome was lost.
    Expired,
    /// It is not known here.
    Elsewhere,
}

impl Ledger {
    pub(super) fn started(&mut self, cell_id: CellId) {
        // Its end may have come before its admission was looked at.
        if !self.ended.contains_key(&cell_id) {
            self.running.insert(cell_id);
        }
    }

    /// Notes the admission of a cell by a host whose loss has been noted already. Returns the number of the last event.
    pub(super) fn started_and_lost(&mut self, cell_id: CellId, detail: &str, newest: Seq) -> Seq {
        if self.expired.contains(&cell_id) || self.lost.contains_key(&cell_id) {
            return newest;
        }
        let newest = self.end(cell_id.clone(), detail, newest);
        if let Some(Notice::HostLost { cells, .. }) = &mut self.notice {
            cells.push(cell_id);
        } else {
            let (detail, cells) = (detail.to_owned(), vec![cell_id]);
            self.notice = Some(Notice::HostLost { detail, cells, outcomes: 0, values: false });
        }
        newest
    }

    /// Gives a cell that was lost its outcome and its event.
    fn end(&mut self, cell_id: CellId, detail: &str, newest: Seq) -> Seq {
        let seq = newest.next();
        let reason = TerminationReason::HostLost { detail: detail.to_owned() };
        self.events.push_back(Event::new(seq, cell_id.clone(), EventKind::CellTerminated { reason }));
        self.lost.insert(cell_id, Lost { seq, detail: detail.to_owned(), was_read: false });
        seq
    }

    /// Notes that the session goes on in another host.
    pub(super) fn moved(&mut self) {
        self.host += 1;
    }

    /// Notes the end of a cell.
    pub(super) fn closed(&mut self, cell_id: &CellId) -> Close {
        self.running.remove(cell_id);
        match self.ended.insert(cell_id.clone(), self.host) {
            None => {}
            Some(host) if host == self.host => return Close::Twice,
            Some(_) => return Close::Again,
        }
        self.outcomes += 1;
        self.ended_order.push_back(cell_id.clone());
        if self.ended_order.len() > REMEMBERED
            && let Some(oldest) = self.ended_order.pop_front()
        {
            self.ended.remove(&oldest);
        }
        Close::First
    }

    /// Notes that the host is gone. Returns the number of the last event that tells of it, counted on from `newest`.
    pub(super) fn lose(&mut self, detail: &str, mut newest: Seq) -> Seq {
        let running = std::mem::take(&mut self.running);
        for cell_id in &running {
            newest = self.end(cell_id.clone(), detail, newest);
        }
        self.ended.clear();
        let mut expired = std::mem::take(&mut self.ended_order);
        while self.events.len() > REMEMBERED {
            if let Some(oldest) = self.events.pop_front() {
                self.lost.remove(&oldest.cell_id);
                expired.push_back(oldest.cell_id);
            }
        }
        for ended in expired {
            if self.expired.insert(ended.clone()) {
                self.expired_order.push_back(ended);
            }
        }
        while self.expired_order.len() > REMEMBERED {
            if let Some(oldest) = self.expired_order.pop_front() {
                self.expired.remove(&oldest);
            }
        }
        let outcomes = std::mem::take(&mut self.outcomes);
        if let Some(Notice::HostLost { cells, outcomes: before, values, .. }) = &mut self.notice {
            // The last loss was not told yet.
            let room = REMEMBERED.saturating_sub(cells.len());
            cells.extend(running.into_iter().take(room));
            *before += outcomes;
            *values |= outcomes > 0;
        } else {
            let cells = running.into_iter().collect();
            self.notice =
                Some(Notice::HostLost { detail: detail.to_owned(), cells, outcomes, values: outcomes > 0 });
        }
        newest
    }

    /// Takes what the next response has to tell.
    pub(super) fn take_notice(&mut self) -> Option<Notice> {
        self.notice.take()
    }

    pub(super) fn standing(&mut self, cell_id: &CellId, reads: bool) -> Standing {
        if self.expired.contains(cell_id) {
            return Standing::Expired;
        }
        let Some(lost) = self.lost.get_mut(cell_id) else { return Standing::Elsewhere };
        let reason = TerminationReason::HostLost { detail: lost.detail.clone() };
        let mut outcome = Terminated::new(Observation::new(cell_id.clone(), lost.seq), reason);
        outcome.read_before = lost.was_read;
        lost.was_read |= reads;
        Standing::Lost(Box::new(CellResponse::Terminated(outcome)))
    }

    /// Returns the first event after a cursor that told of a loss.
    pub(super) fn event_after(&self, after: Seq) -> Option<Event> {
        self.events.iter().find(|event| event.seq > after).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(n: u32) -> CellId {
        CellId::new(&format!("cell-{n}")).unwrap()
    }

    #[test]
    fn what_is_lost_is_told_once_and_stays_readable() {
        let mut ledger = Ledger::default();
        for n in 1..=3 {
            ledger.started(cell(n));
        }
        ledger.closed(&cell(1));
        assert_eq!(ledger.lose("killed", Seq(10)), Seq(12));
        let Some(Notice::HostLost { cells, outcomes, values, .. }) = ledger.take_notice() else {
            panic!("told")
        };
        assert_eq!((cells, outcomes, values), (vec![cell(2), cell(3)], 1, true));
        assert_eq!(ledger.take_notice(), None);
        assert!(matches!(ledger.standing(&cell(1), true), Standing::Expired));
        assert!(matches!(ledger.standing(&cell(9), true), Standing::Elsewhere));
        for was_read in [false, true] {
            let Standing::Lost(response) = ledger.standing(&cell(2), true) else { panic!("it is lost") };
            assert!(matches!(*response, CellResponse::Terminated(done) if done.read_before == was_read));
        }
        assert_eq!(ledger.event_after(Seq(11)).map(|event| event.cell_id), Some(cell(3)));
    }

    #[test]
    fn a_cell_that_ended_before_it_was_known_is_not_running() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.closed(&cell(1)), Close::First);
        assert_eq!(ledger.closed(&cell(1)), Close::Twice);
        ledger.started(cell(1));
        ledger.lose("killed", Seq(0));
        let Some(Notice::HostLost { cells, .. }) = ledger.take_notice() else { panic!("told") };
        assert!(cells.is_empty());
    }

    #[test]
    fn a_cell_whose_admission_is_looked_at_after_the_loss_is_told_too() {
        let mut ledger = Ledger::default();
        ledger.started(cell(1));
        ledger.closed(&cell(2));
        assert_eq!(ledger.lose("killed", Seq(5)), Seq(6));
        assert!(ledger.take_notice().is_some());
        assert_eq!(ledger.started_and_lost(cell(2), "killed", Seq(6)), Seq(6), "it had ended");
        assert_eq!(ledger.started_and_lost(cell(3), "killed", Seq(6)), Seq(7));
        let Some(Notice::HostLost { cells, outcomes, values, .. }) = ledger.take_notice() else {
            panic!("told")
        };
        assert_eq!((cells, outcomes, values), (vec![cell(3)], 0, false));
        assert!(matches!(ledger.standing(&cell(3), true), Standing::Lost(_)));
    }

    #[test]
    fn a_cell_whose_end_was_not_written_down_ends_again_in_the_next_host() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.closed(&cell(1)), Close::First);
        ledger.moved();
        assert_eq!(ledger.closed(&cell(1)), Close::Again);
        assert_eq!(ledger.closed(&cell(1)), Close::Twice);
    }
}
