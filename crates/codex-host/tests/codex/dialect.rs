//! What a cell finds, as far as the list has it; the rest is in tests/cells/codex.

use crate::peer::{Host, Item, Session, Start, State, over_both, run};

/// Runs cells that each put out one text, and compares it.
async fn say(session: &Session, cells: &[(&str, &str)]) {
    for (source, expected) in cells {
        assert_eq!(session.run(run(source)).await.done(), [*expected], "{source}");
    }
}

/// Runs cells that each put out media, and compares what comes of it.
async fn show(session: &Session, cells: &[(&str, Item)]) {
    for (source, expected) in cells {
        let seen = session.run(run(source)).await;
        assert_eq!(
            (seen.state, seen.items),
            (State::Completed { error: None }, vec![expected.clone()]),
            "{source}"
        );
    }
}

/// Runs what throws, and compares what.
async fn refuse(session: &Session, calls: &[(&str, &str)]) {
    for (call, expected) in calls {
        let source = format!("try {{ {call} }} catch (error) {{ text(typeof error + ': ' + error) }}");
        assert_eq!(session.run(run(&source)).await.done(), [format!("string: {expected}")], "{call}");
    }
}

fn image(url: &str, detail: &str) -> Item {
    Item::Image(url.to_owned(), detail.to_owned())
}

async fn session(start: &Start) -> (Host, Session) {
    start.session().await
}

const PICTURE: &str = "data:image/png;base64,AAAA";

