//! What stands between a server and the protocol's machinery: a transport around a transport.
//!
//! What a server says unasked is dealt with here, at once and in order, and costs nothing more: how a call gets on goes to
//! the call, what it logs goes to `tracing`, that its tools changed is told to whoever lists them. The machinery would
//! start a task for each, however many come. What a server asks for is let through a few at a time, because each answer
//! waits in memory for a server that may not read it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use carrel_contract::{CallStatus, ToolProgress};
use rmcp::RoleClient;
use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, ClientRequest, GetMeta as _, JsonRpcMessage, LoggingLevel,
    LoggingMessageNotificationParam, ProgressNotificationParam, ProgressToken, RequestId,
    ServerJsonRpcMessage, ServerNotification,
};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::vitals::Vitals;
use crate::bound::bounded;
use crate::printable::printable;

/// How many of a server's requests may wait for their answer to be sent; further ones are dropped.
const MAX_ASKED: usize = 64;
/// How many log messages of a server are passed on in a while; the rest are counted.
const MAX_LOGGED: u32 = 100;
const LOGGED_WHILE: Duration = Duration::from_secs(10);
/// What is kept of a message about progress and of one for the log, in bytes.
const MAX_MESSAGE_BYTES: usize = 1 << 10;

/// A transport whose server is listened to.
pub(super) struct Inlet<T> {
    inner: T,
    server: Arc<str>,
    vitals: Arc<Vitals>,
    /// Told when the server says that its tools changed.
    changed: Arc<Notify>,
    /// The calls under way that somebody follows.
    followed: HashMap<ProgressToken, CallStatus>,
    tokens: HashMap<RequestId, ProgressToken>,
    places: Arc<Semaphore>,
    /// The requests of the server that wait for their answer.
    asked: HashMap<RequestId, OwnedSemaphorePermit>,
    log: LogGate,
}

impl<T> Inlet<T> {
    pub(super) fn new(inner: T, server: &str, vitals: Arc<Vitals>, changed: Arc<Notify>) -> Self {
        Self {
            inner,
            server: server.into(),
            vitals,
            changed,
            followed: HashMap::new(),
            tokens: HashMap::new(),
            places: Arc::new(Semaphore::new(MAX_ASKED)),
            asked: HashMap::new(),
            log: LogGate::default(),
        }
    }

    /// Looks at what goes out. Returns the place that is free once it has gone.
    fn outgoing(&mut self, message: &mut ClientJsonRpcMessage) -> Option<OwnedSemaphorePermit> {
        match message {
            JsonRpcMessage::Request(request) => {
                let token = request.request.get_meta().get_progress_token();
                if let ClientRequest::CallToolRequest(call) = &mut request.request
                    && let Some(status) = call.extensions.remove::<CallStatus>()
                    && let Some(token) = token
                {
                    self.tokens.insert(request.id.clone(), token.clone());
                    self.followed.insert(token, status);
                }
                None
            }
            JsonRpcMessage::Notification(notification) => {
                if let ClientNotification::CancelledNotification(cancelled) = &notification.notification
                    && let Some(id) = &cancelled.params.request_id
                {
                    self.forget(id);
                }
                None
            }
            JsonRpcMessage::Response(response) => self.asked.remove(&response.id),
            JsonRpcMessage::Error(error) => self.asked.remove(error.id.as_ref()?),
        }
    }

