//! Which tools came, went and became others, in one line. Pure.

use std::collections::BTreeMap;

use carrel_contract::ToolDescription;

/// The most names of a kind that are written out.
const NAMES: usize = 8;

/// Says how `now` differs from `before`; `None` where nobody would notice.
pub(crate) fn of(before: &[ToolDescription], now: &[ToolDescription]) -> Option<String> {
    let (before, now) = (by_name(before), by_name(now));
    let came = now.keys().filter(|name| !before.contains_key(*name));
    let went = before.keys().filter(|name| !now.contains_key(*name));
    let other = now.iter().filter(|(name, tool)| {
        let same = |was: &&ToolDescription| {
            (&was.description, &was.input_schema) == (&tool.description, &tool.input_schema)
        };
        before.get(*name).is_some_and(|was| !same(was))
    });
    let kinds = [
        ("came", came.copied().collect::<Vec<_>>()),
        ("went", went.copied().collect()),
        ("changed", other.map(|(name, _)| *name).collect()),
    ];
    let words: Vec<_> =
        kinds.iter().filter(|(_, names)| !names.is_empty()).map(|(what, names)| said(what, names)).collect();
    (!words.is_empty()).then(|| format!("tools: {}", words.join("; ")))
}

fn by_name(tools: &[ToolDescription]) -> BTreeMap<&str, &ToolDescription> {
    tools.iter().map(|tool| (tool.name.as_str(), tool)).collect()
}

fn said(what: &str, names: &[&str]) -> String {
    let shown = names.iter().take(NAMES).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMES) {
        0 => format!("{shown} {what}"),
        more => format!("{shown} and {more} more {what}"),
    }
}

#[cfg(test)]
mod tests {
    use carrel_contract::{JsonText, ToolName};

    use super::*;

    fn tool(name: &str, schema: &str) -> ToolDescription {
        let mut tool = ToolDescription::new(ToolName::new(name).unwrap(), "Does it.");
        tool.input_schema = Some(JsonText::parse(schema).unwrap());
        tool
    }

    #[test]
    fn what_came_went_and_changed_is_named() {
        let before = [tool("a", "{}"), tool("b", "{}"), tool("c", "{}")];
        let now = [tool("c", r#"{"type":"object"}"#), tool("a", "{}"), tool("d", "{}")];
        assert_eq!(of(&before, &now).unwrap(), "tools: d came; b went; c changed");
        assert_eq!(of(&now, &now), None);
        let many: Vec<_> = (0..11).map(|n| tool(&format!("t{n:02}"), "{}")).collect();
        assert_eq!(of(&[], &many).unwrap(), "tools: t00, t01, t02, t03, t04, t05, t06, t07 and 3 more came");
    }
}
