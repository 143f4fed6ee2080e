//! Records to bytes and back.
//!
//! An optional field whose value is of a variant that this build does not know would be read as absent by `minicbor`; what
//! that means is not for it to guess. So such fields are read by [`known`], and the record is refused as newer.

use minicbor::decode::Error;
use minicbor::{Decode, Decoder};

use super::Record;
use crate::error::DamageKind;

/// Appends a record to `bytes`.
pub(crate) fn encode(record: &Record, bytes: &mut Vec<u8>) {
    match minicbor::encode(record, bytes) {
        Ok(()) => {}
        // A Vec takes everything, and no record refuses to be written.
        Err(error) => unreachable!("{error}"),
    }
}

/// Reads records up to the end of `bytes`.
pub(crate) fn decode_all(bytes: &[u8]) -> Result<Vec<Record>, DamageKind> {
    let mut decoder = Decoder::new(bytes);
    let mut records = Vec::new();
    while decoder.position() < bytes.len() {
        let offset = decoder.position();
        records.push(decoder.decode().map_err(|error: Error| {
            if error.is_unknown_variant() || error.is_custom() {
                DamageKind::NewerRecord { what: error.to_string() }
            } else {
                DamageKind::Record { offset, what: error.to_string() }
            }
        })?);
    }
    Ok(records)
}

/// A value of a variant that came later, in an optional field.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unknown(Error);

/// Reads an optional field of a type that is, or holds, an enum.
pub(super) fn known<'b, C, T: Decode<'b, C>>(decoder: &mut Decoder<'b>, context: &mut C) -> Result<T, Error> {
    T::decode(decoder, context)
        .map_err(|error| if error.is_unknown_variant() { Error::custom(Unknown(error)) } else { error })
}
