//! `carrel approve`: a person answers what the policy of a running `carrel mcp` asks, where its client cannot ask them.
//!
//! [`hatch`] is the servers' side, [`words`] what is said, [`socket`] how. A yes needs a terminal: a model that reads how a question is
//! answered may well have a shell, and has none to say yes with.

mod hatch;
mod socket;
mod words;

use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

pub(crate) use hatch::{Hatch, Names};
use words::{Ask, Said, Told, Waiting};

use crate::args::ApproveArgs;
use crate::data;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::printer::Printer;
use crate::run::Fault;
use crate::sanitize::sanitize_line;
use crate::terminal::{Terminal, Tone};

/// Returns what answers a question.
pub(crate) fn command(question: &str) -> String {
    format!("carrel approve {question}")
}

/// Runs the command.
pub(crate) async fn run(args: ApproveArgs, interrupt: Interrupt) -> Exit {
    let printer = Printer::new(Terminal::detect());
    let done = tokio::select! {
        exit = interrupt.fired() => return exit,
        done = perform(&args, &printer) => done,
    };
    done.unwrap_or_else(|(exit, message)| {
        printer.note(Tone::Error, &message);
        exit
    })
}

async fn perform(args: &ApproveArgs, printer: &Printer) -> Result<Exit, Fault> {
    let data = data::folder().map_err(|error| (Exit::Usage, format!("failed to {error}")))?;
    let servers = servers(&data).await;
    if args.questions.is_empty() || args.list {
        return list(&servers, printer);
    }
    let said = match (args.deny, args.session) {
        (true, _) => Said::Deny,
        (false, true) => Said::AllowForSession,
        (false, false) => Said::Allow,
    };
    if said != Said::Deny && !io::stdin().is_terminal() {
        let message = "failed to allow it: a person does that at a terminal, and standard input is none; `--deny` works without";
        return Err((Exit::Usage, message.to_owned()));
    }
    let mut exit = Exit::Success;
    for question in &args.questions {
        let found = servers.iter().find_map(|server| {
            server
                .waiting
                .iter()
                .find(|waiting| waiting.question == *question)
                .map(|waiting| (server, waiting))
        });
        let Some((server, waiting)) = found else {
            exit = Exit::Failed;
            let message = format!(
                "{question} does not wait: it was answered, or its cell ended, or it never was; `carrel approve` lists what does"
            );
            printer.note(Tone::Error, &message);
            continue;
        };
        let ask = Ask::Answer { questions: vec![question.clone()], decision: said };
        match hatch::ask(&server.path, &ask).await {
            Ok(Told::Answered { too_late }) if too_late.is_empty() => {
                let done = if said == Said::Deny { "denied" } else { "allowed" };
                printer.note(Tone::Plain, &format!("{done}: {}", sanitize_line(&waiting.text)));
            }
            Ok(_) => {
                exit = Exit::Failed;
                printer.note(
                    Tone::Error,
                    &format!("{question} was answered by another, or its cell has just ended"),
                );
            }
            Err(error) => {
                exit = Exit::Internal;
                printer
                    .note(Tone::Error, &format!("failed to reach the server that asks {question}: {error}"));
            }
        }
    }
    Ok(exit)
}

/// A server that runs, and what waits there.
struct Server {
    path: PathBuf,
    waiting: Vec<Waiting>,
}

/// Asks all servers of this user. Sockets of those that are gone are cleared away.
async fn servers(data: &Path) -> Vec<Server> {
    let entries = fs::read_dir(hatch::folder(data)).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|suffix| suffix == hatch::SUFFIX))
        .collect();
    paths.sort();
    let mut servers = Vec::new();
    for path in paths {
        match hatch::ask(&path, &Ask::List).await {
            Ok(Told::Waiting(waiting)) => servers.push(Server { path, waiting }),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => drop(fs::remove_file(&path)),
            // It is ending, or of another version.
            _ => {}
        }
    }
    servers
}

fn list(servers: &[Server], printer: &Printer) -> Result<Exit, Fault> {
    let mut waiting = servers.iter().flat_map(|server| &server.waiting).peekable();
    if waiting.peek().is_none() {
        printer.note(Tone::Plain, "nothing waits for a person");
        return Ok(Exit::Success);
    }
    let mut text = String::new();
    for Waiting { question, session, cell, text: asked } in waiting {
        let asked = sanitize_line(asked);
        text.push_str(&format!("{question}  {asked}\n    session {session}, cell {cell}\n"));
    }
    match printer.data(&text) {
        Ok(()) => Ok(Exit::Success),
        Err(error) => Ok(error.report(printer)),
    }
}
