//! The messages of `codex.code_mode.v1`, by the field numbers that were observed.
//!
//! Written out, not compiled from a `.proto` file: there are forty small ones, they change with the observed host alone, and so
//! nothing has to be compiled to compile this. What a field means is said in docs/codex.md. Fields that are not here are passed
//! over when they come.
#![expect(missing_docs, reason = "the names are the protocol's, which docs/codex.md describes")]

#[derive(Clone, PartialEq, prost::Message)]
pub struct Empty {}

#[derive(Clone, PartialEq, prost::Message)]
pub struct GetProcessMetricsRequest {}

#[derive(Clone, PartialEq, prost::Message)]
pub struct GetProcessMetricsResponse {}

#[derive(Clone, PartialEq, prost::Message)]
pub struct SessionCellExecutionLimits {
    #[prost(uint64, optional, tag = "1")]
    pub max_yield_time_ms: Option<u64>,
    #[prost(uint64, optional, tag = "2")]
    pub max_heap_size_bytes: Option<u64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct OpenSessionRequest {
    #[prost(message, optional, tag = "1")]
    pub cell_execution_limits: Option<SessionCellExecutionLimits>,
    #[prost(int32, tag = "2")]
    pub output_truncation: i32,
    #[prost(uint32, tag = "3")]
    pub max_pending_delegate_calls: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct SessionEvent {
    #[prost(oneof = "SessionEventEvent", tags = "1, 2, 3, 4, 5")]
    pub event: Option<SessionEventEvent>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum SessionEventEvent {
    #[prost(message, tag = "1")]
    Opened(SessionOpened),
    #[prost(message, tag = "2")]
    ToolCallCancelled(ToolCallCancelled),
    #[prost(message, tag = "3")]
    Notification(Notification),
    #[prost(message, tag = "4")]
    NotificationCancelled(NotificationCancelled),
    #[prost(message, tag = "5")]
    CellClosed(CellClosed),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct SessionOpened {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(int32, tag = "2")]
    pub output_truncation: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ToolCallCancelled {
    #[prost(string, tag = "1")]
    pub invocation_id: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Notification {
    #[prost(string, tag = "1")]
    pub notification_id: String,
    #[prost(string, tag = "2")]
    pub execution_id: String,
    #[prost(string, tag = "3")]
    pub cell_id: String,
    #[prost(string, tag = "4")]
    pub call_id: String,
    #[prost(string, tag = "5")]
    pub text: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct NotificationCancelled {
    #[prost(string, tag = "1")]
    pub notification_id: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct CellClosed {
    #[prost(string, tag = "1")]
    pub execution_id: String,
    #[prost(string, tag = "2")]
    pub cell_id: String,
    #[prost(uint64, tag = "3")]
    pub final_tool_call_sequence: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct CloseSessionRequest {
    #[prost(string, tag = "1")]
    pub session_id: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ToolName {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, optional, tag = "2")]
    pub namespace: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct SubscribeToToolCallsRequest {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(message, repeated, tag = "2")]
    pub tool_names: Vec<ToolName>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ToolCall {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(string, tag = "2")]
    pub execution_id: String,
    #[prost(string, tag = "3")]
    pub cell_id: String,
    #[prost(string, tag = "4")]
    pub invocation_id: String,
    #[prost(string, tag = "5")]
    pub runtime_tool_call_id: String,
    #[prost(message, optional, tag = "6")]
    pub tool_name: Option<ToolName>,
    #[prost(int32, tag = "7")]
    pub kind: i32,
    #[prost(bytes = "vec", optional, tag = "8")]
    pub input_json: Option<Vec<u8>>,
    #[prost(uint64, tag = "9")]
    pub tool_call_sequence: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ToolCallSucceeded {
    #[prost(bytes = "vec", tag = "1")]
    pub output_json: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ToolCallFailed {
    #[prost(string, tag = "1")]
    pub message: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct CompleteToolCallRequest {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(string, tag = "2")]
    pub invocation_id: String,
    #[prost(oneof = "CompleteToolCallRequestOutcome", tags = "3, 4")]
    pub outcome: Option<CompleteToolCallRequestOutcome>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum CompleteToolCallRequestOutcome {
    #[prost(message, tag = "3")]
    Succeeded(ToolCallSucceeded),
    #[prost(message, tag = "4")]
    Failed(ToolCallFailed),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct AcknowledgeNotificationRequest {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(string, tag = "2")]
    pub notification_id: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ToolDefinition {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(message, optional, tag = "2")]
    pub tool_name: Option<ToolName>,
    #[prost(string, tag = "3")]
    pub description: String,
    #[prost(int32, tag = "4")]
    pub kind: i32,
    #[prost(bytes = "vec", optional, tag = "5")]
    pub input_schema_json: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "6")]
    pub output_schema_json: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ExecuteRequest {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(string, tag = "2")]
    pub execution_id: String,
    #[prost(string, tag = "3")]
    pub tool_call_id: String,
    #[prost(string, tag = "4")]
    pub source: String,
    #[prost(message, repeated, tag = "5")]
    pub enabled_tools: Vec<ToolDefinition>,
    #[prost(uint64, optional, tag = "6")]
    pub yield_time_ms: Option<u64>,
    #[prost(uint64, optional, tag = "7")]
    pub max_output_tokens: Option<u64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ExecuteEvent {
    #[prost(oneof = "ExecuteEventEvent", tags = "1, 2")]
    pub event: Option<ExecuteEventEvent>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum ExecuteEventEvent {
    #[prost(message, tag = "1")]
    Started(ExecutionStarted),
    #[prost(message, tag = "2")]
    Outcome(ExecutionOutcome),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ExecutionStarted {
    #[prost(string, tag = "1")]
    pub execution_id: String,
    #[prost(string, tag = "2")]
    pub cell_id: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ExecutionOutcome {
    #[prost(string, tag = "1")]
    pub cell_id: String,
    #[prost(message, repeated, tag = "2")]
    pub content_items: Vec<ContentItem>,
    #[prost(oneof = "ExecutionOutcomeOutcome", tags = "3, 4, 5")]
    pub outcome: Option<ExecutionOutcomeOutcome>,
    #[prost(uint64, optional, tag = "6")]
    pub code_mode_host_duration_ns: Option<u64>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum ExecutionOutcomeOutcome {
    #[prost(message, tag = "3")]
    Yielded(Empty),
    #[prost(message, tag = "4")]
    Terminated(Empty),
    #[prost(message, tag = "5")]
    Completed(ExecutionCompleted),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ExecutionCompleted {
    #[prost(string, optional, tag = "1")]
    pub error_text: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ContentItem {
    #[prost(oneof = "ContentItemItem", tags = "1, 2, 3")]
    pub item: Option<ContentItemItem>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum ContentItemItem {
    #[prost(message, tag = "1")]
    Text(TextContent),
    #[prost(message, tag = "2")]
    Image(ImageContent),
    #[prost(message, tag = "3")]
    Audio(AudioContent),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct TextContent {
    #[prost(string, tag = "1")]
    pub text: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ImageContent {
    #[prost(string, tag = "1")]
    pub image_url: String,
    #[prost(int32, optional, tag = "2")]
    pub detail: Option<i32>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct AudioContent {
    #[prost(string, tag = "1")]
    pub audio_url: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct WaitRequest {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(string, tag = "2")]
    pub cell_id: String,
    #[prost(string, tag = "3")]
    pub wait_id: String,
    #[prost(uint64, tag = "4")]
    pub yield_time_ms: u64,
    #[prost(uint64, optional, tag = "5")]
    pub max_output_tokens: Option<u64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct WaitResponse {
    #[prost(oneof = "WaitResponseState", tags = "1, 2")]
    pub state: Option<WaitResponseState>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum WaitResponseState {
    #[prost(message, tag = "1")]
    Live(ExecutionOutcome),
    #[prost(message, tag = "2")]
    Missing(ExecutionOutcome),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct YieldObservationRequest {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(oneof = "YieldObservationRequestObservation", tags = "2, 3")]
    pub observation: Option<YieldObservationRequestObservation>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum YieldObservationRequestObservation {
    #[prost(string, tag = "2")]
    ExecutionId(String),
    #[prost(string, tag = "3")]
    WaitId(String),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct CancelWaitRequest {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(string, tag = "2")]
    pub wait_id: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct TerminateRequest {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(string, tag = "2")]
    pub cell_id: String,
    #[prost(uint64, optional, tag = "3")]
    pub max_output_tokens: Option<u64>,
}
