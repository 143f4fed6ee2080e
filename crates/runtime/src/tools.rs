//! The tools of a session, as its cells find them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use carrel_catalogue::declaration::{Budget, Declaration};
use carrel_catalogue::search::Index;
use carrel_catalogue::summary;
use carrel_contract::error::InvalidSpec;
use carrel_contract::{Dialect, ToolDescription, ToolName};
use carrel_engine::Tools;
use serde::Serialize;

/// What every cell has beside its tools.
const OWN_NAMES: [&str; 2] = ["$search", "$describe"];
/// What one line says of a tool.
const SUMMARY_CHARS: usize = 200;
/// How long the declarations are that one question gets.
const DECLARATION_BYTES: usize = 1 << 20;

/// Whether a call may be made again when nobody knows what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It changes nothing: made once, twice or never, the world is the same.
    Freely,
    /// With the same idempotency key.
    WithKey,
    Never,
}

/// What a cell keeps from its admission to its end, whatever becomes of the session's tools meanwhile. Sorted by name, or,
/// in the dialect of Codex, as it was given.
pub(crate) struct ToolTable {
    pub(crate) descriptions: Arc<[ToolDescription]>,
    /// Where each is; of two with one name, the later.
    places: HashMap<ToolName, usize>,
    pub(crate) guest: Arc<Tools>,
    /// Made by the first search.
    index: OnceLock<Index>,
}

impl ToolTable {
    /// # Errors
    /// When two have one name, or one has that of a function which is there anyway; in the dialect of Codex neither is wrong.
    pub(crate) fn new(descriptions: Vec<ToolDescription>, dialect: Dialect) -> Result<Self, InvalidSpec> {
        match dialect {
            Dialect::Codex => Ok(Self::of(descriptions)),
            _ => Self::sorted(descriptions),
        }
    }

    fn sorted(mut descriptions: Vec<ToolDescription>) -> Result<Self, InvalidSpec> {
        let mut names = HashSet::new();
        if let Some(twice) = descriptions.iter().find(|tool| !names.insert(&tool.name)) {
            return Err(InvalidSpec { field: "tools", problem: format!("has two named {}", twice.name) });
        }
        if let Some(own) = OWN_NAMES.iter().find(|own| names.iter().any(|name| name.as_str() == **own)) {
            let problem = format!("has one named {own}, which is a function that every cell has");
            return Err(InvalidSpec { field: "tools", problem });
        }
        descriptions.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self::of(descriptions))
    }

    fn of(descriptions: Vec<ToolDescription>) -> Self {
        let guest =
            Tools::new(descriptions.iter().map(|tool| (tool.name.as_str(), tool.description.as_str())));
        let places =
            descriptions.iter().enumerate().map(|(place, tool)| (tool.name.clone(), place)).collect();
        Self { descriptions: descriptions.into(), places, guest: Arc::new(guest), index: OnceLock::new() }
    }

    /// Returns what is known of the tool that has a name.
    pub(crate) fn find(&self, name: &ToolName) -> Option<&ToolDescription> {
        self.places.get(name).and_then(|place| self.descriptions.get(*place))
    }

    /// Tells whether a call of a tool may be made again when its outcome is not known.
    pub(crate) fn repeat(&self, name: &ToolName) -> Repeat {
        match self.find(name).map(|tool| tool.hints) {
            Some(hints) if hints.read_only => Repeat::Freely,
            Some(hints) if hints.repeatable() => Repeat::WithKey,
            _ => Repeat::Never,
        }
    }

    /// Returns them, as they were given.
    pub(crate) fn descriptions(&self) -> &[ToolDescription] {
        &self.descriptions
    }

    /// Returns the name of the tool that the guest knows by its place.
    pub(crate) fn name(&self, place: usize) -> Option<&ToolName> {
        self.at(place).map(|tool| &tool.name)
    }

    /// Returns what is known of the tool that the guest knows by its place.
    pub(crate) fn at(&self, place: usize) -> Option<&ToolDescription> {
        self.descriptions.get(place)
    }

    /// Finds the tools that do what some words say; returns the list that `tools.$search` gives.
    pub(crate) fn search(&self, query: &str, limit: usize) -> String {
        #[derive(Serialize)]
        struct Row<'a> {
            name: &'a str,
            description: String,
            #[serde(skip_serializing_if = "Option::is_none")]
            server: Option<&'a str>,
        }

        let index = self.index.get_or_init(|| Index::new(&self.descriptions));
        let found =
            index.search(query, limit).into_iter().filter_map(|found| self.descriptions.get(found.tool));
        let rows = found.map(|tool| Row {
            name: tool.name.as_str(),
            description: summary(&tool.description, SUMMARY_CHARS),
            server: tool.server.as_deref(),
        });
        // Strings alone: nothing here can fail to be JSON.
        serde_json::to_string(&rows.collect::<Vec<_>>()).unwrap_or_default()
    }

    /// Declares the tools that the guest knows by these places; returns the text that `tools.$describe` gives, as JSON.
    pub(crate) fn describe(&self, places: &[usize]) -> String {
        let budget =
            Budget::bytes(Budget::default().max_bytes().min(DECLARATION_BYTES / places.len().max(1)));
        let tools = places.iter().filter_map(|place| self.descriptions.get(*place));
        let declared: Vec<_> = tools.map(|tool| Declaration::new(tool, budget).to_string()).collect();
        serde_json::Value::String(declared.join("\n")).to_string()
    }
}
