//! Source text of any kind, in either dialect: it ends as an error of the cell's, never of the engine's, and a VM that is saved and
//! restored between any two events does the same.
#![no_main]

use std::collections::VecDeque;
use std::sync::Arc;

use carrel_engine::{Dialect, Effect, Event, Progress, Snapshot, Vm};
use carrel_fuzz::{LIMITS, Stored, engine, run, start_in};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|source: &str| {
    for dialect in [Dialect::Carrel, Dialect::Codex] {
        play(start_in(dialect, source.to_owned()));
    }
});

fn play(mut vm: Vm) {
    let mut events = VecDeque::new();
    let mut now_us = 1_790_000_000_000_000;
    for _ in 0..20 {
        let (effects, progress) = run(&mut vm);
        if progress != Progress::Idle {
            break;
        }
        let bytes = vm.snapshot().expect("it waits").to_bytes();
        let snapshot = Snapshot::from_bytes(&bytes).expect("they are whole");
        let restored = engine().restore(&snapshot, Arc::new(Stored), LIMITS).expect("it fits");
        assert_eq!(restored.memory_hash().ok(), vm.memory_hash().ok());
        vm = restored;
        for effect in effects {
            now_us += 1000;
            match effect {
                Effect::CallTool { call, tool: 0, input, .. } => {
                    let json = input.unwrap_or_else(|| "null".to_owned()).into();
                    events.push_back(Event::Answered { call, json, now_us });
                }
                Effect::CallTool { call, .. } => {
                    let json = r#"{"message":"it failed","code":"failed","retryable":true}"#.into();
                    events.push_back(Event::Failed { call, json, now_us });
                }
                Effect::SetTimer { id, .. } => events.push_back(Event::TimerFired { id, now_us }),
                _ => {}
            }
        }
        let Some(event) = events.pop_front() else { break };
        vm.deliver(event);
    }
}
