//! Sessions in the dialect of Codex: what is other for whoever holds one. What a cell finds there is in `tests/cells/codex`.

use std::sync::Arc;
use std::time::Duration;

use super::harness::{Harness, completed, ended, run, start, terminated, text_of};
use crate::error::NotifyError;
use crate::{
    CancellationToken, CellErrorKind, CellId, CellResponse, CodeModeFuture, CodeModeSession,
    CodeModeSessionDelegate, Content, Dialect, ExecuteRequest, ForkRequest, ImageDetail, JsonText,
    Notification, SessionMode, SessionSpec, ToolCall, ToolDescription, ToolError, ToolKind, ToolName,
    ToolOrigin,
};

async fn session(harness: &Harness) -> Arc<dyn CodeModeSession> {
    harness.session_with(|spec| spec.dialect = Dialect::Codex).await
}

/// Its cells find Codex's globals, and have neither results nor warnings.
pub async fn codex_a_cell_speaks_the_dialect(harness: Harness) {
    let session = session(&harness).await;
    let source = "text([typeof console, typeof generatedImage, typeof fetch]); \
                  Promise.reject(1); tools.fail(); export default 5";
    let ended = run(&session, source).await;
    assert_eq!((ended.result.as_ref(), ended.error.as_ref()), (None, None));
    assert!(ended.warnings.iter().all(|warning| !warning.contains("rejection")), "{:?}", ended.warnings);
    let text = CellResponse::Completed(ended).text();
    assert_eq!(text, r#"["undefined","function","undefined"]"#);
}

/// Pictures and sounds come by their URLs, as they were emitted.
pub async fn codex_media_come_by_their_urls(harness: Harness) {
    let session = session(&harness).await;
    let source = "image('data:image/png,not%20base64', 'low'); audio({ audio_url: 'data:x' })";
    let items = run(&session, source).await.observation.items;
    let contents: Vec<_> = items.into_iter().map(|item| item.content).collect();
    let url = "data:image/png,not%20base64".to_owned();
    assert_eq!(
        contents,
        [Content::ImageUrl { url, detail: ImageDetail::Low }, Content::AudioUrl { url: "data:x".into() }]
    );
}

/// An error is one text, which is all that Codex shows of it.
pub async fn codex_an_error_is_one_text(harness: Harness) {
    let session = session(&harness).await;
    for (source, kind, text) in [
        ("throw new Error('boom')", CellErrorKind::Thrown, "Error: boom\n    at exec_main.mjs:1:7"),
        ("throw 'plain'", CellErrorKind::Thrown, "plain"),
        ("throw { a: 1 }", CellErrorKind::Thrown, "[object Object]"),
        ("await tools.fail()", CellErrorKind::Thrown, "it failed"),
        ("import x from 'fs'", CellErrorKind::Thrown, "Unsupported import in exec: fs"),
    ] {
        let error = run(&session, source).await.error.unwrap();
        assert_eq!((error.kind, error.message.as_str()), (kind, text), "{source}");
        assert_eq!((error.name.as_str(), error.stack.as_str()), ("", ""), "{source}");
    }
    let error = run(&session, "text(1);\nlet x = ;").await.error.unwrap();
    assert_eq!(error.kind, CellErrorKind::Syntax);
    assert!(error.message.starts_with("SyntaxError: "), "{}", error.message);
    assert!(error.message.ends_with("\n    at exec_main.mjs:2:9"), "{}", error.message);
}

/// A cell that waits for what nothing can settle waits until somebody ends it.
pub async fn codex_a_cell_that_waits_for_nothing_goes_on_waiting(harness: Harness) {
    let session = session(&harness).await;
    let request =
        ExecuteRequest::new("text('a'); await new Promise(() => {})").with_yield_time(Duration::ZERO);
    let started = session.execute(request).await.unwrap();
    let response = started.first_response.await.unwrap();
    assert!(matches!(response, CellResponse::Yielded(_)), "{response:?}");
    terminated(session.terminate(started.cell_id).await.unwrap());
}

/// A timer that is set does not keep a cell alive, and one that throws fails it. What was stored is committed.
pub async fn codex_timers_keep_nothing_alive(harness: Harness) {
    let session = session(&harness).await;
    assert_eq!(text_of(&session, "setTimeout(() => text('late'), 3600000); text('done')").await, "done");
    let source =
        "store('k', 1); setTimeout(() => { throw new Error('in a timer') }, 0); await new Promise(() => {})";
    let error = run(&session, source).await.error.unwrap();
    assert!(error.message.starts_with("Error: in a timer\n"), "{}", error.message);
    assert_eq!(text_of(&session, "text(load('k'))").await, "1");
}

/// What a cell calls is called, also in the turn with which it ends.
pub async fn codex_a_last_call_is_made(harness: Harness) {
    let session = session(&harness).await;
    for source in ["tools.gate(); text('end')", "tools.gate(); exit()", "tools.gate(); throw 1"] {
        let started = start(&session, source).await;
        harness.called(&started.cell_id).await;
        completed(ended(&session, &started.cell_id).await);
    }
}

/// Heap that is exhausted ends its cell alone.
pub async fn codex_memory_is_limited_for_one_cell_alone(harness: Harness) {
    let session = session(&harness).await;
    let waiting = start(&session, "await tools.gate(); text('still here')").await;
    harness.called(&waiting.cell_id).await;
    let error = run(&session, "const all = []; for (;;) all.push({ at: all.length })").await.error.unwrap();
    assert_eq!(error.kind, CellErrorKind::OutOfMemory);
    assert!(error.message.contains("memory_bytes"), "{}", error.message);
    harness.delegate.open_gate();
    assert_eq!(waiting.first_response.await.unwrap().text(), "still here");
}

/// What is thrown may fight back where it is described.
pub async fn codex_a_hostile_error_harms_its_cell_alone(harness: Harness) {
    let session = session(&harness).await;
    let source = "throw { get stack() { throw 1 }, toString() { throw 2 } }";
    assert_eq!(run(&session, source).await.error.unwrap().message, "[object Object]");
    let endless = start(&session, "throw { get stack() { for (;;); } }").await;
    terminated(session.terminate(endless.cell_id.clone()).await.unwrap());
    terminated(ended(&session, &endless.cell_id).await);
    assert_eq!(text_of(&session, "text(1)").await, "1");
}

/// TypeScript runs. JavaScript that only looks like it is left alone.
pub async fn codex_typescript_is_accepted(harness: Harness) {
    let session = session(&harness).await;
    let source = "interface A { n: number }\nconst a: A = { n: 1 };\ntext(a.n as number);";
    assert_eq!(text_of(&session, source).await, "1");
    assert_eq!(text_of(&session, "const f = 1, T = 2; text(f < T > (0))").await, "true");
}

/// Gives each call what its tool's owner knows the tool by.
struct Owner;

impl CodeModeSessionDelegate for Owner {
    fn invoke_tool(&self, call: ToolCall, _: CancellationToken) -> CodeModeFuture<'_, JsonText, ToolError> {
        let origin = JsonText::parse(&serde_json::to_string(&call.origin).unwrap()).unwrap();
        Box::pin(std::future::ready(Ok(origin)))
    }

    fn notify(&self, _: Notification, _: CancellationToken) -> CodeModeFuture<'_, (), NotifyError> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn cell_closed(&self, _: &CellId) {}
}

