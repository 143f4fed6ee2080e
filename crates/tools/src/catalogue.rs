//! Every tool of every source under the name its cells use.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use carrel_contract::{JsonText, ToolDescription, ToolHints, ToolName, ToolOutput};
use serde_json::Value;

use crate::bound::bounded;
use crate::name::{Names, assign};
use crate::near::nearest;
use crate::printable::printable;
use crate::schema::InputSchema;
use crate::source::SourceTool;

/// What is kept of a description, in bytes.
const MAX_DESCRIPTION_BYTES: usize = 8 << 10;

/// The tools of a set of upstreams, sorted by name.
#[derive(Debug, Default)]
pub struct Catalogue {
    entries: BTreeMap<ToolName, Arc<CatalogueEntry>>,
}

/// One tool: what it is called here, whose it is, what it takes and what it is known to do.
#[derive(Debug)]
#[non_exhaustive]
pub struct CatalogueEntry {
    /// The name cells call it by.
    pub name: ToolName,
    /// The server that has it.
    pub server: Arc<str>,
    /// The name it has there.
    pub tool: String,
    /// What it does, for the model: at most 8 KiB of what the server says, without control characters, and a
    /// note on a shared name.
    pub description: String,
    /// What it takes.
    pub input_schema: InputSchema,
    /// What its structured content looks like, when its server says so.
    pub output_schema: Option<Value>,
    /// What its server says of its effects.
    pub hints: ToolHints,
    /// The tools, by server and name there, whose names would have been the same; empty for nearly all.
    pub name_shared_with: Vec<(String, String)>,
}

impl Catalogue {
    /// Names the tools of all servers. Of two tools that one server gives the same name, the first counts.
    #[cfg(test)]
    pub(crate) fn new<T: Into<SourceTool>>(servers: impl IntoIterator<Item = (Arc<str>, Vec<T>)>) -> Self {
        Self::default().followed_by(servers)
    }

    /// Names the tools of all servers as they are now. Those that are in this catalogue keep the names they have here.
    pub(crate) fn followed_by<T: Into<SourceTool>>(
        &self,
        servers: impl IntoIterator<Item = (Arc<str>, Vec<T>)>,
    ) -> Self {
        let mut seen = BTreeSet::new();
        let mut tools = Vec::new();
        for (server, of_server) in servers {
            for tool in of_server {
                let tool: SourceTool = tool.into();
                if seen.insert((server.to_string(), tool.name.clone())) {
                    tools.push((Arc::clone(&server), tool));
                } else {
                    tracing::warn!(%server, tool = %bounded(&tool.name, 200), "the server lists a tool twice");
                }
            }
        }
        let had: Names = self
            .iter()
            .map(|entry| ((entry.server.to_string(), entry.tool.clone()), entry.name.clone()))
            .collect();
        let mut names = assign(seen, &had);
        let entries = tools.into_iter().filter_map(|(server, tool)| {
            let assigned = names.remove(&(server.to_string(), tool.name.clone()))?;
            let entry = entry(server, tool, assigned.name, assigned.shared_with);
            Some((entry.name.clone(), Arc::new(entry)))
        });
        Self { entries: entries.collect() }
    }

    /// Returns a tool by the name cells use.
    #[must_use]
    pub fn get(&self, name: &ToolName) -> Option<&Arc<CatalogueEntry>> {
        self.entries.get(name)
    }

    /// Returns all tools, sorted by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<CatalogueEntry>> {
        self.entries.values()
    }

    /// Returns the number of tools.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Tells whether there are no tools.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns what a session is told of the tools, sorted by name: `SessionSpec::tools`.
    #[must_use]
    pub fn descriptions(&self) -> Vec<ToolDescription> {
        self.iter().map(|entry| entry.describe()).collect()
    }

    /// Returns up to `limit` names close to one that is not there, nearest first.
    #[must_use]
    pub fn nearest(&self, name: &str, limit: usize) -> Vec<&ToolName> {
        let near = nearest(name, self.entries.keys().map(ToolName::as_str), limit);
        near.iter().filter_map(|near| self.entries.keys().find(|name| name.as_str() == *near)).collect()
    }
}

