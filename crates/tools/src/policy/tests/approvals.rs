//! Asking a person: each is asked once, answered once, and what they saw is what is sent.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use carrel_contract::{
    CallObserver, CallStatus, CellId, CodeModeSessionDelegate as _, JsonText, Location, ToolErrorCode,
    ToolProgress,
};
use tokio::time::advance;

use super::super::{Answer, AnswerError, ApprovalId, Approvals};
use super::{Desk, json, reader, refused, writer};

const ASK: &str = "default = \"allow\"\n[[rule]]\nname = \"writes\"\ntools = [\"*__update\", \"*__send\"]\ndecision = \"ask\"\nreason = \"it changes orders\"";

fn deny(reason: &str) -> Answer {
    Answer::Deny { reason: Some(reason.into()) }
}

#[tokio::test]
async fn several_are_answered_at_once_and_each_once() {
    let desk = Desk::new(ASK);
    let calls = [1, 2, 3].map(|n| desk.begin("c-1", "orders__update", &format!("{{\"n\":{n}}}")));
    let ids = desk.pending(3).await;
    assert!(desk.world.sent().is_empty(), "nothing leaves before the answer");
    assert_eq!(desk.approvals.answer(&ids[..2], &Answer::Allow), Ok(()));
    assert_eq!(desk.approvals.answer(&ids[2..], &deny("not today")), Ok(()));
    let [first, second, third] = calls;
    first.end().await.unwrap();
    second.end().await.unwrap();
    let error =
        refused(third.end().await, &["was not called", "a person was asked and refused it: not today"]);
    assert!(!error.retryable);
    assert_eq!(desk.world.inputs(), ["{\"n\":1}", "{\"n\":2}"]);
    let again = desk.approvals.answer(&[ids[0], ApprovalId(99), ApprovalId(0)], &Answer::Allow);
    assert_eq!(
        again.unwrap_err(),
        [
            AnswerError::NoLongerPending(ids[0]),
            AnswerError::NeverAsked(ApprovalId(99)),
            AnswerError::NeverAsked(ApprovalId(0))
        ]
    );
}

#[tokio::test]
async fn a_request_says_all_there_is_to_know() {
    let desk = Desk::new(ASK);
    let call = desk
        .call("c-1", "orders__update", Some("{\"id\":\"o-1\"}"))
        .at(Some(Location { line: 3, column: 7 }));
    let begun = desk.begin_call(call);
    desk.pending(1).await;
    let request = desk.approvals.pending().remove(0);
    assert_eq!((request.session_id.as_str(), request.cell_id.as_str()), ("s", "c-1"));
    assert_eq!((request.call_id.as_str(), request.server.as_deref()), ("call-1", Some("orders")));
    assert_eq!(
        request.question(),
        "allow orders__update({\"id\":\"o-1\"}) at line 3, column 7? (server `orders`, rule `writes`: it changes orders)"
    );
    desk.approvals.answer(&[request.id], &Answer::Allow).unwrap();
    begun.end().await.unwrap();
}

#[tokio::test]
async fn what_was_refused_is_not_asked_again_in_its_cell() {
    let desk = Desk::new(ASK);
    let call = desk.begin("c-1", "orders__update", "{\"n\":1}");
    desk.approvals.answer(&desk.pending(1).await, &deny("no")).unwrap();
    refused(call.end().await, &["a person"]);
    refused(desk.run("c-1", "orders__update", "{\"n\":1}").await, &["refused this same call earlier"]);
    // Nor when a person allows all others of the tool.
    let other = desk.begin("c-1", "orders__update", "{\"n\":2}");
    desk.approvals.answer(&desk.pending(1).await, &Answer::AllowForSession).unwrap();
    other.end().await.unwrap();
    refused(desk.run("c-1", "orders__update", "{\"n\":1}").await, &["refused this same call earlier"]);
    assert_eq!(desk.world.inputs(), ["{\"n\":2}"]);
}

