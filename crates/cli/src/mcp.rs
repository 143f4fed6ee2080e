//! `carrel mcp`: sessions as an MCP server, for one client on standard input and output, or for many over HTTP.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use carrel_contract::error::Coded as _;
use carrel_contract::{CancellationToken, Durability, SessionSpec, ToolDescription};
use carrel_mcp::http::Endpoint;
use carrel_mcp::{Face, Options, serve_stdio};
use carrel_runtime::InProcessProvider;
use tokio::sync::watch;

use crate::args::McpArgs;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::learned;
use crate::printer::Printer;
use crate::provider;
use crate::run::{Fault, Guard, Guarded};
use crate::servers::{self, Servers};
use crate::sessions::{Settings, Shelf};
use crate::terminal::{Terminal, Tone};

/// The variable that holds the token which clients show over HTTP: an argument could be read by others on the machine.
const TOKEN: &str = "CARREL_MCP_TOKEN";
/// How long kept sessions have to be written down when the program ends. What is not is known all the same: it is done
/// again.
const LEAVING: Duration = Duration::from_secs(5);

/// Runs the command.
pub(crate) async fn run(args: McpArgs, interrupt: Interrupt) -> Exit {
    let printer = Printer::new(Terminal::detect());
    attempt(&args, &interrupt, &printer).await.unwrap_or_else(|(exit, message)| {
        if !message.is_empty() {
            printer.note(Tone::Error, &message);
        }
        exit
    })
}

async fn attempt(args: &McpArgs, interrupt: &Interrupt, printer: &Printer) -> Result<Exit, Fault> {
    let usage = |error: &dyn std::error::Error| (Exit::Usage, format!("failed to {error}"));
    let guard = Guard::load(&args.guard, &Settings::default()).map_err(|error| usage(&error))?;
    let files = servers::files(&args.config, Some(Path::new("")));
    let config = servers::load(&files).map_err(|error| usage(&error))?;
    let endpoint = match args.http {
        Some(address) => {
            let token = std::env::var(TOKEN).ok().filter(|token| !token.is_empty());
            let endpoint = Endpoint::open(address, token.as_deref(), args.hosts.clone()).await;
            Some(endpoint.map_err(|error| usage(&error))?)
        }
        None => None,
    };
    let Some(servers) = servers::connect(config, interrupt, printer).await else {
        return Err((interrupt.exit().unwrap_or(Exit::Interrupted), String::new()));
    };
    let servers = servers.with_learned(learned::open(&files));
    servers.report_problems(printer);
    let served = with_servers(args, guard, endpoint, &servers, interrupt, printer).await;
    servers.close().await;
    served
}

async fn with_servers(
    args: &McpArgs,
    guard: Option<Guard>,
    endpoint: Option<Endpoint>,
    servers: &Servers,
    interrupt: &Interrupt,
    printer: &Printer,
) -> Result<Exit, Fault> {
    let shelf = if args.ephemeral { None } else { Some(Shelf::open()?) };
    let provider = provider::serving(shelf.map(|shelf| shelf.as_store()))
        .map_err(|error| (Exit::Internal, format!("failed to {error} ({})", error.code())))?;
    let mut spec = SessionSpec::default();
    spec.durability = if args.ephemeral { Durability::Ephemeral } else { Durability::Journaled };
    spec.limits = args.cells.limits();
    spec.time_zone.clone_from(&args.cells.time_zone);
    spec.check = args.cells.check;
    let first: Arc<[ToolDescription]> = servers.tools().into();
    let guarded = Guarded::new(servers, guard, &first);
    let (tools, newest) = watch::channel(first);
    let mut options = Options::default();
    options.max_wait = args.max_wait.unwrap_or(options.max_wait);
    let face = Face::new(
        Arc::<InProcessProvider>::clone(&provider) as _,
        Arc::clone(&guarded.delegate),
        spec,
        newest,
        options,
    );
    let served = tokio::select! {
        exit = interrupt.fired() => Ok(exit),
        served = serve(&face, endpoint, printer) => served.map(|()| Exit::Success),
        never = pass_on_tools(servers, &guarded, &tools) => match never {},
    };
    face.close().await;
    tokio::time::timeout(LEAVING, provider.settle()).await.ok();
    served
}

async fn serve(face: &Face, endpoint: Option<Endpoint>, printer: &Printer) -> Result<(), Fault> {
    let Some(endpoint) = endpoint else {
        return serve_stdio(face).await.map_err(|error| (Exit::Internal, format!("failed to {error}")));
    };
    let address = endpoint.address();
    printer.note(Tone::Plain, &format!("listening on http://{address}{}", carrel_mcp::http::PATH));
    let served = endpoint.serve(face, CancellationToken::new()).await;
    served.map_err(|error| (Exit::Internal, format!("failed to {error}")))
}

/// Gives sessions the tools that servers have from now on. Does not end by itself.
async fn pass_on_tools(
    servers: &Servers,
    guarded: &Guarded,
    tools: &watch::Sender<Arc<[ToolDescription]>>,
) -> Infallible {
    if let Some(mut watch) = servers.watch() {
        while watch.changed().await.is_ok() {
            let now = servers.tools();
            guarded.set_tools(&now);
            tools.send_replace(now.into());
        }
    }
    std::future::pending().await
}
