//! `carrel login` and `carrel logout`: who asks, for servers that want to know.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use carrel_tools::ProcessEnvironment;
use carrel_tools::config::{Environment as _, HttpConfig, TransportConfig};
use carrel_tools::login::{Login, LoginFolder};

use crate::args::{LoginArgs, LogoutArgs};
use crate::data::{self, NoDataFolder};
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::printer::Printer;
use crate::servers;
use crate::terminal::{Terminal, Tone};

/// Where logins are kept.
pub(crate) fn folder() -> Result<LoginFolder, NoDataFolder> {
    let folder = LoginFolder::new(data::folder()?.join("logins"));
    Ok(if keyring() == Ok(false) { folder } else { folder.with_keyring() })
}

/// Tells whether the system's keyring is to be used.
///
/// # Errors
/// The variable says neither: why, for "failed to …".
pub(crate) fn keyring() -> Result<bool, String> {
    match ProcessEnvironment.get("CARREL_KEYRING").as_deref() {
        None | Some("" | "on") => Ok(true),
        Some("off") => Ok(false),
        Some(other) => Err(format!("read CARREL_KEYRING: it is {other:?}, and has to be `on` or `off`")),
    }
}

/// Runs `login`.
pub(crate) async fn login(args: LoginArgs, interrupt: Interrupt) -> Exit {
    let printer = Printer::new(Terminal::detect());
    let (server, folder) = match find(&args.mcp, &args.server) {
        Ok(found) => found,
        Err(problem) => return refuse(&printer, &problem),
    };
    let login = tokio::select! {
        exit = interrupt.fired() => return exit,
        login = Login::begin(&server, &folder) => login,
    };
    let login = match login {
        Ok(login) => login,
        Err(error) => {
            printer.note(Tone::Error, &format!("failed to log in at `{}`: {error}", args.server));
            return Exit::Unreachable;
        }
    };
    let opened = !args.no_browser && open(login.url());
    let before = if opened { "the browser asks you now; if it does not, open" } else { "to log in, open" };
    printer.note(Tone::Plain, &format!("{before} {}", login.url()));
    let finished = tokio::select! {
        exit = interrupt.fired() => return exit,
        finished = login.finish() => finished,
    };
    match finished {
        Ok(place) => {
            printer
                .note(Tone::Plain, &format!("logged in at `{}`; the login is kept in {place}", args.server));
            Exit::Success
        }
        Err(error) => {
            printer.note(Tone::Error, &format!("failed to log in at `{}`: {error}", args.server));
            Exit::Failed
        }
    }
}

/// Runs `logout`.
pub(crate) async fn logout(args: &LogoutArgs) -> Exit {
    let printer = Printer::new(Terminal::detect());
    let (server, folder) = match find(&args.mcp, &args.server) {
        Ok(found) => found,
        Err(problem) => return refuse(&printer, &problem),
    };
    match folder.forget(server.url.expose()).await {
        Ok(true) => printer.note(Tone::Plain, &format!("logged out at `{}`", args.server)),
        Ok(false) => printer.note(Tone::Plain, &format!("nobody was logged in at `{}`", args.server)),
        Err(error) => {
            printer.note(Tone::Error, &format!("failed to log out: {error}"));
            return Exit::Internal;
        }
    }
    Exit::Success
}

fn refuse(printer: &Printer, problem: &str) -> Exit {
    printer.note(Tone::Error, problem);
    Exit::Usage
}

/// Finds a server that can be logged in at.
fn find(named: &[PathBuf], server: &str) -> Result<(HttpConfig, LoginFolder), String> {
    let files = servers::files(named, Some(Path::new("")));
    let config = servers::load(&files).map_err(|error| format!("failed to {error}"))?;
    let found = config.servers.into_iter().find(|known| known.name == server);
    let Some(found) = found else {
        return Err(format!("there is no server `{server}`: name its configuration with --mcp FILE"));
    };
    let TransportConfig::Http(http) = found.transport else {
        return Err(format!("`{server}` is a program: there is nothing to log in at"));
    };
    keyring().map_err(|problem| format!("failed to {problem}"))?;
    let folder = folder().map_err(|error| format!("failed to {error}"))?;
    Ok((http, folder))
}

/// Opens the browser, and tells whether there is something that opens it.
fn open(url: &str) -> bool {
    // The address is an argument, never a line that a shell reads.
    let (program, before): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else {
        ("xdg-open", &[])
    };
    let http = url.starts_with("https://") || url.starts_with("http://");
    http && Command::new(program)
        .args(before)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .is_ok()
}
