//! A delegate that holds to a policy, around any other.
//!
//! It stands outside the sandbox, on the only way out of it. A call is checked, counted, asked for and made in this
//! order, and all of it before anything leaves: a cell can catch what it is told, and nothing else.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use carrel_contract::error::NotifyError;
use carrel_contract::{
    CancellationToken, CellId, CodeModeFuture, CodeModeSessionDelegate, JsonText, LookedUp, Notification,
    ToolCall, ToolDescription, ToolError, ToolErrorCode, ToolName,
};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout};

use super::approval::{Answer, ApprovalId, ApprovalRequest, Approvals};
use super::clock::Clock;
use super::limits::PolicyLimits;
use super::meter::Meter;
use super::refusal;
use super::rule::{Decision, Policy, Ruling, Source, Unattended};
use super::session::{Session, Settled};
use crate::schema::InputSchema;

/// How long a call that ran out of time has to end; what it returns is dropped.
const GRACE: Duration = Duration::from_secs(1);

/// The way out of **one** session, by the rules of a policy.
///
/// Limits and what a person allowed count from when it was made; calls of a second session are refused. A tool
/// that it was not told of is refused, too, so whoever calls `CodeModeSession::set_tools` calls
/// [`PolicyDelegate::set_tools`] first.
pub struct PolicyDelegate {
    inner: Arc<dyn CodeModeSessionDelegate>,
    policy: Policy,
    approvals: Approvals,
    hint: Option<fn(&ToolName) -> String>,
    tools: Mutex<HashMap<ToolName, Arc<Known>>>,
    session: Arc<Mutex<Session>>,
}

struct Known {
    description: ToolDescription,
    ruling: Ruling,
    /// What it takes, where that is known.
    input: Option<InputSchema>,
}

impl Known {
    /// Refuses an input that the tool does not take. One that cannot be read is left to whoever calls the tool.
    fn check_fits(&self, call: &ToolCall) -> Result<(), ToolError> {
        let Some(schema) = &self.input else { return Ok(()) };
        let input = call.input.as_ref().map_or("{}", JsonText::as_str);
        let Ok(input) = serde_json::from_str(input) else { return Ok(()) };
        schema.check(&input).map_err(|invalid| invalid.refuse(&call.tool))
    }
}

impl PolicyDelegate {
    /// Puts a policy around a delegate whose tools are these. What a person has to allow is asked through `approvals`.
    #[must_use]
    pub fn new(
        inner: Arc<dyn CodeModeSessionDelegate>,
        policy: Policy,
        tools: &[ToolDescription],
        approvals: Approvals,
    ) -> Self {
        let sources = (0..policy.rules.len()).map(Source::Rule).chain([Source::Policy]);
        let limits = sources.filter_map(|source| Some((source, policy.limits_of(source)?.clone())));
        let session = Session::new(Meter::new(limits));
        let delegate = Self {
            inner,
            policy,
            approvals,
            hint: None,
            tools: Mutex::default(),
            session: Arc::new(Mutex::new(session)),
        };
        delegate.set_tools(tools);
        delegate
    }

    /// Says how the owner could have allowed a call that was refused because nobody was there to be asked.
    #[must_use]
    pub fn with_hint(mut self, hint: fn(&ToolName) -> String) -> Self {
        self.hint = Some(hint);
        self
    }

    /// Replaces the tools. What a person allowed of a tool that is not the same any more, they are asked again.
    pub fn set_tools(&self, tools: &[ToolDescription]) {
        let known = |tool: &ToolDescription| {
            let ruling = self.policy.rule(tool);
            let schema =
                tool.input_schema.as_ref().and_then(|schema| serde_json::from_str(schema.as_str()).ok());
            let input = schema.map(InputSchema::new);
            (tool.name.clone(), Arc::new(Known { description: tool.clone(), ruling, input }))
        };
        let now: HashMap<ToolName, Arc<Known>> = tools.iter().map(known).collect();
        let mut tools = lock(&self.tools);
        let same = |name: &ToolName, before: &Arc<Known>| {
            now.get(name).is_some_and(|now| now.description == before.description)
        };
        let changed: Vec<ToolName> =
            tools.iter().filter(|(name, before)| !same(name, before)).map(|(name, _)| name.clone()).collect();
        *tools = now;
        drop(tools);
        let mut session = lock(&self.session);
        changed.iter().for_each(|tool| session.disallow(tool));
    }

