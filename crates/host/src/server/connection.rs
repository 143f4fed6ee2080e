//! One client: its messages are taken in order, and each is begun before the next is looked at.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use carrel_contract::error::{ExecuteError, NotifyError, UnknownCell, WaitError};
use carrel_contract::{
    CellId, CellResponse, CodeModeFuture, CodeModeSession, CodeModeSessionProvider, ExecuteRequest,
    ForkRequest, JsonText, Read, Seq, SessionId, SessionSpec, SessionState, ToolDescription, ToolError,
    ToolErrorCode, WaitRequest,
};
use carrel_wire::{
    Fault, Hello, Malformed, Observed, Reply, State, StoredKey, Text, ToClient, ToHost, ToolFailure, decode,
    encode,
};
use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;
use tokio::time::sleep;
use tokio_util::task::TaskTracker;

use super::delegate::{Answer, RemoteDelegate};
use super::follow::follow;
use super::opened::{Held, Kept, KeyRing, Keyed, Keys, Opened, Stream};
use crate::link::{LinkError, MAX_MESSAGE_BYTES, Outbox, read_messages};

/// Requests of a connection that may be under way.
const REQUESTS: usize = 64 * 1024;
/// Sessions of a connection that may be open.
const STREAMS: usize = 64 * 1024;
/// The most room that a client may have for entries of a log.
const ROOM: usize = 64 * 1024;
/// Answers longer than this are looked at beside the connection, which goes on meanwhile.
const LARGE: usize = 256 * 1024;
/// How long what is left to say to a client that leaves is tried.
const FAREWELL: Duration = Duration::from_secs(1);

/// A provider, as it is served.
pub struct Hosted {
    provider: Arc<dyn CodeModeSessionProvider>,
    name: String,
    token: Option<String>,
    linger: Duration,
    made: Arc<tokio::sync::Mutex<Keyed<SessionId>>>,
    keys: Arc<KeyRing>,
    tasks: TaskTracker,
}

