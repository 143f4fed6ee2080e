//! What can be completed: tools with the first line of their descriptions, what the session declared, the globals of a cell.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use reedline::{Completer, CompletionResult, Span, Suggestion};

use crate::sanitize::sanitize_line;
use crate::servers::Tool;

/// The globals of a cell that people write, and the commands.
const GLOBALS: [&str; 36] = [
    "ALL_TOOLS",
    "AbortController",
    "Array",
    "Date",
    "Error",
    "Intl",
    "JSON",
    "Map",
    "Math",
    "Number",
    "Object",
    "Promise",
    "RegExp",
    "Set",
    "String",
    "TextDecoder",
    "TextEncoder",
    "URL",
    "URLSearchParams",
    "await",
    "audio",
    "console",
    "const",
    "content",
    "exit",
    "function",
    "image",
    "load",
    "notify",
    "setTimeout",
    "store",
    "structuredClone",
    "text",
    "tools",
    "yield_control",
    "globalThis",
];
/// The commands.
pub(crate) const COMMANDS: [(&str, &str); 6] = [
    ("tools", "lists the tools; with a pattern, those that have it in their name or description"),
    ("describe", "shows the TypeScript declaration of a tool"),
    ("store", "lists the keys of stored values; with a key, shows its value"),
    ("cells", "lists the cells that ran"),
    ("help", "shows this"),
    ("quit", "leaves, as Ctrl-D does"),
];

/// The names, shared between the session and the line editor.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    tools: Arc<Mutex<Vec<(String, String)>>>,
    declared: Arc<Mutex<BTreeSet<String>>>,
}

impl Names {
    pub(crate) fn new(tools: &[Tool]) -> Self {
        let names = Self::default();
        names.set_tools(tools);
        names
    }

    /// Puts these tools where the others were.
    pub(crate) fn set_tools(&self, tools: &[Tool]) {
        let named = tools.iter().map(|tool| {
            let line = tool.description.lines().map(str::trim).find(|line| !line.is_empty());
            (tool.name.clone(), sanitize_line(&line.unwrap_or_default().chars().take(80).collect::<String>()))
        });
        *self.tools.lock().unwrap_or_else(PoisonError::into_inner) = named.collect();
    }

    /// Adds what a cell declared.
    pub(crate) fn declare(&self, names: impl IntoIterator<Item = String>) {
        self.declared.lock().unwrap_or_else(PoisonError::into_inner).extend(names);
    }

    /// Returns where the word at the end of `text` begins, and what it may become, with a word on each.
    pub(crate) fn complete(&self, text: &str) -> (usize, Vec<(String, Option<String>)>) {
        let begun = text.rfind(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$'))).map_or(0, |at| {
            at + text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
        });
        let (before, word) = text.split_at(begun);
        let described = |names: &[(String, String)]| {
            let fitting = names.iter().filter(|(name, _)| name.starts_with(word));
            fitting.map(|(name, line)| (name.clone(), Some(line.clone()))).collect()
        };
        let found = if before == ":" {
            let commands = COMMANDS.map(|(name, line)| (name.to_owned(), line.to_owned()));
            described(&commands)
        } else if before.ends_with("tools.") || before.trim_start() == ":describe " {
            described(&self.tools.lock().unwrap_or_else(PoisonError::into_inner))
        } else if before.ends_with('.') || word.is_empty() {
            Vec::new()
        } else {
            let declared = self.declared.lock().unwrap_or_else(PoisonError::into_inner);
            let known = declared.iter().map(String::as_str);
            let names: BTreeSet<_> =
                GLOBALS.into_iter().chain(known).filter(|name| name.starts_with(word)).collect();
            names.into_iter().map(|name| (name.to_owned(), None)).collect()
        };
        (begun, found)
    }
}

impl Completer for Names {
    fn complete(&mut self, line: &str, pos: usize) -> CompletionResult {
        let text = line.get(..pos).unwrap_or(line);
        let (begun, found) = Self::complete(self, text);
        let suggestions: Vec<_> = found
            .into_iter()
            .map(|(value, description)| Suggestion {
                value,
                description,
                span: Span { start: begun, end: text.len() },
                ..Suggestion::default()
            })
            .collect();
        CompletionResult::fresh(suggestions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let tool = |name: &str| Tool {
            name: name.to_owned(),
            server: "s".to_owned(),
            description: "Does it.\nMore.".to_owned(),
        };
        Names::new(&[tool("orders__get"), tool("orders__list"), tool("notes__add")])
    }

    fn complete(text: &str) -> Vec<String> {
        names().complete(text).1.into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn tools_come_with_the_first_line_of_their_description() {
        assert_eq!(complete("await tools.or"), ["orders__get", "orders__list"]);
        assert_eq!(names().complete("tools.n").1, [("notes__add".to_owned(), Some("Does it.".to_owned()))]);
        assert_eq!(complete(":describe no"), ["notes__add"]);
    }

    #[test]
    fn what_was_declared_and_globals_complete_too() {
        let names = names();
        names.declare(["total".to_owned(), "ähnlich".to_owned()]);
        assert_eq!(names.complete("f(tot").1, [("total".to_owned(), None)]);
        assert_eq!(names.complete("x + äh").1, [("ähnlich".to_owned(), None)]);
        assert_eq!(names.complete("tex").1, [("text".to_owned(), None)]);
        assert!(complete("x.te").is_empty() && complete("").is_empty());
        assert_eq!(complete(":q"), ["quit"]);
    }
}
