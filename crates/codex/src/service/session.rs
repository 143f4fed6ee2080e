//! A session of the client's.

use std::sync::Arc;
use std::time::Duration;

use carrel_contract::error::{ExecuteError, ResumeError, TerminateError, WaitError};
use carrel_contract::{
    CellResponse, CodeModeFuture, CodeModeSession, CodeModeSessionDelegate, CodeModeSessionProvider,
    ExecuteRequest, JsonText, ToolDescription, WaitRequest,
};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::cell::{Cell, Ticket, id_of};
use super::outlet::{Client, Outlet};
use super::response::{self, Answer, Ending, Item, Response, Waited};
use super::settings::Settings;
use super::{ToolName, names, truncation, yield_time};
use crate::hosting::Kept;

/// What output may have that nobody set a budget for, in tokens.
const DEFAULT_TOKENS: usize = 10_000;
/// More than any output has: what the session of the contract gives is whole, and is cut here.
const ALL_TOKENS: usize = usize::MAX / 8;
/// How long a session that ends waits for what is on its way to the client.
const LEAVING: Duration = Duration::from_secs(5);

/// Why there is no session.
pub(crate) enum Unopened {
    /// Another host has the one that is kept.
    Elsewhere(Kept),
    /// The one that is kept cannot be brought back.
    Broken(Kept, String),
    Failed(String),
}

/// A tool that a cell may call.
#[derive(Clone, Debug)]
pub(crate) struct Tool {
    /// What cells call it, before it is made an identifier.
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) origin: ToolName,
    pub(crate) input_schema: Option<JsonText>,
}

/// A cell to run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) call_id: String,
    pub(crate) execution_id: String,
    pub(crate) tools: Vec<Tool>,
    pub(crate) source: String,
    pub(crate) budget: Budget,
}

/// How much a request waits for, and takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    /// When the request came.
    pub(crate) received_at: Instant,
    pub(crate) yield_time: Option<Duration>,
    pub(crate) max_tokens: Option<usize>,
}

/// A session.
pub(crate) struct Session {
    inner: Arc<dyn CodeModeSession>,
    outlet: Arc<Outlet>,
    provider: Arc<dyn CodeModeSessionProvider>,
    max_yield_time: Option<Duration>,
    truncates: bool,
    /// Where it is kept; it lets the name go after the session.
    kept: Option<Kept>,
    /// The tools that the session of the contract has. Held while a cell is admitted, so that it gets its own.
    tools: Mutex<Option<Vec<ToolDescription>>>,
}

impl Session {
    /// Makes a session, or brings back the one that is kept.
    pub(crate) async fn open(
        provider: &Arc<dyn CodeModeSessionProvider>,
        client: Arc<dyn Client>,
        settings: &Settings,
        kept: Option<Kept>,
    ) -> Result<Self, Unopened> {
        let found = kept.as_ref().and_then(|kept| kept.found.clone());
        let outlet = Arc::new(Outlet::new(client, found.is_some()));
        let delegate = Arc::clone(&outlet) as Arc<dyn CodeModeSessionDelegate>;
        let (inner, kept) = match (found, kept) {
            (Some(id), Some(kept)) => match provider.resume(id, delegate).await {
                Ok(inner) => (inner, Some(kept)),
                Err(ResumeError::OwnedElsewhere(_)) => return Err(Unopened::Elsewhere(kept)),
                Err(error) => return Err(Unopened::Broken(kept, failed(error))),
            },
            (_, kept) => {
                let spec = settings.spec(kept.as_ref().map(|kept| kept.name.clone()));
                (
                    provider.create(spec, delegate).await.map_err(|error| Unopened::Failed(failed(error)))?,
                    kept,
                )
            }
        };
        Ok(Self {
            inner,
            outlet,
            provider: Arc::clone(provider),
            max_yield_time: settings.max_yield_time,
            truncates: settings.truncates,
            kept,
            tools: Mutex::default(),
        })
    }

    /// Says that the client takes callbacks from now on.
    pub(crate) fn opened(&self) {
        self.outlet.opened.cancel();
    }

    /// Tells whether it outlives its client.
    pub(crate) fn is_kept(&self) -> bool {
        self.kept.is_some()
    }

