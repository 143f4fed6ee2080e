//! From TOML to rules: every key known, every value checked, every fault given its place.

use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::InvalidPolicy;
use super::limits::PolicyLimits;
use super::pattern::Pattern;
use super::rule::{Annotations, Decision, Policy, Rule, Unattended};
use crate::near::nearest;

pub(super) const TOP: &[&str] = &["default", "unattended", "trust", "limits", "rule"];
pub(super) const RULE: &[&str] = &[
    "name",
    "tools",
    "except",
    "server",
    "read_only",
    "destructive",
    "idempotent",
    "open_world",
    "decision",
    "reason",
    "limits",
];

/// More rules than anybody writes; each call's tool is held against all of them once.
const MAX_RULES: usize = 1000;
/// The longest name and the longest reason, in bytes.
const MAX_TEXT_BYTES: usize = 1000;
/// The largest number of calls a minute: that many times are remembered.
const MAX_PER_MINUTE: u64 = 100_000;

pub(super) fn parse(text: &str, origin: &str) -> Result<Policy, InvalidPolicy> {
    // Editors on Windows put a byte order mark in front.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let document = Document { text, origin };
    let table = DeTable::parse(text).map_err(|error| {
        let span = error.span().unwrap_or_default();
        document.fault(&span, error.message().replace('\n', ", "))
    })?;
    document.policy(table.get_ref())
}

type Table<'t> = DeTable<'t>;
type Value<'t> = Spanned<DeValue<'t>>;

struct Document<'a> {
    text: &'a str,
    origin: &'a str,
}

