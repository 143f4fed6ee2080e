//! A session that another process has, and that goes on when that process is lost: a journaled one where it was, one in memory
//! anew, with word of what is gone.

use std::sync::{Arc, Mutex};

use carrel_contract::error::{
    ExecuteError, OutcomeExpired, SessionClosed, SetToolsError, ShutdownError, StoredError, TerminateError,
    WaitError,
};
use carrel_contract::{
    CellId, CellResponse, CodeModeFuture, CodeModeSession, Durability, EventStream, ExecuteRequest,
    IdempotencyKey, Read, Seq, SessionId, SessionState, StartedCell, StoredKey, ToolDescription, WaitRequest,
    WaitResponse,
};
use carrel_wire::{Execute, FromFault, Reply, ToHost, Tool};

use super::channel::Channel;
use super::connection::Owner;
use super::follower::Follower;
use super::ledger::{Ledger, Standing};
use super::names::Names;
use super::opening::{Opening, create, nonsense, resume};
use super::residence::{LOSSES, Residence, lock};

/// The handle of a session. Dropping the last one gives the session up.
pub(super) struct Session {
    pub(super) inner: Arc<Residence>,
}

impl Session {
    /// Makes a session in a host.
    pub(super) async fn create<E: FromFault>(opening: Opening, owner: &Arc<Owner>) -> Result<Self, E> {
        let ledger = Arc::<Mutex<Ledger>>::default();
        let names = |session_id| Names { session_id, generation: 1, base: 0 };
        let spec = opening.spec.clone();
        let (channel, id) = create(owner, &opening.delegate, &ledger, spec, names).await?;
        Ok(Self::new(opening, id, channel, ledger))
    }

    fn new(opening: Opening, id: SessionId, channel: Arc<Channel>, ledger: Arc<Mutex<Ledger>>) -> Self {
        let inner = Arc::new(Residence::new(opening, id, channel, ledger));
        inner.keep_going();
        Self { inner }
    }

    /// Brings a session back in a host.
    pub(super) async fn resume<E: FromFault>(
        mut opening: Opening,
        owner: &Arc<Owner>,
        id: SessionId,
    ) -> Result<Self, E> {
        let ledger = Arc::<Mutex<Ledger>>::default();
        let channel = resume(owner, &opening.delegate, &ledger, &opening.spec, &id).await?;
        opening.spec.durability = Durability::Journaled;
        Ok(Self::new(opening, id, channel, ledger))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.inner.release();
    }
}

/// Draws a key under which a request is known to a journal; none where the system has no randomness.
fn drawn_key() -> Option<IdempotencyKey> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).ok()?;
    IdempotencyKey::new(&format!("host-{:032x}", u128::from_le_bytes(random))).ok()
}

impl CodeModeSession for Session {
    fn id(&self) -> &SessionId {
        &self.inner.id
    }

    fn state(&self) -> SessionState {
        let state = self.inner.state();
        if state.is_closed { SessionState::Closed } else { state.channel.state() }
    }

