//! What can be wrong with a policy. Each cause names its place.

use std::path::PathBuf;

/// Why a policy could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The file could not be read.
    #[error(transparent)]
    Unreadable(#[from] UnreadablePolicy),
    /// The text is no policy.
    #[error(transparent)]
    Invalid(#[from] InvalidPolicy),
}

/// A file that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("read the policy {}: {source}", path.display())]
pub struct UnreadablePolicy {
    /// The file.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: std::io::Error,
}

/// Text that is no policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read the policy {origin}: line {line}, column {column}: {problem}")]
pub struct InvalidPolicy {
    /// Where the text came from.
    pub origin: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What was found and what is accepted.
    pub problem: String,
}