    /// Looks at what came in. Returns it when the machinery has to see it.
    fn incoming(&mut self, message: ServerJsonRpcMessage) -> Option<ServerJsonRpcMessage> {
        match &message {
            JsonRpcMessage::Response(response) => self.forget(&response.id),
            JsonRpcMessage::Error(error) => error.id.iter().for_each(|id| self.forget(id)),
            JsonRpcMessage::Request(request) => {
                let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
                    if self.log.lets_through(Instant::now()) {
                        tracing::warn!(server = %self.server, "the server asks for more than it reads answers to");
                    }
                    return None;
                };
                self.asked.insert(request.id.clone(), place);
            }
            JsonRpcMessage::Notification(notification) => match &notification.notification {
                ServerNotification::ProgressNotification(progress) => {
                    self.progress(&progress.params);
                    return None;
                }
                ServerNotification::LoggingMessageNotification(message) => {
                    self.logged(&message.params);
                    return None;
                }
                ServerNotification::ToolListChangedNotification(_) => {
                    self.changed.notify_one();
                    return None;
                }
                ServerNotification::CancelledNotification(cancelled) => {
                    if let Some(id) = &cancelled.params.request_id {
                        self.asked.remove(id);
                    }
                }
                ServerNotification::SubscriptionsAcknowledgedNotification(_) => {}
                // Nothing that Carrel has a use for.
                _ => return None,
            },
        }
        Some(message)
    }

    fn forget(&mut self, id: &RequestId) {
        // Some servers answer "7" to 7.
        let number = match id {
            RequestId::String(text) => text.parse().ok().map(RequestId::Number),
            RequestId::Number(_) => None,
        };
        let token = self.tokens.remove(id).or_else(|| self.tokens.remove(&number?));
        if let Some(token) = token {
            self.followed.remove(&token);
        }
    }

    fn progress(&self, said: &ProgressNotificationParam) {
        let Some(status) = self.followed.get(&said.progress_token) else { return };
        let message = said.message.as_deref().map(|text| self.shown(text)).filter(|text| !text.is_empty());
        status.progress(ToolProgress { percent: percent(said.progress, said.total), message });
    }

    fn logged(&mut self, said: &LoggingMessageNotificationParam) {
        let now = Instant::now();
        if !self.log.lets_through(now) {
            return;
        }
        if let Some(dropped) = self.log.dropped() {
            tracing::warn!(server = %self.server, dropped, "log messages of the server were dropped");
        }
        let message = match &said.data {
            serde_json::Value::String(text) => self.shown(text),
            other => self.shown(&other.to_string()),
        };
        let logger = said.logger.as_deref().map(|logger| self.shown(logger)).unwrap_or_default();
        let server = &self.server;
        match said.level {
            LoggingLevel::Debug => tracing::debug!(%server, logger, message, "the server logs"),
            LoggingLevel::Info | LoggingLevel::Notice => {
                tracing::info!(%server, logger, message, "the server logs");
            }
            LoggingLevel::Warning => tracing::warn!(%server, logger, message, "the server logs"),
            _ => tracing::error!(%server, logger, message, "the server logs"),
        }
    }

    fn shown(&self, text: &str) -> String {
        // Cut first: what is redacted costs by its length.
        let cut = text.floor_char_boundary(4 * MAX_MESSAGE_BYTES);
        let text = text.get(..cut).unwrap_or_default();
        bounded(printable(&self.vitals.redact(text)).trim(), MAX_MESSAGE_BYTES)
    }
}

/// Returns how much is done, of 100, where both numbers say so.
fn percent(progress: f64, total: Option<f64>) -> Option<u8> {
    let share = progress / total.filter(|total| total.is_finite() && *total > 0.0)? * 100.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it lies between 0 and 100")]
    share.is_finite().then(|| share.clamp(0.0, 100.0).floor() as u8)
}

/// Lets a number of messages through in a while, and counts the rest.
#[derive(Debug, Default)]
struct LogGate {
    since: Option<Instant>,
    through: u32,
    stopped: u64,
}

impl LogGate {
    fn lets_through(&mut self, now: Instant) -> bool {
        if self.since.is_none_or(|since| now.saturating_duration_since(since) >= LOGGED_WHILE) {
            self.since = Some(now);
            self.through = 0;
        }
        self.through = self.through.saturating_add(1);
        let through = self.through <= MAX_LOGGED;
        self.stopped += u64::from(!through);
        through
    }

    /// Returns how many were stopped since it was last asked, when there were any.
    fn dropped(&mut self) -> Option<u64> {
        Some(std::mem::take(&mut self.stopped)).filter(|dropped| *dropped > 0)
    }
}

impl<T: Transport<RoleClient>> Transport<RoleClient> for Inlet<T> {
    type Error = T::Error;

    fn send(
        &mut self,
        mut item: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = Result<(), T::Error>> + Send + 'static {
        let place = self.outgoing(&mut item);
        let sending = self.inner.send(item);
        async move {
            let sent = sending.await;
            drop(place);
            sent
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        loop {
            let message = self.inner.receive().await?;
            if let Some(message) = self.incoming(message) {
                return Some(message);
            }
        }
    }

    async fn close(&mut self) -> Result<(), T::Error> {
        self.inner.close().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_a_share_where_it_can_be() {
        for (progress, total, expected) in [
            (1.0, Some(4.0), Some(25)),
            (7.0, Some(4.0), Some(100)),
            (-1.0, Some(4.0), Some(0)),
            (1.0, Some(0.0), None),
            (1.0, None, None),
            (f64::NAN, Some(1.0), None),
        ] {
            assert_eq!(percent(progress, total), expected, "{progress} of {total:?}");
        }
    }

    #[test]
    fn a_flood_of_log_messages_is_counted() {
        let mut gate = LogGate::default();
        let start = Instant::now();
        let through = (0..1000).filter(|_| gate.lets_through(start)).count();
        assert_eq!((through, gate.dropped(), gate.dropped()), (100, Some(900), None));
        assert!(gate.lets_through(start + LOGGED_WHILE));
    }
}
