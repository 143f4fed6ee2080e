//! How cells and sessions end.

use serde_json::json;

use crate::peer::{Opening, State, over_both, run};

over_both! {
    /// PROTOCOL 10, 220: what is asked of a session that ends is answered, and nothing new is admitted.
    async fn n010_n220_what_is_asked_of_a_session_that_ends_is_answered(start) {
        let (_host, session) = start.session().await;
        let cell = session.run(run("text('a'); while (true) {}").yielding(1)).await;
        let ended = session.ask_terminate(&cell.cell).await;
        let (closed, late) = tokio::join!(session.shutdown(), session.try_start(run("while (true) {}")));
        closed.unwrap();
        // Which of them came first is not said, and neither is what the others found then.
        if let Ok(seen) = ended.answer().await {
            assert!(seen.state == State::Terminated || seen.is_missing, "{seen:?}");
        }
        if let Ok(late) = late && let Ok(seen) = late.answer().await {
            seen.terminated();
        }
        session.try_start(run("1")).await.map(|_| ()).unwrap_err();
    }

    /// PROTOCOL 19, 30: an end that was reached is not taken back, and is given to one of those who want it.
    async fn n019_n030_an_end_that_was_reached_wins(start) {
        let (_host, session) = start.session().await;
        let cell = session.start(run("store('k', await tools.go()); text('done')").with(&["go"]).yielding(1)).await;
        let (name, call) = (cell.cell.clone(), session.call().await);
        cell.first().await.yielded();
        session.answer(&call, Ok(json!(7))).await;
        // Nobody is told that it has ended before he asks; what it stored is seen from then on.
        while session.run(run("text(load('k'))")).await.done() != ["7"] {}
        let (first, second) = (session.ask_terminate(&name).await, session.ask_terminate(&name).await);
        let mut ended = 0;
        for answer in [first.answer().await, second.answer().await] {
            match answer {
                Ok(seen) if seen.is_missing => {}
                Ok(seen) => {
                    assert_eq!(seen.done(), ["done"]);
                    ended += 1;
                }
                Err(error) => assert!(error.contains("is already terminating"), "{error}"),
            }
        }
        assert_eq!(ended, 1);
    }

    /// PROTOCOL 33: the second end of a cell is refused while the first goes on, and finds nothing afterwards.
    async fn n033_a_cell_ends_once(start) {
        let (_host, session) = start.session().await;
        let cell = session.run(run("text('a'); while (true) {}").yielding(1)).await;
        let (first, second) = (session.ask_terminate(&cell.cell).await, session.ask_terminate(&cell.cell).await);
        let answers = [first.answer().await, second.answer().await];
        let ended = answers.iter().flatten().filter(|seen| seen.state == State::Terminated).count();
        assert_eq!(ended, 1, "{answers:?}");
        for answer in answers {
            match answer {
                Ok(seen) => assert!(seen.is_missing || seen.state == State::Terminated),
                Err(error) => assert!(error.contains("is already terminating"), "{error}"),
            }
        }
        assert_eq!(session.closed().await, cell.cell);
    }

    /// PROTOCOL 4, 43: loops end at once, whatever they do to go on.
    async fn n004_n043_loops_can_be_ended(start) {
        let (_host, session) = start.session().await;
        for source in [
            "while (true) {}",
            "while (true) { try { while (true) {} } catch {} finally { continue } }",
            "/(a+)+$/.test('a'.repeat(40) + 'b')",
            "for (;;) await null",
            "[1, 2].sort(() => { for (;;) {} })",
        ] {
            let cell = session.run(run(source).yielding(5)).await;
            cell.yielded();
            session.terminate(&cell.cell).await.terminated();
        }
        let spinning = session.run(run("while (true) {}").yielding(5)).await;
        session.shutdown().await.unwrap();
        let mut closed = Vec::new();
        while closed.last() != Some(&spinning.cell) {
            closed.push(session.closed().await);
        }
    }

    /// PROTOCOL 32: a session ends though a cell of it waits for its notification.
    async fn n032_a_session_ends_with_what_it_still_has_to_say(start) {
        let (_host, session) = start.session().await;
        let cell = session.start(run("notify('x'); text('done')")).await;
        let name = cell.cell.clone();
        session.notice().await;
        session.shutdown().await.unwrap();
        let seen = cell.first().await;
        assert!(matches!(seen.state, State::Terminated | State::Completed { error: None }), "{seen:?}");
        assert_eq!((seen.texts(), session.closed().await), (vec!["done"], name));
    }

    /// PROTOCOL 44, 115, 232: a session that was closed takes nothing, and its id is used up.
    async fn n044_n115_n232_a_session_that_was_closed_is_gone(start) {
        let (host, session) = start.session().await;
        session.run(run("store('k', 1)")).await.done();
        session.shutdown().await.unwrap();
        let error = session.try_start(run("1")).await.map(|_| ()).unwrap_err();
        assert!(error.contains("unknown code-mode session"), "{error}");
        let next = host.open("s2", Opening::default()).await.unwrap();
        assert_eq!(next.run(run("text(load('k'))")).await.done(), ["undefined"]);
    }

    /// Whoever waits is answered first, then each cell is closed, then the session.
    async fn a_session_ends_after_its_cells(start) {
        let (_host, session) = start.session().await;
        let waiting = session.start(run("await tools.never()").with(&["never"])).await;
        let call = session.call().await;
        let running = session.run(run("text('a'); while (true) {}").yielding(1)).await;
        session.shutdown().await.unwrap();
        assert_eq!(session.cancelled().await, call.id);
        let name = waiting.cell.clone();
        waiting.first().await.terminated();
        let mut closed = [session.closed().await, session.closed().await];
        closed.sort();
        let mut expected = [name, running.cell];
        expected.sort();
        assert_eq!(closed, expected);
    }

    /// PROTOCOL 11: the host ends with its client, whatever its cells do.
    async fn n011_the_host_ends_with_its_client(start) {
        let (host, session) = start.session().await;
        session.run(run("while (true) {}").yielding(1)).await.yielded();
        assert_eq!(host.leave().await, Some(0));
    }

    /// PROTOCOL 137 as far as it is the host's: what is asked of a host that is killed fails, and the next one is empty.
    async fn n137_the_next_host_is_empty(start) {
        let (host, session) = start.session().await;
        session.run(run("store('k', 1)")).await.done();
        let cell = session.start(run("await tools.never()").with(&["never"])).await;
        session.call().await;
        host.kill().await;
        cell.answer().await.unwrap_err();
        let (_host, session) = start.session().await;
        assert_eq!(session.run(run("text(load('k'))")).await.done(), ["undefined"]);
    }
}
