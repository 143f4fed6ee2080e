//! The names that tools have in cells.

use carrel_contract::ToolName;
use carrel_contract::error::InvalidToolName;

/// Replaces what no identifier can hold, as the observed host does: each such character, and a digit in front, by `_`; a
/// name without characters is `_`.
pub(super) fn in_cells(name: &str) -> Result<ToolName, InvalidToolName> {
    let fits = |(i, c): (usize, char)| {
        c.is_ascii_alphabetic() || matches!(c, '_' | '$') || (i > 0 && c.is_ascii_digit())
    };
    let name: String = name.chars().enumerate().map(|at| if fits(at) { at.1 } else { '_' }).collect();
    ToolName::new(if name.is_empty() { "_" } else { &name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_observed_host() {
        for (name, in_cell) in
            [("b-c.d", "b_c_d"), ("1abc", "_abc"), ("", "_"), ("é", "_"), ("a", "a"), ("$x1", "$x1")]
        {
            assert_eq!(in_cells(name).unwrap().as_str(), in_cell);
        }
    }
}
