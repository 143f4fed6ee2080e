//! What a client passes to a tool of ours: read strictly, since a misspelt argument that is passed over does what nobody
//! asked for.

use carrel_contract::{CellId, IdempotencyKey, Seq, WaitUntil};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::refusal::Refusal;

/// The arguments of `exec`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exec {
    pub(crate) code: String,
    pub(crate) session_id: Option<String>,
    pub(crate) yield_time_ms: Option<u64>,
    pub(crate) max_output_tokens: Option<usize>,
    pub(crate) idempotency_key: Option<IdempotencyKey>,
}

/// The arguments of `wait`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wait {
    pub(crate) session_id: String,
    pub(crate) cell_id: Option<CellId>,
    #[serde(default)]
    pub(crate) cell_ids: Vec<CellId>,
    #[serde(default)]
    pub(crate) until: WaitUntil,
    pub(crate) after: Option<Seq>,
    pub(crate) yield_time_ms: Option<u64>,
    pub(crate) max_output_tokens: Option<usize>,
    #[serde(default)]
    pub(crate) terminate: bool,
}

/// The arguments of `search_tools`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Search {
    pub(crate) query: String,
    pub(crate) limit: Option<usize>,
}

/// Reads the arguments of a tool.
pub(crate) fn read<T: DeserializeOwned>(arguments: Option<Map<String, Value>>) -> Result<T, Refusal> {
    serde_json::from_value(Value::Object(arguments.unwrap_or_default()))
        .map_err(|error| Refusal::new(format!("failed to read the arguments: {error}")))
}
