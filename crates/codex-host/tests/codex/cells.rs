//! What cells do, and what is seen of it.

use serde_json::json;

use crate::peer::{Item, Opening, Run, State, Tool, over_both, run, tool};

over_both! {
    /// Output comes in order of emission, and media with its details.
    async fn n055_output_comes_in_order(start) {
        let (_host, session) = start.session().await;
        let seen = session.run(run(
            "const all = [text('a'), image('data:image/png;base64,AAAA'), audio('data:audio/wav;base64,AAAA'), text({b: 1})];
             text(all.every((it) => it === undefined))",
        )).await;
        let text = |text: &str| Item::Text(text.to_owned());
        let image = Item::Image("data:image/png;base64,AAAA".to_owned(), "high".to_owned());
        let audio = Item::Audio("data:audio/wav;base64,AAAA".to_owned());
        assert_eq!(seen.items, [text("a"), image, audio, text("{\"b\":1}"), text("true")]);
        assert_eq!(seen.state, State::Completed { error: None });
        assert_eq!(session.closed().await, seen.cell);
    }

    /// PROTOCOL 41: what comes after `exit()` never happens, and that is success.
    async fn n041_exit_is_success(start) {
        let (_host, session) = start.session().await;
        let seen = session.run(run("text('a'); try { exit() } finally { text('b') } text('c')")).await;
        assert_eq!(seen.done(), ["a"]);
    }

    /// PROTOCOL 42.
    async fn n042_values_are_a_session_s(start) {
        let host = start.host().await;
        let one = host.open("one", Opening::default()).await.unwrap();
        let other = host.open("other", Opening::default()).await.unwrap();
        one.run(run("store('k', {b: 1, a: [2]})")).await.done();
        assert_eq!(one.run(run("text(load('k'))")).await.done(), ["{\"b\":1,\"a\":[2]}"]);
        assert_eq!(other.run(run("text(load('k'))")).await.done(), ["undefined"]);
    }

    /// Values of a cell that throws are kept, and those of one that is terminated are not. PROTOCOL 8.
    async fn n008_a_terminated_cell_stores_nothing(start) {
        let (_host, session) = start.session().await;
        let seen = session.run(run("store('kept', 1); throw new Error('boom')")).await;
        assert!(seen.error().unwrap().contains("boom"), "{seen:?}");
        let yielded = session.run(run("store('lost', 1); text('on'); while (true) {}").yielding(1)).await;
        yielded.yielded();
        session.terminate(&yielded.cell).await.terminated();
        assert_eq!(session.run(run("text(load('kept')); text(load('lost'))")).await.done(), ["1", "undefined"]);
    }

    /// An error is a text at the end of the output where the host cuts that, and in its own field everywhere.
    async fn an_error_is_shown_with_its_stack(start) {
        let (_host, session) = start.session().await;
        let seen = session.run(run("text('pre');\nthrow new Error('boom')")).await;
        let error = seen.error().unwrap();
        assert!(error.contains("boom"), "{error}");
        assert_eq!(seen.texts(), ["pre", &format!("Script error:\n{error}")]);
    }

    /// A source without a statement is a cell that does nothing.
    async fn an_empty_source_is_a_cell(start) {
        let (_host, session) = start.session().await;
        assert!(session.run(run(" \n ")).await.done().is_empty());
    }

    /// Tools are those of their cell, and their names become identifiers.
    async fn tools_are_those_of_their_cell(start) {
        let (_host, session) = start.session().await;
        let named = |name: &str, tool: Tool| (name.to_owned(), tool);
        let patch = Tool { name: "patch".to_owned(), namespace: Some("clock".to_owned()), is_freeform: true };
        let first = Run {
            tools: vec![named("a.b", patch.clone()), named(&"x".repeat(200), tool("long"))],
            ..run("text(await tools.a_b('in'))")
        };
        let started = session.start(first).await;
        let call = session.call().await;
        assert_eq!((&call.tool, &call.input, call.call_id.as_str()), (&patch, &Some(json!("in")), "tool-1"));
        session.answer(&call, Ok(json!({"b": 1, "a": 2}))).await;
        assert_eq!(started.first().await.done(), ["{\"b\":1,\"a\":2}"]);
        let seen = session.run(run("text(Object.keys(tools).join()); text('a_b' in tools)").with(&["other"])).await;
        assert_eq!(seen.done(), ["other", "false"]);
        let second = session.start(run("text(await tools.other())").with(&["other"])).await;
        let call = session.call().await;
        assert_eq!((call.tool.name.as_str(), &call.input), ("other", &None));
        session.answer(&call, Ok(json!(null))).await;
        second.first().await.done();
    }
}
