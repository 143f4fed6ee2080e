//! The encodings of the WHATWG's standard other than UTF-8 and UTF-16, which the guest decodes itself.

use encoding_rs::{DecoderResult, Encoding};

/// The most bytes that are decoded at once: about a millisecond's work for the slowest encoding.
const MOST_BYTES: usize = 256 * 1024;

/// Returns the name of the encoding that `label` is one of.
pub(crate) fn name(label: &str) -> Result<String, String> {
    let found = Encoding::for_label_no_replacement(label.as_bytes());
    found
        .map(|encoding| encoding.name().to_ascii_lowercase())
        .ok_or_else(|| "no encoding has this label".to_owned())
}

/// Decodes `bytes`, of which each is a character of the string. `how` is the name of the encoding, then `!` if bytes
/// that stand for nothing are refused, then `+` if more is to come, so that an unfinished end is left out.
pub(crate) fn decode(bytes: &str, how: &str) -> Result<String, String> {
    let last = !how.ends_with('+');
    let fatal = how.contains('!');
    let encoding = Encoding::for_label(how.trim_end_matches(['!', '+']).as_bytes())
        .ok_or_else(|| format!("there is no encoding {how:?}"))?;
    let bytes: Vec<u8> = bytes.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect();
    if bytes.len() > MOST_BYTES {
        return Err(format!(
            "{} bytes of {} are too many: {MOST_BYTES} are decoded at most",
            bytes.len(),
            encoding.name()
        ));
    }
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let room = decoder.max_utf8_buffer_length(bytes.len()).unwrap_or_default();
    let mut text = String::with_capacity(room);
    if fatal {
        // Enough room is there, so the decoder never stops for want of it.
        match decoder.decode_to_string_without_replacement(&bytes, &mut text, last).0 {
            DecoderResult::Malformed(..) => return Err(String::new()),
            DecoderResult::InputEmpty | DecoderResult::OutputFull => {}
        }
    } else {
        let (_result, _read, _had_errors) = decoder.decode_to_string(&bytes, &mut text, last);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_decoded_in_parts_is_the_beginning_of_the_whole() {
        // "日本" in Shift_JIS, and its first three bytes.
        assert_eq!(decode("\u{93}\u{fa}\u{96}{", "shift_jis").as_deref(), Ok("日本"));
        assert_eq!(decode("\u{93}\u{fa}\u{96}", "shift_jis+").as_deref(), Ok("日"));
        assert_eq!(decode("\u{93}\u{fa}\u{96}", "shift_jis").as_deref(), Ok("日\u{fffd}"));
        assert_eq!(decode("\u{93}\u{fa}\u{96}", "shift_jis!"), Err(String::new()));
    }

    #[test]
    fn the_replacement_encoding_has_no_label() {
        assert_eq!(name(" Latin1 ").as_deref(), Ok("windows-1252"));
        assert!(name("iso-2022-kr").is_err());
    }
}
