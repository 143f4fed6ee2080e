//! The engine's pool is shared by all sessions of a provider: what happens when it is full.

use std::sync::Arc;
use std::time::Duration;

use carrel_contract::error::{ExecuteError, WaitError};
use carrel_contract::testing::{RecordingDelegate, Seen, tool_descriptions};
use carrel_contract::{
    CellResponse, CodeModeSessionProvider, Durability, ExecuteRequest, SessionSpec, WaitRequest,
};
use carrel_journal::Memory;
use carrel_runtime::{InProcessProvider, Options};

#[tokio::test]
async fn a_full_pool_is_a_limit_with_a_name_and_a_cell_that_ends_makes_room() {
    let mut options = Options::default();
    options.engine.max_vms = 1;
    let provider = InProcessProvider::new(options).unwrap();
    let delegate = RecordingDelegate::new();
    let mut spec = SessionSpec::default();
    spec.tools = tool_descriptions();
    let first = provider.create(spec, delegate.clone()).await.unwrap();
    let second = provider.create(SessionSpec::default(), delegate.clone()).await.unwrap();

    let holder = first.execute(ExecuteRequest::new("await tools.gate()")).await.unwrap();
    let refused = second.execute(ExecuteRequest::new("text('no place')")).await;
    let Err(ExecuteError::LimitReached(limit)) = refused else { panic!("there is no place: {refused:?}") };
    assert_eq!((limit.limit, limit.maximum), ("max_vms", 1));

    delegate.open_gate();
    assert!(holder.first_response.await.unwrap().is_final());
    let started = second.execute(ExecuteRequest::new("text('room')")).await.unwrap();
    assert_eq!(started.first_response.await.unwrap().text(), "room");
}

/// Waiting cells of journaled sessions hold places only while nobody else needs them.
#[tokio::test]
async fn sessions_that_rest_leave_a_full_pool() {
    let mut options = Options::default();
    options.engine.max_vms = 1;
    options.store = Some(Arc::new(Memory::new()));
    let provider = InProcessProvider::new(options).unwrap();
    let (gate, delegate) = (RecordingDelegate::new(), RecordingDelegate::new());
    let mut spec = SessionSpec::default();
    spec.tools = tool_descriptions();
    spec.durability = Durability::Journaled;
    let calls = provider.create(spec.clone(), gate.clone()).await.unwrap();
    let sleeps = provider.create(spec, delegate).await.unwrap();

    let called = calls.execute(ExecuteRequest::new("text(await tools.gate())")).await.unwrap();
    let called = called.cell_id;
    gate.reached(|seen| matches!(seen, Seen::Called(_, tool) if tool == "gate")).await;
    // A new cell takes the place of the one that waits for the gate.
    let sleeping = "await new Promise((go) => setTimeout(go, 3_600_000))";
    let sleeping = loop {
        match sleeps.execute(ExecuteRequest::new(sleeping)).await {
            // It has called, and is about to wait.
            Err(ExecuteError::LimitReached(_)) => tokio::task::yield_now().await,
            started => break started.unwrap().cell_id,
        }
    };
    // And that one, when the gate opens, takes the place of the one that sleeps.
    gate.open_gate();
    let all = WaitRequest::new([called]).with_yield_time(Duration::MAX);
    let mut response = loop {
        match calls.wait(all.clone()).await {
            // It is about to sleep.
            Err(WaitError::StorageFailed(_)) => tokio::task::yield_now().await,
            response => break response.unwrap(),
        }
    };
    assert!(response.cells.remove(0).is_final());
    let ended = sleeps.terminate(sleeping).await.unwrap();
    assert!(matches!(ended, CellResponse::Terminated(_)), "{ended:?}");
}
