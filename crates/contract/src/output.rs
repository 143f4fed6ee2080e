//! What a cell shows: items in order of emission.

use serde::{Deserialize, Serialize};

use crate::{JsonText, Seq};

/// The bytes of UTF-8 that count as one token of an output budget, rounded up.
pub const TOKEN_BYTES: usize = 4;

/// One item of a cell's output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputItem {
    /// The sequence number of the event that emitted it.
    pub seq: Seq,
    /// What was emitted.
    #[serde(flatten)]
    pub content: Content,
}

/// The content of an output item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Content {
    /// Text, from `text()` or, with a level, from `console`.
    Text {
        /// The text.
        text: String,
        /// The console method that wrote it; `None` for `text()`.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        level: Option<ConsoleLevel>,
    },
    /// A picture.
    Image {
        /// The bytes in base64.
        data: String,
        /// Its media type, as in `image/png`.
        mime_type: String,
    },
    /// A sound.
    Audio {
        /// The bytes in base64.
        data: String,
        /// Its media type, as in `audio/wav`.
        mime_type: String,
    },
    /// A picture as a cell of the Codex dialect emitted it.
    ImageUrl {
        /// A data URL of which nobody has looked at more than its scheme.
        url: String,
        /// How closely it is to be looked at.
        detail: ImageDetail,
    },
    /// A sound as a cell of the Codex dialect emitted it.
    AudioUrl {
        /// A data URL of which nobody has looked at more than its scheme.
        url: String,
    },
    /// Any other MCP content block, as it is.
    Block {
        /// The block.
        block: JsonText,
    },
}

impl Content {
    /// Makes plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), level: None }
    }

    /// Returns how many bytes the content holds.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        match self {
            Self::Text { text, .. } => text.len(),
            Self::Image { data, .. } | Self::Audio { data, .. } => data.len(),
            Self::ImageUrl { url, .. } | Self::AudioUrl { url } => url.len(),
            Self::Block { block } => block.as_str().len(),
        }
    }
}

/// How closely a model is to look at a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageDetail {
    /// As it sees fit.
    Auto,
    /// Roughly.
    Low,
    /// Closely.
    #[default]
    High,
    /// At the size that the picture has.
    Original,
}

/// The console method that a text item came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsoleLevel {
    /// `console.debug`, `console.trace`.
    Debug,
    /// `console.log`.
    Log,
    /// `console.info`.
    Info,
    /// `console.warn`.
    Warn,
    /// `console.error`, `console.assert`.
    Error,
}
