//! Drives a VM as a runtime would, with tools of known behaviour and a clock of its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests"
)]
#![allow(dead_code, reason = "each test binary uses its part")]

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use carrel_engine::{
    CallHandle, Dialect, Effect, Ending, Engine, Event, GuestError, Progress, Start, StoreQuota, StoredSize,
    StoredValues, TimeZone, Tools, Vm, VmLimits,
};

/// The tools every driven cell has. The first two answer, the third fails, the rest are there to be mistyped.
pub(crate) const TOOLS: &[(&str, &str)] = &[
    ("echo", "Returns its input."),
    ("later", "Returns its input after all other calls."),
    ("fail", "Fails."),
    ("orders__list_orders", "Lists orders."),
    ("orders__get_order", "Fetches an order."),
];

/// Stored values that a test made up.
#[derive(Clone, Default)]
pub(crate) struct Stored(pub(crate) HashMap<String, Arc<str>>);

impl StoredValues for Stored {
    fn get(&self, key: &str) -> Option<Arc<str>> {
        self.0.get(key).cloned()
    }

    fn size(&self) -> StoredSize {
        StoredSize {
            keys: self.0.len(),
            bytes: self.0.iter().map(|(key, json)| key.len() + json.len()).sum(),
        }
    }
}

pub(crate) fn start(engine: &Engine, source: &str, limits: VmLimits) -> Vm {
    engine.start(beginning(source, false), limits).unwrap()
}

/// The zone that a cell's first line asks for, as `// zone: Europe/Berlin`, or UTC.
fn zone_of(source: &str) -> TimeZone {
    let asked = source.lines().next().and_then(|line| line.strip_prefix("// zone: "));
    asked.map_or_else(TimeZone::default, |name| name.parse().unwrap())
}

/// The dialect that a cell's first line asks for, as `// dialect: codex`, or Carrel's own.
fn dialect_of(source: &str) -> Dialect {
    match source.lines().next() {
        Some("// dialect: codex") => Dialect::Codex,
        _ => Dialect::Carrel,
    }
}

/// How a cell begins.
pub(crate) fn beginning(source: &str, persistent: bool) -> Start {
    let stored = Stored(HashMap::from([("kept".to_owned(), "{\"from\":\"before\"}".into())]));
    Start {
        source: source.to_owned(),
        tools: Arc::new(Tools::new(TOOLS.iter().copied())),
        stored: Arc::new(stored),
        quota: StoreQuota { value_bytes: 1000, total: StoredSize { keys: 3, bytes: 2000 } },
        seed: 42,
        now_us: 1_790_000_000_000_000,
        time_zone: zone_of(source),
        dialect: dialect_of(source),
        persistent,
    }
}

/// Runs a VM until it waits or ends, whatever its slices.
pub(crate) fn run(vm: &mut Vm) -> (Vec<Effect>, Progress) {
    let mut all = Vec::new();
    loop {
        let turn = vm.run();
        all.extend(turn.effects);
        if !matches!(turn.progress, Progress::Preempted | Progress::Ready) {
            return (all, turn.progress);
        }
    }
}

/// Runs a cell that waits for nothing to its end.
pub(crate) fn ending(engine: &Engine, source: &str, limits: VmLimits) -> (Vec<Effect>, Ending) {
    match run(&mut start(engine, source, limits)) {
        (effects, Progress::Ended(ending)) => (effects, ending),
        (_, progress) => panic!("{source}: {progress:?}"),
    }
}

/// Returns the one text among some effects.
pub(crate) fn text(effects: &[Effect]) -> &str {
    match effects {
        [Effect::Text { text, .. }] => text,
        other => panic!("one text was expected: {other:?}"),
    }
}

/// What a whole cell did, a line an effect, and the hash of its memory each time that it waited.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Story {
    pub(crate) lines: Vec<String>,
    pub(crate) hashes: Vec<[u8; 32]>,
}

/// What stands between the cells of a persistent VM.
const NEXT_CELL: &str = "// ---- next cell ----\n";

