//! How much memory things take.

use std::fs;

use crate::machine::{resident, share, threads};
use crate::peer::run;
use crate::sides::{Side, Sides, opening};

const SESSIONS: usize = 100;

pub(crate) async fn measure(sides: &Sides) {
    if !sides.wants("memory") {
        return;
    }
    let names = [
        "size of the program",
        "memory of a host that has run a cell, resident",
        "memory of an idle session, of 100",
        "memory of a waiting cell, of 100; threads of that host",
        "memory of a waiting cell, of 900; threads of that host",
    ];
    let mut columns = Vec::new();
    for start in sides.starts() {
        let size = fs::metadata(&start.program).unwrap().len();
        let side = Side::start(start).await;
        side.session.run(run("text('hi')")).await.done();
        let (with_cell, alone) = (resident(side.pid()), share(side.pid()));
        let mut sessions = Vec::new();
        for number in 0..SESSIONS {
            sessions.push(side.host.open(&format!("idle-{number}"), opening()).await.unwrap());
        }
        let with_sessions = share(side.pid());
        let mut column = vec![
            megabytes(size as f64),
            megabytes(with_cell as f64),
            megabytes(with_sessions.saturating_sub(alone) as f64 / SESSIONS as f64),
        ];
        drop(side);
        for cells in [100, 900] {
            let side = Side::start(start).await;
            side.session.run(run("text('hi')")).await.done();
            let before = share(side.pid());
            for _ in 0..cells {
                let cell = run("text('hi'); await tools.hang({ a: 1 })").with(&["hang"]).yielding(0);
                side.session.run(cell).await;
                side.session.call().await;
            }
            let each = share(side.pid()).saturating_sub(before) as f64 / f64::from(cells);
            column.push(format!("{}; {}", megabytes(each), threads(side.pid())));
        }
        columns.push(column);
    }
    for (row, name) in names.iter().enumerate() {
        sides.print(name, columns.iter().map(|column| column[row].clone()).collect(), Vec::new());
    }
}

fn megabytes(bytes: f64) -> String {
    format!("{:.3} MB", bytes / 1e6)
}
