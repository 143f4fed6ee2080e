//! Rules, and what they say of a tool: every rule that matches holds, and the strictest decision counts.

use std::fmt;
use std::path::Path;

use carrel_contract::{ToolDescription, ToolHints};

use super::error::{PolicyError, UnreadablePolicy};
use super::limits::PolicyLimits;
use super::parse;
use super::pattern::Pattern;

/// The largest policy that is read, in bytes.
const MAX_POLICY_BYTES: u64 = 1 << 20;

/// What becomes of a call. The later is the stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    /// It is made.
    Allow,
    /// It is made once a person allows it.
    Ask,
    /// It is not made.
    Deny,
}

impl Decision {
    /// Returns the word for it in a policy.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Ask => "ask",
            Self::Deny => "deny",
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What becomes of a call that a person has to allow while nobody is there to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unattended {
    /// It waits until somebody is.
    Wait,
    /// It is refused.
    Deny,
}

/// What a rule wants of a tool's annotations: only those that are set are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Annotations {
    /// Whether it changes nothing.
    pub read_only: Option<bool>,
    /// Whether it may destroy something.
    pub destructive: Option<bool>,
    /// Whether calling it again changes nothing more.
    pub idempotent: Option<bool>,
    /// Whether it reaches beyond its server.
    pub open_world: Option<bool>,
}

impl Annotations {
    fn fit(&self, hints: ToolHints) -> bool {
        [
            (self.read_only, hints.read_only),
            (self.destructive, hints.destructive),
            (self.idempotent, hints.idempotent),
            (self.open_world, hints.open_world),
        ]
        .into_iter()
        .all(|(wanted, is)| wanted.is_none_or(|wanted| wanted == is))
    }

    /// Tells whether none is looked at.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// One rule of a policy.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Rule {
    /// What its author calls it.
    pub name: Option<String>,
    /// Where it stands in its file, from 1.
    pub line: usize,
    /// The tools it is about, any of these; all when empty.
    pub tools: Vec<Pattern>,
    /// The tools it is not about, although the rest of it fits.
    pub except: Vec<Pattern>,
    /// The servers it is about, any of these; all when empty.
    pub servers: Vec<Pattern>,
    /// What it wants of the annotations.
    pub annotations: Annotations,
    /// What becomes of the calls; a rule without only limits them.
    pub decision: Option<Decision>,
    /// Why, for the model and for the person who is asked.
    pub reason: Option<String>,
    /// What it limits, over all the calls that it matches together.
    pub limits: PolicyLimits,
}

impl Rule {
    /// Tells whether it is about a tool by name and by server, whatever the annotations.
    pub(super) fn names(&self, tool: &ToolDescription) -> bool {
        let name = tool.name.as_str();
        let any = |patterns: &[Pattern], text: &str| patterns.iter().any(|pattern| pattern.fits(text));
        (self.tools.is_empty() || any(&self.tools, name))
            && !any(&self.except, name)
            && (self.servers.is_empty() || any(&self.servers, tool.server.as_deref().unwrap_or_default()))
    }

    fn matches(&self, tool: &ToolDescription, hints: ToolHints) -> bool {
        self.names(tool) && self.annotations.fit(hints)
    }
}

/// Rules for the calls of a session, as their owner wrote them.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Policy {
    /// What becomes of calls that no rule decides.
    pub default: Decision,
    /// What becomes of calls that wait for a person while nobody is there, where the policy says so.
    pub unattended: Option<Unattended>,
    /// The servers whose annotations count. Those of others are taken for what MCP assumes of a tool that has none.
    pub trust: Vec<Pattern>,
    /// What is limited over all calls together.
    pub limits: PolicyLimits,
    /// The rules.
    pub rules: Vec<Rule>,
    /// The tools for which a person has allowed in advance what they would be asked.
    pub approved: Vec<Pattern>,
}

/// What a policy says of one tool.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ruling {
    pub(super) decision: Decision,
    /// What decided.
    pub(super) by: Source,
    pub(super) reason: Option<String>,
    /// The limits that hold, by whose they are. Those without any are left out.
    pub(super) limited_by: Vec<Source>,
    pub(super) server: Option<String>,
    /// Whether a call that may have happened may be made again, as far as its server is to be believed.
    pub(super) repeatable: bool,
}

