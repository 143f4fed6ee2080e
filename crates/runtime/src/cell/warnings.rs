//! What the author of a cell should know, within bounds.

use crate::log::cut_text;

/// Warnings kept of one cell; a program can reject more promises than anybody wants to read.
const KEPT: usize = 20;
/// The most bytes of one.
const BYTES: usize = 4096;

/// The warnings of one cell.
#[derive(Debug, Default)]
pub(super) struct Warnings {
    kept: Vec<String>,
    left_out: usize,
}

impl Warnings {
    pub(super) fn add(&mut self, warning: &str) {
        if self.kept.len() < KEPT {
            self.kept.push(cut_text(warning, BYTES));
        } else {
            self.left_out += 1;
        }
    }

    /// Returns them, the last saying how many there were besides.
    pub(super) fn take(&mut self) -> Vec<String> {
        let mut warnings = std::mem::take(&mut self.kept);
        if self.left_out > 0 {
            warnings.push(format!("and {} more warnings", self.left_out));
        }
        warnings
    }
}
