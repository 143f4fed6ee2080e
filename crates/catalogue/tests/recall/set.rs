//! The recall set: real tools, and what people look for among them.

use std::collections::BTreeSet;

use carrel_catalogue::search::Index;
use carrel_contract::{JsonText, ToolDescription, ToolName, ToolOutput};
use serde::Deserialize;
use serde_json::value::RawValue;

/// How many of the first tools found count.
pub(crate) const FIRST: usize = 5;

#[derive(Deserialize)]
struct Server {
    server: String,
    tools: Vec<Tool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tool {
    name: String,
    #[serde(default)]
    description: String,
    input_schema: Box<RawValue>,
    output_schema: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Queries {
    queries: Vec<Query>,
}

/// A query, and the tools of which one should be found.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Query {
    pub(crate) ask: String,
    pub(crate) want: BTreeSet<String>,
}

pub(crate) fn tools() -> Vec<ToolDescription> {
    read(include_str!("tools.json"))
}

/// Reads tools by server, as `tools.json` has them.
pub(crate) fn read(servers: &str) -> Vec<ToolDescription> {
    let servers: Vec<Server> = serde_json::from_str(servers).unwrap();
    let describe = |server: &str, tool: Tool| {
        let identifier = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' };
        let name: String = format!("{server}__{}", tool.name).chars().map(identifier).collect();
        let described = ToolDescription::new(ToolName::new(&name).unwrap(), tool.description)
            .with_server(server)
            .with_input_schema(JsonText::parse(tool.input_schema.get()).unwrap());
        match tool.output_schema {
            Some(schema) => described
                .with_output(ToolOutput { schema: JsonText::parse(schema.get()).unwrap(), observed: false }),
            None => described,
        }
    };
    let tools = servers.into_iter().flat_map(|Server { server, tools }| {
        tools.into_iter().map(|tool| describe(&server, tool)).collect::<Vec<_>>()
    });
    tools.collect()
}

/// The queries to tune on, and those held out.
pub(crate) fn queries() -> [Vec<Query>; 2] {
    let Queries { queries } = toml::from_str(include_str!("queries.toml")).unwrap();
    let (tuned, held_out): (Vec<_>, Vec<_>) =
        queries.into_iter().enumerate().partition(|(number, _)| number % 2 == 0);
    [tuned, held_out].map(|half| half.into_iter().map(|(_, query)| query).collect())
}

/// How well queries are answered.
pub(crate) struct Recall {
    /// The share of queries that have a wanted tool among the first five.
    pub(crate) at_five: f64,
    /// The mean of one over the place of the first wanted tool.
    pub(crate) mean_reciprocal_rank: f64,
    /// The queries that do not, with what they found.
    pub(crate) missed: Vec<(String, Vec<String>)>,
}

#[expect(clippy::cast_precision_loss, reason = "some hundred queries")]
pub(crate) fn recall(index: &Index, tools: &[ToolDescription], queries: &[Query]) -> Recall {
    let mut recall = Recall { at_five: 0.0, mean_reciprocal_rank: 0.0, missed: Vec::new() };
    for Query { ask, want } in queries {
        let found = index.search(ask, 20);
        let names: Vec<_> =
            found.iter().filter_map(|found| tools.get(found.tool)).map(|tool| tool.name.as_str()).collect();
        let place = names.iter().position(|name| want.contains(*name));
        recall.mean_reciprocal_rank += place.map_or(0.0, |place| 1.0 / (place + 1) as f64);
        if place.is_some_and(|place| place < FIRST) {
            recall.at_five += 1.0;
        } else {
            recall
                .missed
                .push((ask.clone(), names.iter().take(FIRST).map(|name| (*name).to_owned()).collect()));
        }
    }
    recall.at_five /= queries.len() as f64;
    recall.mean_reciprocal_rank /= queries.len() as f64;
    recall
}
