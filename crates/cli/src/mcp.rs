//! `carrel mcp`: sessions as an MCP server, for one client on standard input and output, or for many over HTTP.
//!
//! Clients are served at once, and the servers behind the tools are connected meanwhile.

mod people;

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

use carrel_contract::error::Coded as _;
use carrel_contract::{CancellationToken, CodeModeSessionDelegate, Durability, SessionSpec, ToolDescription};
use carrel_mcp::http::Endpoint;
use carrel_mcp::{Backing, Face, Options, Owner, PassThrough, serve_stdio};
use carrel_tools::config;
use carrel_tools::policy::Unattended;
use people::People;
use tokio::sync::watch;

use crate::approve::{Hatch, Names};
use crate::args::{McpArgs, Passed};
use crate::data;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::learned;
use crate::printer::Printer;
use crate::provider::{Crowd, Home};
use crate::run::{Fault, Guard, Guarded};
use crate::servers::{self, Servers};
use crate::sessions::{Settings, Shelf};
use crate::terminal::{Terminal, Tone};

/// The variable that holds the token which clients show over HTTP: an argument could be read by others on the machine.
const TOKEN: &str = "CARREL_MCP_TOKEN";

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
    let guard = // Some clients can ask a person, and others can be told who waits.
        Guard::load(&args.guard, &Settings::default(), Unattended::Wait).map_err(|error| usage(&error))?;
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
    let configured = config.pass_through.clone();
    let servers = servers::begin(config).with_learned(learned::open(&files));
    let pass = pass_through(&args.pass_through, configured);
    let served = Box::pin(serve_meanwhile(args, guard, endpoint, &servers, pass, interrupt, printer)).await;
    servers.close().await;
    served
}

async fn serve_meanwhile(
    args: &McpArgs,
    guard: Option<Guard>,
    endpoint: Option<Endpoint>,
    servers: &Servers,
    pass_through: Option<PassThrough>,
    interrupt: &Interrupt,
    printer: &Printer,
) -> Result<Exit, Fault> {
    let shelf = if args.ephemeral { None } else { Some(Shelf::open()?) };
    let home = Home::new(args.isolation, shelf.as_ref(), Crowd::Many)
        .map_err(|error| (Exit::Internal, format!("failed to {error} ({})", error.code())))?;
    // Another process has it open, or the provider here holds it.
    drop(shelf);
    let mut spec = SessionSpec::default();
    spec.durability = if args.ephemeral { Durability::Ephemeral } else { Durability::Journaled };
    spec.limits = args.cells.limits();
    spec.time_zone.clone_from(&args.cells.time_zone);
    spec.check = args.cells.check;
    let (news, tools, how) = News::of(servers);
    let delegate = servers.delegate();
    let mut options = Options::default();
    options.max_wait = args.max_wait;
    options.output_tokens = args.output_tokens;
    let names = Names::draw();
    let hatch = guard.as_ref().and_then(|guard| hatch(&names, guard, printer));
    let people = |guard: &Guard| People {
        approvals: guard.approvals.clone(),
        names: names.clone(),
        has_hatch: hatch.is_some(),
    };
    let approvals = guard.as_ref().map(|guard| Arc::new(people(guard)) as _);
    let backing = Backing {
        provider: home.provider(),
        owners: Box::new(move |tools| {
            Arc::new(Guarded::new(Arc::clone(&delegate), guard.clone(), tools)) as _
        }),
        spec,
        tools,
        servers: how,
        approvals,
        pass_through,
    };
    let face =
        Face::new(backing, options).map_err(|error| (Exit::Internal, format!("failed to start: {error}")))?;
    let served = tokio::select! {
        exit = interrupt.fired() => Ok(exit),
        served = serve(&face, endpoint, printer) => served.map(|()| Exit::Success),
        never = news.follow(servers, printer) => match never {},
        never = listen(hatch.as_ref()) => match never {},
        never = begin(&home) => match never {},
    };
    face.close().await;
    home.close().await;
    served
}

