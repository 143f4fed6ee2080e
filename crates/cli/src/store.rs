//! `carrel store`: looks after the file that durable sessions are in.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use carrel_contract::{SessionId, SessionName};
use carrel_journal::check::{Report, check};
use carrel_journal::error::StoreError;
use carrel_journal::export::{Counts, ExportError, export};
use carrel_journal::import::{Existing, ImportError, import, import_trusted};
use carrel_journal::{Sqlite, Store as _};
use serde_json::json;

use crate::args::{StoreArgs, StoreCommand};
use crate::data;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::printer::{Printer, WriteError};
use crate::sanitize::sanitize_json;
use crate::terminal::{Terminal, Tone};
use crate::units::show_bytes;

/// How many sessions are listed at once.
const LISTED: usize = 1000;

/// Why the command could not do its work.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    NoPlace(String),
    #[error("open the store {}: there is none", .0.display())]
    NoStore(PathBuf),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Export(#[from] ExportError),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error("name a session: {0}")]
    SessionId(#[from] carrel_contract::error::InvalidId),
    #[error("open {}: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    #[error(
        "export to a terminal: what is written is no text; name a file with --output FILE, or use a pipe"
    )]
    Terminal,
    #[error("{0}")]
    Key(String),
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl Failure {
    fn exit(&self) -> Exit {
        match self {
            Self::NoPlace(_)
            | Self::NoStore(_)
            | Self::SessionId(_)
            | Self::File { .. }
            | Self::Key(_)
            | Self::Terminal
            | Self::Export(ExportError::NoSession { .. })
            | Self::Store(
                StoreError::CannotOpen { .. } | StoreError::NotAStore { .. } | StoreError::NewerSchema { .. },
            )
            | Self::Import(
                ImportError::NotAnExport | ImportError::Newer { .. } | ImportError::Exists { .. },
            ) => Exit::Usage,
            Self::Export(ExportError::Damaged(_))
            | Self::Import(ImportError::Short { .. } | ImportError::Damaged { .. } | ImportError::Entry(_)) => {
                Exit::Failed
            }
            Self::Export(ExportError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                Exit::BrokenPipe
            }
            Self::Store(_) | Self::Export(_) | Self::Import(_) | Self::Write(_) => Exit::Internal,
        }
    }
}

/// Runs the command.
pub(crate) async fn run(args: StoreArgs, interrupt: Interrupt) -> Exit {
    let printer = Printer::new(Terminal::detect());
    let done = perform(args, &interrupt, &printer).await;
    printer.status(None);
    match (done, interrupt.exit()) {
        (Ok(exit), _) => exit,
        // What was under way was left, and failed for that.
        (Err(_), Some(exit)) => exit,
        (Err(Failure::Write(error)), None) => error.report(&printer),
        (Err(failure), None) => {
            let exit = failure.exit();
            if exit != Exit::BrokenPipe {
                printer.note(Tone::Error, &format!("failed to {failure}"));
            }
            exit
        }
    }
}

async fn perform(args: StoreArgs, interrupt: &Interrupt, printer: &Printer) -> Result<Exit, Failure> {
    let path = data::store(args.store.as_deref()).map_err(Failure::NoPlace)?;
    match args.command {
        StoreCommand::Check { json } => {
            let store = open(&path)?;
            printer.status(Some("checking"));
            let file_faults = store.file_faults().await?;
            let report = tokio::select! {
                report = check(&store) => report?,
                exit = interrupt.fired() => return Ok(exit),
            };
            printer.status(None);
            let sound = file_faults.is_empty() && report.faults.is_empty();
            let text =
                if json { as_json(&path, &report, &file_faults) } else { as_text(&report, &file_faults) };
            printer.data(&text)?;
            Ok(if sound { Exit::Success } else { Exit::Failed })
        }
        StoreCommand::Compact => {
            is_there(&path)?;
            let now_us = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
            let sizes = Sqlite::compact_file(&path, i64::try_from(now_us).unwrap_or(i64::MAX))?;
            let show = |bytes| show_bytes(usize::try_from(bytes).unwrap_or(usize::MAX));
            printer.data(&format!(
                "{} before, {} after",
                show(sizes.before_bytes),
                show(sizes.after_bytes)
            ))?;
            Ok(Exit::Success)
        }
        StoreCommand::Export { sessions, output } => {
            let store = open(&path)?;
            let sessions = if sessions.is_empty() {
                all(&store).await?
            } else {
                let kept = all(&store).await?;
                sessions.iter().map(|called| called_so(called, &kept)).collect::<Result<_, _>>()?
            };
            printer.status(Some("exporting"));
            let counts = match output {
                Some(path) => export_to_file(&store, &sessions, &path, interrupt).await?,
                None if printer.terminal().stdout => return Err(Failure::Terminal),
                None => {
                    let mut out = Until { interrupt, inner: io::BufWriter::new(io::stdout()) };
                    export(&store, &sessions, &mut out).await?
                }
            };
            printer.status(None);
            printer.note(Tone::Plain, &format!("exported {}", counted(&counts)));
            Ok(Exit::Success)
        }
        StoreCommand::Import { file, skip_existing, trust } => {
            let input: Box<dyn Read + Send> = if file == Path::new("-") {
                Box::new(io::stdin())
            } else {
                Box::new(File::open(&file).map_err(|error| Failure::File { path: file.clone(), error })?)
            };
            let store = Sqlite::open(&path)?;
            printer.status(Some("importing"));
            let mut input = Until { interrupt, inner: io::BufReader::new(input) };
            let existing = if skip_existing { Existing::Skip } else { Existing::Refuse };
            let counts = if trust {
                let key = data::snapshot_key().map_err(Failure::Key)?;
                import_trusted(&store, &mut input, existing, &key).await?
            } else {
                import(&store, &mut input, existing).await?
            };
            printer.status(None);
            let skipped = match counts.skipped {
                0 => String::new(),
                skipped => format!("; left {skipped} as they were"),
            };
            printer.note(Tone::Plain, &format!("imported {}{skipped}", counted(&counts)));
            Ok(Exit::Success)
        }
    }
}

