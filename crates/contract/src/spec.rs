//! What a session is made of.

use serde::{Deserialize, Serialize};

use crate::{Dialect, Limits, SessionName, ToolDescription};

/// Everything a provider needs to make a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct SessionSpec {
    /// What people call it; its id begins with that. Nothing keeps two sessions from having one name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<SessionName>,
    /// What carries over from cell to cell.
    pub mode: SessionMode,
    /// What a crash takes.
    pub durability: Durability,
    /// What its cells find around them.
    #[serde(skip_serializing_if = "Dialect::is_default")]
    pub dialect: Dialect,
    /// The tools its cells may call. Names must differ, but in the dialect of Codex.
    pub tools: Vec<ToolDescription>,
    /// Whether each cell is checked against the types of its tools, and of what earlier cells declared, before it runs. One
    /// that fails the check has not done anything. Where there is no checker, cells run unchecked and say so.
    pub check: bool,
    /// Its limits.
    pub limits: Limits,
    /// The seed of its cells' `Math.random`; drawn by the provider when absent.
    pub seed: Option<u64>,
    /// The time zone of its cells' local times: a name of the IANA database, such as `Europe/Berlin`, or an offset, such
    /// as `+05:30`; UTC when absent. Their locale is `en-US`.
    pub time_zone: Option<String>,
}

/// What carries over from one cell to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionMode {
    /// Each cell has a VM of its own; only stored values carry over.
    #[default]
    Fresh,
    /// Globals, functions and closures carry over, as in a notebook: a cell sees what earlier ones declared at their top
    /// level, and may declare it again. Cells run one at a time, in the order of their admission; each sees what the one
    /// before it left, stored values included. What a terminated cell did to the variables never happened.
    /// A tool that waits for another cell of the session that called it waits until one of the two is terminated.
    Persistent,
}

/// What a crash takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// Everything: the session lives in memory.
    #[default]
    Ephemeral,
    /// Nothing that was acknowledged.
    Journaled,
}
