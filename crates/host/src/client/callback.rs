//! One callback: what the host asks of the delegate, and what the delegate answers.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use carrel_contract::error::NotifyError;
use carrel_contract::{
    CallStatus, CellId, CheckerUnavailable, JsonText, Notification, ToolError, ToolErrorCode,
};
use carrel_wire::{
    Call, Check, Checked, Fault, LookedUp, Malformed, Text, ToClient, ToHost, ToolFailure, encode,
};
use futures::FutureExt;

use super::callbacks::Tokens;
use super::channel::Channel;
use super::input::{Incoming, LARGE};
use super::ledger::Close;
use super::names::Names;
use super::teller::Teller;
use crate::link::{LinkError, Unsent};
use crate::watch;

impl Channel {
    /// Takes a callback, or word of one.
    pub(super) fn take(self: &Arc<Self>, message: ToClient) -> Result<(), LinkError> {
        let names =
            self.names.get().ok_or(LinkError::Protocol("it calls back before the session has its id"))?;
        match message {
            ToClient::Call { call, tool_call } => {
                let Some((incoming, tokens)) = self.tool_call(names, call, tool_call)? else {
                    self.push(&ToHost::Answer { call, result: None, failure: Some(too_much().into()) });
                    return Ok(());
                };
                let (cell_id, channel) = (incoming.call.cell_id.clone(), Arc::clone(self));
                let cancel = tokens.cancel.clone();
                let called = async move {
                    let Some(tool_call) = incoming.whole().await else { return };
                    let delegate = channel.delegate.get();
                    let answer =
                        until(&tokens, async move { delegate.invoke_tool(tool_call, cancel).await }).await;
                    let Some(answer) = answer else { return };
                    channel.answer(call, answer.unwrap_or_else(|panic| Err(panicked(&panic)))).await;
                };
                self.begin(&cell_id, call, called.boxed());
            }
            ToClient::LookUp { call, tool_call } => {
                let Some((incoming, tokens)) = self.tool_call(names, call, tool_call)? else {
                    self.push(&ToHost::LookedUp { call, outcome: LookedUp::from(Err(too_much())) });
                    return Ok(());
                };
                let (cell_id, channel) = (incoming.call.cell_id.clone(), Arc::clone(self));
                let cancel = tokens.cancel.clone();
                let asked = async move {
                    let Some(tool_call) = incoming.whole().await else { return };
                    let delegate = channel.delegate.get();
                    let looked =
                        until(&tokens, async move { delegate.lookup_outcome(tool_call, cancel).await }).await;
                    let Some(outcome) = looked else { return };
                    let outcome = LookedUp::from(outcome.unwrap_or_else(|panic| Err(panicked(&panic))));
                    channel.send(call, ToHost::LookedUp { call, outcome }).await;
                };
                self.begin(&cell_id, call, asked.boxed());
            }
            ToClient::Notify { call, cell_id, text } => {
                let cell_id = self.cell_id(names, &cell_id)?;
                let Some(tokens) = self.add(call, text.len())? else {
                    let error = NotifyError { detail: too_much().message, tried_for: None };
                    self.push(&ToHost::Delivered { call, fault: Some(Fault::from(&error)) });
                    return Ok(());
                };
                let (notification, channel) =
                    (Notification::new(names.session_id.clone(), cell_id.clone(), text), Arc::clone(self));
                let cancel = tokens.cancel.clone();
                let notified = async move {
                    let delegate = channel.delegate.get();
                    let delivered =
                        until(&tokens, async move { delegate.notify(notification, cancel).await }).await;
                    let Some(delivered) = delivered else { return };
                    let delivered = delivered.unwrap_or_else(|panic| {
                        Err(NotifyError { detail: panicked(&panic).message, tried_for: None })
                    });
                    let fault = delivered.err().map(|error| Fault::from(&error));
                    channel.send(call, ToHost::Delivered { call, fault }).await;
                };
                self.begin(&cell_id, call, notified.boxed());
            }
            ToClient::Noted { call, failure } => {
                let noted = failure.map(ToolError::try_from).transpose()?.map_or(Ok(()), Err);
                if let Some(teller) = self.tokens(call).and_then(|tokens| tokens.teller) {
                    teller.noted(noted);
                }
            }
            ToClient::Check { call, check } => self.take_check(names, call, check)?,
            ToClient::CancelCall { call } => {
                if let Some(tokens) = self.tokens(call) {
                    tokens.cancel.cancel();
                }
            }
            ToClient::DropCall { call } => self.drop_callback(call),
            ToClient::CellClosed { cell_id } => {
                let cell_id = self.cell_id(names, &cell_id)?;
                match (self.on_closed)(&cell_id) {
                    Close::First => self.close_cell(cell_id),
                    Close::Again => {}
                    Close::Twice => return Err(LinkError::Protocol("it closes a cell twice")),
                }
                self.sightings.end();
            }
            _ => return Err(LinkError::Protocol("it sent a message on a stream where it does not belong")),
        }
        Ok(())
    }

