//! Records to bytes and back.
//!
//! An optional field whose value is of a variant that this build does not know would be read as absent by `minicbor`; what
//! that means is not for it to guess. So such fields are read by [`known`], and the record is refused as newer.

use std::convert::Infallible;
use std::iter;

use minicbor::decode::Error;
use minicbor::encode::Write;
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

/// Returns how many bytes a record takes.
pub(crate) fn encoded_len(record: &Record) -> usize {
    let mut count = Count(0);
    match minicbor::encode(record, &mut count) {
        Ok(()) => count.0,
        Err(error) => unreachable!("{error}"),
    }
}

/// Counts what is written.
struct Count(usize);

impl Write for Count {
    type Error = Infallible;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0 += bytes.len();
        Ok(())
    }
}

/// Reads records up to the end of `bytes`.
pub(crate) fn decode_all(bytes: &[u8]) -> Result<Vec<Record>, DamageKind> {
    decode_each(bytes).map(|record| record.map(|(record, _)| record)).collect()
}

/// Reads records up to the end of `bytes`, each with its bytes; nothing after one that cannot be read.
pub(crate) fn decode_each(bytes: &[u8]) -> impl Iterator<Item = Result<(Record, &[u8]), DamageKind>> {
    let mut rest = Some(bytes);
    iter::from_fn(move || {
        let left = rest.take().filter(|left| !left.is_empty())?;
        let mut decoder = Decoder::new(left);
        Some(match decoder.decode() {
            Ok(record) => {
                let (read, behind) = left.split_at_checked(decoder.position())?;
                rest = Some(behind);
                Ok((record, read))
            }
            Err(error) if error.is_unknown_variant() || error.is_custom() => {
                Err(DamageKind::NewerRecord { what: error.to_string() })
            }
            Err(error) => {
                Err(DamageKind::Record { offset: bytes.len() - left.len(), what: error.to_string() })
            }
        })
    })
}

/// A value of a variant that came later, in an optional field.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unknown(Error);

/// Reads an optional field of a type that is, or holds, an enum.
pub(crate) fn known<'b, C, T: Decode<'b, C>>(decoder: &mut Decoder<'b>, context: &mut C) -> Result<T, Error> {
    T::decode(decoder, context)
        .map_err(|error| if error.is_unknown_variant() { Error::custom(Unknown(error)) } else { error })
}
