//! What a killed session may come to that differs from what a whole one does: a call whose outcome nobody knows.
//!
//! The program writes `unknown TOOL CALL outcome_unknown` where it would have written `done RESULT`, and the first response
//! after the recovery names the call, too.

use std::collections::BTreeSet;

/// Compares outcomes, after so many deaths, with those of a session that was never killed.
pub(crate) fn check(
    expected: &[String],
    found: &[String],
    deaths: u64,
    world: &[String],
) -> Result<(), String> {
    let differs = || format!("expected {expected:#?}, found {found:#?}");
    if expected.len() != found.len() {
        return Err(differs());
    }
    let mut by_program = BTreeSet::new();
    for (expected, found) in expected.iter().zip(found) {
        let cell = found.split(' ').nth(1).unwrap_or_default();
        let (mut of_whole, mut of_killed) = (lines(expected), lines(found));
        loop {
            match (of_whole.next(), of_killed.next()) {
                (None, None) => break,
                (Some(whole), Some(killed)) if whole == killed => {}
                (Some(whole), Some(killed)) if deaths > 0 && whole.contains("done ") => {
                    by_program.insert(format!("{cell} {}", call(killed).ok_or_else(differs)?));
                }
                _ => return Err(differs()),
            }
        }
    }
    // Of a call that somebody was asked about, and nobody allowed, it is known that it was not made.
    let was = |what: &str, call: &str| {
        world.iter().any(|line| line.strip_prefix(what) == Some(&format!(" {call}")))
    };
    if let Some(call) = by_program.iter().find(|call| was("asked", call) && !was("allowed", call)) {
        return Err(format!("{call} was never allowed, and its program was told that nobody knows of it"));
    }
    let told =
        world.iter().filter_map(|line| line.strip_prefix("told unknown ")).map(str::to_owned).collect();
    // Whoever is killed again may not have come to say it.
    if deaths <= 1 && by_program != told {
        return Err(format!("the programs were told of {by_program:?}, and the responses told of {told:?}"));
    }
    Ok(())
}

/// Counts the calls of which a program was told that nobody knows what became of them.
pub(crate) fn unknown(outcomes: &[String]) -> usize {
    outcomes.iter().flat_map(|outcome| lines(outcome)).filter(|line| call(line).is_some()).count()
}

/// Returns the call that a line says is unknown, and has to name.
fn call(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("unknown ship ").or_else(|| line.split_once("unknown sell "))?;
    let (call, _) = rest.split_once(" outcome_unknown")?;
    Some(call)
}

/// The lines of a text that was written as Rust writes strings.
fn lines(outcome: &str) -> impl Iterator<Item = &str> {
    outcome.split("\\n")
}
