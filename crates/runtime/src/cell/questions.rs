//! What a cell asks about its tools: `tools.$search` and `tools.$describe`.
//!
//! The tools are the runtime's own to know, so no delegate is called. One question is answered at a time, by the cell's
//! actor between two events, so that a cell which asks without end holds up nobody but itself.

use std::collections::VecDeque;

use carrel_engine::CallHandle;
use serde::{Deserialize, Serialize};

use crate::tools::ToolTable;

/// What a question costs beside the text it carries.
const QUESTION_BYTES: usize = 128;

/// A question about the tools.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Question {
    /// Which tools do this; so many at most.
    Search { query: String, limit: usize },
    /// How the tools at these places are called.
    Describe { tools: Vec<usize> },
}

impl Question {
    fn bytes(&self) -> usize {
        QUESTION_BYTES
            + match self {
                Self::Search { query, .. } => query.len(),
                Self::Describe { tools } => size_of_val(tools.as_slice()),
            }
    }

    /// Returns the answer as JSON.
    pub(super) fn answer(&self, tools: &ToolTable) -> String {
        match self {
            Self::Search { query, limit } => tools.search(query, *limit),
            Self::Describe { tools: places } => tools.describe(places),
        }
    }
}

/// The questions of one cell that wait for their turn, in the order in which they were asked.
#[derive(Default)]
pub(super) struct Questions {
    asked: VecDeque<(CallHandle, Question)>,
    /// What they hold.
    pub(super) held_bytes: usize,
}

impl Questions {
    pub(super) fn ask(&mut self, call: CallHandle, question: Question) {
        self.held_bytes += question.bytes();
        self.asked.push_back((call, question));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }

    pub(super) fn next(&mut self) -> Option<(CallHandle, Question)> {
        let (call, question) = self.asked.pop_front()?;
        self.held_bytes -= question.bytes();
        Some((call, question))
    }
}
