//! What an operator sees: the spans and the metrics of docs/observability.md, from a session that runs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use carrel_contract::testing::{RecordingDelegate, tool_descriptions};
use carrel_contract::{CodeModeSessionProvider, ExecuteRequest, SessionSpec};
use carrel_runtime::{InProcessProvider, Options};
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

/// What every span was closed with, below its parents.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<String>>>);

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}").trim_matches('"').to_owned());
    }
}

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        context.span(id).unwrap().extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        values.record(context.span(id).unwrap().extensions_mut().get_mut::<Fields>().unwrap());
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let span = context.span(&id).unwrap();
        let path: Vec<_> = span.scope().from_root().map(|span| span.name()).collect();
        let extensions = span.extensions();
        let fields = &extensions.get::<Fields>().unwrap().0;
        // What differs from run to run.
        let known =
            fields.iter().filter(|(name, _)| !name.contains("conversation") && !name.contains("cpu_time"));
        let known: Vec<_> = known.map(|(name, value)| format!("{name}={value}")).collect();
        self.0.lock().unwrap().push(format!("{} {}", path.join("/"), known.join(" ")));
    }
}

#[tokio::test]
async fn a_session_is_seen_by_its_operator() {
    let spans = Spans::default();
    tracing::subscriber::set_global_default(Registry::default().with(spans.clone())).unwrap();
    let recorder = DebuggingRecorder::new();
    let metrics = recorder.snapshotter();
    recorder.install().unwrap();

    let provider = InProcessProvider::new(Options::default()).unwrap();
    let mut spec = SessionSpec::default();
    spec.tools = tool_descriptions();
    let session = provider.create(spec, RecordingDelegate::new()).await.unwrap();
    for source in ["await tools.echo(1)", "await tools.fail(1).catch(() => {}); throw new Error('own')"] {
        let started = session.execute(ExecuteRequest::new(source)).await.unwrap();
        started.first_response.await.unwrap();
    }
    assert!(session.execute(ExecuteRequest::new(" ")).await.is_err());
    session.shutdown().await.unwrap();
    drop((session, provider));

    let mut spans = spans.0.lock().unwrap().clone();
    spans.sort();
    let tool = "gen_ai.operation.name=execute_tool gen_ai.tool.call.id=call-1";
    assert_eq!(
        spans,
        [
            "carrel.session carrel.session.mode=fresh".to_owned(),
            "carrel.session/carrel.cell carrel.cell.id=cell-1 carrel.cell.outcome=completed carrel.cell.tool_calls=1".to_owned(),
            "carrel.session/carrel.cell carrel.cell.id=cell-2 carrel.cell.outcome=failed carrel.cell.tool_calls=1 error.type=thrown".to_owned(),
            format!("carrel.session/carrel.cell/execute_tool error.type=failed {tool} gen_ai.tool.name=fail gen_ai.tool.type=function otel.name=execute_tool fail"),
            format!("carrel.session/carrel.cell/execute_tool {tool} gen_ai.tool.name=echo gen_ai.tool.type=function otel.name=execute_tool echo"),
        ]
    );

    let mut seen: Vec<_> = metrics
        .snapshot()
        .into_vec()
        .into_iter()
        .map(|(key, _, _, value)| {
            let (name, labels) = key.key().clone().into_parts();
            let labels: Vec<_> =
                labels.iter().map(|label| format!("{}={}", label.key(), label.value())).collect();
            let value = match value {
                DebugValue::Counter(count) => count.to_string(),
                DebugValue::Gauge(value) => value.to_string(),
                DebugValue::Histogram(values) => format!("{} values", values.len()),
            };
            format!("{} {{{}}} {value}", name.as_str(), labels.join(","))
        })
        .collect();
    seen.sort();
    assert_eq!(
        seen,
        [
            "carrel.cell.cpu_time {carrel.cell.outcome=completed} 1 values",
            "carrel.cell.cpu_time {carrel.cell.outcome=failed} 1 values",
            "carrel.cell.duration {carrel.cell.outcome=completed} 1 values",
            "carrel.cell.duration {carrel.cell.outcome=failed} 1 values",
            "carrel.cells {carrel.cell.outcome=completed,error.type=} 1",
            "carrel.cells {carrel.cell.outcome=failed,error.type=thrown} 1",
            "carrel.cells.refused {error.type=CR0006} 1",
            "carrel.cells.running {} 0",
            "carrel.sessions {} 0",
            "carrel.tool_call.duration {gen_ai.tool.name=echo} 1 values",
            "carrel.tool_call.duration {gen_ai.tool.name=fail} 1 values",
            "carrel.tool_calls {gen_ai.tool.name=echo,error.type=} 1",
            "carrel.tool_calls {gen_ai.tool.name=fail,error.type=failed} 1",
            "carrel.tool_calls.pending {} 0",
        ]
    );
}
