//! A package folder as docs/codex.md says to lay it out, and a home that holds nothing but the program's configuration.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::process::Command;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Grpc,
    Json,
}

/// The folder that the npm package has for this platform.
fn installed() -> PathBuf {
    let (package, target) = match std::env::consts::ARCH {
        "x86_64" => ("codex-linux-x64", "x86_64-unknown-linux-musl"),
        "aarch64" => ("codex-linux-arm64", "aarch64-unknown-linux-musl"),
        other => panic!("@openai/codex has no program for Linux on {other}"),
    };
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.x/codex/node_modules/@openai");
    let folder = modules.join(package).join("vendor").join(target);
    assert!(folder.is_dir(), "{} is not there: `./x setup` installs it", folder.display());
    folder
}

/// The host that the program comes with.
pub(crate) fn real_host() -> PathBuf {
    installed().join("bin/codex-code-mode-host")
}

pub(crate) struct Package {
    folder: TempDir,
    transport: Transport,
    keeps_sessions: bool,
}

impl Package {
    /// Lays a package out with this program for its host.
    pub(crate) fn with(host: &Path, transport: Transport) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let (installed, place) = (installed(), folder.path());
        for name in ["bin", "home", "work", "sessions"] {
            fs::create_dir(place.join(name)).unwrap();
        }
        fs::copy(installed.join("codex-package.json"), place.join("codex-package.json")).unwrap();
        link(&installed.join("bin/codex"), &place.join("bin/codex"));
        link(host, &place.join("bin/codex-code-mode-host"));
        Self { folder, transport, keeps_sessions: false }
    }

    /// Lets the host keep its sessions.
    pub(crate) fn keeping_sessions(self) -> Self {
        Self { keeps_sessions: true, ..self }
    }

    /// The folder that everything is in.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The folder that the program works in.
    pub(crate) fn work(&self) -> PathBuf {
        self.path().join("work")
    }

    /// How the program is started, with a model on this port.
    ///
    /// It calls nobody else: what would is turned off, the environment is that of the test alone, and the proxies are a port
    /// that nobody listens at.
    pub(crate) fn command(&self, model_port: u16) -> Command {
        let home = self.path().join("home");
        let grpc = self.transport == Transport::Grpc;
        fs::write(home.join("config.toml"), configuration(model_port, grpc)).unwrap();
        let mut command = Command::new(self.path().join("bin/codex"));
        command.arg("app-server").current_dir(self.work()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", &home).env("CODEX_HOME", &home).env("MODEL_KEY", "none");
        for proxy in ["http_proxy", "https_proxy", "all_proxy"] {
            command.env(proxy, "http://127.0.0.1:9");
        }
        command.env("no_proxy", "127.0.0.1");
        if self.keeps_sessions {
            command.env("CARREL_CODEX_DATA", self.path().join("sessions"));
        }
        command
    }
}

/// Programs of Codex know their package by where they are, and symbolic links do not tell.
fn link(from: &Path, to: &Path) {
    if fs::hard_link(from, to).is_err() {
        fs::copy(from, to).unwrap();
    }
}

fn configuration(model_port: u16, grpc: bool) -> String {
    format!(
        r#"
model = "scripted"
model_provider = "scripted"
approval_policy = "never"
sandbox_mode = "danger-full-access"
check_for_update_on_startup = false

[analytics]
enabled = false

[features]
code_mode = true
code_mode_only = true
code_mode_host_grpc = {grpc}
apps = false
plugins = false
remote_plugin = false
shell_snapshot = false

[model_providers.scripted]
name = "scripted"
base_url = "http://127.0.0.1:{model_port}/v1"
env_key = "MODEL_KEY"
wire_api = "responses"
supports_websockets = false
"#
    )
}
