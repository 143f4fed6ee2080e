//! One session on one connection: its requests, and its callbacks into the delegate.
//!
//! The callbacks of a cell are begun one after the other, in the order in which the cell made them, apart from the
//! connection and from those of other cells: a delegate that blocks its thread holds up the later ones of that cell, and nothing else.

use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use carrel_contract::error::NotifyError;
use carrel_contract::{
    CallObserver, CallStatus, CancellationToken, CellId, CodeModeSessionDelegate, EventKind, JsonText,
    Notification, Seq, SessionId, SessionState, StreamItem, ToolCall, ToolError, ToolErrorCode, ToolProgress,
};
use carrel_wire::{
    Call, Fault, LookedUp, Malformed, Progress, Reply, Text, ToClient, ToHost, ToolFailure, encode,
};
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

use super::connection::{Answer, Connection, Owner, Pending};
use super::feed::{Feed, Following, ROOM};
use super::names::Names;
use crate::link::{LinkError, Unsent};
use crate::watch;

/// Callbacks of a session that a host may have under way.
const CALLBACKS: usize = 128 * 1024;
/// Cells of which the last entry is remembered.
const SEEN: usize = 4096;
/// Word of how a call gets on goes out no more often than this.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// Where a session's callbacks go: another delegate may take the place of the one that there was.
pub(super) struct DelegateSlot(Mutex<Arc<dyn CodeModeSessionDelegate>>);

impl DelegateSlot {
    pub(super) fn new(delegate: Arc<dyn CodeModeSessionDelegate>) -> Self {
        Self(Mutex::new(delegate))
    }

    pub(super) fn get(&self) -> Arc<dyn CodeModeSessionDelegate> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn set(&self, delegate: Arc<dyn CodeModeSessionDelegate>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = delegate;
    }
}

/// See the [module](self).
pub(crate) struct Channel {
    pub(super) stream: u32,
    owner: Arc<Owner>,
    delegate: Arc<DelegateSlot>,
    /// There once the session has its id.
    pub(super) names: OnceLock<Names>,
    /// The id by which the host knows the session.
    pub(super) host_id: OnceLock<SessionId>,
    grace: Duration,
    state: AtomicU8,
    callbacks: Mutex<Callbacks>,
    /// Cells of which the delegate is being told that they are gone.
    closing: AtomicUsize,
    closed: Notify,
    /// What was seen of the log, where it is followed: the last entry of each cell that is alive.
    seen: Mutex<HashMap<CellId, Seq>>,
    ends: AtomicU64,
    /// The newest entry that came.
    newest: AtomicU64,
    /// Tells of each cell that is gone.
    on_closed: Box<dyn Fn(&CellId) + Send + Sync>,
}

#[derive(Default)]
struct Callbacks {
    under_way: HashMap<u64, Tokens>,
    cells: HashMap<CellId, Cell>,
    is_over: bool,
}

#[derive(Clone, Default)]
struct Tokens {
    /// The answer is no longer wanted.
    cancel: CancellationToken,
    /// It is no longer waited for.
    dropped: CancellationToken,
}

/// The callbacks of one cell.
#[derive(Default)]
struct Cell {
    queue: VecDeque<BoxFuture<'static, ()>>,
    is_running: bool,
    under_way: usize,
    ended: Arc<Notify>,
}

impl Callbacks {
    /// Forgets a cell that has no callback any more.
    fn settle(&mut self, cell_id: &CellId) {
        if self.cells.get(cell_id).is_some_and(|cell| cell.under_way == 0 && !cell.is_running)
            && let Some(cell) = self.cells.remove(cell_id)
        {
            cell.ended.notify_waiters();
        }
    }
}

impl Channel {
    pub(super) fn open(
        owner: &Arc<Owner>,
        delegate: &Arc<DelegateSlot>,
        names: Option<Names>,
        grace: Duration,
        on_closed: Box<dyn Fn(&CellId) + Send + Sync>,
    ) -> Arc<Self> {
        owner.connection.register(|stream| {
            Arc::new(Self {
                stream,
                owner: Arc::clone(owner),
                delegate: Arc::clone(delegate),
                host_id: names.as_ref().map_or_else(OnceLock::new, |names| names.session_id.clone().into()),
                names: names.map_or_else(OnceLock::new, OnceLock::from),
                grace,
                state: AtomicU8::new(0),
                callbacks: Mutex::default(),
                closing: AtomicUsize::new(0),
                closed: Notify::new(),
                seen: Mutex::default(),
                ends: AtomicU64::new(0),
                newest: AtomicU64::new(0),
                on_closed,
            })
        })
    }

