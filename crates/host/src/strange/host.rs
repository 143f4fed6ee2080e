//! A host that says anything at all to a client.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use carrel_contract::error::NotifyError;
use carrel_contract::{
    CancellationToken, CellId, CodeModeFuture, CodeModeSession, CodeModeSessionDelegate,
    CodeModeSessionProvider, Durability, ExecuteRequest, ForkRequest, JsonText, LookedUp, Notification, Read,
    Seq, SessionId, SessionSpec, ToolCall, ToolError, WaitRequest,
};
use carrel_wire::{
    Call, CellFailure, Check, Content, Detail, Earlier, Event, EventKind, FailureKind, Fault, Hello, Item,
    Kind, Level, Notice, Observation, Observed, Origin, OutputItem, Place, Reason, Reply, State, StoredKey,
    Text, ToClient, ToHost, ToolCode, ToolFailure, Usage, decode, encode, frame,
};
use futures::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::time::timeout;

use super::script::Script;
use crate::RemoteProvider;

/// A client that takes longer waits for ever. Its clock is one that goes on when nothing else does.
const HANGS: Duration = Duration::from_secs(24 * 3600);
/// How long the host waits for a request before it goes on without.
const PATIENCE: Duration = Duration::from_millis(1);

/// Plays a host by a script, to a client that uses all that there is. Has to be called on a clock that is paused. Panics
/// when something of the client's goes on after the host is gone.
pub async fn host(script: &[u8]) {
    let (ours, theirs) = duplex(64 * 1024);
    let (reader, writer) = tokio::io::split(theirs);
    let mut script = Script::new(script);
    let (spec, stays) = (spec(&mut script), !script.once_in(4));
    let using = async {
        let Ok(provider) = ends("a connection", RemoteProvider::connect(reader, writer, None)).await else {
            return;
        };
        use_all(&provider, spec, stays).await;
    };
    tokio::join!(using, act(script, ours));
}

/// Awaits what has to end by itself, or because the host is gone.
async fn ends<T>(what: &str, work: impl Future<Output = T>) -> T {
    timeout(HANGS, work).await.unwrap_or_else(|_| panic!("{what} goes on without its host"))
}

/// Answers whatever it is called with.
pub(super) struct Echo;

impl CodeModeSessionDelegate for Echo {
    fn invoke_tool(
        &self,
        call: ToolCall,
        cancel: CancellationToken,
    ) -> CodeModeFuture<'_, JsonText, ToolError> {
        Box::pin(async move {
            drop(call.status.await_person("may it?"));
            if call.tool.as_str() == "wait" {
                cancel.cancelled().await;
            }
            Ok(call.input.unwrap_or_else(|| JsonText::from_value(&().into())))
        })
    }

    fn lookup_outcome(&self, _: ToolCall, _: CancellationToken) -> CodeModeFuture<'_, LookedUp, ToolError> {
        Box::pin(async { Ok(LookedUp::Unknown) })
    }

    fn notify(&self, _: Notification, _: CancellationToken) -> CodeModeFuture<'_, (), NotifyError> {
        Box::pin(async { Ok(()) })
    }

    fn cell_closed(&self, _: &CellId) {}
}

fn spec(script: &mut Script<'_>) -> SessionSpec {
    let mut spec = SessionSpec::default();
    spec.durability = script.pick(&[Durability::Ephemeral, Durability::Journaled], Durability::Ephemeral);
    spec
}

async fn use_all(provider: &RemoteProvider, spec: SessionSpec, stays: bool) {
    drop(ends("a list", provider.list()).await);
    let Ok(session) = ends("a creation", provider.create(spec, Arc::new(Echo))).await else { return };
    let mut events = session.events(Seq::START);
    // It ends with the session, at the latest.
    let follows = timeout(2 * HANGS, async { while events.next().await.is_some() {} });
    let (followed, ()) = tokio::join!(follows, use_session(provider, session, stays));
    assert!(followed.is_ok(), "a reader of the log goes on without its host");
}

