//! A client that says anything at all to a host.

use std::sync::Arc;
use std::time::Duration;

use carrel_contract::CodeModeSessionProvider;
use carrel_wire::{
    Checked, Diagnostic, Dialect, Durability, Execute, Fault, Fork, Hello, Hints, Limits, LookedUp, Mode,
    Place, Progress, Reading, Reply, Spec, Text, ToClient, ToHost, Tool, ToolCode, ToolFailure, Unchecked,
    Until, Wait, decode, encode, frame,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::sync::watch;
use tokio::time::timeout;

use super::script::Script;
use crate::Hosted;

/// A host that takes longer waits for ever.
const HANGS: Duration = Duration::from_secs(60);
/// How long an answer is waited for that may not come.
const PATIENCE: Duration = Duration::from_millis(100);

const SOURCES: [&str; 12] = [
    "text('hi')",
    "text(await tools.echo({ a: 1 }))",
    "notify('x'); await tools.echo(1)",
    "store('a', load('a') ?? 1)",
    "while (true) {}",
    "for (let i = 0; i < 50; i++) tools.echo(i); await new Promise(() => {})",
    "setTimeout(() => {}, 1e9); yield_control(); await new Promise((done) => setTimeout(done, 1e9))",
    "throw new Error('x')",
    "syntax error (",
    "text('x'.repeat(300000))",
    "for (;;) { notify('x'); text('y'); await null }",
    "export default await Promise.all([...Array(100)].map((_, i) => tools.echo(i)))",
];

/// Plays a client by a script. Panics when the host sends what is no message, or has not ended long after its client.
pub async fn client(provider: Arc<dyn CodeModeSessionProvider>, script: &[u8]) {
    let (ours, theirs) = duplex(64 * 1024);
    let (mut reader, mut writer) = tokio::io::split(ours);
    let (host_reader, host_writer) = tokio::io::split(theirs);
    let hosted = Hosted::new(provider, "test");
    let (opened, mut is_opened) = watch::channel(0_u32);
    let serving = async {
        drop(hosted.serve(host_reader, host_writer).await);
        hosted.finished().await;
    };
    let mut script = Script::new(script);
    let reads = !script.once_in(16);
    let writing = async {
        let mut asked = 0;
        if !script.once_in(16) {
            let hello =
                encode(&ToHost::Hello(Hello::new("strange", script.pick(&[1 << 20, 1, u64::MAX], 1 << 20))));
            let mut bytes = Vec::new();
            frame::write(0, frame::Kind::Whole, &hello, &mut bytes);
            writer.write_all(&bytes).await.ok();
        }
        let mut turn = Turn { request: 0, stream: 0 };
        while !script.is_over() {
            let (stream, message) = turn.next(&mut script);
            let opens = matches!(message, ToHost::Create { .. } | ToHost::Resume { .. });
            let bytes = script.frame(stream, &encode(&message));
            // A host that has had enough of it takes no more.
            if writer.write_all(&bytes).await.is_err() {
                break;
            }
            if opens && reads {
                asked += 1;
                timeout(PATIENCE, is_opened.wait_for(|opened| *opened >= asked)).await.ok();
            }
        }
        writer.shutdown().await.ok();
    };
    let reading = async {
        let mut bytes = Vec::new();
        let mut whole: [Vec<u8>; frame::SLOTS] = Default::default();
        while reads && reader.read_buf(&mut bytes).await.is_ok_and(|read| read > 0) {
            let mut done = 0;
            while let Some(frame) = read(bytes.get(done..).unwrap_or_default()) {
                done += frame.size();
                let message = match frame.kind {
                    frame::Kind::Credit => continue,
                    frame::Kind::Whole => frame.payload.to_vec(),
                    frame::Kind::Chunk { slot, last } => {
                        let Some(parts) = whole.get_mut(slot) else { continue };
                        parts.extend_from_slice(frame.payload);
                        if !last {
                            continue;
                        }
                        std::mem::take(parts)
                    }
                };
                let message = decode::<ToClient>(&message).unwrap_or_else(|error| panic!("{error}"));
                if matches!(message, ToClient::Reply { reply: Reply::Opened { .. }, .. }) {
                    opened.send_modify(|opened| *opened += 1);
                }
            }
            bytes.drain(..done);
        }
    };
    let all = async { tokio::join!(serving, writing, reading) };
    assert!(timeout(HANGS, all).await.is_ok(), "the host goes on without its client");
}

fn read(bytes: &[u8]) -> Option<frame::Frame<'_>> {
    frame::read(bytes).unwrap_or_else(|error| panic!("the host sends what is no frame: {error}"))
}

