//! The list of tests that are expected to fail, `expected.txt` beside this crate's manifest.
//!
//! Groups are separated by empty lines. A group begins with its reason, in lines that begin with `#`; then comes a path
//! a line, as the suite names it, in which `*` stands for anything. Every test that a line matches is expected to fail.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;

use crate::runner::Outcome;

/// Where the list is.
pub(crate) const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/expected.txt");

/// The reason of the group that blessing adds.
const NEW: &str = "# Not looked at yet.";

/// The list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Expected {
    groups: Vec<Group>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Group {
    reason: Vec<String>,
    patterns: Vec<String>,
}

/// Where results differ from the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Surprises {
    pub(crate) failed: Vec<String>,
    pub(crate) passed: Vec<String>,
    /// Lines that match no test that was run.
    pub(crate) stale: Vec<String>,
}

/// Why the list cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("read {PATH}: {0}")]
    Read(io::Error),
    #[error("write {PATH}: {0}")]
    Write(io::Error),
    #[error("read {PATH}: \"{0}\" belongs to no group; a group begins with a line of its reason, `# …`")]
    NoReason(String),
}

impl Expected {
    /// Reads the list.
    pub(crate) fn read() -> Result<Self, Error> {
        Self::parse(&fs::read_to_string(PATH).map_err(Error::Read)?)
    }

    /// Writes the list.
    pub(crate) fn write(&self) -> Result<(), Error> {
        fs::write(PATH, self.text()).map_err(Error::Write)
    }

    fn parse(text: &str) -> Result<Self, Error> {
        let mut groups: Vec<Group> = Vec::new();
        let mut is_open = false;
        for line in text.lines().map(str::trim_end) {
            match groups.last_mut().filter(|_| is_open) {
                _ if line.is_empty() => is_open = false,
                Some(group) if line.starts_with('#') => group.reason.push(line.to_owned()),
                Some(group) => group.patterns.push(line.to_owned()),
                None if line.starts_with('#') => {
                    groups.push(Group { reason: vec![line.to_owned()], patterns: Vec::new() });
                    is_open = true;
                }
                None => return Err(Error::NoReason(line.to_owned())),
            }
        }
        Ok(Self { groups })
    }

    fn text(&self) -> String {
        let groups: Vec<_> = self
            .groups
            .iter()
            .map(|group| {
                group.reason.iter().chain(&group.patterns).map(|line| format!("{line}\n")).collect::<String>()
            })
            .collect();
        groups.join("\n")
    }

    fn patterns(&self) -> impl Iterator<Item = &String> {
        self.groups.iter().flat_map(|group| &group.patterns)
    }