    pub(super) fn owner(&self) -> &Arc<Owner> {
        &self.owner
    }

    pub(super) fn connection(&self) -> &Arc<Connection> {
        &self.owner.connection
    }

    pub(super) fn state(&self) -> SessionState {
        match self.state.load(Ordering::SeqCst) {
            0 => SessionState::Open,
            1 => SessionState::ShuttingDown,
            _ => SessionState::Closed,
        }
    }

    /// Notes what the session is doing. It never goes back.
    pub(super) fn set_state(&self, state: SessionState) {
        let state = match state {
            SessionState::Open => 0,
            SessionState::ShuttingDown => 1,
            _ => 2,
        };
        self.state.fetch_max(state, Ordering::SeqCst);
    }

    /// Says something small.
    pub(super) fn push(&self, message: &ToHost) {
        self.connection().outbox.push(self.stream, encode(message));
    }

    /// Says something; `None` when the host is gone, once that is known for sure.
    async fn say(&self, message: ToHost) -> Option<()> {
        let connection = self.connection();
        if connection.outbox.send(self.stream, encode(&message)).await.is_err() {
            connection.lost.cancelled().await;
            return None;
        }
        Some(())
    }

    /// Makes a request and waits for its answer. Dropping the future cancels the request; `None` when the host is gone.
    pub(super) async fn ask(&self, message: impl FnOnce(u64) -> ToHost) -> Option<Reply> {
        self.ask_fully(message).await.map(|answer| answer.reply)
    }

    /// The same, with what had been seen by then.
    pub(super) async fn ask_fully(&self, message: impl FnOnce(u64) -> ToHost) -> Option<Answer> {
        let (waiting, reply) = oneshot::channel();
        let request = self.connection().request(Pending::Reply(waiting));
        let mut asked = Asked { connection: self.connection(), stream: self.stream, request, is_over: false };
        self.say(message(request)).await?;
        let reply = reply.await.ok();
        asked.is_over = true;
        self.cells_closed().await;
        reply
    }

    /// The same for a cell, which has two answers.
    pub(super) async fn ask_for_cell(
        self: Arc<Self>,
        message: impl FnOnce(u64) -> ToHost,
    ) -> Option<(Reply, FirstReply)> {
        let (started, is_started) = oneshot::channel();
        let (first, first_reply) = oneshot::channel();
        let request = self.connection().request(Pending::Cell(Some(started), first));
        let first = FirstReply { channel: Arc::clone(&self), request, reply: first_reply };
        self.say(message(request)).await?;
        let started = is_started.await.ok()?;
        Some((started.reply, first))
    }

    /// Follows the log after a cursor of the host's.
    pub(super) fn follow(self: Arc<Self>, after: u64) -> Following {
        let feed = Arc::<Feed>::default();
        let request = self.connection().request(Pending::Log(Arc::clone(&feed)));
        self.push(&ToHost::Follow { request, after, room: ROOM });
        Following { channel: self, request, feed }
    }

