//! Prints what came out: rates by folder, and what is not as expected.

use std::collections::BTreeMap;

use crate::expected::Surprises;
use crate::runner::Outcome;
use crate::suite::Suite;

/// How many passed in each engine.
#[derive(Clone, Copy, Default)]
struct Count {
    all: usize,
    cell: usize,
    native: usize,
}

impl Count {
    fn add(&mut self, outcome: &Outcome<'_>) {
        self.all += 1;
        self.cell += usize::from(outcome.cell.is_ok());
        self.native += usize::from(outcome.native.is_ok());
    }

    fn print(self, name: &str) {
        let Self { all, cell, native } = self;
        let percent = |passed: usize| 100.0 * passed as f64 / all.max(1) as f64;
        let (cell_percent, native_percent) = (percent(cell), percent(native));
        println!("{name:<44} {all:>6} {cell:>7} {cell_percent:>7.2} % {native:>7} {native_percent:>7.2} %");
    }
}

/// Prints how many passed in each folder, and how many tests do not apply.
pub(crate) fn rates(suite: &Suite, outcomes: &[Outcome<'_>]) {
    let mut folders: BTreeMap<String, Count> = BTreeMap::new();
    let (mut language, mut intl) = (Count::default(), Count::default());
    for outcome in outcomes {
        let mut parts = outcome.path.split('/');
        let (first, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let folder = if second.ends_with(".js") { first.to_owned() } else { format!("{first}/{second}") };
        let total = if first == "intl402" { &mut intl } else { &mut language };
        if folder != first {
            folders.entry(folder).or_default().add(outcome);
        }
        folders.entry(first.to_owned()).or_default().add(outcome);
        total.add(outcome);
    }
    println!("{:<44} {:>6} {:>17} {:>17}", "passed", "tests", "cell", "native");
    for (folder, count) in &folders {
        count.print(folder);
    }
    println!();
    for (name, count) in [("ECMA-262, all but intl402", language), ("ECMA-402, intl402", intl)] {
        if count.all > 0 {
            count.print(name);
        }
    }
    println!("\nnot applicable: {}", suite.left_out().values().sum::<usize>());
    for (reason, count) in suite.left_out() {
        println!("{count:>6}  {reason}");
    }
}

/// Prints every failure, with what each engine threw.
pub(crate) fn failures(outcomes: &[Outcome<'_>]) {
    println!("\nfailures:");
    for outcome in outcomes.iter().filter(|outcome| outcome.cell.is_err() || outcome.native.is_err()) {
        print(outcome);
    }
}

/// Prints what fails in the cell and passes in native QuickJS-NG.
pub(crate) fn ours(outcomes: &[Outcome<'_>]) {
    let ours: Vec<_> = outcomes.iter().filter(|outcome| is_ours(outcome)).collect();
    println!("\nfailed in the cell and passed in native QuickJS-NG: {}", ours.len());
    for outcome in ours {
        print(outcome);
    }
}

/// Native has no Intl at all; what it passes there says nothing.
fn is_ours(outcome: &Outcome<'_>) -> bool {
    outcome.cell.is_err() && outcome.native.is_ok()
}

/// Prints where results differ from the expected ones.
pub(crate) fn surprises(surprises: &Surprises, outcomes: &[Outcome<'_>]) {
    let Surprises { failed, passed, stale } = surprises;
    if surprises.is_empty() {
        println!("\nthe results are the expected ones");
    }
    for (what, paths) in [
        ("failed, and were not expected to", failed),
        ("passed, and were expected to fail", passed),
        ("expected to fail, but no test that was run", stale),
    ] {
        if paths.is_empty() {
            continue;
        }
        println!("\n{what}: {}", paths.len());
        for path in paths {
            match outcomes.iter().find(|outcome| outcome.path == path) {
                Some(outcome) => print(outcome),
                None => println!("  {path}"),
            }
        }
    }
}

/// What is thrown can be as long as a test likes.
const LONGEST_MESSAGE: usize = 160;

fn print(outcome: &Outcome<'_>) {
    let said = |verdict: &Result<(), String>| match verdict {
        Ok(()) => "passed".to_owned(),
        Err(why) => why.chars().take(LONGEST_MESSAGE).collect::<String>().replace('\n', " "),
    };
    println!(
        "  {}\n      cell: {}\n    native: {}",
        outcome.path,
        said(&outcome.cell),
        said(&outcome.native)
    );
}
