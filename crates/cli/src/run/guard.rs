//! A run under a policy: the policy with what the command line adds to it, around the delegate of the servers.

use std::sync::Arc;

use carrel_contract::{CodeModeSessionDelegate, ToolDescription};
use carrel_tools::policy::{Approvals, Policy, PolicyDelegate, PolicyError, Unattended};

use crate::args::{self, GuardArgs};
use crate::sessions::Settings;

/// A policy that is to be held to.
pub(crate) struct Guard {
    policy: Policy,
    /// The calls that wait for a person.
    pub(super) approvals: Approvals,
}

impl Guard {
    /// Reads the policy that the arguments name, else the one that their session is under, if there is any.
    pub(crate) fn load(args: &GuardArgs, settings: &Settings) -> Result<Option<Self>, PolicyError> {
        let Some(file) = args.policy.as_ref().or(settings.policy.as_ref()) else { return Ok(None) };
        let mut policy = Policy::load(file)?.approving(args.approve.iter().cloned());
        let asked_for = args.unattended.map(|unattended| match unattended {
            args::Unattended::Deny => Unattended::Deny,
            args::Unattended::Wait => Unattended::Wait,
        });
        // A run that nobody watches should not hang.
        policy.unattended = asked_for.or(policy.unattended).or(Some(Unattended::Deny));
        Ok(Some(Self { policy, approvals: Approvals::default() }))
    }

    /// Puts the policy around a delegate.
    pub(super) fn around(
        self,
        delegate: Arc<dyn CodeModeSessionDelegate>,
        tools: &[ToolDescription],
    ) -> Arc<PolicyDelegate> {
        let guarded = PolicyDelegate::new(delegate, self.policy, tools, self.approvals);
        Arc::new(guarded.with_hint(|tool| {
            format!("whoever runs the cell can allow it at a terminal, or in advance with `--approve {tool}`")
        }))
    }
}
