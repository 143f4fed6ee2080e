//! Output: text, images, sounds and other blocks.

use carrel_contract as contract;
use carrel_contract::{ConsoleLevel, ImageDetail};
use minicbor::{Decode, Encode};

use crate::same::same;
use crate::text::{Malformed, Text};

/// The contract's `Content`.
#[derive(Clone, Debug, Encode, Decode)]
pub enum Content {
    /// Text.
    #[n(0)]
    Text {
        /// The text.
        #[n(0)]
        text: String,
        /// The console method that wrote it.
        #[cbor(n(1), decode_with = "crate::text::known")]
        level: Option<Level>,
    },
    /// A picture.
    #[n(1)]
    Image {
        /// The bytes in base64.
        #[n(0)]
        data: String,
        /// Its media type.
        #[n(1)]
        mime_type: String,
    },
    /// A sound.
    #[n(2)]
    Audio {
        /// The bytes in base64.
        #[n(0)]
        data: String,
        /// Its media type.
        #[n(1)]
        mime_type: String,
    },
    /// Any other MCP content block, as JSON.
    #[n(3)]
    Block(#[n(0)] Text),
    /// A picture by its data URL.
    #[n(4)]
    ImageUrl {
        /// The URL.
        #[n(0)]
        url: String,
        /// How closely it is to be looked at.
        #[n(1)]
        detail: Detail,
    },
    /// A sound by its data URL.
    #[n(5)]
    AudioUrl {
        /// The URL.
        #[n(0)]
        url: String,
    },
}

/// How closely a model is to look at a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Detail {
    /// As it sees fit.
    #[n(0)]
    Auto,
    /// Roughly.
    #[n(1)]
    Low,
    /// Closely.
    #[n(2)]
    High,
    /// At its own size.
    #[n(3)]
    Original,
}

/// A console method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
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

same!(ImageDetail, Detail: Auto Low High Original);
same!(ConsoleLevel, Level: Debug Log Info Warn Error);

impl From<contract::Content> for Content {
    fn from(content: contract::Content) -> Self {
        match content {
            contract::Content::Text { text, level } => Self::Text { text, level: level.map(Level::from) },
            contract::Content::Image { data, mime_type } => Self::Image { data, mime_type },
            contract::Content::Audio { data, mime_type } => Self::Audio { data, mime_type },
            contract::Content::Block { block } => Self::Block(block.into()),
            contract::Content::ImageUrl { url, detail } => Self::ImageUrl { url, detail: detail.into() },
            contract::Content::AudioUrl { url } => Self::AudioUrl { url },
            other => Self::Text { text: format!("{other:?}"), level: None },
        }
    }
}

impl TryFrom<Content> for contract::Content {
    type Error = Malformed;

    fn try_from(wire: Content) -> Result<Self, Malformed> {
        Ok(match wire {
            Content::Text { text, level } => Self::Text { text, level: level.map(ConsoleLevel::from) },
            Content::Image { data, mime_type } => Self::Image { data, mime_type },
            Content::Audio { data, mime_type } => Self::Audio { data, mime_type },
            Content::Block(block) => Self::Block { block: block.try_into()? },
            Content::ImageUrl { url, detail } => Self::ImageUrl { url, detail: detail.into() },
            Content::AudioUrl { url } => Self::AudioUrl { url },
        })
    }
}
