//! Looking at cells.

use serde_json::json;

use crate::peer::{Opening, State, Transport, over_both, run};

over_both! {
    /// PROTOCOL 22, 28: a part that was yielded, then the rest, although all of it was there at once.
    async fn n022_n028_a_cell_yields_a_part_and_the_rest_comes_later(start) {
        let (_host, session) = start.session().await;
        let first = session.run(run("text('a'); yield_control(); text('b')")).await;
        assert_eq!(first.yielded(), ["a"]);
        assert_eq!(session.wait(&first.cell, 30_000).await.done(), ["b"]);
        assert_eq!(session.closed().await, first.cell);
    }

    /// PROTOCOL 14: what was there when a look that waits for nothing came is seen once, by that or by the next.
    async fn n014_a_look_that_waits_for_nothing_loses_nothing(start) {
        let (_host, session) = start.session().await;
        let cell = session.start(run("text('a'); await tools.never()").with(&["never"]).yielding(0)).await;
        let name = cell.cell.clone();
        session.call().await;
        let (first, rest) = (cell.first().await, session.terminate(&name).await);
        assert_eq!([first.yielded(), rest.terminated()].concat(), ["a"]);
    }

    /// PROTOCOL 21: an end is seen once, whatever becomes of those who wait for it.
    async fn n021_an_end_is_not_lost_with_a_wait(start) {
        let (_host, session) = start.session().await;
        for _ in 0..20 {
            let cell = session.start(run("await tools.go(); text('a')").with(&["go"]).yielding(1)).await;
            let (name, call) = (cell.cell.clone(), session.call().await);
            cell.first().await.yielded();
            let wait = session.ask_wait(&name, 60_000, None).await;
            session.answer(&call, Ok(json!(1))).await;
            session.cancel(&wait.request).await;
            let seen = match wait.answer().await {
                Ok(seen) => seen,
                Err(_) => session.wait(&name, 60_000).await,
            };
            assert_eq!(seen.done(), ["a"]);
            assert_eq!(session.closed().await, name);
        }
    }

    /// PROTOCOL 69, 379: a cell that never was, and one whose end was given.
    async fn n069_n379_missing_cells_are_told_apart(start) {
        let (_host, session) = start.session().await;
        let never = session.wait("77", 1000).await;
        assert!(never.is_missing);
        assert_eq!(never.error(), Some("exec cell 77 not found"));
        let ended = session.run(run("text(1)")).await;
        let again = session.wait(&ended.cell, 1000).await;
        assert!(again.is_missing);
        assert_eq!(again.error().unwrap(), format!("exec cell {} not found: it has ended, and its result was given before", ended.cell));
        assert!(session.terminate("../../x").await.is_missing);
    }

    /// PROTOCOL 34, 238: the second observer is refused, and the first goes on until both are ended.
    async fn n017_n034_n238_a_cell_has_one_observer(start) {
        let (_host, session) = start.session().await;
        let cell = session.run(run("text('a'); while (true) {}").yielding(1)).await;
        let first = session.ask_wait(&cell.cell, 60_000, None).await;
        // Which of two requests comes to wait first is not said: one of them is refused, and the other one waits.
        let second = session.ask_wait(&cell.cell, 60_000, None).await;
        let (mut first, mut second) = (Box::pin(first.answer()), Box::pin(second.answer()));
        let refused = tokio::select! { it = &mut first => (it, second), it = &mut second => (it, first) };
        let expected = format!("exec cell {} already has an active observer", cell.cell);
        assert!(refused.0.unwrap_err().contains(&expected));
        session.terminate(&cell.cell).await.terminated();
        refused.1.await.unwrap().terminated();
        assert_eq!(session.closed().await, cell.cell);
    }

    /// PROTOCOL 16, 132, 239: a wait that is given up consumes nothing, and the next one can begin.
    async fn n016_n132_n239_a_wait_that_is_given_up_frees_the_cell(start) {
        let (_host, session) = start.session().await;
        let cell = session.start(run("await tools.go(); text('a'); await tools.go(); text('b')").with(&["go"]).yielding(1)).await;
        let name = cell.cell.clone();
        let call = session.call().await;
        cell.first().await.yielded();
        let long = session.ask_wait(&name, 60_000, None).await;
        session.cancel(&long.request).await;
        assert!(long.answer().await.unwrap_err().contains("cancelled"));
        session.answer(&call, Ok(json!(1))).await;
        let last = session.call().await;
        session.answer(&last, Ok(json!(1))).await;
        assert_eq!(session.wait(&name, 30_000).await.done(), ["a", "b"]);
    }

    /// PROTOCOL 251: who waits is answered now, and the cell goes on.
    async fn n251_whoever_waits_can_be_answered_now(start) {
        let (_host, session) = start.session().await;
        let cell = session.start(run("text('a'); await tools.go(); text('b')").with(&["go"]).yielding(60_000)).await;
        let name = cell.cell.clone();
        let call = session.call().await;
        session.preempt(&cell.request).await;
        assert_eq!(cell.first().await.yielded(), ["a"]);
        let wait = session.ask_wait(&name, 60_000, None).await;
        // A wait that has not come yet is not known, and who is not known is passed over.
        let request = wait.request.clone();
        let mut seen = Box::pin(wait.seen());
        let seen = loop {
            session.preempt(&request).await;
            tokio::select! {
                seen = &mut seen => break seen,
                () = tokio::task::yield_now() => {}
            }
        };
        assert!(seen.yielded().is_empty());
        session.answer(&call, Ok(json!(1))).await;
        assert_eq!(session.wait(&name, 60_000).await.done(), ["b"]);
    }

    /// PROTOCOL 38, 39, 40, 130, 243: the limit of a session is for all of its waits, and for no other session's.
    async fn n038_n040_n130_n243_limits_of_waits_are_a_session_s(start) {
        let host = start.host().await;
        let hasty = host.open("hasty", Opening { max_yield_ms: Some(0), ..Opening::default() }).await.unwrap();
        let calm = host.open("calm", Opening::default()).await.unwrap();
        let slow = |session: crate::peer::Session| async move {
            session.start(run("await tools.go(); text('done')").with(&["go"]).yielding(60_000)).await
        };
        let (first, second) = (slow(hasty.clone()).await, slow(calm.clone()).await);
        let name = first.cell.clone();
        let (one, other) = (hasty.call().await, calm.call().await);
        first.first().await.yielded();
        hasty.wait(&name, 60_000).await.yielded();
        hasty.answer(&one, Ok(json!(1))).await;
        calm.answer(&other, Ok(json!(1))).await;
        assert_eq!(second.first().await.done(), ["done"], "nobody cut that short");
        hasty.call_ended(&name).await;
    }

    /// What a cell of which nobody looks stores is there for the next one.
    async fn values_are_stored_though_nobody_looks(start) {
        let (_host, session) = start.session().await;
        let cell = session.start(run("store('k', await tools.go()); notify('stored')").with(&["go"]).yielding(1)).await;
        let name = cell.cell.clone();
        let call = session.call().await;
        cell.first().await.yielded();
        session.answer(&call, Ok(json!(7))).await;
        let notice = session.notice().await;
        session.acknowledge(&notice).await;
        // It ends after its notification was delivered; nobody is told that before he asks.
        loop {
            let seen = session.run(run("text(load('k'))")).await;
            if seen.done() == ["7"] {
                break;
            }
        }
        assert!(session.wait(&name, 30_000).await.done().is_empty());
    }

    /// PROTOCOL 247, 248, where the client acknowledges what it is told: an end waits for that.
    async fn n247_n248_an_end_waits_for_its_notifications(start) {
        if start.transport == Transport::Grpc {
            return;
        }
        let (_host, session) = start.session().await;
        for yield_ms in [60_000, 0] {
            let cell = session.start(run("notify('x')").yielding(yield_ms)).await;
            let name = cell.cell.clone();
            let mut seen = Box::pin(async {
                match yield_ms {
                    0 => {
                        cell.first().await.yielded();
                        session.wait(&name, 60_000).await
                    }
                    _ => cell.first().await,
                }
            });
            let notice = session.notice().await;
            tokio::select! {
                seen = &mut seen => panic!("{seen:?}"),
                on = session.run(run("text('on')")) => assert_eq!(on.done(), ["on"]),
            }
            session.acknowledge(&notice).await;
            assert!(seen.await.done().is_empty());
        }
    }

    /// PROTOCOL 382: output without end costs bounded memory, and the cell can be looked at and ended.
    async fn n382_output_without_end_is_bounded(start) {
        let (_host, session) = start.session().await;
        let source = "for (let i = 0; ; i++) { text('line ' + i); if (i === 1000) yield_control() }";
        let cell = session.run(run(source).tokens(100)).await;
        let texts = cell.yielded().join("\n");
        assert!(texts.len() < 1000 && texts.contains("tokens truncated"), "{texts}");
        session.ask_wait(&cell.cell, 10, Some(10)).await.seen().await.yielded();
        session.terminate(&cell.cell).await.terminated();
    }
}

impl crate::peer::Session {
    /// Waits for the end of a cell.
    pub(crate) async fn call_ended(&self, cell: &str) {
        while self.wait(cell, 0).await.state == State::Yielded {}
    }
}
