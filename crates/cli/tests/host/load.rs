//! Much at once, and what harms one session alone.

use std::sync::Arc;

use carrel_contract::{CellErrorKind, CellResponse, CodeModeSessionProvider, ExecuteRequest, JsonText};
use carrel_host::ProcessProvider;
use futures::future::join_all;

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
    };
    let (works, ()) = futures::future::join(works, bombs).await;
    assert!(works.iter().all(|response| response.text() == "190"));
    assert_eq!(hosts().len(), 1, "it is still the first host");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_calls_at_once() {
    let provider = ProcessProvider::new(options()).unwrap();
    let session = session(&provider, &Arc::new(Tools::echo())).await;
    let source = "const all = await Promise.all(Array.from({ length: 10000 }, (_, i) => tools.echo(i)));
        text(all.reduce((a, b) => a + b))";
    assert_eq!(run(&session, source).await.text(), "49995000");
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

#[tokio::test(flavor = "multi_thread")]
async fn small_calls_pass_a_large_result() {
    // 100 MB in a release build; a debug build takes as long for this.
    let bytes = if cfg!(debug_assertions) { 20 << 20 } else { 100 << 20 };
    let provider = ProcessProvider::new(options()).unwrap();
    let tools = Arc::new(Tools::new(move |tool, input| {
        let is_large = tool == "act";
        Box::pin(async move {
            if is_large {
                return Ok(JsonText::parse(&format!("\"{}\"", "x".repeat(bytes))).unwrap());
            }
            Ok(input.unwrap_or_else(null))
        })
    }));
    let mut spec = spec(&["echo", "act"]);
    spec.limits.tool_value_bytes = bytes + 100;
    spec.limits.memory_bytes = 512 << 20;
    let session = provider.create(spec.clone(), Arc::clone(&tools) as _).await.unwrap();
    let other = provider.create(spec, Arc::clone(&tools) as _).await.unwrap();
    let large = run(&session, "text((await tools.act()).length)");
    let small = "let sum = 0; for (let i = 0; i < 100; i++) sum += await tools.echo(i); text(sum)";
    let (large, same, other) = tokio::join!(large, run(&session, small), run(&other, small));
    assert_eq!(large.text(), bytes.to_string());
    assert_eq!((same.text().as_str(), other.text().as_str()), ("4950", "4950"));
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
