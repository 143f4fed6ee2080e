//! The people at the clients, and whoever answers in their place.

use std::pin::Pin;
use std::sync::Arc;

use carrel_mcp::{Attendant, Decision, Question};
use carrel_tools::policy::{self, Answer, ApprovalId, ApprovalRequest, Approvals};

use crate::approve::{self, Names};

/// The people at the clients, as a policy knows them.
pub(super) struct People {
    pub(super) approvals: Approvals,
    pub(super) names: Names,
    /// Whether `carrel approve` reaches this process.
    pub(super) has_hatch: bool,
}

impl carrel_mcp::Approvals for People {
    fn attend(&self) -> Box<dyn Attendant> {
        Box::new(Person(self.approvals.attend()))
    }

    fn pending(&self) -> Vec<Question> {
        let question = |request: Arc<ApprovalRequest>| Question {
            id: request.id.0,
            command: self.has_hatch.then(|| approve::command(&self.names.of(request.id))),
            name: self.names.of(request.id),
            session_id: request.session_id.clone(),
            cell_id: request.cell_id.clone(),
            text: request.question(),
        };
        self.approvals.pending().into_iter().map(question).collect()
    }

    fn answer(&self, questions: &[u64], decision: Decision) -> Vec<u64> {
        let answer = match decision {
            Decision::Allow => Answer::Allow,
            Decision::AllowForSession => Answer::AllowForSession,
            _ => Answer::Deny { reason: None },
        };
        let ids: Vec<_> = questions.iter().copied().map(ApprovalId).collect();
        let failures = self.approvals.answer(&ids, &answer).err().unwrap_or_default();
        failures.iter().map(|failure| failure.id().0).collect()
    }
}

struct Person(policy::Attendant);

impl Attendant for Person {
    fn changed(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.0.changed())
    }
}
