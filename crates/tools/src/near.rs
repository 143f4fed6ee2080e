//! The names nearest to one that was mistyped.

/// Returns up to `limit` of `names` that are close enough to `name` to be what was meant, nearest first.
pub(crate) fn nearest<'a>(
    name: &str,
    names: impl IntoIterator<Item = &'a str>,
    limit: usize,
) -> Vec<&'a str> {
    let wanted = fold(name);
    // A third of the letters may differ; beyond that a suggestion only misleads.
    let allowed = (wanted.len() / 3).max(1);
    let mut near: Vec<(usize, &str)> = names
        .into_iter()
        .filter_map(|candidate| {
            let folded = fold(candidate);
            if folded.len().abs_diff(wanted.len()) > allowed {
                return None;
            }
            let distance = distance(&wanted, &folded);
            (distance <= allowed).then_some((distance, candidate))
        })
        .collect();
    near.sort_unstable();
    near.truncate(limit);
    near.into_iter().map(|(_, candidate)| candidate).collect()
}

/// Letters and digits in lower case, at most 64 of them: `listOrders` and `list_orders` are the same word.
fn fold(name: &str) -> Vec<char> {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).take(64).collect()
}

/// The edit distance with swaps of neighbours (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut current = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], k: usize| row.get(k).copied().unwrap_or(usize::MAX - 1);
            let mut best = (at(&previous, j) + usize::from(x != y))
                .min(at(&previous, j + 1) + 1)
                .min(at(&current, j) + 1);
            if i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x) {
                best = best.min(at(&before, j - 1) + 1);
            }
            current.push(best);
        }
        before = std::mem::replace(&mut previous, current);
    }
    previous.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let names = ["list_orders", "get_order", "list_customers"];
        assert_eq!(nearest("list_order", names, 3), ["list_orders", "get_order"]);
        assert_eq!(nearest("listOrders", names, 1), ["list_orders"]);
        assert_eq!(nearest("lits_orders", names, 1), ["list_orders"]);
        assert!(nearest("delete_everything", names, 3).is_empty());
        assert_eq!(nearest("comand", ["command", "args"], 1), ["command"]);
    }

    #[test]
    fn counts_edits() {
        let chars = |s: &str| s.chars().collect::<Vec<_>>();
        for (a, b, edits) in [("", "", 0), ("a", "", 1), ("abc", "acb", 1), ("kitten", "sitting", 3)] {
            assert_eq!(distance(&chars(a), &chars(b)), edits, "{a} {b}");
        }
    }
}