    /// Looks at entries of the log on their way to a reader.
    pub(super) fn see(&self, items: &[StreamItem]) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for item in items {
            let StreamItem::Event(event) = item else { continue };
            self.newest.fetch_max(event.seq.0, Ordering::SeqCst);
            if matches!(event.kind, EventKind::CellCompleted { .. } | EventKind::CellTerminated { .. }) {
                seen.remove(&event.cell_id);
                self.ends.fetch_add(1, Ordering::SeqCst);
            } else {
                seen.insert(event.cell_id.clone(), event.seq);
            }
        }
        if seen.len() > SEEN {
            seen.clear();
        }
    }

    /// Returns the number of the newest entry that came, as the host counts.
    pub(super) fn newest(&self) -> Seq {
        Seq(self.newest.load(Ordering::SeqCst))
    }

    /// Returns how many ends of cells were seen.
    pub(super) fn ends(&self) -> u64 {
        self.ends.load(Ordering::SeqCst)
    }

    /// Returns the last entry that was seen of a cell, by the names of the host, while it is alive.
    pub(super) fn last_seen(&self, cell_id: &CellId) -> Option<Seq> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(cell_id).copied()
    }

    /// Waits until the delegate has heard of the cells that are gone, if it does not take too long.
    async fn cells_closed(&self) {
        let heard = async {
            loop {
                let closed = self.closed.notified();
                if self.closing.load(Ordering::SeqCst) == 0 {
                    return;
                }
                closed.await;
            }
        };
        if self.closing.load(Ordering::SeqCst) > 0 {
            timeout(self.grace + PROGRESS_EVERY, heard).await.ok();
        }
    }

    /// Takes a callback, or word of one.
    pub(super) fn take(self: &Arc<Self>, message: ToClient) -> Result<(), LinkError> {
        let names =
            self.names.get().ok_or(LinkError::Protocol("it calls back before the session has its id"))?;
        match message {
            ToClient::Call { call, tool_call } => {
                let (tool_call, tokens) = self.tool_call(names, call, tool_call)?;
                let (cell_id, channel) = (tool_call.cell_id.clone(), Arc::clone(self));
                let cancel = tokens.cancel.clone();
                let called = async move {
                    let delegate = channel.delegate.get();
                    let answer =
                        until(&tokens, async move { delegate.invoke_tool(tool_call, cancel).await }).await;
                    let Some(answer) = answer else { return };
                    channel.answer(call, answer.unwrap_or_else(|panic| Err(panicked(&panic)))).await;
                };
                self.begin(&cell_id, call, called.boxed());
            }
            ToClient::LookUp { call, tool_call } => {
                let (tool_call, tokens) = self.tool_call(names, call, tool_call)?;
                let (cell_id, channel) = (tool_call.cell_id.clone(), Arc::clone(self));
                let cancel = tokens.cancel.clone();
                let asked = async move {
                    let delegate = channel.delegate.get();
                    let looked =
                        until(&tokens, async move { delegate.lookup_outcome(tool_call, cancel).await }).await;
                    let Some(outcome) = looked else { return };
                    let outcome = LookedUp::from(outcome.unwrap_or_else(|panic| Err(panicked(&panic))));
                    channel.send(call, ToHost::LookedUp { call, outcome }).await;
                };
                self.begin(&cell_id, call, asked.boxed());
            }
            ToClient::Notify { call, cell_id, text } => {
                let cell_id = self.cell_id(names, &cell_id)?;
                let tokens = self.add(call)?;
                let (notification, channel) =
                    (Notification::new(names.session_id.clone(), cell_id.clone(), text), Arc::clone(self));
                let cancel = tokens.cancel.clone();
                let notified = async move {
                    let delegate = channel.delegate.get();
                    let delivered =
                        until(&tokens, async move { delegate.notify(notification, cancel).await }).await;
                    let Some(delivered) = delivered else { return };
                    let delivered = delivered.unwrap_or_else(|panic| {
                        Err(NotifyError { detail: panicked(&panic).message, tried_for: None })
                    });
                    let fault = delivered.err().map(|error| Fault::from(&error));
                    channel.send(call, ToHost::Delivered { call, fault }).await;
                };
                self.begin(&cell_id, call, notified.boxed());
            }
            ToClient::CancelCall { call } => {
                let tokens = self.callbacks().under_way.get(&call).cloned();
                if let Some(tokens) = tokens {
                    tokens.cancel.cancel();
                }
            }
            ToClient::DropCall { call } => {
                let tokens = self.callbacks().under_way.remove(&call);
                if let Some(tokens) = tokens {
                    tokens.cancel.cancel();
                    tokens.dropped.cancel();
                }
            }
            ToClient::CellClosed { cell_id } => {
                let cell_id = self.cell_id(names, &cell_id)?;
                (self.on_closed)(&cell_id);
                self.ends.fetch_add(1, Ordering::SeqCst);
                self.close_cell(cell_id);
            }
            _ => return Err(LinkError::Protocol("it sent a message on a stream where it does not belong")),
        }
        Ok(())
    }

    fn cell_id(&self, names: &Names, cell_id: &str) -> Result<CellId, LinkError> {
        let cell_id = CellId::new(cell_id).and_then(|cell_id| names.outward(&cell_id));
        Ok(cell_id.map_err(Malformed::from)?)
    }

    fn tool_call(&self, names: &Names, call: u64, mut wire: Call) -> Result<(ToolCall, Tokens), LinkError> {
        wire.cell_id = self.cell_id(names, &wire.cell_id)?.into();
        let tool_call = wire.of_session(names.session_id.clone())?;
        let tokens = self.add(call)?;
        let (owner, stream, told) = (Arc::clone(&self.owner), self.stream, Mutex::new(None));
        let status = CallStatus::new(Arc::new(Teller { owner, stream, call, told }));
        Ok((tool_call.with_status(status), tokens))
    }

    fn add(&self, call: u64) -> Result<Tokens, LinkError> {
        let mut callbacks = self.callbacks();
        if callbacks.under_way.len() >= CALLBACKS || callbacks.under_way.contains_key(&call) {
            return Err(LinkError::Protocol("it has too many callbacks under way, or two of one number"));
        }
        let tokens = Tokens::default();
        callbacks.under_way.insert(call, tokens.clone());
        Ok(tokens)
    }

    /// Begins a callback after those that its cell made before.
    fn begin(self: &Arc<Self>, cell_id: &CellId, call: u64, callback: BoxFuture<'static, ()>) {
        let mut callbacks = self.callbacks();
        if callbacks.is_over {
            return;
        }
        let cell = callbacks.cells.entry(cell_id.clone()).or_default();
        cell.under_way += 1;
        let over = Over { channel: Arc::clone(self), cell_id: cell_id.clone(), call };
        cell.queue.push_back(
            async move {
                let _over = over;
                callback.await;
            }
            .boxed(),
        );
        if !std::mem::replace(&mut cell.is_running, true) {
            self.connection().tasks.spawn(begin_all(Arc::clone(self), cell_id.clone()));
        }
    }

    /// Tells the delegate that a cell is gone, after its callbacks.
    fn close_cell(self: &Arc<Self>, cell_id: CellId) {
        self.closing.fetch_add(1, Ordering::SeqCst);
        let channel = Arc::clone(self);
        self.connection().tasks.spawn(async move {
            let over = async {
                loop {
                    let Some(ended) =
                        channel.callbacks().cells.get(&cell_id).map(|cell| Arc::clone(&cell.ended))
                    else {
                        return;
                    };
                    let ended = ended.notified();
                    tokio::pin!(ended);
                    ended.as_mut().enable();
                    if !channel.callbacks().cells.contains_key(&cell_id) {
                        return;
                    }
                    ended.await;
                }
            };
            timeout(channel.grace, over).await.ok();
            let closed = AssertUnwindSafe(|| {
                let _polling = watch::polling();
                channel.delegate.get().cell_closed(&cell_id);
            });
            // Its panic harms nobody: the panic hook has reported it.
            drop(std::panic::catch_unwind(closed));
            channel.closing.fetch_sub(1, Ordering::SeqCst);
            channel.closed.notify_waiters();
        });
    }

    async fn answer(&self, call: u64, answer: Result<JsonText, ToolError>) {
        let message = match answer {
            Ok(result) => ToHost::Answer { call, result: Some(Text::from(result)), failure: None },
            Err(error) => ToHost::Answer { call, result: None, failure: Some(error.into()) },
        };
        self.send(call, message).await;
    }

    /// Answers a callback.
    async fn send(&self, call: u64, message: ToHost) {
        let outbox = &self.connection().outbox;
        if outbox.send_aside(self.stream, encode(&message)).await == Err(Unsent::TooLarge) {
            let error = ToolError::new(ToolErrorCode::TooLarge, "the result is longer than the host takes");
            let failure = Some(ToolFailure::from(error));
            self.push(&ToHost::Answer { call, result: None, failure });
        }
    }

    /// Gives up all callbacks: nobody waits for their answers any more.
    pub(super) fn end(&self) {
        let (under_way, cells) = {
            let mut callbacks = self.callbacks();
            callbacks.is_over = true;
            let queues: Vec<_> =
                callbacks.cells.values_mut().map(|cell| std::mem::take(&mut cell.queue)).collect();
            (std::mem::take(&mut callbacks.under_way), queues)
        };
        for tokens in under_way.values() {
            tokens.cancel.cancel();
            tokens.dropped.cancel();
        }
        drop(cells);
    }

    fn callbacks(&self) -> MutexGuard<'_, Callbacks> {
        self.callbacks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Begins a cell's callbacks, until none is left.
