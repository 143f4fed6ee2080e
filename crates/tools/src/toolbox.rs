//! Tools that are closures: what an embedder writes in Rust, typed by what the closure takes and gives.
//!
//! ```
//! use carrel_contract::ToolError;
//! use carrel_tools::{ClosureTool, NoSink, ToolContext, Toolbox};
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Deserialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Add {
//!     /// The summands.
//!     numbers: Vec<i64>,
//! }
//!
//! #[derive(Serialize, JsonSchema)]
//! struct Sum {
//!     sum: i64,
//! }
//!
//! let tools = Toolbox::new()
//!     .tool("add", "Adds numbers.", |input: Add, _: ToolContext| async move {
//!         Ok::<_, ToolError>(Sum { sum: input.numbers.iter().sum() })
//!     })
//!     .with(ClosureTool::new("now", "Tells the time.", |(): (), _| async { Ok("noon") }).read_only());
//! let delegate = tools.delegate(NoSink)?;
//! assert_eq!(delegate.catalogue().len(), 2);
//! # Ok::<_, carrel_tools::InvalidTool>(())
//! ```
//! The names are those the cells use: `tools.add({ numbers: [1, 2] })`. A box with a name puts it before them.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use carrel_contract::{
    CallStatus, CancellationToken, CodeModeFuture, JsonText, ToolCall, ToolError, ToolErrorCode, ToolHints,
    ToolProgress,
};
use futures::FutureExt as _;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::config::McpConfig;
use crate::delegate::McpDelegate;
use crate::sink::NotificationSink;
use crate::source::{SourceCall, SourceTool, ToolSource};
use crate::upstream::ConnectOptions;
use crate::upstreams::Upstreams;

/// A set of tools that are closures.
#[derive(Default)]
pub struct Toolbox {
    name: String,
    tools: Vec<ClosureTool>,
}

impl Toolbox {
    /// Makes an empty box whose tools go by their own names.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes an empty box whose tools go by its name and theirs: `math__add`.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), tools: Vec::new() }
    }

    /// Adds a tool of which only name and description are to be said: see [`ClosureTool::new`].
    #[must_use]
    pub fn tool<I, O, R>(
        self,
        name: impl Into<String>,
        description: impl Into<String>,
        run: impl Fn(I, ToolContext) -> R + Send + Sync + 'static,
    ) -> Self
    where
        I: DeserializeOwned + JsonSchema + 'static,
        O: Serialize + JsonSchema + 'static,
        R: Future<Output = Result<O, ToolError>> + Send + 'static,
    {
        self.with(ClosureTool::new(name, description, run))
    }

    /// Adds a tool.
    #[must_use]
    pub fn with(mut self, tool: ClosureTool) -> Self {
        self.tools.push(tool);
        self
    }

    /// Makes the tools a source, to stand beside MCP servers: [`Upstreams::connect_with`].
    ///
    /// # Errors
    /// [`InvalidTool`] when a tool has no name, the name of another one, or takes anything but an object.
    pub fn source(self) -> Result<Arc<dyn ToolSource>, InvalidTool> {
        let mut seen = BTreeSet::new();
        for tool in &self.tools {
            let name = &tool.described.name;
            let invalid = |problem: &str| InvalidTool { name: name.clone(), problem: problem.to_owned() };
            if name.is_empty() {
                return Err(invalid("has no name"));
            }
            if !seen.insert(name) {
                return Err(invalid("has the name of another tool"));
            }
            if !takes_an_object(&tool.described.input_schema) {
                return Err(invalid(
                    "takes something else than an object; accepted are structs, maps and `()`",
                ));
            }
        }
        Ok(Arc::new(self))
    }

    /// Makes the delegate of sessions that have these tools and no others.
    ///
    /// # Errors
    /// [`InvalidTool`], as [`source`](Self::source) has it.
    pub fn delegate(self, sink: impl NotificationSink) -> Result<McpDelegate, InvalidTool> {
        let sources = vec![self.source()?];
        // Without a server there is nothing to wait for.
        let connected =
            Upstreams::connect_with(&McpConfig::default(), sources, ConnectOptions::default()).now_or_never();
        Ok(McpDelegate::new(connected.unwrap_or_default(), sink))
    }
}

/// A tool that cannot be one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("make a tool of a closure: `{name}` {problem}")]
pub struct InvalidTool {
    /// Its name.
    pub name: String,
    /// What is wrong, and what is accepted.
    pub problem: String,
}

/// A tool that is a closure.
pub struct ClosureTool {
    described: SourceTool,
    cancels_itself: bool,
    run: Box<Run>,
}

type Run = dyn Fn(Value, ToolContext) -> CodeModeFuture<'static, String, ToolError> + Send + Sync;

