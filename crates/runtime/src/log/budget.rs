//! Cuts output to a budget: the middle goes, on a character boundary, and a mark says how much it was.

use carrel_contract::{Content, OutputItem, TOKEN_BYTES};

/// Cuts the text of `items` to `max_tokens` in all and returns how many bytes went. Other content is not text
/// and stays.
pub(crate) fn cut(items: Vec<OutputItem>, max_tokens: usize) -> (Vec<OutputItem>, u64) {
    let total: usize = items.iter().map(text_bytes).sum();
    let budget = max_tokens.saturating_mul(TOKEN_BYTES);
    if total <= budget {
        return (items, 0);
    }
    let head_end = budget / 2;
    let tail_start = total - (budget - head_end);
    let mut kept = Vec::new();
    let mut omitted = 0;
    let mut mark_at = None;
    let mut offset = 0;
    for mut item in items {
        if let Content::Text { text, .. } = &mut item.content {
            let start = offset;
            offset += text.len();
            let head = text.floor_char_boundary(head_end.saturating_sub(start).min(text.len()));
            let tail = text.ceil_char_boundary(tail_start.saturating_sub(start).min(text.len())).max(head);
            if tail > head {
                omitted += tail - head;
                text.replace_range(head..tail, "");
                if mark_at.is_none() {
                    mark_at = Some((kept.len(), head));
                } else if text.is_empty() {
                    continue;
                }
            }
        }
        kept.push(item);
    }
    if let Some((index, at)) = mark_at
        && let Some(OutputItem { content: Content::Text { text, .. }, .. }) = kept.get_mut(index)
    {
        text.insert_str(at, &mark(omitted));
    }
    (kept, omitted as u64)
}

/// Cuts one text to about `max_bytes`.
pub(crate) fn cut_text(text: &str, max_bytes: usize) -> String {
    let half = max_bytes / 2;
    let (head, tail) =
        (text.floor_char_boundary(half), text.ceil_char_boundary(text.len().saturating_sub(half)));
    match (text.get(..head), text.get(tail..)) {
        (Some(first), Some(last)) if head < tail => format!("{first}{}{last}", mark(tail - head)),
        _ => text.to_owned(),
    }
}

fn mark(omitted_bytes: usize) -> String {
    format!("\n[… {omitted_bytes} bytes (about {} tokens) left out …]\n", omitted_bytes.div_ceil(TOKEN_BYTES))
}

fn text_bytes(item: &OutputItem) -> usize {
    match &item.content {
        Content::Text { text, .. } => text.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use carrel_contract::Seq;

    use super::*;

    fn items(texts: &[&str]) -> Vec<OutputItem> {
        (1..)
            .zip(texts)
            .map(|(seq, text)| OutputItem { seq: Seq(seq), content: Content::text(*text) })
            .collect()
    }

    fn texts(items: &[OutputItem]) -> Vec<&str> {
        items
            .iter()
            .map(|item| match &item.content {
                Content::Text { text, .. } => text.as_str(),
                _ => "(other)",
            })
            .collect()
    }

    #[test]
    fn what_fits_is_untouched() {
        let (kept, omitted) = cut(items(&["abcd", "efgh"]), 2);
        assert_eq!((texts(&kept), omitted), (vec!["abcd", "efgh"], 0));
    }

    #[test]
    fn the_middle_of_one_text_goes_on_character_boundaries() {
        let text = "ä".repeat(100);
        let (kept, omitted) = cut(items(&[&text]), 5);
        let [only] = texts(&kept)[..] else { panic!("one item stays one item") };
        assert!(only.starts_with("äääää\n[…") && only.ends_with("…]\näääää"), "{only}");
        assert_eq!(omitted, 180);
    }

    #[test]
    fn whole_items_in_the_middle_go_and_pictures_stay() {
        let mut many = items(&["aaaaaaaa", "bbbbbbbb", "cccccccc", "dddddddd"]);
        many.insert(
            2,
            OutputItem {
                seq: Seq(9),
                content: Content::Image { data: "AAAA".into(), mime_type: "image/png".into() },
            },
        );
        let (kept, omitted) = cut(many, 4);
        assert_eq!(omitted, 16);
        assert_eq!(
            texts(&kept),
            ["aaaaaaaa", "\n[… 16 bytes (about 4 tokens) left out …]\n", "(other)", "dddddddd"]
        );
    }

    #[test]
    fn a_budget_of_nothing_leaves_the_mark() {
        let (kept, omitted) = cut(items(&["hello"]), 0);
        assert_eq!(omitted, 5);
        assert!(texts(&kept)[0].contains("5 bytes"));
    }
}