/// The numbers that come next, as a rule.
struct Turn {
    request: u64,
    stream: u32,
}

impl Turn {
    fn next(&mut self, script: &mut Script<'_>) -> (u32, ToHost) {
        self.request += 1;
        let request = if script.once_in(16) { script.number() } else { self.request };
        let stream = if script.once_in(16) { script.pick(&[0, 1, 2, 9, u32::MAX], 0) } else { self.stream };
        let message = match script.byte() % 32 {
            0..4 => {
                self.stream += 1;
                let key = script.optional(|script| script.pick(&["a", "b", ""], "a").to_owned());
                return (self.stream, ToHost::Create { request, spec: Box::new(spec(script)), key });
            }
            4 => {
                self.stream += 1;
                return (self.stream, ToHost::Resume { request, session_id: script.cell() });
            }
            5 => return (0, ToHost::List { request }),
            6 => return (0, ToHost::Delete { request, session_id: script.cell() }),
            7 => {
                let fork = Fork {
                    session_id: script.cell(),
                    at: script.optional(Script::number),
                    name: script.optional(Script::text),
                };
                return (0, ToHost::Fork { request, fork });
            }
            8 => return (0, ToHost::Ping { number: request }),
            9 => match script.byte() % 4 {
                0 => ToHost::Goodbye,
                _ => ToHost::Hello(Hello::new("again", 0)),
            },
            10..15 => ToHost::Execute {
                request,
                execute: execute(script),
                key: script.optional(|script| script.pick(&["a", "b"], "a").to_owned()),
            },
            15 => ToHost::SetTools { request, tools: script.list(tool) },
            16..18 => ToHost::Wait { request, wait: wait(script) },
            18 => ToHost::Terminate { request, cell_id: script.cell() },
            19 => match script.byte() % 4 {
                0 => ToHost::Shutdown { request },
                _ => ToHost::Stored { request },
            },
            20 => ToHost::Cancel { request: script.small() },
            21 => ToHost::NoteRead { reading: reading(script) },
            22..24 => ToHost::Follow { request, after: script.number(), room: room(script) },
            24 => ToHost::MakeRoom { request: script.small(), room: room(script) },
            25 => ToHost::Release,
            26..28 => ToHost::Answer {
                call: script.small(),
                result: script.optional(Script::json),
                failure: script.optional(failure),
            },
            28 => ToHost::Delivered {
                call: script.small(),
                fault: script.optional(|script| Fault {
                    code: script.pick(&[17, 7, 0], 17),
                    message: script.text(),
                    tried_for: script.optional(Script::duration),
                    ..Fault::default()
                }),
            },
            29 if script.once_in(4) => ToHost::Checked { call: script.small(), outcome: checked(script) },
            29 => ToHost::LookedUp { call: script.small(), outcome: looked_up(script) },
            _ => ToHost::Progress { call: script.small(), progress: progress(script) },
        };
        (stream, message)
    }
}

fn room(script: &mut Script<'_>) -> u32 {
    script.pick(&[1, 0, 64, 65_536, u32::MAX], 1)
}