impl Document<'_> {
    fn policy(&self, table: &Table<'_>) -> Result<Policy, InvalidPolicy> {
        self.known(table, TOP, "a policy")?;
        let get = |key: &str| table.get(key);
        let unattended = |value| self.word(value, &[("wait", Unattended::Wait), ("deny", Unattended::Deny)]);
        let limits = |value| self.limits(value);
        let servers = |value| self.servers(value);
        Ok(Policy {
            default: get("default").map(|value| self.decision(value)).transpose()?.unwrap_or(Decision::Ask),
            unattended: get("unattended").map(unattended).transpose()?,
            trust: get("trust").map(servers).transpose()?.unwrap_or_default(),
            limits: get("limits").map(limits).transpose()?.unwrap_or_default(),
            rules: get("rule").map(|value| self.rules(value)).transpose()?.unwrap_or_default(),
            approved: Vec::new(),
        })
    }

    fn rules(&self, value: &Value<'_>) -> Result<Vec<Rule>, InvalidPolicy> {
        let Some(rules) = value.get_ref().as_array() else {
            return Err(self.wrong_type(value, "tables, each begun by [[rule]]"));
        };
        if rules.len() > MAX_RULES {
            return Err(self.fault(&value.span(), format!("there are more than {MAX_RULES} rules")));
        }
        let rules: Vec<Rule> = rules.iter().map(|rule| self.rule(rule)).collect::<Result<_, _>>()?;
        for (place, rule) in rules.iter().enumerate() {
            let earlier =
                rules.iter().take(place).find(|other| other.name.is_some() && other.name == rule.name);
            if let (Some(earlier), Some(name)) = (earlier, &rule.name) {
                let problem = format!("`{name}` is the name of the rule at line {}, too", earlier.line);
                return Err(self.at(rule.line, problem));
            }
        }
        Ok(rules)
    }

    fn rule(&self, value: &Value<'_>) -> Result<Rule, InvalidPolicy> {
        let span = value.span();
        let Some(table) = value.get_ref().as_table() else {
            return Err(self.wrong_type(value, "a table, begun by [[rule]]"));
        };
        self.known(table, RULE, "a rule")?;
        let get = |key: &str| table.get(key);
        let flag = |key: &str| get(key).map(|value| self.flag(value)).transpose();
        let tools = |key: &str| get(key).map(|value| self.tools(value)).transpose();
        let text = |key: &str| get(key).map(|value| self.text(value)).transpose();
        let rule = Rule {
            name: text("name")?,
            line: self.position(span.start).0,
            tools: tools("tools")?.unwrap_or_default(),
            except: tools("except")?.unwrap_or_default(),
            servers: get("server").map(|value| self.servers(value)).transpose()?.unwrap_or_default(),
            annotations: Annotations {
                read_only: flag("read_only")?,
                destructive: flag("destructive")?,
                idempotent: flag("idempotent")?,
                open_world: flag("open_world")?,
            },
            decision: get("decision").map(|value| self.decision(value)).transpose()?,
            reason: text("reason")?,
            limits: get("limits").map(|value| self.limits(value)).transpose()?.unwrap_or_default(),
        };
        if rule.tools.is_empty() && rule.servers.is_empty() && rule.annotations.is_empty() {
            let problem = "the rule does not say what it is about; accepted are `tools`, `server` and the annotations \
                           (`tools = \"*\"` is every tool)";
            return Err(self.fault(&span, problem.to_owned()));
        }
        if rule.decision.is_none() && rule.limits.is_empty() {
            let problem = "the rule does nothing; accepted are `decision` (\"allow\", \"ask\" or \"deny\"), `limits`, or both";
            return Err(self.fault(&span, problem.to_owned()));
        }
        Ok(rule)
    }

    fn limits(&self, value: &Value<'_>) -> Result<PolicyLimits, InvalidPolicy> {
        let Some(table) = value.get_ref().as_table() else {
            return Err(self.wrong_type(value, "a table, as in { calls_per_cell = 100 }"));
        };
        self.known(table, &PolicyLimits::KEYS, "limits")?;
        let count = |key: &str, max: u64| table.get(key).map(|value| self.count(value, max)).transpose();
        let small = |key: &str, max: u64| Ok(count(key, max)?.and_then(|n| u32::try_from(n).ok()));
        let bytes = |key: &str| Ok(count(key, u64::from(u32::MAX))?.and_then(|n| usize::try_from(n).ok()));
        Ok(PolicyLimits {
            calls_per_cell: count("calls_per_cell", i64::MAX as u64)?,
            calls_per_session: count("calls_per_session", i64::MAX as u64)?,
            calls_per_minute: small("calls_per_minute", MAX_PER_MINUTE)?,
            concurrent_calls: small("concurrent_calls", MAX_PER_MINUTE)?,
            call_time: table.get("call_seconds").map(|value| self.seconds(value)).transpose()?,
            input_bytes: bytes("input_bytes")?,
            result_bytes: bytes("result_bytes")?,
        })
    }

    /// Refuses the first key that is not among `keys`.
    fn known(&self, table: &Table<'_>, keys: &[&str], of: &str) -> Result<(), InvalidPolicy> {
        let unknown = table.keys().filter(|key| !keys.contains(&key.get_ref().as_ref()));
        let Some(key) = unknown.min_by_key(|key| key.span().start) else { return Ok(()) };
        let name = key.get_ref();
        let list = |keys: &[&str]| keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
        let hint = match nearest(name, keys.iter().copied(), 1).first() {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("accepted are {}", list(keys)),
        };
        let name: String = name.chars().take(80).collect();
        Err(self.fault(&key.span(), format!("{name:?} is no key of {of}; {hint}")))
    }

    fn decision(&self, value: &Value<'_>) -> Result<Decision, InvalidPolicy> {
        let words = [Decision::Allow, Decision::Ask, Decision::Deny].map(|each| (each.as_str(), each));
        self.word(value, &words)
    }

    fn word<T: Copy>(&self, value: &Value<'_>, words: &[(&str, T)]) -> Result<T, InvalidPolicy> {
        let accepted = words.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
        let Some(text) = value.get_ref().as_str() else { return Err(self.wrong_type(value, &accepted)) };
        words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning).ok_or_else(|| {
            let found: String = text.chars().take(80).collect();
            self.fault(&value.span(), format!("{found:?} is not understood; accepted are {accepted}"))
        })
    }

    fn text(&self, value: &Value<'_>) -> Result<String, InvalidPolicy> {
        let Some(text) = value.get_ref().as_str() else { return Err(self.wrong_type(value, "a string")) };
        if text.trim().is_empty() || text.len() > MAX_TEXT_BYTES {
            let problem =
                format!("accepted are 1 to {MAX_TEXT_BYTES} bytes of text; this has {}", text.len());
            return Err(self.fault(&value.span(), problem));
        }
        Ok(text.to_owned())
    }

    fn flag(&self, value: &Value<'_>) -> Result<bool, InvalidPolicy> {
        value.get_ref().as_bool().ok_or_else(|| self.wrong_type(value, "true or false"))
    }

    /// Reads a string, or a list of at least one.
    fn strings<'v, 't>(&self, value: &'v Value<'t>) -> Result<Vec<(&'v str, Range<usize>)>, InvalidPolicy> {
        let accepted = "a string, or a list of strings";
        let one = |value: &'v Value<'t>| {
            let text = value.get_ref().as_str().ok_or_else(|| self.wrong_type(value, accepted))?;
            Ok((text, value.span()))
        };
        match value.get_ref() {
            DeValue::Array(list) if list.is_empty() => Err(self
                .fault(&value.span(), "the list is empty; leave the key out, or name something".to_owned())),
            DeValue::Array(list) => list.iter().map(one).collect(),
            _ => Ok(vec![one(value)?]),
        }
    }

    fn tools(&self, value: &Value<'_>) -> Result<Vec<Pattern>, InvalidPolicy> {
        let read =
            |(text, span)| Pattern::for_tools(text).map_err(|error| self.fault(&span, error.to_string()));
        self.strings(value)?.into_iter().map(read).collect()
    }

    fn servers(&self, value: &Value<'_>) -> Result<Vec<Pattern>, InvalidPolicy> {
        Ok(self.strings(value)?.into_iter().map(|(text, _)| Pattern::for_servers(text)).collect())
    }

    fn count(&self, value: &Value<'_>, max: u64) -> Result<u64, InvalidPolicy> {
        let Some(number) = value.get_ref().as_integer() else {
            return Err(self.wrong_type(value, "a whole number from 1"));
        };
        match u64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) if (1..=max).contains(&number) => Ok(number),
            _ => Err(self.fault(
                &value.span(),
                format!("{} is out of range; accepted is 1 to {max} (to allow nothing, use `decision = \"deny\"`)", number.as_str()),
            )),
        }
    }

    fn seconds(&self, value: &Value<'_>) -> Result<Duration, InvalidPolicy> {
        let number = match value.get_ref() {
            DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
            DeValue::Float(number) => number.as_str(),
            _ => return Err(self.wrong_type(value, "a number of seconds, as in 30 or 0.5")),
        };
        let seconds = number.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        seconds.filter(|time| (1..=86_400_000).contains(&time.as_millis())).ok_or_else(|| {
            self.fault(&value.span(), format!("{number} is out of range; accepted is 0.001 to 86400 seconds"))
        })
    }

    fn wrong_type(&self, value: &Value<'_>, accepted: &str) -> InvalidPolicy {
        let found = value.get_ref().type_str();
        self.fault(&value.span(), format!("this is of type {found}; accepted: {accepted}"))
    }

    fn fault(&self, span: &Range<usize>, problem: String) -> InvalidPolicy {
        let (line, column) = self.position(span.start);
        InvalidPolicy { origin: self.origin.to_owned(), line, column, problem }
    }

    fn at(&self, line: usize, problem: String) -> InvalidPolicy {
        InvalidPolicy { origin: self.origin.to_owned(), line, column: 1, problem }
    }

    fn position(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset.min(self.text.len())).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        (before.matches('\n').count() + 1, column)
    }
}
