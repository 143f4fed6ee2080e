//! Where everything is printed: data on standard output, notes on standard error, and a spinner between.
//!
//! Every other file builds text and leaves the writing to this one, so that the spinner is always out of the
//! way, hostile text is always made harmless, and a reader that went away is always noticed.

use std::borrow::Cow;
use std::io::{self, Write as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::exit::Exit;
use crate::sanitize::{sanitize, sanitize_line};
use crate::terminal::{Terminal, Tone};

/// How often the spinner turns.
const TICK: Duration = Duration::from_millis(100);

/// Writes to the two streams.
pub(crate) struct Printer {
    terminal: Terminal,
    spinner: ProgressBar,
}

/// Why standard output takes no more.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    /// Its reader went away.
    #[error("write to standard output: its reader went away")]
    BrokenPipe,
    /// Anything else, a full disk for example.
    #[error("write to standard output: {0}")]
    Io(io::Error),
}

impl Printer {
    /// Makes a printer whose spinner is not shown yet.
    pub(crate) fn new(terminal: Terminal) -> Self {
        let spinner = if terminal.stderr && terminal.cursor {
            let style = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner());
            let spinner = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style);
            spinner.finish_and_clear();
            spinner
        } else {
            ProgressBar::hidden()
        };
        Self { terminal, spinner }
    }

    /// Returns what the streams are.
    pub(crate) fn terminal(&self) -> Terminal {
        self.terminal
    }

    /// Shows what is under way, or clears it with `None`.
    pub(crate) fn status(&self, what: Option<&str>) {
        let Some(what) = what else {
            self.spinner.disable_steady_tick();
            self.spinner.finish_and_clear();
            return;
        };
        if self.spinner.is_finished() {
            self.spinner.reset();
        }
        self.spinner.set_message(sanitize_line(what));
        self.spinner.enable_steady_tick(TICK);
    }

    /// Writes with the spinner out of the way.
    fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        // One that is not shown would be drawn again by `suspend`.
        if self.spinner.is_finished() { write() } else { self.spinner.suspend(write) }
    }

    /// Writes data, and ends its last line.
    pub(crate) fn data(&self, text: &str) -> Result<(), WriteError> {
        let text = if self.terminal.stdout { sanitize(text) } else { Cow::Borrowed(text) };
        self.aside(|| {
            let mut out = io::stdout().lock();
            out.write_all(text.as_bytes())?;
            if !text.ends_with('\n') {
                out.write_all(b"\n")?;
            }
            out.flush()
        })?;
        Ok(())
    }

    /// Writes a note, which may have several lines, in the colour of its tone.
    pub(crate) fn note(&self, tone: Tone, text: &str) {
        let text = sanitize(text.trim_end_matches('\n'));
        if self.terminal.stderr_colour() {
            self.rendered(&tone.paint(&text));
        } else {
            self.rendered(&text);
        }
    }

    /// Writes to standard error what is harmless already and may hold colours of our own.
    pub(crate) fn rendered(&self, text: &str) {
        self.aside(|| {
            let mut err = io::stderr().lock();
            // Nobody is left to tell when standard error itself is gone.
            writeln!(err, "{}", text.trim_end_matches('\n')).ok();
        });
    }
}

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::BrokenPipe } else { Self::Io(error) }
    }
}

impl WriteError {
    /// Says what there is to say, and returns how the program ends.
    pub(crate) fn report(&self, printer: &Printer) -> Exit {
        match self {
            Self::BrokenPipe => Exit::BrokenPipe,
            Self::Io(_) => {
                printer.note(Tone::Error, &format!("failed to {self}"));
                Exit::Internal
            }
        }
    }
}
