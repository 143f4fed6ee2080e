//! What records carry: texts, which may be large, and what is made of them.

use minicbor::{Decode, Encode};

use crate::BlobHash;

/// A text, in its record or, when it is large, in a blob.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Value {
    /// Here.
    #[n(0)]
    Inline(#[n(0)] String),
    /// In a blob, which was kept before the record was written.
    #[n(1)]
    Blob {
        /// The blob, of UTF-8.
        #[n(0)]
        hash: BlobHash,
        /// Its length.
        #[n(1)]
        bytes: u64,
    },
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Inline(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Inline(text.to_owned())
    }
}

impl Default for Value {
    fn default() -> Self {
        Self::Inline(String::new())
    }
}

/// What a tool call came to.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Answer {
    /// The result, as JSON.
    #[n(0)]
    Result(#[n(0)] Value),
    /// The failure.
    #[n(1)]
    Failed(#[n(0)] ToolFailure),
}

/// The contract's `ToolError`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ToolFailure {
    /// What went wrong.
    #[n(0)]
    pub message: Value,
    /// The text form of its code.
    #[n(1)]
    pub code: String,
    /// Whether the same call may succeed later.
    #[n(2)]
    pub retryable: bool,
    /// What the tool sent along, as JSON.
    #[cbor(n(3), decode_with = "super::codec::known")]
    pub data: Option<Value>,
}

/// An item of output: the contract's `Content`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Output {
    /// Text.
    #[n(0)]
    Text {
        /// The text.
        #[n(0)]
        text: Value,
        /// The console method that wrote it; absent for `text()`.
        #[cbor(n(1), decode_with = "super::codec::known")]
        level: Option<Level>,
    },
    /// A picture.
    #[n(1)]
    Image {
        /// The bytes in base64.
        #[n(0)]
        data: Value,
        /// The media type.
        #[n(1)]
        mime_type: String,
    },
    /// A sound.
    #[n(2)]
    Audio {
        /// The bytes in base64.
        #[n(0)]
        data: Value,
        /// The media type.
        #[n(1)]
        mime_type: String,
    },
    /// Another MCP content block.
    #[n(3)]
    Block {
        /// The block as JSON.
        #[n(0)]
        json: Value,
    },
    /// A picture by its data URL.
    #[n(4)]
    ImageUrl {
        /// The URL.
        #[n(0)]
        url: Value,
        /// The text form of how closely it is to be looked at.
        #[n(1)]
        detail: String,
    },
    /// A sound by its data URL.
    #[n(5)]
    AudioUrl {
        /// The URL.
        #[n(0)]
        url: Value,
    },
}

impl Output {
    /// Returns its text, which may be in a blob.
    pub fn value_mut(&mut self) -> &mut Value {
        match self {
            Self::Text { text: value, .. }
            | Self::Image { data: value, .. }
            | Self::Audio { data: value, .. }
            | Self::Block { json: value }
            | Self::ImageUrl { url: value, .. }
            | Self::AudioUrl { url: value } => value,
        }
    }
}

/// A console method: the contract's `ConsoleLevel`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Level {
    /// `console.debug`.
    #[n(0)]
    Debug,
    /// `console.log`.
    #[n(1)]
    Log,
    /// `console.info`.
    #[n(2)]
    Info,
    /// `console.warn`.
    #[n(3)]
    Warn,
    /// `console.error`.
    #[n(4)]
    Error,
}