impl CatalogueEntry {
    fn describe(&self) -> ToolDescription {
        let text = |schema: &Value| JsonText::parse(&schema.to_string()).ok();
        let mut tool = ToolDescription::new(self.name.clone(), self.description.clone())
            .with_server(self.server.as_ref())
            .with_hints(self.hints);
        tool.input_schema = text(self.input_schema.document());
        tool.output =
            self.output_schema.as_ref().and_then(text).map(|schema| ToolOutput { schema, observed: false });
        tool
    }
}

fn entry(
    server: Arc<str>,
    tool: SourceTool,
    name: ToolName,
    name_shared_with: Vec<(String, String)>,
) -> CatalogueEntry {
    let mut description = bounded(&printable(&tool.description), MAX_DESCRIPTION_BYTES);
    if let Some(note) = shared_note(&server, &tool.name, &name_shared_with) {
        if !description.is_empty() {
            description.push_str("\n\n");
        }
        description.push_str(&note);
    }
    CatalogueEntry {
        name,
        server,
        tool: tool.name,
        description,
        input_schema: InputSchema::new(tool.input_schema),
        output_schema: tool.output_schema,
        hints: tool.hints,
        name_shared_with,
    }
}

fn shared_note(server: &str, tool: &str, others: &[(String, String)]) -> Option<String> {
    if others.is_empty() {
        return None;
    }
    let listed: Vec<String> = others
        .iter()
        .take(3)
        .map(|(server, tool)| format!("`{}` of server `{server}`", bounded(tool, 100)))
        .collect();
    let more = if others.len() > 3 { format!(" and {} more", others.len() - 3) } else { String::new() };
    Some(format!(
        "(This is `{}` of server `{server}`. Its name would also be that of {}{more}, so they are numbered.)",
        bounded(tool, 100),
        listed.join(", "),
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tools(names: &[&str]) -> Vec<rmcp::model::Tool> {
        names
            .iter()
            .map(|name| {
                serde_json::from_value(json!({ "name": name, "description": name, "inputSchema": {} }))
                    .unwrap()
            })
            .collect()
    }

    fn names(catalogue: &Catalogue) -> Vec<(&str, &str, &str)> {
        catalogue.iter().map(|e| (e.name.as_str(), e.server.as_ref(), e.tool.as_str())).collect()
    }

    #[test]
    fn is_sorted_and_independent_of_the_order_of_servers() {
        let there =
            Catalogue::new([("b".into(), tools(&["y", "x"])), ("a".into(), tools(&["z", "z-", "z_"]))]);
        let back =
            Catalogue::new([("a".into(), tools(&["z_", "z-", "z"])), ("b".into(), tools(&["x", "y"]))]);
        assert_eq!(names(&there), names(&back));
        assert_eq!(
            names(&there),
            [
                ("a__z", "a", "z"),
                ("a__z_", "a", "z-"),
                ("a__z__2", "a", "z_"),
                ("b__x", "b", "x"),
                ("b__y", "b", "y")
            ]
        );
    }

    #[test]
    fn says_that_a_name_is_shared() {
        let catalogue = Catalogue::new([("a".into(), tools(&["z-", "z_", "q"]))]);
        let shared = catalogue.get(&ToolName::new("a__z__2").unwrap()).unwrap();
        assert_eq!(shared.name_shared_with, [("a".to_owned(), "z-".to_owned())]);
        assert_eq!(
            shared.description,
            "z_\n\n(This is `z_` of server `a`. Its name would also be that of `z-` of server `a`, so they are numbered.)"
        );
        assert_eq!(catalogue.descriptions()[0].description, "q");
    }

    #[test]
    fn the_first_of_two_tools_with_one_name_counts() {
        let mut twice = tools(&["x", "x"]);
        twice[1].description = Some("second".into());
        let catalogue = Catalogue::new([("a".into(), twice)]);
        assert_eq!(catalogue.len(), 1);
        assert_eq!(catalogue.descriptions()[0].description, "x");
    }

    #[test]
    fn keeps_a_bounded_description() {
        let mut long = tools(&["x"]);
        long[0].description = Some("d".repeat(1 << 20).into());
        let catalogue = Catalogue::new([("a".into(), long)]);
        assert!(catalogue.descriptions()[0].description.len() < MAX_DESCRIPTION_BYTES + 50);
    }

    #[test]
    fn finds_near_names() {
        let catalogue = Catalogue::new([("orders".into(), tools(&["list_orders", "get_order"]))]);
        assert_eq!(catalogue.nearest("orders__list_order", 3)[0].as_str(), "orders__list_orders");
    }
}
