//! A session that another process has, and that goes on when that process is lost: a journaled one where it was, one in memory
//! anew, with word of what is gone.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use carrel_contract::error::{
    ExecuteError, HostLost, OutcomeExpired, SessionClosed, SetToolsError, ShutdownError, StoredError,
    TerminateError, WaitError,
};
use carrel_contract::{
    CellId, CellResponse, CodeModeFuture, CodeModeSession, CodeModeSessionDelegate, Durability, EventStream,
    ExecuteRequest, OutputItem, Read, Seq, SessionId, SessionSpec, SessionState, StartedCell, StoredKey,
    StreamItem, ToolDescription, WaitRequest, WaitResponse, WaitUntil,
};
use carrel_wire::{Execute, Fault, FromFault, Malformed, Observed, Reading, Reply, Spec, ToHost, Tool, Wait};
use futures::stream;
use tokio::sync::watch;
use tokio::time::Instant;

use super::channel::{Channel, DelegateSlot, FirstReply};
use super::connection::{Answer, Owner};
use super::feed::{End, Following};
use super::ledger::{Ledger, Standing};
use super::names::Names;
use super::provider::Home;

/// The longest wait there is; tokio's clock cannot count on from now without bound.
const LONGEST_WAIT: Duration = Duration::from_secs(365 * 24 * 3600);
/// Losses of a host in the course of one request after which it is given up.
const LOSSES: usize = 3;

/// The handle of a session. Dropping the last one gives the session up.
pub(super) struct Session {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    id: SessionId,
    /// What it is made of again, when it was in memory.
    spec: Mutex<SessionSpec>,
    durability: Durability,
    home: Arc<dyn Home>,
    delegate: Arc<DelegateSlot>,
    state: Mutex<State>,
    ledger: Arc<Mutex<Ledger>>,
    /// Held while a host is looked for.
    moving: tokio::sync::Mutex<()>,
    /// Tells of each new host, and of the end.
    moved: watch::Sender<()>,
}

struct State {
    channel: Arc<Channel>,
    /// The newest event that was shown.
    newest: Seq,
    /// Its loss is in the ledger.
    is_noted: bool,
    /// Nobody holds it any more.
    is_released: bool,
    is_closed: bool,
}

/// What a session is opened for.
pub(super) struct Opening {
    pub(super) spec: SessionSpec,
    pub(super) delegate: Arc<DelegateSlot>,
    pub(super) home: Arc<dyn Home>,
}

impl Session {
    /// Makes a session in a host.
    pub(super) async fn create<E: FromFault>(opening: Opening, owner: &Arc<Owner>) -> Result<Self, E> {
        let ledger = Arc::<Mutex<Ledger>>::default();
        let names = |session_id| Names { session_id, generation: 1, base: 0 };
        let spec = opening.spec.clone();
        let (channel, id) = create(owner, &opening.delegate, &ledger, spec, names).await?;
        Ok(Self { inner: Arc::new(Inner::new(opening, id, channel, ledger)) })
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
        Ok(Self { inner: Arc::new(Inner::new(opening, id, channel, ledger)) })
    }
}

fn on_closed(ledger: &Arc<Mutex<Ledger>>) -> Box<dyn Fn(&CellId) + Send + Sync> {
    let ledger = Arc::clone(ledger);
    Box::new(move |cell_id| lock(&ledger).closed(cell_id))
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
            channel.push(&ToHost::Release);
        }
    }
}

fn gone(owner: &Owner) -> HostLost {
    HostLost { session_id: None, detail: owner.connection.why_lost().to_string() }
}

fn nonsense<E: FromFault>(detail: &str) -> E {
    E::lost(HostLost { session_id: None, detail: detail.to_owned() })
}

/// Returns the operation's error of a reply that is none of its own.
fn failed<E: FromFault>(reply: Option<Reply>, lost: impl FnOnce() -> HostLost) -> E {
    match reply {
        Some(Reply::Failed(fault)) => {
            E::from_fault(&fault).unwrap_or_else(|error| nonsense(&format!("failed to {error}")))
        }
        Some(_) => nonsense("it answered another question than it was asked"),
        None => E::lost(lost()),
    }
}

