//! Tries the sandbox of host processes: a host enters it, runs a cell there, and says how much of it the kernel gave.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output, Stdio};

use super::check::Check;

const NAME: &str = "host";

/// Makes the check.
pub(super) async fn check() -> Check {
    match tokio::task::spawn_blocking(try_out).await {
        Ok(Ok(output)) => judge(&output),
        Ok(Err(error)) => failed(format!("a host process cannot be started: {error}")),
        Err(error) => failed(format!("a host process cannot be started: {error}")),
    }
}

fn try_out() -> std::io::Result<Output> {
    let mut host = Command::new(std::env::current_exe()?);
    host.args(["host", "--try-sandbox"]).env_clear().stdin(Stdio::null()).output()
}

fn judge(output: &Output) -> Check {
    let level = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match (output.status.code(), output.status.signal()) {
        (Some(0), _) if level == "full" => Check::ok(
            NAME,
            "a cell ran in a process that had given up files, network, processes and all system calls that cells do \
             not take"
                .to_owned(),
        ),
        (Some(0), _) => Check::warn(
            NAME,
            format!("what this kernel has of the sandbox of host processes: {level}"),
            "a host does with that, and `carrel host --sandbox required` does not; docs/sandbox.md says what it means"
                .to_owned(),
        ),
        (Some(_), _) => failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        (None, Some(signal)) => failed(format!("a host was ended by signal {signal} in its sandbox")),
        (None, None) => failed("a host did not end".to_owned()),
    }
}

fn failed(detail: String) -> Check {
    let help = "`carrel host --sandbox off` does without a sandbox; please report this with the output of this command";
    Check::fail(NAME, detail, help.to_owned())
}
