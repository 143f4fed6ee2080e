//! What is to change in a source, collected in any order and applied at once.
//!
//! Blanking keeps lines and UTF-16 columns: a line break stays, anything else becomes one space a code unit.

use crate::text::ends_line;

#[derive(Debug, Default)]
pub(crate) struct Edits {
    list: Vec<Edit>,
    /// Single characters that stand in a blanked range: where, and what.
    put: Vec<(u32, char)>,
    /// The blanked range that ends last so far.
    last_blank: Option<(u32, u32)>,
    /// Where whole statements were rewritten.
    pub(crate) rewritten: Vec<(u32, u32)>,
}

#[derive(Debug)]
struct Edit {
    start: u32,
    end: u32,
    /// What stands there instead; `None` for spaces.
    text: Option<String>,
}

/// The result, with the ranges of it that are not in the source.
#[derive(Debug)]
pub(crate) struct Edited {
    pub(crate) code: String,
    /// In order.
    pub(crate) made: Vec<(u32, u32)>,
}

impl Edits {
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Puts spaces for a range.
    pub(crate) fn blank(&mut self, start: u32, end: u32) {
        if start >= end {
            return;
        }
        if self.last_blank.is_none_or(|(_, last)| last <= end) {
            self.last_blank = Some((start, end));
        }
        self.list.push(Edit { start, end, text: None });
    }

    /// Puts a character where a blanked one was.
    pub(crate) fn put(&mut self, at: u32, c: char) {
        self.put.push((at, c));
    }

    /// Returns the start of the blanked range that ends at `end`, if one does.
    pub(crate) fn blank_before(&self, end: u32) -> Option<u32> {
        self.last_blank.and_then(|(start, last)| (last == end).then_some(start))
    }

    pub(crate) fn insert(&mut self, at: u32, text: String) {
        self.replace(at, at, text);
    }

    pub(crate) fn replace(&mut self, start: u32, end: u32, text: String) {
        self.list.push(Edit { start, end, text: Some(text) });
    }

    pub(crate) fn apply(mut self, source: &str) -> Edited {
        self.list.sort_by_key(|edit| (edit.start, edit.end));
        self.put.sort_unstable();
        self.rewritten.sort_unstable();
        let mut code = String::with_capacity(source.len() + 64);
        let mut made = Vec::new();
        let mut puts = self.put.into_iter().peekable();
        let mut rewritten = self.rewritten.into_iter().peekable();
        let mut open: Option<(u32, u32)> = None;
        let mut at = 0;
        for edit in self.list {
            code.push_str(source.get(at as usize..edit.start as usize).unwrap_or_default());
            // A rewritten statement begins and ends with an edit.
            while let Some((_, end)) = rewritten.next_if(|(start, _)| *start <= edit.start) {
                open = open.or(Some((code.len() as u32, end)));
            }
            let from = code.len() as u32;
            let start = edit.start.max(at);
            let gone = source.get(start as usize..edit.end as usize).unwrap_or_default();
            match edit.text {
                Some(text) => code.push_str(&text),
                None => {
                    for (offset, c) in gone.char_indices() {
                        let here = start + offset as u32;
                        while puts.next_if(|(at, _)| *at < here).is_some() {}
                        let put = puts.next_if(|(at, _)| *at == here).map(|(_, c)| c);
                        blank_char(&mut code, c, put);
                    }
                }
            }
            if edit.start == edit.end && open.is_none() {
                made.push((from, code.len() as u32));
            }
            at = at.max(edit.end);
            if let Some((from, end)) = open
                && at >= end
            {
                made.push((from, code.len() as u32));
                open = None;
            }
        }
        code.push_str(source.get(at as usize..).unwrap_or_default());
        Edited { code, made }
    }
}

fn blank_char(code: &mut String, c: char, put: Option<char>) {
    if ends_line(c) || c == '\t' {
        code.push(c);
        return;
    }
    code.push(put.unwrap_or(' '));
    if c.len_utf16() == 2 {
        code.push(' ');
    }
}

/// Returns the line breaks of a text alone.
pub(crate) fn line_breaks(text: &str) -> String {
    text.chars().filter(|c| ends_line(*c)).collect()
}
