//! How long things take.

use std::cell::Cell;
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use crate::peer::{Run, Seen, Session, State, Transport, run};
use crate::sides::{Plan, Side, Sides, Unit, milliseconds, opening, timed};

/// Cells that run at once.
const LINES: u32 = 64;
const CELLS: u32 = 20;

const FIB: &str =
    "function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2) } if (fib(27) !== 196418) throw 'no'";
const ROWS: &str = "const rows = []; for (let i = 0; i < 50000; i++) rows.push({ id: i, name: 'name ' + i, value: (i * 7919) % 50000, tags: ['a', 'b', 'c'], nested: { x: i, y: -i, ok: true } });
    const back = JSON.parse(JSON.stringify(rows)); back.sort((a, b) => a.value - b.value); back.map((row) => row.value * 2).length";
const AWAITS: &str = "for (let i = 0; i < 100000; i++) await null";

pub(crate) async fn measure(sides: &Sides) {
    starts(sides).await;
    let each = |turns, times| Plan { turns, times, of: 1, unit: Unit::Each };
    sides
        .row(
            "a cell, `text(\"hi\")`, from request to result",
            each(10, 100),
            async |Side { session, .. }| timed(ended(session, run("text(\"hi\")"))).await.0,
        )
        .await;
    let plan = Plan { turns: 9, times: 1, of: LINES * CELLS, unit: Unit::PerSecond };
    sides
        .row("cells a second, 64 at once", plan, async |Side { session, .. }| timed(at_once(session)).await.0)
        .await;
    let sessions = Cell::new(0);
    sides
        .row("a session opened and closed, a cell in it", each(10, 50), async |side| {
            sessions.set(sessions.get() + 1);
            let name = format!("session-{}", sessions.get());
            timed(async {
                let session = side.host.open(&name, opening()).await.unwrap();
                ended(&session, run("text(\"hi\")")).await;
                session.shutdown().await.unwrap();
            })
            .await
            .0
        })
        .await;
    let plan = Plan { turns: 9, times: 1, of: 1000, unit: Unit::Each };
    let source = "for (let i = 0; i < 1000; i++) await tools.echo({ n: i })";
    sides
        .row("a nested tool call, 1,000 in sequence, each", plan, async |Side { session, .. }| {
            calling(session, source).await
        })
        .await;
    for calls in [100, 4000] {
        bursts(sides, calls).await;
    }
    burst_of_ten_thousand(sides).await;
    sides
        .row("a tool's answer of 1 MB", each(9, 3), async |Side { session, .. }| {
            let answer = json!("x".repeat(1_000_000));
            let cell = run("text((await tools.echo()).length)").with(&["echo"]);
            let answers = async {
                let call = session.call().await;
                session.answer(&call, Ok(answer)).await;
            };
            timed(async { tokio::join!(ended(session, cell), answers) }).await.0
        })
        .await;
    sides
        .row("1 MB of output, `text` once", each(9, 3), async |Side { session, .. }| {
            let (time, seen) =
                timed(ended(session, run("text('x'.repeat(1000).repeat(1000))").tokens(300_000))).await;
            assert_eq!(seen.texts()[0].len(), 1_000_000);
            time
        })
        .await;
    sides
        .row(
            "a cell that yields, and the wait for its end",
            each(10, 50),
            async |Side { session, .. }| {
                let (time, seen) = timed(async {
                    let first = session.run(run("text('a'); yield_control(); await null; text('b')")).await;
                    session.wait(&first.cell, 30_000).await
                })
                .await;
                assert_eq!(seen.done(), ["b"]);
                time
            },
        )
        .await;
    let plan = Plan { turns: 10, times: 5, of: 1, unit: Unit::Alone };
    for (what, source) in [
        ("a loop ended, `while (true) {}`, from request to answer", "while (true) {}"),
        ("a waiting cell ended", "await new Promise(() => {})"),
    ] {
        sides
            .row(what, plan, async |Side { session, .. }| {
                let first = session.run(run(source).yielding(5)).await;
                let (time, seen) = timed(session.terminate(&first.cell)).await;
                assert_eq!(seen.state, State::Terminated);
                time
            })
            .await;
    }
    for (what, source) in [
        ("`fib(27)`", FIB),
        ("build, stringify, parse, sort, map 50,000 objects", ROWS),
        ("100,000 awaits of what is there", AWAITS),
    ] {
        sides
            .row(what, each(7, 1), async |Side { session, .. }| timed(ended(session, run(source))).await.0)
            .await;
    }
}