#[tokio::test]
async fn allowing_a_tool_holds_as_long_and_as_far_as_was_said() {
    let desk = Desk::new(ASK);
    let calls = ["c-1", "c-1", "c-2"].map(|cell| desk.begin(cell, "orders__update", "{}"));
    let mail = desk.begin("c-1", "mail__send", "{}");
    let ids = desk.pending(4).await;
    let of_cell = desk
        .approvals
        .pending()
        .iter()
        .find(|r| r.cell_id.as_str() == "c-1" && r.tool.as_str() != "mail__send")
        .unwrap()
        .id;
    desk.approvals.answer(&[of_cell], &Answer::AllowForCell).unwrap();
    assert_eq!(desk.pending(2).await.len(), 2, "both of its cell are answered, of {ids:?}");
    desk.run("c-1", "orders__update", "{}").await.unwrap();
    let other = desk.approvals.pending().iter().find(|r| r.cell_id.as_str() == "c-2").unwrap().id;
    desk.approvals.answer(&[other], &Answer::AllowForSession).unwrap();
    for call in calls {
        call.end().await.unwrap();
    }
    desk.delegate.cell_closed(&CellId::new("c-2").unwrap());
    desk.run("c-3", "orders__update", "{}").await.unwrap();
    // Of another tool nothing was said.
    desk.approvals.answer(&desk.pending(1).await, &deny("no mail")).unwrap();
    refused(mail.end().await, &["no mail"]);
    // Nor of one that is no longer what it was.
    desk.delegate.set_tools(&[reader("orders__update"), writer("mail__send")]);
    let changed = desk.begin("c-3", "orders__update", "{}");
    desk.approvals.answer(&desk.pending(1).await, &deny("it changed")).unwrap();
    refused(changed.end().await, &["it changed"]);
}

