//! What the three streams are, found out once.

use std::io::IsTerminal;

/// What standard input, output and error are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminal {
    /// Whether standard input is a terminal.
    pub(crate) stdin: bool,
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
            stdin: std::io::stdin().is_terminal(),
            stdout: std::io::stdout().is_terminal(),
            stderr: std::io::stderr().is_terminal(),
            colour: !dumb && variable("NO_COLOR").is_none(),
            cursor: !dumb,
        }
    }

    /// Returns how reports look on standard error.
    pub(crate) fn look(self) -> Look {
        let columns = if self.stderr { stderr_columns() } else { None };
        Look { colour: self.stderr_colour(), width: Look::width_of(columns) }
    }

    /// Tells whether somebody can be asked.
    pub(crate) fn can_ask(self) -> bool {
        self.stdin && self.stderr
    }

    /// Tells whether standard error may be sent colours.
    pub(crate) fn stderr_colour(self) -> bool {
        self.stderr && self.colour
    }
}

/// Returns the width of the terminal that standard error is, where it can be asked.
#[cfg(unix)]
fn stderr_columns() -> Option<u16> {
    rustix::termios::tcgetwinsize(std::io::stderr()).ok().map(|size| size.ws_col)
}

#[cfg(not(unix))]
fn stderr_columns() -> Option<u16> {
    None
}

/// How the terminal of standard input was set. Dropping it sets it so again: a line editor may have been left in the middle
/// of a line.
pub(crate) struct SavedMode {
    #[cfg(unix)]
    mode: Option<rustix::termios::Termios>,
}

impl SavedMode {
    /// Remembers how it is set, when it is a terminal.
    pub(crate) fn of_stdin() -> Self {
        Self {
            #[cfg(unix)]
            mode: rustix::termios::tcgetattr(std::io::stdin()).ok(),
        }
    }
}

#[cfg(unix)]
impl Drop for SavedMode {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        if let Some(mode) = &self.mode {
            // A terminal that is gone needs no setting.
            tcsetattr(std::io::stdin(), OptionalActions::Now, mode).ok();
        }
    }
}

/// How a report looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// Whether it has colours.
    pub(crate) colour: bool,
    /// Where its messages are wrapped, in columns.
    pub(crate) width: usize,
}

impl Look {
    /// Below this a report is no longer readable, wrapped or not.
    const LEAST_WIDTH: usize = 40;
    /// Beyond this lines of prose are hard to read. Also where nothing is known of the width.
    const MOST_WIDTH: usize = 100;

    /// Returns the width for a terminal with so many columns; one that does not know says 0.
    fn width_of(columns: Option<u16>) -> usize {
        match columns {
            None | Some(0) => Self::MOST_WIDTH,
            Some(columns) => usize::from(columns).clamp(Self::LEAST_WIDTH, Self::MOST_WIDTH),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_width_is_the_terminals_within_reason() {
        for (columns, width) in
            [(None, 100), (Some(0), 100), (Some(20), 40), (Some(80), 80), (Some(300), 100)]
        {
            assert_eq!(Look::width_of(columns), width, "{columns:?}");
        }
    }
}
