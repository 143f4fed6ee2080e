//! What should be known of a server that was connected to. Texts that came from it are bounded and redacted.

use std::fmt;

/// Something about a connected server that keeps some of its tools away.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServerWarning {
    /// Some of its tools cannot be read.
    #[error(transparent)]
    MalformedTools(#[from] MalformedTools),
    /// It has more tools than are kept.
    #[error(transparent)]
    TooManyTools(#[from] TooManyTools),
    /// Patterns of its configuration choose nothing.
    #[error(transparent)]
    IdlePatterns(#[from] IdlePatterns),
}

/// Tools that were left out because what the server says of them is not what the protocol has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{server}`: {} left out, for they are not valid: {}", tools(.first.len() + .more), Listed(.first, *.more))]
pub struct MalformedTools {
    /// The server.
    pub server: String,
    /// The first of them: what each calls itself, or its place in the list, and what is wrong with it.
    pub first: Vec<(String, String)>,
    /// How many more there are.
    pub more: usize,
}

/// A server with more tools than are kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{server}` has more than {kept} tools; those after the first {kept} were left out")]
pub struct TooManyTools {
    /// The server.
    pub server: String,
    /// How many were kept.
    pub kept: usize,
}

/// Patterns that choose none of the tools there are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{source_name}`: no operation matches {}", .patterns.iter().map(|pattern| format!("`{pattern}`")).collect::<Vec<_>>().join(", "))]
pub struct IdlePatterns {
    /// Whose configuration has them.
    pub source_name: String,
    /// The patterns.
    pub patterns: Vec<String>,
}

fn tools(count: usize) -> String {
    if count == 1 { "1 tool was".to_owned() } else { format!("{count} tools were") }
}

struct Listed<'a>(&'a [(String, String)], usize);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(first, more) = self;
        for (i, (tool, problem)) in first.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{tool} ({problem})")?;
        }
        if *more > 0 {
            write!(f, " and {more} more")?;
        }
        Ok(())
    }
}
