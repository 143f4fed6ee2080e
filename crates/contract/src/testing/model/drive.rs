//! Performs operations on a session and on its model, and compares.
//!
//! After each, the log is read until it tells of everything that the model says has happened; then the cells stand
//! still, each at a call or at its end, and what comes next is known.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join;
use futures::{FutureExt, StreamExt};

use super::delegate::Asked;
use super::program::Program;
use super::random::Random;
use super::reference::{Entry, Session};
use crate::error::{ExecuteError, TerminateError, WaitError};
use crate::testing::harness::{Harness, LONG};
use crate::{
    CellId, CellResponse, CodeModeFuture, CodeModeSession, Content, Event, EventKind, EventStream,
    ExecuteRequest, JsonText, Seq, SessionSpec, SessionState, StreamItem, ToolDescription, ToolError,
    ToolErrorCode, ToolName, WaitRequest, WaitResponse, WaitUntil,
};

const UNTIL: [WaitUntil; 4] =
    [WaitUntil::Deadline, WaitUntil::AnyOutput, WaitUntil::AnyEnded, WaitUntil::AllEnded];

pub(super) struct Drive {
    session: Arc<dyn CodeModeSession>,
    delegate: Arc<Asked>,
    model: Session,
    events: EventStream,
    last: Seq,
    logs: HashMap<CellId, Vec<Entry>>,
    observers: Vec<Observer>,
    /// Cursors that responses gave, with the place of each in its cell's log.
    cursors: Vec<(CellId, Seq, usize)>,
}

/// A wait that goes on, from a place in the logs of its cells.
struct Observer {
    wait: CodeModeFuture<'static, WaitResponse, WaitError>,
    cells: Vec<(CellId, usize)>,
    until: WaitUntil,
}

impl Drive {
    pub(super) async fn new(harness: &Harness, random: &mut Random) -> Self {
        let running_limit = 1 + random.below(4);
        // As many outcomes are kept as cells can end at once, which they do in an order that nobody knows.
        let model = Session::new(running_limit, running_limit + random.below(4));
        let delegate = Asked::new();
        let ask = ToolDescription::new(ToolName::new("ask").expect("a name"), "");
        let mut spec = SessionSpec { tools: vec![ask], ..SessionSpec::default() };
        spec.limits.running_cells = model.running_limit;
        spec.limits.kept_outcomes = model.kept_outcomes;
        let session = harness.provider.create(spec, delegate.clone()).await.expect("the session is made");
        Self {
            events: session.events(Seq::START),
            session,
            delegate,
            model,
            last: Seq::START,
            logs: HashMap::new(),
            observers: Vec::new(),
            cursors: Vec::new(),
        }
    }

    /// Performs one operation.
    pub(super) async fn operate(&mut self, random: &mut Random) {
        match random.below(100) {
            0..30 => self.execute(Program::random(random), random.chance(50)).await,
            30..35 => self.execute(Program::that_loads_all(), true).await,
            35..55 => self.answer(random).await,
            55..72 => self.wait(random).await,
            72..80 => self.observe(random).await,
            80..83 => {
                if !self.observers.is_empty() {
                    drop(self.observers.swap_remove(random.below(self.observers.len())));
                }
            }
            83..92 => self.terminate(random).await,
            92..98 => self.answer_and_terminate(random).await,
            98 => self.ask_for_what_never_was().await,
            _ => self.shut_down().await,
        }
        self.settle().await;
        self.look_at_observers().await;
    }

    /// Ends the session and compares what is left.
    pub(super) async fn finish(mut self) {
        self.shut_down().await;
        self.settle().await;
        self.look_at_observers().await;
        assert!(self.observers.is_empty(), "every wait is over when every cell is");
        assert_eq!(self.events.next().await, None, "the log ends with the session, and has nothing more");
        let (mut closed, mut cells) =
            (self.delegate.closed(), self.model.cells.iter().map(|cell| cell.id.clone()).collect::<Vec<_>>());
        closed.sort();
        cells.sort();
        assert_eq!(closed, cells, "each cell is closed once");
    }

    async fn execute(&mut self, program: Program, reads: bool) {
        let running = self.model.running();
        let request = ExecuteRequest::new(program.source()).with_yield_time(LONG);
        let started = match self.session.execute(request).await {
            Ok(started) => started,
            Err(ExecuteError::SessionClosed(_)) => return assert!(self.model.is_shut_down),
            Err(ExecuteError::LimitReached(limit)) => {
                assert_eq!((limit.limit, limit.maximum), ("running_cells", self.model.running_limit as u64));
                assert_eq!(limit.running, running);
                return assert_eq!(running.len(), self.model.running_limit);
            }
            Err(other) => panic!("nothing else is wrong: {other}"),
        };
        assert!(!self.model.is_shut_down && running.len() < self.model.running_limit);
        let id = started.cell_id;
        assert!(!self.logs.contains_key(&id), "an id is never used again");
        self.model.admit(&id, program);
        self.settle().await;
        // A first response that is not due is dropped, and consumes nothing.
        if reads && self.model.is_over(&[(id.clone(), 0)], WaitUntil::AllEnded) {
            let response = started.first_response.await.expect("the cell is observed");
            self.compare(&id, 0, &response);
            self.model.cell(&id).note_read(0);
        }
    }

