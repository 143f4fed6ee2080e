//! Cuts output to a budget of tokens, as the observed host does when its client leaves that to it.
//!
//! A token is four bytes of UTF-8, rounded up. Output that is text alone becomes one text without its middle. With other
//! output the items are walked in order: a text that no longer fits loses its middle, texts and sounds after it go and are
//! counted, pictures stay and cost nothing.

use super::response::Item;
use super::retention::{Kept, retain};
use super::sound;

const TOKEN_BYTES: usize = 4;

/// Cuts `items` to `budget` tokens, and to what is kept of any output.
pub(super) fn cut(items: Vec<Item>, budget: usize) -> Vec<Item> {
    let kept = retain(items);
    let is_text = |it: &Kept| !matches!(it, Kept::Item(Item::Image { .. } | Item::Audio { .. }));
    if kept.iter().all(is_text) { cut_text(kept, budget) } else { cut_mixed(kept, budget) }
}

fn cut_text(kept: Vec<Kept>, budget: usize) -> Vec<Item> {
    let bytes = kept.iter().map(bytes_of).sum::<usize>().saturating_sub(1);
    let tokens = bytes.div_ceil(TOKEN_BYTES);
    if tokens <= budget {
        return kept.into_iter().flat_map(apart).collect();
    }
    let (mut whole, mut said) = (String::with_capacity(bytes), None);
    for (i, it) in kept.into_iter().enumerate() {
        if i > 0 && !matches!(it, Kept::Omitted(_)) {
            whole.push('\n');
        }
        match it {
            Kept::Item(Item::Text(text)) => whole.push_str(&text),
            Kept::Split { head, omitted, tail } => {
                whole.push_str(&head);
                whole.push_str(&tail);
                said = Some(omitted);
            }
            Kept::Omitted(omitted) => said = Some(omitted),
            Kept::Item(_) => {}
        }
    }
    let lines = whole.lines().count();
    let cut = Cut::of(&whole, budget);
    let warning = format!(
        "Warning: truncated output (original token count: {tokens})\nTotal output lines: {lines}\n\n{}",
        cut.head
    );
    cut.around(&warning, said)
}

/// The bytes of what is kept of a text, and of the end of its line.
fn bytes_of(it: &Kept) -> usize {
    match it {
        Kept::Item(Item::Text(text)) => text.len() + 1,
        Kept::Split { head, tail, .. } => head.len() + tail.len() + 1,
        _ => 0,
    }
}

fn apart(it: Kept) -> Vec<Item> {
    match it {
        Kept::Item(item) => vec![item],
        Kept::Omitted(said) => vec![Item::Text(said)],
        Kept::Split { head, omitted, tail } => vec![Item::Text(head), Item::Text(omitted), Item::Text(tail)],
    }
}

fn cut_mixed(all: Vec<Kept>, budget: usize) -> Vec<Item> {
    let (mut left, mut texts, mut sounds) = (budget, 0, 0);
    let mut kept = Vec::with_capacity(all.len());
    for it in all {
        let said = match &it {
            Kept::Split { omitted, .. } => Some(omitted.clone()),
            _ => None,
        };
        match it {
            Kept::Omitted(said) => kept.push(Item::Text(said)),
            Kept::Item(Item::Text(text)) if text.is_empty() => {}
            Kept::Item(Item::Text(_)) | Kept::Split { .. } if left == 0 => {
                texts += 1;
                kept.extend(said.map(Item::Text));
            }
            Kept::Item(Item::Text(_)) | Kept::Split { .. } => {
                let tokens = (bytes_of(&it) - 1).div_ceil(TOKEN_BYTES);
                if tokens <= left {
                    kept.extend(apart(it));
                } else {
                    let whole: String = match it {
                        Kept::Item(Item::Text(text)) => text,
                        Kept::Split { head, tail, .. } => head + &tail,
                        _ => String::new(),
                    };
                    let cut = Cut::of(&whole, left);
                    kept.extend(cut.around(cut.head, said));
                }
                left = left.saturating_sub(tokens);
            }
            Kept::Item(Item::Audio { url }) => match sound::tokens(&url) {
                None => kept.push(Item::Text(sound::TOO_SHORT.to_owned())),
                Some(tokens) if tokens <= left && left > 0 => {
                    left -= tokens;
                    kept.push(Item::Audio { url });
                }
                Some(_) => sounds += 1,
            },
            Kept::Item(image) => kept.push(image),
        }
    }
    for (count, kind) in [(texts, "text"), (sounds, "audio")] {
        if count > 0 {
            kept.push(Item::Text(format!("[omitted {count} {kind} items ...]")));
        }
    }
    kept
}

