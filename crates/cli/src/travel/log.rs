//! `carrel log`: the journal of a session, a line a record.

use std::time::Duration;

use carrel_contract::{Seq, SessionId};
use carrel_journal::error::Damaged;
use carrel_journal::record::Value;
use carrel_journal::{Beginning, BeginningError, Numbering, Position, Record, Store as _, Tail, reread};

use super::record::{Described, Names};
use super::{find, painted, time_of_day};
use crate::args::LogArgs;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::printer::{Printer, WriteError};
use crate::run::Fault;
use crate::sanitize::sanitize_json;
use crate::sessions::Shelf;
use crate::terminal::{Terminal, Tone};

/// What is read from the store at once.
const PAGE_BYTES: usize = 1 << 20;
/// How often somebody who follows a log looks for more.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Runs the command.
pub(crate) async fn run(args: LogArgs, interrupt: Interrupt) -> Exit {
    let printer = Printer::new(Terminal::detect());
    let done = tokio::select! {
        exit = interrupt.fired() => Ok(exit),
        done = perform(&args, &printer) => done,
    };
    let exit = done.and_then(|exit| Ok(printer.flush().map(|()| exit)?));
    match exit {
        Ok(exit) => exit,
        Err(Failure::Write(error)) => error.report(&printer),
        Err(Failure::Fault((exit, message))) => {
            printer.note(Tone::Error, &message);
            exit
        }
    }
}

enum Failure {
    Write(WriteError),
    Fault(Fault),
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Damaged> for Failure {
    fn from(damaged: Damaged) -> Self {
        Self::Fault((Exit::Failed, format!("failed to {damaged}")))
    }
}

impl From<BeginningError> for Failure {
    fn from(error: BeginningError) -> Self {
        match error {
            BeginningError::Store(error) => error.into(),
            BeginningError::Damaged(damaged) => damaged.into(),
            error => Self::Fault((Exit::Failed, format!("failed to {error}"))),
        }
    }
}

impl From<carrel_journal::error::StoreError> for Failure {
    fn from(error: carrel_journal::error::StoreError) -> Self {
        Self::Fault((Exit::Internal, format!("failed to {error}")))
    }
}

async fn perform(args: &LogArgs, printer: &Printer) -> Result<Exit, Failure> {
    let (shelf, session) = find(&args.session).await?;
    let mut reading = Reading::begin(&shelf, session, args, printer).await?;
    loop {
        if reading.page().await? {
            continue;
        }
        if !args.follow {
            break;
        }
        printer.flush()?;
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let last = reading.numbering.last();
    if let Some(cell) = args.cell.as_ref().filter(|_| !reading.saw_cell) {
        return Err((Exit::Usage, format!("the session `{}` has no {cell}", args.session)).into());
    }
    if args.after > last.0 {
        let message = format!("the log of `{}` ends with event {last}, before {}", args.session, args.after);
        return Err((Exit::Usage, message).into());
    }
    Ok(Exit::Success)
}

/// A journal on its way to be read.
struct Reading<'a> {
    shelf: &'a Shelf,
    args: &'a LogArgs,
    printer: &'a Printer,
    tail: Tail,
    numbering: Numbering,
    names: Names,
    saw_cell: bool,
}

impl<'a> Reading<'a> {
    async fn begin(
        shelf: &'a Shelf,
        session: SessionId,
        args: &'a LogArgs,
        printer: &'a Printer,
    ) -> Result<Self, Failure> {
        let (tail, numbering) = (Tail::start(session), Numbering::default());
        let mut reading =
            Self { shelf, args, printer, tail, numbering, names: Names::default(), saw_cell: false };
        reading.go_to_beginning().await?;
        Ok(reading)
    }