async fn begin_all(channel: Arc<Channel>, cell_id: CellId) {
    loop {
        let next = {
            let mut callbacks = channel.callbacks();
            let Some(cell) = callbacks.cells.get_mut(&cell_id) else { return };
            let next = cell.queue.pop_front();
            if next.is_none() {
                cell.is_running = false;
                callbacks.settle(&cell_id);
            }
            next
        };
        let Some(mut callback) = next else { return };
        // The task that takes it over polls it again, and then with a waker.
        let polled = callback.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        if polled == Poll::Pending {
            channel.connection().tasks.spawn(callback);
        } else {
            drop(callback);
        }
        // What was woken just now may be next on this very thread, where no other takes it from: it has its turn before
        // a callback that could block the thread.
        tokio::task::yield_now().await;
    }
}

/// Awaits code of the delegate's, unless it is dropped before; a panic of it is told.
async fn until<T>(tokens: &Tokens, code: impl Future<Output = T> + Send) -> Option<Result<T, String>> {
    let dropped = tokens.dropped.clone();
    let guarded = async move {
        let mut code = Box::pin(code);
        tokio::select! {
            biased;
            done = std::future::poll_fn(|context| {
                let _polling = watch::polling();
                code.as_mut().poll(context)
            }) => Some(done),
            () = dropped.cancelled() => None,
        }
    };
    match AssertUnwindSafe(guarded).catch_unwind().await {
        Ok(None) => None,
        Ok(Some(done)) => Some(Ok(done)),
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            Some(Err(text.unwrap_or_else(|| "it says nothing".to_owned())))
        }
    }
}