fn spec(script: &mut Script<'_>) -> Spec {
    let number = |script: &mut Script<'_>| script.optional(Script::number);
    let mut limits = Limits::default();
    // Mostly the defaults, so that something happens.
    if script.once_in(4) {
        limits.source_bytes = number(script);
        limits.tool_value_bytes = number(script);
        limits.pending_tool_calls = number(script);
        limits.running_cells = number(script);
        limits.kept_outcomes = number(script);
        limits.output_bytes = number(script);
        limits.media_bytes = number(script);
        limits.kept_events = number(script);
        limits.stored_value_bytes = number(script);
        limits.stored_bytes = number(script);
        limits.stored_keys = number(script);
        limits.outcome_age = script.optional(Script::duration);
        limits.tool_time = script.optional(Script::duration);
        limits.cpu_time = script.optional(Script::duration);
        limits.memory_bytes = script.optional(|script| script.pick(&[8 << 20, 0, u64::MAX], 8 << 20));
    }
    // Whoever waits for its end waits no longer than this.
    limits.callback_grace = Some(Duration::from_millis(20));
    limits.notify_time = Some(Duration::from_millis(20));
    limits.shutdown_time = Some(Duration::from_secs(1));
    let mut tools = script.list(tool);
    tools.push(Tool {
        name: "echo".to_owned(),
        description: String::new(),
        server: None,
        input_schema: None,
        output: None,
        hints: Hints::default(),
        origin: None,
    });
    Spec {
        mode: script.pick(&[Mode::Fresh, Mode::Persistent], Mode::Fresh),
        durability: script.pick(&[Durability::Ephemeral, Durability::Journaled], Durability::Ephemeral),
        tools,
        check: script.once_in(8),
        limits,
        seed: script.optional(Script::number),
        time_zone: script
            .optional(|script| script.pick(&["UTC", "Europe/Berlin", "Nowhere"], "UTC").to_owned()),
        name: script.optional(Script::text),
        dialect: script.once_in(4).then_some(Dialect::Codex),
    }
}

fn tool(script: &mut Script<'_>) -> Tool {
    Tool {
        name: script.pick(&["fetch", "echo", "a b", "", "__proto__"], "fetch").to_owned(),
        description: script.text(),
        server: script.optional(Script::text),
        input_schema: script.optional(Script::json),
        output: None,
        hints: Hints::default(),
        origin: None,
    }
}

fn execute(script: &mut Script<'_>) -> Execute {
    let source = if script.once_in(8) { script.text() } else { script.pick(&SOURCES, "text(1)").to_owned() };
    Execute {
        source: Text(source.into()),
        yield_time: script.optional(Script::duration),
        max_output_tokens: script.optional(Script::number),
        look: script.optional(|script| script.once_in(2)),
        idempotency_key: script.optional(|script| script.pick(&["a", "b", "", "\n"], "a").to_owned()),
    }
}

fn wait(script: &mut Script<'_>) -> Wait {
    Wait {
        cells: script.list(Script::cell),
        after: script.optional(Script::number),
        until: script.optional(|script| {
            script
                .pick(&[Until::Deadline, Until::AnyOutput, Until::AnyEnded, Until::AllEnded], Until::Deadline)
        }),
        yield_time: script.optional(Script::duration),
        max_output_tokens: script.optional(Script::number),
        look: script.optional(|script| script.once_in(2)),
    }
}

fn reading(script: &mut Script<'_>) -> Reading {
    Reading {
        cell_id: script.cell(),
        after: script.optional(Script::number),
        cursor: script.number(),
        moves: script.once_in(2),
        earlier: script.optional(|script| script.once_in(2)),
    }
}

fn failure(script: &mut Script<'_>) -> ToolFailure {
    ToolFailure {
        message: script.text(),
        code: script
            .pick(&[ToolCode::Failed, ToolCode::OutcomeUnknown, ToolCode::Internal], ToolCode::Failed),
        retryable: script.once_in(2),
        data: script.optional(Script::json),
    }
}

fn checked(script: &mut Script<'_>) -> Checked {
    match script.byte() % 2 {
        0 => Checked::Found(script.list(|script| Diagnostic {
            location: Place {
                line: script.pick(&[1, 0, u32::MAX], 1),
                column: script.pick(&[1, 0, u32::MAX], 1),
            },
            code: script.text(),
            message: script.text(),
        })),
        _ => Checked::Not(Unchecked::Failed(script.text())),
    }
}

fn looked_up(script: &mut Script<'_>) -> LookedUp {
    match script.byte() % 4 {
        0 => LookedUp::Answered(script.json()),
        1 => LookedUp::NeverHappened,
        2 => LookedUp::Unknown,
        _ => LookedUp::Failed(failure(script)),
    }
}

fn progress(script: &mut Script<'_>) -> Progress {
    match script.byte() % 6 {
        0 => {
            Progress::Made { percent: script.optional(Script::byte), message: script.optional(Script::text) }
        }
        1 => Progress::PersonAwaited { question: script.text() },
        2 => Progress::PersonAnswered,
        3 => Progress::ApprovalAwaited { question: script.text() },
        4 => Progress::ApprovalGiven,
        _ => Progress::ApprovalOver,
    }
}
