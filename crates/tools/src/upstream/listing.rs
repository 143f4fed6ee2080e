//! The tools a server lists, page by page, each read by itself: one that is malformed is left out and named, and
//! the others stay.

use rmcp::model::{Cursor, CustomResult, ListToolsResult, ServerResult, Tool};
use serde_json::Value;

use super::vitals::Vitals;
use super::warning::{MalformedTools, ServerWarning, TooManyTools};
use crate::bound::bounded;
use crate::printable::printable;

/// How many malformed tools are named.
const MAX_NAMED: usize = 5;
/// What is kept of a malformed tool's name and of what is wrong with it, in bytes.
const MAX_PROBLEM_BYTES: usize = 200;

/// What has been listed so far.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) tools: Vec<Tool>,
    malformed: Vec<(String, String)>,
    more_malformed: usize,
    cut: bool,
}

/// What follows a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Page(Cursor),
    Nothing,
}

/// An answer that is no list of tools.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotAList;

impl Listing {
    /// Takes a page, keeping `kept` tools in all.
    pub(super) fn take(
        &mut self,
        page: ServerResult,
        kept: usize,
        vitals: &Vitals,
    ) -> Result<Next, NotAList> {
        let next = match page {
            ServerResult::ListToolsResult(ListToolsResult { tools, next_cursor, .. }) => {
                self.tools.extend(tools);
                next_cursor
            }
            // What rmcp makes of a list with a malformed tool in it.
            ServerResult::CustomResult(CustomResult(mut page)) => {
                let Some(Value::Array(tools)) = page.get_mut("tools").map(Value::take) else {
                    return Err(NotAList);
                };
                for (place, tool) in tools.into_iter().enumerate() {
                    self.read(place, tool, vitals);
                }
                page.get("nextCursor").and_then(Value::as_str).map(str::to_owned)
            }
            _ => return Err(NotAList),
        };
        if self.tools.len() > kept {
            self.tools.truncate(kept);
            self.cut = true;
        }
        match next {
            Some(next) if !next.is_empty() && !self.cut => Ok(Next::Page(next)),
            _ => Ok(Next::Nothing),
        }
    }

    fn read(&mut self, place: usize, tool: Value, vitals: &Vitals) {
        let name = tool.get("name").and_then(Value::as_str).map(|name| format!("`{name}`"));
        match serde_json::from_value(tool) {
            Ok(tool) => self.tools.push(tool),
            Err(_) if self.malformed.len() == MAX_NAMED => self.more_malformed += 1,
            Err(error) => {
                let shown = |text: &str| bounded(&printable(&vitals.redact(text)), MAX_PROBLEM_BYTES);
                let name = name.unwrap_or_else(|| format!("number {}", place + 1));
                self.malformed.push((shown(&name), shown(&error.to_string())));
            }
        }
    }

    /// Says what was left out.
    pub(super) fn warnings(&mut self, server: &str, kept: usize) -> Vec<ServerWarning> {
        let mut warnings = Vec::new();
        if !self.malformed.is_empty() {
            let first = std::mem::take(&mut self.malformed);
            let server = server.to_owned();
            warnings.push(MalformedTools { server, first, more: self.more_malformed }.into());
        }
        if self.cut {
            warnings.push(TooManyTools { server: server.to_owned(), kept }.into());
        }
        warnings
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn listed(page: Value, kept: usize) -> (Vec<String>, Next, Vec<String>) {
        let mut listing = Listing::default();
        let next = listing.take(serde_json::from_value(page).unwrap(), kept, &Vitals::default()).unwrap();
        let warnings = listing.warnings("s", kept).iter().map(ToString::to_string).collect();
        (listing.tools.iter().map(|tool| tool.name.to_string()).collect(), next, warnings)
    }

    fn tool(name: &str) -> Value {
        json!({ "name": name, "inputSchema": {} })
    }

    #[test]
    fn a_malformed_tool_is_named_and_the_others_stay() {
        let page = json!({ "tools": [
            tool("a"), { "name": "null", "inputSchema": null }, { "name": "none" }, { "inputSchema": {} }, 5, tool("b"),
        ], "nextCursor": "2" });
        let (tools, next, warnings) = listed(page, 10);
        assert_eq!(tools, ["a", "b"]);
        assert_eq!(next, Next::Page("2".to_owned()));
        let [warning] = &warnings[..] else { panic!("{warnings:?}") };
        assert!(warning.starts_with("`s`: 4 tools were left out"), "{warning}");
        for part in [
            "`null` (invalid type: null",
            "`none` (missing field `inputSchema`)",
            "number 4 (missing field `name`",
        ] {
            assert!(warning.contains(part), "{warning}");
        }
    }

    #[test]
    fn what_malformed_tools_say_is_bounded() {
        let hostile = json!({ "name": format!("\x1b{}", "n".repeat(1 << 14)) });
        let (_, _, warnings) = listed(json!({ "tools": vec![hostile; 1000] }), 10);
        assert!(warnings[0].ends_with(" and 995 more") && warnings[0].len() < 4000, "{warnings:?}");
        assert!(!warnings[0].contains('\x1b'));
    }

    #[test]
    fn tools_past_the_limit_are_a_warning() {
        let page = json!({ "tools": [tool("a"), tool("b"), tool("c")], "nextCursor": "2" });
        let (tools, next, warnings) = listed(page.clone(), 2);
        assert_eq!((tools.len(), next), (2, Next::Nothing));
        assert!(warnings[0].contains("more than 2 tools"), "{warnings:?}");
        assert_eq!(listed(page, 3).2, Vec::<String>::new());
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for page in [json!({}), json!({ "tools": {} }), json!([]), json!({ "tools": null })] {
            let page: ServerResult = serde_json::from_value(page).unwrap();
            assert_eq!(Listing::default().take(page, 9, &Vitals::default()), Err(NotAList));
        }
    }
}
