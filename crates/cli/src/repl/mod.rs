//! `carrel repl`: cells of one persistent session, entered one by one.
//!
//! [`entry`] says what was entered, [`input`] where it comes from, [`names`] what can be completed, [`news`] how the tools
//! changed meanwhile; a cell is run and shown as `carrel run` does it.

mod entry;
mod input;
mod names;
mod news;

use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;

use carrel_contract::error::Coded as _;
use carrel_contract::{Seq, SessionMode, ToolDescription};
use carrel_tools::Catalogue;
use carrel_tools::policy::Unattended;
use tokio::sync::watch;

use crate::args::ReplArgs;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::learned;
use crate::printer::{Printer, WriteError};
use crate::run::{self, Code, Fault, Guard, Opened, Showing, Source};
use crate::sanitize::{sanitize, sanitize_line};
use crate::servers::{self, Servers};
use crate::sessions::{Place, Settings};
use crate::terminal::{SavedMode, Terminal, Tone};
use crate::tools;
use crate::units::show_bytes;
pub(crate) use entry::Cell;
use entry::Entry;
use input::{Came, Input};
use names::{COMMANDS, Names};

/// Runs the command.
pub(crate) async fn run(args: ReplArgs, interrupt: Interrupt) -> Exit {
    let printer = Printer::new(Terminal::detect());
    let exit = attempt(&args, &interrupt, &printer).await;
    printer.status(None);
    exit.unwrap_or_else(|(exit, message)| {
        if !message.is_empty() {
            printer.note(Tone::Error, &message);
        }
        exit
    })
}

async fn attempt(args: &ReplArgs, interrupt: &Interrupt, printer: &Printer) -> Result<Exit, Fault> {
    let place = Place::find(&args.named, &args.cells, SessionMode::Persistent).await?;
    let settings = place.settings();
    let guard = Guard::load(&args.guard, &settings, Unattended::Deny);
    let guard = guard.map_err(|error| (Exit::Usage, format!("failed to {error}")))?;
    let files = settings.files(&args.mcp, args.no_mcp);
    let settings = settings.with(&files, args.guard.policy.as_deref());
    let config = servers::load(&files).map_err(|error| (Exit::Usage, format!("failed to {error}")))?;
    let Some(servers) = servers::connect(config, interrupt, printer).await else {
        return Err((interrupt.exit().unwrap_or(Exit::Interrupted), String::new()));
    };
    let servers = servers.with_learned(learned::open(&files));
    servers.report_problems(printer);
    let exit = with_servers(args, (&place, &settings), (&servers, guard), interrupt, printer).await;
    printer.status(None);
    servers.close().await;
    exit
}

async fn with_servers(
    args: &ReplArgs,
    (place, settings): (&Place, &Settings),
    (servers, guard): (&Servers, Option<Guard>),
    interrupt: &Interrupt,
    printer: &Printer,
) -> Result<Exit, Fault> {
    let watch = servers.watch();
    if let (Place::Kept(_, found), false) = (place, args.no_mcp) {
        found.refuse_missing_tools(servers)?;
    }
    let opened =
        run::open((place, settings), args.isolation, &args.cells, SessionMode::Persistent, servers, guard)
            .await?;
    let listing = servers.listing();
    let names = Names::new(&listing);
    let is_terminal = std::io::stdin().is_terminal() && printer.terminal().stdout;
    let input = if is_terminal {
        let tools = listing.len();
        let greeting = format!("carrel {}, {tools} tools; :help says more", env!("CARGO_PKG_VERSION"));
        printer.note(Tone::Dim, &greeting);
        Input::terminal(names.clone(), printer.terminal().stderr_colour())
    } else {
        Input::pipe()
    };
    let _saved = SavedMode::of_stdin();
    let mut repl = Repl {
        args,
        servers,
        opened: &opened,
        interrupt,
        printer,
        names,
        tools: servers.tools(),
        watch,
        cells: Vec::new(),
        earlier: 0,
        after: Seq::START,
    };
    let exit = repl.attend(place, input, is_terminal).await;
    opened.close().await;
    exit
}

