//! The output of one cell, kept within bounds: its beginning and its end, when there is too much between.

use std::collections::VecDeque;

use carrel_contract::{Content, OutputItem, Seq};

use super::budget::cut_text;

/// What is retained of a cell's output.
#[derive(Debug)]
pub(crate) struct OutputWindow {
    limit_bytes: usize,
    head: Vec<OutputItem>,
    head_bytes: usize,
    tail: VecDeque<OutputItem>,
    tail_bytes: usize,
    dropped_bytes: u64,
    last_dropped: Seq,
}

impl OutputWindow {
    pub(crate) fn new(limit_bytes: usize) -> Self {
        Self {
            limit_bytes,
            head: Vec::new(),
            head_bytes: 0,
            tail: VecDeque::new(),
            tail_bytes: 0,
            dropped_bytes: 0,
            last_dropped: Seq::START,
        }
    }

    /// Cuts a content that alone is larger than the window. Only text can be cut; a picture stays whole.
    pub(crate) fn fit(&self, content: Content) -> Content {
        match content {
            Content::Text { text, level } if text.len() > self.limit_bytes => {
                Content::Text { text: cut_text(&text, self.limit_bytes), level }
            }
            fitting => fitting,
        }
    }

    pub(crate) fn push(&mut self, item: OutputItem) {
        let size = item.content.size_bytes();
        if self.tail.is_empty() && self.head_bytes + size <= self.limit_bytes / 2 {
            self.head_bytes += size;
            self.head.push(item);
            return;
        }
        self.tail_bytes += size;
        self.tail.push_back(item);
        while self.tail.len() > 1 && self.tail_bytes > self.limit_bytes.div_ceil(2) {
            let Some(dropped) = self.tail.pop_front() else { break };
            let size = dropped.content.size_bytes();
            self.tail_bytes -= size;
            self.dropped_bytes += size as u64;
            self.last_dropped = dropped.seq;
        }
    }

    /// Returns what is retained after a cursor.
    pub(crate) fn after(&self, after: Seq) -> Vec<OutputItem> {
        self.head.iter().chain(&self.tail).filter(|item| item.seq > after).cloned().collect()
    }

    /// Returns the bytes that were dropped and a reader at this cursor may not have seen.
    pub(crate) fn dropped_after(&self, after: Seq) -> u64 {
        if after < self.last_dropped { self.dropped_bytes } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(seq: u64, bytes: usize) -> OutputItem {
        OutputItem { seq: Seq(seq), content: Content::text("x".repeat(bytes)) }
    }

    #[test]
    fn keeps_beginning_and_end_and_counts_the_middle() {
        let mut window = OutputWindow::new(100);
        for seq in 1..=20 {
            window.push(item(seq, 10));
        }
        let kept: Vec<_> = window.after(Seq::START).iter().map(|item| item.seq.0).collect();
        assert_eq!(kept, [1, 2, 3, 4, 5, 16, 17, 18, 19, 20]);
        assert_eq!(window.dropped_after(Seq::START), 100);
        assert_eq!(window.dropped_after(Seq(15)), 0);
    }

    #[test]
    fn a_flood_costs_bounded_memory() {
        let mut window = OutputWindow::new(1000);
        for seq in 1..=100_000 {
            window.push(item(seq, 7));
        }
        assert!(window.after(Seq::START).len() < 200);
    }

    #[test]
    fn one_large_picture_is_kept_whole() {
        let mut window = OutputWindow::new(100);
        let picture = Content::Image { data: "A".repeat(400), mime_type: "image/png".into() };
        window.push(OutputItem { seq: Seq(1), content: window.fit(picture.clone()) });
        assert_eq!(window.after(Seq::START)[0].content, picture);
    }

    #[test]
    fn one_large_text_is_cut_to_the_window() {
        let window = OutputWindow::new(100);
        assert!(window.fit(Content::text("y".repeat(1000))).size_bytes() < 200);
    }
}
