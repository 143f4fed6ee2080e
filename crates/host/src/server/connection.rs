//! One client: its messages are taken in order, and each is begun before the next is looked at.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use carrel_contract::error::NotifyError;
use carrel_contract::{ForkRequest, SessionId, SessionSpec, SessionState};
use carrel_wire::frame::MAX_PAYLOAD;
use carrel_wire::{
    APPROVALS, CHECKS, Fault, Hello, Malformed, Reply, State, Text, ToClient, ToHost, ToolFailure, decode,
    encode,
};
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::{Notify, Semaphore};
use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::delegate::{Answer, RemoteDelegate};
use super::hosted::Hosted;
use super::opened::{Held, Kept, Opened, Stream, checked_key};
use super::opening::Opening;
use super::reply::{answer, done, not_an_answer, panicked};
use crate::link::{LinkError, MAX_MESSAGE_BYTES, Outbox, Receiver};

/// Requests of a connection that may be under way.
const REQUESTS: usize = 64 * 1024;
/// Sessions of a connection that may be open.
const STREAMS: usize = 64 * 1024;
/// The most room that a client may have for entries of a log.
pub(super) const ROOM: usize = 64 * 1024;
/// Answers longer than this are looked at beside the connection, which goes on meanwhile.
const LARGE: usize = 256 * 1024;

/// A request under way.
pub(super) struct Request {
    task: AbortHandle,
    /// For a log that is followed: the room that its reader has.
    room: Option<Arc<Semaphore>>,
}

type Requests = Arc<Mutex<HashMap<u64, Request>>>;

/// See the [module](self).
pub(super) struct Connection<'a> {
    hosted: &'a Hosted,
    outbox: Arc<Outbox>,
    is_greeted: bool,
    /// Whether the client checks the types of cells.
    checks: bool,
    pub(super) greeted: Arc<Notify>,
    last_stream: u32,
    streams: HashMap<u32, Opened>,
    requests: Requests,
}

impl<'a> Connection<'a> {
    pub(super) fn new(hosted: &'a Hosted, outbox: Arc<Outbox>) -> Self {
        Self {
            hosted,
            outbox,
            is_greeted: false,
            checks: false,
            greeted: Arc::default(),
            last_stream: 0,
            streams: HashMap::new(),
            requests: Arc::default(),
        }
    }

    fn greet(&mut self, hello: &Hello) -> Result<(), LinkError> {
        let mine = Hello::new(&*self.hosted.name, u64::try_from(MAX_MESSAGE_BYTES).unwrap_or(u64::MAX))
            .able(APPROVALS);
        self.outbox.push(0, encode(&ToClient::Hello(mine)));
        hello
            .agree()
            .map_err(|_| LinkError::Protocol("it speaks no version of the protocol that this side speaks"))?;
        if !self.hosted.knows_token(hello) {
            return Err(LinkError::Protocol("it does not know the host's token"));
        }
        self.outbox.set_max_message_bytes(hello.max_message_bytes);
        self.checks = hello.can(CHECKS);
        self.is_greeted = true;
        self.greeted.notify_one();
        Ok(())
    }

    /// Takes a large answer: it is read beside the connection, for its order means nothing.
    fn take_large(&mut self, stream: u32, call: u64, result: Option<Text>, failure: Option<ToolFailure>) {
        // One that nobody waits for is not looked at.
        let waiting = self.streams.get(&stream).and_then(|opened| opened.delegate.upgrade()?.claim(call));
        let Some(waiting) = waiting else { return };
        let place = Arc::clone(&self.hosted.large).try_acquire_owned();
        let read = move || {
            let answer = answer(result, failure).unwrap_or_else(|error| Err(not_an_answer(&error)));
            waiting.answer(Answer::Called(answer));
        };
        // Where too many are read already, this client waits.
        match place {
            Ok(place) => drop(self.hosted.tasks.spawn_blocking(move || {
                read();
                drop(place);
            })),
            Err(_) => read(),
        }
    }