/// The ends of a text that loses its middle, half of the budget each.
struct Cut<'a> {
    head: &'a str,
    tail: &'a str,
    tokens: usize,
}

impl<'a> Cut<'a> {
    fn of(text: &'a str, budget: usize) -> Self {
        let bytes = budget.saturating_mul(TOKEN_BYTES);
        let head_end = text.floor_char_boundary(bytes / 2);
        let tail_start = text.ceil_char_boundary(text.len().saturating_sub(bytes - bytes / 2)).max(head_end);
        Self {
            head: text.get(..head_end).unwrap_or_default(),
            tail: text.get(tail_start..).unwrap_or_default(),
            tokens: text.len().saturating_sub(bytes).div_ceil(TOKEN_BYTES),
        }
    }

    /// Puts its ends together, the first one as `before` has it, with what is to be said of its middle.
    fn around(&self, before: &str, said: Option<String>) -> Vec<Item> {
        let Self { tail, tokens, .. } = self;
        let head = format!("{before}…{tokens} tokens truncated…");
        let Some(said) = said else { return vec![Item::Text(head + tail)] };
        let mut items = vec![Item::Text(head), Item::Text(said)];
        if !tail.is_empty() {
            items.push(Item::Text((*tail).to_owned()));
        }
        items
    }
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

    /// As observed on the host of 0.169.0.
    #[test]
    fn empty_texts_are_lines_and_beside_pictures_nothing() {
        let lines = vec![text("a"), text(""), text("b")];
        assert_eq!(cut(lines.clone(), 10), lines);
        assert_eq!(cut(vec![text(""), picture(), text("")], 0), [picture()]);
    }

    /// As observed on the host of 0.169.0.
    #[test]
    fn of_more_than_is_kept_both_ends_are_cut() {
        let half = 512 * 1024;
        let said = |bytes: usize, texts: usize| {
            text(&format!(
                "[Code Mode session output limit reached: omitted {bytes} text bytes; discarded {texts} text segments, 0 images, 0 audio items]"
            ))
        };
        let (a, b) = ("a".repeat(600_000), "b".repeat(600_000));
        let (head, tail) = ("a".repeat(40), "b".repeat(40));
        let warning = "Warning: truncated output (original token count: 262145)\nTotal output lines: 2\n\n";
        let warned = text(&format!("{warning}{head}…262125 tokens truncated…"));
        assert_eq!(cut(vec![text(&a), text(&b)], 20), [warned, said(151_424, 1), text(&tail)]);
        let whole = vec![text(&a[..half]), said(151_424, 1), text(&b[..half])];
        assert_eq!(cut(vec![text(&a), text(&b)], 300_000), whole);
        let nothing = text(
            "Warning: truncated output (original token count: 262144)\nTotal output lines: 1\n\n…262144 tokens truncated…",
        );
        assert_eq!(cut(vec![text(&"y".repeat(2 * half + 1))], 0), [nothing, said(1, 0)]);
        let mixed = cut(vec![text(&"a".repeat(1_200_000)), picture(), text("end")], 20);
        let cut_head = text(&format!("{head}…262124 tokens truncated…"));
        let more = text("[omitted 1 text items ...]");
        assert_eq!(mixed, [cut_head, said(151_427, 0), text(&head), picture(), more]);
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
