//! What a session is made of.

use std::time::Duration;

use carrel_contract as contract;
use carrel_contract::{
    JsonText, SessionName, SessionSpec, ToolDescription, ToolHints, ToolKind, ToolName, ToolOrigin,
    ToolOutput,
};
use minicbor::{Decode, Encode};

use crate::same::same;
use crate::text::{Malformed, Text};

/// The contract's `SessionSpec`.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Spec {
    /// What carries over from cell to cell.
    #[n(0)]
    pub mode: Mode,
    /// What a crash takes.
    #[n(1)]
    pub durability: Durability,
    /// The tools its cells may call.
    #[cbor(n(2), decode_with = "crate::list::few")]
    pub tools: Vec<Tool>,
    /// Whether cells are checked before they run.
    #[n(3)]
    pub check: bool,
    /// Its limits.
    #[n(4)]
    pub limits: Limits,
    /// The seed of `Math.random`.
    #[n(5)]
    pub seed: Option<u64>,
    /// The time zone of local times.
    #[n(6)]
    pub time_zone: Option<String>,
    /// What people call it.
    #[n(7)]
    pub name: Option<String>,
    /// What its cells find around them; Carrel's own when absent.
    #[n(8)]
    pub dialect: Option<Dialect>,
}

/// What cells find around them, where that is not Carrel's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Dialect {
    /// That of Codex.
    #[n(0)]
    Codex,
}

/// What carries over from one cell to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Mode {
    /// Stored values alone.
    #[n(0)]
    Fresh,
    /// Globals, functions and closures, too.
    #[n(1)]
    Persistent,
}

/// What a crash takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Durability {
    /// Everything.
    #[n(0)]
    Ephemeral,
    /// Nothing that was acknowledged.
    #[n(1)]
    Journaled,
}

/// The contract's `Limits`. Absent ones have their defaults; times are `[seconds, nanoseconds]`.
#[derive(Clone, Debug, Default, Encode, Decode)]
pub struct Limits {
    /// Memory of a cell.
    #[n(0)]
    pub memory_bytes: Option<u64>,
    /// CPU time of a cell.
    #[n(1)]
    pub cpu_time: Option<Duration>,
    /// Length of a source.
    #[n(2)]
    pub source_bytes: Option<u64>,
    /// Length of a tool's input or result.
    #[n(3)]
    pub tool_value_bytes: Option<u64>,
    /// Time of a tool call; none by default.
    #[n(4)]
    pub tool_time: Option<Duration>,
    /// Tool calls under way.
    #[n(5)]
    pub pending_tool_calls: Option<u64>,
    /// Running cells.
    #[n(6)]
    pub running_cells: Option<u64>,
    /// Kept outcomes.
    #[n(7)]
    pub kept_outcomes: Option<u64>,
    /// How long an outcome is kept.
    #[n(8)]
    pub outcome_age: Option<Duration>,
    /// Retained text of a cell.
    #[n(9)]
    pub output_bytes: Option<u64>,
    /// Retained media of a cell.
    #[n(10)]
    pub media_bytes: Option<u64>,
    /// Kept events.
    #[n(11)]
    pub kept_events: Option<u64>,
    /// Length of a stored value.
    #[n(12)]
    pub stored_value_bytes: Option<u64>,
    /// All stored values.
    #[n(13)]
    pub stored_bytes: Option<u64>,
    /// Stored keys.
    #[n(14)]
    pub stored_keys: Option<u64>,
    /// How long callbacks may take to end.
    #[n(15)]
    pub callback_grace: Option<Duration>,
    /// How long notifications may take to be delivered.
    #[n(16)]
    pub notify_time: Option<Duration>,
    /// How long a shutdown may take.
    #[n(17)]
    pub shutdown_time: Option<Duration>,
}

/// The contract's `ToolDescription`.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Tool {
    /// The name it is called by.
    #[n(0)]
    pub name: String,
    /// What it does.
    #[n(1)]
    pub description: String,
    /// The source that has it.
    #[n(2)]
    pub server: Option<String>,
    /// What it takes, as JSON Schema.
    #[n(3)]
    pub input_schema: Option<Text>,
    /// What it returns.
    #[n(4)]
    pub output: Option<ToolResult>,
    /// What it is said to do to the world.
    #[n(5)]
    pub hints: Hints,
    /// What its owner knows it by.
    #[n(6)]
    pub origin: Option<Origin>,
}

