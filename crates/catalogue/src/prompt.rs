//! The catalogue as text for a model's prompt, within a budget of tokens.
//!
//! Every tool first gets one line, its name and the first sentence of its description; what is left of the budget turns
//! lines into signatures, and signatures into whole declarations. So of too small a budget the declarations go first,
//! then the signatures, then the lines. At each of these steps the servers get equal shares, and what one does not need
//! goes to the others: a server with two hundred tools starves none with three. Within a server the tools come by name.
//! The text says whether all tools are in it, and how to find the rest.

use std::collections::BTreeMap;

use carrel_contract::{TOKEN_BYTES, ToolDescription};

use crate::declaration::{Budget, Declaration};
use crate::summary;

/// The budget unless one is chosen, in tokens.
pub const DEFAULT_BUDGET_TOKENS: usize = 4000;

/// What a line says of a tool, in characters.
const LINE_CHARS: usize = 120;
/// How long a signature and a whole declaration may be, in bytes.
const SIGNATURE_BYTES: usize = 400;
const DECLARATION_BYTES: usize = 4096;
/// What a server's heading says of it, in characters.
const SERVER_CHARS: usize = 60;

/// The catalogue as text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CataloguePrompt {
    /// The text. Empty when the budget has no room for its first lines.
    pub text: String,
    /// Whether all tools are in it, with a line at least.
    pub complete: bool,
    /// How many tools are in it.
    pub shown: usize,
    /// How many tools there are.
    pub total: usize,
}

/// Writes the catalogue of some tools, in no more than so many tokens of [`TOKEN_BYTES`] bytes. The same tools, in any
/// order, and the same budget make the same text.
#[must_use]
pub fn prompt(tools: &[ToolDescription], budget_tokens: usize) -> CataloguePrompt {
    let total = tools.len();
    let budget = budget_tokens.saturating_mul(TOKEN_BYTES);
    let mut rooms = rooms(tools);
    // The longer of the two: which it is to be shows in the end.
    let frame =
        head(0, total).len().max(head(total, total).len()) + rooms.iter().map(Room::frame).sum::<usize>();
    let Some(mut left) = budget.checked_sub(frame) else {
        // Not even the names of all servers.
        let head = head(0, total);
        let text = if head.len() <= budget { head } else { String::new() };
        return CataloguePrompt { text, complete: total == 0, shown: 0, total };
    };
    for write in [line, signature, declaration] {
        let is_first = rooms.iter().all(|room| room.entries.iter().all(|entry| entry.text.is_empty()));
        for room in &mut rooms {
            room.entries.iter_mut().for_each(|entry| entry.next = write(entry.tool));
        }
        let needs: Vec<usize> = rooms.iter().map(Room::need).collect();
        for (room, share) in rooms.iter_mut().zip(shares(&needs, left)) {
            left -= room.spend(share);
        }
        if is_first && rooms.iter().any(|room| room.shown() < room.entries.len()) {
            break;
        }
    }
    let shown = rooms.iter().map(Room::shown).sum();
    let text = rooms.iter().map(Room::text).fold(head(shown, total), |text, room| text + &room);
    CataloguePrompt { text, complete: shown == total, shown, total }
}

/// The first lines.
fn head(shown: usize, total: usize) -> String {
    if total == 0 {
        return "This session has no tools.\n".to_owned();
    }
    let known = if shown == total {
        format!("All {total} tools are listed here.")
    } else {
        format!(
            "This list is not complete: it has {shown} of {total} tools. `await tools.$search(\"words\")` finds others by what they do; ALL_TOOLS has every name."
        )
    };
    format!(
        "Tools of a cell, by server; each is called as `await tools.NAME(input)`. {known} `await tools.$describe(\"NAME\")` gives the whole declaration of one.\n"
    )
}

/// One server's part of the text.
struct Room<'a> {
    server: &'a str,
    entries: Vec<Entry<'a>>,
}

struct Entry<'a> {
    tool: &'a ToolDescription,
    text: String,
    /// What would say more.
    next: String,
}

/// Sorts tools by server and name.
fn rooms(tools: &[ToolDescription]) -> Vec<Room<'_>> {
    let mut servers: BTreeMap<&str, Vec<&ToolDescription>> = BTreeMap::new();
    for tool in tools {
        servers.entry(tool.server.as_deref().unwrap_or_default()).or_default().push(tool);
    }
    let rooms = servers.into_iter().map(|(server, mut tools)| {
        tools.sort_by(|a, b| a.name.cmp(&b.name));
        let entry = |tool| Entry { tool, text: String::new(), next: String::new() };
        Room { server, entries: tools.into_iter().map(entry).collect() }
    });
    rooms.collect()
}