    /// Compares results with the list. Where all tests were run, a line that matches none is a surprise, too.
    pub(crate) fn compare(&self, outcomes: &[Outcome<'_>], all_were_run: bool) -> Surprises {
        let mut surprises = Surprises::default();
        for outcome in outcomes {
            match (&outcome.cell, self.patterns().any(|pattern| matches(pattern, outcome.path))) {
                (Ok(()), true) => surprises.passed.push(outcome.path.to_owned()),
                (Err(_), false) => surprises.failed.push(outcome.path.to_owned()),
                _ => {}
            }
        }
        let is_stale = |pattern: &&String| !outcomes.iter().any(|outcome| matches(pattern, outcome.path));
        if all_were_run {
            surprises.stale = self.patterns().filter(is_stale).cloned().collect();
        }
        surprises
    }

    /// Makes the list that the results of all tests fit. Groups keep their reasons; a line with `*` stays while all that
    /// it matches fails, else the tests that do take its place; what is new comes into a group at the end.
    pub(crate) fn bless(&mut self, outcomes: &[Outcome<'_>]) {
        let mut unexpected: BTreeSet<&str> =
            outcomes.iter().filter(|outcome| outcome.cell.is_err()).map(|outcome| outcome.path).collect();
        for group in &mut self.groups {
            let patterns = std::mem::take(&mut group.patterns);
            for pattern in patterns {
                let matched: BTreeMap<_, _> = outcomes
                    .iter()
                    .filter(|outcome| matches(&pattern, outcome.path))
                    .map(|outcome| (outcome.path, outcome.cell.is_err()))
                    .collect();
                let failing: Vec<_> =
                    matched.iter().filter(|(_, fails)| **fails).map(|(path, _)| *path).collect();
                if failing.len() == matched.len() && !failing.is_empty() {
                    group.patterns.push(pattern);
                } else {
                    group.patterns.extend(failing.iter().map(|&path| path.to_owned()));
                }
                unexpected.retain(|path| !matched.contains_key(path));
            }
            group.patterns.sort();
            group.patterns.dedup();
        }
        self.groups.retain(|group| !group.patterns.is_empty());
        if !unexpected.is_empty() {
            let new = unexpected.into_iter().map(str::to_owned);
            match self.groups.last_mut().filter(|group| group.reason == [NEW]) {
                Some(group) => group.patterns.extend(new),
                None => self.groups.push(Group { reason: vec![NEW.to_owned()], patterns: new.collect() }),
            }
        }
    }
}

impl Surprises {
    pub(crate) fn is_empty(&self) -> bool {
        self == &Self::default()
    }
}

/// Tells whether a path is the pattern's, in which `*` stands for anything.
fn matches(pattern: &str, path: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| path.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "# No tail calls.\n# Nor will there be.\na/tail/*\n\n# Odd.\nb/x.js\n";

    fn outcomes<'a>(failing: &[&'a str], passing: &[&'a str]) -> Vec<Outcome<'a>> {
        let failed = || Err("no".to_owned());
        let mut all: Vec<_> =
            failing.iter().map(|&path| Outcome { path, cell: failed(), native: Ok(()) }).collect();
        all.extend(passing.iter().map(|&path| Outcome { path, cell: Ok(()), native: failed() }));
        all
    }

    #[test]
    fn a_list_is_written_as_it_was_read() {
        assert_eq!(Expected::parse(LIST).unwrap().text(), LIST);
        let error = Expected::parse("b/x.js\n").unwrap_err();
        assert!(matches!(error, Error::NoReason(line) if line == "b/x.js"));
    }

    #[test]
    fn results_that_differ_from_the_list_are_surprises() {
        let list = Expected::parse(LIST).unwrap();
        let found = list.compare(&outcomes(&["a/tail/1.js", "c.js"], &["a/tail/2.js", "d.js"]), true);
        assert_eq!(found.failed, ["c.js"]);
        assert_eq!(found.passed, ["a/tail/2.js"]);
        assert_eq!(found.stale, ["b/x.js"]);
        assert!(list.compare(&outcomes(&["a/tail/1.js", "b/x.js"], &["d.js"]), true).is_empty());
    }

    #[test]
    fn blessing_keeps_groups_and_leaves_no_surprise() {
        let mut list = Expected::parse(LIST).unwrap();
        let results = outcomes(&["a/tail/1.js", "a/tail/3.js", "c.js"], &["a/tail/2.js", "b/x.js"]);
        list.bless(&results);
        assert_eq!(
            list.text(),
            "# No tail calls.\n# Nor will there be.\na/tail/1.js\na/tail/3.js\n\n# Not looked at yet.\nc.js\n"
        );
        assert!(list.compare(&results, true).is_empty());
        let before = list.clone();
        list.bless(&results);
        assert_eq!(list, before);
    }

    #[test]
    fn a_star_stands_for_anything() {
        assert!(matches("a/*", "a/b/c.js"));
        assert!(matches("a/*/c*.js", "a/b/c-1.js"));
        assert!(matches("a.js", "a.js"));
        for pattern in ["a", "a/*/d.js", "b*", "*b"] {
            assert!(!matches(pattern, "a/b/c.js"), "{pattern}");
        }
    }
}