/// The contract's `ToolOrigin`.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Origin {
    /// The name there.
    #[n(0)]
    pub name: String,
    /// The namespace there.
    #[n(1)]
    pub namespace: Option<String>,
    /// What kind of input it takes.
    #[n(2)]
    pub kind: Kind,
}

/// What kind of input a tool takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Kind {
    /// JSON.
    #[n(0)]
    Function,
    /// Text.
    #[n(1)]
    Freeform,
}

same!(ToolKind, Kind: Function Freeform);

impl From<ToolOrigin> for Origin {
    fn from(origin: ToolOrigin) -> Self {
        Self { name: origin.name, namespace: origin.namespace, kind: origin.kind.into() }
    }
}

impl From<Origin> for ToolOrigin {
    fn from(wire: Origin) -> Self {
        Self { name: wire.name, namespace: wire.namespace, kind: wire.kind.into() }
    }
}

/// The contract's `ToolOutput`.
#[derive(Clone, Debug, Encode, Decode)]
pub struct ToolResult {
    /// The value that a call gives, as JSON Schema.
    #[n(0)]
    pub schema: Text,
    /// Whether it was learned.
    #[n(1)]
    pub observed: bool,
}

/// The contract's `ToolHints`. Absent ones have their defaults.
#[derive(Clone, Copy, Debug, Default, Encode, Decode)]
pub struct Hints {
    /// It changes nothing.
    #[n(0)]
    pub read_only: Option<bool>,
    /// It may destroy something.
    #[n(1)]
    pub destructive: Option<bool>,
    /// Again with the same input changes nothing more.
    #[n(2)]
    pub idempotent: Option<bool>,
    /// It reaches beyond its server.
    #[n(3)]
    pub open_world: Option<bool>,
}

impl From<SessionSpec> for Spec {
    fn from(spec: SessionSpec) -> Self {
        Self {
            mode: match spec.mode {
                contract::SessionMode::Fresh => Mode::Fresh,
                contract::SessionMode::Persistent => Mode::Persistent,
            },
            durability: match spec.durability {
                contract::Durability::Ephemeral => Durability::Ephemeral,
                contract::Durability::Journaled => Durability::Journaled,
            },
            tools: spec.tools.into_iter().map(Tool::from).collect(),
            check: spec.check,
            limits: spec.limits.into(),
            seed: spec.seed,
            time_zone: spec.time_zone,
            name: spec.name.map(String::from),
            dialect: (spec.dialect == contract::Dialect::Codex).then_some(Dialect::Codex),
        }
    }
}

impl TryFrom<Spec> for SessionSpec {
    type Error = Malformed;

    fn try_from(wire: Spec) -> Result<Self, Malformed> {
        let mut spec = Self::default();
        spec.mode = match wire.mode {
            Mode::Fresh => contract::SessionMode::Fresh,
            Mode::Persistent => contract::SessionMode::Persistent,
        };
        spec.durability = match wire.durability {
            Durability::Ephemeral => contract::Durability::Ephemeral,
            Durability::Journaled => contract::Durability::Journaled,
        };
        spec.tools = wire.tools.into_iter().map(ToolDescription::try_from).collect::<Result<_, _>>()?;
        spec.dialect = match wire.dialect {
            Some(Dialect::Codex) => contract::Dialect::Codex,
            None => contract::Dialect::Carrel,
        };
        spec.check = wire.check;
        spec.limits = wire.limits.into();
        spec.seed = wire.seed;
        spec.time_zone = wire.time_zone;
        spec.name = wire.name.as_deref().map(SessionName::new).transpose()?;
        Ok(spec)
    }
}

