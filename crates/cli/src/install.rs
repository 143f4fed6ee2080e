//! `carrel install` and `carrel uninstall`: into the configuration of a client, and out of it again.
//!
//! What will change is printed on standard output, and changed when a person at the terminal says so or `--yes` does.

use std::env;
use std::io::{self, BufRead as _};
use std::path::{Path, PathBuf};

use carrel_tools::ProcessEnvironment;
use carrel_tools::config::Environment as _;
use carrel_tools::import::{Client, Places};
use carrel_tools::install::{self, Change, InstallError, Scope, Setup};

use crate::args::InstallArgs;
use crate::data;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::printer::Printer;
use crate::terminal::{Terminal, Tone};

/// What the entry starts Carrel with, where it is set: a client that was started otherwise has another environment.
const VARIABLES: [&str; 2] = [data::VARIABLE, "CARREL_KEYRING"];

type Work = fn(Client, Scope, &Setup<'_>) -> Result<Change, InstallError>;

/// Runs `install`.
pub(crate) async fn install(args: &InstallArgs, interrupt: &Interrupt) -> Exit {
    perform(args, interrupt, install::install, "Carrel is in", "installed").await
}

/// Runs `uninstall`.
pub(crate) async fn uninstall(args: &InstallArgs, interrupt: &Interrupt) -> Exit {
    perform(args, interrupt, install::uninstall, "Carrel is out of", "uninstalled").await
}

async fn perform(args: &InstallArgs, interrupt: &Interrupt, work: Work, done: &str, word: &str) -> Exit {
    let printer = Printer::new(Terminal::detect());
    let refuse = |message: &str| {
        printer.note(Tone::Error, &format!("failed to {message}"));
        Exit::Usage
    };
    let (places, folder, program) = match surroundings(args) {
        Ok(surroundings) => surroundings,
        Err(message) => return refuse(&message),
    };
    let variables: Vec<_> = VARIABLES
        .iter()
        .filter_map(|name| {
            Some(((*name).to_owned(), ProcessEnvironment.get(name).filter(|set| !set.is_empty())?))
        })
        .collect();
    let scope = if args.project.is_some() { Scope::Project } else { Scope::User };
    let plan = |client: Client| {
        let setup = Setup {
            places: &places,
            folder: &folder,
            program: &program,
            variables: &variables,
            environment: &ProcessEnvironment,
        };
        work(client, scope, &setup)
    };
    for target in &args.clients {
        let change = match plan(target.client()) {
            Ok(change) => change,
            Err(error) => return refuse(&error.to_string()),
        };
        let name = target.client().name();
        for note in change.notes() {
            printer.note(Tone::Warning, &format!("note: {note}"));
        }
        if change.is_empty() {
            printer.note(Tone::Plain, &format!("{name}: {word} already, nothing to change"));
            continue;
        }
        if let Err(error) = printer.data(change.shown()) {
            return error.report(&printer);
        }
        if args.dry_run {
            printer.note(Tone::Dim, "nothing was changed");
            continue;
        }
        if !args.yes {
            if !printer.terminal().can_ask() {
                printer
                    .note(Tone::Error, "nothing was changed: --yes changes it, and a terminal would ask you");
                return Exit::Usage;
            }
            match agrees(&printer, interrupt).await {
                Ok(true) => {}
                Ok(false) => {
                    printer.note(Tone::Plain, "nothing was changed");
                    return Exit::Success;
                }
                Err(exit) => return exit,
            }
        }
        if let Err(error) = change.apply(&folder) {
            return refuse(&error.to_string());
        }
        let file = change.file().display();
        printer.note(
            Tone::Plain,
            &format!("{done} {name} ({file}); it counts when {name} is started the next time"),
        );
    }
    Exit::Success
}

/// Finds the home, the project, the folder of configurations, and this program.
fn surroundings(args: &InstallArgs) -> Result<(Places, PathBuf, String), String> {
    let home = ["HOME", "USERPROFILE"].iter().find_map(|name| ProcessEnvironment.get(name));
    let home = home.ok_or("find your home: HOME is not set")?;
    let project = args.project.clone().unwrap_or_else(|| PathBuf::from("."));
    let project = std::fs::canonicalize(&project)
        .map_err(|error| format!("open the project {}: {error}", project.display()))?;
    let folder = data::config().map_err(|error| error.to_string())?;
    let folder = std::path::absolute(&folder)
        .map_err(|error| format!("find the folder {}: {error}", folder.display()))?;
    let program = program()?;
    Ok((Places::new(home, project), folder, program))
}

/// Returns this program's path: the one on the `PATH`, if it is there, since an update may give the file itself another.
fn program() -> Result<String, String> {
    let this = env::current_exe().map_err(|error| format!("find this program: {error}"))?;
    let name = this.file_name().unwrap_or_default();
    let is_this = |path: &PathBuf| path.is_absolute() && same(path, &this);
    let path = env::var_os("PATH").unwrap_or_default();
    let known = env::split_paths(&path).map(|folder| folder.join(name)).find(is_this).unwrap_or(this);
    known
        .into_os_string()
        .into_string()
        .map_err(|path| format!("name this program: {} is no text", path.display()))
}

fn same(one: &Path, other: &Path) -> bool {
    matches!((std::fs::canonicalize(one), std::fs::canonicalize(other)), (Ok(one), Ok(other)) if one == other)
}

/// Asks at the terminal. Whatever is not clearly a yes is none.
async fn agrees(printer: &Printer, interrupt: &Interrupt) -> Result<bool, Exit> {
    printer.ask("Change this? [y/N] ");
    let typed = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    let typed = tokio::select! {
        exit = interrupt.fired() => {
            printer.unask();
            return Err(exit);
        }
        typed = typed => typed,
    };
    printer.asked();
    let typed = typed.ok().and_then(Result::ok).unwrap_or_default();
    Ok(matches!(typed.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}