    fn execute(&self, request: ExecuteRequest) -> CodeModeFuture<'_, StartedCell, ExecuteError> {
        Box::pin(async move {
            let inner = &self.inner;
            if self.state() == SessionState::Closed && inner.channel().connection().is_lost() {
                return Err(SessionClosed { session_id: inner.id.clone() }.into());
            }
            let mut asked = request.clone();
            asked.look = true;
            if inner.is_journaled() && asked.idempotency_key.is_none() {
                asked.idempotency_key = drawn_key();
            }
            let mut losses = 0;
            let (channel, reply, first) = loop {
                let channel = inner.live().await?;
                let execute = Execute::from(asked.clone());
                let message = |request| ToHost::Execute { request, execute, key: None };
                if let Some((reply, first)) = Arc::clone(&channel).ask_for_cell(message).await {
                    break (channel, reply, first);
                }
                inner.note_loss(&channel);
                // The journal says in the next host whether the cell was admitted in this one. Of a session in memory
                // nobody knows, and what the cell did, it did.
                if asked.idempotency_key.is_none() || !inner.is_journaled() || losses == LOSSES {
                    return Err(inner.lost(&channel).into());
                }
                losses += 1;
            };
            let Reply::Started { cell_id } = reply else { return Err(inner.fault(Some(reply), &channel)) };
            let cell_id = CellId::new(&cell_id).and_then(|cell_id| inner.names(&channel).outward(&cell_id));
            let cell_id = cell_id.map_err(|error| nonsense::<ExecuteError>(&format!("failed to {error}")))?;
            inner.note_started(&channel, &cell_id);
            let first_response = Arc::clone(inner).first_response(channel, cell_id.clone(), first, request);
            Ok(StartedCell { cell_id, first_response: Box::pin(first_response) })
        })
    }

    fn set_tools(&self, tools: Vec<ToolDescription>) -> CodeModeFuture<'_, (), SetToolsError> {
        Box::pin(async move {
            let wire: Vec<_> = tools.iter().cloned().map(Tool::from).collect();
            let (channel, reply) =
                self.inner.ask_again(|request| ToHost::SetTools { request, tools: wire.clone() }).await?;
            match reply {
                Some(Reply::Done) => {
                    lock(&self.inner.spec).tools = tools;
                    Ok(())
                }
                reply => Err(self.inner.fault(reply, &channel)),
            }
        })
    }

    fn stored(&self) -> CodeModeFuture<'_, Vec<StoredKey>, StoredError> {
        Box::pin(async move {
            let (channel, reply) = self.inner.ask_again(|request| ToHost::Stored { request }).await?;
            match reply {
                Some(Reply::Stored(keys)) => {
                    let bytes = |bytes| usize::try_from(bytes).unwrap_or(usize::MAX);
                    Ok(keys.into_iter().map(|it| StoredKey::new(it.key, bytes(it.value_bytes))).collect())
                }
                reply => Err(self.inner.fault(reply, &channel)),
            }
        })
    }

    fn wait(&self, request: WaitRequest) -> CodeModeFuture<'_, WaitResponse, WaitError> {
        Box::pin(self.inner.observe(request))
    }

    fn note_read(&self, read: Read) {
        self.inner.note_read(&read);
    }

    fn terminate(&self, cell_id: CellId) -> CodeModeFuture<'_, CellResponse, TerminateError> {
        Box::pin(async move {
            let inner = &self.inner;
            for _ in 0..LOSSES {
                let channel = if inner.is_journaled() { inner.live().await? } else { inner.channel() };
                inner.note_loss(&channel);
                match lock(&inner.ledger).standing(&cell_id, true) {
                    Standing::Lost(response) => return Ok(*response),
                    Standing::Expired => return Err(OutcomeExpired { cell_id }.into()),
                    Standing::Elsewhere => {}
                }
                let names = inner.names(&channel);
                let Some(inward) = names.inward(&cell_id) else {
                    return Err(carrel_contract::error::UnknownCell { cell_id }.into());
                };
                let message = |request| ToHost::Terminate { request, cell_id: inward.into() };
                match channel.ask(message).await {
                    Some(Reply::Observed(mut cells)) if cells.len() == 1 => {
                        let response = inner.outward(cells.swap_remove(0), &names);
                        let response = response
                            .map_err(|error| nonsense::<TerminateError>(&format!("failed to {error}")))?;
                        // The host has moved the reader.
                        return Ok(inner.deliver(response, &channel, Some(Seq::START), false, false));
                    }
                    None => {}
                    reply => return Err(inner.fault(reply, &channel)),
                }
            }
            Err(inner.lost(&inner.channel()).into())
        })
    }

    fn events(&self, after: Seq) -> EventStream {
        Follower::begin(&self.inner, after)
    }

    fn shutdown(&self) -> CodeModeFuture<'_, (), ShutdownError> {
        Box::pin(async move {
            let inner = &self.inner;
            let channel = inner.channel();
            if !inner.is_journaled() && channel.connection().is_lost() {
                inner.note_loss(&channel);
                inner.close();
                return Ok(());
            }
            let channel = if self.state() == SessionState::Closed { channel } else { inner.live().await? };
            if channel.state() == SessionState::Open {
                channel.set_state(SessionState::ShuttingDown);
            }
            match channel.ask(|request| ToHost::Shutdown { request }).await {
                Some(Reply::Done) => Ok(()),
                // What was to end has ended.
                None if !inner.is_journaled() => {
                    inner.note_loss(&channel);
                    inner.close();
                    Ok(())
                }
                reply => Err(inner.fault(reply, &channel)),
            }
        })
    }
}
