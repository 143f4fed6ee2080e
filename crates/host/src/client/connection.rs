//! A connection to a host: what was asked of it, and what becomes of that when it is lost.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use carrel_contract::{CellChecker, StreamItem};
use carrel_wire::frame::MAX_PAYLOAD;
use carrel_wire::{CHECKS, Hello, Incompatible, Reply, ToClient, ToHost, decode, encode};
use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::channel::Channel;
use super::feed::Feed;
use crate::link::{LinkError, MAX_MESSAGE_BYTES, Outbox, Receiver, Unwritten, read_messages};

/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// What a client says of itself, and how long it waits for the answer.
#[derive(Clone)]
pub(crate) struct Greeting {
    pub(crate) name: String,
    pub(crate) token: Option<String>,
    pub(crate) patience: Duration,
    /// Who knows how the host ended.
    pub(crate) epitaph: Option<Arc<dyn Epitaph>>,
    /// Who checks the types of cells.
    pub(crate) checker: Option<Arc<dyn CellChecker>>,
}

/// Knows how a host ended, a little after its connection did.
pub(crate) trait Epitaph: Send + Sync {
    /// Says it, in a fragment.
    fn say(&self) -> BoxFuture<'_, Option<String>>;
}

impl Default for Greeting {
    fn default() -> Self {
        let name = format!("carrel {} (process {})", env!("CARGO_PKG_VERSION"), std::process::id());
        Self { name, token: None, patience: Duration::from_secs(10), epitaph: None, checker: None }
    }
}

/// Why no connection came about.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The host did not introduce itself in time.
    #[error("connect to the host: it did not introduce itself within {0:?}")]
    Silent(Duration),
    /// It speaks something else.
    #[error(transparent)]
    Incompatible(#[from] Incompatible),
    /// It went away instead.
    #[error("connect to the host: {0}")]
    Lost(Arc<str>),
    /// It cannot be reached.
    #[error("connect to the host: {0}")]
    Io(#[from] std::io::Error),
}

/// A reply, as it came.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) reply: Reply,
    /// The ends of cells of this session that had been seen by then.
    pub(super) ends: u64,
}

/// Who waits for the answer to a request.
pub(super) enum Pending {
    /// For one reply.
    Reply(oneshot::Sender<Answer>),
    /// For the admission of a cell, and then for its first response.
    Cell(Option<oneshot::Sender<Answer>>, oneshot::Sender<Answer>),
    /// For entries of a log.
    Log(Arc<Feed>),
}

/// See the [module](self).
pub(crate) struct Connection {
    pub(crate) outbox: Outbox,
    pub(crate) tasks: TaskTracker,
    pending: Mutex<HashMap<u64, Pending>>,
    channels: Mutex<HashMap<u32, Arc<Channel>>>,
    next_request: AtomicU64,
    next_stream: AtomicU32,
    host: OnceLock<Hello>,
    greeted: Notify,
    /// Fires when the connection is to end.
    closing: CancellationToken,
    /// Fires when it has ended.
    pub(crate) lost: CancellationToken,
    reason: OnceLock<Arc<str>>,
    cells: AtomicU64,
    /// Something was heard since this was last looked at.
    heard: AtomicBool,
    pub(super) checker: Option<Arc<dyn CellChecker>>,
}

/// Whoever holds this keeps the connection; when nobody does any more, it says goodbye and ends.
pub(crate) struct Owner {
    pub(crate) connection: Arc<Connection>,
    /// What has to go on as long: a process.
    pub(crate) _with: Option<Box<dyn Send + Sync>>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.connection.say_goodbye();
    }
}

