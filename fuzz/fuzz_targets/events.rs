//! Events in any order, with handles that were never given, text that is not JSON and a clock that jumps: two VMs that
//! are given the same do the same, though one of them is saved and restored before each event.
#![no_main]

use std::sync::Arc;

use arbitrary::Arbitrary;
use carrel_engine::{CallHandle, Effect, Ending, Event, Progress, Snapshot};
use carrel_fuzz::{LIMITS, Stored, engine, run, start};
use libfuzzer_sys::fuzz_target;

/// Waits for much at once, and uses what it is given.
const CELL: &str = "
    const seen = [];
    const note = (name) => (value) => { seen.push([name, value, Date.now(), Math.random()]); text(JSON.stringify(seen.at(-1)) ?? '') };
    let fired = 0;
    setInterval(() => note('interval')(fired++), 5);
    setTimeout(note('timeout'), 1e9, { a: 1 });
    for (let i = 0; ; i++) {
        const calls = [tools.echo(i), tools.fail({ i }), tools.echo()].map((call, n) => call.then(note(n), (e) => note('error')([e.name, e.message, e.tool, e.code, e.data])));
        await Promise.any(calls);
        store('seen', seen.length);
    }";

#[derive(Arbitrary, Debug)]
enum Op<'a> {
    Answered { call: Call, json: Json<'a>, now_us: i64 },
    Failed { call: Call, json: Json<'a>, now_us: i64 },
    TimerFired { id: Timer, now_us: i64 },
    Fork,
    Stop,
}

#[derive(Arbitrary, Debug)]
enum Call {
    Pending(u8),
    Any(i64),
}

#[derive(Arbitrary, Debug)]
enum Timer {
    Set(u8),
    Any(i64),
}

#[derive(Arbitrary, Debug)]
enum Json<'a> {
    Text(&'a str),
    Nested(u16),
    Quoted(&'a str),
    Long(u16),
    Error { message: &'a str, retryable: bool },
}

impl Json<'_> {
    fn text(&self) -> Arc<str> {
        match self {
            Self::Text(text) => (*text).into(),
            Self::Nested(depth) => "[".repeat((*depth).into()).into(),
            Self::Quoted(text) => format!("{text:?}").into(),
            Self::Long(length) => format!("\"{}\"", "x".repeat(usize::from(*length) * 64)).into(),
            Self::Error { message, retryable } => {
                format!("{{\"message\":{message:?},\"code\":\"c\",\"retryable\":{retryable},\"data\":[1]}}")
                    .into()
            }
        }
    }
}

fuzz_target!(|ops: Vec<Op>| {
    let (mut vm, mut twin) = (start(CELL.to_owned()), start(CELL.to_owned()));
    let (mut calls, mut timers) = (Vec::new(), Vec::new());
    let mut ops = ops.iter().take(64);
    loop {
        let ran = run(&mut vm);
        let other = run(&mut twin);
        // Where a limit on time ends a VM is not the same each time.
        if [&ran.1, &other.1].contains(&&Progress::Ended(Ending::CpuTimeExhausted)) {
            return;
        }
        assert_eq!(ran, other);
        if ran.1 != Progress::Idle {
            return;
        }
        assert_eq!(vm.memory_hash().ok(), twin.memory_hash().ok());
        for effect in ran.0 {
            match effect {
                Effect::CallTool { call, .. } => calls.push(call),
                Effect::SetTimer { id, .. } => timers.push(id),
                _ => {}
            }
        }
        let snapshot =
            Snapshot::from_bytes(&twin.snapshot().expect("it waits").to_bytes()).expect("they are whole");
        twin = engine().restore(&snapshot, Arc::new(Stored), LIMITS).expect("it fits");

        let pending = |call: &Call| match call {
            Call::Pending(index) => {
                calls.get(usize::from(*index) % calls.len()).copied().expect("it has calls")
            }
            Call::Any(number) => CallHandle(*number),
        };
        let set = |timer: &Timer| match timer {
            Timer::Set(index) => {
                timers.get(usize::from(*index) % timers.len()).copied().expect("it has timers")
            }
            Timer::Any(number) => *number,
        };
        let event = match ops.next() {
            None => return,
            Some(Op::Answered { call, json, now_us }) => {
                Event::Answered { call: pending(call), json: json.text(), now_us: *now_us }
            }
            Some(Op::Failed { call, json, now_us }) => {
                Event::Failed { call: pending(call), json: json.text(), now_us: *now_us }
            }
            Some(Op::TimerFired { id, now_us }) => Event::TimerFired { id: set(id), now_us: *now_us },
            Some(Op::Fork) => {
                vm = vm.fork().expect("it waits, and there is a place");
                continue;
            }
            Some(Op::Stop) => {
                vm.stopper().stop();
                twin.stopper().stop();
                continue;
            }
        };
        vm.deliver(event.clone());
        twin.deliver(event);
    }
});