async fn use_session(provider: &RemoteProvider, session: Arc<dyn CodeModeSession>, stays: bool) {
    let (first, second) = ends("a cell", async { tokio::join!(run(&*session), run(&*session)) }).await;
    let cells: Vec<_> = [first, second].into_iter().flatten().collect();
    let waits = async {
        let request = WaitRequest::new(cells.clone()).with_yield_time(Duration::from_secs(1));
        if let Ok(response) = ends("a wait", session.wait(request)).await {
            for cell in response.cells {
                let seen = cell.observation();
                session.note_read(Read::new(seen.cell_id.clone(), seen.cursor));
            }
        }
    };
    let terminates = async {
        for cell_id in &cells {
            drop(ends("a termination", session.terminate(cell_id.clone())).await);
        }
    };
    let asks = async {
        drop(ends("a look at the store", session.stored()).await);
        drop(ends("a change of tools", session.set_tools(Vec::new())).await);
        drop(ends("an admission", session.execute(ExecuteRequest::new("text(2)"))).await);
        if let Ok(id) = SessionId::new("another") {
            drop(ends("a fork", provider.fork(ForkRequest::new(id.clone()))).await);
            drop(ends("a deletion", provider.delete(id)).await);
        }
    };
    tokio::join!(waits, terminates, asks);
    if stays {
        drop(ends("a shutdown", session.shutdown()).await);
    }
}

async fn run(session: &dyn CodeModeSession) -> Option<CellId> {
    let started = session.execute(ExecuteRequest::new("text(1)")).await.ok()?;
    drop(started.first_response.await);
    Some(started.cell_id)
}

