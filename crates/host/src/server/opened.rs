//! One stream of a connection, which stands for a session from its opening until nothing of it is left.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use carrel_contract::{CellId, CodeModeSession, SessionId, SessionState};
use carrel_wire::{Fault, Reply, State, ToClient, encode};

use super::delegate::RemoteDelegate;
use crate::link::{LinkError, Outbox, Unsent};

/// How many keys of requests are remembered a session.
const KEYS: usize = 1024;
/// The longest of them, in bytes.
const LONGEST_KEY: usize = 256;

/// Checks the key of a request.
pub(super) fn checked_key(key: String) -> Result<String, LinkError> {
    if key.is_empty() || key.len() > LONGEST_KEY {
        return Err(LinkError::Protocol("the key of a request has 1 to 256 bytes"));
    }
    Ok(key)
}

/// The way to the client on one stream. When the last holder is gone, the client is told that the stream has ended.
pub(super) struct Stream {
    pub(super) number: u32,
    pub(super) outbox: Arc<Outbox>,
}

impl Stream {
    /// Answers a request. A reply that the client does not take for its size becomes a failure that it does.
    pub(super) async fn reply(&self, request: u64, reply: Reply, state: SessionState) {
        let state = State::from(state);
        let sent = self.outbox.send(self.number, encode(&ToClient::Reply { request, reply, state })).await;
        if sent == Err(Unsent::TooLarge) {
            let message = "send the response: it is longer than the client takes".to_owned();
            let fault = Fault { code: 14, detail: Some(message.clone()), message, ..Fault::default() };
            let reply = Reply::Failed(fault);
            self.outbox.push(self.number, encode(&ToClient::Reply { request, reply, state }));
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.outbox.push(self.number, encode(&ToClient::Ended));
        self.outbox.end_stream(self.number);
    }
}

/// A stream, as the connection knows it.
pub(super) struct Opened {
    /// Gone once the client has released the session.
    pub(super) held: Option<Held>,
    /// Where answers to callbacks go, as long as some may come.
    pub(super) delegate: Weak<RemoteDelegate>,
}

/// What the client holds.
pub(super) struct Held {
    pub(super) stream: Arc<Stream>,
    /// There once the session is made.
    pub(super) session: Arc<Mutex<Option<Kept>>>,
}

/// A session and the keys of what was asked of it.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) session: Arc<dyn CodeModeSession>,
    pub(super) keys: Arc<Keys>,
}

/// The cells that were asked for under a key, the newest of them. The lock is held while one is admitted.
#[derive(Default)]
pub(super) struct Keys {
    pub(super) cells: tokio::sync::Mutex<Keyed<CellId>>,
}

/// The keys of all sessions that somebody holds.
#[derive(Default)]
pub(super) struct KeyRing(Mutex<BTreeMap<SessionId, Weak<Keys>>>);

impl KeyRing {
    /// Returns those of a session.
    pub(super) fn of(&self, session_id: &SessionId) -> Arc<Keys> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.retain(|_, keys| keys.strong_count() > 0);
        if let Some(known) = keys.get(session_id).and_then(Weak::upgrade) {
            return known;
        }
        let new = Arc::new(Keys::default());
        keys.insert(session_id.clone(), Arc::downgrade(&new));
        new
    }
}

/// What was made under keys, the newest of it.
pub(super) struct Keyed<T> {
    made: HashMap<String, T>,
    order: VecDeque<String>,
}

impl<T> Default for Keyed<T> {
    fn default() -> Self {
        Self { made: HashMap::new(), order: VecDeque::new() }
    }
}

impl<T: Clone> Keyed<T> {
    pub(super) fn get(&self, key: &str) -> Option<T> {
        self.made.get(key).cloned()
    }

    /// Returns what was made under a key; what `make` returns, where there is nothing yet.
    pub(super) fn get_or_insert(&mut self, key: &str, make: impl FnOnce() -> T) -> T {
        if let Some(made) = self.get(key) {
            return made;
        }
        let made = make();
        self.insert(key.to_owned(), made.clone());
        made
    }

    pub(super) fn insert(&mut self, key: String, made: T) {
        if self.order.len() >= KEYS
            && let Some(oldest) = self.order.pop_front()
        {
            self.made.remove(&oldest);
        }
        self.order.push_back(key.clone());
        self.made.insert(key, made);
    }
}

impl Held {
    pub(super) fn kept(&self) -> Option<Kept> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