    /// Returns the requests to the person.
    #[must_use]
    pub fn approvals(&self) -> &Approvals {
        &self.approvals
    }

    async fn perform(&self, call: ToolCall, cancel: CancellationToken) -> Result<JsonText, ToolError> {
        let tool = call.tool.clone();
        let known = lock(&self.tools).get(&tool).cloned();
        let Some(known) = known else { return Err(refusal::unknown(&tool)) };
        let ruling = &known.ruling;
        let rule = self.policy.name(ruling.by);
        if ruling.decision == Decision::Deny {
            return Err(refusal::by_policy(&tool, &rule, ruling.reason.as_deref()));
        }
        self.check_input(&call, ruling)?;
        self.admit(&call, ruling)?;
        if ruling.decision == Decision::Ask {
            // Nobody is asked about a call that cannot be made.
            known.check_fits(&call)?;
            self.ask(&call, ruling, &rule, &cancel).await?;
        }
        let _places = self.places(&tool, ruling, &cancel).await?;
        let result = self.invoke(call, ruling, cancel).await;
        self.check_result(&tool, ruling, result)
    }

    fn check_input(&self, call: &ToolCall, ruling: &Ruling) -> Result<(), ToolError> {
        let bytes = call.input.as_ref().map_or(0, |input| input.as_str().len());
        match self.least(ruling, |limits| limits.input_bytes) {
            Some((limit, whose)) if bytes > limit => {
                Err(refusal::input_too_large(&call.tool, &whose, bytes, limit))
            }
            _ => Ok(()),
        }
    }

    /// Counts the call, or refuses it.
    fn admit(&self, call: &ToolCall, ruling: &Ruling) -> Result<(), ToolError> {
        let mut session = lock(&self.session);
        let id = session.id.get_or_insert_with(|| call.session_id.clone());
        if *id != call.session_id {
            let message = format!("`{}` was not called: this policy is another session's", call.tool);
            return Err(ToolError::new(ToolErrorCode::Internal, message));
        }
        session
            .meter
            .admit(&ruling.limited_by, &call.cell_id, Instant::now())
            .map_err(|reached| refusal::limit_reached(&call.tool, &self.limiter(reached.whose), &reached))
    }

    /// Waits for a person's word, unless they gave it before.
    async fn ask(
        &self,
        call: &ToolCall,
        ruling: &Ruling,
        rule: &str,
        cancel: &CancellationToken,
    ) -> Result<(), ToolError> {
        let tool = &call.tool;
        let deny = self.policy.unattended == Some(Unattended::Deny);
        let request = ApprovalRequest {
            id: ApprovalId(0),
            session_id: call.session_id.clone(),
            cell_id: call.cell_id.clone(),
            call_id: call.call_id.clone(),
            tool: tool.clone(),
            server: ruling.server.clone(),
            input: call.input.clone(),
            location: call.location,
            rule: rule.to_owned(),
            reason: ruling.reason.clone(),
        };
        let settled = |settled: Settled| match settled {
            Settled::Allowed => Ok(()),
            Settled::Refused => Err(refusal::again_by_person(tool, rule)),
        };
        if let Some(earlier) = lock(&self.session).settled(&request) {
            return settled(earlier);
        }
        let unattended = || {
            let hint = self.hint.map(|hint| hint(tool));
            refusal::unattended(tool, rule, ruling.reason.as_deref(), hint.as_deref())
        };
        if deny && !self.approvals.is_attended() {
            return Err(unattended());
        }
        let awaited = call.status.await_approval(&request.question()).await?;
        let answered = async {
            let _place = self.approvals.place().await;
            let mut pending = match self.approvals.ask(request, &self.session) {
                Ok(pending) => pending,
                // Meanwhile a person has answered for all calls of this tool.
                Err(earlier) => return settled(earlier),
            };
            match pending.answer().await {
                Some(Answer::Allow | Answer::AllowForCell | Answer::AllowForSession) => Ok(()),
                Some(Answer::Deny { reason }) => Err(refusal::by_person(tool, rule, reason.as_deref())),
                None => Err(refusal::cancelled(tool)),
            }
        };
        tokio::select! {
            biased;
            answered = answered => answered,
            () = cancel.cancelled() => Err(refusal::cancelled(tool)),
            () = self.approvals.unattended(), if deny => Err(unattended()),
        }?;
        // Known before the call leaves: should the session be lost, one that nobody has allowed was never made.
        awaited.given().await
    }

