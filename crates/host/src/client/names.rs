//! What a session calls its cells and events, whichever host they are of.
//!
//! A host numbers the cells and the events of a session from 1. When the session has lost its host and goes on in another,
//! these begin again; its owner must never see an id twice. So the cells of a later host have its number before their name, and
//! its events are counted on from the last that was seen.

use carrel_contract::error::InvalidId;
use carrel_contract::{CellId, Seq, SessionId};

/// The names of one session in one host.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) session_id: SessionId,
    /// Counted from 1.
    pub(crate) generation: u32,
    /// What the session's events have been counted to before.
    pub(crate) base: u64,
}

impl Names {
    fn prefix(&self) -> String {
        format!("host{}-", self.generation)
    }

    /// Returns a cell's id as its owner knows it.
    pub(crate) fn outward(&self, cell_id: &CellId) -> Result<CellId, InvalidId> {
        if self.generation == 1 {
            return Ok(cell_id.clone());
        }
        CellId::new(&format!("{}{cell_id}", self.prefix()))
    }

    /// Returns a cell's id as the host knows it; `None` when it is not of this host.
    pub(crate) fn inward(&self, cell_id: &CellId) -> Option<CellId> {
        if self.generation == 1 {
            return Some(cell_id.clone());
        }
        CellId::new(cell_id.as_str().strip_prefix(&self.prefix())?).ok()
    }

    pub(crate) fn seq_outward(&self, seq: Seq) -> Seq {
        Seq(seq.0.saturating_add(self.base))
    }

    pub(crate) fn seq_inward(&self, seq: Seq) -> Seq {
        Seq(seq.0.saturating_sub(self.base))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_later_host_are_others_and_come_back() {
        let session_id = SessionId::new("s").unwrap();
        let cell = CellId::new("cell-1").unwrap();
        let first = Names { session_id: session_id.clone(), generation: 1, base: 0 };
        let second = Names { session_id, generation: 2, base: 40 };
        assert_eq!(first.outward(&cell).unwrap(), cell);
        let renamed = second.outward(&cell).unwrap();
        assert_ne!(renamed, cell);
        assert_eq!(second.inward(&renamed), Some(cell.clone()));
        assert_eq!(second.inward(&cell), None);
        assert_eq!(second.seq_inward(second.seq_outward(Seq(3))), Seq(3));
    }
}
