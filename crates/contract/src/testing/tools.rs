//! The tools of a session while it lives: they can become others, be searched and described, and a call tells where it
//! stands and how it gets on.

use std::time::Duration;

use super::delegate::{Seen, tool_descriptions};
use super::harness::{Harness, ended, event, start, terminated, text_of};
use crate::error::SetToolsError;
use crate::{
    EventKind, JsonText, SessionMode, TerminationReason, ToolDescription, ToolName, WaitRequest, WaitUntil,
};

fn only(name: &str) -> Vec<ToolDescription> {
    vec![ToolDescription::new(ToolName::new(name).expect("a name"), "The only one.")]
}

/// A cell has the tools of the moment of its admission.
pub async fn tools_can_become_others(harness: Harness) {
    for mode in [SessionMode::Fresh, SessionMode::Persistent] {
        let session = harness.session_with(|spec| spec.mode = mode).await;
        let source =
            "await tools.echo(1); yield_control(); await tools.gate(); text(await tools.echo('still'))";
        let before = start(&session, source).await;
        before.first_response.await.unwrap();
        session.set_tools(only("fail")).await.unwrap();
        harness.delegate.open_gate();
        assert_eq!(ended(&session, &before.cell_id).await.text(), "still");

        let look = "text(ALL_TOOLS); try { tools.echo(1) } catch (e) { text(e.name) }";
        let json = r#"[{"name":"fail","description":"The only one."}]"#;
        assert_eq!(text_of(&session, look).await, format!("{json}\nTypeError"));
        session.set_tools(tool_descriptions()).await.unwrap();
        assert_eq!(text_of(&session, "text(await tools.echo('back'))").await, "back");
    }
}

/// What cannot be taken changes nothing.
pub async fn tools_that_cannot_be_taken_change_nothing(harness: Harness) {
    let session = harness.session().await;
    let twice = [only("fail"), only("fail")].concat();
    let Err(SetToolsError::InvalidSpec(error)) = session.set_tools(twice).await else {
        panic!("two named `fail`")
    };
    assert_eq!((error.field, error.problem.as_str()), ("tools", "has two named fail"));
    assert_eq!(text_of(&session, "text(await tools.echo('there'))").await, "there");
    session.shutdown().await.unwrap();
    assert!(matches!(session.set_tools(Vec::new()).await, Err(SetToolsError::SessionClosed(_))));
}

/// What a call tells of itself is in the log, before its answer.
pub async fn tools_tell_how_a_call_gets_on(harness: Harness) {
    let session = harness.session().await;
    let cell_id = start(&session, "text(await tools.step('done'))").await.cell_id;
    assert_eq!(ended(&session, &cell_id).await.text(), "done");
    let event = event(&session, &cell_id, |kind| matches!(kind, EventKind::ToolProgressed { .. })).await;
    let EventKind::ToolProgressed { progress, .. } = event.kind else { panic!("it progressed") };
    assert_eq!((progress.percent, progress.message.as_deref()), (Some(50), Some("half")));
}

/// The time for which a person is waited for is not the tool's.
pub async fn tools_may_wait_for_a_person(harness: Harness) {
    let limit = Duration::from_millis(50);
    let session = harness.session_with(|spec| spec.limits.tool_time = Some(limit)).await;
    let started = start(&session, "text(await tools.person('yes'))").await;
    let asked =
        event(&session, &started.cell_id, |kind| matches!(kind, EventKind::PersonAwaited { .. })).await;
    let EventKind::PersonAwaited { question, .. } = asked.kind else { panic!("a person is awaited") };
    assert_eq!(question, "may I?");
    let longer = WaitRequest::new([started.cell_id.clone()]).until(WaitUntil::Deadline);
    session.wait(longer.with_yield_time(limit * 4)).await.unwrap();
    harness.delegate.open_gate();
    assert_eq!(ended(&session, &started.cell_id).await.text(), "yes");
    event(&session, &started.cell_id, |kind| matches!(kind, EventKind::PersonAnswered { .. })).await;
}

/// A call tells where in the cell it stands.
pub async fn tools_know_where_a_call_stands(harness: Harness) {
    let session = harness.session().await;
    let source = "const f = () =>\n  tools.place();\ntext(await f()); text(await tools.place())";
    assert_eq!(text_of(&session, source).await, "[2,9]\n[3,35]");
}

/// Finding and describing tools calls none.
pub async fn tools_are_found_and_described(harness: Harness) {
    let schema = r#"{"type":"object","properties":{"id":{"type":"string"}},"required":["id"]}"#;
    let tool = |name, does| ToolDescription::new(ToolName::new(name).expect("a name"), does);
    let tools = vec![
        tool("mail__send", "Sends a message. At once."),
        tool("shop__get_order", "Returns an order.")
            .with_server("shop")
            .with_input_schema(JsonText::parse(schema).expect("a schema")),
    ];
    let session = harness.session_with(|spec| spec.tools = tools).await;
    for (query, found) in [
        ("orders", r#"[{"name":"shop__get_order","description":"Returns an order.","server":"shop"}]"#),
        ("send email", r#"[{"name":"mail__send","description":"Sends a message."}]"#),
        ("weather", "[]"),
    ] {
        assert_eq!(text_of(&session, &format!("text(await tools.$search('{query}'))")).await, found);
    }
    let described = text_of(&session, "text(await tools.$describe('shop__get_order'))").await;
    assert!(described.contains("shop__get_order(input: { id: string })"), "{described}");
    let both = text_of(&session, "text(await tools.$describe(['shop__get_order', 'mail__send']))").await;
    assert!(both.starts_with(&described) && both.contains("mail__send("), "{both}");

    let cell_id = start(&session, "await Promise.all(Array(100).fill(0).map(() => tools.$search('send')))")
        .await
        .cell_id;
    ended(&session, &cell_id).await;
    assert!(harness.delegate.seen().iter().all(|seen| !matches!(seen, Seen::Called(..))));
}

/// What cells have beside their tools is no tool's name.
pub async fn tools_leave_the_names_of_functions_alone(harness: Harness) {
    let session = harness.session().await;
    let Err(SetToolsError::InvalidSpec(error)) = session.set_tools(only("$search")).await else {
        panic!("a tool named `$search`")
    };
    assert_eq!(error.problem, "has one named $search, which is a function that every cell has");
}

/// A cell that asks without end is ended, and keeps nobody from running.
pub async fn tools_can_be_asked_for_without_end(harness: Harness) {
    let session = harness.session().await;
    let endless = start(&session, "for (;;) await tools.$search('anything at all')").await;
    assert_eq!(text_of(&session, "text(await tools.echo('still here'))").await, "still here");
    session.terminate(endless.cell_id.clone()).await.unwrap();
    let limit = Duration::from_millis(100);
    let session = harness.session_with(|spec| spec.limits.cpu_time = limit).await;
    let flood =
        start(&session, "for (;;) { tools.$search('anything'); await tools.$search('at all') }").await;
    let outcome = terminated(ended(&session, &flood.cell_id).await);
    assert_eq!(outcome.reason, TerminationReason::CpuTime { limit });
}
