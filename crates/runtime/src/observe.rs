//! Waiting for cells: reads of the log that return when their condition holds.
//!
//! All of it is cancel safe: nothing is read before a response is made, and that does not wait.

use std::sync::Arc;
use std::time::Duration;

use carrel_contract::error::{InvalidRequest, WaitError};
use carrel_contract::{CellId, Dialect, Seq, WaitRequest, WaitResponse, WaitUntil};
use futures::future::select_all;
use tokio::time::{Instant, sleep_until};

use crate::log::{Missing, Reader, SessionLog};
use crate::shared::Core;

/// The longest wait there is; tokio's clock cannot count on from now without bound.
const LONGEST_WAIT: Duration = Duration::from_secs(365 * 24 * 3600);

/// Returns the moment at which a wait of this length ends.
pub(crate) fn deadline(wait: Duration) -> Instant {
    Instant::now() + wait.min(LONGEST_WAIT)
}

/// Observes the cells of a request.
pub(crate) async fn observe(core: &Arc<Core>, request: WaitRequest) -> Result<WaitResponse, WaitError> {
    let log = &core.log;
    let deadline = deadline(request.yield_time);
    if request.cells.is_empty() {
        let problem = "is empty; name at least one cell".to_owned();
        return Err(InvalidRequest { field: "cells", problem }.into());
    }
    let mut cursors = Vec::with_capacity(request.cells.len());
    for cell_id in &request.cells {
        let (_, read_up_to) = log.observer(cell_id)?;
        let after = request.after.unwrap_or(read_up_to);
        // There a cell yields to whoever waits for it at that moment, and to nobody else.
        let after = if core.dialect == Dialect::Codex { after.max(log.last_of(cell_id)?) } else { after };
        cursors.push((cell_id.clone(), after));
    }
    until_over(log, &cursors, request.until, deadline).await?;
    let upto = core.readable().await?;
    let reader = match (request.after, request.look) {
        (None, false) => Reader::Session,
        (None, true) => Reader::Look,
        (Some(after), false) => Reader::At(after),
        (Some(after), true) => Reader::LookAt(after),
    };
    let respond = |(cell_id, after): &(CellId, Seq)| {
        let upto = up_to_yield(core, cell_id, *after, upto);
        log.respond(cell_id, reader, request.max_output_tokens, upto)
    };
    Ok(WaitResponse::new(cursors.iter().map(respond).collect::<Result<_, _>>()?))
}

/// Returns up to where a response goes that was waited for from here on: in the dialect of Codex to the first
/// `yield_control()`, whatever came after it meanwhile.
pub(crate) fn up_to_yield(core: &Core, cell_id: &CellId, after: Seq, upto: Seq) -> Seq {
    match core.dialect {
        Dialect::Codex => core.log.yield_after(cell_id, after).map_or(upto, |at| at.min(upto)),
        _ => upto,
    }
}

/// Waits until the condition holds for cells with the cursor of each, or the deadline has passed.
pub(crate) async fn until_over(
    log: &SessionLog,
    cells: &[(CellId, Seq)],
    until: WaitUntil,
    deadline: Instant,
) -> Result<(), Missing> {
    let mut changes = Vec::with_capacity(cells.len());
    for (cell_id, _) in cells {
        changes.push(log.observer(cell_id)?.0);
    }
    loop {
        // Made before the log is read, so that a change in between is not missed.
        let changed = select_all(changes.iter().map(|changed| Box::pin(changed.notified())));
        if log.is_over(cells, until)? {
            return Ok(());
        }
        tokio::select! {
            biased;
            _ = changed => {}
            () = sleep_until(deadline) => return Ok(()),
        }
    }
}

/// Waits until a cell has ended.
pub(crate) async fn until_ended(log: &SessionLog, cell_id: &CellId) -> Result<(), Missing> {
    let (change, _) = log.observer(cell_id)?;
    loop {
        let changed = change.notified();
        if log.is_gone(cell_id)? {
            return Ok(());
        }
        changed.await;
    }
}
