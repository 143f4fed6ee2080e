//! Cuts output to a budget of tokens, as the observed host does when its client leaves that to it.
//!
//! A token is four bytes of UTF-8, rounded up. Output that is text alone becomes one text without its middle. With other
//! output the items are walked in order: a text that no longer fits loses its middle, texts and sounds after it go and are
//! counted, pictures stay and cost nothing.

use super::response::Item;

const TOKEN_BYTES: usize = 4;
/// What a second of sound costs.
const SOUND_TOKENS: usize = 10;

/// Cuts `items` to `budget` tokens.
pub(super) fn cut(items: Vec<Item>, budget: usize) -> Vec<Item> {
    let texts: Option<Vec<&str>> = items.iter().map(text_of).collect();
    match texts {
        Some(texts) => {
            let bytes = texts.iter().map(|text| text.len() + 1).sum::<usize>().saturating_sub(1);
            if bytes.div_ceil(TOKEN_BYTES) <= budget {
                return items;
            }
            let whole = texts.join("\n");
            let (tokens, lines) = (bytes.div_ceil(TOKEN_BYTES), whole.lines().count());
            let cut = without_middle(&whole, budget);
            vec![Item::Text(format!(
                "Warning: truncated output (original token count: {tokens})\nTotal output lines: {lines}\n\n{cut}"
            ))]
        }
        None => cut_mixed(items, budget),
    }
}

fn cut_mixed(items: Vec<Item>, budget: usize) -> Vec<Item> {
    let (mut left, mut texts, mut sounds) = (budget, 0, 0);
    let mut kept = Vec::with_capacity(items.len());
    for item in items {
        match item {
            Item::Text(_) if left == 0 => texts += 1,
            Item::Text(text) => {
                let tokens = text.len().div_ceil(TOKEN_BYTES);
                let text = if tokens <= left { text } else { without_middle(&text, left) };
                left = left.saturating_sub(tokens);
                kept.push(Item::Text(text));
            }
            Item::Audio { url } => {
                let tokens = sound_tokens(&url);
                if left == 0 || tokens > left {
                    sounds += 1;
                } else {
                    left -= tokens;
                    kept.push(Item::Audio { url });
                }
            }
            Item::Image { .. } => kept.push(item),
        }
    }
    for (count, kind) in [(texts, "text"), (sounds, "audio")] {
        if count > 0 {
            kept.push(Item::Text(format!("[omitted {count} {kind} items ...]")));
        }
    }
    kept
}

fn text_of(item: &Item) -> Option<&str> {
    match item {
        Item::Text(text) => Some(text),
        _ => None,
    }
}

/// Keeps the beginning and the end of a text, half of the budget each.
fn without_middle(text: &str, budget: usize) -> String {
    let bytes = budget.saturating_mul(TOKEN_BYTES);
    let head_end = text.floor_char_boundary(bytes / 2);
    let tail_start = text.ceil_char_boundary(text.len().saturating_sub(bytes - bytes / 2)).max(head_end);
    let (head, tail) = (text.get(..head_end).unwrap_or_default(), text.get(tail_start..).unwrap_or_default());
    let cut = text.len().saturating_sub(bytes).div_ceil(TOKEN_BYTES);
    format!("{head}…{cut} tokens truncated…{tail}")
}

/// Cuts an error to the most that one may have.
pub(crate) fn cut_error(text: String) -> String {
    const MOST: usize = 64 * 1024;
    if text.len() <= MOST {
        return text;
    }
    let half = (MOST - "…".len()) / 2;
    let head = text.get(..text.floor_char_boundary(half)).unwrap_or_default();
    let tail = text.get(text.ceil_char_boundary(text.len() - half)..).unwrap_or_default();
    format!("{head}…{tail}")
}

/// Returns what a sound costs: by its length, where its header tells that, else as one second.
fn sound_tokens(url: &str) -> usize {
    wav_tokens(url).unwrap_or(SOUND_TOKENS)
}

/// Reads a WAV file's bytes a second, and takes all that it holds for sound.
fn wav_tokens(url: &str) -> Option<usize> {
    let (head, data) = url.split_once(";base64,")?;
    if !head.contains("wav") {
        return None;
    }
    let header = base64_prefix(data.get(..48)?)?;
    let rate = u32::from_le_bytes(header.get(28..32)?.try_into().ok()?) as usize;
    let bytes = (data.len() / 4 * 3).saturating_sub(44);
    (header.get(..4) == Some(b"RIFF") && rate > 0)
        .then(|| (bytes.saturating_mul(SOUND_TOKENS)).div_ceil(rate).max(1))
}

fn base64_prefix(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for group in text.as_bytes().chunks_exact(4) {
        let mut bits = 0u32;
        for &c in group {
            let value = match c {
                b'A'..=b'Z' => c - b'A',
                b'a'..=b'z' => c - b'a' + 26,
                b'0'..=b'9' => c - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(value);
        }
        bytes.extend_from_slice(bits.to_be_bytes().get(1..)?);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Detail;

    fn text(text: &str) -> Item {
        Item::Text(text.to_owned())
    }

    fn picture() -> Item {
        Item::Image { url: "data:image/png;base64,AAAA".to_owned(), detail: Detail::High }
    }

    #[test]
    fn what_fits_is_untouched() {
        let items = vec![text("abcd"), text("efg")];
        assert_eq!(cut(items.clone(), 2), items);
    }

    /// As observed on the host of 0.169.0.
    #[test]
    fn text_alone_becomes_one_text_without_its_middle() {
        let cut = cut(vec![text(&"a".repeat(100_000))], 10);
        let a = "a".repeat(20);
        let expected = format!(
            "Warning: truncated output (original token count: 25000)\nTotal output lines: 1\n\n{a}…24990 tokens truncated…{a}"
        );
        assert_eq!(cut, [text(&expected)]);
        let nothing = super::cut(vec![text("abc")], 0);
        assert_eq!(
            nothing,
            [text(
                "Warning: truncated output (original token count: 1)\nTotal output lines: 1\n\n…1 tokens truncated…"
            )]
        );
    }

    /// As observed on the host of 0.169.0.
    #[test]
    fn pictures_stay_and_what_follows_the_cut_is_counted() {
        let sound = Item::Audio { url: "data:audio/wav;base64,AAAA".to_owned() };
        let items = vec![text(&"a".repeat(100)), picture(), text(&"b".repeat(100)), text("c"), sound];
        let b = "b".repeat(10);
        assert_eq!(
            cut(items, 30),
            [
                text(&"a".repeat(100)),
                picture(),
                text(&format!("{b}…20 tokens truncated…{b}")),
                text("[omitted 1 text items ...]"),
                text("[omitted 1 audio items ...]"),
            ]
        );
    }

    #[test]
    fn cuts_fall_between_characters() {
        let Item::Text(cut) = cut(vec![text(&"ä".repeat(50)), picture()], 3).remove(0) else {
            panic!("a text")
        };
        assert_eq!(cut, "äää…22 tokens truncated…äää");
    }

    #[test]
    fn a_long_error_loses_its_middle() {
        let cut = cut_error(format!("Error: {}\n    at exec_main.mjs:1:7", "e".repeat(100_000)));
        assert!(
            cut.len() <= 64 * 1024
                && cut.starts_with("Error: e")
                && cut.ends_with("mjs:1:7")
                && cut.contains("e…e")
        );
    }
}
