//! Recorded cells that run again: what they do is compared, and nothing of it is done.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "these are tests")]

use std::sync::Arc;

use bytes::Bytes;
use carrel_contract::testing::{RecordingDelegate, Seen, tool_descriptions};
use carrel_contract::{
    CellId, CodeModeSession, CodeModeSessionProvider, Content, Durability, ExecuteRequest, ForkRequest,
    JsonText, Seq, SessionId, SessionMode, SessionSpec, StreamItem, WaitRequest,
};
use carrel_journal::record::{Answer, Value};
use carrel_journal::{Memory, Numbering, Position, Record, Store, Tail};
use carrel_runtime::travel::{Against, RecordingError, Replay, State, Step, Verdict, What};
use carrel_runtime::{InProcessProvider, Options};
use futures::StreamExt;

fn provider(store: &Arc<Memory>) -> InProcessProvider {
    let mut options = Options::default();
    options.store = Some(Arc::clone(store) as Arc<dyn Store>);
    InProcessProvider::new(options).unwrap()
}

/// A provider with a session in its store.
struct Desk {
    store: Arc<Memory>,
    provider: InProcessProvider,
    delegate: Arc<RecordingDelegate>,
    session: Arc<dyn CodeModeSession>,
}

impl Desk {
    async fn new(mode: SessionMode) -> Self {
        let store = Arc::<Memory>::default();
        let (provider, delegate) = (provider(&store), RecordingDelegate::new());
        let mut spec = SessionSpec::default();
        (spec.mode, spec.durability, spec.tools) = (mode, Durability::Journaled, tool_descriptions());
        let session = provider.create(spec, delegate.clone()).await.unwrap();
        Self { store, provider, delegate, session }
    }

    async fn start(&self, source: &str) -> CellId {
        self.session.execute(ExecuteRequest::new(source)).await.unwrap().cell_id
    }

    /// Runs a cell to its end.
    async fn run(&self, source: &str) -> CellId {
        let cell = self.start(source).await;
        // `yield_control()` ends a wait, too.
        while !self.session.wait(WaitRequest::new([cell.clone()])).await.unwrap().cells[0].is_final() {}
        cell
    }

    async fn replay(&self, cell: &CellId) -> Replay {
        self.provider.recording(self.session.id(), cell).await.unwrap().replay().unwrap()
    }

    async fn edited(&self, cell: &CellId, source: &str) -> Replay {
        self.provider.recording(self.session.id(), cell).await.unwrap().replay_edited(source).unwrap()
    }

    async fn records(&self) -> Vec<Record> {
        let mut tail = Tail::start(self.session.id().clone());
        let page = self.store.read(self.session.id(), Position::START, usize::MAX).await.unwrap();
        page.entries.iter().flat_map(|(position, bytes)| tail.read(*position, bytes).unwrap()).collect()
    }
}

/// Goes through a whole replay.
async fn all(mut replay: Replay) -> (Vec<Step>, State, Verdict) {
    let mut steps = Vec::new();
    while let Some(step) = replay.step().await {
        steps.push(step);
    }
    let verdict = replay.verdict().unwrap().clone();
    (steps, replay.state().clone(), verdict)
}

/// A thing that happened in a few words.
fn say(what: &What) -> String {
    let said = |content: &Content| match content {
        Content::Text { text, .. } => text.clone(),
        other => format!("{other:?}"),
    };
    match what {
        What::Began => "began".to_owned(),
        What::Called { tool, location, .. } => {
            format!("call {tool}{}", location.map(|at| format!(" at {}", at.line)).unwrap_or_default())
        }
        What::Answered { tool, result, .. } => {
            format!("answer {tool} {}", result.as_ref().map_or("failed", JsonText::as_str))
        }
        What::TimerSet { .. } => "timer".to_owned(),
        What::TimerCleared { .. } => "cleared".to_owned(),
        What::TimerFired { .. } => "fired".to_owned(),
        What::Output { content } => format!("text {}", said(content)),
        What::Stored { key, json } => format!("store {key} {json}"),
        What::Ended { error, .. } => error.as_ref().map_or("ended".to_owned(), |error| error.name.clone()),
        What::Terminated { .. } => "terminated".to_owned(),
        other => format!("{other:?}"),
    }
}

/// A step in a few words.
fn word(step: &Step) -> String {
    let what = say(&step.what);
    match step.against {
        Against::Same => what,
        other => format!("{other:?}: {what}"),
    }
}

fn words(steps: &[Step]) -> Vec<String> {
    steps.iter().map(word).collect()
}

