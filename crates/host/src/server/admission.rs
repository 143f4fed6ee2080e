//! The admission of a cell, and its first response.

use std::sync::Arc;

use carrel_contract::error::{ExecuteError, UnknownCell, WaitError};
use carrel_contract::{
    CellId, CellResponse, CodeModeFuture, CodeModeSession, ExecuteRequest, Seq, SessionState, WaitRequest,
};
use carrel_wire::Reply;

use super::opened::{Keys, Stream};
use super::reply::observed;

/// Runs a cell and answers twice: when it is admitted, and with its first response.
pub(super) async fn execute(
    stream: Arc<Stream>,
    session: Arc<dyn CodeModeSession>,
    request: u64,
    asked: ExecuteRequest,
    keyed: Option<(Arc<Keys>, String)>,
) {
    let (cell_id, first_response) = match admit(&session, asked, keyed).await {
        Ok(admitted) => admitted,
        Err(error) => {
            return stream.reply(request, Reply::Failed(error.into()), session.state()).await;
        }
    };
    stream.reply(request, Reply::Started { cell_id: cell_id.into() }, session.state()).await;
    // Whoever waits for a first response holds no session by that.
    let held = Arc::downgrade(&session);
    drop(session);
    let reply = match first_response.await {
        Ok(response) => observed(vec![response]),
        Err(error) => Reply::Failed(error.into()),
    };
    let state = held.upgrade().map_or(SessionState::Closed, |session| session.state());
    stream.reply(request, reply, state).await;
}

type FirstResponse = CodeModeFuture<'static, CellResponse, WaitError>;

/// Admits a cell, or finds the one that was admitted under the same key.
async fn admit(
    session: &Arc<dyn CodeModeSession>,
    asked: ExecuteRequest,
    keyed: Option<(Arc<Keys>, String)>,
) -> Result<(CellId, FirstResponse), ExecuteError> {
    let Some((keys, key)) = keyed else {
        let started = session.execute(asked).await?;
        return Ok((started.cell_id, started.first_response));
    };
    let mut cells = keys.cells.lock().await;
    let Some(cell_id) = cells.get(&key) else {
        let started = session.execute(asked).await?;
        cells.insert(key, started.cell_id.clone());
        return Ok((started.cell_id, started.first_response));
    };
    let mut again = WaitRequest::new([cell_id.clone()]).after(Seq::START).with_yield_time(asked.yield_time);
    again.max_output_tokens = asked.max_output_tokens;
    let (session, named) = (Arc::clone(session), cell_id.clone());
    let first_response = Box::pin(async move {
        let mut cells = session.wait(again).await?.cells;
        if cells.is_empty() { Err(UnknownCell { cell_id: named }.into()) } else { Ok(cells.swap_remove(0)) }
    });
    Ok((cell_id, first_response))
}
