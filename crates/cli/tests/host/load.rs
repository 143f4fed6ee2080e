//! Much at once, and what harms one session alone.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use carrel_contract::{
    CancellationToken, CellErrorKind, CellResponse, CodeModeSessionProvider, ExecuteRequest, JsonText,
};
use carrel_host::ProcessProvider;
use futures::future::join_all;
use tokio::sync::Notify;

use crate::harness::{LONG, Tools, hosts, null, options, run, session, spec};

#[tokio::test(flavor = "multi_thread")]
async fn bombs_in_one_session_leave_fifty_others_alone() {
    let provider = ProcessProvider::new(options()).unwrap();
    let tools = Arc::new(Tools::echo());
    let bomber = session(&provider, &tools).await;
    let others = join_all((0..50).map(|_| session(&provider, &tools))).await;
    let works = join_all(others.iter().map(|session| {
        run(session, "let sum = 0; for (let i = 0; i < 20; i++) sum += await tools.echo(i); text(sum)")
    }));
    let bombs = async {
        let heap = run(&bomber, "const a = []; for (;;) a.push(new Array(1000).fill(a.length))").await;
        let CellResponse::Completed(done) = &heap else { panic!("{heap:?}") };
        assert_eq!(done.error.as_ref().map(|error| error.kind), Some(CellErrorKind::OutOfMemory));
        let stack = run(&bomber, "const f = () => f(); try { f() } catch (e) { text(e.name) }").await;
        assert_eq!(stack.text(), "RangeError");
        // Known sources do not make the engine trap by a fault; this is how it leaves a cell's stack, wherever that is.
        let leaves = "const f = (n) => n ? [1].map(() => f(n - 1)) : exit(); text('left'); f(100)";
        assert_eq!(run(&bomber, leaves).await.text(), "left");
        let text = run(&bomber, "let s = 'x'; for (;;) s += s").await;
        assert!(matches!(&text, CellResponse::Completed(done) if done.error.is_some()), "{text:?}");
        assert_eq!(run(&bomber, "text('on')").await.text(), "on");
    };
    let (works, ()) = futures::future::join(works, bombs).await;
    assert!(works.iter().all(|response| response.text() == "190"));
    assert_eq!(hosts().len(), 1, "it is still the first host");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_calls_at_once() {
    let provider = ProcessProvider::new(options()).unwrap();
    let session = session(&provider, &Arc::new(Tools::echo())).await;
    assert_eq!(run(&session, TEN_THOUSAND).await.text(), "49995000");
}

const TEN_THOUSAND: &str =
    "const all = await Promise.all(Array.from({ length: 10000 }, (_, i) => tools.echo(i)));
    text(all.reduce((a, b) => a + b))";

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_calls_of_which_none_is_answered_before_all_are_made() {
    let provider = ProcessProvider::new(options()).unwrap();
    let (made, all_made) = (Arc::new(AtomicUsize::new(0)), CancellationToken::new());
    let tools = Tools::new(move |_, input| {
        let (made, all_made) = (Arc::clone(&made), all_made.clone());
        Box::pin(async move {
            if made.fetch_add(1, Ordering::SeqCst) + 1 == 10_000 {
                all_made.cancel();
            }
            all_made.cancelled().await;
            Ok(input.unwrap_or_else(null))
        })
    });
    let mut spec = spec(&["echo"]);
    spec.limits.pending_tool_calls = 10_000;
    let session = provider.create(spec, Arc::new(tools)).await.unwrap();
    assert_eq!(run(&session, TEN_THOUSAND).await.text(), "49995000");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_notifications_that_nobody_acknowledges() {
    let provider = ProcessProvider::new(options()).unwrap();
    let tools = Arc::new(Tools::echo().without_acknowledgements());
    let mut spec = spec(&["echo"]);
    spec.limits.notify_time = std::time::Duration::from_millis(500);
    let session = provider.create(spec, Arc::clone(&tools) as _).await.unwrap();
    let source = "for (let i = 0; i < 10000; i++) notify('n' + i); text(await tools.echo('calls go on'))";
    let response = run(&session, source).await;
    assert_eq!(response.text(), "calls go on");
    assert!(*tools.notified.lock().unwrap() > 0);
    assert_eq!(run(&session, "text('on')").await.text(), "on");
}

/// 100 MB in a release build; a debug build takes as long for this.
const LARGE: usize = if cfg!(debug_assertions) { 20 << 20 } else { 100 << 20 };

/// Runs a cell that has something large under way, and small ones, in the same session and another, from when it says `go`
/// until it ends. Returns what it says then, and how many small ones ran meanwhile.
async fn beside(source: &str) -> (String, usize) {
    let begun = Arc::new(Notify::new());
    let begins = Arc::clone(&begun);
    let tools = Arc::new(Tools::new(move |tool, input| {
        let is_large = tool == "act";
        let input = input.unwrap_or_else(null);
        if input.as_str() == "\"go\"" {
            begins.notify_one();
        }
        Box::pin(async move {
            if is_large && input.as_str().len() < LARGE {
                return Ok(JsonText::parse(&format!("\"{}\"", "x".repeat(LARGE))).unwrap());
            }
            Ok(if is_large { null() } else { input })
        })
    }));
    let provider = ProcessProvider::new(options()).unwrap();
    let mut spec = spec(&["echo", "act"]);
    spec.limits.tool_value_bytes = LARGE + 100;
    spec.limits.memory_bytes = 512 << 20;
    let session = provider.create(spec.clone(), Arc::clone(&tools) as _).await.unwrap();
    let other = provider.create(spec, tools).await.unwrap();
    let ran = Cell::new(0);
    let small = async {
        begun.notified().await;
        loop {
            for session in [&session, &other] {
                assert_eq!(run(session, "text(await tools.echo(7))").await.text(), "7");
            }
            ran.set(ran.get() + 1);
        }
    };
    tokio::select! {
        large = run(&session, source) => (large.text(), ran.get()),
        () = small => unreachable!(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn small_calls_pass_a_large_result() {
    let (text, small) = beside("text((await tools.act('go')).length)").await;
    assert_eq!(text, LARGE.to_string());
    assert!(small > 0, "none passed it");
}

#[tokio::test(flavor = "multi_thread")]
async fn small_calls_pass_a_large_input() {
    let source = format!("const s = 'x'.repeat({LARGE}); await tools.echo('go'); text(await tools.act(s))");
    let (text, small) = beside(&source).await;
    assert_eq!(text, "null");
    assert!(small > 0, "none passed it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_does_not_read_holds_nobody_up() {
    use carrel_contract::{Seq, StreamItem};
    use futures::{FutureExt, StreamExt};
    let provider = ProcessProvider::new(options()).unwrap();
    let session = session(&provider, &Arc::new(Tools::echo())).await;
    let mut events = session.events(Seq::START);
    assert!(events.next().now_or_never().is_none());
    let request =
        ExecuteRequest::new("for (let i = 0; i < 20000; i++) text('x'.repeat(100))").with_yield_time(LONG);
    session.execute(request).await.unwrap().first_response.await.unwrap();
    let mut missed = 0;
    let mut last = Seq::START;
    session.shutdown().await.unwrap();
    while let Some(item) = events.next().await {
        last = match item {
            StreamItem::Missed { first_missed, last_missed } => {
                missed += last_missed.0 + 1 - first_missed.0;
                last_missed
            }
            StreamItem::Event(event) => event.seq,
        };
    }
    assert_eq!(last, Seq(20002), "it hears of everything up to the end");
    assert!(missed > 10_000, "{missed}");
}
