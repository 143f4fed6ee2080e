//! What the two output streams are, found out once.

use std::io::IsTerminal;

/// What standard output and standard error are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminal {
    /// Whether standard output is a terminal.
    pub(crate) stdout: bool,
    /// Whether standard error is a terminal.
    pub(crate) stderr: bool,
    /// Whether a terminal may be sent colours.
    pub(crate) colour: bool,
    /// Whether a terminal can move its cursor, as a spinner needs.
    pub(crate) cursor: bool,
}

impl Terminal {
    /// Looks at the streams and the environment.
    pub(crate) fn detect() -> Self {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let dumb = variable("TERM").is_none_or(|term| term == "dumb");
        Self {
            stdout: std::io::stdout().is_terminal(),
            stderr: std::io::stderr().is_terminal(),
            colour: !dumb && variable("NO_COLOR").is_none(),
            cursor: !dumb,
        }
    }

    /// Tells whether standard error may be sent colours.
    pub(crate) fn stderr_colour(self) -> bool {
        self.stderr && self.colour
    }
}

/// How a line on standard error is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// An aside.
    Dim,
    /// Something to know.
    Plain,
    /// Something that may be wrong.
    Warning,
    /// Something that is wrong.
    Error,
}

impl Tone {
    /// Wraps `text` in the tone's colour.
    pub(crate) fn paint(self, text: &str) -> String {
        let colour = match self {
            Self::Plain => return text.to_owned(),
            Self::Dim => "2",
            Self::Warning => "33",
            Self::Error => "31",
        };
        format!("\x1b[{colour}m{text}\x1b[0m")
    }
}