fn panicked(panic: &str) -> ToolError {
    ToolError::new(ToolErrorCode::Internal, format!("the delegate panicked: {panic}"))
}

/// A callback, until it is over.
struct Over {
    channel: Arc<Channel>,
    cell_id: CellId,
    call: u64,
}

impl Drop for Over {
    fn drop(&mut self) {
        let mut callbacks = self.channel.callbacks();
        callbacks.under_way.remove(&self.call);
        if let Some(cell) = callbacks.cells.get_mut(&self.cell_id) {
            cell.under_way -= 1;
        }
        callbacks.settle(&self.cell_id);
    }
}

/// A request, until it is answered. Dropped before, it is cancelled.
struct Asked<'a> {
    connection: &'a Connection,
    stream: u32,
    request: u64,
    is_over: bool,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if self.connection.forget(self.request) && !self.is_over {
            self.connection.outbox.push(self.stream, encode(&ToHost::Cancel { request: self.request }));
        }
    }
}

/// The second answer to a request for a cell.
pub(super) struct FirstReply {
    channel: Arc<Channel>,
    request: u64,
    reply: oneshot::Receiver<Answer>,
}

impl FirstReply {
    /// Waits for it; `None` when the host is gone.
    pub(super) async fn wait(mut self) -> Option<Answer> {
        let reply = (&mut self.reply).await.ok();
        self.channel.cells_closed().await;
        reply
    }
}

impl Drop for FirstReply {
    fn drop(&mut self) {
        if self.channel.connection().forget(self.request) {
            self.channel.push(&ToHost::Cancel { request: self.request });
        }
    }
}

/// Tells the host how a call gets on.
struct Teller {
    owner: Arc<Owner>,
    stream: u32,
    call: u64,
    told: Mutex<Option<Instant>>,
}

impl Teller {
    fn tell(&self, progress: Progress) {
        let message = ToHost::Progress { call: self.call, progress };
        self.owner.connection.outbox.push(self.stream, encode(&message));
    }
}

impl CallObserver for Teller {
    fn progress(&self, progress: ToolProgress) {
        {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            if told.is_some_and(|at| at.elapsed() < PROGRESS_EVERY) {
                return;
            }
            *told = Some(Instant::now());
        }
        self.tell(Progress::Made { percent: progress.percent, message: progress.message });
    }

    fn person_awaited(&self, question: &str) {
        self.tell(Progress::PersonAwaited { question: question.to_owned() });
    }

    fn person_answered(&self) {
        self.tell(Progress::PersonAnswered);
    }
}