/// What a decision or a limit comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Source {
    /// The policy's `default` or its own `limits`.
    Policy,
    /// The rule at this place.
    Rule(usize),
    /// What was approved in advance.
    Approved,
}

impl Policy {
    /// Reads a policy from a file of at most 1 MiB.
    ///
    /// # Errors
    /// [`PolicyError`], which names the file, the line, the column, what was found and what is accepted.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, PolicyError> {
        let path = path.as_ref();
        let text = read(path).map_err(|source| UnreadablePolicy { path: path.to_owned(), source })?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Reads a policy from text. `origin` says in errors where the text came from.
    ///
    /// # Errors
    /// [`PolicyError`], which names the origin, the line, the column, what was found and what is accepted.
    pub fn parse(text: &str, origin: &str) -> Result<Self, PolicyError> {
        Ok(parse::parse(text, origin)?)
    }

    /// Allows in advance what a person would be asked for these tools. It lifts no `deny` and no limit.
    #[must_use]
    pub fn approving(mut self, tools: impl IntoIterator<Item = Pattern>) -> Self {
        self.approved.extend(tools);
        self
    }

    /// Tells whether a server's word on its tools counts.
    pub(super) fn trusts(&self, server: Option<&str>) -> bool {
        self.trust.iter().any(|pattern| pattern.fits(server.unwrap_or_default()))
    }

    /// Returns the places of the rules that match a tool.
    pub(super) fn matching(&self, tool: &ToolDescription) -> Vec<usize> {
        let hints = self.hints(tool);
        let matches = |(place, rule): (usize, &Rule)| rule.matches(tool, hints).then_some(place);
        self.rules.iter().enumerate().filter_map(matches).collect()
    }

    fn hints(&self, tool: &ToolDescription) -> ToolHints {
        if self.trusts(tool.server.as_deref()) { tool.hints } else { ToolHints::default() }
    }

    pub(super) fn rule(&self, tool: &ToolDescription) -> Ruling {
        let matching = self.matching(tool);
        let decided = matching.iter().filter_map(|&place| Some((place, self.rules.get(place)?.decision?)));
        // Of equally strict rules the first gives the reason.
        let strictest = decided.reduce(|best, next| if next.1 > best.1 { next } else { best });
        let (mut by, mut decision) = match strictest {
            Some((place, decision)) => (Source::Rule(place), decision),
            None => (Source::Policy, self.default),
        };
        let reason = self.reason(by).map(str::to_owned);
        if decision == Decision::Ask && self.approved.iter().any(|tools| tools.fits(tool.name.as_str())) {
            (by, decision) = (Source::Approved, Decision::Allow);
        }
        let sources = std::iter::once(Source::Policy).chain(matching.into_iter().map(Source::Rule));
        Ruling {
            decision,
            by,
            reason,
            limited_by: sources.filter(|&source| self.limits_of(source).is_some()).collect(),
            server: tool.server.clone(),
            repeatable: self.hints(tool).repeatable(),
        }
    }

    /// Returns the limits of a source, when it has any.
    pub(super) fn limits_of(&self, source: Source) -> Option<&PolicyLimits> {
        let limits = match source {
            Source::Policy => &self.limits,
            Source::Rule(place) => &self.rules.get(place)?.limits,
            Source::Approved => return None,
        };
        (!limits.is_empty()).then_some(limits)
    }

    /// Names what decided, or what limits.
    pub(super) fn name(&self, source: Source) -> String {
        match source {
            Source::Policy => "the default".to_owned(),
            Source::Approved => "approved in advance".to_owned(),
            Source::Rule(place) => match self.rules.get(place) {
                Some(Rule { name: Some(name), .. }) => format!("rule `{name}`"),
                Some(rule) => format!("the rule at line {}", rule.line),
                None => "a rule".to_owned(),
            },
        }
    }

    fn reason(&self, source: Source) -> Option<&str> {
        let Source::Rule(place) = source else { return None };
        self.rules.get(place)?.reason.as_deref()
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    use std::io::Read as _;

    let mut text = String::new();
    std::fs::File::open(path)?.take(MAX_POLICY_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_POLICY_BYTES {
        return Err(std::io::Error::other("it is larger than 1 MiB"));
    }
    Ok(text)
}
