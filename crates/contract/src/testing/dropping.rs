//! Futures that are dropped: at every poll, of every operation, nothing is lost and no half state is left.
//!
//! Each test polls a future by hand, `n` times, for every `n` until it is done, and drops it there.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::task::Poll;

use futures::{FutureExt, StreamExt};

use super::delegate::{RecordingDelegate, Seen};
use super::harness::{Harness, LONG, ended, start, terminated, text_of};
use crate::{
    CellResponse, EventKind, ExecuteRequest, Seq, SessionState, StreamItem, TerminationReason, WaitRequest,
    WaitUntil,
};

/// More polls than any of these futures takes.
const POLLS: usize = 40;

/// Polls a future until it is done or has been polled so many times, and drops it.
async fn dropped_after<T>(polls: usize, mut future: impl Future<Output = T> + Unpin) -> Option<T> {
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.poll_unpin(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// A dropped `execute` leaves no cell, or one that the log shows and that runs to its end.
pub async fn s1_execute_can_be_dropped_at_every_poll(mut harness: Harness) {
    for polls in 0..POLLS {
        harness = harness.with(RecordingDelegate::new());
        let session = harness.session().await;
        let request = ExecuteRequest::new("text(await tools.echo('ran'))").with_yield_time(LONG);
        let started = dropped_after(polls, session.execute(request)).await;
        if let Some(started) = &started {
            ended(&session, &started.as_ref().unwrap().cell_id).await;
        }
        // A cell that came after it finds everything in order.
        assert_eq!(text_of(&session, "text('next')").await, "next");
        session.shutdown().await.unwrap();
        let (mut admitted, mut over) = (BTreeSet::new(), BTreeSet::new());
        let items: Vec<_> = session.events(Seq::START).collect().await;
        for item in items {
            let StreamItem::Event(event) = item else { panic!("nothing is missed") };
            match event.kind {
                EventKind::CellAdmitted => admitted.insert(event.cell_id),
                EventKind::CellCompleted { .. } | EventKind::CellTerminated { .. } => {
                    over.insert(event.cell_id)
                }
                _ => true,
            };
        }
        assert_eq!(admitted, over);
        if started.is_some() {
            return;
        }
    }
    panic!("execute is done sooner");
}

/// A dropped first response consumes nothing.
pub async fn s4_a_first_response_can_be_dropped_at_every_poll(mut harness: Harness) {
    let source = "for (let i = 0; i < 10; i++) { text(i); await tools.echo(i) }";
    for polls in 0..POLLS {
        harness = harness.with(RecordingDelegate::new());
        let session = harness.session().await;
        let started = start(&session, source).await;
        dropped_after(polls, started.first_response).await;
        let request = WaitRequest::new([started.cell_id]).with_yield_time(LONG);
        let response = session.wait(request).await.unwrap().cells.remove(0);
        assert_eq!(response.text(), "0\n1\n2\n3\n4\n5\n6\n7\n8\n9", "after {polls} polls");
    }
}

/// A dropped `wait` consumes nothing: what it would have given is given to the next.
pub async fn s4_wait_can_be_dropped_at_every_poll(mut harness: Harness) {
    let source = "for (let i = 0; i < 10; i++) { text(i); await tools.echo(i) }";
    for until in [WaitUntil::AllEnded, WaitUntil::AnyOutput] {
        for polls in 0..POLLS {
            harness = harness.with(RecordingDelegate::new());
            let session = harness.session().await;
            let started = start(&session, source).await;
            let wait = WaitRequest::new([started.cell_id.clone()]).until(until).with_yield_time(LONG);
            let mut texts = Vec::new();
            let mut read = |response: CellResponse| {
                texts.extend((!response.text().is_empty()).then(|| response.text()));
                response.is_final()
            };
            let mut over = match dropped_after(polls, session.wait(wait.clone())).await {
                Some(response) => read(response.unwrap().cells.remove(0)),
                None => false,
            };
            while !over {
                over = read(session.wait(wait.clone()).await.unwrap().cells.remove(0));
            }
            assert_eq!(texts.join("\n"), "0\n1\n2\n3\n4\n5\n6\n7\n8\n9", "after {polls} polls");
        }
    }
}

/// A dropped `terminate` that was begun goes on; one that was not leaves the cell alone.
pub async fn s5_terminate_can_be_dropped_at_every_poll(mut harness: Harness) {
    for polls in 0..POLLS {
        harness = harness.with(RecordingDelegate::new());
        let session = harness.session().await;
        let started = start(&session, "text('on'); store('k', 1); await tools.hang()").await;
        harness.called(&started.cell_id).await;
        let done = dropped_after(polls, session.terminate(started.cell_id.clone())).await;
        if polls == 0 {
            let look = WaitRequest::new([started.cell_id.clone()]).with_yield_time(std::time::Duration::ZERO);
            assert!(!session.wait(look).await.unwrap().cells[0].is_final());
            session.terminate(started.cell_id.clone()).await.unwrap();
        }
        let response = ended(&session, &started.cell_id).await;
        assert_eq!(response.text(), "on");
        assert_eq!(terminated(response).reason, TerminationReason::Requested);
        assert_eq!(text_of(&session, "text(load('k') === undefined)").await, "true");
        if done.is_some() {
            return;
        }
    }
    panic!("terminate is done sooner");
}

/// A dropped `shutdown` that was begun goes on; one that was not leaves the session open.
pub async fn s5_shutdown_can_be_dropped_at_every_poll(mut harness: Harness) {
    for polls in 0..POLLS {
        harness = harness.with(RecordingDelegate::new());
        let session = harness.session().await;
        let waiting = start(&session, "text('on'); await tools.hang()").await;
        let looping = start(&session, "for (;;) {}").await;
        harness.called(&waiting.cell_id).await;
        let done = dropped_after(polls, session.shutdown()).await;
        if polls == 0 {
            assert_eq!(session.state(), SessionState::Open);
            continue;
        }
        assert!(session.execute(ExecuteRequest::new("1")).await.is_err(), "after {polls} polls");
        for started in [waiting, looping] {
            let response = ended(&session, &started.cell_id).await;
            assert_eq!(terminated(response).reason, TerminationReason::Shutdown);
            let closed = Seen::Closed(started.cell_id);
            assert_eq!(harness.delegate.seen().iter().filter(|seen| **seen == closed).count(), 1);
        }
        session.shutdown().await.unwrap();
        assert_eq!(session.state(), SessionState::Closed);
        if done.is_some() {
            return;
        }
    }
    panic!("shutdown is done sooner");
}

/// A read of the log that is dropped takes nothing out of it.
pub async fn s4_a_read_of_the_log_can_be_dropped_at_every_poll(harness: Harness) {
    let session = harness.session().await;
    start(&session, "for (let i = 0; i < 10; i++) { text(i); await tools.echo(i) }").await;
    let mut events = session.events(Seq::START);
    for polls in 0.. {
        let read = dropped_after(polls % 3, events.next()).await;
        let item = match read {
            Some(item) => item,
            None => events.next().await,
        };
        let Some(StreamItem::Event(event)) = item else { panic!("nothing is missed") };
        assert_eq!(event.seq, Seq(polls as u64 + 1));
        if let EventKind::CellCompleted { .. } = event.kind {
            return;
        }
    }
}