/// Why serving a client ended before the client left.
#[derive(Debug, thiserror::Error)]
#[error("serve a client: {0}")]
pub struct ServeError(#[from] LinkError);

impl ServeError {
    /// No more clients can come.
    pub(super) fn accept(error: std::io::Error) -> Self {
        Self(LinkError::Io(error))
    }
}

impl Hosted {
    /// Serves a provider under a name, which is told to clients.
    pub fn new(provider: Arc<dyn CodeModeSessionProvider>, name: impl Into<String>) -> Self {
        Self {
            provider,
            name: name.into(),
            token: None,
            linger: Duration::ZERO,
            made: Arc::default(),
            keys: Arc::default(),
            tasks: TaskTracker::new(),
        }
    }

    /// Asks each client for a secret.
    #[must_use]
    pub fn with_token(mut self, token: Option<String>) -> Self {
        self.token = token;
        self
    }

    /// Keeps the sessions of a client whose connection broke for so long, for it to resume them.
    #[must_use]
    pub fn lingering(mut self, linger: Duration) -> Self {
        self.linger = linger;
        self
    }

    /// Serves one client until it leaves or its stream ends. Its sessions are given up then: ephemeral ones end.
    ///
    /// Dropping the future breaks the connection.
    ///
    /// # Errors
    /// [`ServeError`] when the stream fails, or the client does what the protocol does not allow.
    pub async fn serve(
        &self,
        mut reader: impl AsyncRead + Unpin,
        mut writer: impl AsyncWrite + Unpin,
    ) -> Result<(), ServeError> {
        let outbox = Arc::new(Outbox::new());
        let mut connection = Connection {
            hosted: self,
            outbox: Arc::clone(&outbox),
            is_greeted: false,
            is_leaving: false,
            last_stream: 0,
            streams: HashMap::new(),
            rooms: HashMap::new(),
            requests: Arc::default(),
        };
        let read = async {
            let deliver = |stream: u32, bytes: &[u8]| connection.take(stream, bytes);
            read_messages(&mut reader, &outbox, MAX_MESSAGE_BYTES, deliver).await
        };
        let ended = tokio::select! {
            ended = read => ended,
            written = outbox.write_to(&mut writer) => written.map_err(LinkError::from),
        };
        let left = connection.is_leaving;
        connection.end(!left && self.linger > Duration::ZERO);
        outbox.finish();
        drop(tokio::time::timeout(FAREWELL, outbox.write_to(&mut writer)).await);
        outbox.close();
        match ended {
            Err(LinkError::Protocol(GOODBYE)) => Ok(()),
            other => Ok(other?),
        }
    }

    /// Waits until nothing is left of clients that are gone.
    pub async fn finished(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// How a client's farewell ends the reading.
const GOODBYE: &str = "goodbye";

type Requests = Arc<Mutex<HashMap<u64, AbortHandle>>>;

struct Connection<'a> {
    hosted: &'a Hosted,
    outbox: Arc<Outbox>,
    is_greeted: bool,
    is_leaving: bool,
    last_stream: u32,
    streams: HashMap<u32, Opened>,
    rooms: HashMap<u64, Arc<Semaphore>>,
    requests: Requests,
}

impl Connection<'_> {
    /// Takes a message. Tells whether its stream goes on.
    fn take(&mut self, stream: u32, bytes: &[u8]) -> Result<bool, LinkError> {
        if bytes.len() > LARGE && self.is_greeted {
            return self.take_large(stream, bytes);
        }
        let message: ToHost = decode(bytes)?;
        if !self.is_greeted {
            let ToHost::Hello(hello) = message else {
                return Err(LinkError::Protocol("it did not say hello"));
            };
            return self.greet(&hello).map(|()| true);
        }
        self.begin(stream, message)
    }

    fn greet(&mut self, hello: &Hello) -> Result<(), LinkError> {
        let mine = Hello::new(&*self.hosted.name, u64::try_from(MAX_MESSAGE_BYTES).unwrap_or(u64::MAX));
        self.outbox.push(0, encode(&ToClient::Hello(mine)));
        hello
            .agree()
            .map_err(|_| LinkError::Protocol("it speaks no version of the protocol that this side speaks"))?;
        if self.hosted.token.is_some() && hello.token != self.hosted.token {
            return Err(LinkError::Protocol("it does not know the host's token"));
        }
        self.outbox.set_max_message_bytes(hello.max_message_bytes);
        self.is_greeted = true;
        Ok(())
    }

    /// Takes a large message: an answer is read beside the connection, for its order means nothing.
    fn take_large(&mut self, stream: u32, bytes: &[u8]) -> Result<bool, LinkError> {
        let message: ToHost = decode(bytes)?;
        let ToHost::Answer { call, result, failure } = message else { return self.begin(stream, message) };
        let Some(opened) = self.streams.get(&stream) else { return self.unknown(stream) };
        let delegate = opened.delegate.clone();
        let read = move || {
            if let Some(delegate) = delegate.upgrade() {
                let answer = answer(result, failure).unwrap_or_else(|error| Err(not_an_answer(&error)));
                delegate.answer(call, Answer::Called(answer));
            }
        };
        self.hosted.tasks.spawn_blocking(read);
        Ok(true)
    }

    fn begin(&mut self, stream: u32, message: ToHost) -> Result<bool, LinkError> {
        match message {
            ToHost::Hello(_) => return Err(LinkError::Protocol("it said hello twice")),
            ToHost::Ping { number } => self.outbox.push(0, encode(&ToClient::Pong { number })),
            ToHost::Goodbye => {
                self.is_leaving = true;
                return Err(LinkError::Protocol(GOODBYE));
            }
            ToHost::Create { request, spec, key } => {
                let spec = SessionSpec::try_from(*spec)?;
                self.open(stream, request, Opening::Create { spec: Box::new(spec), key })?;
            }
            ToHost::Resume { request, session_id } => {
                let session_id = SessionId::new(&session_id).map_err(Malformed::from)?;
                self.open(stream, request, Opening::Resume(session_id))?;
            }
            ToHost::List { request } => {
                let (provider, outbox) = (Arc::clone(&self.hosted.provider), Arc::clone(&self.outbox));
                self.spawn(request, async move {
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
                self.spawn(request, async move {
                    let reply = done(provider.delete(session_id).await.map_err(Fault::from));
                    let state = State::Closed;
                    outbox.send(0, encode(&ToClient::Reply { request, reply, state })).await.ok();
                })?;
            }
            ToHost::Fork { request, fork } => {
                let fork = ForkRequest::try_from(fork)?;
                let (provider, outbox) = (Arc::clone(&self.hosted.provider), Arc::clone(&self.outbox));
                self.spawn(request, async move {
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
                self.rooms.remove(&request);
                if let Some(cancelled) = cancelled {
                    cancelled.abort();
                }
            }
            ToHost::MakeRoom { request, room } => {
                let Some(rooms) = self.rooms.get(&request) else { return Ok(true) };
                let room = usize::try_from(room).unwrap_or(usize::MAX);
                if room > ROOM || rooms.available_permits() + room > ROOM {
                    return Err(LinkError::Protocol("it makes more room than there may be"));
                }
                rooms.add_permits(room);
            }
            message => return self.of_stream(stream, message),
        }
        Ok(true)
    }

    /// Takes a message of a stream that was opened.
    fn of_stream(&mut self, stream: u32, message: ToHost) -> Result<bool, LinkError> {
        let Some(opened) = self.streams.get_mut(&stream) else { return self.unknown(stream) };
        match message {
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
                if let Some(delegate) = opened.delegate.upgrade() {
                    delegate.progress(call, progress);
                }
            }
            ToHost::Release => {
                let held = opened.held.take();
                drop(held);
                return Ok(true);
            }
            // What was on its way as the session was released.
            ToHost::NoteRead { .. } if opened.held.is_none() => {}
            request => {
                let held =
                    opened.held.as_ref().ok_or(LinkError::Protocol("it uses a session that it released"))?;
                let kept =
                    held.kept().ok_or(LinkError::Protocol("it uses a session before it was told its id"))?;
                let stream = Arc::clone(&held.stream);
                return self.of_session(stream, kept, request).map(|()| true);
            }
        }
        Ok(true)
    }

    /// Takes a request to a session.
    fn of_session(&mut self, stream: Arc<Stream>, kept: Kept, message: ToHost) -> Result<(), LinkError> {
        let Kept { session, keys } = kept;
        match message {
            ToHost::Execute { request, execute: asked, key } => {
                let keyed = key.map(|key| (keys, key));
                self.spawn(request, execute(stream, session, request, asked.into(), keyed))
            }
            ToHost::SetTools { request, tools } => {
                let tools =
                    tools.into_iter().map(ToolDescription::try_from).collect::<Result<Vec<_>, _>>()?;
                self.spawn(request, async move {
                    let reply = done(session.set_tools(tools).await.map_err(Fault::from));
                    stream.reply(request, reply, session.state()).await;
                })
            }
            ToHost::Stored { request } => self.spawn(request, async move {
                let reply = match session.stored().await {
                    Ok(keys) => Reply::Stored(keys.into_iter().map(stored_key).collect()),
                    Err(error) => Reply::Failed(error.into()),
                };
                stream.reply(request, reply, session.state()).await;
            }),
            ToHost::Wait { request, wait } => {
                let wait = WaitRequest::try_from(wait)?;
                self.spawn(request, async move {
                    let reply = match session.wait(wait).await {
                        Ok(response) => observed(response.cells),
                        Err(error) => Reply::Failed(error.into()),
                    };
                    stream.reply(request, reply, session.state()).await;
                })
            }
            ToHost::Terminate { request, cell_id } => {
                let cell_id = CellId::new(&cell_id).map_err(Malformed::from)?;
                self.spawn(request, async move {
                    let reply = match session.terminate(cell_id).await {
                        Ok(response) => observed(vec![response]),
                        Err(error) => Reply::Failed(error.into()),
                    };
                    stream.reply(request, reply, session.state()).await;
                })
            }
            ToHost::Shutdown { request } => self.spawn(request, async move {
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
                self.rooms.insert(request, Arc::clone(&room));
                let events = session.events(Seq(after));
                drop(session);
                self.spawn(request, follow(stream, request, events, room))
            }
            _ => Err(LinkError::Protocol("it sent a message on a stream where it does not belong")),
        }
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
        let stream = Arc::new(Stream { number, outbox: Arc::clone(&self.outbox) });
        let delegate = Arc::new(RemoteDelegate::new(Arc::clone(&stream)));
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
        self.spawn(request, async move {
            let (reply, state) = match opening.perform(provider.as_ref(), delegate, &made).await {
                Ok(session) => {
                    let (id, state) = (session.id().clone(), session.state());
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
    /// a task of its own.
    fn spawn(
        &mut self,
        request: u64,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), LinkError> {
        let mut work: BoxFuture<'static, ()> = Box::pin(work);
        if let Poll::Ready(()) = work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Ok(());
        }
        let requests = Arc::clone(&self.requests);
        let mut under_way = lock(&self.requests);
        if under_way.len() >= REQUESTS || under_way.contains_key(&request) {
            return Err(LinkError::Protocol("it has too many requests under way, or two of one number"));
        }
        let task = self.hosted.tasks.spawn(async move {
            work.await;
            lock(&requests).remove(&request);
        });
        under_way.insert(request, task.abort_handle());
        Ok(())
    }

    /// A message on a stream that is over comes late; one on a stream that never was is an error.
    fn unknown(&self, stream: u32) -> Result<bool, LinkError> {
        if stream != 0 && stream <= self.last_stream {
            return Ok(false);
        }
        Err(LinkError::Protocol("it uses a stream that it did not open"))
    }

    /// Gives up what the client held, at once or after a while.
    fn end(&mut self, lingers: bool) {
        let mut held = Vec::new();
        for (_, opened) in self.streams.drain() {
            held.extend(opened.held.as_ref().and_then(Held::kept));
            if let Some(delegate) = opened.delegate.upgrade() {
                delegate.abandon();
            }
        }
        for (_, request) in lock(&self.requests).drain() {
            request.abort();
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

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        self.end(false);
    }
}

/// How a stream is opened.
enum Opening {
    Create { spec: Box<SessionSpec>, key: Option<String> },
    Resume(SessionId),
}

impl Opening {
    async fn perform(
        self,
        provider: &dyn CodeModeSessionProvider,
        delegate: Arc<RemoteDelegate>,
        made: &tokio::sync::Mutex<Keyed<SessionId>>,
    ) -> Result<Arc<dyn CodeModeSession>, Fault> {
        match self {
            Self::Create { spec, key: None } => provider.create(*spec, delegate).await.map_err(Fault::from),
            Self::Create { spec, key: Some(key) } => {
                let mut made = made.lock().await;
                if let Some(session_id) = made.get(&key) {
                    return provider.resume(session_id, delegate).await.map_err(Fault::from);
                }
                let session = provider.create(*spec, delegate).await.map_err(Fault::from)?;
                made.insert(key, session.id().clone());
                Ok(session)
            }
            Self::Resume(session_id) => provider.resume(session_id, delegate).await.map_err(Fault::from),
        }
    }
}

/// Runs a cell and answers twice: when it is admitted, and with its first response.
async fn execute(
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

fn not_an_answer(error: &Malformed) -> ToolError {
    ToolError::new(ToolErrorCode::Internal, format!("the client's answer is none: failed to {error}"))
}

fn stored_key(stored: carrel_contract::StoredKey) -> StoredKey {
    StoredKey { key: stored.key, value_bytes: u64::try_from(stored.value_bytes).unwrap_or(u64::MAX) }
}

fn observed(cells: Vec<CellResponse>) -> Reply {
    Reply::Observed(cells.into_iter().map(Observed::from).collect())
}

fn done(result: Result<(), Fault>) -> Reply {
    match result {
        Ok(()) => Reply::Done,
        Err(fault) => Reply::Failed(fault),
    }
}

fn answer(
    result: Option<Text>,
    failure: Option<ToolFailure>,
) -> Result<Result<JsonText, ToolError>, Malformed> {
    Ok(match (result, failure) {
        (_, Some(failure)) => Err(ToolError::try_from(failure)?),
        (Some(result), None) => Ok(JsonText::try_from(result)?),
        (None, None) => Ok(JsonText::from_value(&().into())),
    })
}

fn lock(requests: &Mutex<HashMap<u64, AbortHandle>>) -> MutexGuard<'_, HashMap<u64, AbortHandle>> {
    requests.lock().unwrap_or_else(PoisonError::into_inner)
}
