//! What a host answered, as its owner gets it: by the names that the owner knows, and read from then on.

use carrel_contract::{CellId, CellResponse, OutputItem, Seq};
use carrel_wire::{Fault, FromFault, Malformed, Observed, Reading, Reply};

use super::channel::Channel;
use super::names::Names;
use super::opening::failed;
use super::residence::{Residence, lock};

impl Residence {
    /// Hands a response over: what it shows is read from here on.
    pub(super) fn deliver(
        &self,
        mut response: CellResponse,
        channel: &Channel,
        after: Option<Seq>,
        looks: bool,
        is_first: bool,
    ) -> CellResponse {
        let observation = response.observation();
        let names = self.names(channel);
        {
            let mut state = self.state();
            state.newest = state.newest.max(observation.cursor.min(Seq(u64::MAX / 2)));
        }
        let moves = after.is_none() || is_first;
        // Nothing of the host's changes by what somebody with a cursor of their own reads of a cell that is alive.
        if !looks
            && (moves || response.is_final())
            && let Some(cell_id) = names.inward(&observation.cell_id)
        {
            let reading = Reading {
                cell_id: cell_id.into(),
                after: is_first.then_some(0),
                cursor: names.seq_inward(observation.cursor).0,
                moves,
                earlier: None,
            };
            self.note(channel, reading);
        }
        if !looks && let Some(notice) = lock(&self.ledger).take_notice() {
            observation_mut(&mut response).notices.push(notice);
        }
        response
    }

    /// Returns a response with the names that the owner knows.
    pub(super) fn outward(&self, wire: Observed, names: &Names) -> Result<CellResponse, Malformed> {
        let mut response = CellResponse::try_from(wire)?;
        let observation = observation_mut(&mut response);
        observation.cell_id = names.outward(&observation.cell_id)?;
        observation.cursor = names.seq_outward(observation.cursor);
        let items = std::mem::take(&mut observation.items);
        let outward =
            |item: OutputItem| OutputItem { seq: names.seq_outward(item.seq), content: item.content };
        observation.items = items.into_iter().map(outward).collect();
        Ok(response)
    }

    /// Returns an operation's error, about the session and the cells that the owner knows.
    pub(super) fn fault<E: FromFault>(&self, reply: Option<Reply>, channel: &Channel) -> E {
        let reply = reply.map(|reply| match reply {
            Reply::Failed(fault) => Reply::Failed(self.outward_fault(fault, &self.names(channel))),
            other => other,
        });
        failed(reply, || self.lost(channel))
    }

    fn outward_fault(&self, mut fault: Fault, names: &Names) -> Fault {
        let outward = |cell_id: &String| {
            let known = CellId::new(cell_id).and_then(|cell_id| names.outward(&cell_id));
            known.map_or_else(|_| cell_id.clone(), String::from)
        };
        match fault.code {
            // Of a session; of a cell; of cells that hold a limit.
            8 | 9 | 14 | 15 | 18 | 19 | 20 => fault.subject = Some(self.id.as_str().to_owned()),
            10 | 11 | 21 => fault.subject = fault.subject.as_ref().map(outward),
            7 => fault.cells = fault.cells.map(|cells| cells.iter().map(outward).collect()),
            _ => {}
        }
        fault
    }
}

/// Returns what a response shows.
pub(super) fn observation_mut(response: &mut CellResponse) -> &mut carrel_contract::Observation {
    match response {
        CellResponse::Completed(done) => &mut done.observation,
        CellResponse::Terminated(done) => &mut done.observation,
        CellResponse::Yielded(yielded) => &mut yielded.observation,
        // The contract's enum may grow; the wire makes these three alone.
        other => unreachable!("{other:?}"),
    }
}
