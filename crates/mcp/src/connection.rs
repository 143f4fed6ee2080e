//! One client's connection.

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CancelTaskParams, GetPromptRequestParams,
    GetPromptResponse, GetPromptResult, GetTaskParams, GetTaskResult, Implementation, ListPromptsResult,
    ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams, Prompt,
    PromptMessage, ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, Resource,
    ResourceContents, ResourceTemplate, Role, ServerCapabilities, ServerConfig, SubscriptionFilter, Tool,
    UpdateTaskParams,
};
use rmcp::service::{NotificationContext, RequestContext, SubscriptionContext};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;
use tokio::task::JoinSet;

use crate::arguments;
use crate::ask::Answers;
use crate::changes::{Changes, Known, passed_now};
use crate::client::Patience;
use crate::face::Face;
use crate::guide;
use crate::output;
use crate::pass::Passed;
use crate::refusal::Refusal;
use crate::sessions::Session;
use crate::task;
use crate::tool;

/// A client's connection to a face; over HTTP without sessions, one request.
pub(crate) struct Connection {
    pub(crate) face: Face,
    /// The handle of the session that it has when it names none.
    own: OnceCell<String>,
    known: Known,
    /// What tells the client of changes. Ended with the connection.
    tells: Mutex<JoinSet<()>>,
}

impl Connection {
    pub(crate) fn new(face: Face) -> Self {
        Self { face, own: OnceCell::new(), known: Known::default(), tells: Mutex::default() }
    }

    /// Returns the connection's own session, made when it is first used.
    pub(crate) async fn own_session(&self, patience: Patience) -> Result<Arc<Session>, Refusal> {
        let sessions = &self.face.shared().sessions;
        let handle = self
            .own
            .get_or_try_init(|| async {
                sessions.make().await.map(|session| session.session.id().as_str().to_owned())
            })
            .await?;
        sessions.named(handle, patience.servers).await
    }

    /// Waits until the servers are there whose tools are passed through, if any are, for a while at most.
    async fn wait_for_passed(&self, patience: Patience) {
        if self.passes_through() {
            self.face.shared().supply.ready(patience.servers).await.ok();
        }
    }

    /// Tells whether what is listed can change.
    fn passes_through(&self) -> bool {
        self.face.shared().pass_through.is_some()
    }

    async fn perform(
        &self,
        request: CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<Option<CallToolResponse>, Refusal> {
        let patience = Patience::of(self.face.shared(), context);
        let CallToolRequestParams { name, arguments, request_state, input_responses, .. } = request;
        let answers = request_state.map(|state| Answers { state, responses: input_responses });
        Ok(Some(match name.as_ref() {
            tool::EXEC => tool::exec(self, arguments::read(arguments)?, answers, context, patience).await?,
            tool::WAIT => tool::wait(self, arguments::read(arguments)?, answers, context, patience).await?,
            tool::SEARCH => tool::search(self, &arguments::read(arguments)?, patience).await.into(),
            name => {
                self.wait_for_passed(patience).await;
                match passed_now(&self.face).into_iter().find(|passed| passed.name() == name) {
                    Some(passed) => passed.call(self, arguments, answers, context, patience).await?,
                    None => return Ok(None),
                }
            }
        }))
    }
}

impl ServerHandler for Connection {
    fn get_info(&self) -> ServerConfig {
        let mut capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_resources()
            .enable_prompts()
            .enable_tasks()
            .build();
        if let Some(tools) = &mut capabilities.tools {
            tools.list_changed = self.passes_through().then_some(true);
        }
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("carrel", env!("CARGO_PKG_VERSION")).with_title("Carrel"))
            .with_instructions(guide::short(self.face.shared()))
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        if !self.passes_through() {
            return;
        }
        let mut changes = Changes::new(&self.face, self.known.clone());
        self.tells.lock().unwrap_or_else(PoisonError::into_inner).spawn(async move {
            loop {
                changes.next().await;
                if context.peer.notify_tool_list_changed().await.is_err() {
                    return;
                }
            }
        });
    }