impl Connection {
    /// Introduces itself on a byte stream and waits for the host to do so.
    pub(crate) async fn open(
        reader: impl AsyncRead + Send + Unpin + 'static,
        writer: impl AsyncWrite + Send + Unpin + 'static,
        greeting: &Greeting,
    ) -> Result<Arc<Self>, ConnectError> {
        let connection = Arc::new(Self {
            outbox: Outbox::new(),
            tasks: TaskTracker::new(),
            pending: Mutex::default(),
            channels: Mutex::default(),
            next_request: AtomicU64::new(1),
            next_stream: AtomicU32::new(1),
            host: OnceLock::new(),
            greeted: Notify::new(),
            closing: CancellationToken::new(),
            lost: CancellationToken::new(),
            reason: OnceLock::new(),
            cells: AtomicU64::new(0),
            heard: AtomicBool::new(false),
            checker: greeting.checker.clone(),
        });
        let mut hello = Hello::new(&*greeting.name, u64::try_from(MAX_MESSAGE_BYTES).unwrap_or(u64::MAX));
        hello.token.clone_from(&greeting.token);
        if greeting.checker.is_some() {
            hello = hello.able(CHECKS);
        }
        connection.outbox.push(0, encode(&ToHost::Hello(hello)));
        let epitaph = greeting.epitaph.clone();
        connection.tasks.spawn(run(Arc::clone(&connection), reader, writer, epitaph));
        let introduced = async {
            tokio::select! {
                () = connection.greeted.notified() => Ok(()),
                () = connection.lost.cancelled() => Err(ConnectError::Lost(connection.why_lost())),
            }
        };
        let introduced = timeout(greeting.patience, introduced).await;
        match introduced.unwrap_or(Err(ConnectError::Silent(greeting.patience))) {
            Ok(()) => {}
            Err(error) => {
                connection.end("it was given up before it introduced itself");
                return Err(error);
            }
        }
        if let Some(host) = connection.host.get() {
            if let Err(error) = host.agree() {
                connection.end("it speaks another version");
                return Err(error.into());
            }
            connection.outbox.set_max_message_bytes(host.max_message_bytes);
        }
        Ok(connection)
    }

    /// Says what is known of its end.
    pub(crate) fn why_lost(&self) -> Arc<str> {
        self.reason.get().cloned().unwrap_or_else(|| "the connection is closed".into())
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.lost.is_cancelled()
    }

    /// Tells whether the host can do something beyond its version.
    pub(super) fn host_can(&self, capability: &str) -> bool {
        self.host.get().is_some_and(|host| host.can(capability))
    }

    /// Ends the connection, for this reason.
    pub(crate) fn end(&self, reason: &str) {
        self.reason.get_or_init(|| reason.into());
        self.closing.cancel();
    }

    /// Tells whether anything was heard since this was asked last.
    pub(crate) fn was_heard(&self) -> bool {
        self.heard.swap(false, Ordering::Relaxed)
    }

    /// Returns how many cells it was told were admitted.
    pub(crate) fn cells(&self) -> u64 {
        self.cells.load(Ordering::Relaxed)
    }

    /// Asks for a sign of life.
    pub(crate) fn ping(&self) {
        self.outbox.push(0, encode(&ToHost::Ping { number: 0 }));
    }

    /// Leaves: the host gives up what it has of this client.
    pub(crate) fn say_goodbye(&self) {
        self.reason.get_or_init(|| "it was given up".into());
        self.outbox.push(0, encode(&ToHost::Goodbye));
        self.closing.cancel();
    }

    /// Opens a stream.
    pub(super) fn register(&self, make: impl FnOnce(u32) -> Arc<Channel>) -> Arc<Channel> {
        // Streams are opened in the order of their numbers, which `send` keeps only for who holds this lock meanwhile.
        let mut channels = self.channels();
        let channel = make(self.next_stream.fetch_add(1, Ordering::Relaxed));
        self.outbox.open_stream(channel.stream);
        channels.insert(channel.stream, Arc::clone(&channel));
        channel
    }

    /// Makes a request, whose answer goes to `pending`.
    pub(super) fn request(&self, pending: Pending) -> u64 {
        let request = self.next_request.fetch_add(1, Ordering::Relaxed);
        self.pending().insert(request, pending);
        if self.is_lost() {
            // It was lost before it could hear of this one.
            self.forget(request);
        }
        request
    }