/// Runs a cell to its end, or several, one after the other, in a persistent VM. `between` may replace the VM each time
/// that it waits, and between cells.
pub(crate) fn play(engine: &Engine, source: &str, mut between: impl FnMut(Vm) -> Vm) -> Story {
    let sources: Vec<_> = source.split(NEXT_CELL).collect();
    let persistent = sources.len() > 1;
    let mut sources = sources.into_iter();
    let first = beginning(sources.next().unwrap(), persistent);
    let mut vm = engine.start(first, VmLimits::default()).unwrap();
    let mut story = Story { lines: Vec::new(), hashes: Vec::new() };
    let mut answers = VecDeque::new();
    let mut last_answers = VecDeque::new();
    let mut timers = BTreeSet::new();
    let mut now_us = 1_790_000_000_000_000;
    let mut set = 0;
    loop {
        let (effects, progress) = run(&mut vm);
        for effect in effects {
            story.lines.push(line(&effect));
            match effect {
                Effect::CallTool { call, tool, input, .. } => match TOOLS[tool].0 {
                    "later" => last_answers.push_back(answer(call, input, now_us)),
                    "fail" => answers.push_back(failure(call, input.as_deref(), now_us)),
                    _ => answers.push_back(answer(call, input, now_us)),
                },
                Effect::SearchTools { call, .. } | Effect::DescribeTools { call, .. } => {
                    answers.push_back(answer(call, Some("\"as asked\"".to_owned()), now_us));
                }
                Effect::SetTimer { id, delay_ms } => {
                    set += 1;
                    timers.insert((now_us + i64::from(delay_ms) * 1000, set, id));
                }
                Effect::ClearTimer { id } => timers.retain(|(_, _, other)| *other != id),
                _ => {}
            }
        }
        if let Progress::Ended(ending) = progress {
            story.lines.push(end(&ending));
            let Some(next) = sources.next() else {
                return story;
            };
            assert!(vm.is_whole(), "the VM goes on after a cell, but:\n{}", story.lines.join("\n"));
            story.hashes.push(vm.memory_hash().unwrap());
            vm = between(vm);
            vm.begin(beginning(next, true)).unwrap();
            // As a runtime does, what the cell still waited for is dropped with it.
            (answers, last_answers, timers) = Default::default();
            continue;
        }
        story.hashes.push(vm.memory_hash().unwrap());
        vm = between(vm);
        let event = answers.pop_front().or_else(|| last_answers.pop_front()).or_else(|| {
            let (due, _, id) = timers.pop_first()?;
            now_us = now_us.max(due);
            Some(Event::TimerFired { id, now_us })
        });
        vm.deliver(event.expect("a cell that waits has something to wait for"));
    }
}

fn answer(call: CallHandle, input: Option<String>, now_us: i64) -> Event {
    Event::Answered { call, json: input.unwrap_or_else(|| "null".to_owned()).into(), now_us }
}

fn failure(call: CallHandle, input: Option<&str>, now_us: i64) -> Event {
    let data = input.unwrap_or("null");
    if data == "\"unknown\"" {
        let json = r#"{"message":"who knows","code":"outcome_unknown","retryable":false,"data":null,"callId":"call-7"}"#;
        return Event::Failed { call, json: json.into(), now_us };
    }
    let json =
        format!("{{\"message\":\"it failed\",\"code\":\"failed\",\"retryable\":true,\"data\":{data}}}");
    Event::Failed { call, json: json.into(), now_us }
}

fn line(effect: &Effect) -> String {
    match effect {
        Effect::CallTool { tool, input, .. } => {
            format!("call {} {}", TOOLS[*tool].0, input.as_deref().unwrap_or("(no input)"))
        }
        Effect::SearchTools { query, limit, .. } => format!("search {limit} {query:?}"),
        Effect::DescribeTools { tools, .. } => {
            format!("describe {:?}", tools.iter().map(|tool| TOOLS[*tool].0).collect::<Vec<_>>())
        }
        Effect::Text { text, level: None } => format!("text {text}"),
        Effect::Text { text, level: Some(level) } => format!("{level:?} {text}").replacen("Log ", "log ", 1),
        Effect::Media { kind, data, mime_type } => format!("{kind:?} {mime_type} {data}"),
        Effect::ImageUrl { url, detail } => format!("image {detail:?} {url}"),
        Effect::AudioUrl { url } => format!("audio {url}"),
        Effect::Block { json } => format!("block {json}"),
        Effect::Notify { text } => format!("notify {text}"),
        Effect::Store { key, json } => format!("store {key} {json}"),
        Effect::SetTimer { id, delay_ms } => format!("timer {id} in {delay_ms} ms"),
        Effect::ClearTimer { id } => format!("timer {id} cleared"),
        Effect::Yield => "yield".to_owned(),
        Effect::Warn { reason } => format!("warning {reason}"),
    }
}

fn end(ending: &Ending) -> String {
    let thrown = |error: &GuestError| {
        let place = error.location().map_or(String::new(), |(line, column)| format!(" at {line}:{column}"));
        format!("{error}{place}")
    };
    match ending {
        Ending::Completed(None) => "end".to_owned(),
        Ending::Completed(Some(json)) => format!("end with {json}"),
        Ending::Exited => "exit".to_owned(),
        Ending::SyntaxError(error) => format!("syntax {}", thrown(error)),
        Ending::Threw(error) => format!("threw {}", thrown(error)),
        Ending::Unsettled => "unsettled".to_owned(),
        Ending::OutOfMemory(_) => "out of memory".to_owned(),
        Ending::CpuTimeExhausted => "out of CPU time".to_owned(),
        Ending::Stopped => "stopped".to_owned(),
        Ending::StackExhausted => "stack exhausted".to_owned(),
        Ending::Trapped(detail) => format!("trapped: {detail}"),
    }
}

/// The cells without an end of `tests/endless.js`, with their names.
pub(crate) fn endless() -> Vec<(&'static str, &'static str)> {
    const LIST: &str = include_str!("../../../../tests/endless.js");
    LIST.split("\n\n").skip(1).map(|cell| cell.trim_start_matches("// ").split_once('\n').unwrap()).collect()
}
