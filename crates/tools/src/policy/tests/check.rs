//! What a policy's author is told.

use super::super::PolicyWarning;
use super::{policy, reader, writer};

fn check(text: &str) -> (Vec<String>, Vec<String>) {
    let checked =
        policy(text).check(&[reader("orders__list"), writer("orders__update"), writer("mail__send")]);
    let row = |tool: &super::super::CheckedTool| {
        let limits: Vec<_> =
            tool.limits.iter().map(|(key, value, whose)| format!(" {key}={value} ({whose})")).collect();
        format!("{} {} by {}{}", tool.name, tool.decision, tool.by, limits.concat())
    };
    (checked.tools.iter().map(row).collect(), checked.warnings.iter().map(PolicyWarning::to_string).collect())
}

#[test]
fn each_tool_has_a_decision_its_origin_and_its_limits() {
    let (rows, warnings) = check(
        "limits = { call_seconds = 2 }\n[[rule]]\nname = \"free\"\ntools = \"orders__*\"\ndecision = \"allow\"\n\
         limits = { calls_per_cell = 9 }\n[[rule]]\nserver = \"mail\"\ndecision = \"deny\"",
    );
    assert_eq!(
        rows,
        [
            "orders__list allow by rule `free` call_seconds=2 (all tools) calls_per_cell=9 (rule `free`)",
            "orders__update allow by rule `free` call_seconds=2 (all tools) calls_per_cell=9 (rule `free`)",
            "mail__send deny by the rule at line 7 call_seconds=2 (all tools)",
        ]
    );
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[test]
fn what_never_applies_is_a_warning_with_its_reason() {
    for (text, warning) in [
        ("[[rule]]\ntools = \"orders__lst\"\ndecision = \"deny\"", "did you mean `orders__list`?"),
        (
            "[[rule]]\nserver = \"shop\"\ndecision = \"deny\"",
            "the rule at line 1 matches no tool: no tool has such a name",
        ),
        ("[[rule]]\ntools = \"Orders__*\"\ndecision = \"deny\"", "matches no tool"),
        (
            "[[rule]]\nserver = \"orders\"\nread_only = true\ndecision = \"allow\"",
            "add the server to `trust`",
        ),
        (
            "trust = \"*\"\n[[rule]]\nserver = \"mail\"\nread_only = true\ndecision = \"allow\"",
            "none of the tools it names",
        ),
        (
            "[[rule]]\nname = \"no\"\nserver = \"mail\"\ndecision = \"deny\"\n[[rule]]\nname = \"yes\"\n\
             tools = \"mail__send\"\ndecision = \"allow\"",
            "rule `yes` decides nothing: for every tool that it matches, rule `no` decides",
        ),
        ("trust = \"shop\"", "`trust` names `shop`, which is no server"),
    ] {
        let (_, warnings) = check(text);
        assert_eq!(warnings.len(), 1, "{text}: {warnings:?}");
        assert!(warnings[0].contains(warning), "{}", warnings[0]);
    }
}