    /// Forgets a request; tells whether it was still waited for.
    pub(super) fn forget(&self, request: u64) -> bool {
        let pending = self.pending().remove(&request);
        if let Some(Pending::Log(feed)) = &pending {
            feed.lose();
        }
        pending.is_some()
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<u64, Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn channels(&self) -> MutexGuard<'_, HashMap<u32, Arc<Channel>>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a message.
    fn take(&self, stream: u32, message: ToClient) -> Result<(), LinkError> {
        self.heard.store(true, Ordering::Relaxed);
        match message {
            ToClient::Hello(hello) => {
                if self.host.set(hello).is_err() {
                    return Err(LinkError::Protocol("it said hello twice"));
                }
                self.greeted.notify_one();
                Ok(())
            }
            _ if self.host.get().is_none() => Err(LinkError::Protocol("it did not say hello")),
            ToClient::Pong { .. } => Ok(()),
            ToClient::Reply { request, reply, state } => {
                let mut ends = 0;
                if let Some(channel) = self.channel(stream)? {
                    channel.set_state(state.into());
                    ends = channel.sightings.ends();
                }
                self.answer(request, Answer { reply, ends })
            }
            ToClient::Events { request, items, end } => {
                let feed = match self.pending().get(&request) {
                    Some(Pending::Log(feed)) => Arc::clone(feed),
                    _ => return Ok(()),
                };
                let items = items.into_iter().map(StreamItem::try_from).collect::<Result<Vec<_>, _>>()?;
                if let Some(channel) = self.channel(stream)? {
                    channel.sightings.see(&items);
                }
                if !feed.put(items, end) {
                    return Err(LinkError::Protocol("it sends more of a log than there is room for"));
                }
                Ok(())
            }
            ToClient::Ended => {
                if let Some(channel) = self.channel(stream)? {
                    // A host ends what was not released when it leaves itself.
                    if !channel.is_released() {
                        return Err(LinkError::Left);
                    }
                    self.channels().remove(&stream);
                    self.outbox.end_stream(stream);
                    channel.end();
                }
                Ok(())
            }
            callback => match self.channel(stream)? {
                Some(channel) => channel.take(callback),
                None => Ok(()),
            },
        }
    }

    fn channel(&self, stream: u32) -> Result<Option<Arc<Channel>>, LinkError> {
        if stream == 0 {
            return Ok(None);
        }
        if stream >= self.next_stream.load(Ordering::Relaxed) {
            return Err(LinkError::Protocol("it uses a stream that was not opened"));
        }
        Ok(self.channels().get(&stream).cloned())
    }

    fn answer(&self, request: u64, answer: Answer) -> Result<(), LinkError> {
        let mut pending = self.pending();
        let waiting = match pending.remove(&request) {
            Some(Pending::Reply(waiting)) => waiting,
            Some(Pending::Cell(Some(started), first)) => {
                if matches!(answer.reply, Reply::Started { .. }) {
                    self.cells.fetch_add(1, Ordering::Relaxed);
                    pending.insert(request, Pending::Cell(None, first));
                }
                started
            }
            Some(Pending::Cell(None, first)) => first,
            Some(Pending::Log(feed)) => {
                feed.lose();
                return Err(LinkError::Protocol("it answers a request that has no answer"));
            }
            // Nobody waits any more.
            None => return Ok(()),
        };
        drop(pending);
        // Whoever waited may have gone just now.
        waiting.send(answer).ok();
        Ok(())
    }

    /// Tells all who wait that the host is gone.
    fn lose(&self, reason: &str) {
        self.reason.get_or_init(|| reason.into());
        self.lost.cancel();
        self.outbox.close();
        let pending = std::mem::take(&mut *self.pending());
        for waiting in pending.values() {
            if let Pending::Log(feed) = waiting {
                feed.lose();
            }
        }
        drop(pending);
        let channels = std::mem::take(&mut *self.channels());
        for channel in channels.values() {
            channel.end();
        }
    }
}

impl Receiver for &Connection {
    fn longest(&self, stream: u32) -> usize {
        // Before it was asked anything, a host has little to say.
        let is_known = self.host.get().is_some() && stream < self.next_stream.load(Ordering::Relaxed);
        if is_known { MAX_MESSAGE_BYTES } else { MAX_PAYLOAD }
    }

    fn take(&mut self, stream: u32, message: &[u8]) -> Result<(), LinkError> {
        Connection::take(self, stream, decode(message)?)
    }
}

/// Reads and writes until the connection ends.
async fn run(
    connection: Arc<Connection>,
    mut reader: impl AsyncRead + Send + Unpin,
    mut writer: impl AsyncWrite + Send + Unpin,
    epitaph: Option<Arc<dyn Epitaph>>,
) {
    let outbox = &connection.outbox;
    let mut unwritten = Unwritten::default();
    let mut receiver = &*connection;
    let ended = tokio::select! {
        ended = read_messages(&mut reader, outbox, &mut receiver) => ended,
        written = outbox.write_to(&mut unwritten, &mut writer) => written.map_err(LinkError::from),
        () = connection.closing.cancelled() => Err(LinkError::Left),
    };
    if connection.closing.is_cancelled() {
        outbox.finish();
        drop(timeout(FAREWELL, outbox.write_to(&mut unwritten, &mut writer)).await);
    }
    let known = connection.reason.get().is_some();
    // While its end is looked into, nothing more is taken.
    connection.outbox.close();
    drop((reader, writer));
    let said = match epitaph.filter(|_| !known) {
        Some(epitaph) => epitaph.say().await,
        None => None,
    };
    let reason = match (ended, said) {
        (Ok(()) | Err(LinkError::Left), Some(said)) => said,
        (Err(error @ LinkError::Io(_)), Some(said)) => format!("{said}; {error}"),
        (Ok(()) | Err(LinkError::Left), None) => "it closed the connection".to_owned(),
        (Err(error), _) => error.to_string(),
    };
    connection.lose(&reason);
}