over_both! {
    /// PROTOCOL 51, 52: what there is for a cell beside the language.
    async fn n051_n052_globals_are_these(start) {
        let (_host, session) = session(&start).await;
        say(&session, &[
            (
                "text(Object.keys(globalThis).sort().join(' '))",
                "ALL_TOOLS as_settled audio clearTimeout content exit generatedImage image load notify setTimeout store stream_settled text tools yield_control",
            ),
            (
                "text(['console', 'Atomics', 'SharedArrayBuffer', 'WebAssembly', 'setInterval', 'queueMicrotask', 'structuredClone', 'performance', 'URL', 'TextEncoder', 'atob', 'crypto', 'fetch', 'require', 'process'].filter((name) => name in globalThis).join())",
                "",
            ),
        ]).await;
    }

    /// PROTOCOL 53, 54.
    async fn n053_n054_dates_are_written_by_icu(start) {
        let (_host, session) = session(&start).await;
        say(&session, &[
            ("text(new Date(Date.UTC(2025, 0, 2, 3, 4, 5)).toLocaleString('fr-FR', { timeZone: 'UTC' }))", "02/01/2025 03:04:05"),
            (
                "text(new Intl.DateTimeFormat('de-DE', { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' }).format(new Date(0)))",
                "Donnerstag, 1. Januar 1970",
            ),
        ]).await;
    }

    /// PROTOCOL 56, 57.
    async fn n056_n057_objects_are_written_as_json(start) {
        let (_host, session) = session(&start).await;
        say(&session, &[
            ("text({ b: 1, a: [undefined, null, NaN], c: undefined })", r#"{"b":1,"a":[null,null,null]}"#),
            (
                "const o = {}; o.o = o; try { text(o) } catch (error) { text(error.split('\\n')[0]) }",
                "TypeError: Converting circular structure to JSON",
            ),
        ]).await;
    }

    /// PROTOCOL 58, 59.
    async fn n058_n059_sounds_come_with_their_bytes(start) {
        let (_host, session) = session(&start).await;
        let sound = Item::Audio("data:audio/wav;base64,UklGRg".to_owned());
        show(&session, &[
            ("audio({ audio_url: 'data:audio/wav;base64,UklGRg' })", sound.clone()),
            ("audio({ type: 'audio', data: 'UklGRg', mimeType: 'audio/wav' })", sound),
        ]).await;
        let message = "Tool call failed: invalid audio output. Pass a base64 data URI instead";
        refuse(&session, &[("audio('https://a/b.wav')", message), ("audio({ audio_url: 'file:///b.wav' })", message)]).await;
    }

    /// PROTOCOL 60, 62 to 64: who says in which detail a picture is to be seen.
    async fn n060_n062_n063_n064_the_last_word_on_a_picture_is_the_argument_s(start) {
        let (_host, session) = session(&start).await;
        let block = "{ type: 'image', data: 'AAAA', mimeType: 'image/png', _meta: { 'codex/imageDetail': 'original' } }";
        show(&session, &[
            (&format!("image({block})"), image(PICTURE, "original")),
            (&format!("image({{ image_url: '{PICTURE}', detail: 'auto' }}, 'high')"), image(PICTURE, "high")),
            (&format!("image({block}, 'low')"), image(PICTURE, "low")),
            (&format!("image({{ image_url: '{PICTURE}', detail: 'low' }})"), image(PICTURE, "low")),
            (&format!("image('{PICTURE}')"), image(PICTURE, "high")),
        ]).await;
    }

    /// PROTOCOL 61.
    async fn n061_a_generated_image_comes_before_its_hint(start) {
        let (_host, session) = session(&start).await;
        let seen = session.run(run(&format!("generatedImage({{ image_url: '{PICTURE}', output_hint: 'a hint' }})"))).await;
        assert_eq!(seen.items, [image(PICTURE, "high"), Item::Text("a hint".to_owned())]);
    }

    /// PROTOCOL 65 to 68: what is no picture.
    async fn n065_n066_n067_n068_what_is_no_picture_is_refused(start) {
        let (_host, session) = session(&start).await;
        let remote = "Tool call failed: remote image URLs are not supported in tool outputs. Pass a base64 data URI instead";
        let invalid = "Tool call failed: invalid image output. Pass a base64 data URI instead";
        let shape = "image expects a non-empty image URL string, an object with image_url and optional detail, or a raw MCP image block";
        refuse(&session, &[
            ("image('http://a/b.png')", remote),
            ("image({ image_url: 'https://a/b.png' })", remote),
            ("generatedImage({ image_url: 'https://a/b.png' })", remote),
            ("image('a picture')", invalid),
            ("image('file:///b.png')", invalid),
            (&format!("image('{PICTURE}', 'huge')"), "image detail must be one of: auto, low, high, original"),
            ("image({ content: [{ type: 'image', data: 'AAAA', mimeType: 'image/png' }], isError: false })", shape),
        ]).await;
    }

    /// PROTOCOL 209: all that an outcome can hold.
    async fn n209_outcomes_come_whole(start) {
        let (_host, session) = session(&start).await;
        let source = format!(
            "for (const detail of ['auto', 'low', 'high', 'original']) image('{PICTURE}', detail); text('\\u00e4\\n\\u{{1f642}}'); text(''); audio('data:,'); throw 'why'"
        );
        let seen = session.run(run(&source)).await;
        let mut items: Vec<_> = ["auto", "low", "high", "original"].map(|detail| image(PICTURE, detail)).into();
        // An empty text beside pictures is none, where the host cuts.
        items.push(Item::Text("ä\n🙂".to_owned()));
        items.push(Item::Audio("data:,".to_owned()));
        items.push(Item::Text("Script error:\nwhy".to_owned()));
        assert_eq!((seen.items, seen.state), (items, State::Completed { error: Some("why".to_owned()) }));
    }

    /// PROTOCOL 372: a timer of a cell that has ended does nothing.
    async fn n372_timers_die_with_their_cell(start) {
        let (_host, session) = session(&start).await;
        assert_eq!(session.run(run("setTimeout(() => notify('late'), 20); text('done')")).await.done(), ["done"]);
        let later = session.start(run("await new Promise((done) => setTimeout(done, 100)); notify('later')")).await;
        let notice = session.notice().await;
        assert_eq!(notice.text, "later");
        session.acknowledge(&notice).await;
        later.first().await.done();
    }
}