/// A process, its handshake, a session, and the result of a first cell.
async fn starts(sides: &Sides) {
    let what = "a process started, to its first cell's result";
    if !sides.wants(what) {
        return;
    }
    let mut all: Vec<_> = sides.starts().map(|start| (start, Vec::new())).collect();
    for turn in 0..=30 {
        for (start, times) in &mut all {
            let (time, side) = timed(async {
                let side = Side::start(start).await;
                ended(&side.session, run("text(\"hi\")")).await;
                side
            })
            .await;
            side.host.kill().await;
            if turn > 0 {
                times.push(time);
            }
        }
    }
    let medians = all.into_iter().map(|(_, mut times)| {
        times.sort();
        milliseconds(times[times.len() / 2])
    });
    sides.print(what, medians.collect(), Vec::new());
}

async fn ended(session: &Session, run: Run) -> Seen {
    let seen = session.run(run).await;
    seen.done();
    seen
}

async fn at_once(session: &Session) {
    let mut lines = JoinSet::new();
    for _ in 0..LINES {
        let session = session.clone();
        lines.spawn(async move {
            for _ in 0..CELLS {
                ended(&session, run("text(\"hi\")")).await;
            }
        });
    }
    lines.join_all().await;
}

/// Runs a cell and answers its calls, one after the other.
async fn calling(session: &Session, source: &str) -> Duration {
    let answers = async {
        loop {
            let call = session.call().await;
            session.answer(&call, Ok(json!({ "n": 1 }))).await;
        }
    };
    let (time, _) = timed(async {
        tokio::select! {
            seen = ended(session, run(source).with(&["echo"])) => seen,
            () = answers => unreachable!(),
        }
    })
    .await;
    time
}

/// Runs a cell that makes many calls at once, and answers each as it comes.
async fn burst(session: &Session, calls: u32) -> Result<Duration, String> {
    let source = format!(
        "const all = await Promise.all(Array.from({{ length: {calls} }}, (_, i) => tools.echo({{ n: i }}))); text(all.length)"
    );
    let answers = async {
        let mut answers = JoinSet::new();
        while let Some(call) = session.try_call().await {
            let session = session.clone();
            answers.spawn(async move { session.answer(&call, Ok(json!({ "n": 1 }))).await });
            while answers.try_join_next().is_some() {}
        }
    };
    let (time, seen) = timed(async {
        tokio::select! {
            seen = async { session.try_start(run(&source).with(&["echo"])).await?.answer().await } => seen,
            () = answers => Err("the connection is lost".to_owned()),
        }
    })
    .await;
    let seen = seen?;
    if seen.error().is_none() && seen.texts() == [calls.to_string()] {
        Ok(time)
    } else {
        Err(format!("{seen:?}"))
    }
}

async fn bursts(sides: &Sides, calls: u32) {
    // The observed host loses its connection.
    if calls > 100 && sides.transport == Transport::Json {
        return;
    }
    let turns = if calls > 100 { 5 } else { 30 };
    let plan = Plan { turns, times: 1, of: calls, unit: Unit::PerSecond };
    sides
        .row(&format!("`Promise.all` of {calls} calls, a second"), plan, async |Side { session, .. }| {
            burst(session, calls).await.unwrap()
        })
        .await;
}

/// What the observed host cannot do is tried once, and said.
async fn burst_of_ten_thousand(sides: &Sides) {
    let what = "`Promise.all` of 10,000 calls, a second";
    if !sides.wants(what) {
        return;
    }
    let mut figures = Vec::new();
    for start in sides.starts() {
        let side = Side::start(start).await;
        let mut times = Vec::new();
        let mut failed = None;
        while times.len() < 5 && failed.is_none() {
            match tokio::time::timeout(Duration::from_secs(20), burst(&side.session, 10_000)).await {
                Ok(Ok(time)) => times.push(time),
                Ok(Err(error)) => failed = Some(error.chars().take(120).collect()),
                Err(_) => failed = Some("nothing more is heard".to_owned()),
            }
        }
        times.sort();
        figures.push(
            failed.unwrap_or_else(|| format!("{:.0}/s", 10_000.0 / times[times.len() / 2].as_secs_f64())),
        );
    }
    sides.print(what, figures, Vec::new());
}