struct Repl<'a> {
    args: &'a ReplArgs,
    servers: &'a Servers,
    opened: &'a Opened,
    interrupt: &'a Interrupt,
    printer: &'a Printer,
    names: Names,
    /// Those of the session.
    tools: Vec<ToolDescription>,
    /// Hears when there are others.
    watch: Option<watch::Receiver<Arc<Catalogue>>>,
    /// Each cell that ran, and whether it succeeded.
    cells: Vec<(bool, String)>,
    /// How many of them ran on earlier days.
    earlier: usize,
    /// The last event that was read.
    after: Seq,
}

impl Repl<'_> {
    /// Comes back to a session that was kept, and takes entries.
    async fn attend(&mut self, place: &Place, input: Input, is_terminal: bool) -> Result<Exit, Fault> {
        if let Place::Kept(shelf, found) = place {
            let missed =
                self.opened.catch_up(shelf, found, &self.showing(), self.interrupt, self.printer).await?;
            match missed {
                Exit::Interrupted if is_terminal => self.interrupt.forget(),
                Exit::Success | Exit::Failed | Exit::Terminated => {}
                exit => return Ok(exit),
            }
            for cell in found.written(shelf).await? {
                let succeeded = cell.succeeded == Some(true);
                let cell = Cell::restored(&cell.source);
                if succeeded {
                    self.names.declare(cell.declares);
                }
                self.cells.push((succeeded, cell.written));
            }
            self.earlier = self.cells.len();
            if is_terminal && self.earlier > 0 {
                let note = format!("`{}` has {} cells; :cells lists them", found.name, self.earlier);
                self.printer.note(Tone::Dim, &note);
            }
        }
        self.follow(input, is_terminal).await
    }

    fn showing(&self) -> Showing<'static> {
        Showing { timeout: self.args.timeout, json: false, media_folder: Path::new("") }
    }

    /// Takes entries until there are no more. A pipe's failed cells make the exit code, a person's do not.
    async fn follow(&mut self, mut input: Input, is_terminal: bool) -> Result<Exit, Fault> {
        loop {
            // Reading blocks: the thread is left to itself when the program is told to end meanwhile.
            let mut reading = tokio::task::spawn_blocking(move || {
                let came = input.read();
                (input, came)
            });
            // What is said to a person who types would stand in their line: it waits for the end of that.
            let mut news = Vec::new();
            let (back, came) = loop {
                tokio::select! {
                    exit = self.interrupt.fired() => return Ok(exit),
                    read = &mut reading => {
                        break read.map_err(|_| (Exit::Internal, "failed to read an entry".to_owned()))?;
                    }
                    () = changed(self.watch.as_mut()) => news.extend(self.take_tools().await?),
                }
                if !is_terminal {
                    self.tell(&mut news);
                }
            };
            input = back;
            if self.watch.as_ref().is_some_and(|watch| watch.has_changed().unwrap_or(false)) {
                news.extend(self.take_tools().await?);
            }
            self.tell(&mut news);
            let text = match came {
                Ok(Came::Entry(text)) => text,
                Ok(Came::Nothing) => continue,
                Ok(Came::End) => break,
                Err(error) => return Err((Exit::Usage, format!("failed to read an entry: {error}"))),
            };
            match Entry::read(&text) {
                Entry::Empty => {}
                Entry::Command { name, argument } => {
                    if name == "quit" {
                        break;
                    }
                    let shown = self.command(&name, &argument).await?;
                    if let Err(error) = shown {
                        return Ok(error.report(self.printer));
                    }
                }
                Entry::Cell(cell) => {
                    let exit = self.cell(cell).await?;
                    match exit {
                        Exit::Interrupted if is_terminal => self.interrupt.forget(),
                        Exit::Success | Exit::Failed | Exit::Terminated | Exit::Usage => {}
                        exit => return Ok(exit),
                    }
                }
            }
        }
        let failed = !is_terminal && self.cells.iter().skip(self.earlier).any(|(succeeded, _)| !succeeded);
        Ok(if failed { Exit::Failed } else { Exit::Success })
    }

    /// Gives the session the tools that there are now, and returns how they differ from those before.
    async fn take_tools(&mut self) -> Result<Option<String>, Fault> {
        if let Some(watch) = &mut self.watch {
            watch.mark_unchanged();
        }
        let tools = self.servers.tools();
        self.opened.set_tools(tools.clone()).await?;
        self.names.set_tools(&self.servers.listing());
        let before = std::mem::replace(&mut self.tools, tools);
        Ok(news::of(&before, &self.tools))
    }

    fn tell(&self, news: &mut Vec<String>) {
        for line in news.drain(..) {
            self.printer.note(Tone::Dim, &line);
        }
    }

    async fn cell(&mut self, cell: Cell) -> Result<Exit, Fault> {
        let Cell { written, code, before, declares } = cell;
        let source =
            Source { name: format!("cell {}", self.cells.len() + 1), text: written.clone(), folder: None };
        let code = Code { source: &source, code: &code, before };
        let ran = self.opened.cell(&code, &self.showing(), self.after, self.interrupt, self.printer).await;
        let exit = match ran {
            Ok((exit, after)) => {
                self.after = after;
                exit
            }
            // It is too large, for example: the session goes on.
            Err((Exit::Usage, message)) => {
                self.printer.note(Tone::Error, &message);
                Exit::Usage
            }
            Err(fault) => return Err(fault),
        };
        if exit == Exit::Success {
            self.names.declare(declares);
        }
        self.cells.push((exit == Exit::Success, written));
        Ok(exit)
    }

    async fn command(&mut self, name: &str, argument: &str) -> Result<Result<(), WriteError>, Fault> {
        let text = match name {
            "tools" => tools::list(self.servers, argument),
            "describe" => match tools::describe(self.servers, argument) {
                Ok(text) => text,
                Err(message) => {
                    self.printer.note(Tone::Error, &message);
                    return Ok(Ok(()));
                }
            },
            "store" if argument.is_empty() => {
                let stored = self.opened.session.stored().await;
                let stored = stored
                    .map_err(|error| (Exit::Internal, format!("failed to {error} ({})", error.code())))?;
                stored
                    .iter()
                    .map(|it| format!("{}  {}\n", sanitize_line(&it.key), show_bytes(it.value_bytes)))
                    .collect()
            }
            "store" => {
                let key = serde_json::to_string(argument).unwrap_or_default();
                let Entry::Cell(cell) = Entry::read(&format!("load({key})")) else { return Ok(Ok(())) };
                self.cell(cell).await?;
                self.cells.pop();
                return Ok(Ok(()));
            }
            "cells" => self
                .cells
                .iter()
                .enumerate()
                .map(|(n, (succeeded, written))| {
                    let line = written.lines().next().unwrap_or_default();
                    let mark = if *succeeded { " " } else { "!" };
                    format!("{:4}{mark} {}\n", n + 1, sanitize(line))
                })
                .collect(),
            "help" => help(),
            other => {
                self.printer.note(Tone::Error, &format!("there is no command `:{other}`; :help lists them"));
                return Ok(Ok(()));
            }
        };
        Ok(if text.is_empty() { Ok(()) } else { self.printer.data(&text) })
    }
}

/// Waits until there are other tools. Cancel safe.
async fn changed(watch: Option<&mut watch::Receiver<Arc<Catalogue>>>) {
    let Some(watch) = watch else { return std::future::pending().await };
    if watch.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn help() -> String {
    let commands = COMMANDS.map(|(name, what)| format!(":{name:<9} {what}\n")).concat();
    format!(
        "{commands}\nAnything else is a cell: JavaScript or TypeScript, `await tools.NAME(…)` included. The value of an \
         expression is shown\nand kept as `_`. What is not complete goes on in the next line; an empty line ends it. Tab \
         completes names.\nCtrl-C ends a cell that runs, Ctrl-D leaves.\n"
    )
}
