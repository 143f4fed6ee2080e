//! Calls of tools, and notifications.

use serde_json::json;

use crate::peer::{Transport, over_both, run};

over_both! {
    /// PROTOCOL 131, 231: calls and notifications come with the ids of their cell, and their answers go back.
    async fn n131_n231_callbacks_come_with_their_ids(start) {
        let (_host, session) = start.session().await;
        let cell = session.start(run(
            "notify('hello'); text(await tools.f({a: 1})); try { await tools.g(null) } catch (error) { text(String(error.message ?? error)) }",
        ).with(&["f", "g"])).await;
        let notice = session.notice().await;
        assert_eq!((notice.cell.as_str(), notice.call_id.as_str(), notice.text.as_str()), (cell.cell.as_str(), "call_1", "hello"));
        session.acknowledge(&notice).await;
        let f = session.call().await;
        assert_eq!((f.cell.as_str(), f.call_id.as_str(), &f.input), (cell.cell.as_str(), "tool-1", &Some(json!({"a": 1}))));
        session.answer(&f, Ok(json!("one"))).await;
        let g = session.call().await;
        assert_eq!(g.call_id, "tool-2");
        session.answer(&g, Err("no such thing")).await;
        assert_eq!(cell.first().await.done(), ["one", "no such thing"]);
    }

    /// PROTOCOL 133, 35: what runs together runs together, and a call that nobody awaits is cancelled at the end.
    async fn n035_n133_calls_run_together_and_end_with_their_cell(start) {
        let (_host, session) = start.session().await;
        let cell = session.start(run(
            "tools.slow(); const all = await Promise.all([tools.f(1), tools.f(2)]); text(all)",
        ).with(&["slow", "f"])).await;
        let (slow, one, two) = (session.call().await, session.call().await, session.call().await);
        assert_eq!(slow.tool.name, "slow");
        session.answer(&two, Ok(json!("two"))).await;
        session.answer(&one, Ok(json!("one"))).await;
        assert_eq!(session.cancelled().await, slow.id);
        assert_eq!(cell.first().await.done(), ["[\"one\",\"two\"]"]);
        // Late answers, and answers to nothing, are passed over.
        session.answer(&slow, Ok(json!(1))).await;
        session.run(run("text('on')")).await.done();
    }

    /// What nobody awaits is called, also in the turn with which the cell ends, and cancelled then.
    async fn a_last_call_is_made_and_cancelled(start) {
        let (_host, session) = start.session().await;
        for source in ["tools.f(1); text('done')", "tools.f(1); text('done'); exit()", "tools.f(1); text('done'); throw 1"] {
            let cell = session.start(run(source).with(&["f"])).await;
            let call = session.call().await;
            assert_eq!((&call.cell, &call.input), (&cell.cell, &Some(json!(1))));
            assert_eq!(session.cancelled().await, call.id);
            assert_eq!(cell.first().await.texts()[0], "done");
        }
    }

    /// PROTOCOL 218: calls of a session that was closed take no place of others.
    async fn n218_a_session_that_is_closed_gives_its_places_back(start) {
        let (host, session) = start.session().await;
        let source = "await Promise.all(Array.from({ length: 50 }, () => tools.f()))";
        session.run(run(source).with(&["f"]).yielding(1)).await.yielded();
        session.shutdown().await.unwrap();
        let other = host.open("other", crate::peer::Opening::default()).await.unwrap();
        let cell = other.start(run(source).with(&["f"])).await;
        for _ in 0..50 {
            let call = other.call().await;
            other.answer(&call, Ok(json!(1))).await;
        }
        cell.first().await.done();
    }

    /// PROTOCOL 241: a large answer on its way to one session holds up no other.
    async fn n241_a_large_answer_holds_up_no_other_session(start) {
        let (host, session) = start.session().await;
        let other = host.open("other", crate::peer::Opening::default()).await.unwrap();
        let cell = session.start(run("text((await tools.f()).length)").with(&["f"])).await;
        let call = session.call().await;
        let (_, seen) = tokio::join!(session.answer(&call, Ok(json!("z".repeat(8 << 20)))), other.run(run("text('on')")));
        assert_eq!(seen.done(), ["on"]);
        assert_eq!(cell.first().await.done(), ["8388608"]);
    }

    /// PROTOCOL 242: answers need not come in the order of the calls.
    async fn n242_slow_and_fast_tools_interleave(start) {
        let (_host, session) = start.session().await;
        let slow = session.start(run("text(await tools.f('slow'))").with(&["f"])).await;
        let first = session.call().await;
        let fast = session.start(run("text(await tools.f('fast'))").with(&["f"])).await;
        let second = session.call().await;
        session.answer(&second, Ok(json!(2))).await;
        assert_eq!(fast.first().await.done(), ["2"]);
        session.answer(&first, Ok(json!(1))).await;
        assert_eq!(slow.first().await.done(), ["1"]);
    }

    /// PROTOCOL 376: bursts of calls break nothing, over either transport.
    async fn n376_ten_thousand_calls_at_once(start) {
        let (_host, session) = start.session().await;
        let cell = session.start(run(
            "const all = await Promise.all(Array.from({length: 10000}, (_, i) => tools.f(i))); text(all.reduce((a, b) => a + b))",
        ).with(&["f"]).yielding(120_000)).await;
        for _ in 0..10_000 {
            let call = session.call().await;
            session.answer(&call, Ok(call.input.clone().unwrap())).await;
        }
        assert_eq!(cell.first().await.done(), ["49995000"]);
    }

    /// As many notifications as one likes.
    async fn a_thousand_notifications_at_once(start) {
        let (_host, session) = start.session().await;
        let cell = session.start(run("for (let i = 0; i < 1000; i++) notify('n' + i); text('done')")).await;
        for i in 0..1000 {
            let notice = session.notice().await;
            assert_eq!(notice.text, format!("n{i}"));
            session.acknowledge(&notice).await;
        }
        assert_eq!(cell.first().await.done(), ["done"]);
    }

    /// PROTOCOL 31, 249: a notification that nobody acknowledges keeps a cell from nothing for good.
    async fn n031_n249_who_waits_for_a_notification_can_be_ended(start) {
        let (_host, session) = start.session().await;
        let cell = session.start(run("notify('x'); await tools.never()").with(&["never"]).yielding(1)).await;
        let name = cell.cell.clone();
        session.notice().await;
        cell.first().await.yielded();
        session.terminate(&name).await.terminated();
        assert_eq!(session.closed().await, name);
    }

    /// PROTOCOL 214, 377.
    async fn n214_n377_an_unacknowledged_notification_holds_up_no_end(start) {
        let (_host, session) = start.session().await;
        let cell = session.start(run("notify('x'); text('done')")).await;
        session.notice().await;
        assert_eq!(cell.first().await.done(), ["done"]);
    }

    /// PROTOCOL 250: large texts and answers come whole.
    async fn n250_large_values_come_whole(start) {
        let (_host, session) = start.session().await;
        let cell = session.start(run("notify('x'.repeat(3e6)); text((await tools.f('y'.repeat(3e6))).length)").with(&["f"])).await;
        let notice = session.notice().await;
        assert_eq!(notice.text.len(), 3_000_000);
        session.acknowledge(&notice).await;
        let call = session.call().await;
        assert_eq!(call.input.as_ref().unwrap().as_str().unwrap().len(), 3_000_000);
        session.answer(&call, Ok(json!("z".repeat(8_000_000)))).await;
        assert_eq!(cell.first().await.done(), ["8000000"]);
    }

    /// PROTOCOL 135: a value that no message can hold fails its own call.
    async fn n135_a_value_that_is_too_large_fails_its_call(start) {
        let (_host, session) = start.session().await;
        let seen = session.run(run(
            "try { await tools.f('x'.repeat(64 * 1024 * 1024)) } catch (error) { text('caught ' + typeof (error.message ?? error)) }",
        ).with(&["f"])).await;
        assert_eq!(seen.done(), ["caught string"]);
        session.run(run("text('on')")).await.done();
    }
}

/// A client whose answer is of another kind fails the call.
#[tokio::test]
async fn an_answer_of_another_kind_fails_the_call() {
    let (_host, session) = crate::peer::Start::new(Transport::Json).session().await;
    let cell = session
        .start(
            run("try { await tools.f() } catch (error) { text(String(error.message ?? error)) }")
                .with(&["f"]),
        )
        .await;
    let call = session.call().await;
    let notice =
        crate::peer::Notice { id: call.id, cell: String::new(), call_id: String::new(), text: String::new() };
    session.acknowledge(&notice).await;
    assert_eq!(cell.first().await.done(), ["code-mode client returned an invalid tool result"]);
}