#[tokio::test]
async fn nobody_is_asked_about_an_input_that_the_tool_does_not_take() {
    let desk = Desk::new(ASK);
    let mut tool = writer("orders__update");
    tool.input_schema =
        Some(json(r#"{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}"#));
    desk.delegate.set_tools(&[tool]);
    for input in ["{}", r#"{"n":"1"}"#, "[]"] {
        let error = desk.run("c-1", "orders__update", input).await.unwrap_err();
        assert_eq!(error.code, ToolErrorCode::InvalidInput, "{error}");
        assert!(error.message.contains("does not fit orders__update"), "{error}");
    }
    assert!(desk.approvals.pending().is_empty() && desk.world.sent().is_empty());
    let fits = desk.begin("c-1", "orders__update", r#"{"n":1}"#);
    desk.approvals.answer(&desk.pending(1).await, &Answer::Allow).unwrap();
    fits.end().await.unwrap();
}

#[tokio::test]
async fn the_end_of_a_cell_withdraws_what_it_asked() {
    let desk = Desk::new(ASK);
    let call = desk.begin("c-1", "orders__update", "{}");
    let ids = desk.pending(1).await;
    call.cancel.cancel();
    assert_eq!(call.end().await.unwrap_err().code, ToolErrorCode::Cancelled);
    desk.pending(0).await;
    assert_eq!(
        desk.approvals.answer(&ids, &Answer::Allow).unwrap_err(),
        [AnswerError::NoLongerPending(ids[0])]
    );
    assert!(desk.world.sent().is_empty());
}

#[tokio::test]
async fn the_number_of_pending_requests_is_bounded_and_the_rest_come_in_turn() {
    let desk = Desk::with(ASK, Approvals::new(2));
    let calls: Vec<_> =
        (0..5).map(|n| desk.begin("c-1", "orders__update", &format!("{{\"n\":{n}}}"))).collect();
    for round in 0..2 {
        let ids = desk.pending(2).await;
        assert_eq!(ids, [ApprovalId(2 * round + 1), ApprovalId(2 * round + 2)]);
        desk.approvals.answer(&ids, &Answer::Allow).unwrap();
    }
    desk.approvals.answer(&desk.pending(1).await, &Answer::Allow).unwrap();
    for call in calls {
        call.end().await.unwrap();
    }
}

#[tokio::test]
async fn one_answer_for_all_reaches_those_that_wait_their_turn() {
    let desk = Desk::with(ASK, Approvals::new(1));
    let calls: Vec<_> = (0..5).map(|_| desk.begin("c-1", "orders__update", "{}")).collect();
    desk.approvals.answer(&desk.pending(1).await, &Answer::AllowForSession).unwrap();
    for call in calls {
        call.end().await.unwrap();
    }
    assert_eq!(desk.world.sent().len(), 5);
}

#[tokio::test]
async fn an_owner_who_goes_away_is_waited_for_or_not_as_the_policy_says() {
    let waits = Desk::new(ASK);
    let call = waits.begin("c-1", "orders__update", "{}");
    waits.pending(1).await;
    drop(waits.approvals.attend());
    let mut attendant = waits.approvals.attend();
    attendant.changed().await;
    attendant.answer(&[attendant.pending()[0].id], &Answer::Allow).unwrap();
    call.end().await.unwrap();

    let denies = Desk::new(&format!("unattended = \"deny\"\n{ASK}"));
    let error = refused(
        denies.run("c-1", "orders__update", "{}").await,
        &["nobody is there to be asked", "rule `writes`: it changes orders"],
    );
    assert!(error.data.unwrap().as_str().contains("unattended"));
    let attendant = denies.approvals.attend();
    let call = denies.begin("c-1", "orders__update", "{}");
    denies.pending(1).await;
    drop(attendant);
    refused(call.end().await, &["nobody is there"]);
    denies.pending(0).await;
    assert!(denies.world.sent().is_empty());
}

#[tokio::test]
async fn an_attendant_is_woken_by_every_change() {
    let desk = Desk::new(ASK);
    let mut attendant = desk.approvals.attend();
    attendant.changed().await;
    let call = desk.begin("c-1", "orders__update", "{}");
    attendant.changed().await;
    assert_eq!(attendant.pending().len(), 1);
    call.cancel.cancel();
    attendant.changed().await;
    assert!(attendant.pending().is_empty());
}

/// Keeps what a session is told of a call.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl CallObserver for Heard {
    fn progress(&self, _: ToolProgress) {}

    fn person_awaited(&self, question: &str) {
        self.0.lock().unwrap().push(question.to_owned());
    }

    fn person_answered(&self) {
        self.0.lock().unwrap().push("answered".into());
    }
}

#[tokio::test(start_paused = true)]
async fn the_session_is_told_and_a_persons_time_is_not_the_calls() {
    let desk = Desk::new(&format!("limits = {{ call_seconds = 0.5 }}\n{ASK}"));
    let heard = Arc::new(Heard::default());
    let call =
        desk.call("c-1", "orders__update", Some("{\"ms\":499}")).with_status(CallStatus::new(heard.clone()));
    let begun = desk.begin_call(call);
    let ids = desk.pending(1).await;
    advance(Duration::from_secs(86_400)).await;
    desk.approvals.answer(&ids, &Answer::Allow).unwrap();
    begun.end().await.unwrap();
    let heard = heard.0.lock().unwrap().clone();
    assert_eq!(heard.len(), 2, "{heard:?}");
    assert!(
        heard[0].starts_with("allow orders__update({\"ms\":499})?") && heard[1] == "answered",
        "{heard:?}"
    );
}

#[tokio::test]
async fn refusals_are_counted_so_that_asking_again_and_again_ends() {
    let desk = Desk::new(&format!("limits = {{ calls_per_cell = 2 }}\n{ASK}"));
    for n in 0..2 {
        let call = desk.begin("c-1", "orders__update", &format!("{{\"n\":{n}}}"));
        desk.approvals.answer(&desk.pending(1).await, &deny("no")).unwrap();
        refused(call.end().await, &["a person"]);
    }
    refused(desk.run("c-1", "orders__update", "{\"n\":3}").await, &["calls_per_cell"]);
}

#[tokio::test]
async fn hostile_inputs_are_asked_about_in_one_bounded_harmless_line() {
    let desk = Desk::new(ASK);
    let input =
        serde_json::json!({ "to\u{202e}": "\u{1b}[2K\u{7}", "pad": "p".repeat(1 << 20), "amount": 9_999 });
    let input = JsonText::from_value(&input);
    let _call = desk.begin("c-1", "orders__update", input.as_str());
    desk.pending(1).await;
    let question = desk.approvals.pending()[0].question();
    assert!(question.len() < 4096 && !question.chars().any(char::is_control), "{question}");
    assert!(!question.contains('\u{202e}') && question.contains("9999"), "{question}");
    assert!(question.contains("[1048336 more bytes]"), "{question}");
}
