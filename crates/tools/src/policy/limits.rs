//! What a policy limits.

use std::time::Duration;

/// Limits on the calls to which they apply: all calls of a session, or those that a rule matches, together.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct PolicyLimits {
    /// The calls that one cell may make.
    pub calls_per_cell: Option<u64>,
    /// The calls that one session may make, whatever the cells.
    pub calls_per_session: Option<u64>,
    /// The calls that one session may make within any 60 seconds.
    pub calls_per_minute: Option<u32>,
    /// The calls under way at once in one session; more wait their turn.
    pub concurrent_calls: Option<u32>,
    /// The time of one call, without that for which a person is waited for.
    pub call_time: Option<Duration>,
    /// The input of one call, in bytes of JSON.
    pub input_bytes: Option<usize>,
    /// The result of one call, in bytes of JSON.
    pub result_bytes: Option<usize>,
}

impl PolicyLimits {
    /// The names of the limits in a policy, in the order of the fields.
    pub(super) const KEYS: [&'static str; 7] = [
        "calls_per_cell",
        "calls_per_session",
        "calls_per_minute",
        "concurrent_calls",
        "call_seconds",
        "input_bytes",
        "result_bytes",
    ];

    /// Tells whether nothing is limited.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the limits that are set, by their names in a policy.
    #[must_use]
    pub fn listed(&self) -> Vec<(&'static str, String)> {
        let values = [
            self.calls_per_cell.map(|n| n.to_string()),
            self.calls_per_session.map(|n| n.to_string()),
            self.calls_per_minute.map(|n| n.to_string()),
            self.concurrent_calls.map(|n| n.to_string()),
            self.call_time.map(|time| time.as_secs_f64().to_string()),
            self.input_bytes.map(|n| n.to_string()),
            self.result_bytes.map(|n| n.to_string()),
        ];
        Self::KEYS.into_iter().zip(values).filter_map(|(key, value)| Some((key, value?))).collect()
    }
}
