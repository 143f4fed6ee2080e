//! What all connections share.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use carrel_contract::{CodeModeSessionDelegate, CodeModeSessionProvider, SessionSpec, ToolDescription};
use rmcp::model::RequestStateCodec;
use tokio::sync::watch;

use crate::approvals::Approvals;
use crate::catalogue::Catalogue;
use crate::pass::PassThrough;
use crate::sessions::Sessions;
use crate::supply::{Servers, Supply};

/// How a face behaves.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// The longest that `exec` and `wait` keep a client waiting; longer times that a client asks for are cut to it. By default
    /// what is known of the client, by its name, else 50 s.
    pub max_wait: Option<Duration>,
    /// The budget of an answer's output in tokens of four bytes, where the caller names none. By default what is known of
    /// the client, else 8,000.
    pub output_tokens: Option<usize>,
}

/// The owner of one session.
pub trait Owner: Send + Sync + 'static {
    /// Returns what the session reaches out through.
    fn delegate(&self) -> Arc<dyn CodeModeSessionDelegate>;

    /// Hears of other tools of the session, before that has them.
    fn set_tools(&self, tools: &[ToolDescription]);
}

/// Makes the owner of a session with these tools.
pub type Owners = Box<dyn Fn(&[ToolDescription]) -> Arc<dyn Owner> + Send + Sync>;

/// What a face shows.
pub struct Backing {
    /// Where sessions come from.
    pub provider: Arc<dyn CodeModeSessionProvider>,
    /// Makes their owners.
    pub owners: Owners,
    /// What they are like. The tools in it do not count.
    pub spec: SessionSpec,
    /// Their tools, as they are now.
    pub tools: watch::Receiver<Arc<[ToolDescription]>>,
    /// Which servers' tools are not there, or not yet.
    pub servers: watch::Receiver<Arc<Servers>>,
    /// Who holds calls back for a person, if anybody does.
    pub approvals: Option<Arc<dyn Approvals>>,
    /// Which tools are listed beside ours, if any are.
    pub pass_through: Option<PassThrough>,
}

/// Sessions as an MCP server shows them. Cheap to clone; clones are the same face.
#[derive(Clone)]
pub struct Face(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) sessions: Sessions,
    pub(crate) catalogue: Catalogue,
    pub(crate) supply: Arc<Supply>,
    pub(crate) options: Options,
    pub(crate) approvals: Option<Arc<dyn Approvals>>,
    pub(crate) pass_through: Option<PassThrough>,
    /// Seals what clients bring back.
    pub(crate) codec: RequestStateCodec,
}

impl Face {
    /// Makes a face.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn new(backing: Backing, options: Options) -> io::Result<Self> {
        let Backing { provider, owners, spec, tools, servers, approvals, pass_through } = backing;
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        let codec = RequestStateCodec::try_new(key).map_err(io::Error::other)?;
        let supply = Arc::new(Supply::new(servers));
        let sessions = Sessions::new(provider, owners, spec, tools.clone(), Arc::clone(&supply));
        let catalogue = Catalogue::new(tools);
        Ok(Self(Arc::new(Shared { sessions, catalogue, supply, options, approvals, pass_through, codec })))
    }

    /// Lets go of all sessions. What runs in durable ones goes on when they are opened again.
    pub async fn close(&self) {
        self.0.sessions.close().await;
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.0
    }
}

impl std::fmt::Debug for Face {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Face").field("options", &self.0.options).finish_non_exhaustive()
    }
}
