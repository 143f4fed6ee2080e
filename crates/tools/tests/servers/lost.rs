//! Servers that are lost and come back, or do not.

use std::time::Duration;

use carrel_contract::{CancellationToken, ToolErrorCode};
use carrel_tools::ConnectOptions;
use serde_json::json;

use crate::common::{Door, call, call_with, connect, connect_with, fake, fake_with_state};

#[tokio::test]
async fn a_server_that_dies_in_a_call_is_started_again_by_the_next() {
    let delegate = connect(json!({ "s": fake("serve"), "other": fake("serve") })).await;
    let error = call(&delegate, "s__die", json!({})).await.unwrap_err();
    assert_eq!((error.code, error.retryable), (ToolErrorCode::OutcomeUnknown, false));
    assert!(error.message.contains("its process exited with status 7"), "{error}");
    assert_eq!(call(&delegate, "s__kinds", json!({})).await.unwrap().as_array().unwrap().len(), 6);
    assert!(call(&delegate, "other__kinds", json!({})).await.is_ok());
}

#[tokio::test]
async fn a_server_that_is_killed_fails_all_its_calls_but_those_that_may_be_made_again() {
    let delegate = connect(json!({ "s": fake("serve") })).await;
    let (door, side_door) = (Door::new().await, Door::new().await);
    let cancel = CancellationToken::new();
    let (writing, reading, again) = tokio::join!(
        call(&delegate, "s__knock", door.input()),
        call_with(&delegate, "s__knock_read_only", side_door.input(), cancel.clone()),
        async {
            let visitor = door.open().await;
            let first = side_door.open().await;
            visitor.kill();
            let again = side_door.open().await;
            assert_ne!(first.pid, again.pid);
            cancel.cancel();
            again
        }
    );
    let writing = writing.unwrap_err();
    assert_eq!((writing.code, writing.retryable), (ToolErrorCode::OutcomeUnknown, false));
    assert!(writing.message.contains("signal: 9"), "{writing}");
    assert_eq!(reading.unwrap_err().code, ToolErrorCode::Cancelled);
    drop(again);
}

#[tokio::test]
async fn a_call_that_is_made_again_has_the_key_it_had() {
    let folder = tempfile::tempdir().unwrap();
    let server = fake_with_state("serve", &folder.path().join("state"));
    let delegate = connect(json!({ "s": server })).await;
    let calls = call(&delegate, "s__die_once_read_only", json!({})).await.unwrap();
    assert_eq!(calls["before"]["carrel/idempotencyKey"], "s/c/t");
    assert_eq!(calls["now"]["carrel/idempotencyKey"], "s/c/t");
}

#[tokio::test]
async fn a_call_is_made_again_once() {
    // It is lost whenever it is called, and knocks each time.
    let delegate = connect(json!({ "s": fake("serve") })).await;
    let door = Door::new().await;
    let (lost, ()) = tokio::join!(call(&delegate, "s__knock_read_only", door.input()), async {
        door.open().await.kill();
        door.open().await.kill();
    });
    let lost = lost.unwrap_err();
    assert_eq!((lost.code, lost.retryable), (ToolErrorCode::OutcomeUnknown, true), "{lost}");
}

#[tokio::test]
async fn one_that_dies_whenever_it_is_started_is_named_with_its_last_words_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let server = fake_with_state("serve", &folder.path().join("state"));
    let options = ConnectOptions::default().with_restart_wait(Duration::from_secs(60));
    let delegate = connect_with(json!({ "s": server }), options).await;
    let first = call(&delegate, "s__die_next_time", json!({})).await.unwrap_err();
    assert_eq!(first.code, ToolErrorCode::OutcomeUnknown);
    let started = call(&delegate, "s__kinds", json!({})).await.unwrap_err();
    assert_eq!((started.code, started.retryable), (ToolErrorCode::Unavailable, true));
    assert!(started.message.contains("exited with status 5 before it was ready"), "{started}");
    assert!(started.message.ends_with("on stderr:\n  the database is gone"), "{started}");
    // Not started again before its time: nothing would keep a cell from doing this in a loop.
    let refused = call(&delegate, "s__kinds", json!({})).await.unwrap_err();
    assert_eq!(refused.code, ToolErrorCode::Unavailable);
    assert!(refused.message.contains("tried again in 60 s at the soonest"), "{refused}");
    assert!(refused.message.ends_with("the database is gone"), "{refused}");
    // Its tools are still there, and others are not harmed.
    assert!(delegate.catalogue().iter().any(|entry| entry.tool == "kinds"));
}

#[tokio::test]
async fn a_repeatable_call_that_cannot_be_made_again_stays_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let delegate = connect(json!({ "s": fake_with_state("serve", &state) })).await;
    let door = Door::new().await;
    let (lost, ()) = tokio::join!(call(&delegate, "s__knock_read_only", door.input()), async {
        let visitor = door.open().await;
        std::fs::write(&state, "die").unwrap();
        visitor.kill();
    });
    let lost = lost.unwrap_err();
    assert_eq!((lost.code, lost.retryable), (ToolErrorCode::OutcomeUnknown, true), "{lost}");
    assert!(
        lost.message.contains("signal: 9") && lost.message.contains("could not be called again"),
        "{lost}"
    );
}

#[tokio::test]
async fn many_calls_that_find_a_server_gone_start_one() {
    let delegate = connect(json!({ "s": fake("serve") })).await;
    call(&delegate, "s__die", json!({})).await.unwrap_err();
    let doors = [Door::new().await, Door::new().await, Door::new().await];
    let cancel = CancellationToken::new();
    let knock = |door: &Door| call_with(&delegate, "s__knock", door.input(), cancel.clone());
    let (_, _, _, ()) = tokio::join!(knock(&doors[0]), knock(&doors[1]), knock(&doors[2]), async {
        let mut pids = Vec::new();
        for door in &doors {
            pids.push(door.open().await.pid);
        }
        assert!(pids.iter().all(|pid| *pid == pids[0]), "{pids:?}");
        cancel.cancel();
    });
}

#[tokio::test]
async fn a_server_that_was_closed_is_not_started_again() {
    let delegate = connect(json!({ "s": fake("serve") })).await;
    let door = Door::new().await;
    let (ended, ()) = tokio::join!(call(&delegate, "s__knock_read_only", door.input()), async {
        door.open().await;
        delegate.upstreams().close().await;
    });
    assert_eq!(ended.unwrap_err().code, ToolErrorCode::OutcomeUnknown);
    let later = call(&delegate, "s__kinds", json!({})).await.unwrap_err();
    assert_eq!((later.code, later.retryable), (ToolErrorCode::Unavailable, false), "{later}");
}

#[tokio::test]
async fn a_call_has_the_time_its_server_was_given() {
    let mut server = fake("serve");
    server["timeout"] = json!("200ms");
    let delegate = connect(json!({ "s": server })).await;
    let door = Door::new().await;
    let (ended, mut visitor) = tokio::join!(call(&delegate, "s__knock", door.input()), door.open());
    let ended = ended.unwrap_err();
    assert_eq!((ended.code, ended.retryable), (ToolErrorCode::TimedOut, false));
    assert!(ended.message.contains("`s` did not answer within 200ms"), "{ended}");
    assert_eq!(visitor.says().await.as_deref(), Some("cancelled"));
    assert!(call(&delegate, "s__kinds", json!({})).await.is_ok());
}
