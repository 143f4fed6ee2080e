//! The way from a cell to the client.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use carrel_contract::error::NotifyError;
use carrel_contract::{
    CancellationToken, CellId, CodeModeFuture, CodeModeSessionDelegate, JsonText, Notification, ToolCall,
    ToolError, ToolErrorCode, ToolOrigin,
};
use futures::future::BoxFuture;
use tokio::sync::{Notify, OwnedMutexGuard};

use super::cell::{Cell, id_of};
use super::input;
use crate::recent::Recent;

/// What a session asks of its transport.
pub(crate) trait Client: Send + Sync + 'static {
    /// Has the client call a tool. When `cancel` fires the client is told, and nobody waits for its answer.
    /// Calls leave in the order in which they are given: the turn is let go of when this one has left.
    fn invoke(
        &self,
        call: Invocation,
        turn: Turn,
        cancel: CancellationToken,
    ) -> BoxFuture<'_, Result<JsonText, String>>;

    /// Gives the client a message of a cell's.
    fn notify(
        &self,
        cell: Arc<Cell>,
        text: String,
        turn: Turn,
        cancel: CancellationToken,
    ) -> BoxFuture<'_, Result<(), String>>;

    /// Tells the client that a cell is gone. Must not block.
    fn closed(&self, cell: &Cell);
}

/// The turn of a callback: others of its session come after it.
pub(crate) type Turn = OwnedMutexGuard<()>;

/// A call of a tool.
pub(crate) struct Invocation {
    pub(crate) cell: Arc<Cell>,
    /// Its name within its cell.
    pub(crate) call_id: String,
    pub(crate) tool: Arc<ToolOrigin>,
    pub(crate) input: Option<JsonText>,
}

#[derive(Default)]
struct Cells {
    open: HashMap<CellId, Arc<Cell>>,
    /// The last ones that are gone.
    closed: Recent<CellId>,
}

/// What a session of the contract knows of its client, and the cells that the client knows of.
pub(crate) struct Outlet {
    client: Arc<dyn Client>,
    cells: Mutex<Cells>,
    /// Whether there may be cells that the client heard of before this process was there.
    pub(super) is_resumed: bool,
    /// Fires when the client takes callbacks: cells of before go on at once, and may call before it does.
    pub(super) opened: CancellationToken,
    /// Cells that are being admitted, and not known yet.
    admissions: AtomicUsize,
    /// Wakes whoever waits for a cell to be known, or to be gone.
    changed: Notify,
    /// Who calls back next. The first poll of a callback takes its place, and these come in the order of the calls.
    turns: Arc<tokio::sync::Mutex<()>>,
}

impl Outlet {
    pub(super) fn new(client: Arc<dyn Client>, is_resumed: bool) -> Self {
        Self {
            client,
            cells: Mutex::default(),
            is_resumed,
            opened: CancellationToken::new(),
            admissions: AtomicUsize::new(0),
            changed: Notify::new(),
            turns: Arc::default(),
        }
    }

    fn cells(&self) -> MutexGuard<'_, Cells> {
        self.cells.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn know(&self, cell: &Arc<Cell>) {
        self.cells().open.insert(cell.id.clone(), Arc::clone(cell));
        self.changed.notify_waiters();
    }

    pub(super) fn find(&self, id: &CellId) -> Option<Arc<Cell>> {
        self.cells().open.get(id).cloned()
    }

    /// Forgets a cell and tells the client, once.
    pub(super) fn close(&self, cell: &Cell) {
        let mut cells = self.cells();
        let was_known = cells.open.remove(&cell.id).is_some();
        if was_known {
            cells.closed.push(cell.id.clone());
            drop(cells);
            self.client.closed(cell);
            self.changed.notify_waiters();
        }
    }

    /// Tells whether there was a cell of this name, as far as that is remembered.
    pub(super) fn had(&self, name: &str) -> bool {
        id_of(name).is_some_and(|id| self.cells().closed.contains(&id))
    }

    /// Says, as long as it lives, that a cell may be at work that is not known yet.
    pub(super) fn admission(&self) -> Admission<'_> {
        self.admissions.fetch_add(1, Ordering::SeqCst);
        Admission(self)
    }

    /// Knows a cell of a session that was brought back. What its notifications were sent under is forgotten.
    pub(super) fn adopt(&self, id: &CellId) -> Arc<Cell> {
        let mut cell = Cell::new(id.clone(), String::new(), id.as_str().to_owned());
        cell.announced = self.opened.clone();
        let cell = Arc::clone(self.cells().open.entry(id.clone()).or_insert_with(|| Arc::new(cell)));
        self.changed.notify_waiters();
        cell
    }

    /// Returns the cells that are known.
    pub(super) fn open(&self) -> Vec<Arc<Cell>> {
        self.cells().open.values().cloned().collect()
    }

    /// Waits until no cell is known.
    pub(super) async fn emptied(&self) {
        loop {
            let changed = self.changed.notified();
            if self.cells().open.is_empty() {
                return;
            }
            changed.await;
        }
    }

    /// Waits until the client was told of a cell. Its calls may come first: it runs as soon as it is admitted. That does not
    /// depend on the client, so it is waited for even when the cell has ended: a call that a cell made is made.
    async fn announced(&self, id: &CellId) -> Arc<Cell> {
        loop {
            let changed = self.changed.notified();
            if let Some(cell) = self.find(id) {
                cell.announced.cancelled().await;
                return cell;
            }
            if self.is_resumed && self.admissions.load(Ordering::SeqCst) == 0 {
                return self.adopt(id);
            }
            changed.await;
        }
    }
}

/// An admission that goes on.
pub(super) struct Admission<'a>(&'a Outlet);

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        self.0.admissions.fetch_sub(1, Ordering::SeqCst);
        self.0.changed.notify_waiters();
    }
}

impl CodeModeSessionDelegate for Outlet {
    fn invoke_tool(
        &self,
        call: ToolCall,
        cancel: CancellationToken,
    ) -> CodeModeFuture<'_, JsonText, ToolError> {
        Box::pin(async move {
            let failed = |message: String| ToolError::new(ToolErrorCode::Failed, message);
            call.input.as_ref().map_or(Ok(()), input::check).map_err(failed)?;
            let turn = Arc::clone(&self.turns).lock_owned().await;
            let cell = self.announced(&call.cell_id).await;
            let call_id = match call.call_id.as_str().strip_prefix("call-") {
                Some(number) => format!("tool-{number}"),
                None => call.call_id.as_str().to_owned(),
            };
            let tool = call.origin.clone().unwrap_or_else(|| ToolOrigin::new(call.tool.as_str()));
            let call = Invocation { cell, call_id, tool: Arc::new(tool), input: call.input };
            self.client.invoke(call, turn, cancel).await.map_err(failed)
        })
    }

    fn notify(
        &self,
        notification: Notification,
        cancel: CancellationToken,
    ) -> CodeModeFuture<'_, (), NotifyError> {
        Box::pin(async move {
            let failed = |detail: String| NotifyError { detail, tried_for: None };
            let turn = Arc::clone(&self.turns).lock_owned().await;
            let cell = self.announced(&notification.cell_id).await;
            self.client.notify(cell, notification.text, turn, cancel).await.map_err(failed)
        })
    }

    /// The client is told when it has been given the cell's end: see [`Ticket`](super::cell::Ticket).
    fn cell_closed(&self, _: &CellId) {}
}