/// Tools keep their order, two may have one name, and each call brings what its tool's owner knows it by.
pub async fn codex_tools_are_as_they_were_given(harness: Harness) {
    let tool = |name: &str, description: &str, origin| {
        ToolDescription::new(ToolName::new(name).unwrap(), description).with_origin(origin)
    };
    let freeform =
        ToolOrigin { namespace: Some("n".into()), kind: ToolKind::Freeform, ..ToolOrigin::new("t-1") };
    let mut spec = SessionSpec { dialect: Dialect::Codex, ..SessionSpec::default() };
    spec.tools = vec![
        tool("z", "last", ToolOrigin::new("z")),
        tool("n__t_1", "first", ToolOrigin::new("t_1")),
        tool("n__t_1", "second", freeform),
        tool("$search", "none of ours", ToolOrigin::new("$search")),
    ];
    let session = harness.provider.create(spec.clone(), Arc::new(Owner)).await.unwrap();
    let source = "text(ALL_TOOLS.map((tool) => tool.description)); text(await tools.n__t_1('x')); text(await tools.$search())";
    let expected = r#"["last","first","second","none of ours"]
{"name":"t-1","namespace":"n","kind":"freeform"}
{"name":"$search","kind":"function"}"#;
    assert_eq!(text_of(&session, source).await, expected);
    session.set_tools(spec.tools.split_off(2)).await.unwrap();
    assert_eq!(text_of(&session, "text(Object.keys(tools))").await, r#"["n__t_1","$search"]"#);
}

/// In a notebook, too, each cell speaks it.
pub async fn codex_a_notebook_speaks_the_dialect(harness: Harness) {
    let session = harness
        .session_with(|spec| (spec.dialect, spec.mode) = (Dialect::Codex, SessionMode::Persistent))
        .await;
    run(&session, "let a = 1; tools = null").await;
    let text = text_of(&session, "text(a + 1); text(typeof console); text(new Error('x').stack)").await;
    assert_eq!(text, "2\nundefined\nError: x\n    at exec_main2.mjs:1:41");
}

/// A session that is brought back speaks it, a cell that ran meanwhile goes on in it, and so does a fork.
pub async fn codex_the_dialect_is_kept(harness: Harness) {
    if !harness.is_journaled() {
        return;
    }
    let session = harness
        .session_with(|spec| {
            spec.dialect = Dialect::Codex;
            spec.tools.iter_mut().for_each(|tool| tool.hints.idempotent = true);
        })
        .await;
    let source =
        "store('a', 1); text(typeof console); await tools.gate(); image('data:,a'); throw new Error('end')";
    let waiting = start(&session, source).await;
    harness.called(&waiting.cell_id).await;
    let (id, cell_id) = (session.id().clone(), waiting.cell_id.clone());
    drop((waiting, session));
    let session = harness.provider.resume(id.clone(), harness.delegate.clone()).await.unwrap();
    harness.delegate.belongs_to(&session);
    harness.delegate.open_gate();
    let response = completed(ended(&session, &cell_id).await);
    let is_image = |content: &Content| matches!(content, Content::ImageUrl { url, .. } if url == "data:,a");
    assert!(response.observation.items.iter().any(|item| is_image(&item.content)), "{response:?}");
    assert!(response.error.unwrap().message.contains("exec_main.mjs"));
    assert_eq!(text_of(&session, "text([typeof console, load('a')])").await, r#"["undefined",1]"#);
    let Ok(fork) = harness.provider.fork(ForkRequest::new(id)).await else { return };
    let fork = harness.provider.resume(fork, harness.delegate.clone()).await.unwrap();
    assert_eq!(text_of(&fork, "text([typeof console, load('a')])").await, r#"["undefined",1]"#);
}