    async fn answer(&mut self, random: &mut Random) {
        let Some(id) = random.pick(&self.model.running()) else { return };
        let number = random.chance(75).then(|| random.next() % 100);
        self.delegate.call(&id).await.send(answer(number)).ok();
        self.model.answer(&id, number);
    }

    /// Waits where the model knows that the wait is over, or for no time.
    async fn wait(&mut self, random: &mut Random) {
        let Some((mut request, cells)) = self.request(random) else { return };
        let over = self.model.is_over(&cells, request.until);
        request.yield_time = if over && random.chance(70) { LONG } else { Duration::ZERO };
        let result = self.session.wait(request.clone()).await;
        let Some(response) = self.expect_unless_forgotten(result, &cells) else { return };
        for ((id, place), response) in cells.iter().zip(&response.cells) {
            // A cell that is named twice was moved on by its first response; an outcome that was read is read again.
            let place = if request.after.is_some() { *place } else { self.model.cell(id).reader() };
            self.compare(id, place, response);
            if request.after.is_none() {
                self.model.cell(id).note_read(place);
            }
        }
    }

    /// Begins a wait that goes on, with a cursor of its own: it reads, but moves nobody.
    async fn observe(&mut self, random: &mut Random) {
        let Some((mut request, mut cells)) = self.request(random) else { return };
        if request.after.is_none() {
            request.after = Some(Seq::START);
            cells.iter_mut().for_each(|(_, place)| *place = 0);
        }
        request.yield_time = LONG;
        let over = self.model.is_over(&cells, request.until);
        let is_forgotten = cells.iter().any(|(id, _)| self.model.is_forgotten(id));
        let session = Arc::clone(&self.session);
        let until = request.until;
        let mut wait: CodeModeFuture<'static, _, _> = Box::pin(async move { session.wait(request).await });
        if !over && !is_forgotten {
            assert!((&mut wait).now_or_never().is_none(), "it is not over: {cells:?}, {until:?}");
        }
        self.observers.push(Observer { wait, cells, until });
    }

    async fn look_at_observers(&mut self) {
        for mut observer in std::mem::take(&mut self.observers) {
            let is_forgotten = observer.cells.iter().any(|(id, _)| self.model.is_forgotten(id));
            if !is_forgotten && !self.model.is_over(&observer.cells, observer.until) {
                let early = (&mut observer.wait).now_or_never();
                assert!(early.is_none(), "it is not over: {:?}, {:?}", observer.cells, observer.until);
                self.observers.push(observer);
                continue;
            }
            let result = observer.wait.await;
            let Some(response) = self.expect_unless_forgotten(result, &observer.cells) else { continue };
            for ((id, place), response) in observer.cells.iter().zip(&response.cells) {
                // One that was woken by the first of many words may have been given only those.
                let text = self.model.cell(id).text_after(*place);
                assert!(text.starts_with(&response.text()), "{:?} of {text:?}", response.text());
                self.model.cell(id).was_read |= response.is_final();
            }
        }
    }

    async fn terminate(&mut self, random: &mut Random) {
        let ids: Vec<_> = self.model.cells.iter().map(|cell| cell.id.clone()).collect();
        let Some(id) = random.pick(&ids) else { return };
        let is_forgotten = self.model.is_forgotten(&id);
        match self.session.terminate(id.clone()).await {
            Ok(response) => {
                assert!(!is_forgotten);
                self.model.terminate(&id);
                let place = self.model.cell(&id).reader();
                self.compare(&id, place, &response);
                self.model.cell(&id).note_read(place);
            }
            Err(TerminateError::OutcomeExpired(error)) => assert!(is_forgotten && error.cell_id == id),
            Err(other) => panic!("nothing else is wrong: {other}"),
        }
    }

    /// Answers a call and ends its cell at once: either may come first, and the model follows.
    async fn answer_and_terminate(&mut self, random: &mut Random) {
        let Some(id) = random.pick(&self.model.running()) else { return };
        if self.model.cell(&id).will_yield() {
            return;
        }
        let call = self.delegate.call(&id).await;
        let answered = async { call.send(answer(Some(7))) };
        let (_, response) = join(answered, self.session.terminate(id.clone())).await;
        let response = response.expect("the cell is there");
        while !self.log(&id).last().is_some_and(Entry::is_end) {
            self.read().await;
        }
        let log = self.log(&id).to_vec();
        self.model.adopt(&id, 7, &log);
        let place = self.model.cell(&id).reader();
        self.compare(&id, place, &response);
        self.model.cell(&id).note_read(place);
    }

    async fn ask_for_what_never_was(&mut self) {
        let never = CellId::new("never-was").expect("an id");
        let waited = self.session.wait(WaitRequest::new([never.clone()])).await;
        assert!(matches!(waited, Err(WaitError::UnknownCell(_))));
        assert!(matches!(self.session.terminate(never).await, Err(TerminateError::UnknownCell(_))));
    }

