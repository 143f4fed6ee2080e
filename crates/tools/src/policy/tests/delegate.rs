//! What is decided before anything leaves, and attempts to get round it.

use carrel_contract::{CancellationToken, CodeModeSessionDelegate as _, LookedUp, SessionId, ToolErrorCode};

use super::{Desk, json, reader, refused, writer};

const DENY: &str = "default = \"allow\"\n[[rule]]\nname = \"no mail\"\nserver = \"mail\"\ndecision = \"deny\"\nreason = \"we write no mail\"";

#[tokio::test]
async fn what_is_denied_never_leaves_however_often_it_is_tried() {
    let desk = Desk::new(DENY);
    for cell in ["c-1", "c-1", "c-2"] {
        let error = refused(
            desk.run(cell, "mail__send", "{}").await,
            &["`mail__send` was not called", "rule `no mail`: we write no mail", "again does not help"],
        );
        assert!(!error.retryable);
        assert_eq!(error.data.unwrap(), json(r#"{"refused_by":"policy","rule":"rule `no mail`"}"#));
    }
    assert!(desk.world.sent().is_empty());
    assert_eq!(desk.run("c-1", "orders__list", "{}").await.unwrap(), json("\"done\""));
    assert_eq!(desk.world.sent(), ["orders__list"]);
}

#[tokio::test]
async fn a_tool_that_the_policy_was_not_told_of_is_denied() {
    let desk = Desk::new("default = \"allow\"");
    refused(desk.run("c-1", "mail__sendX", "{}").await, &["knows no such tool"]);
    desk.delegate.set_tools(&[writer("mail__sendX")]);
    desk.run("c-1", "mail__sendX", "{}").await.unwrap();
    refused(desk.run("c-1", "mail__send", "{}").await, &["knows no such tool"]);
    assert_eq!(desk.world.sent(), ["mail__sendX"]);
}

#[tokio::test]
async fn tools_that_change_are_judged_as_they_are_now() {
    let desk =
        Desk::new("default = \"deny\"\ntrust = \"orders\"\n[[rule]]\nread_only = true\ndecision = \"allow\"");
    desk.run("c-1", "orders__list", "{}").await.unwrap();
    // The server says now that it changes something.
    desk.delegate.set_tools(&[writer("orders__list")]);
    refused(desk.run("c-1", "orders__list", "{}").await, &["the default"]);
    desk.delegate.set_tools(&[reader("orders__list")]);
    desk.run("c-1", "orders__list", "{}").await.unwrap();
}

#[tokio::test]
async fn another_sessions_calls_are_refused() {
    let desk = Desk::new("default = \"allow\"");
    desk.run("c-1", "orders__list", "{}").await.unwrap();
    let mut call = desk.call("c-1", "orders__list", None);
    call.session_id = SessionId::new("other").unwrap();
    let error = desk.delegate.invoke_tool(call, CancellationToken::new()).await.unwrap_err();
    assert_eq!(error.code, ToolErrorCode::Internal);
    assert_eq!(desk.world.sent().len(), 1);
}

#[tokio::test]
async fn what_became_of_a_call_is_asked_beyond_the_policy_and_held_to_its_limits() {
    let desk = Desk::new("default = \"allow\"\nlimits = { result_bytes = 10 }");
    let look_up = async |input: Option<&str>| {
        let call = desk.call("c-1", "orders__list", input);
        desk.delegate.lookup_outcome(call, CancellationToken::new()).await
    };
    assert_eq!(look_up(None).await.unwrap(), LookedUp::NeverHappened);
    assert_eq!(look_up(Some("[1]")).await.unwrap(), LookedUp::Answered(json("[1]")));
    let error = look_up(Some("[1,2,3,4,5,6]")).await.unwrap_err();
    assert_eq!(error.code, ToolErrorCode::TooLarge, "{error}");
    assert!(desk.world.sent().is_empty());
}