impl ClosureTool {
    /// Makes a tool of a closure. What it takes and what it gives are told to the model by their schemas, in which doc
    /// comments are descriptions.
    ///
    /// It takes one object, so a struct or a map; `()` takes nothing. An input that does not fit never reaches the
    /// closure: its call fails with [`ToolErrorCode::InvalidInput`] and says what is accepted. A panic is that call's
    /// error. The future is dropped when its call is cancelled.
    pub fn new<I, O, R>(
        name: impl Into<String>,
        description: impl Into<String>,
        run: impl Fn(I, ToolContext) -> R + Send + Sync + 'static,
    ) -> Self
    where
        I: DeserializeOwned + JsonSchema + 'static,
        O: Serialize + JsonSchema + 'static,
        R: Future<Output = Result<O, ToolError>> + Send + 'static,
    {
        let input_schema = schema::<I>(SchemaSettings::draft2020_12().for_deserialize());
        let nothing = is_nothing(&input_schema);
        let input_schema = if nothing {
            json!({ "type": "object", "properties": {}, "additionalProperties": false })
        } else {
            input_schema
        };
        let output_schema = Some(schema::<O>(SchemaSettings::draft2020_12().for_serialize()));
        let described = SourceTool {
            name: name.into(),
            description: description.into(),
            input_schema,
            output_schema: output_schema
                .filter(|schema| schema.as_object().is_some_and(|all| !all.is_empty())),
            hints: ToolHints::default(),
        };
        let run = move |input: Value, context: ToolContext| -> CodeModeFuture<'static, String, ToolError> {
            let input = if nothing { Value::Null } else { input };
            let running = I::deserialize(input)
                .map(|input| run(input, context))
                .map_err(|error| ToolError::new(ToolErrorCode::InvalidInput, format!("the input {error}")));
            Box::pin(async move {
                let output = running?.await?;
                serde_json::to_string(&output).map_err(|error| {
                    ToolError::new(ToolErrorCode::Internal, format!("the tool's answer is not JSON: {error}"))
                })
            })
        };
        Self { described, cancels_itself: false, run: Box::new(run) }
    }

    /// Says what it does to the world.
    #[must_use]
    pub fn hints(mut self, hints: ToolHints) -> Self {
        self.described.hints = hints;
        self
    }

    /// Says that it changes nothing.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.described.hints.read_only = true;
        self.described.hints.destructive = false;
        self.described.hints.idempotent = true;
        self
    }

    /// Says that calling it again with the same input changes nothing more.
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.described.hints.idempotent = true;
        self
    }

    /// Says that it heeds [`ToolContext::cancel`] itself: its future is polled on after that has fired, and has
    /// `callback_grace` to return.
    #[must_use]
    pub fn cancels_itself(mut self) -> Self {
        self.cancels_itself = true;
        self
    }
}

/// What a closure knows of the call beside its input.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ToolContext {
    /// Fires when nobody wants the answer any more.
    pub cancel: CancellationToken,
    /// The call, without its input.
    pub call: ToolCall,
}

impl ToolContext {
    /// Tells how far the call has come, in per cent where that is known, and what it is doing.
    pub fn progress(&self, percent: Option<u8>, message: impl Into<String>) {
        let message = Some(message.into()).filter(|message| !message.is_empty());
        self.status().progress(ToolProgress { percent, message });
    }

    /// Returns the handle through which more can be told, as that a person is waited for.
    #[must_use]
    pub fn status(&self) -> &CallStatus {
        &self.call.status
    }
}

impl ToolSource for Toolbox {
    fn name(&self) -> &str {
        &self.name
    }

    fn tools(&self) -> Vec<SourceTool> {
        self.tools.iter().map(|tool| tool.described.clone()).collect()
    }

    fn call(&self, call: SourceCall, cancel: CancellationToken) -> CodeModeFuture<'_, JsonText, ToolError> {
        let SourceCall { tool: name, input, value_bytes, call, .. } = call;
        Box::pin(async move {
            let Some(tool) = self.tools.iter().find(|tool| tool.described.name == name) else {
                return Err(ToolError::new(ToolErrorCode::Unavailable, format!("there is no tool `{name}`")));
            };
            let context = ToolContext { cancel: cancel.clone(), call };
            let running = async { (tool.run)(Value::Object(input), context).await };
            let running = AssertUnwindSafe(running).catch_unwind();
            let ended = if tool.cancels_itself {
                running.await
            } else {
                tokio::select! {
                    biased;
                    ended = running => ended,
                    () = cancel.cancelled() => {
                        return Err(ToolError::new(ToolErrorCode::Cancelled, "the call was cancelled"));
                    }
                }
            };
            let text = ended.unwrap_or_else(|panic| Err(panicked(&name, panic.as_ref())))?;
            if text.len() > value_bytes {
                let problem =
                    format!("the tool's answer is {} bytes; accepted are up to {value_bytes}", text.len());
                return Err(ToolError::new(ToolErrorCode::TooLarge, problem));
            }
            JsonText::parse(&text).map_err(|error| {
                ToolError::new(ToolErrorCode::Internal, format!("the tool's answer: {error}"))
            })
        })
    }
}

fn panicked(name: &str, panic: &(dyn std::any::Any + Send)) -> ToolError {
    let said = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without a message".to_owned());
    ToolError::new(ToolErrorCode::Internal, format!("the tool `{name}` panicked: {said}"))
}

fn schema<T: JsonSchema>(settings: SchemaSettings) -> Value {
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    // The type's name in Rust, which says nothing to a model.
    schema.as_object_mut().map(|root| root.shift_remove("title"));
    schema.as_object_mut().map(|root| root.shift_remove("$schema"));
    schema
}

fn is_nothing(schema: &Value) -> bool {
    schema.get("type").is_some_and(|kind| kind == "null")
}

fn takes_an_object(schema: &Value) -> bool {
    match schema {
        Value::Object(root) => match root.get("type") {
            Some(Value::String(kind)) => kind == "object",
            Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "object"),
            _ => !root.contains_key("const") && !root.contains_key("enum"),
        },
        _ => schema == &Value::Bool(true),
    }
}

#[cfg(test)]
mod tests;
