//! What language of helpers the cells of a session speak.

use serde::{Deserialize, Serialize};

/// What a cell finds around it: which globals there are, what they are called and what they throw. The language itself is
/// the same in all. Chosen when a session is made, and kept with it: by its journal, by its forks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Dialect {
    /// Carrel's own.
    #[default]
    Carrel,
    /// That of the code mode of Codex, for programs that were written for it (`docs/codex.md`). What is different for
    /// whoever holds the session:
    ///
    /// - Pictures and sounds come as [`Content::ImageUrl`](crate::Content::ImageUrl) and
    ///   [`Content::AudioUrl`](crate::Content::AudioUrl).
    /// - The `message` of a [`CellError`](crate::CellError) that a program threw is the whole text that Codex shows: the
    ///   stack with its first line, or the thrown value as text. Its `name` and its `stack` are empty.
    /// - A failed tool call rejects with the [`ToolError`](crate::ToolError)'s `message` alone, as a string.
    /// - A cell has no result, and no warning of rejections that nobody handles.
    /// - A cell that waits for what nothing is left to settle goes on waiting until it is terminated.
    /// - Tools keep the order in which they were given, and two may have one name: `tools` then has the later one.
    Codex,
}

impl Dialect {
    /// Tells whether this is the dialect of a session that chose none.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
