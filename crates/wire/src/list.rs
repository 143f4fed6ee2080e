//! Lists of a peer that is not trusted: an element can be a byte on the wire, and much more in memory.

use minicbor::decode::Error as DecodeError;
use minicbor::{Decode, Decoder};

/// The most elements of a list of what a session has few of: tools, cells, calls.
pub const FEW: usize = 64 * 1024;
/// The most of one of which there may be many: sessions, stored keys, items of output.
pub const MANY: usize = 4 * 1024 * 1024;

/// Reads a list of at most [`FEW`].
pub(crate) fn few<'b, C, T: Decode<'b, C>>(
    decoder: &mut Decoder<'b>,
    context: &mut C,
) -> Result<Vec<T>, DecodeError> {
    at_most(FEW, decoder, context)
}

/// Reads a list of at most [`MANY`].
pub(crate) fn many<'b, C, T: Decode<'b, C>>(
    decoder: &mut Decoder<'b>,
    context: &mut C,
) -> Result<Vec<T>, DecodeError> {
    at_most(MANY, decoder, context)
}

/// Reads a list of at most [`FEW`], or nothing.
pub(crate) fn optional<'b, C, T: Decode<'b, C>>(
    decoder: &mut Decoder<'b>,
    context: &mut C,
) -> Result<Option<Vec<T>>, DecodeError> {
    if decoder.datatype()? == minicbor::data::Type::Null {
        decoder.skip()?;
        return Ok(None);
    }
    few(decoder, context).map(Some)
}

fn at_most<'b, C, T: Decode<'b, C>>(
    most: usize,
    decoder: &mut Decoder<'b>,
    context: &mut C,
) -> Result<Vec<T>, DecodeError> {
    let mut list = Vec::new();
    for element in decoder.array_iter_with(context)? {
        if list.len() >= most {
            return Err(DecodeError::message("a list has more elements than are taken"));
        }
        list.push(element?);
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fault, ToHost, Until, Wait};

    fn wait(cells: usize) -> Vec<u8> {
        let wait = Wait {
            cells: vec![String::new(); cells],
            after: None,
            until: Some(Until::Deadline),
            yield_time: None,
            max_output_tokens: None,
            look: None,
        };
        crate::encode(&ToHost::Wait { request: 1, wait })
    }

    #[test]
    fn lists_are_bounded() {
        assert!(crate::decode::<ToHost>(&wait(FEW)).is_ok());
        let told = crate::decode::<ToHost>(&wait(FEW + 1)).unwrap_err().to_string();
        assert!(told.contains("more elements than are taken"), "{told}");
    }

    #[test]
    fn a_list_may_be_absent() {
        for cells in [None, Some(vec!["cell-1".to_owned()])] {
            let fault = Fault { code: 7, cells, ..Fault::default() };
            assert_eq!(crate::decode::<Fault>(&crate::encode(&fault)).unwrap(), fault);
        }
        // Left out, with all after it.
        let short: Fault = crate::decode(&[0x82, 0x07, 0x61, b'm']).unwrap();
        assert_eq!(short, Fault { code: 7, message: "m".into(), ..Fault::default() });
    }
}
