//! One end of a byte stream that carries messages of many streams: what both the server and the client stand on.
//!
//! Whoever has a message puts it into the [`Outbox`]; one task a connection writes what has gathered there, all that is
//! ready in one write, and reads what comes. It waits for nobody: what it reads is handed on at once, so a reader that is
//! slow holds up its own stream alone, which gets no more credit.

mod inbox;
mod lane;
mod outbox;
mod turn;

use std::io;

use carrel_contract::{EventKind, StreamItem};
use carrel_wire::Malformed;
use carrel_wire::frame::InvalidFrame;
pub(crate) use inbox::{Receiver, read_messages};
pub(crate) use outbox::{Outbox, Unsent, Unwritten};
pub(crate) use turn::turn;

/// The longest message that a side takes: a result of 100 MB with room to spare.
pub(crate) const MAX_MESSAGE_BYTES: usize = 256 << 20;

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    /// The stream failed.
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    /// What came is no frame.
    #[error("it sent what is no frame: failed to {0}")]
    Frame(#[from] InvalidFrame),
    /// What came is no message.
    #[error("it sent what is no message: failed to {0}")]
    Message(#[from] Malformed),
    /// It says that it leaves.
    #[error("it left")]
    Left,
    /// What came makes no sense.
    #[error("it broke the protocol: {0}")]
    Protocol(&'static str),
}

/// Returns the bytes of output in an entry of a log.
pub(crate) fn size(item: &StreamItem) -> usize {
    match item {
        StreamItem::Event(event) => match &event.kind {
            EventKind::Output { content } => content.size_bytes(),
            EventKind::Notified { text } => text.len(),
            _ => 0,
        },
        StreamItem::Missed { .. } => 0,
    }
}
