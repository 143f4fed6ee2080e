//! The program `carrel`: cells from the command line.
//!
//! This file reads the arguments, hands them to one command, and turns its [`Exit`] into the process's exit
//! code. Two things hold throughout the crate: data goes to stdout and everything else to stderr, and
//! sessions are used through the contract's traits; only `provider.rs` and `sessions` know what is behind them, `travel`, which
//! reads their journals, and `store`, which looks after the file they are in.

mod approve;
mod args;
mod data;
mod doctor;
mod exit;
mod host;
mod import;
mod install;
mod interrupt;
mod learned;
mod login;
mod mcp;
mod policy;
mod printer;
mod provider;
mod repl;
mod run;
mod sanitize;
mod servers;
mod sessions;
mod store;
mod terminal;
mod tools;
mod travel;
mod units;

use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::Duration;

use args::{Cli, Command, PolicyCommand};
use exit::Exit;
use interrupt::{Ignored, Interrupt};

/// How long the threads have to end when the program does.
const LEAVING: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(exit) => return exit.into(),
    };
    let surroundings = Surroundings {
        ignored: Ignored::by_this_process(),
        processors: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
    };
    let exit = match cli.command {
        // It gives up what it does not need before it has a second thread.
        Command::Host(args) => host::prepare(&args, surroundings.processors)
            .map_or_else(|exit| exit, |ready| execute(surroundings, |interrupt| host::run(ready, interrupt))),
        // Its exit codes are those of the host whose place it takes.
        Command::CodexHost(args) => return carrel_codex_host::run(&args),
        command => execute(surroundings, |interrupt| perform(command, interrupt)),
    };
    exit.into()
}

/// What a sandbox would not tell any more.
#[derive(Clone, Copy)]
struct Surroundings {
    ignored: Ignored,
    processors: NonZeroUsize,
}

fn execute<F>(surroundings: Surroundings, command: impl FnOnce(Interrupt) -> F) -> Exit
where
    F: Future<Output = Exit> + Send + 'static,
{
    // Two at least: a write to a full pipe may hold one of them up, and limits have to be kept meanwhile.
    let workers = surroundings.processors.get().max(2);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("carrel: failed to start: {error}");
            return Exit::Internal;
        }
    };
    let exit = runtime.block_on(interrupt::supervise(surroundings.ignored, command));
    // What is still held, a server's process after a second Ctrl-C for example, is dropped and so ended. Whatever
    // blocks a thread by now, such as a terminal's paused output, is not waited for.
    runtime.shutdown_timeout(LEAVING);
    exit
}

async fn perform(command: Command, interrupt: Interrupt) -> Exit {
    match command {
        Command::Run(args) => run::run(args, interrupt).await,
        Command::Repl(args) => repl::run(args, interrupt).await,
        Command::Mcp(args) => mcp::run(args, interrupt).await,
        Command::Approve(args) => approve::run(args, interrupt).await,
        Command::Tools(args) => tools::run(args, interrupt).await,
        Command::Import(args) => import::run(&args),
        Command::Install(args) => install::install(&args, &interrupt).await,
        Command::Uninstall(args) => install::uninstall(&args, &interrupt).await,
        Command::Login(args) => login::login(args, interrupt).await,
        Command::Logout(args) => login::logout(&args).await,
        Command::Policy(args) => match args.command {
            PolicyCommand::Check(args) => policy::check(args, interrupt).await,
        },
        Command::Sessions(args) => sessions::list(args, interrupt).await,
        Command::Resume(args) => sessions::resume(args, interrupt).await,
        Command::Rm(args) => sessions::remove(args).await,
        Command::Log(args) => travel::log(args, interrupt).await,
        Command::Replay(args) => travel::replay(args, interrupt).await,
        Command::Fork(args) => travel::fork(args).await,
        Command::Doctor(args) => doctor::run(args, interrupt).await,
        Command::Store(args) => store::run(args, interrupt).await,
        // `main` has it.
        Command::Host(_) | Command::CodexHost(_) => Exit::Internal,
        Command::ExampleServer => servers::serve_example(&interrupt).await,
    }
}
