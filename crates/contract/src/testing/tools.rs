//! The tools of a session while it lives: they can become others, and a call can tell how it gets on.

use std::time::Duration;

use super::delegate::tool_descriptions;
use super::harness::{Harness, ended, event, start, text_of};
use crate::error::SetToolsError;
use crate::{EventKind, SessionMode, ToolDescription, ToolName, WaitRequest, WaitUntil};

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
