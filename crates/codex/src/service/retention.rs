//! How much text is kept of what a cell puts out, before a budget is looked at: the first half of a mebibyte and the last,
//! with a word in between on what is gone. As the observed host has it.

use super::response::Item;

/// What is kept at either end.
const HALF: usize = 512 * 1024;

/// What is left of output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    Item(Item),
    /// Text was here.
    Omitted(String),
    /// A text without its middle.
    Split {
        head: String,
        omitted: String,
        tail: String,
    },
}

/// Text that is gone, as far as it is said.
#[derive(Default)]
struct Gone {
    bytes: usize,
    /// Texts of which nothing is left, or only the beginning.
    texts: usize,
}

impl Gone {
    fn say(&mut self) -> String {
        let Self { bytes, texts } = std::mem::take(self);
        format!(
            "[Code Mode session output limit reached: omitted {bytes} text bytes; discarded {texts} text segments, 0 images, 0 audio items]"
        )
    }

    fn flush(&mut self, kept: &mut Vec<Kept>) {
        if self.bytes > 0 {
            let said = self.say();
            kept.push(Kept::Omitted(said));
        }
    }
}

/// Keeps the ends of what is too much text. Other output stays.
pub(super) fn retain(items: Vec<Item>) -> Vec<Kept> {
    let bytes_of = |item: &Item| if let Item::Text(text) = item { text.len() } else { 0 };
    let all: usize = items.iter().map(bytes_of).sum();
    if all <= 2 * HALF {
        return items.into_iter().map(Kept::Item).collect();
    }
    let tail_at = all - HALF;
    let (mut kept, mut gone, mut at) = (Vec::with_capacity(items.len()), Gone::default(), 0);
    for item in items {
        let Item::Text(text) = item else {
            gone.flush(&mut kept);
            kept.push(Kept::Item(item));
            continue;
        };
        let start = at;
        at += text.len();
        let head_end = text.floor_char_boundary(HALF.saturating_sub(start).min(text.len()));
        let tail_start = text.ceil_char_boundary(tail_at.saturating_sub(start).min(text.len())).max(head_end);
        gone.bytes += tail_start - head_end;
        if head_end == tail_start {
            gone.flush(&mut kept);
            kept.push(Kept::Item(Item::Text(text)));
            continue;
        }
        let head = text.get(..head_end).unwrap_or_default().to_owned();
        let tail = text.get(tail_start..).unwrap_or_default().to_owned();
        match (head.is_empty(), tail.is_empty()) {
            (false, false) => kept.push(Kept::Split { head, omitted: gone.say(), tail }),
            (true, false) => {
                gone.flush(&mut kept);
                kept.push(Kept::Item(Item::Text(tail)));
            }
            (false, true) => {
                gone.texts += 1;
                kept.push(Kept::Item(Item::Text(head)));
            }
            (true, true) => gone.texts += 1,
        }
    }
    gone.flush(&mut kept);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Detail;

    fn text(text: impl Into<String>) -> Item {
        Item::Text(text.into())
    }

    fn omitted(bytes: usize, texts: usize) -> String {
        Gone { bytes, texts }.say()
    }

    #[test]
    fn a_mebibyte_is_kept() {
        let items = vec![text("a".repeat(HALF)), text("b".repeat(HALF))];
        assert_eq!(retain(items.clone()), items.into_iter().map(Kept::Item).collect::<Vec<_>>());
    }

    /// As observed on the host of 0.169.0.
    #[test]
    fn of_more_the_ends_are_kept() {
        let half = |c: &str| c.repeat(HALF);
        let split = Kept::Split { head: half("y"), omitted: omitted(1, 0), tail: half("y") };
        assert_eq!(retain(vec![text("y".repeat(2 * HALF + 1))]), [split]);
        let two = retain(vec![text("a".repeat(600_000)), text("b".repeat(600_000))]);
        let (a, b) = (Kept::Item(text(half("a"))), Kept::Item(text(half("b"))));
        assert_eq!(two, [a.clone(), Kept::Omitted(omitted(151_424, 1)), b.clone()]);
        let lines = retain((0..40_000).map(|i| text(format!("line {i} {}", "x".repeat(60)))).collect());
        assert_eq!(lines.len(), 14_891 + 1);
        assert!(lines.contains(&Kept::Omitted(omitted(1_780_314, 25_110))));
        let image = Item::Image { url: "data:image/png;base64,AAAA".to_owned(), detail: Detail::High };
        let items = vec![text("a".repeat(600_000)), text("m"), image.clone(), text("b".repeat(600_000))];
        let (before, after) = (Kept::Omitted(omitted(75_713, 2)), Kept::Omitted(omitted(75_712, 0)));
        assert_eq!(retain(items), [a, before, Kept::Item(image), after, b]);
    }

    #[test]
    fn ends_fall_between_characters() {
        let kept = retain(vec![text("a"), text("ä".repeat(600_000))]);
        let Kept::Split { head, tail, .. } = &kept[1] else { panic!("{kept:?}") };
        assert_eq!((head.len(), tail.len()), (HALF - 2, HALF));
    }
}
