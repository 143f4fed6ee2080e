//! Policies as their authors write them, right and wrong.

use std::time::Duration;

use super::super::{Decision, Policy, PolicyError, Unattended};
use super::policy;

const WHOLE: &str = r#"
default = "deny"
unattended = "deny"
trust = ["orders", "git*"]
limits = { calls_per_minute = 60, concurrent_calls = 4, call_seconds = 1.5, result_bytes = 1_000_000 }

[[rule]]
name = "reads"
tools = ["orders__*", "git__log"]
except = "orders__delete*"
server = "orders"
read_only = true
destructive = false
idempotent = true
open_world = false
decision = "allow"
reason = "reading is free"

[rule.limits]
calls_per_cell = 100
calls_per_session = 1000
input_bytes = 0x400

[[rule]]
tools = "*"
limits.calls_per_cell = 5
"#;

#[test]
fn every_key_is_read() {
    let policy = policy(WHOLE);
    assert_eq!((policy.default, policy.unattended), (Decision::Deny, Some(Unattended::Deny)));
    assert_eq!(policy.trust.len(), 2);
    let limits = &policy.limits;
    assert_eq!((limits.calls_per_minute, limits.concurrent_calls), (Some(60), Some(4)));
    assert_eq!((limits.call_time, limits.result_bytes), (Some(Duration::from_millis(1500)), Some(1_000_000)));
    let [reads, all] = policy.rules.as_slice() else { panic!("two rules") };
    assert_eq!(
        (reads.name.as_deref(), reads.line, reads.decision),
        (Some("reads"), 7, Some(Decision::Allow))
    );
    assert_eq!((reads.tools.len(), reads.except.len(), reads.servers.len()), (2, 1, 1));
    let seen = reads.annotations;
    assert_eq!((seen.read_only, seen.destructive), (Some(true), Some(false)));
    assert_eq!((seen.idempotent, seen.open_world), (Some(true), Some(false)));
    assert_eq!(reads.reason.as_deref(), Some("reading is free"));
    let limits = &reads.limits;
    assert_eq!((limits.calls_per_cell, limits.calls_per_session), (Some(100), Some(1000)));
    assert_eq!(limits.input_bytes, Some(1024));
    assert_eq!((all.decision, all.limits.calls_per_cell), (None, Some(5)));
}

#[test]
fn nothing_written_is_asking() {
    let policy = policy("");
    assert_eq!((policy.default, policy.unattended), (Decision::Ask, None));
    assert!(policy.rules.is_empty() && policy.trust.is_empty() && policy.limits.is_empty());
}

#[test]
fn faults_have_a_place_and_say_what_is_accepted() {
    for (text, place, says) in [
        ("default = \"alow\"", (1, 11), "accepted are \"allow\", \"ask\", \"deny\""),
        ("default = true", (1, 11), "of type boolean; accepted: \"allow\""),
        ("\n\ndefalt = \"ask\"", (3, 1), "did you mean `default`?"),
        ("[[rule]]\ntools = \"*\"\ndecison = \"deny\"", (3, 1), "did you mean `decision`?"),
        ("[[rule]]\ntools = \"*\"\nquux = 1", (3, 1), "accepted are `name`, `tools`"),
        (
            "[[rule]]\ntools = \"*\"\nlimits = { calls_per_cel = 1 }",
            (3, 12),
            "did you mean `calls_per_cell`?",
        ),
        ("[[rule]]\ndecision = \"deny\"", (1, 1), "what it is about"),
        ("[[rule]]\ntools = \"*\"", (1, 1), "does nothing"),
        ("[[rule]]\ntools = []\ndecision = \"deny\"", (2, 9), "the list is empty"),
        ("[[rule]]\ntools = \"a.*\"\ndecision = \"deny\"", (2, 9), "can fit no tool"),
        ("[[rule]]\ntools = [\"*\", 1]\ndecision = \"deny\"", (2, 15), "a string, or a list of strings"),
        ("[[rule]]\nread_only = \"yes\"\ndecision = \"allow\"", (2, 13), "true or false"),
        ("limits = { calls_per_cell = 0 }", (1, 29), "accepted is 1 to"),
        ("limits = { calls_per_cell = -1 }", (1, 29), "out of range"),
        ("limits = { calls_per_cell = 1.5 }", (1, 29), "a whole number from 1"),
        ("limits = { calls_per_minute = 1_000_000 }", (1, 31), "accepted is 1 to 100000"),
        ("limits = { call_seconds = 0 }", (1, 27), "0.001 to 86400"),
        ("limits = { call_seconds = inf }", (1, 27), "out of range"),
        ("limits = { call_seconds = \"30s\" }", (1, 27), "a number of seconds"),
        ("rule = { tools = \"*\" }", (1, 8), "[[rule]]"),
        ("default = \"ask\"\ndefault = \"allow\"", (2, 1), "duplicate key"),
        ("default = ", (1, 11), ""),
        (
            "[[rule]]\nname = \"a\"\ntools = \"*\"\ndecision = \"deny\"\n[[rule]]\nname = \"a\"\ntools = \"*\"\ndecision = \"ask\"",
            (5, 1),
            "the name of the rule at line 1, too",
        ),
        ("[[rule]]\ntools = \"*\"\ndecision = \"deny\"\nreason = \" \"", (4, 10), "1 to 1000 bytes"),
    ] {
        let error = Policy::parse(text, "p.toml").unwrap_err();
        let PolicyError::Invalid(error) = error else { panic!("{error}") };
        assert_eq!((error.line, error.column), place, "{text}: {error}");
        let message = error.to_string();
        assert!(
            message.starts_with("read the policy p.toml: line ") && message.contains(says),
            "{text}: {message}"
        );
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Policy::load("/nonexistent/policy.toml").unwrap_err().to_string();
    assert!(error.contains("/nonexistent/policy.toml"), "{error}");
}

#[test]
fn the_policy_of_the_documentation_can_be_copied() {
    let page = include_str!("../../../../../docs/policies.md");
    let example = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(policy(example).rules.len(), 2);
    for key in super::super::limits::PolicyLimits::KEYS
        .iter()
        .chain(super::super::parse::RULE)
        .chain(super::super::parse::TOP)
    {
        assert!(
            page.contains(&format!("`{key}`")) || page.contains(&format!("`[[{key}]]`")),
            "{key} is documented"
        );
    }
}
