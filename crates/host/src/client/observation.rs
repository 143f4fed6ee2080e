//! Waiting for cells: in the host that has them, and by what is known here of those whose host is gone.

use std::sync::Arc;
use std::time::Duration;

use carrel_contract::error::{OutcomeExpired, WaitError};
use carrel_contract::{CellId, CellResponse, ExecuteRequest, Seq, WaitRequest, WaitResponse, WaitUntil};
use carrel_wire::{Observed, Reply, ToHost, Wait};
use tokio::time::Instant;

use super::asked::FirstReply;
use super::channel::Channel;
use super::connection::Answer;
use super::delivery::observation_mut;
use super::ledger::Standing;
use super::opening::nonsense;
use super::residence::{LOSSES, Residence, lock};

/// The longest wait there is; tokio's clock cannot count on from now without bound.
const LONGEST_WAIT: Duration = Duration::from_secs(365 * 24 * 3600);

impl Residence {
    /// Waits, with what is known here of cells whose host is gone.
    pub(super) async fn observe(&self, request: WaitRequest) -> Result<WaitResponse, WaitError> {
        self.observe_as(request, false).await
    }

    /// The same for a first response that another host did not give.
    async fn observe_as(&self, request: WaitRequest, is_first: bool) -> Result<WaitResponse, WaitError> {
        let deadline = Instant::now() + request.yield_time.min(LONGEST_WAIT);
        let mut losses = 0;
        loop {
            let channel = if self.is_journaled() { self.live().await? } else { self.channel() };
            self.note_loss(&channel);
            let names = self.names(&channel);
            let mut known: Vec<Option<CellResponse>> = Vec::new();
            let mut asked = request.clone();
            asked.cells.clear();
            for cell_id in &request.cells {
                // Looked at before, and read once the response is made.
                match lock(&self.ledger).standing(cell_id, false) {
                    Standing::Lost(response) => known.push(Some(*response)),
                    Standing::Expired => return Err(OutcomeExpired { cell_id: cell_id.clone() }.into()),
                    Standing::Elsewhere => {
                        let unknown = || carrel_contract::error::UnknownCell { cell_id: cell_id.clone() };
                        asked.cells.push(names.inward(cell_id).ok_or_else(unknown)?);
                        known.push(None);
                    }
                }
            }
            let any_lost = known.iter().any(Option::is_some);
            let mut rest = Vec::new();
            if !asked.cells.is_empty() || !any_lost {
                let left = deadline.saturating_duration_since(Instant::now());
                let is_met = any_lost && matches!(request.until, WaitUntil::AnyEnded | WaitUntil::AnyOutput);
                asked.yield_time = if is_met { Duration::ZERO } else { left.min(request.yield_time) };
                if request.yield_time > LONGEST_WAIT && !is_met {
                    asked.yield_time = request.yield_time;
                }
                asked.after = asked.after.map(|after| names.seq_inward(after));
                asked.look = true;
                let wait = Wait::from(asked);
                match self.fresh(&channel, wait).await {
                    Some(Reply::Observed(cells)) => rest = cells,
                    None if losses < LOSSES => {
                        losses += 1;
                        continue;
                    }
                    reply => return Err(self.fault(reply, &channel)),
                }
            }
            let mut rest = rest.into_iter();
            let mut cells = Vec::with_capacity(known.len());
            for (cell_id, known) in request.cells.iter().zip(known) {
                let mut response = match known {
                    Some(_) => match lock(&self.ledger).standing(cell_id, !request.look) {
                        Standing::Lost(response) => *response,
                        _ => continue,
                    },
                    None => {
                        let missing = || nonsense::<WaitError>("it leaves out a cell that was asked for");
                        let response = self.outward(rest.next().ok_or_else(missing)?, &names);
                        response.map_err(|error| nonsense::<WaitError>(&format!("failed to {error}")))?
                    }
                };
                if is_first && self.is_journaled() {
                    self.tell_notices(&channel, &mut response).await;
                }
                let mut response = self.deliver(response, &channel, request.after, request.look, is_first);
                if !request.look && cells.iter().any(|earlier: &CellResponse| named(earlier) == cell_id) {
                    read_just_now(&mut response, request.after.is_none());
                }
                cells.push(response);
            }
            return Ok(WaitResponse::new(cells));
        }
    }

    /// Adds to a response what its cell's reader has to be told. A wait with a cursor does not tell it.
    async fn tell_notices(&self, channel: &Channel, response: &mut CellResponse) {
        let Some(cell_id) = self.names(channel).inward(&response.observation().cell_id) else { return };
        let look = WaitRequest::new([cell_id]).with_yield_time(Duration::ZERO).looking();
        let wait = Wait::from(look);
        let Some(Reply::Observed(cells)) = channel.ask(|request| ToHost::Wait { request, wait }).await else {
            return;
        };
        if let Some(Ok(told)) = cells.into_iter().next().map(CellResponse::try_from) {
            observation_mut(response).notices.clone_from(&told.observation().notices);
        }
    }

