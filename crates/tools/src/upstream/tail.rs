//! The end of a stream that may never end.

use std::collections::VecDeque;

use crate::printable::printable;

/// What is kept of stderr, in bytes.
const MAX_BYTES: usize = 8 << 10;

/// The last 8 KiB of what was pushed.
#[derive(Debug, Default)]
pub(super) struct Tail {
    bytes: VecDeque<u8>,
    cut: bool,
}

impl Tail {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
        let excess = self.bytes.len().saturating_sub(MAX_BYTES);
        self.cut |= excess > 0;
        self.bytes.drain(..excess);
    }

    /// Returns the text with terminal sequences and other control characters taken out.
    pub(super) fn text(&self) -> String {
        let bytes: Vec<u8> = self.bytes.iter().copied().collect();
        let text = printable(&String::from_utf8_lossy(&bytes));
        match text.split_once('\n') {
            // The first line lost its beginning.
            Some((_, whole)) if self.cut => whole.to_owned(),
            _ => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_whole_lines_of_the_end() {
        let mut tail = Tail::default();
        for i in 0..10_000 {
            tail.push(format!("line {i}\n").as_bytes());
        }
        let text = tail.text();
        assert!(text.len() <= MAX_BYTES && text.ends_with("line 9999\n"), "{}", text.len());
        assert!(text.starts_with("line "), "{}", &text[..20]);
    }

    #[test]
    fn takes_out_control_sequences() {
        let mut tail = Tail::default();
        tail.push("\u{1b}[31mred\u{1b}[0m\r\n\u{7}t\tx\u{1b}".as_bytes());
        assert_eq!(tail.text(), "red\nt\tx");
    }
}
