//! Text in pieces that know what they are, as `formatToParts` shows them.

use std::fmt;

use icu_pattern::{DoublePlaceholderKey, DoublePlaceholderPattern, PatternItem, SinglePlaceholderPattern};
use serde::Serialize;
use writeable::{Part, PartsWrite, Writeable};

/// The pieces of a text, in order.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    pieces: Vec<Piece>,
    /// What text that is written now is.
    kind: &'static str,
    /// Whether it is inside a field of a date.
    is_date: bool,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Piece {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) value: String,
    /// Where it comes from in a range: its start, its end, or both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<&'static str>,
}

impl Default for Parts {
    fn default() -> Self {
        Self { pieces: Vec::new(), kind: "literal", is_date: false }
    }
}

impl Parts {
    /// Returns what a value of ICU4X writes, with the kinds that ICU4X gives its parts.
    pub(super) fn of(value: &impl Writeable) -> Self {
        let mut parts = Self::default();
        // Writing to a vector cannot fail.
        value.write_to_parts(&mut parts).unwrap_or_default();
        parts
    }

    pub(super) fn push(&mut self, kind: &'static str, value: &str) {
        match self.pieces.last_mut() {
            _ if value.is_empty() => {}
            Some(last) if last.kind == kind => last.value.push_str(value),
            _ => self.pieces.push(Piece { kind, value: value.to_owned(), source: None }),
        }
    }

    pub(super) fn append(&mut self, other: Self) {
        for piece in other.pieces {
            match self.pieces.last_mut() {
                Some(last) if last.kind == piece.kind && last.source == piece.source => {
                    last.value.push_str(&piece.value);
                }
                _ => self.pieces.push(piece),
            }
        }
    }

    /// Pushes text of a pattern: what is space is a literal, what is not is of the given kind.
    pub(super) fn push_around_space(&mut self, kind: &'static str, text: &str) {
        let is_space = |c: char| c.is_whitespace() || c == '\u{200f}' || c == '\u{200e}';
        let trimmed = text.trim_matches(is_space);
        let Some(at) = text.find(trimmed).filter(|_| !trimmed.is_empty()) else {
            self.push("literal", text);
            return;
        };
        self.push("literal", text.get(..at).unwrap_or_default());
        self.push(kind, trimmed);
        self.push("literal", text.get(at + trimmed.len()..).unwrap_or_default());
    }

    /// Returns the parts set into a pattern whose own text is of `kind`.
    pub(super) fn set_in(self, pattern: &SinglePlaceholderPattern, kind: &'static str) -> Self {
        let mut all = Self::default();
        let mut inner = Some(self);
        for item in pattern.iter() {
            match item {
                PatternItem::Literal(text) => all.push_around_space(kind, text),
                PatternItem::Placeholder(_) => all.append(inner.take().unwrap_or_default()),
            }
        }
        all
    }

    /// Returns two texts set into a pattern; `literal` writes the pattern's own text.
    pub(super) fn join(
        pattern: &DoublePlaceholderPattern,
        first: Self,
        second: Self,
        mut literal: impl FnMut(&mut Self, &str),
    ) -> Self {
        let mut all = Self::default();
        let (mut first, mut second) = (Some(first), Some(second));
        for item in pattern.iter() {
            match item {
                PatternItem::Literal(text) => literal(&mut all, text),
                PatternItem::Placeholder(DoublePlaceholderKey::Place0) => {
                    all.append(first.take().unwrap_or_default());
                }
                PatternItem::Placeholder(DoublePlaceholderKey::Place1) => {
                    all.append(second.take().unwrap_or_default());
                }
            }
        }
        all
    }

    /// Says of all parts where in a range they come from.
    pub(super) fn with_source(mut self, source: &'static str) -> Self {
        for piece in &mut self.pieces {
            piece.source = Some(source);
        }
        self
    }

    /// Rewrites the text of each part.
    pub(super) fn map_values(&mut self, rewritten: impl Fn(&str) -> String) {
        for piece in &mut self.pieces {
            piece.value = rewritten(&piece.value);
        }
    }

    pub(super) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    pub(super) fn text(&self) -> String {
        self.pieces.iter().map(|piece| piece.value.as_str()).collect()
    }

    /// Returns the parts as a JSON array.
    pub(super) fn json(&self) -> String {
        serde_json::to_string(&self.pieces).unwrap_or_default()
    }
}

impl fmt::Write for Parts {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(self.kind, text);
        Ok(())
    }
}

impl PartsWrite for Parts {
    type SubPartsWrite = Self;

    fn with_part(
        &mut self,
        part: Part,
        mut write: impl FnMut(&mut Self::SubPartsWrite) -> fmt::Result,
    ) -> fmt::Result {
        // The digits of a field of a date are that field, but for those of a fraction.
        let kind = match (self.is_date, part.category, part.value) {
            (true, "decimal", "fraction") => "fractionalSecond",
            (true, "decimal", "decimal") => "literal",
            (true, "decimal", _) => self.kind,
            _ => part.value,
        };
        let was_date = self.is_date;
        self.is_date |= part.category == "datetime";
        let outer = std::mem::replace(&mut self.kind, kind);
        let done = write(self);
        self.kind = outer;
        self.is_date = was_date;
        done
    }
}
