//! The engine's pool is shared by all sessions of a provider: what happens when it is full.

use carrel_contract::error::ExecuteError;
use carrel_contract::testing::{RecordingDelegate, tool_descriptions};
use carrel_contract::{CodeModeSessionProvider, ExecuteRequest, SessionSpec};
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
