//! One end of a byte stream that carries messages of many streams: what both the server and the client stand on.
//!
//! Whoever has a message puts it into the [`Outbox`]; one task a connection writes what has gathered there, all that is
//! ready in one write, and reads what comes. It waits for nobody: what it reads is handed on at once, so a reader that is
//! slow holds up its own stream alone, which gets no more credit.

mod inbox;
mod outbox;

use std::io;

use carrel_wire::Malformed;
use carrel_wire::frame::InvalidFrame;
pub(crate) use inbox::read_messages;
pub(crate) use outbox::{Outbox, Unsent};

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
    /// What came makes no sense.
    #[error("it broke the protocol: {0}")]
    Protocol(&'static str),
}
