//! Records to bytes and back.

use minicbor::Decoder;

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
        records.push(decoder.decode().map_err(|error: minicbor::decode::Error| {
            if error.is_unknown_variant() {
                DamageKind::NewerRecord { what: error.to_string() }
            } else {
                DamageKind::Record { offset, what: error.to_string() }
            }
        })?);
    }
    Ok(records)
}
