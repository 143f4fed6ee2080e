//! How the tools of many servers get names that a cell can write.
//!
//! Server and tool are joined by `__` (a source without a name leaves its tools theirs), and what an identifier cannot hold becomes `_`. That can make two
//! names one. Which of the two keeps it depends on the names alone, never on which server was faster; and a tool that
//! has a name keeps it, whatever comes and goes beside it.

use std::collections::{BTreeMap, BTreeSet};

use carrel_contract::ToolName;

/// What stands between a server's name and its tool's.
pub const NAMESPACE_SEPARATOR: &str = "__";

/// The longest name, in bytes, as [`ToolName`] has it.
const MAX_BYTES: usize = 128;

/// One tool's name, and with whom it would have shared it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assigned {
    pub(crate) name: ToolName,
    /// The other tools whose names come to the same, by server and tool; empty for nearly all.
    pub(crate) shared_with: Vec<(String, String)>,
}

/// Returns the name that the tool `tool` of `server` gets when no other tool's name comes to the same.
///
/// A name longer than 128 bytes keeps its beginning and ends in a hash of the whole. The result is a valid
/// [`ToolName`] whatever the arguments are.
#[must_use]
pub fn plain_name(server: &str, tool: &str) -> ToolName {
    let joined =
        if server.is_empty() { tool.to_owned() } else { format!("{server}{NAMESPACE_SEPARATOR}{tool}") };
    let mut name = String::with_capacity(joined.len() + 1);
    // What is left is empty only where both are.
    if joined.is_empty() || joined.starts_with(|c: char| c.is_ascii_digit()) {
        name.push('_');
    }
    name.push_str(&identifier(&joined));
    if name.len() > MAX_BYTES {
        name = shortened(&name, &format!("_{:016x}", fnv1a(&joined)));
    }
    checked(&name)
}

/// Returns text with `_` for what an identifier cannot hold; what it begins with is not looked at.
pub(crate) fn identifier(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '$' { c } else { '_' }).collect()
}

/// Tells whether tools of two servers may come to the same name.
pub(crate) fn may_share_names(a: &str, b: &str) -> bool {
    // What comes before the tool's own name: of a server without a name, nothing.
    let before = |server: &str| match server {
        "" => String::new(),
        server => plain_name(server, "").to_string(),
    };
    let (a, b) = (before(a), before(b));
    a.starts_with(&b) || b.starts_with(&a)
}

/// The names tools have, by server and tool.
pub(crate) type Names = BTreeMap<(String, String), ToolName>;

/// Names every tool. The result depends on the set of tools and on the names some have already, not on an order.
///
/// A tool that has a name keeps it. Where several of the others come to the same name, the first by server and tool
/// gets it, if it is free, and the rest get `_2`, `_3` and so on, past any number that is another tool's own name.
pub(crate) fn assign(
    tools: impl IntoIterator<Item = (String, String)>,
    had: &Names,
) -> BTreeMap<(String, String), Assigned> {
    let mut groups: BTreeMap<ToolName, BTreeSet<(String, String)>> = BTreeMap::new();
    let mut held = BTreeSet::new();
    for tool in tools {
        held.extend(had.get(&tool).cloned());
        groups.entry(plain_name(&tool.0, &tool.1)).or_default().insert(tool);
    }
    let mut taken: BTreeSet<ToolName> = groups.keys().chain(&held).cloned().collect();
    let mut assigned = BTreeMap::new();
    for (plain, members) in groups {
        let mut free = !held.contains(&plain);
        let mut number = 1_u64;
        for member in &members {
            let name = if let Some(name) = had.get(member) {
                name.clone()
            } else if std::mem::take(&mut free) {
                plain.clone()
            } else {
                loop {
                    number += 1;
                    let candidate = checked(&shortened(plain.as_str(), &format!("_{number}")));
                    if taken.insert(candidate.clone()) {
                        break candidate;
                    }
                }
            };
            let shared_with = members.iter().filter(|other| *other != member).cloned().collect();
            assigned.insert(member.clone(), Assigned { name, shared_with });
        }
    }
    assigned
}

/// Appends `suffix`, cutting `name` (which is ASCII) where the whole would be too long.
fn shortened(name: &str, suffix: &str) -> String {
    let room = MAX_BYTES.saturating_sub(suffix.len());
    format!("{}{suffix}", name.get(..room).unwrap_or(name))
}

#[expect(
    clippy::expect_used,
    reason = "callers pass 1 to 128 ASCII letters, digits, `_` and `$`, no digit first"
)]
fn checked(name: &str) -> ToolName {
    ToolName::new(name).expect("an ASCII identifier of 1 to 128 bytes")
}

