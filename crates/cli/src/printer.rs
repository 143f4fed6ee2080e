//! Where everything is printed: data on standard output, notes on standard error, and a spinner between.
//!
//! Every other file builds text and leaves the writing to this one, so that the spinner is always out of the
//! way, hostile text is always made harmless, and a reader that went away is always noticed.

use std::borrow::Cow;
use std::io::{self, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::exit::Exit;
use crate::sanitize::{sanitize, sanitize_line};
use crate::terminal::{Terminal, Tone};

/// How often the spinner turns.
const TICK: Duration = Duration::from_millis(100);

/// How much data is gathered before it is written.
const GATHERED_BYTES: usize = 64 << 10;

/// Writes to the two streams.
pub(crate) struct Printer {
    terminal: Terminal,
    /// None where it cannot be shown.
    spinner: Option<ProgressBar>,
    /// Data that was pushed and not yet written.
    gathered: Mutex<Vec<u8>>,
    /// What stands on the last line while a person is asked.
    prompt: Mutex<Option<String>>,
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
        let spinner = (terminal.stderr && terminal.cursor).then(|| {
            let style = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner());
            let spinner = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style);
            spinner.finish_and_clear();
            spinner
        });
        Self { terminal, spinner, gathered: Mutex::default(), prompt: Mutex::default() }
    }

    /// Returns what the streams are.
    pub(crate) fn terminal(&self) -> Terminal {
        self.terminal
    }

    /// Shows what is under way, or clears it with `None`.
    pub(crate) fn status(&self, what: Option<&str>) {
        let Some(spinner) = &self.spinner else { return };
        // Where a person types, nothing turns.
        let what = what.filter(|_| lock(&self.prompt).is_none());
        match what {
            Some(what) => {
                spinner.set_message(sanitize_line(what));
                // Turning takes a thread, which is started once.
                if spinner.is_finished() {
                    spinner.reset();
                    spinner.enable_steady_tick(TICK);
                }
            }
            None => {
                spinner.disable_steady_tick();
                spinner.finish_and_clear();
            }
        }
    }

    /// Asks at the end of standard error, and keeps the question last until `asked`.
    pub(crate) fn ask(&self, question: &str) {
        self.status(None);
        let question = sanitize_line(question);
        self.flush().ok();
        eprint!("{question}");
        *lock(&self.prompt) = Some(question);
    }

    /// The question was answered: the person has ended its line.
    pub(crate) fn asked(&self) {
        lock(&self.prompt).take();
    }

    /// The question, if there is one, is no longer asked.
    pub(crate) fn unask(&self) {
        if lock(&self.prompt).take().is_some() {
            eprintln!();
        }
    }

    /// Writes with the spinner out of the way, and with the question to a person after it.
    fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        if let Some(question) = lock(&self.prompt).as_deref() {
            eprintln!();
            let written = write();
            eprint!("{question}");
            return written;
        }
        match &self.spinner {
            // One that is not shown would be drawn again by `suspend`.
            Some(spinner) if !spinner.is_finished() => spinner.suspend(write),
            _ => write(),
        }
    }

    /// Takes data and ends its last line. Written when much is gathered, before a note, and by `flush`.
    pub(crate) fn push(&self, text: &str) -> Result<(), WriteError> {
        let text = if self.terminal.stdout { sanitize(text) } else { Cow::Borrowed(text) };
        let mut gathered = lock(&self.gathered);
        gathered.extend_from_slice(text.as_bytes());
        if !text.ends_with('\n') {
            gathered.push(b'\n');
        }
        if gathered.len() < GATHERED_BYTES { Ok(()) } else { self.write(&mut gathered) }
    }

    /// Takes data that is harmless already and may hold colours of our own, and ends its last line. Written as by `push`.
    pub(crate) fn push_harmless(&self, text: &str) -> Result<(), WriteError> {
        let mut gathered = lock(&self.gathered);
        gathered.extend_from_slice(text.as_bytes());
        gathered.push(b'\n');
        if gathered.len() < GATHERED_BYTES { Ok(()) } else { self.write(&mut gathered) }
    }

    /// Writes the data that was gathered.
    pub(crate) fn flush(&self) -> Result<(), WriteError> {
        self.write(&mut lock(&self.gathered))
    }

    /// Writes data, and ends its last line.
    pub(crate) fn data(&self, text: &str) -> Result<(), WriteError> {
        self.push(text)?;
        self.flush()
    }

    fn write(&self, gathered: &mut Vec<u8>) -> Result<(), WriteError> {
        if !gathered.is_empty() {
            self.aside(|| {
                let mut out = io::stdout().lock();
                out.write_all(gathered)?;
                out.flush()
            })?;
            // Only now: what could not be written is tried, and fails, again.
            gathered.clear();
        }
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
        // Order matters where both streams are one terminal. A failure comes back with the next flush.
        self.flush().ok();
        self.aside(|| {
            let mut err = io::stderr().lock();
            // Nobody is left to tell when standard error itself is gone.
            writeln!(err, "{}", text.trim_end_matches('\n')).ok();
        });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
