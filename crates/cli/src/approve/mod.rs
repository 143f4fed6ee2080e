//! `carrel approve`: a person answers what the policy of a running `carrel mcp` asks, where its client cannot ask them.
//!
//! [`hatch`] is the servers' side, [`words`] what is said, [`socket`] how. A yes needs a terminal, which guards against accident:
//! a model's shell, as clients give it, is none, and what it runs without thinking allows nothing. It does not guard against a model that
//! means to: whoever has the shell of this user can make a terminal, or speak to the socket.

mod hatch;
mod socket;
mod words;

use std::collections::HashSet;
use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use futures::future::join_all;
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
    for (path, error) in &servers.silent {
        let message = format!("failed to hear what waits at {}: {error}", path.display());
        printer.note(Tone::Error, &message);
    }
    let exit = if servers.silent.is_empty() { Exit::Success } else { Exit::Failed };
    if args.questions.is_empty() || args.list {
        return list(&servers, exit, printer);
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
    let mut exit = exit;
    let mut asked = HashSet::new();
    let questions: Vec<_> = args.questions.iter().filter(|question| asked.insert(*question)).collect();
    for question in questions.iter().filter(|question| servers.waiting(question).is_none()) {
        exit = Exit::Failed;
        // That its server is not heard has been said.
        if !servers.silent.iter().any(|(path, _)| Names::is_of(path, question)) {
            let message = format!(
                "{question} does not wait: it was answered, or its cell ended, or it never was; `carrel approve` lists what does"
            );
            printer.note(Tone::Error, &message);
        }
    }
    for server in &servers.heard {
        let here: Vec<_> = questions.iter().filter_map(|question| server.waiting(question)).collect();
        if !here.is_empty()
            && let Some(failed) = answer(server, &here, said, printer).await
        {
            exit = failed;
        }
    }
    Ok(exit)
}

/// Answers questions of one server, all at once: an answer for a session is one for all of them. Returns how the program
/// ends if not all came in time.
async fn answer(server: &Server, here: &[&Waiting], said: Said, printer: &Printer) -> Option<Exit> {
    let questions = here.iter().map(|waiting| waiting.question.clone()).collect();
    let late = match hatch::ask(&server.path, &Ask::Answer { questions, decision: said }).await {
        Ok(Told::Answered { too_late }) => too_late,
        Ok(Told::Waiting(_)) => {
            printer.note(Tone::Error, "failed to answer: the server said something else");
            return Some(Exit::Internal);
        }
        Err(error) => {
            let questions: Vec<_> = here.iter().map(|waiting| waiting.question.as_str()).collect();
            let message = format!("failed to reach the server that asks {}: {error}", questions.join(", "));
            printer.note(Tone::Error, &message);
            return Some(Exit::Internal);
        }
    };
    for Waiting { question, text, .. } in here {
        if late.contains(question) {
            let message = format!("{question} was answered by another, or its cell has just ended");
            printer.note(Tone::Error, &message);
        } else {
            let done = if said == Said::Deny { "denied" } else { "allowed" };
            printer.note(Tone::Plain, &format!("{done}: {}", sanitize_line(text)));
        }
    }
    (!late.is_empty()).then_some(Exit::Failed)
}

/// The servers of this user.
#[derive(Default)]
struct Servers {
    heard: Vec<Server>,
    /// Those that did not answer, by their sockets.
    silent: Vec<(PathBuf, io::Error)>,
}

impl Servers {
    fn waiting(&self, question: &str) -> Option<&Waiting> {
        self.heard.iter().find_map(|server| server.waiting(question))
    }
}

/// A server that runs, and what waits there.
struct Server {
    path: PathBuf,
    waiting: Vec<Waiting>,
}

impl Server {
    fn waiting(&self, question: &str) -> Option<&Waiting> {
        self.waiting.iter().find(|waiting| waiting.question == question)
    }
}

/// Asks all servers of this user. Sockets of those that are gone are cleared away.
async fn servers(data: &Path) -> Servers {
    let entries = fs::read_dir(hatch::folder(data)).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|suffix| suffix == hatch::SUFFIX))
        .collect();
    paths.sort();
    let told = join_all(paths.iter().map(|path| hatch::ask(path, &Ask::List))).await;
    let mut servers = Servers::default();
    for (path, told) in paths.into_iter().zip(told) {
        match told {
            Ok(Told::Waiting(waiting)) => servers.heard.push(Server { path, waiting }),
            Ok(Told::Answered { .. }) => servers.silent.push((path, io::ErrorKind::InvalidData.into())),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => drop(fs::remove_file(&path)),
            // It has ended meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // It takes too long, is ending, or is of another version.
            Err(error) => servers.silent.push((path, error)),
        }
    }
    servers
}

fn list(servers: &Servers, exit: Exit, printer: &Printer) -> Result<Exit, Fault> {
    let mut waiting = servers.heard.iter().flat_map(|server| &server.waiting).peekable();
    if waiting.peek().is_none() {
        if servers.silent.is_empty() {
            printer.note(Tone::Plain, "nothing waits for a person");
        }
        return Ok(exit);
    }
    let mut text = String::new();
    for Waiting { question, session, cell, text: asked } in waiting {
        let asked = sanitize_line(asked);
        text.push_str(&format!("{question}  {asked}\n    session {session}, cell {cell}\n"));
    }
    match printer.data(&text) {
        Ok(()) => Ok(exit),
        Err(error) => Ok(error.report(printer)),
    }
}
