//! What a tool without an output schema was seen to return.
//!
//! A model that sees no type has to print a result before it can use it. What a tool returned before is the best there
//! is to go by, so it is learned, and said to be learned. It is never a promise: it widens with every answer that does
//! not fit, and starts over when an answer has nothing in common with it. Work and size are bounded, whatever tools
//! return.

mod object;
mod shape;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use shape::{Kinds, Sample, Shape};

/// Values within one answer that are looked at.
const MAX_VALUES: usize = 2_000;
/// Shapes that are kept of one tool; of more, the deepest are forgotten.
const MAX_SHAPES: usize = 2_000;
/// How deep those are kept that are kept of any tool.
const MAX_DEPTH: usize = 12;

/// What one tool was seen to return.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    shape: Shape,
    /// The kinds of answers before the last time this started over.
    #[serde(default)]
    before: Kinds,
    answers: u64,
}

impl Observed {
    /// Learns from an answer. Returns whether that changed what is known.
    ///
    /// An answer of another kind than all before it (text where objects were) starts over: the tool is not what it was.
    /// When the former kind comes back, the tool alternates, and both are kept from then on.
    pub fn observe(&mut self, value: &Value) -> bool {
        self.answers = self.answers.saturating_add(1);
        let kind = Kinds::of(value);
        if !self.shape.is_empty() && !self.shape.kinds().contains(kind) && !self.before.contains(kind) {
            self.before = self.before.and(self.shape.kinds());
            self.shape = Shape::default();
        }
        let known = self.shape.schema();
        self.shape.observe(value, 0, &mut Sample::new(MAX_VALUES));
        for depth in (1..MAX_DEPTH).rev() {
            if self.shape.count() <= MAX_SHAPES {
                break;
            }
            self.shape.prune(depth);
        }
        known != self.shape.schema()
    }

    /// Tells whether an answer is as those before it: of the same shape, whatever its values.
    #[must_use]
    pub fn fits(&self, value: &Value) -> bool {
        self.shape.fits(value, &mut Sample::new(MAX_VALUES))
    }

    /// Returns how many answers this was learned from.
    #[must_use]
    pub fn answers(&self) -> u64 {
        self.answers
    }

    /// Returns the shape as JSON Schema, for [`ToolOutput`](carrel_contract::ToolOutput); `None` before the first answer.
    #[must_use]
    pub fn schema(&self) -> Option<Value> {
        (!self.shape.is_empty()).then(|| self.shape.schema())
    }
}

#[cfg(test)]
mod tests;
