//! How a session is made, and its limits: those of the observed host, and some where that one has none.

use std::time::Duration;

use carrel_contract::{Dialect, Durability, SessionName, SessionSpec};

const MIB: usize = 1024 * 1024;
/// The most that a source may have. No model writes as much, and the time and memory that it takes to read are nobody else's.
const SOURCE_BYTES: usize = 4 * MIB;
/// What a cell may have in memory unless the client says less or more.
const MEMORY_BYTES: usize = 256 * MIB;
/// The least that a cell can be given; less is taken for this.
const LEAST_MEMORY_BYTES: usize = 2 * MIB;
/// The most that the engines of this project give.
const MOST_MEMORY_BYTES: usize = 512 * MIB;

/// How a session is made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) max_yield_time: Option<Duration>,
    pub(crate) max_heap_bytes: Option<u64>,
    /// Whether output is cut here.
    pub(crate) truncates: bool,
    /// The most calls that the client takes at once; others wait.
    pub(crate) pending_calls: usize,
}

impl Settings {
    /// Returns what the session is to be, kept under this name.
    pub(super) fn spec(&self, name: Option<SessionName>) -> SessionSpec {
        let mut spec = SessionSpec::default();
        spec.dialect = Dialect::Codex;
        if name.is_some() {
            spec.durability = Durability::Journaled;
        }
        spec.name = name;
        let heap = self.max_heap_bytes.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        let limits = &mut spec.limits;
        limits.memory_bytes = heap.unwrap_or(MEMORY_BYTES).clamp(LEAST_MEMORY_BYTES, MOST_MEMORY_BYTES);
        // The observed host has no limit here, and its clients end what takes too long.
        limits.cpu_time = Duration::from_secs(24 * 3600);
        limits.source_bytes = SOURCE_BYTES;
        limits.tool_value_bytes = 64 * MIB;
        limits.pending_tool_calls = self.pending_calls.max(1);
        limits.running_cells = 1000;
        limits.kept_outcomes = 4096;
        // Text past a mebibyte is cut here, where it is cut; how much there was has to be known for that.
        limits.output_bytes = if self.truncates { 16 * MIB } else { 32 * MIB };
        limits.media_bytes = 48 * MIB;
        limits.kept_events = 1;
        limits.stored_value_bytes = 64 * MIB;
        limits.stored_bytes = 1024 * MIB;
        limits.stored_keys = 1_000_000;
        spec
    }
}