    /// Waits until the call fits among those at once.
    async fn places(
        &self,
        tool: &ToolName,
        ruling: &Ruling,
        cancel: &CancellationToken,
    ) -> Result<Vec<OwnedSemaphorePermit>, ToolError> {
        let places = lock(&self.session).meter.places(&ruling.limited_by);
        let mut held = Vec::with_capacity(places.len());
        for place in places {
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(refusal::cancelled(tool)),
                place = place.acquire_owned() => held.extend(place),
            }
        }
        Ok(held)
    }

    async fn invoke(
        &self,
        call: ToolCall,
        ruling: &Ruling,
        cancel: CancellationToken,
    ) -> Result<JsonText, ToolError> {
        let Some((limit, whose)) = self.least(ruling, |limits| limits.call_time) else {
            return self.inner.invoke_tool(call, cancel).await;
        };
        let tool = call.tool.clone();
        // A token of its own: the cell goes on when this call has had its time.
        let stop = cancel.child_token();
        let clock = Clock::start(call.status.clone());
        let mut invoked = self.inner.invoke_tool(call.with_status(clock.status()), stop.clone());
        tokio::select! {
            biased;
            result = &mut invoked => result,
            () = clock.reached(limit) => {
                stop.cancel();
                timeout(GRACE, invoked).await.ok();
                Err(refusal::timed_out(&tool, &whose, limit, ruling.repeatable))
            }
        }
    }

    fn check_result(
        &self,
        tool: &ToolName,
        ruling: &Ruling,
        result: Result<JsonText, ToolError>,
    ) -> Result<JsonText, ToolError> {
        let Some((limit, whose)) = self.least(ruling, |limits| limits.result_bytes) else { return result };
        match result {
            Ok(result) if result.as_str().len() > limit => {
                Err(refusal::result_too_large(tool, &whose, result.as_str().len(), limit))
            }
            // What a tool says of its failure comes from the tool as well.
            Err(error) => Err(refusal::bounded_failure(tool, &whose, error, limit)),
            Ok(result) => Ok(result),
        }
    }

    /// Asks whoever makes the calls: only they can know. A call that was lost while a person was asked about it counts as
    /// under way.
    async fn look_up(&self, call: ToolCall, cancel: CancellationToken) -> Result<LookedUp, ToolError> {
        let tool = call.tool.clone();
        let known = lock(&self.tools).get(&tool).cloned();
        match (self.inner.lookup_outcome(call, cancel).await?, known) {
            (LookedUp::Answered(result), Some(known)) => {
                self.check_result(&tool, &known.ruling, Ok(result)).map(LookedUp::Answered)
            }
            (found, _) => Ok(found),
        }
    }

    /// Returns the least of a limit, with a name for whose it is.
    fn least<T: PartialOrd>(
        &self,
        ruling: &Ruling,
        limit: impl Fn(&PolicyLimits) -> Option<T>,
    ) -> Option<(T, String)> {
        let of = |&source: &Source| Some((limit(self.policy.limits_of(source)?)?, source));
        let least = ruling.limited_by.iter().filter_map(of);
        let least = least.reduce(|least, next| if next.0 < least.0 { next } else { least });
        least.map(|(value, source)| (value, self.limiter(source)))
    }

    fn limiter(&self, source: Source) -> String {
        match source {
            Source::Policy => "for all tools".to_owned(),
            Source::Rule(_) | Source::Approved => self.policy.name(source),
        }
    }
}

impl CodeModeSessionDelegate for PolicyDelegate {
    fn invoke_tool(
        &self,
        call: ToolCall,
        cancel: CancellationToken,
    ) -> CodeModeFuture<'_, JsonText, ToolError> {
        Box::pin(self.perform(call, cancel))
    }

    fn lookup_outcome(
        &self,
        call: ToolCall,
        cancel: CancellationToken,
    ) -> CodeModeFuture<'_, LookedUp, ToolError> {
        Box::pin(self.look_up(call, cancel))
    }

    fn notify(
        &self,
        notification: Notification,
        cancel: CancellationToken,
    ) -> CodeModeFuture<'_, (), NotifyError> {
        self.inner.notify(notification, cancel)
    }

    fn cell_closed(&self, cell_id: &CellId) {
        lock(&self.session).close(cell_id);
        self.inner.cell_closed(cell_id);
    }
}

impl fmt::Debug for PolicyDelegate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyDelegate").field("policy", &self.policy).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