    /// Asks the host to wait. A response that lay here until its reader came for it, while more was seen to happen, is
    /// made anew: a response is of the moment in which it is given.
    async fn fresh(&self, channel: &Channel, mut wait: Wait) -> Option<Reply> {
        let again = wait.clone();
        let answer = channel.ask_fully(|request| ToHost::Wait { request, wait }).await?;
        if !is_stale(&answer, channel, true) {
            return Some(answer.reply);
        }
        wait = again;
        wait.yield_time = Some(Duration::ZERO);
        channel.ask(|request| ToHost::Wait { request, wait }).await
    }

    /// The same for a first response.
    async fn fresh_first(&self, channel: &Channel, answer: Answer, tokens: usize) -> Option<Reply> {
        let Reply::Observed(cells) = &answer.reply else { return Some(answer.reply) };
        let Some(Observed::Yielded(stale)) = cells.first() else { return Some(answer.reply) };
        if !is_stale(&answer, channel, false) {
            return Some(answer.reply);
        }
        let notices = stale.notices.clone();
        let wait = Wait {
            cells: vec![stale.cell_id.clone()],
            after: Some(0),
            until: None,
            yield_time: Some(Duration::ZERO),
            max_output_tokens: Some(u64::try_from(tokens).unwrap_or(u64::MAX)),
            look: Some(true),
        };
        let mut reply = channel.ask(|request| ToHost::Wait { request, wait }).await?;
        if let Reply::Observed(cells) = &mut reply
            && let Some(
                Observed::Yielded(observation)
                | Observed::Completed { observation, .. }
                | Observed::Terminated { observation, .. },
            ) = cells.first_mut()
        {
            observation.notices = notices;
        }
        Some(reply)
    }

    /// Waits for the first response of a cell.
    pub(super) async fn first_response(
        self: Arc<Self>,
        channel: Arc<Channel>,
        cell_id: CellId,
        first: FirstReply,
        request: ExecuteRequest,
    ) -> Result<CellResponse, WaitError> {
        let deadline = Instant::now() + request.yield_time.min(LONGEST_WAIT);
        let reply = match first.wait().await {
            Some(answer) => self.fresh_first(&channel, answer, request.max_output_tokens).await,
            None => None,
        };
        match reply {
            Some(Reply::Observed(mut cells)) if cells.len() == 1 => {
                let names = self.names(&channel);
                let response = self.outward(cells.swap_remove(0), &names);
                let response =
                    response.map_err(|error| nonsense::<WaitError>(&format!("failed to {error}")))?;
                Ok(self.deliver(response, &channel, None, request.look, true))
            }
            None => {
                let mut again = WaitRequest::new([cell_id.clone()]).after(Seq::START);
                again.yield_time = deadline.saturating_duration_since(Instant::now());
                again.max_output_tokens = request.max_output_tokens;
                again.look = request.look;
                let mut cells = self.observe_as(again, true).await?.cells;
                cells.pop().ok_or_else(|| nonsense("it leaves out a cell that was asked for"))
            }
            reply => Err(self.fault(reply, &channel)),
        }
    }
}

/// Tells whether more is known to have happened than a response shows. `forgets`: whether outcomes may be forgotten
/// meanwhile.
fn is_stale(answer: &Answer, channel: &Channel, forgets: bool) -> bool {
    let Reply::Observed(cells) = &answer.reply else { return false };
    cells.iter().any(|observed| match observed {
        Observed::Yielded(observation) => {
            let cell_id = CellId::new(&observation.cell_id).ok();
            let seen = cell_id.and_then(|cell_id| channel.sightings.last_seen(&cell_id));
            seen.is_some_and(|seen| seen.0 > observation.cursor) || channel.sightings.ends() != answer.ends
        }
        Observed::Completed { .. } | Observed::Terminated { .. } => {
            forgets && channel.sightings.ends() != answer.ends
        }
    })
}

fn named(response: &CellResponse) -> &CellId {
    &response.observation().cell_id
}

/// Makes the response of a cell that was named twice what it is to a reader who was just given the first.
fn read_just_now(response: &mut CellResponse, moves: bool) {
    match response {
        CellResponse::Completed(done) => done.read_before = true,
        CellResponse::Terminated(done) => done.read_before = true,
        other if moves => {
            let observation = observation_mut(other);
            observation.items.clear();
            observation.omitted_bytes = 0;
        }
        _ => {}
    }
}