/// FNV-1a in 64 bits: stable for ever, and nothing here needs more than that. Names that meet all the same
/// are told apart like any others.
pub(crate) fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_share_names_when_one_goes_on_as_the_other_may() {
        for (a, b, may) in [
            ("a", "b", false),
            ("a", "ab", false),
            ("a-b", "a_b", true),
            ("a", "a__b", true),
            ("1", "_1", true),
            ("", "a", true),
        ] {
            assert_eq!(may_share_names(a, b), may, "{a} {b}");
            assert_eq!(may_share_names(b, a), may, "{a} {b}");
        }
    }

    fn names(tools: &[(&str, &str)]) -> Vec<String> {
        let pairs = tools.iter().map(|(s, t)| ((*s).to_owned(), (*t).to_owned()));
        let assigned = assign(pairs, &Names::new());
        tools
            .iter()
            .map(|(s, t)| assigned[&((*s).to_owned(), (*t).to_owned())].name.as_str().to_owned())
            .collect()
    }

    #[test]
    fn joins_and_replaces() {
        for (server, tool, name) in [
            ("orders", "list_orders", "orders__list_orders"),
            ("my-server", "get.tiny-image", "my_server__get_tiny_image"),
            ("2nd", "x", "_2nd__x"),
            ("a b", "ü→", "a_b____"),
            ("", "", "_"),
            ("", "add", "add"),
            ("", "2nd-try", "_2nd_try"),
            ("$s", "$t", "$s__$t"),
            ("x\n", "</script>", "x_____script_"),
        ] {
            assert_eq!(plain_name(server, tool).as_str(), name);
        }
    }

    #[test]
    fn shortens_stably_and_keeps_long_names_apart() {
        let long = "t".repeat(500);
        let name = plain_name("server", &long);
        assert_eq!(name.as_str().len(), 128);
        assert_eq!(name, plain_name("server", &long));
        assert_ne!(name, plain_name("server", &"t".repeat(501)));
        assert_eq!(&name.as_str()[111..], "_5bfe046a1f41af08");
        assert_eq!(plain_name("s", &"ü".repeat(125)).as_str().len(), 128);
    }

    #[test]
    fn the_first_by_server_and_tool_keeps_the_name() {
        let tools = [("a", "b__c"), ("a__b", "c"), ("a", "b-_c"), ("z", "t")];
        let expected = ["a__b__c_2", "a__b__c_3", "a__b__c", "z__t"];
        assert_eq!(names(&tools), expected);
        let mut reversed = tools;
        reversed.reverse();
        let mut names = names(&reversed);
        names.reverse();
        assert_eq!(names, expected);
    }

    #[test]
    fn a_number_never_takes_another_tools_own_name() {
        assert_eq!(
            names(&[("s", "x-"), ("s", "x."), ("s", "x__2"), ("s", "x_")]),
            ["s__x_", "s__x__3", "s__x__2", "s__x__4"]
        );
    }

    #[test]
    fn numbers_fit_into_the_longest_name() {
        let tool = |c: char| format!("{}{c}", "t".repeat(124));
        let (dot, dash) = (tool('.'), tool('-'));
        let names = names(&[("s", &dot), ("s", &dash)]);
        assert_eq!(names[1].len(), 128);
        assert!(names[0].len() == 128 && names[0].ends_with("t_2"), "{names:?}");
    }

    #[test]
    fn says_with_whom_a_name_is_shared() {
        let pair = |s: &str, t: &str| (s.to_owned(), t.to_owned());
        let assigned = assign([pair("a", "x-y"), pair("a", "x_y"), pair("b", "x")], &Names::new());
        assert_eq!(assigned[&pair("a", "x_y")].shared_with, [pair("a", "x-y")]);
        assert!(assigned[&pair("b", "x")].shared_with.is_empty());
    }

    #[test]
    fn a_tool_keeps_its_name_while_others_come_and_go() {
        let pair = |tool: &str| ("s".to_owned(), tool.to_owned());
        let mut had = Names::new();
        let mut named = |tools: &[&str]| -> Vec<String> {
            let assigned = assign(tools.iter().map(|tool| pair(tool)), &had);
            had = assigned.iter().map(|(tool, assigned)| (tool.clone(), assigned.name.clone())).collect();
            tools.iter().map(|tool| had[&pair(tool)].to_string()).collect()
        };
        assert_eq!(named(&["x_"]), ["s__x_"]);
        // By itself `x-` would come first, and `x__2` would have the name that `x.` is given here.
        assert_eq!(named(&["x-", "x_", "x."]), ["s__x__2", "s__x_", "s__x__3"]);
        assert_eq!(named(&["x-", "x.", "x__2"]), ["s__x__2", "s__x__3", "s__x__2_2"]);
        assert_eq!(named(&["x-", "x_"]), ["s__x__2", "s__x_"]);
    }
}
