//! Requests to a session.

use std::sync::Arc;

use carrel_contract::{CellId, ExecuteRequest, Read, Seq, ToolDescription, WaitRequest};
use carrel_wire::{Fault, Malformed, Reply, ToHost};
use tokio::sync::Semaphore;

use super::admission::execute;
use super::connection::{Connection, ROOM};
use super::follow::follow;
use super::opened::{Kept, Stream, checked_key};
use super::reply::{done, observed, stored_key};
use crate::link::LinkError;

impl Connection<'_> {
    /// Takes a request to a session.
    pub(super) fn of_session(
        &mut self,
        stream: Arc<Stream>,
        kept: Kept,
        message: ToHost,
    ) -> Result<(), LinkError> {
        let Kept { session, keys } = kept;
        let number = stream.number;
        match message {
            ToHost::Execute { request, execute: asked, key } => {
                let keyed = key.map(checked_key).transpose()?.map(|key| (keys, key));
                let asked = ExecuteRequest::try_from(asked)?;
                self.spawn(number, request, None, execute(stream, session, request, asked, keyed))
            }
            ToHost::SetTools { request, tools } => {
                let tools =
                    tools.into_iter().map(ToolDescription::try_from).collect::<Result<Vec<_>, _>>()?;
                self.spawn(number, request, None, async move {
                    let reply = done(session.set_tools(tools).await.map_err(Fault::from));
                    stream.reply(request, reply, session.state()).await;
                })
            }
            ToHost::Stored { request } => self.spawn(number, request, None, async move {
                let reply = match session.stored().await {
                    Ok(keys) => Reply::Stored(keys.into_iter().map(stored_key).collect()),
                    Err(error) => Reply::Failed(error.into()),
                };
                stream.reply(request, reply, session.state()).await;
            }),
            ToHost::Wait { request, wait } => {
                let wait = WaitRequest::try_from(wait)?;
                self.spawn(number, request, None, async move {
                    let reply = match session.wait(wait).await {
                        Ok(response) => observed(response.cells),
                        Err(error) => Reply::Failed(error.into()),
                    };
                    stream.reply(request, reply, session.state()).await;
                })
            }
            ToHost::Terminate { request, cell_id } => {
                let cell_id = CellId::new(&cell_id).map_err(Malformed::from)?;
                self.spawn(number, request, None, async move {
                    let reply = match session.terminate(cell_id).await {
                        Ok(response) => observed(vec![response]),
                        Err(error) => Reply::Failed(error.into()),
                    };
                    stream.reply(request, reply, session.state()).await;
                })
            }
            ToHost::Shutdown { request } => self.spawn(number, request, None, async move {
                let reply = done(session.shutdown().await.map_err(Fault::from));
                stream.reply(request, reply, session.state()).await;
            }),
            ToHost::NoteRead { reading } => {
                session.note_read(Read::try_from(reading)?);
                Ok(())
            }
            ToHost::Follow { request, after, room } => {
                let room = usize::try_from(room).unwrap_or(usize::MAX).min(ROOM);
                let room = Arc::new(Semaphore::new(room));
                let events = session.events(Seq(after));
                drop(session);
                self.spawn(number, request, Some(Arc::clone(&room)), follow(stream, request, events, room))
            }
            _ => Err(LinkError::Protocol("it sent a message on a stream where it does not belong")),
        }
    }
}
