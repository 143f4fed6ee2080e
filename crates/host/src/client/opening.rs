//! How a session comes to a host: made there, or brought back.

use std::sync::{Arc, Mutex, PoisonError};

use carrel_contract::error::HostLost;
use carrel_contract::{CellId, SessionId, SessionSpec};
use carrel_wire::{FromFault, Reply, Spec, ToHost};

use super::channel::Channel;
use super::connection::Owner;
use super::ledger::{Close, Ledger};
use super::names::Names;
use super::provider::Home;
use super::slot::DelegateSlot;

/// What a session is opened for.
pub(super) struct Opening {
    pub(super) spec: SessionSpec,
    pub(super) delegate: Arc<DelegateSlot>,
    pub(super) home: Arc<dyn Home>,
}

fn on_closed(ledger: &Arc<Mutex<Ledger>>) -> Box<dyn Fn(&CellId) -> Close + Send + Sync> {
    let ledger = Arc::clone(ledger);
    Box::new(move |cell_id| ledger.lock().unwrap_or_else(PoisonError::into_inner).closed(cell_id))
}

/// Gives a stream back that nobody waits for any more.
struct Unclaimed(Option<Arc<Channel>>);

impl Unclaimed {
    fn claim(mut self) -> Option<Arc<Channel>> {
        self.0.take()
    }
}

impl Drop for Unclaimed {
    fn drop(&mut self) {
        if let Some(channel) = self.0.take() {
            channel.release();
        }
    }
}

fn gone(owner: &Owner) -> HostLost {
    HostLost { session_id: None, detail: owner.connection.why_lost().to_string() }
}

/// Returns an error for an answer that makes no sense.
pub(super) fn nonsense<E: FromFault>(detail: &str) -> E {
    E::lost(HostLost { session_id: None, detail: detail.to_owned() })
}

/// Returns the operation's error of a reply that is none of its own.
pub(super) fn failed<E: FromFault>(reply: Option<Reply>, lost: impl FnOnce() -> HostLost) -> E {
    match reply {
        Some(Reply::Failed(fault)) => {
            E::from_fault(&fault).unwrap_or_else(|error| nonsense(&format!("failed to {error}")))
        }
        Some(_) => nonsense("it answered another question than it was asked"),
        None => E::lost(lost()),
    }
}

/// Makes a session in a host.
pub(super) async fn create<E: FromFault>(
    owner: &Arc<Owner>,
    delegate: &Arc<DelegateSlot>,
    ledger: &Arc<Mutex<Ledger>>,
    spec: SessionSpec,
    names: impl FnOnce(SessionId) -> Names,
) -> Result<(Arc<Channel>, SessionId), E> {
    let channel = Channel::open(owner, delegate, None, spec.limits.callback_grace, on_closed(ledger));
    let unclaimed = Unclaimed(Some(Arc::clone(&channel)));
    let spec = Box::new(Spec::from(spec));
    let reply = channel.ask(|request| ToHost::Create { request, spec, key: None }).await;
    let Some(Reply::Opened { session_id }) = reply else { return Err(failed(reply, || gone(owner))) };
    let id = SessionId::new(&session_id).map_err(|error| nonsense(&format!("failed to {error}")))?;
    drop(channel.host_id.set(id.clone()));
    drop(channel.names.set(names(id.clone())));
    let channel = unclaimed.claim().unwrap_or(channel);
    Ok((channel, id))
}

/// Brings a session back in a host.
pub(super) async fn resume<E: FromFault>(
    owner: &Arc<Owner>,
    delegate: &Arc<DelegateSlot>,
    ledger: &Arc<Mutex<Ledger>>,
    spec: &SessionSpec,
    id: &SessionId,
) -> Result<Arc<Channel>, E> {
    let names = Names { session_id: id.clone(), generation: 1, base: 0 };
    let channel = Channel::open(owner, delegate, Some(names), spec.limits.callback_grace, on_closed(ledger));
    let unclaimed = Unclaimed(Some(Arc::clone(&channel)));
    let session_id = id.as_str().to_owned();
    let reply = channel.ask(|request| ToHost::Resume { request, session_id }).await;
    let Some(Reply::Opened { .. }) = reply else { return Err(failed(reply, || gone(owner))) };
    Ok(unclaimed.claim().unwrap_or(channel))
}
