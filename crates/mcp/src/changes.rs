//! Clients are told when other tools are passed through than those that they know.

use std::sync::{Arc, Mutex, PoisonError};

use carrel_contract::ToolDescription;
use rmcp::model::Tool;
use tokio::sync::watch;

use crate::face::Face;
use crate::pass::{self, Passed};

/// Returns the tools that are passed through, as they are now.
pub(crate) fn passed_now(face: &Face) -> Vec<Passed> {
    let shared = face.shared();
    let tools = shared.catalogue.tools();
    shared.pass_through.as_ref().map(|pass| pass::passed(&tools, pass)).unwrap_or_default()
}

fn listed(face: &Face) -> Vec<Tool> {
    passed_now(face).iter().map(Passed::listed).collect()
}

/// What a client was listed last; nothing yet at first. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Known(Arc<Mutex<Option<Vec<Tool>>>>);

impl Known {
    /// Lists the tools that are passed through.
    pub(crate) fn list(&self, face: &Face) -> Vec<Tool> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(listed(face)).clone()
    }

    /// Tells whether a client knows other tools than there are, once.
    fn is_outdated(&self, face: &Face) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = listed(face);
        match &mut *known {
            Some(known) if *known != now => {
                *known = now;
                true
            }
            // Whoever has not asked yet will be told.
            _ => false,
        }
    }
}

/// Notices when what a client knows is outdated.
pub(crate) struct Changes {
    face: Face,
    tools: watch::Receiver<Arc<[ToolDescription]>>,
    known: Known,
}

impl Changes {
    pub(crate) fn new(face: &Face, known: Known) -> Self {
        let tools = face.shared().catalogue.watch();
        Self { face: face.clone(), tools, known }
    }

    /// Waits until it is. Cancel safe.
    pub(crate) async fn next(&mut self) {
        while !self.known.is_outdated(&self.face) {
            if self.tools.changed().await.is_err() {
                // Whoever had tools has gone, and none will change.
                std::future::pending::<()>().await;
            }
        }
    }
}
