//! Progress notifications: what a cell does while a client waits for it.

use std::collections::HashMap;
use std::time::Duration;

use carrel_contract::{CellId, EventKind, StreamItem, ToolCallId};
use futures::StreamExt as _;
use rmcp::RoleServer;
use rmcp::model::ProgressNotificationParam;
use rmcp::service::RequestContext;
use tokio::time::Instant;

use crate::sessions::Session;

/// The least time between two notifications.
const PACE: Duration = Duration::from_millis(250);

/// Something that is waited for while cells are told of.
pub(crate) trait Narrated: Future + Sized {
    /// Waits, and tells the client meanwhile what `cells` do, if it asked for that.
    async fn narrated(
        self,
        session: &Session,
        cells: &[CellId],
        context: &RequestContext<RoleServer>,
    ) -> Self::Output {
        tokio::select! {
            biased;
            output = self => output,
            never = narrate(session, cells, context) => match never {},
        }
    }
}

impl<F: Future> Narrated for F {}

async fn narrate(
    session: &Session,
    cells: &[CellId],
    context: &RequestContext<RoleServer>,
) -> std::convert::Infallible {
    if let Some(token) = context.meta.get_progress_token() {
        let mut events = session.session.events(session.seen());
        let mut story = Story::default();
        let mut last = None::<Instant>;
        let mut told = 0.0;
        while let Some(item) = events.next().await {
            let StreamItem::Event(event) = item else { continue };
            if !cells.contains(&event.cell_id) || !story.take(&event.kind) {
                continue;
            }
            if last.is_some_and(|last| last.elapsed() < PACE) {
                continue;
            }
            last = Some(Instant::now());
            told += 1.0;
            let note = ProgressNotificationParam::new(token.clone(), told).with_message(story.line());
            if context.peer.notify_progress(note).await.is_err() {
                break;
            }
        }
    }
    std::future::pending().await
}

/// What was heard of the cells so far.
#[derive(Default)]
struct Story {
    pending: HashMap<ToolCallId, String>,
    answered: u64,
    last: String,
}

impl Story {
    /// Takes an event. Tells whether it is worth telling of.
    fn take(&mut self, event: &EventKind) -> bool {
        match event {
            EventKind::ToolCalled { call_id, tool } => {
                self.pending.insert(call_id.clone(), tool.to_string());
                self.last = format!("calls {tool}");
            }
            EventKind::ToolProgressed { call_id, progress } => {
                let tool = self.pending.get(call_id).map_or("a tool", String::as_str);
                let percent = progress.percent.map(|percent| format!(" {percent} %")).unwrap_or_default();
                let message = progress.message.as_deref().unwrap_or_default();
                self.last = format!("{tool}{percent} {message}");
            }
            EventKind::PersonAwaited { question, .. } => {
                self.last = format!("waits for a person: {question}");
            }
            EventKind::ToolAnswered { call_id, .. } => {
                self.answered += 1;
                let tool = self.pending.remove(call_id).unwrap_or_default();
                self.last = format!("{tool} answered");
            }
            EventKind::Notified { text } => self.last.clone_from(text),
            _ => return false,
        }
        true
    }

    fn line(&self) -> String {
        let (answered, pending) = (self.answered, self.pending.len());
        format!("{} ({answered} calls answered, {pending} under way)", self.last.trim_end())
    }
}
