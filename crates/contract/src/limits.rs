//! Every limit of a session, with its default.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The limits of a session and of its cells. The defaults are those of the contract, section 8.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Limits {
    /// Memory of one cell's VM in bytes: 64 MiB.
    pub memory_bytes: usize,
    /// CPU time of one cell: 30 s. Waiting never counts.
    pub cpu_time: Duration,
    /// Length of one cell's source in bytes: 256 KiB.
    pub source_bytes: usize,
    /// Length of one tool input or result in bytes: 16 MiB.
    pub tool_value_bytes: usize,
    /// Time one tool call may take: none by default.
    pub tool_time: Option<Duration>,
    /// Tool calls of a session under way at once: 4,096. More wait their turn.
    pub pending_tool_calls: usize,
    /// Cells of a session that run at once: 64. More are refused.
    pub running_cells: usize,
    /// Outcomes kept for reading again: 1,000. The oldest go first.
    pub kept_outcomes: usize,
    /// How long an outcome is kept: 7 days.
    pub outcome_age: Duration,
    /// Text retained of one cell's output in bytes: 1 MiB. Past it the middle is dropped and counted. Also the most
    /// that its result or its error may have.
    pub output_bytes: usize,
    /// Pictures, sounds and other blocks retained of one cell's output in bytes: 16 MiB. Past it the middle ones are
    /// dropped and counted.
    pub media_bytes: usize,
    /// Events of a session retained for [`events`](crate::CodeModeSession::events): 4,096.
    pub kept_events: usize,
    /// Length of one stored value in bytes: 8 MiB.
    pub stored_value_bytes: usize,
    /// All stored values of a session with their keys in bytes: 64 MiB.
    pub stored_bytes: usize,
    /// Stored keys of a session: 10,000.
    pub stored_keys: usize,
    /// How long callbacks may take to end after a termination: 1 s.
    pub callback_grace: Duration,
    /// How long notifications may take to be delivered before a cell's outcome is visible: 5 s.
    pub notify_time: Duration,
    /// How long a shutdown may take: 10 s.
    pub shutdown_time: Duration,
}

const MIB: usize = 1024 * 1024;

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 64 * MIB,
            cpu_time: Duration::from_secs(30),
            source_bytes: 256 * 1024,
            tool_value_bytes: 16 * MIB,
            tool_time: None,
            pending_tool_calls: 4096,
            running_cells: 64,
            kept_outcomes: 1000,
            outcome_age: Duration::from_secs(7 * 24 * 3600),
            output_bytes: MIB,
            media_bytes: 16 * MIB,
            kept_events: 4096,
            stored_value_bytes: 8 * MIB,
            stored_bytes: 64 * MIB,
            stored_keys: 10_000,
            callback_grace: Duration::from_secs(1),
            notify_time: Duration::from_secs(5),
            shutdown_time: Duration::from_secs(10),
        }
    }
}
