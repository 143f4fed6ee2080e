//! Lives the same session again and again, each time with another death, and compares what is left.

use std::collections::HashMap;
use std::ops::AddAssign;
use std::path::Path;
use std::process::{Command, ExitStatus};

use carrel_crash::disk;

use crate::script::{SCRIPTS, Script};
use crate::{ledger, told, world};

type Failure = Box<dyn std::error::Error>;

/// How many lives one session may need.
const LIVES: u64 = 1000;

/// Kills at every step of each script, or at every `every`th; then kills life after life at the same early step, so that
/// what is interrupted is a recovery.
pub(crate) fn run(every: Option<u64>) -> Result<(), Failure> {
    let every = every.unwrap_or(1).max(1);
    let mut all = Lived::default();
    for script in SCRIPTS {
        let whole = tempfile::tempdir()?;
        live(whole.path(), script, Death::None)?;
        let expected = outcomes(whole.path());
        let steps = steps(whole.path());
        for step in (1..=steps).step_by(usize::try_from(every)?) {
            all += check(script, &expected, |life| if life == 0 { Death::Step(step) } else { Death::None })?;
        }
        for step in (3..16).step_by(usize::try_from(every.min(13))?) {
            // Each life comes a little further than the one before, or it would never end.
            all += check(script, &expected, |life| Death::Step(step + life))?;
        }
        println!("{}: {steps} steps, killed at each {every}th: all is there", script.name);
        if disk::is_here() {
            // There are more of them than steps, and they differ less.
            let every = if every == 1 { 1 } else { every * 8 };
            let (writes, syncs) = (
                on_disk(script, &expected, every, Death::Write, &mut all)?,
                on_disk(script, &expected, every, Death::Sync, &mut all)?,
            );
            println!(
                "{}: killed inside {writes} writes, and {syncs} syncs failed: all is there",
                script.name
            );
        }
    }
    let Lived { deaths, unknown } = all;
    if unknown == 0 {
        return Err("no call's outcome was ever unknown, and what is said of that was not tried".into());
    }
    println!(
        "{deaths} deaths, nothing lost and nothing done twice; {unknown} calls that nobody knew of, and all were named"
    );
    Ok(())
}

/// How a life ends before its time.
#[derive(Clone, Copy, Debug)]
enum Death {
    None,
    /// Killed at this step of the store's.
    Step(u64),
    /// Killed inside this write to the disk, of which a part is done.
    Write(u64),
    /// This sync of the disk fails, and the process gives up.
    Sync(u64),
}

/// Lets a session's first life end at each `every`th write or sync there is. Returns at how many.
fn on_disk(
    script: &Script,
    expected: &[String],
    every: u64,
    death: impl Fn(u64) -> Death,
    all: &mut Lived,
) -> Result<u64, Failure> {
    let mut tried = 0;
    for number in (1..).step_by(usize::try_from(every)?) {
        let lived = check(script, expected, |life| if life == 0 { death(number) } else { Death::None })?;
        if lived.deaths == 0 {
            break;
        }
        *all += lived;
        tried += 1;
    }
    Ok(tried)
}

/// What became of a session that was killed on the way.
#[derive(Default)]
struct Lived {
    deaths: u64,
    /// Calls whose program was told that nobody knows what became of them.
    unknown: usize,
}

impl AddAssign for Lived {
    fn add_assign(&mut self, other: Self) {
        self.deaths += other.deaths;
        self.unknown += other.unknown;
    }
}

/// Lives a session to its end with these deaths.
fn check(script: &Script, expected: &[String], death_of: impl Fn(u64) -> Death) -> Result<Lived, Failure> {
    let folder = tempfile::tempdir()?;
    let failed = |life: u64, what: &str| {
        let world = world::read(folder.path()).join("\n  ");
        format!("script {}, life {life}, first death {:?}: {what}\n  {world}", script.name, death_of(0))
    };
    for life in 0..LIVES {
        match live(folder.path(), script, death_of(life)) {
            Ok(true) => {
                let found = outcomes(folder.path());
                told::check(expected, &found, life, &world::read(folder.path()))
                    .and_then(|()| once(folder.path()))
                    .map_err(|what| failed(life, &what))?;
                return Ok(Lived { deaths: life, unknown: told::unknown(&found) });
            }
            Ok(false) => {}
            Err(error) => return Err(failed(life, &error.to_string()).into()),
        }
    }
    Err(failed(LIVES, "it never came to its end").into())
}

/// Lives once. Returns whether it came to its end; dying as it was told to is no error, anything else is.
fn live(folder: &Path, script: &Script, death: Death) -> Result<bool, Failure> {
    let step = if let Death::Step(step) = death { step } else { 0 };
    let mut child = Command::new(std::env::current_exe()?);
    child.args(["child".as_ref(), folder.as_os_str(), script.name.as_ref(), step.to_string().as_ref()]);
    match death {
        Death::Write(number) => disk::under(&mut child, &format!("kill:write:{number}:{number}"), None),
        Death::Sync(number) => disk::under(&mut child, &format!("eio:sync:{number}"), None),
        Death::None | Death::Step(_) => {}
    }
    let output = child.output()?;
    if output.status.success() {
        return Ok(true);
    }
    let gave_up = matches!(death, Death::Sync(_)) && output.status.code() == Some(1);
    if was_killed(output.status) || gave_up {
        return Ok(false);
    }
    Err(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr)).into())
}

fn was_killed(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    status.signal() == Some(9)
}

/// Returns what the cells came to. A life that was killed after it had said so says it again, and has to say the same.
fn outcomes(folder: &Path) -> Vec<String> {
    let mut outcomes = Vec::new();
    for line in world::read(folder).into_iter().filter(|line| line.starts_with("outcome ")) {
        if !outcomes.contains(&line) {
            outcomes.push(line);
        }
    }
    outcomes
}

fn steps(folder: &Path) -> u64 {
    let steps = world::read(folder).into_iter().filter_map(|line| line.strip_prefix("steps ")?.parse().ok());
    steps.max().unwrap_or(0)
}

/// Checks that nothing was done twice that must not be.
fn once(folder: &Path) -> Result<(), String> {
    let mut done: HashMap<String, usize> = HashMap::new();
    for key in ledger::read(folder) {
        *done.entry(key).or_default() += 1;
    }
    match done.into_iter().find(|(_, times)| *times > 1) {
        Some((key, times)) => Err(format!("done {times} times: {key}")),
        None => Ok(()),
    }
}
