//! The output of one cell, kept within bounds: its beginning and its end, when there is too much between.

use std::collections::VecDeque;

use carrel_contract::{Content, OutputItem, Seq};

use super::budget::cut_text;

/// What an item costs beside its content, so that items without content are not free.
pub(super) const ITEM_BYTES: usize = 64;
/// Readers' places that are remembered, to count exactly what each has missed.
const KEPT_PLACES: usize = 64;

/// What is retained of a cell's output: its text and, with an allowance of its own, everything else.
#[derive(Debug)]
pub(crate) struct OutputWindow {
    pub(super) text: Window,
    pub(super) media: Window,
}

impl OutputWindow {
    pub(crate) fn new(text_bytes: usize, media_bytes: usize) -> Self {
        Self { text: Window::new(text_bytes), media: Window::new(media_bytes) }
    }

    pub(crate) fn push(&mut self, item: OutputItem) {
        match item.content {
            Content::Text { .. } => self.text.push(item),
            _ => self.media.push(item),
        }
    }

    /// Returns what is retained after a cursor, in order, and how many bytes after it are not.
    pub(crate) fn after(&mut self, after: Seq) -> (Vec<OutputItem>, u64) {
        let dropped = self.text.dropped_after(after) + self.media.dropped_after(after);
        let mut items: Vec<_> = self.text.after(after).chain(self.media.after(after)).cloned().collect();
        items.sort_by_key(|item| item.seq);
        (items, dropped)
    }

    /// Remembers that a reader has read so far.
    pub(crate) fn read_up_to(&mut self, cursor: Seq) {
        self.text.remember(cursor);
        self.media.remember(cursor);
    }
}

/// Cuts a text that alone is larger than the window.
pub(super) fn fit(content: Content, text_bytes: usize) -> Content {
    match content {
        Content::Text { text, level } if text.len() > text_bytes => {
            Content::Text { text: cut_text(&text, text_bytes), level }
        }
        fitting => fitting,
    }
}

/// Items of one kind: the first ones for good, and the last ones.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) limit_bytes: usize,
    pub(super) head: Vec<OutputItem>,
    pub(super) head_cost: usize,
    pub(super) tail: VecDeque<OutputItem>,
    pub(super) tail_cost: usize,
    /// Bytes of content that ever came to the tail, and that were dropped from it. It is dropped from in order, so
    /// the two together tell what a reader at any place has missed.
    pub(super) tail_pushed: u64,
    pub(super) dropped: u64,
    pub(super) last_dropped: Seq,
    /// Places of readers, ascending, with what had come to the tail by then.
    pub(super) places: VecDeque<(Seq, u64)>,
}

impl Window {
    pub(super) fn new(limit_bytes: usize) -> Self {
        Self {
            limit_bytes,
            head: Vec::new(),
            head_cost: 0,
            tail: VecDeque::new(),
            tail_cost: 0,
            tail_pushed: 0,
            dropped: 0,
            last_dropped: Seq::START,
            places: VecDeque::new(),
        }
    }

    fn push(&mut self, item: OutputItem) {
        let cost = cost(&item);
        if self.tail.is_empty() && self.tail_pushed == 0 && self.head_cost + cost <= self.limit_bytes / 2 {
            self.head_cost += cost;
            self.head.push(item);
            return;
        }
        self.tail_cost += cost;
        self.tail_pushed += item.content.size_bytes() as u64;
        self.tail.push_back(item);
        while self.tail.len() > 1 && self.head_cost + self.tail_cost > self.limit_bytes {
            let Some(dropped) = self.tail.pop_front() else { break };
            self.tail_cost -= self::cost(&dropped);
            self.dropped += dropped.content.size_bytes() as u64;
            self.last_dropped = dropped.seq;
        }
    }

    fn after(&self, after: Seq) -> impl Iterator<Item = &OutputItem> {
        self.head.iter().chain(&self.tail).filter(move |item| item.seq > after)
    }

