//! What all connections share.

use std::sync::Arc;
use std::time::Duration;

use carrel_contract::{CodeModeSessionDelegate, CodeModeSessionProvider, SessionSpec, ToolDescription};
use tokio::sync::watch;

use crate::catalogue::Catalogue;
use crate::sessions::Sessions;

/// How long a call may take by default, in seconds: clients that give up earlier are not known, and some give up at 60.
const MAX_WAIT: Duration = Duration::from_secs(50);
/// The default budget of an answer's output, in tokens of four bytes: some clients cut at 10,000.
const OUTPUT_TOKENS: usize = 8_000;

/// How a face behaves.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The longest that `exec` and `wait` keep a client waiting; longer times that a client asks for are cut to it. 50 s
    /// by default.
    pub max_wait: Duration,
    /// The budget of an answer's output in tokens of four bytes, where the client names none. 8,000 by default.
    pub output_tokens: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { max_wait: MAX_WAIT, output_tokens: OUTPUT_TOKENS }
    }
}

/// Sessions as an MCP server shows them. Cheap to clone; clones are the same face.
#[derive(Clone)]
pub struct Face(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) sessions: Sessions,
    pub(crate) catalogue: Catalogue,
    pub(crate) options: Options,
}

impl Face {
    /// Makes a face of sessions that `provider` makes like `spec`, with `delegate` as their owner and the newest of
    /// `tools` as their tools. The tools of `spec` do not count.
    #[must_use]
    pub fn new(
        provider: Arc<dyn CodeModeSessionProvider>,
        delegate: Arc<dyn CodeModeSessionDelegate>,
        spec: SessionSpec,
        tools: watch::Receiver<Arc<[ToolDescription]>>,
        options: Options,
    ) -> Self {
        let sessions = Sessions::new(provider, delegate, spec, tools.clone());
        Self(Arc::new(Shared { sessions, catalogue: Catalogue::new(tools), options }))
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
