//! Generated programs under generated events: the same events have the same effects and leave the same memory, also
//! when the VM is saved, restored through bytes or forked between any two of them.
//!
//! `CARREL_PROGRAMS=5000` tries more; `CARREL_SEED=17` tries the one that a failure named.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

#[path = "../common/mod.rs"]
mod common;
mod notebook;
mod program;
mod rng;

use std::sync::Arc;

use carrel_engine::{
    CallHandle, Effect, Ending, Engine, EngineOptions, Event, Progress, Snapshot, Vm, VmLimits,
};

use common::{Stored, beginning, run};
use notebook::notebook;
use program::program;
use rng::Rng;

/// Events after which a cell is left: some wait for ever, once their answers go elsewhere.
const MOST_EVENTS: usize = 60;

#[derive(Debug, PartialEq)]
struct Story {
    turns: Vec<Vec<Effect>>,
    hashes: Vec<[u8; 32]>,
    endings: Vec<Ending>,
}

/// Plays cells, more than one in a persistent VM, under the events that follow from `seed` and from what they do, some of
/// them for earlier cells. `between` may replace the VM.
fn play(engine: &Engine, cells: &[String], seed: u64, mut between: impl FnMut(Vm) -> Vm) -> Story {
    let persistent = cells.len() > 1;
    let mut rng = Rng::new(seed);
    let mut vm = engine.start(beginning(&cells[0], persistent), VmLimits::default()).unwrap();
    let mut story = Story { turns: Vec::new(), hashes: Vec::new(), endings: Vec::new() };
    let (mut calls, mut timers) = (Vec::new(), Vec::new());
    let mut now_us = 1_790_000_000_000_000;
    let mut events = 0;
    while events < MOST_EVENTS {
        let (effects, progress) = run(&mut vm);
        for effect in &effects {
            match effect {
                Effect::CallTool { call, tool, input, .. } => calls.push((*call, *tool, input.clone())),
                Effect::SetTimer { id, .. } => timers.push(*id),
                Effect::ClearTimer { id } => timers.retain(|other| other != id),
                _ => {}
            }
        }
        story.turns.push(effects);
        if let Progress::Ended(ending) = progress {
            story.endings.push(ending);
            let Some(next) = cells.get(story.endings.len()).filter(|_| vm.is_whole()) else { break };
            story.hashes.push(vm.memory_hash().unwrap());
            vm = between(vm);
            vm.begin(beginning(next, persistent)).unwrap();
            events = 0;
            continue;
        }
        story.hashes.push(vm.memory_hash().unwrap());
        vm = between(vm);
        now_us += [0, 1, 1000, 86_400_000_000][rng.below(4)];
        vm.deliver(event(&mut rng, &mut calls, &mut timers, now_us));
        events += 1;
    }
    story
}

type Call = (CallHandle, usize, Option<String>);