    fn accepted_subscription_filter(&self, _: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        self.passes_through().then(|| SubscriptionFilter::builder().tools_list_changed().build())
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let known = Known::default();
        known.list(&self.face);
        let mut changes = Changes::new(&self.face, known);
        loop {
            tokio::select! {
                () = context.cancelled() => return Ok(()),
                () = changes.next() => {}
            }
            if context.accepted().tools_list_changed == Some(true)
                && context.sink().notify_tool_list_changed().await.is_err()
            {
                return Ok(());
            }
        }
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        self.wait_for_passed(Patience::of(self.face.shared(), &context)).await;
        let tools = tool::list().into_iter().chain(self.known.list(&self.face));
        Ok(ListToolsResult::with_all_items(tools.collect()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        let passed =
            || passed_now(&self.face).iter().find(|passed| passed.name() == name).map(Passed::listed);
        tool::list().into_iter().find(|tool| tool.name == name).or_else(passed)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let name = request.name.clone();
        tokio::select! {
            // The client no longer waits. What runs goes on.
            () = context.ct.cancelled() => Err(ErrorData::internal_error("the call was cancelled", None)),
            performed = self.perform(request, &context) => match performed {
                Ok(Some(response)) => Ok(response),
                Ok(None) => {
                    let known = [tool::EXEC, tool::WAIT, tool::SEARCH].join(", ");
                    let message = format!("there is no tool `{name}`; there are {known}, and the others are called inside `exec`");
                    Err(ErrorData::invalid_params(message, None))
                }
                Err(refusal) => Ok(CallToolResult::from(refusal).into()),
            },
        }
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        let state = task::get(self.face.shared(), request.task_id, &context).await;
        state.map_err(|refusal| ErrorData::invalid_params(refusal.into_text(), None))
    }

    async fn update_task(
        &self,
        request: UpdateTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let UpdateTaskParams { task_id, input_responses, .. } = request;
        let passed_on = task::update(self.face.shared(), &task_id, input_responses, &context).await;
        passed_on.map_err(|refusal| ErrorData::invalid_params(refusal.into_text(), None))
    }

    async fn cancel_task(
        &self,
        request: CancelTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let ended = task::cancel(self.face.shared(), &request.task_id, &context).await;
        ended.map_err(|refusal| ErrorData::invalid_params(refusal.into_text(), None))
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let guide = Resource::new(guide::ADDRESS, "guide")
            .with_description(guide::ABOUT)
            .with_mime_type("text/markdown");
        Ok(ListResourcesResult::with_all_items(vec![guide]))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let output = ResourceTemplate::new(output::TEMPLATE, "output")
            .with_description("The whole text that a cell showed, from an offset in bytes on")
            .with_mime_type("text/plain");
        Ok(ListResourceTemplatesResult::with_all_items(vec![output]))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let shared = self.face.shared();
        let patience = Patience::of(shared, &context);
        if request.uri == guide::ADDRESS {
            let contents = ResourceContents::text(guide::whole(shared, patience).await, request.uri);
            let contents = contents.with_mime_type("text/markdown");
            return Ok(ReadResourceResult::new(vec![contents]).into());
        }
        let Some(place) = output::parse(&request.uri) else {
            let message = format!(
                "there is no resource `{}`; there are {} and {}",
                request.uri,
                guide::ADDRESS,
                output::TEMPLATE
            );
            return Err(ErrorData::resource_not_found(message, None));
        };
        let page = output::page(&shared.sessions, place, patience).await;
        page.map(Into::into).map_err(|refusal| ErrorData::resource_not_found(refusal.into_text(), None))
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(ListPromptsResult::with_all_items(vec![Prompt::new(guide::PROMPT, Some(guide::ABOUT), None)]))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        if request.name != guide::PROMPT {
            let message = format!("there is no prompt `{}`; there is {}", request.name, guide::PROMPT);
            return Err(ErrorData::invalid_params(message, None));
        }
        let shared = self.face.shared();
        let text = guide::whole(shared, Patience::of(shared, &context)).await;
        Ok(GetPromptResult::new(vec![PromptMessage::new_text(Role::User, text)]).into())
    }
}