    /// Goes to where the journal begins by now, and says what is not there any more.
    async fn go_to_beginning(&mut self) -> Result<(), Failure> {
        let session = self.tail.session().clone();
        let store = &*self.shelf.store;
        let beginning = reread(store, &session, || Beginning::of(store, &session)).await?;
        self.numbering = beginning.numbering();
        if beginning.fold.is_some() {
            let (next, last) = (beginning.upto.next(), self.numbering.last());
            let note =
                format!("the journal begins with entry {next}: what came up to event {last} was folded away");
            self.printer.note(Tone::Warning, &note);
        }
        self.tail = Tail::after(session, beginning.upto);
        Ok(())
    }

    /// Prints what there is next; false when there is nothing.
    async fn page(&mut self) -> Result<bool, Failure> {
        let session = self.tail.session().clone();
        let page = self.shelf.store.read(&session, self.tail.position(), PAGE_BYTES).await?;
        if page.entries.is_empty() {
            return Ok(false);
        }
        if page.head.first > self.tail.position().next() {
            // Its owner cut it meanwhile.
            self.go_to_beginning().await?;
            return Ok(true);
        }
        for (position, bytes) in page.entries {
            for record in self.tail.read(position, &bytes)? {
                self.print(position, record).await?;
            }
        }
        Ok(true)
    }

    async fn print(&mut self, position: Position, mut record: Record) -> Result<(), Failure> {
        let is_past = self.numbering.last().0 >= self.args.after;
        let seq = self.numbering.number(&record);
        let cell = record.cell().map(|cell| format!("cell-{cell}"));
        let is_asked_for =
            self.args.cell.as_ref().is_none_or(|wanted| cell.as_deref() == Some(wanted.as_str()));
        self.saw_cell |= is_asked_for && cell.is_some();
        let shown = is_past && is_asked_for;
        if shown && self.args.json {
            self.fill(&mut record).await?;
        }
        let at_us = record.at_us();
        let described = self.names.describe(record);
        if !shown {
            return Ok(());
        }
        let line = if self.args.json {
            as_json(position, seq, at_us, cell.as_deref(), &described)
        } else {
            let terminal = self.printer.terminal();
            as_text(seq, at_us, cell.as_deref(), &described, terminal.stdout && terminal.colour)
        };
        Ok(self.printer.push_harmless(&line)?)
    }

    /// Puts back what is kept in blobs.
    async fn fill(&self, record: &mut Record) -> Result<(), Failure> {
        for value in record.values_mut() {
            let Value::Blob { hash, .. } = value else { continue };
            let blob = self.shelf.store.get_blob(*hash).await?;
            let Some(blob) = blob else {
                let message = format!("failed to read the session: its blob {hash} is not there");
                return Err((Exit::Failed, message).into());
            };
            *value = Value::Inline(String::from_utf8_lossy(blob.bytes()).into_owned());
        }
        Ok(())
    }
}

fn as_json(
    position: Position,
    seq: Option<Seq>,
    at_us: Option<i64>,
    cell: Option<&str>,
    described: &Described,
) -> String {
    let at = at_us.and_then(|us| jiff::Timestamp::from_microsecond(us).ok()).map(|time| time.to_string());
    let mut line = serde_json::json!({
        "entry": position.0, "seq": seq.map(|seq| seq.0), "at": at, "cell": cell, "kind": described.kind,
    });
    if let (Some(line), serde_json::Value::Object(fields)) = (line.as_object_mut(), &described.fields) {
        line.extend(fields.clone());
    }
    sanitize_json(&line.to_string()).into_owned()
}

fn as_text(
    seq: Option<Seq>,
    at_us: Option<i64>,
    cell: Option<&str>,
    described: &Described,
    colour: bool,
) -> String {
    let seq = seq.map(|seq| seq.to_string()).unwrap_or_default();
    let at = at_us.map(time_of_day).unwrap_or_default();
    let before = format!("{seq:>6}  {at:12}  {:8}  ", cell.unwrap_or_default());
    let words = if described.words.is_empty() {
        described.kind.replace('_', " ")
    } else {
        format!("{}  {}", described.kind.replace('_', " "), described.words)
    };
    format!("{}{}", painted(&before, Tone::Dim, colour), painted(&words, described.tone, colour))
}
