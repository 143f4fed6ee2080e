//! Each limit, and attempts to get past it.

use std::time::Duration;

use carrel_contract::{CodeModeSessionDelegate as _, ToolErrorCode};
use futures::future::join_all;
use tokio::time::{Instant, advance};

use super::{Desk, refused};

fn limited(limits: &str) -> Desk {
    Desk::new(&format!(
        "default = \"allow\"\n[[rule]]\nname = \"few\"\ntools = \"orders__*\"\nlimits = {{ {limits} }}"
    ))
}

async fn burst(desk: &Desk, cell: &str, tools: &[&str]) -> usize {
    let calls = tools.iter().map(|tool| desk.run(cell, tool, "{\"ms\":5}"));
    join_all(calls).await.into_iter().filter(Result::is_ok).count()
}

#[tokio::test(start_paused = true)]
async fn calls_per_cell_hold_for_a_burst_over_several_tools_and_after_failures() {
    let desk = limited("calls_per_cell = 3");
    let tools = ["orders__list", "orders__update"].repeat(10);
    assert_eq!(burst(&desk, "c-1", &tools).await, 3);
    let error = refused(
        desk.run("c-1", "orders__list", "{}").await,
        &["`calls_per_cell` = 3 of the policy (rule `few`)", "in this cell"],
    );
    assert!(!error.retryable);
    // Of another tool, and of another cell, there are others.
    assert_eq!(burst(&desk, "c-1", &["mail__send"; 5]).await, 5);
    assert_eq!(burst(&desk, "c-2", &tools).await, 3);
    // A failed call was a call.
    let desk = limited("calls_per_cell = 1");
    desk.run("c-1", "orders__list", "{\"fail\":1}").await.unwrap_err();
    refused(desk.run("c-1", "orders__list", "{}").await, &["calls_per_cell"]);
}

#[tokio::test(start_paused = true)]
async fn calls_per_session_hold_over_cells_that_end() {
    let desk = limited("calls_per_session = 4");
    for (cell, made) in [("c-1", 3), ("c-2", 1), ("c-3", 0)] {
        assert_eq!(burst(&desk, cell, &["orders__list"; 3]).await, made);
        desk.delegate.cell_closed(&carrel_contract::CellId::new(cell).unwrap());
    }
    refused(desk.run("c-4", "orders__update", "{}").await, &["`calls_per_session` = 4", "in this session"]);
}

#[tokio::test(start_paused = true)]
async fn calls_per_minute_hold_in_any_minute() {
    let desk = limited("calls_per_minute = 4");
    assert_eq!(burst(&desk, "c-1", &["orders__list"; 2]).await, 2);
    advance(Duration::from_secs(59)).await;
    assert_eq!(burst(&desk, "c-2", &["orders__list"; 9]).await, 2);
    let error = refused(desk.run("c-3", "orders__list", "{}").await, &["fits again in 1 s"]);
    assert!(error.retryable);
    advance(Duration::from_secs(1)).await;
    // Two are a minute ago, two are not.
    assert_eq!(burst(&desk, "c-3", &["orders__list"; 9]).await, 2);
}

#[tokio::test(start_paused = true)]
async fn all_counters_count_a_call_or_none_does() {
    let desk = Desk::new(
        "default = \"allow\"\nlimits = { calls_per_session = 3 }\n[[rule]]\ntools = \"orders__*\"\nlimits = { calls_per_cell = 1 }",
    );
    assert_eq!(burst(&desk, "c-1", &["orders__list"; 9]).await, 1);
    // The eight that were refused took nothing of the session's three.
    assert_eq!(burst(&desk, "c-1", &["mail__send"; 9]).await, 2);
}

#[tokio::test(start_paused = true)]
async fn calls_at_once_wait_their_turn() {
    let desk = limited("concurrent_calls = 2");
    assert_eq!(burst(&desk, "c-1", &["orders__list", "orders__update"].repeat(5)).await, 10);
    assert_eq!(desk.world.at_once.lock().unwrap().1, 2);
    // One that waits is gone with its cell, and its place goes to the next.
    let first = [(); 2].map(|()| desk.begin("c-1", "orders__list", "{\"ms\":50}"));
    let waiting = desk.begin("c-1", "orders__update", "{}");
    tokio::task::yield_now().await;
    waiting.cancel.cancel();
    assert_eq!(waiting.end().await.unwrap_err().code, ToolErrorCode::Cancelled);
    for call in first {
        call.end().await.unwrap();
    }
    assert_eq!(desk.world.sent().len(), 12);
}

#[tokio::test(start_paused = true)]
async fn a_call_past_its_time_is_told_to_stop() {
    let desk = limited("call_seconds = 0.5");
    let began = Instant::now();
    let error = desk.run("c-1", "orders__list", "{\"ms\":60000}").await.unwrap_err();
    assert_eq!((error.code, began.elapsed()), (ToolErrorCode::TimedOut, Duration::from_millis(500)));
    assert!(
        error.message.contains("`call_seconds` = 0.5") && error.message.contains("may or may not"),
        "{error}"
    );
    assert_eq!(*desk.world.stopped.lock().unwrap(), ["orders__list"]);
    desk.run("c-1", "orders__list", "{\"ms\":499}").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_person_whom_the_server_asks_is_not_the_calls() {
    let desk = limited("call_seconds = 0.5");
    desk.run("c-1", "orders__list", "{\"person_ms\":3600000,\"ms\":499}").await.unwrap();
    let error = desk.run("c-1", "orders__list", "{\"person_ms\":3600000,\"ms\":501}").await.unwrap_err();
    assert_eq!(error.code, ToolErrorCode::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn an_input_that_is_too_large_is_not_sent_and_its_parts_are_counted() {
    let desk = limited("input_bytes = 20, calls_per_cell = 2");
    let error =
        desk.run("c-1", "orders__list", &format!("{{\"a\":\"{}\"}}", "x".repeat(20))).await.unwrap_err();
    assert_eq!(error.code, ToolErrorCode::TooLarge);
    assert!(error.message.contains("28 bytes") && error.message.contains("`input_bytes` = 20"), "{error}");
    assert!(desk.world.sent().is_empty());
    for part in 0..2 {
        desk.run("c-1", "orders__list", &format!("{{\"part\":{part}}}")).await.unwrap();
    }
    refused(desk.run("c-1", "orders__list", "{\"part\":2}").await, &["calls_per_cell"]);
}

#[tokio::test(start_paused = true)]
async fn a_result_that_is_too_large_is_an_error_and_never_a_part() {
    let desk = limited("result_bytes = 100");
    desk.run("c-1", "orders__list", "{\"give\":98}").await.unwrap();
    let error = desk.run("c-1", "orders__list", "{\"give\":99}").await.unwrap_err();
    assert_eq!(error.code, ToolErrorCode::TooLarge);
    assert!(error.message.contains("was called") && error.message.contains("101 bytes"), "{error}");
    // Nor does a failure carry it out; what kind of failure it is stays.
    let error = desk.run("c-1", "orders__list", "{\"fail\":5000}").await.unwrap_err();
    assert_eq!((error.code, error.data.is_none()), (ToolErrorCode::OutcomeUnknown, true));
    assert!(error.message.contains("5003 bytes"), "{error}");
}