    fn begin(&mut self, stream: u32, message: ToHost) -> Result<(), LinkError> {
        match message {
            ToHost::Hello(_) => return Err(LinkError::Protocol("it said hello twice")),
            ToHost::Ping { number } => self.outbox.push(0, encode(&ToClient::Pong { number })),
            ToHost::Goodbye => return Err(LinkError::Left),
            ToHost::Create { request, spec, key } => {
                let key = key.map(checked_key).transpose()?;
                let spec = SessionSpec::try_from(*spec)?;
                self.open(stream, request, Opening::Create { spec: Box::new(spec), key })?;
            }
            ToHost::Resume { request, session_id } => {
                let session_id = SessionId::new(&session_id).map_err(Malformed::from)?;
                self.open(stream, request, Opening::Resume(session_id))?;
            }
            ToHost::List { request } => {
                let (provider, outbox) = (Arc::clone(&self.hosted.provider), Arc::clone(&self.outbox));
                self.spawn(0, request, None, async move {
                    let reply = match provider.list().await {
                        Ok(ids) => Reply::Sessions(ids.into_iter().map(String::from).collect()),
                        Err(error) => Reply::Failed(error.into()),
                    };
                    let state = State::Open;
                    outbox.send(0, encode(&ToClient::Reply { request, reply, state })).await.ok();
                })?;
            }
            ToHost::Delete { request, session_id } => {
                let session_id = SessionId::new(&session_id).map_err(Malformed::from)?;
                let (provider, outbox) = (Arc::clone(&self.hosted.provider), Arc::clone(&self.outbox));
                self.spawn(0, request, None, async move {
                    let reply = done(provider.delete(session_id).await.map_err(Fault::from));
                    let state = State::Closed;
                    outbox.send(0, encode(&ToClient::Reply { request, reply, state })).await.ok();
                })?;
            }
            ToHost::Fork { request, fork } => {
                let fork = ForkRequest::try_from(fork)?;
                let (provider, outbox) = (Arc::clone(&self.hosted.provider), Arc::clone(&self.outbox));
                self.spawn(0, request, None, async move {
                    let reply = match provider.fork(fork).await {
                        Ok(session_id) => Reply::Opened { session_id: session_id.into() },
                        Err(error) => Reply::Failed(error.into()),
                    };
                    let state = State::Open;
                    outbox.send(0, encode(&ToClient::Reply { request, reply, state })).await.ok();
                })?;
            }
            ToHost::Cancel { request } => {
                let cancelled = lock(&self.requests).remove(&request);
                if let Some(cancelled) = cancelled {
                    cancelled.task.abort();
                }
            }
            ToHost::MakeRoom { request, room } => {
                // One that is over needs no room.
                let requests = lock(&self.requests);
                let Some(followed) = requests.get(&request).and_then(|it| it.room.as_ref()) else {
                    return Ok(());
                };
                let room = usize::try_from(room).unwrap_or(usize::MAX);
                if room > ROOM || followed.available_permits() + room > ROOM {
                    return Err(LinkError::Protocol("it makes more room than there may be"));
                }
                followed.add_permits(room);
            }
            message => return self.of_stream(stream, message),
        }
        Ok(())
    }

    /// Takes a message of a stream that was opened.
    fn of_stream(&mut self, stream: u32, message: ToHost) -> Result<(), LinkError> {
        let Some(opened) = self.streams.get_mut(&stream) else { return self.unknown(stream) };
        match message {
            ToHost::Answer { call, result, failure } if size(&result) > LARGE => {
                self.take_large(stream, call, result, failure);
            }
            ToHost::Answer { call, result, failure } => {
                let answer = answer(result, failure)?;
                if let Some(delegate) = opened.delegate.upgrade() {
                    delegate.answer(call, Answer::Called(answer));
                }
            }
            ToHost::Delivered { call, fault } => {
                let result = match fault {
                    None => Ok(()),
                    Some(fault) => Err(NotifyError::try_from(&fault)?),
                };
                if let Some(delegate) = opened.delegate.upgrade() {
                    delegate.answer(call, Answer::Delivered(result));
                }
            }
            ToHost::LookedUp { call, outcome } => {
                let outcome = outcome.into_contract()?;
                if let Some(delegate) = opened.delegate.upgrade() {
                    delegate.answer(call, Answer::LookedUp(outcome));
                }
            }
            ToHost::Progress { call, progress } => {
                if let Some(delegate) = opened.delegate.upgrade()
                    && let Some(attended) = delegate.progress(call, progress)
                {
                    self.hosted.tasks.spawn(attended);
                }
            }
            ToHost::Checked { call, outcome } => {
                if let Some(delegate) = opened.delegate.upgrade() {
                    delegate.answer(call, Answer::Checked(outcome.into()));
                }
            }
            ToHost::Release => {
                let held = opened.held.take();
                drop(held);
            }
            // What was on its way as the session was released.
            ToHost::NoteRead { .. } if opened.held.is_none() => {}
            request => {
                let held =
                    opened.held.as_ref().ok_or(LinkError::Protocol("it uses a session that it released"))?;
                let kept =
                    held.kept().ok_or(LinkError::Protocol("it uses a session before it was told its id"))?;
                let stream = Arc::clone(&held.stream);
                return self.of_session(stream, kept, request);
            }
        }
        Ok(())
    }