/// Opens a store that is there: looking at one makes none.
fn open(path: &Path) -> Result<Sqlite, Failure> {
    is_there(path)?;
    Ok(Sqlite::open(path)?)
}

fn is_there(path: &Path) -> Result<(), Failure> {
    if path.exists() { Ok(()) } else { Err(Failure::NoStore(path.to_path_buf())) }
}

async fn all(store: &Sqlite) -> Result<Vec<SessionId>, StoreError> {
    let mut sessions: Vec<SessionId> = Vec::new();
    loop {
        let more = store.list(sessions.last(), LISTED).await?;
        if more.is_empty() {
            return Ok(sessions);
        }
        sessions.extend(more);
    }
}

/// Returns the session that a person calls so: by its id, or by its name, where it is the only one of that.
fn called_so(called: &str, kept: &[SessionId]) -> Result<SessionId, Failure> {
    let is_named = |id: &&SessionId| SessionName::of(id).is_some_and(|name| name.as_str() == called);
    let named: Vec<_> = kept.iter().filter(is_named).collect();
    match named.as_slice() {
        [one] if kept.iter().all(|id| id.as_str() != called) => Ok((*one).clone()),
        _ => Ok(SessionId::new(called)?),
    }
}

/// Writes a file that was not there, for nobody else to read; one that is not whole is removed.
async fn export_to_file(
    store: &Sqlite,
    sessions: &[SessionId],
    path: &Path,
    interrupt: &Interrupt,
) -> Result<Counts, Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(|error| Failure::File { path: path.to_path_buf(), error })?;
    let mut out = Until { interrupt, inner: io::BufWriter::new(&file) };
    let written = export(store, sessions, &mut out).await.and_then(|counts| {
        file.sync_all()?;
        Ok(counts)
    });
    written.map_err(|error| {
        // That it could not be removed either is less than why.
        fs::remove_file(path).ok();
        error.into()
    })
}

/// A file that fails once the program is told to end.
struct Until<'a, F> {
    interrupt: &'a Interrupt,
    inner: F,
}

impl<F> Until<'_, F> {
    fn check(&self) -> io::Result<()> {
        match self.interrupt.exit() {
            Some(_) => Err(io::Error::other("interrupted")),
            None => Ok(()),
        }
    }
}

impl<F: Read> Read for Until<'_, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.check()?;
        self.inner.read(buffer)
    }
}

impl<F: Write> Write for Until<'_, F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.check()?;
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn as_text(report: &Report, file_faults: &[String]) -> String {
    let Report { sessions, entries, blobs, .. } = *report;
    let mut lines: Vec<_> = file_faults.iter().map(|fault| format!("the file: {fault}")).collect();
    lines.extend(report.faults.iter().map(ToString::to_string));
    let read =
        format!("{}, {}, {}", many(sessions, "session"), many_entries(entries), many(blobs, "large value"));
    lines.push(match lines.len() {
        0 => format!("{read}: all as they were written"),
        faults => format!("{read} read; {}", many(faults as u64, "fault")),
    });
    lines.join("\n")
}

fn as_json(path: &Path, report: &Report, file_faults: &[String]) -> String {
    let faults: Vec<_> = report
        .faults
        .iter()
        .map(|fault| json!({ "session": fault.session.as_str(), "fault": fault.to_string() }))
        .collect();
    let object = json!({
        "store": path.to_string_lossy(),
        "sessions": report.sessions,
        "entries": report.entries,
        "entry_bytes": report.entry_bytes,
        "blobs": report.blobs,
        "file_faults": file_faults,
        "faults": faults,
    });
    sanitize_json(&object.to_string()).into_owned()
}

fn counted(counts: &Counts) -> String {
    let Counts { sessions, entries, blobs, .. } = *counts;
    format!("{}, {}, {}", many(sessions, "session"), many_entries(entries), many(blobs, "large value"))
}

fn many(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn many_entries(count: u64) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") }
}
