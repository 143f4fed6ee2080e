//! How hosts are started and looked after.

use std::ffi::OsString;
use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use carrel_contract::CellChecker;

/// The command that is a host: `carrel host`, or another program that speaks the protocol.
#[derive(Clone, Debug)]
pub struct HostCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments; where it is to listen and who started it is added.
    pub args: Vec<OsString>,
}

impl HostCommand {
    /// Names `PROGRAM host`.
    pub fn carrel(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), args: vec!["host".into()] }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }
}

/// How sessions are spread over hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// One for all.
    Shared,
    /// One each.
    PerSession,
    /// So many, in turns.
    Hosts(NonZeroUsize),
}

/// How a host is spoken with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// By its standard streams.
    Stdio,
    /// By a socket in a folder that this user alone can look into.
    UnixSocket,
}

/// See the [module](self).
#[derive(Clone)]
#[non_exhaustive]
pub struct ProcessOptions {
    /// What is started.
    pub command: HostCommand,
    /// How it is spoken with.
    pub transport: Transport,
    /// How many there are: one for all sessions.
    pub pool: Pool,
    /// How long one may take to introduce itself: 10 s.
    pub handshake: Duration,
    /// How often one is asked for a sign of life: every second.
    pub heartbeat: Duration,
    /// One that gives no sign of life for so long is killed: 10 s.
    pub patience: Duration,
    /// The wait after a host that did not come up, or died at once: 50 ms, doubled each time.
    pub backoff: Duration,
    /// The longest such wait: 5 s.
    pub max_backoff: Duration,
    /// A host that has admitted so many cells takes no more sessions, and ends with its last one.
    pub max_cells: Option<u64>,
    /// The same for one that has so much memory.
    pub max_memory_bytes: Option<u64>,
    /// What checks the types of cells of sessions that ask for it: here, because a host starts no process.
    pub checker: Option<Arc<dyn CellChecker>>,
}

impl fmt::Debug for ProcessOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessOptions")
            .field("command", &self.command)
            .field("transport", &self.transport)
            .field("pool", &self.pool)
            .finish_non_exhaustive()
    }
}

impl ProcessOptions {
    /// The defaults, for a command.
    #[must_use]
    pub fn new(command: HostCommand) -> Self {
        Self {
            command,
            transport: Transport::Stdio,
            pool: Pool::Shared,
            handshake: Duration::from_secs(10),
            heartbeat: Duration::from_secs(1),
            patience: Duration::from_secs(10),
            backoff: Duration::from_millis(50),
            max_backoff: Duration::from_secs(5),
            max_cells: None,
            max_memory_bytes: None,
            checker: None,
        }
    }
}
