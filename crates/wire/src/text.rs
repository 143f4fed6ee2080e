//! Messages to bytes and back, and the checks that their parts share.

use std::sync::Arc;

use carrel_contract::error::{InvalidId, InvalidJson, InvalidToolName};
use carrel_contract::{CellId, JsonText, SessionId, ToolCallId};
use minicbor::decode::Error as DecodeError;
use minicbor::encode::{Error as EncodeError, Write};
use minicbor::{Decode, Decoder, Encode, Encoder};

/// Bytes that are no message, or a message that says what cannot be. The connection cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// The bytes are not the CBOR of a message.
    #[error("read a message: {0}")]
    Cbor(#[from] DecodeError),
    /// An id is none.
    #[error(transparent)]
    Id(#[from] InvalidId),
    /// The name of a tool is none.
    #[error(transparent)]
    ToolName(#[from] InvalidToolName),
    /// What should be JSON is not.
    #[error(transparent)]
    Json(#[from] InvalidJson),
}

/// Writes a message.
#[must_use]
pub fn encode<T: Encode<()>>(message: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(128);
    match minicbor::encode(message, &mut bytes) {
        Ok(()) => bytes,
        // A Vec takes everything, and no message refuses to be written.
        Err(error) => unreachable!("{error}"),
    }
}

/// Reads a message.
///
/// # Errors
/// [`Malformed`] when the bytes are none. Bytes after it are passed over.
pub fn decode<'b, T: Decode<'b, ()>>(bytes: &'b [u8]) -> Result<T, Malformed> {
    Ok(minicbor::decode(bytes)?)
}

/// Text that is shared instead of copied: sources, inputs, results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(pub Arc<str>);

impl<C> Encode<C> for Text {
    fn encode<W: Write>(&self, encoder: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        encoder.str(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Text {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        decoder.str().map(|text| Self(text.into()))
    }
}

impl From<JsonText> for Text {
    fn from(json: JsonText) -> Self {
        Self(json.into_shared())
    }
}

impl TryFrom<Text> for JsonText {
    type Error = Malformed;

    fn try_from(text: Text) -> Result<Self, Malformed> {
        Ok(Self::parse(&text.0)?)
    }
}

pub(crate) fn cell_id(id: &str) -> Result<CellId, Malformed> {
    Ok(CellId::new(id)?)
}

pub(crate) fn session_id(id: &str) -> Result<SessionId, Malformed> {
    Ok(SessionId::new(id)?)
}

pub(crate) fn call_id(id: &str) -> Result<ToolCallId, Malformed> {
    Ok(ToolCallId::new(id)?)
}

pub(crate) fn texts<T: Into<String>>(ids: Vec<T>) -> Vec<String> {
    ids.into_iter().map(Into::into).collect()
}

pub(crate) fn call_ids(ids: &[String]) -> Result<Vec<ToolCallId>, Malformed> {
    ids.iter().map(|id| call_id(id)).collect()
}

/// Reads an optional field that is, or holds, an enum: one that came later is refused, not read as absent.
pub(crate) fn known<'b, C, T: Decode<'b, C>>(
    decoder: &mut Decoder<'b>,
    context: &mut C,
) -> Result<T, DecodeError> {
    T::decode(decoder, context).map_err(|error| {
        if error.is_unknown_variant() {
            DecodeError::message("a value of this field is not known here")
        } else {
            error
        }
    })
}