/// Opens what `carrel approve` reaches. Without it, people answer at their clients or over HTTP.
fn hatch(names: &Names, guard: &Guard, printer: &Printer) -> Option<Hatch> {
    let opened = data::folder().map_err(|error| error.to_string()).and_then(|data| {
        Hatch::open(&data, names.clone(), guard.approvals.clone()).map_err(|error| error.to_string())
    });
    opened
        .map_err(|error| {
            let message = format!("warning: `carrel approve` does not reach this server: {error}");
            printer.note(Tone::Warning, &message);
        })
        .ok()
}

/// Has the first session wait for nothing that can be there before it.
async fn begin(home: &Home) -> Infallible {
    home.start().await;
    std::future::pending().await
}

async fn listen(hatch: Option<&Hatch>) -> Infallible {
    match hatch {
        Some(hatch) => hatch.serve().await,
        None => std::future::pending().await,
    }
}

/// Says which tools are passed through: by the first of the arguments that fits, under a name of their own or the one that
/// cells call, else as the configuration says.
fn pass_through(passed: &[Passed], configured: Vec<config::PassThrough>) -> Option<PassThrough> {
    let passed = passed.to_vec();
    let is_any = !passed.is_empty() || !configured.is_empty();
    let pass: PassThrough = Box::new(move |tool| {
        let name = tool.name.as_str();
        if let Some(fits) = passed.iter().find(|passed| passed.pattern.fits(name)) {
            return Some(fits.name.clone().unwrap_or_else(|| name.to_owned()));
        }
        let is_configured = configured.iter().any(|pass| pass.fits(tool.server.as_deref(), name));
        is_configured.then(|| name.to_owned())
    });
    is_any.then_some(pass)
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

impl Owner for Guarded {
    fn delegate(&self) -> Arc<dyn CodeModeSessionDelegate> {
        Arc::clone(&self.delegate)
    }

    fn set_tools(&self, tools: &[ToolDescription]) {
        self.set_tools(tools);
    }
}

/// What says how the servers behind the tools are.
struct News {
    tools: watch::Sender<Arc<[ToolDescription]>>,
    servers: watch::Sender<Arc<carrel_mcp::Servers>>,
}

type Heard = (News, watch::Receiver<Arc<[ToolDescription]>>, watch::Receiver<Arc<carrel_mcp::Servers>>);

impl News {
    /// Says how they are before they are connected, and from then on.
    fn of(servers: &Servers) -> Heard {
        let (tools, newest) = watch::channel(servers.tools().into());
        let (now, how) = watch::channel(Arc::new(state(servers)));
        (Self { tools, servers: now }, newest, how)
    }

    /// Connects them, and passes on what becomes of them and their tools. Does not end by itself.
    async fn follow(self, servers: &Servers, printer: &Printer) -> Infallible {
        let establish = async {
            servers.establish().await;
            servers.report_problems(printer);
            std::future::pending().await
        };
        let follow = async {
            let mut connecting = servers.connecting();
            let Some(mut tools) = servers.watch() else { return std::future::pending().await };
            loop {
                // The tools of a server are there before it is said to be, so they are read after that, and told before.
                let now = state(servers);
                self.tools.send_replace(servers.tools().into());
                self.servers.send_replace(Arc::new(now));
                tokio::select! {
                    Ok(()) = connecting.changed() => {}
                    Ok(()) = tools.changed() => {}
                    else => return std::future::pending().await,
                }
            }
        };
        tokio::select! {
            never = establish => never,
            never = follow => never,
        }
    }
}

/// Says which of them are not there.
fn state(servers: &Servers) -> carrel_mcp::Servers {
    let connecting = servers.connecting().borrow().iter().cloned().collect();
    carrel_mcp::Servers { connecting, failures: servers.failures() }
}
