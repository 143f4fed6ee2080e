//! Which decision counts.

use super::super::pattern::Pattern;
use super::super::{Decision, Policy};
use super::{policy, reader, writer};

#[track_caller]
fn decides(policy: &Policy, expected: [(&str, Decision); 3]) {
    for (tool, decision) in expected {
        let tool = if tool == "orders__list" { reader(tool) } else { writer(tool) };
        assert_eq!(policy.rule(&tool).decision, decision, "{}", tool.name);
    }
}

#[test]
fn the_strictest_decision_counts_whatever_the_order() {
    let allow = "[[rule]]\ntools = \"orders__*\"\ndecision = \"allow\"\n";
    let ask = "[[rule]]\ntools = \"orders__list\"\ndecision = \"ask\"\n";
    let deny = "[[rule]]\ntools = \"*__update\"\ndecision = \"deny\"\n";
    for text in [[allow, ask, deny], [deny, ask, allow], [ask, deny, allow]] {
        let policy = policy(&format!("default = \"deny\"\n{}", text.concat()));
        decides(
            &policy,
            [
                ("orders__list", Decision::Ask),
                ("orders__update", Decision::Deny),
                ("mail__send", Decision::Deny),
            ],
        );
    }
}

#[test]
fn the_default_counts_where_no_rule_decides() {
    let limited = policy("default = \"allow\"\n[[rule]]\ntools = \"*\"\nlimits = { calls_per_cell = 1 }");
    decides(
        &limited,
        [
            ("orders__list", Decision::Allow),
            ("orders__update", Decision::Allow),
            ("mail__send", Decision::Allow),
        ],
    );
}

#[test]
fn an_exception_is_part_of_its_rule() {
    let policy = policy(
        "default = \"allow\"\n[[rule]]\nserver = \"orders\"\nexcept = \"*__list\"\ndecision = \"deny\"",
    );
    decides(
        &policy,
        [
            ("orders__list", Decision::Allow),
            ("orders__update", Decision::Deny),
            ("mail__send", Decision::Allow),
        ],
    );
}

#[test]
fn annotations_count_from_trusted_servers_alone() {
    let rules = "default = \"deny\"\n[[rule]]\nread_only = true\ndecision = \"allow\"";
    let trusted = policy(&format!("trust = \"orders\"\n{rules}"));
    assert_eq!(trusted.rule(&reader("orders__list")).decision, Decision::Allow);
    assert_eq!(trusted.rule(&reader("mail__read")).decision, Decision::Deny);
    assert_eq!(policy(rules).rule(&reader("orders__list")).decision, Decision::Deny);
}

#[test]
fn a_server_that_is_not_trusted_cannot_talk_its_way_out_of_a_rule() {
    let rules = "default = \"allow\"\n[[rule]]\ndestructive = true\ndecision = \"deny\"";
    // It says that it destroys nothing.
    assert_eq!(policy(rules).rule(&reader("orders__list")).decision, Decision::Deny);
    let trusted = policy(&format!("trust = \"*\"\n{rules}"));
    assert_eq!(trusted.rule(&reader("orders__list")).decision, Decision::Allow);
    assert_eq!(trusted.rule(&writer("orders__update")).decision, Decision::Deny);
}

#[test]
fn names_are_exact() {
    let rules = "default = \"deny\"\n[[rule]]\ntools = \"orders__list\"\ndecision = \"allow\"";
    for other in
        ["Orders__list", "orders__List", "orders__lists", "xorders__list", "orders__list__2", "orders_list"]
    {
        assert_eq!(policy(rules).rule(&writer(other)).decision, Decision::Deny, "{other}");
    }
}

#[test]
fn what_is_approved_in_advance_lifts_no_deny() {
    let text = "[[rule]]\ntools = \"mail__*\"\ndecision = \"deny\"";
    let approved = policy(text).approving([Pattern::for_tools("*").unwrap()]);
    decides(
        &approved,
        [
            ("orders__list", Decision::Allow),
            ("orders__update", Decision::Allow),
            ("mail__send", Decision::Deny),
        ],
    );
}