const AS_RECORDED: Verdict = Verdict::Ended { differences: 0 };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_have_the_numbers_of_their_events() {
    let desk = Desk::new(SessionMode::Fresh).await;
    desk.run(
        "text(await tools.$search('echo', { limit: 1 })); notify('n'); store('k', 1); yield_control();
         await tools.step('s'); try { await tools.fail() } catch {} ; Promise.reject(1);
         await new Promise((go) => setTimeout(go, 1)); text(await tools.$describe('echo'))",
    )
    .await;
    desk.run("text('two'); null.x").await;
    desk.session.shutdown().await.unwrap();
    let mut events = Vec::new();
    let mut stream = desk.session.events(Seq::START);
    while let Some(StreamItem::Event(event)) = stream.next().await {
        events.push((event.seq, event.cell_id));
    }
    let mut numbering = Numbering::default();
    let counted: Vec<_> = desk
        .records()
        .await
        .iter()
        .filter_map(|record| Some((numbering.number(record)?, record.cell()?)))
        .map(|(seq, cell)| (seq, CellId::new(&format!("cell-{cell}")).unwrap()))
        .collect();
    assert!(events.len() > 12, "{events:?}");
    assert_eq!(counted, events);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cell_is_stepped_through_and_no_tool_is_called() {
    let desk = Desk::new(SessionMode::Fresh).await;
    let source = "const a = await tools.echo(1);\ntext('a' + a);\nconst b = await tools.echo(2);\nstore('sum', a + b); text('b')";
    let cell = desk.run(source).await;
    let seen = desk.delegate.seen();
    let (steps, state, verdict) = all(desk.replay(&cell).await).await;
    let expected = [
        "began",
        "call echo at 1",
        "answer echo 1",
        "text a1",
        "call echo at 3",
        "answer echo 2",
        "store sum 3",
        "text b",
        "ended",
    ];
    assert_eq!((words(&steps), verdict), (expected.map(str::to_owned).to_vec(), AS_RECORDED));
    assert_eq!(state.output.len(), 2);
    assert_eq!(steps.last().unwrap().seq, Some(state.seq));
    assert_eq!(desk.delegate.seen(), seen, "nothing reached the delegate");

    // Where it stood at the second call.
    let mut replay = desk.replay(&cell).await;
    while replay.state().calls.is_empty() || replay.state().output.is_empty() {
        replay.step().await.unwrap();
    }
    let state = replay.state();
    assert_eq!(state.calls[0].tool.as_str(), "echo");
    assert_eq!(state.calls[0].location.map(|at| (at.line, at.column)), Some((3, 23)));
    assert_eq!((state.output.len(), state.stored.len(), replay.verdict()), (1, 0, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_side_by_side_races_and_timers_come_in_the_order_of_the_record() {
    let desk = Desk::new(SessionMode::Fresh).await;
    let source = "
        const later = (ms, it) => new Promise((go) => setTimeout(go, ms, it));
        text(await Promise.all([tools.echo('a'), later(3, 'b'), tools.echo('c'), later(1, 'd')]));
        text(await Promise.race([tools.hang(), later(2, 'timer')]));
        let n = 0; await new Promise((go) => { const id = setInterval(() => { if (++n == 3) { clearInterval(id); go() } }, 1) });
        text(n); throw new RangeError('at its end')";
    let cell = desk.run(source).await;
    let (first, state, verdict) = all(desk.replay(&cell).await).await;
    assert_eq!(verdict, AS_RECORDED);
    let texts: Vec<_> = words(&first).into_iter().filter(|word| word.starts_with("text")).collect();
    assert_eq!(texts, ["text [\"a\",\"b\",\"c\",\"d\"]", "text timer", "text 3"]);
    assert_eq!(word(first.last().unwrap()), "RangeError");
    assert!(state.calls.is_empty() && state.timers.is_empty());
    let numbers: Vec<_> = first.iter().filter_map(|step| step.seq).collect();
    assert!(numbers.is_sorted(), "{numbers:?}");
    let (second, ..) = all(desk.replay(&cell).await).await;
    assert_eq!(first, second, "a replay is the same each time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cells_of_a_notebook_find_the_variables_they_found() {
    let desk = Desk::new(SessionMode::Persistent).await;
    desk.run("let n = 1; const add = (by) => n += by;").await;
    let second = desk.run("add(await tools.echo(10)); text(n)").await;
    let third = desk.run("add(100); text(n)").await;
    for (cell, said) in [(&third, "text 111"), (&second, "text 11")] {
        let (steps, _, verdict) = all(desk.replay(cell).await).await;
        assert_eq!(verdict, AS_RECORDED);
        assert!(words(&steps).contains(&said.to_owned()), "{steps:?}");
    }
    let (steps, _, verdict) = all(desk.edited(&second, "add(await tools.echo(10)); text(n * 2)").await).await;
    assert_eq!(verdict, Verdict::Ended { differences: 2 });
    assert!(words(&steps).contains(&"New: text 22".to_owned()), "{steps:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_memory_is_compared_where_the_cell_was_saved() {
    let desk = Desk::new(SessionMode::Fresh).await;
    let source = "const rows = []; for (let i = 0; i < 150_000; i++) rows.push(i * 2);
        await tools.echo(1); for (let i = 0; i < 3_000_000; i++) rows[i % 1000] += i;
        text(await tools.echo(rows.length)); await tools.echo(2)";
    let cell = desk.run(source).await;
    assert!(
        desk.records().await.iter().any(|record| matches!(record, Record::SnapshotTaken { .. })),
        "it computed enough to be saved"
    );
    assert_eq!(all(desk.replay(&cell).await).await.2, AS_RECORDED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edited_cell_runs_against_the_answers_until_it_needs_another() {
    let desk = Desk::new(SessionMode::Fresh).await;
    let cell = desk
        .run("const a = await tools.echo({ n: 1 }); text('old'); text('kept'); const b = await tools.echo(a.n + 1); text(b)")
        .await;
    let seen = desk.delegate.seen();
    // What it says may be another: TypeScript, too.
    let source = "const a: { n: number } = await tools.echo({ n: 1 }); text('new'); text('kept'); const b = await tools.echo(a.n + 1); text(b)";
    let (steps, _, verdict) = all(desk.edited(&cell, source).await).await;
    let expected = [
        "began",
        "call echo at 1",
        "answer echo {\"n\":1}",
        "New: text new",
        "Missing: text old",
        "text kept",
        "call echo at 1",
        "answer echo 2",
        "text 2",
        "ended",
    ];
    assert_eq!(words(&steps), expected);
    assert_eq!(verdict, Verdict::Ended { differences: 2 });

    // What it asks may not.
    let source =
        "const a = await tools.echo({ n: 1 }); text('old');\ntext('kept'); text(await tools.echo(a.n + 2))";
    let (steps, _, verdict) = all(desk.edited(&cell, source).await).await;
    assert_eq!(words(&steps).last().unwrap(), "text kept");
    let Verdict::Diverged(divergence) = verdict else { panic!("nobody answered that: {verdict:?}") };
    let (Some(What::Called { input: was, .. }), Some(What::Called { input: is, location, .. })) =
        (&divergence.recorded, &divergence.did)
    else {
        panic!("both are calls: {divergence:?}")
    };
    let text = |input: &Option<JsonText>| input.as_ref().unwrap().as_str().to_owned();
    assert_eq!((text(was), text(is)), ("2".to_owned(), "3".to_owned()));
    assert_eq!(location.unwrap().line, 2);
    assert_eq!(divergence.seq, Some(Seq(divergence.after.0 + 1)));

    // Nor may it end before, wait for ever, or go on.
    for (source, did) in [
        ("await tools.echo({ n: 1 }); null.x", "Some(\"TypeError\")"),
        ("await tools.echo({ n: 1 })", "Some(\"ended\")"),
        ("let =", "Some(\"SyntaxError\")"),
    ] {
        let (_, _, verdict) = all(desk.edited(&cell, source).await).await;
        let Verdict::Diverged(divergence) = verdict else { panic!("{source}: {verdict:?}") };
        let found = divergence.did.as_ref().map(say);
        assert_eq!(format!("{found:?}"), did, "{source}");
        assert!(matches!(divergence.recorded, Some(What::Called { .. })));
    }
    let more = "const a = await tools.echo({ n: 1 }); text(await tools.echo(a.n + 1)); await tools.fail()";
    let Verdict::Diverged(divergence) = all(desk.edited(&cell, more).await).await.2 else {
        panic!("it goes on")
    };
    assert!(matches!(
        (divergence.recorded, divergence.did),
        (Some(What::Ended { .. }), Some(What::Called { tool, .. })) if tool.as_str() == "fail"
    ));
    assert_eq!(desk.delegate.seen(), seen, "nothing reached the delegate");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cell_that_runs_elsewhere_is_replayed_up_to_now() {
    let desk = Desk::new(SessionMode::Fresh).await;
    let cell = desk.start("text('before'); await tools.gate('x'); text('after')").await;
    desk.delegate.reached(|seen| matches!(seen, Seen::Called(_, tool) if tool == "gate")).await;
    let elsewhere = provider(&desk.store);
    let recording = elsewhere.recording(desk.session.id(), &cell).await.unwrap();
    let (steps, state, verdict) = all(recording.replay().unwrap()).await;
    assert_eq!(words(&steps), ["began", "text before", "call gate at 1"]);
    assert_eq!((verdict, state.calls.len()), (Verdict::Open { differences: 0 }, 1));
    desk.delegate.open_gate();
    desk.session.wait(WaitRequest::new([cell.clone()])).await.unwrap();
    assert_eq!(all(desk.replay(&cell).await).await.2, AS_RECORDED, "it was not disturbed");

    // One that was ended in a loop has nothing more to do.
    let cell = desk.start("text('loops'); while (true);").await;
    let output =
        desk.session.wait(WaitRequest::new([cell.clone()]).until(carrel_contract::WaitUntil::AnyOutput));
    output.await.unwrap();
    desk.session.terminate(cell.clone()).await.unwrap();
    let (steps, _, verdict) = all(desk.replay(&cell).await).await;
    assert_eq!(
        (words(&steps), verdict),
        (["began", "text loops", "terminated"].map(str::to_owned).to_vec(), AS_RECORDED)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cell_of_a_fork_is_replayed_across_the_fork() {
    let desk = Desk::new(SessionMode::Fresh).await;
    let cell = desk.start("text(await tools.echo('both')); text(await tools.gate('one'))").await;
    desk.delegate.reached(|seen| matches!(seen, Seen::Called(_, tool) if tool == "gate")).await;
    let id = desk.provider.fork(ForkRequest::new(desk.session.id().clone())).await.unwrap();
    let fork = desk.provider.resume(id.clone(), desk.delegate.clone()).await.unwrap();
    let ended = fork.wait(WaitRequest::new([cell.clone()]).after(Seq::START)).await.unwrap();
    assert!(ended.cells[0].is_final(), "the gate's outcome is unknown, and the cell fails");
    let recording = desk.provider.recording(&id, &cell).await.unwrap();
    let (steps, _, verdict) = all(recording.replay().unwrap()).await;
    assert_eq!(verdict, AS_RECORDED);
    assert!(
        words(&steps).contains(&"text both".to_owned())
            && words(&steps).contains(&"answer gate failed".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_replayed_is_told_apart() {
    let desk = Desk::new(SessionMode::Persistent).await;
    let first = desk.start("await tools.gate()").await;
    let waits = desk.start("text('its turn has not come')").await;
    let id = desk.session.id();
    let missing = |name: &str| CellId::new(name).unwrap();
    for name in ["cell-3", "cell-0", "nobody"] {
        let refused = desk.provider.recording(id, &missing(name)).await;
        assert!(matches!(refused, Err(RecordingError::UnknownCell(_))), "{name}: {refused:?}");
    }
    let refused = desk.provider.recording(id, &waits).await;
    assert!(matches!(refused, Err(RecordingError::NotBegun { .. })), "{refused:?}");
    let refused = desk.provider.recording(&SessionId::new("nobody").unwrap(), &first).await;
    assert!(matches!(refused, Err(RecordingError::UnknownSession(_))), "{refused:?}");

    let torn = SessionId::new("torn").unwrap();
    let bytes = Bytes::from_static(b"this is no entry of a journal");
    desk.store.append(&torn, Position::START, vec![bytes]).await.unwrap();
    let refused = desk.provider.recording(&torn, &first).await;
    let Err(RecordingError::Corrupt(corrupt)) = refused else { panic!("it is damaged: {refused:?}") };
    assert!(corrupt.detail.contains("entry 1"), "{corrupt}");
}

/// A journal in which a call was answered otherwise than it was: the cell takes another way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_that_differs_says_where() {
    let desk = Desk::new(SessionMode::Fresh).await;
    let cell = desk.run("text('it is ' + await tools.echo(1))").await;
    let other = SessionId::new("other").unwrap();
    let mut records = desk.records().await;
    for record in &mut records {
        if let Record::Answered { answer: Answer::Result(value), .. } = record {
            *value = Value::from("2");
        }
    }
    let entry = Tail::start(other.clone()).seal(&records).unwrap();
    desk.store.append(&other, Position::START, vec![entry]).await.unwrap();
    let recording = desk.provider.recording(&other, &cell).await.unwrap();
    let (_, _, verdict) = all(recording.replay().unwrap()).await;
    let Verdict::Diverged(divergence) = verdict else { panic!("{verdict:?}") };
    let (recorded, did) = (divergence.recorded.as_ref().map(say), divergence.did.as_ref().map(say));
    assert_eq!((recorded.as_deref(), did.as_deref()), (Some("text it is 1"), Some("text it is 2")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_records_are_replayed() {
    let desk = Desk::new(SessionMode::Fresh).await;
    let cell = desk.run("for (let i = 0; i < 3_334; i++) text(await tools.echo(i))").await;
    let (steps, state, verdict) = all(desk.replay(&cell).await).await;
    assert_eq!((steps.len(), state.output.len(), verdict), (10_004, 3_334, AS_RECORDED));
}