/// Any of what the program waits for; now and then something that it does not, or that is not JSON.
fn event(rng: &mut Rng, calls: &mut Vec<Call>, timers: &mut Vec<i64>, now_us: i64) -> Event {
    if rng.one_in(12) {
        return Event::TimerFired { id: 1000, now_us };
    }
    if !timers.is_empty() && (calls.is_empty() || rng.one_in(3)) {
        let at = rng.below(timers.len());
        return Event::TimerFired { id: timers.remove(at), now_us };
    }
    if calls.is_empty() {
        return Event::Answered { call: CallHandle(3), json: "1".into(), now_us };
    }
    let at = rng.below(calls.len());
    // Some are answered twice.
    let (call, tool, input) = if rng.one_in(12) { calls[at].clone() } else { calls.remove(at) };
    let json = input.unwrap_or_else(|| "null".to_owned());
    if rng.one_in(15) {
        return Event::Answered { call, json: format!("{json}]").into(), now_us };
    }
    if tool == 2 || rng.one_in(10) {
        let json = format!(r#"{{"message":"it failed","code":"failed","retryable":true,"data":{json}}}"#);
        return Event::Failed { call, json: json.into(), now_us };
    }
    Event::Answered { call, json: json.into(), now_us }
}

fn through_bytes(engine: &Engine, vm: &Vm) -> Vm {
    let snapshot = Snapshot::from_bytes(&vm.snapshot().unwrap().to_bytes()).unwrap();
    let stored = Stored([("kept".to_owned(), "{\"from\":\"before\"}".into())].into());
    engine.restore(&snapshot, Arc::new(stored), VmLimits::default()).unwrap()
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

fn seeds(usual: u64) -> std::ops::Range<u64> {
    number("CARREL_SEED").map_or(0..number("CARREL_PROGRAMS").unwrap_or(usual), |seed| seed..seed + 1)
}

/// Plays cells four times, and returns what they did each time.
fn play_in_every_way(engine: &Engine, cells: &[String], seed: u64) -> Story {
    let source = cells.join("\n// ---- next cell ----\n");
    let story = play(engine, cells, seed, |vm| vm);
    assert!(play(engine, cells, seed, |vm| vm) == story, "CARREL_SEED={seed}: again\n{source}");
    let restored = play(engine, cells, seed, |vm| through_bytes(engine, &vm));
    assert!(restored == story, "CARREL_SEED={seed}: restored\n{source}");
    // On with the fork or with its origin, while the other does something else.
    let mut chance = Rng::new(!seed);
    let forked = play(engine, cells, seed, |vm| {
        let fork = vm.fork().unwrap();
        let (on, mut other) = if chance.one_in(2) { (vm, fork) } else { (fork, vm) };
        if other.begin(beginning("globalThis.w0 = globalThis.n0 = 'other'; exit();", true)).is_err() {
            other.deliver(Event::TimerFired { id: 1, now_us: i64::MAX / 2 });
        }
        run(&mut other);
        on
    });
    assert!(forked == story, "CARREL_SEED={seed}: forked\n{source}");
    story
}

#[test]
fn the_same_events_do_the_same_whatever_happens_in_between() {
    let engine = Engine::new(EngineOptions { max_vms: 8, ..EngineOptions::default() }).unwrap();
    let mut completed = 0;
    let (mut turns, mut programs) = (0, 0);
    for seed in seeds(40) {
        let source = program(&mut Rng::new(seed));
        let story = play_in_every_way(&engine, std::slice::from_ref(&source), seed);
        let ending = story.endings.first();
        let healthy = !matches!(
            ending,
            Some(Ending::Trapped(_) | Ending::StackExhausted | Ending::SyntaxError(_) | Ending::Stopped)
        );
        assert!(healthy, "CARREL_SEED={seed}: {ending:?}\n{source}");
        completed += usize::from(matches!(ending, Some(Ending::Completed(_) | Ending::Threw(_))));
        turns += story.turns.len();
        programs += 1;
    }
    // The programs are what they are meant to be: most come to their end, and not at once.
    assert!(completed * 2 >= programs, "{completed} of {programs} came to an end");
    assert!(turns >= 3 * programs || programs == 1, "{turns} turns in {programs} programs");
}

fn texts(story: &Story) -> Vec<&str> {
    fn text(effect: &Effect) -> Option<&str> {
        if let Effect::Text { text, .. } = effect { Some(text) } else { None }
    }
    story.turns.iter().flatten().filter_map(text).collect()
}

#[test]
fn cells_of_one_vm_share_their_variables_as_scripts_share_properties_of_the_global_object() {
    let engine = Engine::new(EngineOptions { max_vms: 8, ..EngineOptions::default() }).unwrap();
    let mut compared = 0;
    for seed in seeds(150) {
        let notebook = notebook(&mut Rng::new(seed));
        let shown = notebook.cells.join("\n// ---- next cell ----\n");
        let story = play_in_every_way(&engine, &notebook.cells, seed);
        for ending in &story.endings {
            let expected = match ending {
                Ending::Completed(_) | Ending::Exited | Ending::SyntaxError(_) => true,
                Ending::Threw(error) => error.message == "here",
                _ => false,
            };
            assert!(expected, "CARREL_SEED={seed}: {ending:?}\n{shown}");
        }
        let script = play(&engine, std::slice::from_ref(&notebook.script), seed, |vm| vm);
        if story.endings.len() == notebook.cells.len() && script.endings.len() == 1 {
            let (of_cells, of_script) = (texts(&story), texts(&script));
            let differing = of_cells.iter().zip(&of_script).find(|(cell, script)| cell != script);
            assert!(
                of_cells == of_script,
                "CARREL_SEED={seed}: {differing:?}, {:?}\n{shown}\n// ---- as one\n{}",
                script.endings,
                notebook.script
            );
            compared += 1;
        }
    }
    assert!(compared > 0, "no sequence of cells came to its end");
}
