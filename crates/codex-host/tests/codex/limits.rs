//! What a cell, and a client, may take.

use serde_json::json;

use crate::peer::{Item, Opening, over_both, run};

over_both! {
    /// PROTOCOL 373: a cell that fills its memory ends, and nothing else does.
    async fn n373_a_heap_bomb_ends_its_own_cell(start) {
        let (_host, session) = start.session().await;
        session.run(run("store('k', 1)")).await.done();
        let neighbour = session.start(run("text(await tools.f())").with(&["f"])).await;
        let call = session.call().await;
        let seen = session.run(run("const all = []; while (true) all.push(new Array(1000).fill(all.length))").yielding(120_000)).await;
        assert!(seen.error().is_some(), "{seen:?}");
        session.run(run("'x'.repeat(5e8).split('')").yielding(120_000)).await.error().unwrap();
        session.answer(&call, Ok(serde_json::json!("on"))).await;
        assert_eq!(neighbour.first().await.done(), ["on"]);
        assert_eq!(session.run(run("text(load('k'))")).await.done(), ["1"]);
    }

    /// PROTOCOL 374, 112: the limit of the client's holds.
    async fn n374_n112_the_heap_limit_holds(start) {
        let host = start.host().await;
        let source = "const all = []; for (let i = 0; i < 40; i++) all.push(new Uint8Array(1 << 20).fill(1)); text(all.length)";
        let small = Opening { max_heap_bytes: Some(16 << 20), ..Opening::default() };
        let small = host.open("small", small).await.unwrap();
        assert!(small.run(run(source)).await.error().is_some());
        let large = host.open("large", Opening::default()).await.unwrap();
        assert_eq!(large.run(run(source)).await.done(), ["40"]);
        // What nobody can be given is taken for the most, or the least, that there is.
        for (name, bytes) in [("none", 0), ("all", u64::MAX)] {
            let session = host.open(name, Opening { max_heap_bytes: Some(bytes), ..Opening::default() }).await.unwrap();
            assert_eq!(session.run(run("text('on')")).await.done(), ["on"]);
        }
    }

    /// PROTOCOL 375: what is thrown cannot harm the connection.
    async fn n375_hostile_values_harm_nobody(start) {
        let (_host, session) = start.session().await;
        for source in [
            "throw { get stack() { throw 1 }, toString() { throw 2 } }",
            "throw new Proxy({}, { get() { throw new Error('no') }, has() { throw 1 }, getPrototypeOf() { throw 1 } })",
            "const e = new Error('x'); Object.defineProperty(e, 'stack', { get() { throw e } }); throw e",
            "throw { toString() { return this } , [Symbol.toPrimitive]: null }",
            "throw Symbol('x')",
        ] {
            let seen = session.run(run(source)).await;
            assert!(seen.error().is_some(), "{source}: {seen:?}");
        }
        session.run(run("text('on')")).await.done();
    }

    /// PROTOCOL 256: a picture that never says what it is harms its own cell.
    async fn n256_a_hostile_picture_harms_its_own_cell(start) {
        let (host, session) = start.session().await;
        let other = host.open("other", Opening::default()).await.unwrap();
        let cell = session.run(run("image({ get image_url() { for (;;) {} } })").yielding(5)).await;
        cell.yielded();
        other.run(run("text('on')")).await.done();
        session.terminate(&cell.cell).await.terminated();
        // Here that soon has no stack left; there it goes on for long.
        let again = run("const it = { get image_url() { return image(it) } }; image(it)").yielding(5);
        let cell = session.run(again).await;
        session.terminate(&cell.cell).await;
        session.run(run("text('on')")).await.done();
    }

    /// PROTOCOL 119, 121: more cells than there are places for are refused, each by itself.
    async fn n119_n121_too_many_cells_are_refused_one_by_one(start) {
        let (_host, session) = start.session().await;
        let mut started = Vec::new();
        let refused = loop {
            match session.try_start(run("await tools.never()").with(&["never"]).yielding(0)).await {
                Ok(cell) => started.push(cell),
                Err(error) => break error,
            }
        };
        assert!(refused.contains("too many active cells"), "{refused}");
        assert!(started.len() >= 128, "{} were taken", started.len());
        let first = started.remove(0).first().await;
        session.terminate(&first.cell).await.terminated();
        assert_eq!(session.run(run("text('on')")).await.done(), ["on"]);
    }

    /// PROTOCOL 136: output that no message can hold fails that response.
    async fn n136_output_that_no_message_can_hold_fails_its_response(start) {
        let host = start.host().await;
        let client = host.open("client", Opening::default()).await.unwrap();
        let source = "const half = 'A'.repeat(23e6); image('data:,' + half); image('data:,' + half); text('x'.repeat(3e7))";
        let error = client.start(run(source)).await.answer().await.unwrap_err();
        assert!(error.contains("67108864"), "{error}");
        client.run(run("text('on')")).await.done();
    }

    /// Of more text than anybody keeps there are the ends, where the host cuts, and a word on what is gone.
    async fn more_output_than_is_kept_loses_its_middle(start) {
        let (_host, session) = start.session().await;
        let seen = session.run(run("text('a'.repeat(3e6)); text('end')").tokens(4)).await;
        let omitted = "[Code Mode session output limit reached: omitted 1951427 text bytes; discarded 0 text segments, 0 images, 0 audio items]";
        let head = "Warning: truncated output (original token count: 262145)\nTotal output lines: 2\n\naaaaaaaa…262141 tokens truncated…";
        assert_eq!(seen.done(), [head, omitted, "aaaa\nend"]);
    }

    /// Sounds cost by their length, where it can be read, and one that is too short is none.
    async fn sounds_cost_by_their_length(start) {
        let (_host, session) = start.session().await;
        // Files of 23,998 and of 100 samples, 8000 a second.
        let long = "'UklGRuJdAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0Yb5dAAAA' + 'A'.repeat(31996)";
        let short = "'UklGRogAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YWQAAAAA' + 'A'.repeat(132)";
        let source = format!(
            "const sound = (bytes) => audio('data:audio/wav;base64,' + bytes); image('data:,'); sound({long}); sound({long}); sound({short})"
        );
        let seen = session.run(run(&source).tokens(59)).await;
        let sounds = seen.items.iter().filter(|item| matches!(item, Item::Audio(_))).count();
        assert_eq!((sounds, seen.items.len()), (1, 4), "{seen:?}");
        let too_short = "Audio output omitted because the clip is shorter than 25 ms; use a longer clip.";
        assert_eq!(seen.done(), [too_short, "[omitted 1 audio items ...]"]);
    }

    /// Who cuts output to its budget is said by the client.
    async fn output_is_cut_by_the_host_or_by_nobody(start) {
        let host = start.host().await;
        let server = host.open("server", Opening { truncates: true, ..Opening::default() }).await.unwrap();
        let client = host.open("client", Opening::default()).await.unwrap();
        let source = "for (let i = 0; i < 100; i++) text('0123456789')";
        let cut = server.run(run(source).tokens(10)).await;
        let expected = "Warning: truncated output (original token count: 275)\nTotal output lines: 100\n\n0123456789\n012345678…265 tokens truncated…123456789\n0123456789";
        assert_eq!(cut.done(), [expected]);
        assert_eq!(client.run(run(source).tokens(10)).await.done().len(), 100);
        assert_eq!(server.run(run("text('abc')").tokens(0)).await.done(), ["Warning: truncated output (original token count: 1)\nTotal output lines: 1\n\n…1 tokens truncated…"]);
    }

    /// An input that the client's reader of JSON would not read fails in the cell, and the connection stays.
    async fn what_no_client_could_read_stays_in_its_cell(start) {
        let (_host, session) = start.session().await;
        let source = "const tried = []; \
                      for (const input of ['\\ud800', { 'a\\ud801': 1 }, nested(125), nested(5000)]) \
                          await tools.f(input).then(() => tried.push('sent'), (why) => tried.push(why)); \
                      text(await tools.f(nested(124))); \
                      text(tried.join('\\n')); \
                      function nested(levels) { let value = []; while (--levels) value = [value]; return value }";
        let cell = session.start(run(source).with(&["f"])).await;
        let call = session.call().await;
        session.answer(&call, Ok(json!("124"))).await;
        let seen = cell.first().await;
        let why = "failed to serialize JavaScript value:";
        let expected = format!(
            "{why} unexpected end of hex escape at line 1 column 8\n\
             {why} unexpected end of hex escape at line 1 column 10\n\
             {why} recursion limit exceeded at line 1 column 126\n\
             {why} recursion limit exceeded at line 1 column 125"
        );
        assert_eq!(seen.done(), ["124", &expected]);
    }
}
