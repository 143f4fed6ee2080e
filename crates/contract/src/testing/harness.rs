//! What every test of the suite begins with.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;

use super::delegate::{RecordingDelegate, Seen, tool_descriptions};
use crate::{
    CellId, CellResponse, CodeModeSession, CodeModeSessionProvider, Completed, Durability, Event, EventKind,
    ExecuteRequest, Seq, SessionSpec, StartedCell, StreamItem, Terminated, WaitRequest,
};

/// A test that waits this long waits in vain; the runner ends it before.
pub(super) const LONG: Duration = Duration::from_secs(3600);

/// A provider with a delegate to make sessions for.
pub struct Harness {
    pub(super) provider: Arc<dyn CodeModeSessionProvider>,
    pub(super) delegate: Arc<RecordingDelegate>,
    durability: Durability,
}

impl Harness {
    /// Wraps a provider.
    #[must_use]
    pub fn new(provider: Arc<dyn CodeModeSessionProvider>) -> Self {
        Self { provider, delegate: RecordingDelegate::new(), durability: Durability::Ephemeral }
    }

    /// Makes its sessions journaled.
    #[must_use]
    pub fn journaled(mut self) -> Self {
        self.durability = Durability::Journaled;
        self
    }

    pub(super) fn is_journaled(&self) -> bool {
        self.durability == Durability::Journaled
    }

    /// Puts another delegate in the place of the one that there is.
    pub(super) fn with(mut self, delegate: Arc<RecordingDelegate>) -> Self {
        self.delegate = delegate;
        self
    }

    pub(super) async fn session(&self) -> Arc<dyn CodeModeSession> {
        self.session_with(|_| ()).await
    }

    pub(super) async fn session_with(
        &self,
        change: impl FnOnce(&mut SessionSpec),
    ) -> Arc<dyn CodeModeSession> {
        let mut spec = SessionSpec { tools: tool_descriptions(), ..SessionSpec::default() };
        spec.durability = self.durability;
        change(&mut spec);
        let session = self.provider.create(spec, self.delegate.clone()).await.expect("the session is made");
        self.delegate.belongs_to(&session);
        session
    }

    /// Waits until a tool call of a cell has reached the delegate.
    pub(super) async fn called(&self, cell_id: &CellId) {
        self.delegate.reached(|seen| matches!(seen, Seen::Called(cell, _) if cell == cell_id)).await;
    }
}

impl Drop for Harness {
    fn drop(&mut self) {
        // A test that fails leaves no thread behind that its runtime would wait for.
        self.delegate.unblock();
    }
}

/// Admits a cell.
pub(super) async fn start(session: &Arc<dyn CodeModeSession>, source: &str) -> StartedCell {
    session.execute(ExecuteRequest::new(source).with_yield_time(LONG)).await.expect("the cell is admitted")
}

/// Runs a cell that does not yield to its natural end.
pub(super) async fn run(session: &Arc<dyn CodeModeSession>, source: &str) -> Completed {
    let started = start(session, source).await;
    completed(started.first_response.await.expect("the cell is observed"))
}

/// Runs a cell that is expected to succeed and returns its text.
pub(super) async fn text_of(session: &Arc<dyn CodeModeSession>, source: &str) -> String {
    let completed = run(session, source).await;
    assert_eq!(completed.error, None, "the cell succeeds");
    CellResponse::Completed(completed).text()
}

pub(super) fn completed(response: CellResponse) -> Completed {
    match response {
        CellResponse::Completed(completed) => completed,
        other => panic!("the cell completes, but: {other:?}"),
    }
}

pub(super) fn terminated(response: CellResponse) -> Terminated {
    match response {
        CellResponse::Terminated(terminated) => terminated,
        other => panic!("the cell is terminated, but: {other:?}"),
    }
}

/// Waits for the end of one cell, whatever it yields on the way, and reads it from its beginning.
pub(super) async fn ended(session: &Arc<dyn CodeModeSession>, cell_id: &CellId) -> CellResponse {
    let mut after = Seq::START;
    loop {
        let request = WaitRequest::new([cell_id.clone()]).after(after).with_yield_time(LONG);
        let response = session.wait(request).await.expect("the cell is observed").cells.remove(0);
        if response.is_final() && after == Seq::START {
            return response;
        }
        after = if response.is_final() { Seq::START } else { response.observation().cursor };
    }
}

/// Waits for an event of a cell.
pub(super) async fn event(
    session: &Arc<dyn CodeModeSession>,
    cell_id: &CellId,
    wanted: impl Fn(&EventKind) -> bool,
) -> Event {
    let mut events = session.events(Seq::START);
    while let Some(item) = events.next().await {
        if let StreamItem::Event(event) = item
            && event.cell_id == *cell_id
            && wanted(&event.kind)
        {
            return event;
        }
    }
    panic!("the log ended without the event")
}