    /// Admits a cell. The client has to be [told of it](Cell::announce) before anything that the cell does reaches it.
    pub(crate) async fn execute(self: &Arc<Self>, run: Run) -> Result<Admitted, String> {
        let tools: Vec<_> = run.tools.into_iter().filter_map(describe).collect();
        let wait = yield_time::of(run.budget.yield_time, self.max_yield_time);
        // An empty module is one, too.
        let source = if run.source.trim().is_empty() { ";".to_owned() } else { run.source };
        let request =
            ExecuteRequest::new(source).with_yield_time(wait).with_max_output_tokens(ALL_TOKENS).looking();
        let mut current = self.tools.lock().await;
        if current.as_ref() != Some(&tools) {
            *current = None;
            self.inner.set_tools(tools.clone()).await.map_err(failed)?;
            *current = Some(tools);
        }
        let admission = self.outlet.admission();
        let started = self.inner.execute(request).await.map_err(|error| refused(&error))?;
        let cell = Arc::new(Cell::new(started.cell_id, run.call_id, run.execution_id));
        // Before it can be found: whoever waits for it at once comes too late to be its first observer.
        let ticket = Ticket::observe(&self.outlet, &self.inner, &cell)?;
        self.outlet.know(&cell);
        drop(admission);
        drop(current);
        Ok(Admitted {
            session: Arc::clone(self),
            cell,
            ticket,
            first_response: started.first_response,
            budget: run.budget,
        })
    }

    /// Looks at a cell until something ends that, `preempt` at the latest.
    pub(crate) async fn wait(
        &self,
        name: &str,
        budget: Budget,
        preempt: impl Future<Output = ()>,
    ) -> Result<Answer, String> {
        let Some(cell) = self.find(name).await else { return Ok(self.missing(name, budget)) };
        let ticket = Ticket::observe(&self.outlet, &self.inner, &cell)?;
        let observed_at = Instant::now();
        let wait = yield_time::of(budget.yield_time, self.max_yield_time);
        let found = tokio::select! {
            biased;
            () = preempt => self.look(&cell, Duration::ZERO).await,
            found = self.look(&cell, wait) => found,
        };
        self.answer(found, ticket, budget, observed_at)
    }

    /// Ends a cell.
    pub(crate) async fn terminate(&self, name: &str, budget: Budget) -> Result<Answer, String> {
        let Some(cell) = self.find(name).await else { return Ok(self.missing(name, budget)) };
        let ticket = Ticket::terminate(&self.outlet, &self.inner, &cell)?;
        let observed_at = Instant::now();
        match self.inner.terminate(cell.id.clone()).await {
            Ok(_) | Err(TerminateError::UnknownCell(_) | TerminateError::OutcomeExpired(_)) => {}
            Err(error) => return Err(failed(error)),
        }
        // That response is cut by other rules.
        let found = self.look(&cell, Duration::ZERO).await;
        self.answer(found, ticket, budget, observed_at)
    }

    /// Ends a cell that nobody will ask for any more.
    pub(crate) async fn abandon(&self, cell: &Cell) {
        drop(self.inner.terminate(cell.id.clone()).await);
        self.outlet.close(cell);
        self.inner.forget(&cell.id);
    }

    /// Ends the session and all of its cells, after what is on its way to the client.
    pub(crate) async fn shutdown(&self) {
        drop(self.inner.shutdown().await);
        for cell in self.outlet.open() {
            cell.close_when_unasked(&self.outlet);
        }
        drop(timeout(LEAVING, self.outlet.emptied()).await);
        for cell in self.outlet.open() {
            self.outlet.close(&cell);
        }
        if self.is_kept() {
            drop(self.provider.delete(self.inner.id().clone()).await);
        }
    }

    async fn look(&self, cell: &Cell, wait: Duration) -> Result<CellResponse, WaitError> {
        let request = WaitRequest::new([cell.id.clone()]);
        let request = request.with_yield_time(wait).with_max_output_tokens(ALL_TOKENS).looking();
        let mut found = self.inner.wait(request).await?.cells;
        found.pop().ok_or_else(|| carrel_contract::error::UnknownCell { cell_id: cell.id.clone() }.into())
    }