impl Room<'_> {
    fn heading(&self, shown: usize) -> String {
        let server =
            if self.server.is_empty() { "other".to_owned() } else { summary(self.server, SERVER_CHARS) };
        let total = self.entries.len();
        if shown == total {
            format!("\n## {server}\n")
        } else {
            format!("\n## {server} ({shown} of {total} tools)\n")
        }
    }

    /// The most that the heading takes.
    fn frame(&self) -> usize {
        // The number of tools shown has at most the digits of all.
        self.heading(self.entries.len())
            .len()
            .max(self.heading(0).len() + self.entries.len().to_string().len())
    }

    fn shown(&self) -> usize {
        self.entries.iter().filter(|entry| !entry.text.is_empty()).count()
    }

    /// What it would take to say more of every tool.
    fn need(&self) -> usize {
        self.entries.iter().map(Entry::need).sum()
    }

    /// Says more of as many tools as a share is enough for, the first first. Returns what that took.
    fn spend(&mut self, share: usize) -> usize {
        let mut left = share;
        for entry in &mut self.entries {
            let need = entry.need();
            if need > 0 {
                let Some(after) = left.checked_sub(need) else { break };
                left = after;
            }
            if entry.says_more() {
                entry.text = std::mem::take(&mut entry.next);
            }
        }
        share - left
    }

    fn text(&self) -> String {
        let heading = self.heading(self.shown());
        self.entries.iter().fold(heading, |text, entry| text + &entry.text)
    }
}

impl Entry<'_> {
    /// A tool of which there is no more to say has the same text at each step.
    fn says_more(&self) -> bool {
        self.next.len() > self.text.len()
    }

    fn need(&self) -> usize {
        self.next.len().saturating_sub(self.text.len())
    }
}

fn line(tool: &ToolDescription) -> String {
    match summary(&tool.description, LINE_CHARS).as_str() {
        "" => format!("{}\n", tool.name),
        summary => format!("{}: {summary}\n", tool.name),
    }
}

fn signature(tool: &ToolDescription) -> String {
    declared(tool, SIGNATURE_BYTES)
}

fn declaration(tool: &ToolDescription) -> String {
    declared(tool, DECLARATION_BYTES)
}

fn declared(tool: &ToolDescription, max_bytes: usize) -> String {
    let declaration = Declaration::new(tool, Budget::bytes(max_bytes));
    declaration.types().chain([declaration.method()]).collect()
}

/// Shares a budget among needs: equally, but none gets more than it needs, and what that leaves goes to the others.
fn shares(needs: &[usize], budget: usize) -> Vec<usize> {
    let mut shares = vec![0; needs.len()];
    let mut order: Vec<usize> = (0..needs.len()).collect();
    order.sort_by_key(|&at| needs.get(at));
    let mut left = budget;
    for (served, at) in order.iter().enumerate() {
        let need = needs.get(*at).copied().unwrap_or_default();
        let share = need.min(left / (order.len() - served));
        if let Some(given) = shares.get_mut(*at) {
            *given = share;
        }
        left -= share;
    }
    shares
}

#[cfg(test)]
mod tests {
    use carrel_contract::{JsonText, ToolName};

    use super::*;

    fn tool(server: &str, name: &str) -> ToolDescription {
        let schema = r#"{"type":"object","properties":{"id":{"type":"string","description":"Which one of all that there are."}}}"#;
        let name = ToolName::new(&format!("{server}__{name}")).unwrap();
        let description = format!("Does {name}. And tells of it at some length, for whoever wants to know.");
        ToolDescription::new(name, description)
            .with_server(server)
            .with_input_schema(JsonText::parse(schema).unwrap())
    }

    fn tools() -> Vec<ToolDescription> {
        let large = (0..200).map(|i| tool("large", &format!("tool_{i:03}")));
        large.chain((0..3).map(|i| tool("small", &format!("tool_{i}")))).collect()
    }

    #[test]
    fn shares_are_equal_but_for_those_who_need_less() {
        assert_eq!(shares(&[100, 5, 100], 65), [30, 5, 30]);
        assert_eq!(shares(&[1, 2, 3], 100), [1, 2, 3]);
        assert_eq!(shares(&[9, 9], 0), [0, 0]);
        assert!(shares(&[], 9).is_empty());
    }

    #[test]
    fn no_budget_is_exceeded_and_more_never_shows_less() {
        let tools = tools();
        let mut before = 0;
        for budget in (0..30_000).step_by(97) {
            let prompt = prompt(&tools, budget);
            assert!(prompt.text.len() <= budget * TOKEN_BYTES, "{budget}");
            assert!(prompt.shown >= before && prompt.total == 203, "{budget}");
            assert_eq!(prompt.complete, prompt.shown == 203);
            assert_eq!(prompt.text.contains("All 203 tools"), prompt.complete, "{budget}");
            before = prompt.shown;
        }
        assert_eq!(before, 203);
    }

    #[test]
    fn a_large_server_starves_no_small_one() {
        let prompt = prompt(&tools(), 500);
        assert!(!prompt.complete && prompt.text.contains("it has") && prompt.text.contains("tools.$search"));
        assert!(prompt.text.contains("\n## small\nsmall__tool_0: Does small__tool_0.\n"), "{}", prompt.text);
        assert!(prompt.text.contains("of 200 tools)\nlarge__tool_000: "), "{}", prompt.text);
    }

    #[test]
    fn signatures_come_before_declarations_and_the_order_of_tools_is_no_matter() {
        let mut tools = vec![tool("a", "x"), tool("b", "y")];
        let whole = prompt(&tools, 10_000);
        assert!(whole.text.contains("Which one of all") && whole.complete);
        let lines = prompt(&tools, 110);
        assert!(lines.text.contains("a__x: Does a__x.\n") && lines.complete, "{lines:?}");
        tools.reverse();
        assert_eq!(prompt(&tools, 10_000), whole);
        assert_eq!(prompt(&[], 100).text, "This session has no tools.\n");
        assert!(prompt(&[], 100).complete);
    }
}
