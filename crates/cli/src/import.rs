//! `carrel import`: what other clients have configured, as one configuration.
//!
//! It is shown first, on standard output, with what is to be known of it on standard error; secrets that are written
//! out are hidden there. `--write` writes it, to a file that only its owner can read.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use carrel_tools::ProcessEnvironment;
use carrel_tools::config::Environment as _;
use carrel_tools::import::{Client, Import, Places, import};

use crate::args::{From, ImportArgs};
use crate::exit::Exit;
use crate::printer::Printer;
use crate::terminal::{Terminal, Tone};

/// Runs the command.
pub(crate) fn run(args: &ImportArgs) -> Exit {
    let printer = Printer::new(Terminal::detect());
    let home = ["HOME", "USERPROFILE"].iter().find_map(|name| ProcessEnvironment.get(name));
    let Some(home) = home else {
        printer.note(Tone::Error, "failed to find your home: HOME is not set");
        return Exit::Usage;
    };
    let project = args.project.clone().unwrap_or_else(|| PathBuf::from("."));
    let project = match std::path::absolute(&project).and_then(std::fs::canonicalize) {
        Ok(project) => project,
        Err(error) => {
            printer.note(Tone::Error, &format!("failed to open the project {}: {error}", project.display()));
            return Exit::Usage;
        }
    };
    let import = import(&clients(&args.from), &Places::new(home, project), &ProcessEnvironment);
    for file in &import.files {
        printer.note(Tone::Dim, &format!("read {}", file.display()));
    }
    for note in &import.notes {
        printer.note(Tone::Warning, &format!("note: {note}"));
    }
    if import.servers.is_empty() {
        printer.note(Tone::Plain, "no servers found");
        return Exit::Success;
    }
    if let Err(error) = printer.data(&import.preview()) {
        return error.report(&printer);
    }
    match &args.write {
        Some(path) => write(&import, path, args.force, &printer),
        None => {
            printer.note(Tone::Dim, "nothing was written; --write FILE writes it");
            Exit::Success
        }
    }
}

fn clients(from: &[From]) -> Vec<Client> {
    let all = from.is_empty() || from.contains(&From::All);
    Client::ALL
        .iter()
        .copied()
        .filter(|client| all || from.iter().any(|from| from.client() == Some(*client)))
        .collect()
}

fn write(import: &Import, path: &Path, force: bool, printer: &Printer) -> Exit {
    if path.extension().is_some_and(|extension| extension == "toml") {
        printer
            .note(Tone::Error, "a configuration is written as JSON: accepted is a name that ends in .json");
        return Exit::Usage;
    }
    match create(path, force, import.document().as_bytes()) {
        Ok(()) => {
            let secrets = if import.has_secrets() { ", with the secrets that are hidden above" } else { "" };
            printer.note(Tone::Dim, &format!("wrote {}{secrets}", path.display()));
            Exit::Success
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            printer.note(Tone::Error, &format!("{} is there already; --force replaces it", path.display()));
            Exit::Usage
        }
        Err(error) => {
            printer.note(Tone::Error, &format!("failed to write {}: {error}", path.display()));
            Exit::Usage
        }
    }
}

/// Writes a file of mode 0600. One that is replaced is replaced at once, by a file that was never readable.
fn create(path: &Path, force: bool, text: &[u8]) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    if !force {
        let mut file = options.open(path)?;
        return file.write_all(text).and_then(|()| file.sync_all());
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(name);
    let written =
        options.open(&beside).and_then(|mut file| file.write_all(text).and_then(|()| file.sync_all()));
    let placed = written.and_then(|()| std::fs::rename(&beside, path));
    placed.inspect_err(|_| {
        std::fs::remove_file(&beside).ok();
    })
}