    fn answer(
        &self,
        found: Result<CellResponse, WaitError>,
        mut ticket: Ticket,
        budget: Budget,
        observed_at: Instant,
    ) -> Result<Answer, String> {
        let cell = Arc::clone(ticket.cell());
        let found = match found {
            Ok(found) => found,
            Err(WaitError::UnknownCell(_) | WaitError::OutcomeExpired(_)) => {
                self.outlet.close(&cell);
                return Ok(self.missing(&cell.name, budget));
            }
            Err(error) => return Err(failed(error)),
        };
        ticket.gives(found.observation().cursor, found.is_final());
        let (observation, mut ending) = response::read(found);
        if let Ending::Completed { buffered_for, .. } = &mut ending {
            let ended_at = cell.admitted_at + observation.usage.elapsed;
            *buffered_for = observed_at.saturating_duration_since(ended_at);
        }
        let response = self.finish(cell.name.clone(), response::items(observation), ending, budget);
        Ok(Answer { waited: Waited::Live(response), ticket: Some(ticket) })
    }

    fn missing(&self, name: &str, budget: Budget) -> Answer {
        let was = self.outlet.had(name) || id_of(name).is_some_and(|id| self.outlet.find(&id).is_some());
        let error = Some(match was {
            true => format!("exec cell {name} not found: it has ended, and its result was given before"),
            false => format!("exec cell {name} not found"),
        });
        let ending = Ending::Completed { error, buffered_for: Duration::ZERO };
        Answer {
            waited: Waited::Missing(self.finish(name.to_owned(), Vec::new(), ending, budget)),
            ticket: None,
        }
    }

    fn finish(&self, cell_id: String, mut items: Vec<Item>, mut ending: Ending, budget: Budget) -> Response {
        if let Ending::Completed { error: Some(error), .. } = &mut ending {
            if self.truncates {
                items.push(Item::Text(format!("Script error:\n{error}")));
            }
            *error = truncation::cut_error(std::mem::take(error));
        }
        if self.truncates {
            items = truncation::cut(items, budget.max_tokens.unwrap_or(DEFAULT_TOKENS));
        }
        Response { cell_id, items, ending, duration: budget.received_at.elapsed() }
    }

    /// Finds a cell that the client may ask for. One of a session that was brought back is known to that alone.
    async fn find(&self, name: &str) -> Option<Arc<Cell>> {
        let id = id_of(name)?;
        if let Some(cell) = self.outlet.find(&id) {
            return (!cell.is_over()).then_some(cell);
        }
        if !self.outlet.is_resumed || self.outlet.had(name) {
            return None;
        }
        let request = WaitRequest::new([id.clone()]).with_yield_time(Duration::ZERO).looking();
        let found = self.inner.wait(request).await.ok()?.cells.pop()?;
        let was_read = match &found {
            CellResponse::Completed(completed) => completed.read_before,
            CellResponse::Terminated(terminated) => terminated.read_before,
            _ => false,
        };
        (!was_read).then(|| self.outlet.adopt(&id))
    }
}

/// A cell that was admitted, and nobody was told of it yet.
pub(crate) struct Admitted {
    session: Arc<Session>,
    pub(crate) cell: Arc<Cell>,
    ticket: Ticket,
    first_response: CodeModeFuture<'static, CellResponse, WaitError>,
    budget: Budget,
}

impl Admitted {
    /// Returns the cell's first response, when `preempt` says so at the latest. Dropping the future consumes nothing.
    pub(crate) async fn respond(self, preempt: impl Future<Output = ()>) -> Result<Answer, String> {
        let Self { session, cell, ticket, first_response, budget } = self;
        let found = tokio::select! {
            biased;
            () = preempt => session.look(&cell, Duration::ZERO).await,
            found = first_response => found,
        };
        session.answer(found, ticket, budget, cell.admitted_at)
    }
}

/// Describes a tool; one whose name is longer than a cell can write it is left out.
fn describe(tool: Tool) -> Option<ToolDescription> {
    let name = names::in_cells(&tool.name).ok()?;
    let mut description = ToolDescription::new(name, tool.description).with_origin(tool.origin);
    if let Some(schema) = tool.input_schema {
        description = description.with_input_schema(schema);
    }
    Some(description)
}

/// The words that clients know, where there are some.
fn refused(error: &ExecuteError) -> String {
    match error {
        ExecuteError::ShuttingDown(_) | ExecuteError::SessionClosed(_) => {
            "code mode session is shutting down".to_owned()
        }
        ExecuteError::LimitReached(_) => {
            format!("code-mode host has too many active cells: failed to {error}")
        }
        other => failed(other),
    }
}

fn failed(error: impl std::fmt::Display) -> String {
    format!("failed to {error}")
}
