//! Why a tool of ours could not do what it was asked for: words for the model that asked.

use std::fmt::Display;

use carrel_contract::error::Coded;
use rmcp::model::{CallToolResult, ContentBlock};

/// What was wrong, and what would do instead.
#[derive(Debug)]
pub(crate) struct Refusal(String);

impl Refusal {
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }

    /// Wraps an error of a session, with its code.
    pub(crate) fn failed(error: &(impl Coded + Display)) -> Self {
        Self(format!("failed to {error} ({})", error.code()))
    }

    /// Returns the words.
    pub(crate) fn into_text(self) -> String {
        self.0
    }

    /// Adds what may be done.
    pub(crate) fn advise(mut self, advice: &str) -> Self {
        self.0 = format!("{}; {advice}", self.0);
        self
    }
}

impl From<Refusal> for CallToolResult {
    fn from(refusal: Refusal) -> Self {
        Self::error(vec![ContentBlock::text(refusal.0)])
    }
}
