//! The tools of a session, as its cells find them.

use std::collections::HashSet;
use std::sync::Arc;

use carrel_contract::error::InvalidSpec;
use carrel_contract::{ToolDescription, ToolName};
use carrel_engine::Tools;

/// What a cell keeps from its admission to its end, whatever becomes of the session's tools meanwhile. Sorted by name.
pub(crate) struct ToolTable {
    descriptions: Vec<ToolDescription>,
    pub(crate) guest: Arc<Tools>,
}

impl ToolTable {
    /// # Errors
    /// When two have one name.
    pub(crate) fn new(mut descriptions: Vec<ToolDescription>) -> Result<Self, InvalidSpec> {
        let mut names = HashSet::new();
        if let Some(twice) = descriptions.iter().find(|tool| !names.insert(&tool.name)) {
            return Err(InvalidSpec { field: "tools", problem: format!("has two named {}", twice.name) });
        }
        descriptions.sort_by(|a, b| a.name.cmp(&b.name));
        let guest =
            Tools::new(descriptions.iter().map(|tool| (tool.name.as_str(), tool.description.as_str())));
        Ok(Self { descriptions, guest: Arc::new(guest) })
    }

    /// Returns the name of the tool that the guest knows by its place.
    pub(crate) fn name(&self, place: usize) -> Option<&ToolName> {
        self.descriptions.get(place).map(|tool| &tool.name)
    }
}