    /// Returns the bytes after a cursor that were dropped; for a cursor that is not remembered, at most too many.
    fn dropped_after(&self, after: Seq) -> u64 {
        if after >= self.last_dropped {
            return 0;
        }
        let read =
            self.places.iter().rev().find(|(place, _)| *place <= after).map_or(0, |(_, pushed)| *pushed);
        self.dropped.saturating_sub(read)
    }

    fn remember(&mut self, cursor: Seq) {
        if self.tail_pushed == 0 || self.places.back().is_some_and(|(place, _)| *place >= cursor) {
            return;
        }
        if self.places.len() == KEPT_PLACES {
            self.places.pop_front();
        }
        self.places.push_back((cursor, self.tail_pushed));
    }
}

pub(super) fn cost(item: &OutputItem) -> usize {
    item.content.size_bytes() + ITEM_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(seq: u64, bytes: usize) -> OutputItem {
        OutputItem { seq: Seq(seq), content: Content::text("x".repeat(bytes)) }
    }

    fn picture(seq: u64, bytes: usize) -> OutputItem {
        let content = Content::Image { data: "A".repeat(bytes), mime_type: "image/png".into() };
        OutputItem { seq: Seq(seq), content }
    }

    fn read(window: &mut OutputWindow, after: Seq) -> (Vec<u64>, u64) {
        let (items, dropped) = window.after(after);
        (items.iter().map(|item| item.seq.0).collect(), dropped)
    }

    #[test]
    fn keeps_beginning_and_end_and_counts_the_middle() {
        let mut window = OutputWindow::new(1000, 1000);
        for seq in 1..=20 {
            window.push(text(seq, 36));
        }
        assert_eq!(read(&mut window, Seq::START), (vec![1, 2, 3, 4, 5, 16, 17, 18, 19, 20], 360));
        assert_eq!(read(&mut window, Seq(15)), (vec![16, 17, 18, 19, 20], 0));
    }

    #[test]
    fn a_reader_is_told_what_it_has_missed_and_no_more() {
        let mut window = OutputWindow::new(1000, 1000);
        let (mut cursor, mut got, mut missed) = (Seq::START, 0, 0);
        for seq in 1..=200 {
            window.push(text(seq, 36));
            if seq % 17 == 0 || seq == 200 {
                let (items, dropped) = window.after(cursor);
                got += items.iter().map(|item| item.content.size_bytes() as u64).sum::<u64>();
                missed += dropped;
                cursor = Seq(seq);
                window.read_up_to(cursor);
            }
        }
        assert_eq!(got + missed, 200 * 36);
    }

    #[test]
    fn a_flood_costs_bounded_memory_whatever_its_items() {
        for bytes in [0, 1, 7] {
            let mut window = OutputWindow::new(10_000, 1000);
            for seq in 1..=100_000 {
                window.push(text(seq, bytes));
            }
            assert!(window.after(Seq::START).0.len() < 200);
        }
    }

    #[test]
    fn pictures_do_not_crowd_out_text_nor_text_pictures() {
        let mut window = OutputWindow::new(1000, 100_000);
        window.push(picture(1, 60_000));
        window.push(text(2, 10));
        window.push(picture(3, 30_000));
        for seq in 4..100 {
            window.push(text(seq, 100));
        }
        let (seqs, _) = read(&mut window, Seq::START);
        assert!(seqs.starts_with(&[1, 2, 3]), "{seqs:?}");
    }

    #[test]
    fn one_picture_over_the_window_is_kept_whole_until_another_comes() {
        let mut window = OutputWindow::new(1000, 1000);
        window.push(picture(1, 5000));
        assert_eq!(read(&mut window, Seq::START), (vec![1], 0));
        window.push(picture(2, 10));
        assert_eq!(read(&mut window, Seq::START), (vec![2], 5000));
    }

    #[test]
    fn one_large_text_is_cut_to_the_window() {
        assert!(fit(Content::text("y".repeat(1000)), 100).size_bytes() < 200);
    }
}
