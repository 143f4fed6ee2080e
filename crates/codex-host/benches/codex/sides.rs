//! The two hosts, and how they take turns.

use std::ffi::OsString;
use std::iter;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::machine::cpu_time;
use crate::peer::{Host, Opening, Session, Start, Transport};

/// The observed host, where there is one, and this one.
pub(crate) struct Sides {
    pub(crate) transport: Transport,
    observed: Option<Start>,
    here: Start,
    wanted: Option<String>,
}

/// How a row is measured.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    /// The turns of each host, of which the first does not count.
    pub(crate) turns: usize,
    /// How often it is done in each.
    pub(crate) times: u32,
    /// Of what that many are done at a time.
    pub(crate) of: u32,
    pub(crate) unit: Unit,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// How long one takes, and the CPU time of the host for it.
    Each,
    /// How many there are in a second, and the CPU time of the host for one.
    PerSecond,
    /// How long one takes, where the host is also busy otherwise.
    Alone,
}

/// A host that was started, with a session.
pub(crate) struct Side {
    pub(crate) host: Host,
    pub(crate) session: Session,
}

impl Side {
    pub(crate) async fn start(start: &Start) -> Self {
        let host = start.host().await;
        let session = host.open("s1", opening()).await.unwrap();
        Self { host, session }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.host.child.id().unwrap()
    }
}

/// Asks for what Codex asks for.
pub(crate) fn opening() -> Opening {
    Opening { truncates: true, capacity: 4096, ..Opening::default() }
}

impl Sides {
    pub(crate) fn new(transport: Transport, observed: Option<OsString>, wanted: Option<String>) -> Self {
        let here = Start::new(transport);
        let observed = observed.map(|program| {
            assert!(Path::new(&program).is_file(), "CARREL_CODEX_OBSERVED is {}", program.display());
            Start { program: program.into(), ..here.clone() }
        });
        Self { transport, observed, here, wanted }
    }

    pub(crate) fn wants(&self, what: &str) -> bool {
        self.wanted.as_ref().is_none_or(|part| what.contains(part))
    }

    /// Returns how each host is started, the observed one first.
    pub(crate) fn starts(&self) -> impl Iterator<Item = &Start> {
        self.observed.iter().chain(iter::once(&self.here))
    }

    pub(crate) fn head(&self) {
        println!("\n| over {:?} | observed | here | its CPU time | CPU time here |", self.transport);
        println!("| --- | --- | --- | --- | --- |");
    }

    /// Prints a row; a column that there is no figure for is a dash.
    pub(crate) fn print(&self, what: &str, mut figures: Vec<String>, mut cpu: Vec<String>) {
        for columns in [&mut figures, &mut cpu] {
            let missing = 2 - columns.len();
            columns.splice(0..0, iter::repeat_n("-".to_owned(), missing));
        }
        println!("| {what} | {} | {} |", figures.join(" | "), cpu.join(" | "));
    }

    /// Measures something in a session of either host, in turns.
    pub(crate) async fn row(&self, what: &str, plan: Plan, measure: impl AsyncFn(&Side) -> Duration) {
        if !self.wants(what) {
            return;
        }
        let mut sides = Vec::new();
        for start in self.starts() {
            sides.push((Side::start(start).await, Vec::new(), Duration::ZERO));
        }
        for turn in 0..=plan.turns {
            for (side, times, cpu) in &mut sides {
                let before = cpu_time(side.pid());
                for _ in 0..plan.times {
                    let time = measure(side).await;
                    if turn > 0 {
                        times.push(time);
                    }
                }
                if turn > 0 {
                    *cpu += cpu_time(side.pid()).saturating_sub(before);
                }
            }
        }
        let (mut figures, mut cpus) = (Vec::new(), Vec::new());
        for (_, mut times, cpu) in sides {
            let count = u32::try_from(times.len()).unwrap() * plan.of;
            times.sort();
            let median = times[times.len() / 2];
            figures.push(match plan.unit {
                Unit::Each | Unit::Alone => milliseconds(median / plan.of),
                Unit::PerSecond => format!("{:.0}/s", f64::from(plan.of) / median.as_secs_f64()),
            });
            if plan.unit != Unit::Alone {
                cpus.push(milliseconds(cpu / count));
            }
        }
        self.print(what, figures, cpus);
    }
}

pub(crate) async fn timed<T>(what: impl Future<Output = T>) -> (Duration, T) {
    let begun = Instant::now();
    let value = what.await;
    (begun.elapsed(), value)
}

/// Writes a time with three digits.
pub(crate) fn milliseconds(time: Duration) -> String {
    let time = time.as_secs_f64() * 1e3;
    let decimals = match time {
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        _ => 3,
    };
    format!("{time:.decimals$} ms")
}
