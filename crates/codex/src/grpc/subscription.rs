//! Who of a session's client takes calls of which tools.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};

use futures::Stream;
use tokio::sync::mpsc;
use tonic::Status;

use super::lease::Lease;
use super::{ids, messages as m};
use crate::service::ToolName;

/// The subscriptions that a session has at most, and the filters that one has.
const MOST: usize = 128;
const MOST_FILTERS: usize = 64;

/// The subscriptions of a session, in the order in which they came.
#[derive(Default)]
pub(super) struct Subscriptions(Mutex<Vec<Subscription>>);

struct Subscription {
    /// The tools that it takes; all, when there is none.
    filters: Vec<m::ToolName>,
    /// Bounded by the calls that the session may have under way.
    calls: mpsc::UnboundedSender<m::ToolCall>,
}

impl Subscription {
    fn takes(&self, tool: &ToolName) -> bool {
        let namespace = named(tool.namespace.as_deref());
        let matches = |filter: &m::ToolName| {
            filter.name == tool.name && named(filter.namespace.as_deref()) == namespace
        };
        self.filters.is_empty() || self.filters.iter().any(matches)
    }
}

/// The namespace that tools have of which no other is said.
const DEFAULT_NAMESPACE: &str = "functions";

fn named(namespace: Option<&str>) -> &str {
    namespace.filter(|name| !name.is_empty()).unwrap_or(DEFAULT_NAMESPACE)
}

impl Subscriptions {
    fn all(&self) -> MutexGuard<'_, Vec<Subscription>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, lease: &Arc<Lease>, filters: Vec<m::ToolName>) -> Result<Calls, Status> {
        if filters.len() > MOST_FILTERS {
            return Err(Status::invalid_argument(format!(
                "a code-mode subscription has at most {MOST_FILTERS} filters"
            )));
        }
        for filter in &filters {
            ids::chosen("tool name", &filter.name)?;
        }
        let mut all = self.all();
        all.retain(|it| !it.calls.is_closed());
        if all.len() == MOST {
            return Err(Status::resource_exhausted(format!(
                "a code-mode session has at most {MOST} subscriptions"
            )));
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "bounded by the calls that the session may have under way"
        )]
        let (calls, received) = mpsc::unbounded_channel();
        all.push(Subscription { filters, calls });
        Ok(Calls { received, lease: Arc::downgrade(lease) })
    }

    /// Gives a call to the first subscription that takes it and is still there.
    pub(super) fn give(&self, tool: &ToolName, mut call: m::ToolCall) -> Result<(), String> {
        for subscription in self.all().iter().filter(|it| it.takes(tool)) {
            match subscription.calls.send(call) {
                Ok(()) => return Ok(()),
                Err(refused) => call = refused.0,
            }
        }
        Err("no code-mode tool subscription matches the requested tool".to_owned())
    }

    /// Ends all of them.
    pub(super) fn clear(&self) {
        self.all().clear();
    }
}

/// The calls of a subscription. When it is dropped with calls that nobody read, nobody knows of them: its session ends.
pub(super) struct Calls {
    received: mpsc::UnboundedReceiver<m::ToolCall>,
    lease: Weak<Lease>,
}

impl Stream for Calls {
    type Item = Result<m::ToolCall, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.received.poll_recv(cx).map(|call| call.map(Ok))
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        self.received.close();
        if !self.received.is_empty()
            && let Some(lease) = self.lease.upgrade()
        {
            lease.abandon();
        }
    }
}
