//! The arguments: those of the observed host, and what this one has on top.

use std::path::PathBuf;

/// The arguments of the host.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Where the client comes: `stdio`, `grpc+stdio://` or `grpc://127.0.0.1:PORT`.
    #[arg(long, value_name = "URL", default_value = "stdio")]
    pub listen: String,

    /// Keep sessions in this folder, so that after a crash of the host the next one goes on with them [default: none is kept].
    #[arg(long, value_name = "DIR", env = "CARREL_CODEX_DATA")]
    pub data: Option<PathBuf>,

    /// Whose sessions they are that are kept: hosts with the same name here find each other's [default: the process that
    /// started the host].
    #[arg(long, value_name = "NAME", env = "CARREL_CODEX_CLIENT", requires = "data")]
    pub client: Option<String>,

    /// Taken, and passed over: this host sends no traces.
    #[arg(long, value_name = "URL", hide = true)]
    pub otel_trace_listen: Option<String>,

    /// Taken, and passed over: this host sends no traces.
    #[arg(long, value_name = "URL", hide = true)]
    pub otel_trace_exporter: Option<String>,
}
