//! What a policy says of each of a set of tools, and which of its rules say nothing: for whoever writes one.

use std::fmt;

use carrel_contract::{ToolDescription, ToolName};

use super::rule::{Decision, Policy, Rule, Source};
use crate::near::nearest;

/// A policy held against a set of tools.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PolicyCheck {
    /// The tools, in the order given.
    pub tools: Vec<CheckedTool>,
    /// What its author should look at.
    pub warnings: Vec<PolicyWarning>,
}

/// What becomes of the calls of one tool.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CheckedTool {
    /// The tool.
    pub name: ToolName,
    /// The server that has it.
    pub server: Option<String>,
    /// What becomes of its calls.
    pub decision: Decision,
    /// What in the policy says so.
    pub by: String,
    /// Why, as the policy says.
    pub reason: Option<String>,
    /// The limits on its calls: name, value, and what in the policy says so.
    pub limits: Vec<(&'static str, String, String)>,
}

/// Something in a policy that does nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyWarning {
    /// A rule matches no tool.
    NeverMatches {
        /// The rule.
        rule: String,
        /// Why not, as far as it is known.
        why: String,
    },
    /// A rule's decision never counts, because stricter or equal ones do for every tool that it matches.
    NeverDecides {
        /// The rule.
        rule: String,
        /// What decides instead.
        instead: Vec<String>,
    },
    /// A server that is trusted has no tool.
    TrustsNobody {
        /// The pattern.
        server: String,
    },
}

impl fmt::Display for PolicyWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverMatches { rule, why } => write!(f, "{rule} matches no tool: {why}"),
            Self::NeverDecides { rule, instead } => {
                write!(
                    f,
                    "{rule} decides nothing: for every tool that it matches, {} decides",
                    instead.join(" or ")
                )
            }
            Self::TrustsNobody { server } => {
                write!(f, "`trust` names `{server}`, which is no server of these tools")
            }
        }
    }
}

impl Policy {
    /// Holds the policy against tools: what becomes of the calls of each, and which rules never apply to any.
    #[must_use]
    pub fn check(&self, tools: &[ToolDescription]) -> PolicyCheck {
        let rulings: Vec<_> = tools.iter().map(|tool| (tool, self.matching(tool), self.rule(tool))).collect();
        let mut warnings = Vec::new();
        for (place, rule) in self.rules.iter().enumerate() {
            let source = Source::Rule(place);
            let matched: Vec<_> =
                rulings.iter().filter(|(_, matching, _)| matching.contains(&place)).collect();
            if matched.is_empty() {
                let why = self.why_not(rule, tools);
                warnings.push(PolicyWarning::NeverMatches { rule: self.name(source), why });
                continue;
            }
            // One that limits does something, and one that asks decides what is then approved.
            let counts = |by: Source| by == source || by == Source::Approved;
            if rule.decision.is_some()
                && rule.limits.is_empty()
                && !matched.iter().any(|(_, _, ruling)| counts(ruling.by))
            {
                let mut instead: Vec<String> =
                    matched.iter().map(|(_, _, ruling)| self.name(ruling.by)).collect();
                instead.sort_unstable();
                instead.dedup();
                instead.truncate(3);
                warnings.push(PolicyWarning::NeverDecides { rule: self.name(source), instead });
            }
        }
        let served = |pattern: &super::Pattern| {
            tools.iter().any(|tool| pattern.fits(tool.server.as_deref().unwrap_or_default()))
        };
        let nobody = self.trust.iter().filter(|pattern| !served(pattern));
        warnings.extend(nobody.map(|server| PolicyWarning::TrustsNobody { server: server.to_string() }));
        let checked = rulings.into_iter().map(|(tool, _, ruling)| CheckedTool {
            name: tool.name.clone(),
            server: tool.server.clone(),
            decision: ruling.decision,
            by: self.name(ruling.by),
            reason: ruling.reason,
            limits: ruling.limited_by.iter().flat_map(|&source| self.limits_listed(source)).collect(),
        });
        PolicyCheck { tools: checked.collect(), warnings }
    }

    fn limits_listed(&self, source: Source) -> Vec<(&'static str, String, String)> {
        let whose = if source == Source::Policy { "all tools".to_owned() } else { self.name(source) };
        let listed = self.limits_of(source).map(super::PolicyLimits::listed).unwrap_or_default();
        listed.into_iter().map(|(key, value)| (key, value, whose.clone())).collect()
    }

    /// Says why a rule matches none of the tools.
    fn why_not(&self, rule: &Rule, tools: &[ToolDescription]) -> String {
        if tools.is_empty() {
            return "there are no tools".to_owned();
        }
        let named: Vec<_> = tools.iter().filter(|tool| rule.names(tool)).collect();
        if let Some(distrusted) = named.iter().find(|tool| !self.trusts(tool.server.as_deref())) {
            let server = distrusted.server.as_deref().unwrap_or("(none)");
            return format!(
                "it looks at annotations, and those of server `{server}` do not count; add the server to `trust` if you \
                 believe what it says of its tools"
            );
        }
        if !named.is_empty() {
            return "none of the tools it names has the annotations it wants".to_owned();
        }
        let names = || tools.iter().map(|tool| tool.name.as_str());
        let near =
            rule.tools.iter().find_map(|pattern| nearest(pattern.as_str(), names(), 1).first().copied());
        match near {
            Some(near) => format!("no tool has such a name; did you mean `{near}`?"),
            None => "no tool has such a name, or none of such a server".to_owned(),
        }
    }
}