    /// Opens a stream.
    fn open(&mut self, number: u32, request: u64, opening: Opening) -> Result<(), LinkError> {
        if number <= self.last_stream {
            return Err(LinkError::Protocol("it opens a stream whose number is not above all before"));
        }
        self.streams.retain(|_, opened| opened.held.is_some() || opened.delegate.strong_count() > 0);
        if self.streams.len() >= STREAMS {
            return Err(LinkError::Protocol("it opens more sessions than a connection may have"));
        }
        self.last_stream = number;
        self.outbox.open_stream(number);
        let stream = Arc::new(Stream { number, outbox: Arc::clone(&self.outbox) });
        let delegate = Arc::new(RemoteDelegate::new(Arc::clone(&stream), self.checks));
        let session = Arc::new(Mutex::new(None));
        let held = Held { stream: Arc::clone(&stream), session: Arc::clone(&session) };
        let opened = Opened { held: Some(held), delegate: Arc::downgrade(&delegate) };
        self.streams.insert(number, opened);
        let provider = Arc::clone(&self.hosted.provider);
        let made = Arc::clone(&self.hosted.made);
        // What is not wanted any more by the time that it is made is dropped with the slot.
        let slot = Arc::downgrade(&session);
        drop(session);
        let keys = Arc::clone(&self.hosted.keys);
        let checker = self.hosted.checker.clone();
        if let (Some(checker), Opening::Resume(session_id)) = (&checker, &opening) {
            // Its cells go on before it is answered.
            checker.owned(session_id.clone(), &delegate);
        }
        self.spawn(number, request, None, async move {
            let opened = opening.perform(provider.as_ref(), Arc::clone(&delegate), &made).await;
            let (reply, state) = match opened {
                Ok(session) => {
                    let (id, state) = (session.id().clone(), session.state());
                    if let Some(checker) = checker {
                        checker.owned(id.clone(), &delegate);
                    }
                    let keys = keys.of(&id);
                    if let Some(slot) = slot.upgrade() {
                        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(Kept { session, keys });
                    }
                    (Reply::Opened { session_id: id.into() }, state)
                }
                Err(fault) => (Reply::Failed(fault), SessionState::Closed),
            };
            stream.reply(request, reply, state).await;
        })
    }

    /// Begins a request: polls it at once, so that requests begin in the order in which they came, and has it go on in
    /// a task of its own. A panic of the provider's is that request's failure.
    pub(super) fn spawn(
        &mut self,
        stream: u32,
        request: u64,
        room: Option<Arc<Semaphore>>,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), LinkError> {
        {
            let under_way = lock(&self.requests);
            if under_way.len() >= REQUESTS || under_way.contains_key(&request) {
                return Err(LinkError::Protocol("it has too many requests under way, or two of one number"));
            }
        }
        let outbox = Arc::clone(&self.outbox);
        let guarded = AssertUnwindSafe(work).catch_unwind().map(move |done| {
            if done.is_err() {
                let reply = Reply::Failed(panicked());
                outbox.push(stream, encode(&ToClient::Reply { request, reply, state: State::Open }));
            }
        });
        let mut work: BoxFuture<'static, ()> = Box::pin(guarded);
        if let Poll::Ready(()) = work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Ok(());
        }
        let requests = Arc::clone(&self.requests);
        let mut under_way = lock(&self.requests);
        let task = self.hosted.tasks.spawn(async move {
            work.await;
            lock(&requests).remove(&request);
        });
        under_way.insert(request, Request { task: task.abort_handle(), room });
        Ok(())
    }

    /// A message on a stream that is over comes late; one on a stream that never was is an error.
    fn unknown(&self, stream: u32) -> Result<(), LinkError> {
        if stream != 0 && stream <= self.last_stream {
            return Ok(());
        }
        Err(LinkError::Protocol("it uses a stream that it did not open"))
    }

    /// Gives up what the client held, at once or after a while.
    pub(super) fn end(&mut self, lingers: bool) {
        let mut held = Vec::new();
        for (_, opened) in self.streams.drain() {
            held.extend(opened.held.as_ref().and_then(Held::kept));
            if let Some(delegate) = opened.delegate.upgrade() {
                delegate.abandon();
            }
        }
        for (_, request) in lock(&self.requests).drain() {
            request.task.abort();
        }
        if lingers && !held.is_empty() {
            let linger = self.hosted.linger;
            self.hosted.tasks.spawn(async move {
                sleep(linger).await;
                drop(held);
            });
        }
    }
}

impl Receiver for Connection<'_> {
    /// What is of no session is small, and so is what a stranger may say.
    fn longest(&self, stream: u32) -> usize {
        if self.is_greeted && stream != 0 { MAX_MESSAGE_BYTES } else { MAX_PAYLOAD }
    }

    fn take(&mut self, stream: u32, message: &[u8]) -> Result<(), LinkError> {
        let message: ToHost = decode(message)?;
        if self.is_greeted {
            return self.begin(stream, message);
        }
        let ToHost::Hello(hello) = message else { return Err(LinkError::Protocol("it did not say hello")) };
        self.greet(&hello)
    }
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        self.end(false);
    }
}

fn lock(requests: &Mutex<HashMap<u64, Request>>) -> MutexGuard<'_, HashMap<u64, Request>> {
    requests.lock().unwrap_or_else(PoisonError::into_inner)
}

fn size(result: &Option<Text>) -> usize {
    result.as_ref().map_or(0, |result| result.0.len())
}
