//! A connection, from its first frame to its last.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::client::ClientMessage;
use super::connection::Connection;
use super::frame;
use super::hello::{self, VERSION};
use super::host::{HostMessage, Rejection};
use super::outbox::Outbox;
use crate::Hosting;

/// How long a client that is told something last has to read it.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Why a connection ended that should not have.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The first message is none.
    #[error("failed to read code-mode client hello\n\nCaused by:\n    {0}")]
    Hello(String),
    /// A later one is none.
    #[error("failed to read code-mode client message\n\nCaused by:\n    {0}")]
    Message(String),
    /// The client began again.
    #[error("received a second code-mode client hello")]
    SecondHello,
    /// A request has the name of another.
    #[error("duplicate code-mode request ID RequestId({0})")]
    DuplicateRequest(i64),
    /// A task panicked.
    #[error("a code-mode task panicked")]
    Panicked,
    /// Nothing can be written.
    #[error("failed to write a code-mode host message: {0}")]
    Write(#[source] io::Error),
}

/// Serves a client until it closes its side, or cannot be understood.
///
/// # Errors
/// [`ConnectionError`]: what the client said that nobody may, or how the connection failed.
pub async fn serve(
    hosting: Arc<Hosting>,
    mut input: impl AsyncRead + Unpin + Send,
    output: impl AsyncWrite + Unpin + Send + 'static,
) -> Result<(), ConnectionError> {
    let (outbox, pump) = Outbox::new();
    let mut writing = JoinSet::new();
    writing.spawn(pump.run(output));
    let served = tokio::select! {
        served = converse(hosting, &mut input, outbox.clone()) => served,
        written = writing.join_next() => return match written {
            Some(Ok(Err(error))) => Err(ConnectionError::Write(error)),
            _ => Err(ConnectionError::Panicked),
        },
    };
    // What was said last, a rejection for example, still leaves, unless the client does not read at all.
    outbox.end();
    drop(timeout(LAST_WORDS, writing.join_next()).await);
    served
}

async fn converse(
    hosting: Arc<Hosting>,
    input: &mut (impl AsyncRead + Unpin),
    outbox: Outbox,
) -> Result<(), ConnectionError> {
    let invalid =
        |error: String| ConnectionError::Hello(format!("failed to decode code-mode IPC frame: {error}"));
    let first = frame::read(input).await.map_err(|error| ConnectionError::Hello(error.to_string()))?;
    let Some(first) = first else { return Ok(()) };
    let agreed = match serde_json::from_slice(&first).map_err(|error| invalid(error.to_string()))? {
        ClientMessage::Hello(hello) => {
            hello::check(&hello).map_err(invalid)?;
            hello::agree(&hello)
        }
        _ => Err(Rejection::InvalidHello { message: "first message must be connection/hello" }),
    };
    let agreed = match agreed {
        Ok(agreed) => agreed,
        Err(reason) => {
            outbox.say(&HostMessage::Rejected { reason }).ok();
            return Ok(());
        }
    };
    let ready = HostMessage::Ready { selected_version: VERSION, capabilities: &agreed.capabilities };
    outbox.say(&ready).ok();
    let mut connection = Connection::new(hosting, outbox.clone(), agreed.capacity);
    // A frame is read in pieces, and a task may end between two of them.
    let mut reading = Box::pin(next(input, &outbox));
    loop {
        tokio::select! {
            frame = &mut reading => {
                drop(reading);
                let frame = frame.map_err(|error| ConnectionError::Message(error.to_string()))?;
                let Some(frame) = frame else { return Ok(()) };
                connection.take(&frame).await?;
                reading = Box::pin(next(input, &outbox));
            }
            Some(ended) = connection.tasks.join_next() => ended.map_err(|_| ConnectionError::Panicked)?,
        }
    }
}

/// Reads the next frame, of a client that reads its answers.
async fn next(input: &mut (impl AsyncRead + Unpin), outbox: &Outbox) -> io::Result<Option<Vec<u8>>> {
    outbox.settled().await;
    frame::read(input).await
}
