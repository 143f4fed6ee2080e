//! The gRPC service alone: what becomes of messages that are too large, and of streams that nobody reads.

use carrel_codex::grpc::messages as m;
use serde_json::json;

use crate::grpc::{Answers, Grpc, seen};
use crate::peer::{Opening, Seen, Start, Transport, run, soon};
use crate::service::{closed, listening, open, subscribe};

const LIMIT: usize = 64 << 20;

async fn execute(grpc: &Grpc, session: &str, source: &str, tools: &[&str]) -> Answers<m::ExecuteEvent> {
    let request = grpc.request(session, run(source).with(tools));
    let (_, mut execution) = grpc.stream::<m::ExecuteEvent>("Execute", &request).await.unwrap();
    soon(execution.next()).await.unwrap().unwrap();
    execution
}

async fn outcome(mut execution: Answers<m::ExecuteEvent>) -> Seen {
    match soon(execution.next()).await.unwrap().unwrap().event {
        Some(m::ExecuteEventEvent::Outcome(outcome)) => seen(outcome, false),
        other => panic!("{other:?}"),
    }
}

/// PROTOCOL 122: a call for which the client has no place waits for one. The observed host rejects it.
#[tokio::test]
async fn n122_calls_over_the_limit_wait() {
    let host = Start::new(Transport::Grpc).host().await;
    let session = host.open("s", Opening { capacity: 2, ..Opening::default() }).await.unwrap();
    let cell = session
        .start(run("text(await Promise.all([1, 2, 3, 4, 5].map((n) => tools.f(n))))").with(&["f"]))
        .await;
    for _ in 0..5 {
        let call = session.call().await;
        session.answer(&call, Ok(call.input.clone().unwrap())).await;
    }
    assert_eq!(cell.first().await.done(), ["[1,2,3,4,5]"]);
}

/// PROTOCOL 134, 135: a cell, and a result, that no message can hold are refused by themselves.
#[tokio::test]
async fn n134_n135_what_is_too_large_is_refused_by_itself() {
    let (_child, _place, grpc) = listening().await;
    let (session, _events) = open(&grpc).await;
    let mut calls = subscribe(&grpc, &session, &[]).await;
    let request = grpc.request(&session, run(&"/".repeat(LIMIT + 1)));
    grpc.stream::<m::ExecuteEvent>("Execute", &request).await.map(|_| ()).unwrap_err();
    let execution = execute(&grpc, &session, "text(await tools.f())", &["f"]).await;
    let call = soon(calls.next()).await.unwrap().unwrap();
    grpc.try_answer(&session, &call.invocation_id, Ok(json!("x".repeat(LIMIT)))).await.unwrap_err();
    grpc.try_answer(&session, &call.invocation_id, Ok(json!("small"))).await.unwrap();
    assert_eq!(outcome(execution).await.done(), ["small"]);
}

/// PROTOCOL 216: a request that is dropped before it was admitted leaves nothing behind.
#[tokio::test]
async fn n216_a_request_that_is_dropped_at_once_leaves_nothing() {
    let (_child, _place, grpc) = listening().await;
    let (session, mut events) = open(&grpc).await;
    let mut started = Vec::new();
    for i in 0..20 {
        let request = grpc.request(&session, run("while (true) {}"));
        let asked = grpc.stream::<m::ExecuteEvent>("Execute", &request);
        if i % 2 == 0 {
            // Its head and its body have left by the time that it has been polled a few times, and no answer is waited for.
            let mut asked = Box::pin(asked);
            for _ in 0..i {
                if poll_once(&mut asked).await.is_some() {
                    break;
                }
            }
        } else {
            drop(asked.await.unwrap());
            started.push(request.execution_id);
        }
    }
    while !started.is_empty() {
        let ended = closed(&mut events).await.execution_id;
        started.retain(|id| *id != ended);
    }
    let execution = execute(&grpc, &session, "text('on')", &[]).await;
    assert_eq!(outcome(execution).await.done(), ["on"]);
}

/// Polls a future once.
async fn poll_once<T>(future: &mut (impl Future<Output = T> + Unpin)) -> Option<T> {
    tokio::select! {
        biased;
        done = future => Some(done),
        () = tokio::task::yield_now() => None,
    }
}

/// PROTOCOL 221: a call that no message can hold fails alone, and has no place in the sequence.
#[tokio::test]
async fn n221_a_call_that_is_too_large_is_not_counted() {
    let (_child, _place, grpc) = listening().await;
    let (session, mut events) = open(&grpc).await;
    let mut calls = subscribe(&grpc, &session, &[]).await;
    let source = "try { await tools.f('x'.repeat(64 * 1024 * 1024)) } catch (error) { text(typeof error) } text(await tools.f(1))";
    let execution = execute(&grpc, &session, source, &["f"]).await;
    let call = soon(calls.next()).await.unwrap().unwrap();
    assert_eq!((call.tool_call_sequence, call.input_json.as_deref()), (1, Some(&b"1"[..])));
    grpc.try_answer(&session, &call.invocation_id, Ok(json!("fits"))).await.unwrap();
    assert_eq!(outcome(execution).await.done(), ["string", "fits"]);
    assert_eq!(closed(&mut events).await.final_tool_call_sequence, 1);
}

/// PROTOCOL 224, 225: a subscription that is not read holds up no other, and when it is dropped so the calls in it are lost,
/// and their session with them.
#[tokio::test]
async fn n224_n225_unread_calls_hold_up_nobody_and_end_their_session() {
    let (_child, _place, grpc) = listening().await;
    let (session, _events) = open(&grpc).await;
    let unread = subscribe(&grpc, &session, &["f"]).await;
    let mut read = subscribe(&grpc, &session, &["g"]).await;
    // More than a stream may have under way that nobody reads.
    let source =
        "for (let i = 0; i < 24; i++) tools.f('x'.repeat(1 << 20)); text(await tools.g()); await tools.g()";
    let mut execution = execute(&grpc, &session, source, &["f", "g"]).await;
    let call = soon(read.next()).await.unwrap().unwrap();
    grpc.try_answer(&session, &call.invocation_id, Ok(json!("on"))).await.unwrap();
    soon(read.next()).await.unwrap().unwrap();
    drop(unread);
    // The cell ends with its session, with an outcome or without.
    while let Ok(Some(_)) = soon(execution.next()).await {}
    let gone = grpc.stream::<m::ExecuteEvent>("Execute", &grpc.request(&session, run("1"))).await;
    assert!(gone.err().unwrap().starts_with("5: "));
}