macro_rules! limits {
    (counts: $($count:ident)*; times: $($time:ident)*) => {
        impl From<contract::Limits> for Limits {
            fn from(limits: contract::Limits) -> Self {
                Self {
                    $($count: Some(u64::try_from(limits.$count).unwrap_or(u64::MAX)),)*
                    $($time: Some(limits.$time),)*
                    tool_time: limits.tool_time,
                }
            }
        }

        impl From<Limits> for contract::Limits {
            fn from(wire: Limits) -> Self {
                let mut limits = Self::default();
                $(if let Some(count) = wire.$count {
                    limits.$count = usize::try_from(count).unwrap_or(usize::MAX);
                })*
                $(if let Some(time) = wire.$time {
                    limits.$time = time;
                })*
                limits.tool_time = wire.tool_time;
                limits
            }
        }
    };
}

limits! {
    counts: memory_bytes source_bytes tool_value_bytes pending_tool_calls running_cells kept_outcomes output_bytes
        media_bytes kept_events stored_value_bytes stored_bytes stored_keys;
    times: cpu_time outcome_age callback_grace notify_time shutdown_time
}

impl From<ToolDescription> for Tool {
    fn from(tool: ToolDescription) -> Self {
        Self {
            name: tool.name.into(),
            description: tool.description,
            server: tool.server,
            input_schema: tool.input_schema.map(Text::from),
            output: tool
                .output
                .map(|output| ToolResult { schema: output.schema.into(), observed: output.observed }),
            hints: Hints {
                read_only: Some(tool.hints.read_only),
                destructive: Some(tool.hints.destructive),
                idempotent: Some(tool.hints.idempotent),
                open_world: Some(tool.hints.open_world),
            },
            origin: tool.origin.map(Origin::from),
        }
    }
}

impl TryFrom<Tool> for ToolDescription {
    type Error = Malformed;

    fn try_from(wire: Tool) -> Result<Self, Malformed> {
        let mut tool = Self::new(ToolName::new(&wire.name)?, wire.description);
        tool.server = wire.server;
        tool.origin = wire.origin.map(ToolOrigin::from);
        tool.input_schema = wire.input_schema.map(JsonText::try_from).transpose()?;
        if let Some(output) = wire.output {
            tool.output = Some(ToolOutput { schema: output.schema.try_into()?, observed: output.observed });
        }
        let mut hints = ToolHints::default();
        hints.read_only = wire.hints.read_only.unwrap_or(hints.read_only);
        hints.destructive = wire.hints.destructive.unwrap_or(hints.destructive);
        hints.idempotent = wire.hints.idempotent.unwrap_or(hints.idempotent);
        hints.open_world = wire.hints.open_world.unwrap_or(hints.open_world);
        tool.hints = hints;
        Ok(tool)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_specification_comes_back_as_it_was() {
        let mut spec = SessionSpec::default();
        spec.mode = contract::SessionMode::Persistent;
        spec.durability = contract::Durability::Journaled;
        spec.dialect = contract::Dialect::Codex;
        spec.check = true;
        spec.seed = Some(u64::MAX);
        spec.name = Some(SessionName::new("report").unwrap());
        spec.time_zone = Some("Europe/Berlin".into());
        spec.limits.tool_time = Some(Duration::from_nanos(1_500_000_001));
        spec.limits.outcome_age = Duration::MAX;
        spec.limits.stored_keys = 7;
        let schema = JsonText::parse("{\"type\":\"object\"}").unwrap();
        let tool = ToolDescription::new(ToolName::new("n__t").unwrap(), "says").with_server("s");
        let origin =
            ToolOrigin { namespace: Some("n".into()), kind: ToolKind::Freeform, ..ToolOrigin::new("t") };
        let output = ToolOutput { schema: schema.clone(), observed: true };
        spec.tools = vec![tool.with_origin(origin).with_input_schema(schema).with_output(output)];
        let bytes = crate::encode(&Spec::from(spec.clone()));
        assert_eq!(SessionSpec::try_from(crate::decode::<Spec>(&bytes).unwrap()).unwrap(), spec);
    }

    #[test]
    fn limits_that_are_not_named_have_their_defaults() {
        let wire = Limits { running_cells: Some(3), ..Limits::default() };
        let limits = contract::Limits::from(crate::decode::<Limits>(&crate::encode(&wire)).unwrap());
        let mut expected = contract::Limits::default();
        expected.running_cells = 3;
        assert_eq!(limits, expected);
    }
}