async fn create<E: FromFault>(
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

async fn resume<E: FromFault>(
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

impl Inner {
    fn new(opening: Opening, id: SessionId, channel: Arc<Channel>, ledger: Arc<Mutex<Ledger>>) -> Self {
        let state =
            State { channel, newest: Seq::START, is_noted: false, is_released: false, is_closed: false };
        Self {
            id,
            durability: opening.spec.durability,
            spec: Mutex::new(opening.spec),
            home: opening.home,
            delegate: opening.delegate,
            state: Mutex::new(state),
            ledger,
            moving: tokio::sync::Mutex::default(),
            moved: watch::channel(()).0,
        }
    }

    pub(super) fn adopt(&self, delegate: Arc<dyn CodeModeSessionDelegate>) {
        self.delegate.set(delegate);
    }

    /// Notes that the session was deleted.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.moved.send_replace(());
    }

    /// Returns the stream that there is, which may be lost, and what it calls things.
    pub(super) fn channel(&self) -> Arc<Channel> {
        Arc::clone(&self.state().channel)
    }

    /// Returns the id by which the host knows the session, when that is known.
    pub(super) fn id_in_host(&self) -> Option<SessionId> {
        self.channel().host_id.get().cloned()
    }

    pub(super) fn is_journaled(&self) -> bool {
        self.durability == Durability::Journaled
    }

    fn names(&self, channel: &Channel) -> Names {
        channel.names.get().cloned().unwrap_or_else(|| Names {
            session_id: self.id.clone(),
            generation: 1,
            base: 0,
        })
    }

    fn lost(&self, channel: &Channel) -> HostLost {
        HostLost { session_id: Some(self.id.clone()), detail: channel.connection().why_lost().to_string() }
    }

    /// Notes the loss of a host that a session in memory had, once.
    fn note_loss(&self, channel: &Arc<Channel>) {
        if self.is_journaled() || !channel.connection().is_lost() {
            return;
        }
        let mut state = self.state();
        if !Arc::ptr_eq(&state.channel, channel) || state.is_noted {
            return;
        }
        state.is_noted = true;
        // What is on its way to readers counts as shown.
        state.newest = state.newest.max(self.names(channel).seq_outward(channel.newest()));
        state.newest = lock(&self.ledger).lose(&channel.connection().why_lost(), state.newest);
    }

    /// Returns a stream that is not lost, in another host when it must be.
    async fn live(&self) -> Result<Arc<Channel>, HostLost> {
        let channel = self.channel();
        if !channel.connection().is_lost() {
            return Ok(channel);
        }
        let _moving = self.moving.lock().await;
        let channel = self.channel();
        if !channel.connection().is_lost() {
            return Ok(channel);
        }
        if self.state().is_released || channel.state() != SessionState::Open {
            return Err(self.lost(&channel));
        }
        self.note_loss(&channel);
        let owner = self.home.connect().await?;
        let spec = self.spec.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let new = if self.is_journaled() {
            resume::<carrel_contract::error::ResumeError>(
                &owner,
                &self.delegate,
                &self.ledger,
                &spec,
                &self.id,
            )
            .await
            .map_err(|error| self.not_moved(&error))?
        } else {
            let generation = self.names(&channel).generation + 1;
            let (id, base) = (self.id.clone(), self.state().newest.0);
            let names = |_| Names { session_id: id, generation, base };
            create::<carrel_contract::error::CreateError>(&owner, &self.delegate, &self.ledger, spec, names)
                .await
                .map_err(|error| self.not_moved(&error))?
                .0
        };
        let is_released = {
            let mut state = self.state();
            state.channel = Arc::clone(&new);
            state.is_noted = false;
            state.is_released
        };
        if is_released {
            new.push(&ToHost::Release);
        }
        self.moved.send_replace(());
        Ok(new)
    }

    fn not_moved(&self, error: &dyn std::fmt::Display) -> HostLost {
        let detail = format!("it was lost, and the session does not go on in another: failed to {error}");
        HostLost { session_id: Some(self.id.clone()), detail }
    }

    /// Waits, with what is known here of cells whose host is gone.
    async fn observe(&self, request: WaitRequest) -> Result<WaitResponse, WaitError> {
        let deadline = Instant::now() + request.yield_time.min(LONGEST_WAIT);
        let mut losses = 0;
        loop {
            let channel = if self.is_journaled() { self.live().await? } else { self.channel() };
            self.note_loss(&channel);
            let names = self.names(&channel);
            let mut known: Vec<Option<CellResponse>> = Vec::new();
            let mut asked = request.clone();
            asked.cells.clear();
            for cell_id in &request.cells {
                // Looked at before, and read once the response is made.
                match lock(&self.ledger).standing(cell_id, false) {
                    Standing::Lost(response) => known.push(Some(*response)),
                    Standing::Expired => return Err(OutcomeExpired { cell_id: cell_id.clone() }.into()),
                    Standing::Elsewhere => {
                        let unknown = || carrel_contract::error::UnknownCell { cell_id: cell_id.clone() };
                        asked.cells.push(names.inward(cell_id).ok_or_else(unknown)?);
                        known.push(None);
                    }
                }
            }
            let any_lost = known.iter().any(Option::is_some);
            let mut rest = Vec::new();
            if !asked.cells.is_empty() || !any_lost {
                let left = deadline.saturating_duration_since(Instant::now());
                let is_met = any_lost && matches!(request.until, WaitUntil::AnyEnded | WaitUntil::AnyOutput);
                asked.yield_time = if is_met { Duration::ZERO } else { left.min(request.yield_time) };
                if request.yield_time > LONGEST_WAIT && !is_met {
                    asked.yield_time = request.yield_time;
                }
                asked.after = asked.after.map(|after| names.seq_inward(after));
                asked.look = true;
                let wait = Wait::from(asked);
                match self.fresh(&channel, wait).await {
                    Some(Reply::Observed(cells)) => rest = cells,
                    None if losses < LOSSES => {
                        losses += 1;
                        continue;
                    }
                    reply => return Err(self.fault(reply, &channel)),
                }
            }
            let mut rest = rest.into_iter();
            let mut cells = Vec::with_capacity(known.len());
            for (cell_id, known) in request.cells.iter().zip(known) {
                let response = match known {
                    Some(_) => match lock(&self.ledger).standing(cell_id, !request.look) {
                        Standing::Lost(response) => *response,
                        _ => continue,
                    },
                    None => {
                        let missing = || nonsense::<WaitError>("it leaves out a cell that was asked for");
                        let response = self.outward(rest.next().ok_or_else(missing)?, &names);
                        response.map_err(|error| nonsense::<WaitError>(&format!("failed to {error}")))?
                    }
                };
                let mut response = self.deliver(response, &channel, request.after, request.look, false);
                if !request.look && cells.iter().any(|earlier: &CellResponse| named(earlier) == cell_id) {
                    read_just_now(&mut response, request.after.is_none());
                }
                cells.push(response);
            }
            return Ok(WaitResponse::new(cells));
        }
    }

    /// Asks the host to wait. A response that lay here until its reader came for it, while more was seen to happen, is
    /// made anew: a response is of the moment in which it is given.
    async fn fresh(&self, channel: &Channel, mut wait: Wait) -> Option<Reply> {
        let again = wait.clone();
        let answer = channel.ask_fully(|request| ToHost::Wait { request, wait }).await?;
        if !is_stale(&answer, channel, true) {
            return Some(answer.reply);
        }
        wait = again;
        wait.yield_time = Some(Duration::ZERO);
        channel.ask(|request| ToHost::Wait { request, wait }).await
    }

    /// The same for a first response.
    async fn fresh_first(&self, channel: &Channel, answer: Answer, tokens: usize) -> Option<Reply> {
        let Reply::Observed(cells) = &answer.reply else { return Some(answer.reply) };
        let Some(Observed::Yielded(stale)) = cells.first() else { return Some(answer.reply) };
        if !is_stale(&answer, channel, false) {
            return Some(answer.reply);
        }
        let notices = stale.notices.clone();
        let wait = Wait {
            cells: vec![stale.cell_id.clone()],
            after: Some(0),
            until: None,
            yield_time: Some(Duration::ZERO),
            max_output_tokens: Some(u64::try_from(tokens).unwrap_or(u64::MAX)),
            look: Some(true),
        };
        let mut reply = channel.ask(|request| ToHost::Wait { request, wait }).await?;
        if let Reply::Observed(cells) = &mut reply
            && let Some(
                Observed::Yielded(observation)
                | Observed::Completed { observation, .. }
                | Observed::Terminated { observation, .. },
            ) = cells.first_mut()
        {
            observation.notices = notices;
        }
        Some(reply)
    }

    /// Hands a response over: what it shows is read from here on.
    fn deliver(
        &self,
        mut response: CellResponse,
        channel: &Channel,
        after: Option<Seq>,
        looks: bool,
        is_first: bool,
    ) -> CellResponse {
        let observation = response.observation();
        let names = self.names(channel);
        {
            let mut state = self.state();
            state.newest = state.newest.max(observation.cursor.min(Seq(u64::MAX / 2)));
        }
        let moves = after.is_none() || is_first;
        // Nothing of the host's changes by what somebody with a cursor of their own reads of a cell that is alive.
        if !looks
            && (moves || response.is_final())
            && let Some(cell_id) = names.inward(&observation.cell_id)
        {
            let reading = Reading {
                cell_id: cell_id.into(),
                after: is_first.then_some(0),
                cursor: names.seq_inward(observation.cursor).0,
                moves,
            };
            channel.push(&ToHost::NoteRead { reading });
        }
        if !looks && let Some(notice) = lock(&self.ledger).take_notice() {
            observation_mut(&mut response).notices.push(notice);
        }
        response
    }

    /// Returns a response with the names that the owner knows.
    fn outward(&self, wire: Observed, names: &Names) -> Result<CellResponse, Malformed> {
        let mut response = CellResponse::try_from(wire)?;
        let observation = observation_mut(&mut response);
        observation.cell_id = names.outward(&observation.cell_id)?;
        observation.cursor = names.seq_outward(observation.cursor);
        let items = std::mem::take(&mut observation.items);
        let outward =
            |item: OutputItem| OutputItem { seq: names.seq_outward(item.seq), content: item.content };
        observation.items = items.into_iter().map(outward).collect();
        Ok(response)
    }

    /// Returns an operation's error, about the session and the cells that the owner knows.
    fn fault<E: FromFault>(&self, reply: Option<Reply>, channel: &Channel) -> E {
        let reply = reply.map(|reply| match reply {
            Reply::Failed(fault) => Reply::Failed(self.outward_fault(fault, &self.names(channel))),
            other => other,
        });
        failed(reply, || self.lost(channel))
    }

    fn outward_fault(&self, mut fault: Fault, names: &Names) -> Fault {
        let outward = |cell_id: &String| {
            let known = CellId::new(cell_id).and_then(|cell_id| names.outward(&cell_id));
            known.map_or_else(|_| cell_id.clone(), String::from)
        };
        match fault.code {
            // Of a session; of a cell; of cells that hold a limit.
            8 | 9 | 14 | 15 | 18 | 19 | 20 => fault.subject = Some(self.id.as_str().to_owned()),
            10 | 11 => fault.subject = fault.subject.as_ref().map(outward),
            7 => fault.cells = fault.cells.map(|cells| cells.iter().map(outward).collect()),
            _ => {}
        }
        fault
    }

    /// Waits for the first response of a cell.
    async fn first_response(
        self: Arc<Self>,
        channel: Arc<Channel>,
        cell_id: CellId,
        first: FirstReply,
        request: ExecuteRequest,
    ) -> Result<CellResponse, WaitError> {
        let deadline = Instant::now() + request.yield_time.min(LONGEST_WAIT);
        let reply = match first.wait().await {
            Some(answer) => self.fresh_first(&channel, answer, request.max_output_tokens).await,
            None => None,
        };
        match reply {
            Some(Reply::Observed(mut cells)) if cells.len() == 1 => {
                let names = self.names(&channel);
                let response = self.outward(cells.swap_remove(0), &names);
                let response =
                    response.map_err(|error| nonsense::<WaitError>(&format!("failed to {error}")))?;
                Ok(self.deliver(response, &channel, None, request.look, true))
            }
            None => {
                let mut again = WaitRequest::new([cell_id.clone()]).after(Seq::START);
                again.yield_time = deadline.saturating_duration_since(Instant::now());
                again.max_output_tokens = request.max_output_tokens;
                again.look = request.look;
                let mut cells = self.observe(again).await?.cells;
                cells.pop().ok_or_else(|| nonsense("it leaves out a cell that was asked for"))
            }
            reply => Err(self.fault(reply, &channel)),
        }
    }

    /// Gives the session up.
    fn release(&self) {
        let channel = {
            let mut state = self.state();
            state.is_released = true;
            Arc::clone(&state.channel)
        };
        channel.push(&ToHost::Release);
        self.moved.send_replace(());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn observation_mut(response: &mut CellResponse) -> &mut carrel_contract::Observation {
    match response {
        CellResponse::Completed(done) => &mut done.observation,
        CellResponse::Terminated(done) => &mut done.observation,
        CellResponse::Yielded(yielded) => &mut yielded.observation,
        // The contract's enum may grow; the wire makes these three alone.
        other => unreachable!("{other:?}"),
    }
}

/// Tells whether more is known to have happened than a response shows. `forgets`: whether outcomes may be forgotten
/// meanwhile.
fn is_stale(answer: &Answer, channel: &Channel, forgets: bool) -> bool {
    let Reply::Observed(cells) = &answer.reply else { return false };
    cells.iter().any(|observed| match observed {
        Observed::Yielded(observation) => {
            let cell_id = CellId::new(&observation.cell_id).ok();
            let seen = cell_id.and_then(|cell_id| channel.last_seen(&cell_id));
            seen.is_some_and(|seen| seen.0 > observation.cursor) || channel.ends() != answer.ends
        }
        Observed::Completed { .. } | Observed::Terminated { .. } => forgets && channel.ends() != answer.ends,
    })
}

fn named(response: &CellResponse) -> &CellId {
    &response.observation().cell_id
}

/// Makes the response of a cell that was named twice what it is to a reader who was just given the first.
fn read_just_now(response: &mut CellResponse, moves: bool) {
    match response {
        CellResponse::Completed(done) => done.read_before = true,
        CellResponse::Terminated(done) => done.read_before = true,
        other if moves => {
            let observation = observation_mut(other);
            observation.items.clear();
            observation.omitted_bytes = 0;
        }
        _ => {}
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.inner.release();
    }
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
            let channel = inner.live().await?;
            let mut execute = Execute::from(request.clone());
            execute.look = Some(true);
            let message = |request| ToHost::Execute { request, execute, key: None };
            let Some((reply, first)) = Arc::clone(&channel).ask_for_cell(message).await else {
                inner.note_loss(&channel);
                return Err(inner.lost(&channel).into());
            };
            let Reply::Started { cell_id } = reply else { return Err(inner.fault(Some(reply), &channel)) };
            let cell_id = CellId::new(&cell_id).and_then(|cell_id| inner.names(&channel).outward(&cell_id));
            let cell_id = cell_id.map_err(|error| nonsense::<ExecuteError>(&format!("failed to {error}")))?;
            lock(&inner.ledger).started(cell_id.clone());
            let first_response = Arc::clone(inner).first_response(channel, cell_id.clone(), first, request);
            Ok(StartedCell { cell_id, first_response: Box::pin(first_response) })
        })
    }

    fn set_tools(&self, tools: Vec<ToolDescription>) -> CodeModeFuture<'_, (), SetToolsError> {
        Box::pin(async move {
            let channel = self.inner.live().await?;
            let wire = tools.iter().cloned().map(Tool::from).collect();
            match channel.ask(|request| ToHost::SetTools { request, tools: wire }).await {
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
            let channel = self.inner.live().await?;
            match channel.ask(|request| ToHost::Stored { request }).await {
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
        let channel = self.inner.channel();
        let names = self.inner.names(&channel);
        if let Some(cell_id) = names.inward(&read.cell_id) {
            let after = read.after.map(|after| names.seq_inward(after).0);
            let cursor = names.seq_inward(read.cursor).0;
            let (cell_id, moves) = (cell_id.into(), read.moves);
            channel.push(&ToHost::NoteRead { reading: Reading { cell_id, after, cursor, moves } });
        }
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
        // Begun at once: what holds the session may be gone by the first poll.
        let channel = self.inner.channel();
        let names = self.inner.names(&channel);
        let following = Some((channel.follow(names.seq_inward(after).0), names));
        let follower = Follower { inner: Arc::clone(&self.inner), after, following };
        Box::pin(stream::unfold(follower, |mut follower| async move {
            let item = follower.next().await?;
            Some((item, follower))
        }))
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

/// A reader of the log, from host to host.
struct Follower {
    inner: Arc<Inner>,
    after: Seq,
    following: Option<(Following, Names)>,
}

impl Follower {
    async fn next(&mut self) -> Option<StreamItem> {
        loop {
            if self.following.is_none() {
                let channel = self.another().await?;
                let names = self.inner.names(&channel);
                let after = names.seq_inward(self.after).0;
                self.following = Some((channel.follow(after), names));
            }
            let (following, names) = self.following.as_ref()?;
            match following.next().await {
                Ok(item) => {
                    let item = outward(item, names)?;
                    self.after = match &item {
                        StreamItem::Event(event) => event.seq,
                        StreamItem::Missed { last_missed, .. } => *last_missed,
                    };
                    let mut state = self.inner.state();
                    state.newest = state.newest.max(self.after.min(Seq(u64::MAX / 2)));
                    drop(state);
                    return Some(item);
                }
                Err(End::Over) => return None,
                Err(End::Lost) => {
                    let channel = Arc::clone(&following.channel);
                    self.inner.note_loss(&channel);
                    let told = lock(&self.inner.ledger).event_after(self.after);
                    if let Some(event) = told {
                        return Some(self.lost(event));
                    }
                    self.following = None;
                }
            }
        }
    }

    /// Tells of a cell that was lost; first, of what this reader has not seen before it.
    fn lost(&mut self, event: carrel_contract::Event) -> StreamItem {
        let next = self.after.next();
        if event.seq > next {
            let last_missed = Seq(event.seq.0 - 1);
            self.after = last_missed;
            return StreamItem::Missed { first_missed: next, last_missed };
        }
        self.after = event.seq;
        StreamItem::Event(event)
    }

    /// Waits for another host than the one that was lost.
    async fn another(&self) -> Option<Arc<Channel>> {
        let mut moved = self.inner.moved.subscribe();
        loop {
            let channel = self.inner.channel();
            if !channel.connection().is_lost() {
                return Some(channel);
            }
            {
                let state = self.inner.state();
                if state.is_released || state.is_closed || channel.state() != SessionState::Open {
                    return None;
                }
            }
            if self.inner.is_journaled() {
                return self.inner.live().await.ok();
            }
            moved.changed().await.ok()?;
        }
    }
}

fn outward(item: StreamItem, names: &Names) -> Option<StreamItem> {
    Some(match item {
        StreamItem::Event(mut event) => {
            event.seq = names.seq_outward(event.seq);
            event.cell_id = names.outward(&event.cell_id).ok()?;
            StreamItem::Event(event)
        }
        StreamItem::Missed { first_missed, last_missed } => StreamItem::Missed {
            first_missed: names.seq_outward(first_missed),
            last_missed: names.seq_outward(last_missed),
        },
    })
}