/// Acts until the script is over, and leaves.
async fn act(mut script: Script<'_>, stream: tokio::io::DuplexStream) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut asked = Asked::default();
    if !script.once_in(16) {
        let hello =
            encode(&ToClient::Hello(Hello::new("strange", script.pick(&[1 << 20, 1, u64::MAX], 1 << 20))));
        let bytes = script.frame(0, &hello);
        writer.write_all(&bytes).await.ok();
    }
    let mut bytes = Vec::new();
    while !script.is_over() {
        // What the client says is read before more is said, as long as it says something.
        while let Ok(read) = timeout(PATIENCE, reader.read_buf(&mut bytes)).await {
            if !read.is_ok_and(|read| read > 0) {
                return;
            }
            let mut done = 0;
            while let Some(frame) = frame::read(bytes.get(done..).unwrap_or_default())
                .unwrap_or_else(|error| panic!("the client sends what is no frame: {error}"))
            {
                done += frame.size();
                if frame.kind == frame::Kind::Whole {
                    let message = decode::<ToHost>(frame.payload).unwrap_or_else(|error| panic!("{error}"));
                    asked.note(frame.stream, &message);
                }
            }
            bytes.drain(..done);
        }
        let (stream, message) = asked.next(&mut script);
        let bytes = script.frame(stream, &encode(&message));
        if writer.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

/// What a client asked and was not answered yet.
#[derive(Default)]
struct Asked {
    requests: VecDeque<(u32, u64, What)>,
    follows: Vec<(u32, u64)>,
    stream: u32,
    call: u64,
    seq: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Opening,
    Cell,
    First,
    Cells(usize),
    Stored,
    Sessions,
    Other,
}

impl Asked {
    fn note(&mut self, stream: u32, message: &ToHost) {
        let (request, what) = match message {
            ToHost::Create { request, .. } | ToHost::Resume { request, .. } => {
                self.stream = stream;
                (*request, What::Opening)
            }
            ToHost::Fork { request, .. } => (*request, What::Opening),
            ToHost::Execute { request, .. } => (*request, What::Cell),
            ToHost::Wait { request, wait } => (*request, What::Cells(wait.cells.len())),
            ToHost::Terminate { request, .. } => (*request, What::Cells(1)),
            ToHost::Stored { request } => (*request, What::Stored),
            ToHost::List { request } => (*request, What::Sessions),
            ToHost::SetTools { request, .. }
            | ToHost::Shutdown { request }
            | ToHost::Delete { request, .. } => (*request, What::Other),
            ToHost::Follow { request, .. } => return self.follows.push((stream, *request)),
            _ => return,
        };
        self.requests.push_back((stream, request, what));
    }

    fn next(&mut self, script: &mut Script<'_>) -> (u32, ToClient) {
        let stream = if script.once_in(16) { script.pick(&[0, 1, 2, 3, u32::MAX], 0) } else { self.stream };
        let doing = script.byte();
        if doing % 16 < 8
            && let Some((stream, request, what)) = self.requests.pop_front()
        {
            if what == What::Cell {
                self.requests.push_back((stream, request, What::First));
            }
            let what = if script.once_in(8) { what_else(script) } else { what };
            let reply = reply(script, self, what);
            let state = if script.once_in(8) { State::Closed } else { State::Open };
            return (stream, ToClient::Reply { request, reply, state });
        }
        if doing % 16 < 10
            && let Some((stream, request)) = self.follows.last().copied()
        {
            let items = script.list(|script| item(script, self));
            return (stream, ToClient::Events { request, items, end: script.once_in(8) });
        }
        self.call += 1;
        let call = if script.once_in(8) { script.small() } else { self.call };
        let message = match script.byte() % 16 {
            0..4 => ToClient::Call { call, tool_call: tool_call(script) },
            4 | 5 => ToClient::Notify { call, cell_id: script.cell(), text: script.text() },
            6 => ToClient::LookUp { call, tool_call: tool_call(script) },
            7 => ToClient::CancelCall { call: script.small() },
            8 => ToClient::DropCall { call: script.small() },
            9 | 10 => ToClient::CellClosed { cell_id: script.cell() },
            11 => match script.byte() % 4 {
                0 => ToClient::Noted { call: script.small(), failure: script.optional(tool_failure) },
                1 => ToClient::Check { call, check: check(script) },
                _ => ToClient::Pong { number: 0 },
            },
            12 => ToClient::Ended,
            13 => ToClient::Hello(Hello::new("again", 0)),
            14 => {
                let what = what_else(script);
                let reply = reply(script, self, what);
                ToClient::Reply { request: script.small(), reply, state: State::Open }
            }
            _ => ToClient::Events {
                request: script.small(),
                items: script.list(|script| item(script, self)),
                end: true,
            },
        };
        (stream, message)
    }
}

fn what_else(script: &mut Script<'_>) -> What {
    let all =
        [What::Opening, What::Cell, What::First, What::Cells(2), What::Stored, What::Sessions, What::Other];
    script.pick(&all, What::Other)
}

fn reply(script: &mut Script<'_>, asked: &mut Asked, what: What) -> Reply {
    if script.once_in(16) {
        return Reply::Failed(Fault {
            code: script.pick(&[7, 14, 10, 11, 99, 0], 7),
            message: script.text(),
            subject: script.optional(Script::cell),
            detail: script.optional(Script::text),
            value: script.optional(|script| script.pick(&["1", "x", "99999999999999999999"], "1").to_owned()),
            cells: script.optional(|script| script.list(Script::cell)),
            tried_for: script.optional(Script::duration),
        });
    }
    match what {
        What::Opening => {
            Reply::Opened { session_id: script.pick(&["s", "s", "t", "", "\n"], "s").to_owned() }
        }
        What::Cell => Reply::Started { cell_id: script.cell() },
        What::First => Reply::Observed(vec![observed(script, asked)]),
        What::Cells(cells) => {
            let cells = if script.once_in(8) { script.small().try_into().unwrap_or_default() } else { cells };
            Reply::Observed((0..cells).map(|_| observed(script, asked)).collect())
        }
        What::Stored => Reply::Stored(
            script.list(|script| StoredKey { key: script.text(), value_bytes: script.number() }),
        ),
        What::Sessions => Reply::Sessions(script.list(Script::cell)),
        What::Other => Reply::Done,
    }
}

fn observed(script: &mut Script<'_>, asked: &mut Asked) -> Observed {
    let observation = Observation {
        cell_id: script.cell(),
        items: script.list(|script| OutputItem { seq: script.number(), content: content(script) }),
        cursor: seq(script, asked),
        omitted_bytes: script.number(),
        usage: Usage { cpu_time: script.duration(), elapsed: script.duration(), tool_calls: script.number() },
        notices: script.list(notice),
    };
    match script.byte() % 3 {
        0 => Observed::Yielded(observation),
        1 => Observed::Completed {
            observation,
            result: script.optional(Script::json),
            failure: script.optional(failure),
            warnings: script.list(Script::text),
            read_before: script.once_in(2),
        },
        _ => Observed::Terminated {
            observation,
            reason: reason(script),
            abandoned: script.list(Script::cell),
            read_before: script.once_in(2),
        },
    }
}

/// The number that comes next, as a rule.
fn seq(script: &mut Script<'_>, asked: &mut Asked) -> u64 {
    asked.seq += 1;
    if script.once_in(8) { script.number() } else { asked.seq }
}

fn item(script: &mut Script<'_>, asked: &mut Asked) -> Item {
    if script.once_in(8) {
        return Item::Missed { first: script.number(), last: script.number() };
    }
    let call_id = script.cell();
    let kind = match script.byte() % 12 {
        0 => EventKind::CellAdmitted,
        1 => EventKind::ToolCalled { call_id, tool: script.text() },
        2 => EventKind::ToolProgressed {
            call_id,
            percent: script.optional(Script::byte),
            message: script.optional(Script::text),
        },
        3 => EventKind::PersonAwaited { call_id, question: script.text() },
        4 => EventKind::PersonAnswered { call_id },
        5 => EventKind::ToolAnswered { call_id, error: script.optional(|_| ToolCode::Denied) },
        6 => EventKind::Output(content(script)),
        7 => EventKind::Notified(script.text()),
        8 => EventKind::ControlYielded,
        9 => EventKind::CellCompleted { failure: script.optional(failure) },
        10 => EventKind::CellTerminated(reason(script)),
        _ => EventKind::Other,
    };
    Item::Event(Event { seq: seq(script, asked), cell_id: script.cell(), kind })
}

fn tool_call(script: &mut Script<'_>) -> Call {
    Call {
        cell_id: script.cell(),
        call_id: script.cell(),
        tool: script.pick(&["echo", "wait", "", "a b"], "echo").to_owned(),
        input: script.optional(Script::json),
        location: script.optional(|_| Place { line: 0, column: u32::MAX }),
        origin: script.optional(|script| Origin {
            name: script.text(),
            namespace: script.optional(Script::text),
            kind: Kind::Freeform,
        }),
    }
}

fn tool_failure(script: &mut Script<'_>) -> ToolFailure {
    ToolFailure { message: script.text(), code: ToolCode::Failed, retryable: false, data: None }
}

fn check(script: &mut Script<'_>) -> Check {
    let earlier = |script: &mut Script<'_>| Earlier { source: Text(script.text().into()), completed: true };
    Check {
        cell_id: script.cell(),
        source: Text(script.text().into()),
        tools: Vec::new(),
        earlier: script.list(earlier),
    }
}

fn content(script: &mut Script<'_>) -> Content {
    match script.byte() % 6 {
        0 => Content::Text { text: script.text(), level: script.optional(|_| Level::Warn) },
        1 => Content::Image { data: script.text(), mime_type: script.text() },
        2 => Content::Audio { data: script.text(), mime_type: script.text() },
        3 => Content::ImageUrl { url: script.text(), detail: Detail::Low },
        4 => Content::AudioUrl { url: script.text() },
        _ => Content::Block(script.json()),
    }
}

fn notice(script: &mut Script<'_>) -> Notice {
    if script.once_in(2) {
        return Notice::Recovered { repeated: script.list(Script::cell), unknown: script.list(Script::cell) };
    }
    Notice::HostLost {
        detail: script.text(),
        cells: script.list(Script::cell),
        outcomes: script.number(),
        values: script.once_in(2),
    }
}

fn reason(script: &mut Script<'_>) -> Reason {
    match script.byte() % 4 {
        0 => Reason::Requested,
        1 => Reason::CpuTime(script.duration()),
        2 => Reason::StorageFailed(script.text()),
        _ => Reason::HostLost(script.text()),
    }
}

fn failure(script: &mut Script<'_>) -> CellFailure {
    CellFailure {
        kind: script
            .pick(&[FailureKind::Syntax, FailureKind::Thrown, FailureKind::Trap], FailureKind::Thrown),
        name: script.text(),
        message: script.text(),
        stack: script.text(),
        location: script.optional(|_| Place { line: u32::MAX, column: 0 }),
        excerpt: script.optional(Script::text),
    }
}
