//! A run under a policy: the policy with what the command line adds to it, around the delegate of the servers.

use std::sync::Arc;

use carrel_contract::{CodeModeSessionDelegate, ToolDescription};
use carrel_tools::policy::{Approvals, Policy, PolicyDelegate, PolicyError, Unattended};

use crate::args::{self, GuardArgs};
use crate::sessions::Settings;

/// A policy that is to be held to.
#[derive(Clone)]
pub(crate) struct Guard {
    policy: Policy,
    /// The calls that wait for a person.
    pub(crate) approvals: Approvals,
}

/// Why there is no policy to hold to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GuardError {
    /// It cannot be used.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// What was said of it is about none.
    #[error("use `{flag}`: there is no policy; name one with `--policy`")]
    NoPolicy {
        /// What was said.
        flag: &'static str,
    },
}

impl Guard {
    /// Reads the policy that the arguments name, else the one that their session is under, if there is any. `unattended` is
    /// what becomes of questions while nobody is there, where neither the arguments nor the policy say.
    pub(crate) fn load(
        args: &GuardArgs,
        settings: &Settings,
        unattended: Unattended,
    ) -> Result<Option<Self>, GuardError> {
        let Some(file) = args.policy.as_ref().or(settings.policy.as_ref()) else {
            let said = [("--approve", !args.approve.is_empty()), ("--unattended", args.unattended.is_some())];
            return match said.iter().find(|(_, said)| *said) {
                Some((flag, _)) => Err(GuardError::NoPolicy { flag }),
                None => Ok(None),
            };
        };
        let mut policy = Policy::load(file)?.approving(args.approve.iter().cloned());
        let asked_for = args.unattended.map(|unattended| match unattended {
            args::Unattended::Deny => Unattended::Deny,
            args::Unattended::Wait => Unattended::Wait,
        });
        policy.unattended = asked_for.or(policy.unattended).or(Some(unattended));
        Ok(Some(Self { policy, approvals: Approvals::default() }))
    }
}

/// The delegate of the servers, with the policy around it where there is one.
pub(crate) struct Guarded {
    pub(crate) delegate: Arc<dyn CodeModeSessionDelegate>,
    /// What the policy asks a person.
    pub(super) approvals: Option<Approvals>,
    policy: Option<Arc<PolicyDelegate>>,
}

impl Guarded {
    /// Puts the policy around the delegate of one session's, for these tools.
    pub(crate) fn new(
        delegate: Arc<dyn CodeModeSessionDelegate>,
        guard: Option<Guard>,
        tools: &[ToolDescription],
    ) -> Self {
        let Some(Guard { policy, approvals, .. }) = guard else {
            return Self { delegate, approvals: None, policy: None };
        };
        let guarded = PolicyDelegate::new(delegate, policy, tools, approvals.clone());
        let policy = Arc::new(guarded.with_hint(|tool| {
            format!("whoever runs the cell can allow it at a terminal, or in advance with `--approve {tool}`")
        }));
        Self { delegate: Arc::clone(&policy) as _, approvals: Some(approvals), policy: Some(policy) }
    }

    /// Tells the policy of other tools. It comes before a session is told: what the policy does not know is refused.
    pub(crate) fn set_tools(&self, tools: &[ToolDescription]) {
        if let Some(policy) = &self.policy {
            policy.set_tools(tools);
        }
    }
}