    /// Has a cell's types checked.
    fn take_check(self: &Arc<Self>, names: &Names, call: u64, check: Check) -> Result<(), LinkError> {
        let Some(checker) = self.connection().checker.clone() else {
            return Err(LinkError::Protocol("it asks for a check of a client that makes none"));
        };
        let cell_id = self.cell_id(names, &check.cell_id)?;
        let Some(tokens) = self.add(call, check.text_bytes())? else {
            let outcome = Checked::from(Err(CheckerUnavailable::Failed { detail: too_much().message }));
            self.push(&ToHost::Checked { call, outcome });
            return Ok(());
        };
        let mut request = check.into_contract(names.session_id.clone(), cell_id.clone())?;
        request.tools = self.shared_tools(request.tools);
        let channel = Arc::clone(self);
        let checked = async move {
            let Some(outcome) = until(&tokens, async move { checker.check(request).await }).await else {
                return;
            };
            let failed =
                |panic: String| Err(CheckerUnavailable::Failed { detail: format!("it panicked: {panic}") });
            let outcome = Checked::from(outcome.unwrap_or_else(failed));
            channel.send(call, ToHost::Checked { call, outcome }).await;
        };
        self.begin(&cell_id, call, checked.boxed());
        Ok(())
    }

    fn cell_id(&self, names: &Names, cell_id: &str) -> Result<CellId, LinkError> {
        let cell_id = CellId::new(cell_id).and_then(|cell_id| names.outward(&cell_id));
        Ok(cell_id.map_err(Malformed::from)?)
    }

    fn tool_call(
        self: &Arc<Self>,
        names: &Names,
        call: u64,
        mut wire: Call,
    ) -> Result<Option<(Incoming, Tokens)>, LinkError> {
        wire.cell_id = self.cell_id(names, &wire.cell_id)?.into();
        let bytes = wire.input.as_ref().map_or(0, |input| input.0.len());
        let large = wire.input.take_if(|input| input.0.len() > LARGE);
        let tool_call = wire.of_session(names.session_id.clone())?;
        let Some(tokens) = self.add(call, bytes)? else { return Ok(None) };
        let teller = Teller::new(Arc::clone(&self.owner), self.stream, call, tokens.dropped.clone());
        let teller = Arc::new(teller);
        self.told_by(call, &teller);
        let input = large.map(|text| self.read_beside(&tool_call.cell_id, text));
        let tool_call = tool_call.with_status(CallStatus::new(teller));
        Ok(Some((Incoming { call: tool_call, input }, tokens)))
    }

    async fn answer(&self, call: u64, answer: Result<JsonText, ToolError>) {
        let message = match answer {
            Ok(result) => ToHost::Answer { call, result: Some(Text::from(result)), failure: None },
            Err(error) => ToHost::Answer { call, result: None, failure: Some(error.into()) },
        };
        self.send(call, message).await;
    }

    /// Answers a callback.
    async fn send(&self, call: u64, message: ToHost) {
        let outbox = &self.connection().outbox;
        if outbox.send_aside(self.stream, encode(&message)).await == Err(Unsent::TooLarge) {
            let error = ToolError::new(ToolErrorCode::TooLarge, "the result is longer than the host takes");
            let failure = Some(ToolFailure::from(error));
            self.push(&ToHost::Answer { call, result: None, failure });
        }
    }
}

/// Awaits code of the delegate's, unless it is dropped before; a panic of it is told.
async fn until<T>(tokens: &Tokens, code: impl Future<Output = T> + Send) -> Option<Result<T, String>> {
    let dropped = tokens.dropped.clone();
    let guarded = async move {
        let mut code = Box::pin(code);
        tokio::select! {
            biased;
            done = std::future::poll_fn(|context| {
                let _polling = watch::polling();
                code.as_mut().poll(context)
            }) => Some(done),
            () = dropped.cancelled() => None,
        }
    };
    match AssertUnwindSafe(guarded).catch_unwind().await {
        Ok(None) => None,
        Ok(Some(done)) => Some(Ok(done)),
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            Some(Err(text.unwrap_or_else(|| "it says nothing".to_owned())))
        }
    }
}

fn too_much() -> ToolError {
    let message = "the calls under way hold more than a client takes";
    ToolError::new(ToolErrorCode::Unavailable, message).with_retryable(true)
}

fn panicked(panic: &str) -> ToolError {
    ToolError::new(ToolErrorCode::Internal, format!("the delegate panicked: {panic}"))
}