    async fn shut_down(&mut self) {
        self.model.shut_down();
        self.session.shutdown().await.expect("the session shuts down");
        assert_eq!(self.session.state(), SessionState::Closed);
    }

    /// Makes up a wait, and says from which place each cell is read.
    fn request(&mut self, random: &mut Random) -> Option<(WaitRequest, Vec<(CellId, usize)>)> {
        let until = random.pick(&UNTIL)?;
        if random.chance(30) {
            let (id, cursor, place) = random.pick(&self.cursors)?;
            let request = WaitRequest::new([id.clone()]).until(until).after(cursor);
            return Some((request, vec![(id, place)]));
        }
        let ids: Vec<_> = self.model.cells.iter().map(|cell| cell.id.clone()).collect();
        let mut cells = Vec::new();
        for _ in 0..1 + random.below(3) {
            let id = random.pick(&ids)?;
            let place = self.model.cell(&id).read;
            cells.push((id, place));
        }
        let request = WaitRequest::new(cells.iter().map(|(id, _)| id.clone())).until(until);
        Some((request, cells))
    }

    fn expect_unless_forgotten(
        &mut self,
        result: Result<WaitResponse, WaitError>,
        cells: &[(CellId, usize)],
    ) -> Option<WaitResponse> {
        let forgotten: Vec<_> =
            cells.iter().map(|(id, _)| id.clone()).filter(|id| self.model.is_forgotten(id)).collect();
        match result {
            Ok(response) => {
                assert!(forgotten.is_empty(), "{forgotten:?} are forgotten");
                assert_eq!(response.cells.len(), cells.len());
                Some(response)
            }
            Err(WaitError::OutcomeExpired(error)) => {
                assert!(forgotten.contains(&error.cell_id));
                None
            }
            Err(other) => panic!("nothing else is wrong: {other}"),
        }
    }

    /// Compares a response with what the model says of a cell that stands still.
    fn compare(&mut self, id: &CellId, place: usize, response: &CellResponse) {
        let cell = self.model.cell(id);
        assert_eq!(response.observation().cell_id, *id);
        assert_eq!(response.text(), cell.text_after(place));
        assert_eq!(response.observation().omitted_bytes, 0);
        let calls = cell.log.iter().filter(|entry| matches!(entry, Entry::Called)).count();
        assert_eq!(response.observation().usage.tool_calls, calls as u64);
        let was_read = cell.was_read;
        match (response, cell.log.last()) {
            (CellResponse::Completed(completed), Some(Entry::Completed { ok })) => {
                assert_eq!(completed.error.is_none(), *ok);
                assert_eq!(completed.read_before, was_read);
                assert_eq!(completed.warnings, [""; 0]);
            }
            (CellResponse::Terminated(terminated), Some(Entry::Terminated)) => {
                assert!(terminated.abandoned.is_empty());
                assert_eq!(terminated.read_before, was_read);
            }
            (CellResponse::Yielded(_), Some(entry)) => assert!(!entry.is_end(), "it ended as {entry:?}"),
            (_, entry) => panic!("the model says {entry:?}, but: {response:?}"),
        }
        cell.was_read |= response.is_final();
        let place = cell.log.len();
        self.cursors.push((id.clone(), response.observation().cursor, place));
    }

    /// Reads the log until it tells of all that the model knows, and of nothing else.
    async fn settle(&mut self) {
        for n in 0..self.model.cells.len() {
            let (id, length) = (self.model.cells[n].id.clone(), self.model.cells[n].log.len());
            while self.log(&id).len() < length {
                self.read().await;
            }
        }
        for cell in &self.model.cells {
            assert_eq!(self.logs[&cell.id], cell.log, "{}", cell.id);
        }
    }

    fn log(&self, id: &CellId) -> &[Entry] {
        self.logs.get(id).map_or(&[], Vec::as_slice)
    }

    async fn read(&mut self) {
        let Some(StreamItem::Event(event)) = self.events.next().await else {
            panic!("the log goes on, and nothing of it is missed")
        };
        assert_eq!(event.seq, self.last.next(), "the log has no gap");
        self.last = event.seq;
        let entry = entry(&event);
        self.logs.entry(event.cell_id).or_default().push(entry);
    }
}

fn answer(number: Option<u64>) -> Result<JsonText, ToolError> {
    match number {
        Some(number) => Ok(JsonText::from_value(&number.into())),
        None => Err(ToolError::new(ToolErrorCode::Failed, "as it was told to")),
    }
}

fn entry(event: &Event) -> Entry {
    match &event.kind {
        EventKind::CellAdmitted => Entry::Admitted,
        EventKind::ToolCalled { .. } => Entry::Called,
        EventKind::ToolAnswered { error, .. } => Entry::Answered { ok: error.is_none() },
        EventKind::Output { content: Content::Text { text, .. } } => Entry::Text(text.clone()),
        EventKind::Notified { text } => Entry::Notified(text.clone()),
        EventKind::ControlYielded => Entry::Yielded,
        EventKind::CellCompleted { error } => Entry::Completed { ok: error.is_none() },
        EventKind::CellTerminated { .. } => Entry::Terminated,
        other => panic!("no program of the model's does that: {other:?}"),
    }
}
