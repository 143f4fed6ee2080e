//! `carrel sessions`: what is kept.

use std::time::Duration;

use carrel_contract::{SessionId, SessionMode, SessionName};
use carrel_journal::Store as _;
use serde::Serialize;

use super::index::{Index, Known};
use super::shelf::{now_us, store_fault};
use super::{Shelf, owner};
use crate::args::SessionsArgs;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::printer::Printer;
use crate::run::Fault;
use crate::sanitize::{sanitize_json, sanitize_line};
use crate::terminal::{Terminal, Tone};
use crate::units::show_bytes;

/// Runs the command.
pub(crate) async fn run(args: SessionsArgs, interrupt: Interrupt) -> Exit {
    let printer = Printer::new(Terminal::detect());
    let rows = tokio::select! {
        exit = interrupt.fired() => return exit,
        rows = rows() => rows,
    };
    let rows = match rows {
        Ok(rows) => rows,
        Err((exit, message)) => {
            printer.note(Tone::Error, &message);
            return exit;
        }
    };
    if rows.is_empty() && !args.json {
        printer.note(
            Tone::Plain,
            "no sessions: `carrel run --session NAME` and `carrel repl --session NAME` make them",
        );
        return Exit::Success;
    }
    let text = if args.json {
        sanitize_json(&serde_json::to_string(&rows).unwrap_or_default()).into_owned()
    } else {
        table(&rows, now_us())
    };
    printer.data(&text).map_or_else(|error| error.report(&printer), |()| Exit::Success)
}

/// A session, as programs are told of it.
#[derive(Debug, Serialize)]
struct Row {
    /// What a person calls it: its name, or its id, where it has none or is not the only one of that name.
    name: String,
    id: SessionId,
    /// Why nothing more is known of it.
    fault: Option<String>,
    mode: Option<SessionMode>,
    running: usize,
    ended: u64,
    /// The cells that there is more of than was shown.
    unread: usize,
    used_at_ms: Option<i64>,
    size_bytes: u64,
    /// Who has it now.
    owner: Option<String>,
}

async fn rows() -> Result<Vec<Row>, Fault> {
    let Some(shelf) = Shelf::look()? else { return Ok(Vec::new()) };
    let ids = shelf.all().await?;
    let names: Vec<_> = ids.iter().map(SessionName::of).collect();
    let mut rows = Vec::with_capacity(ids.len());
    let mut index = Index::open();
    for (id, name) in ids.iter().zip(&names) {
        let one = names.iter().filter(|other| *other == name).count() == 1;
        let name = name.as_ref().filter(|_| one).map_or_else(|| id.to_string(), ToString::to_string);
        rows.push(row(&shelf, &mut index, id.clone(), name).await?);
    }
    index.keep(&ids);
    index.save();
    // The latest first: the one that is looked for.
    rows.sort_by(|a, b| b.used_at_ms.cmp(&a.used_at_ms).then_with(|| a.name.cmp(&b.name)));
    Ok(rows)
}

async fn row(shelf: &Shelf, index: &mut Index, id: SessionId, name: String) -> Result<Row, Fault> {
    let owner = shelf.holder(&id).await?.map(|lease| owner(lease.owner.as_str()));
    let head = shelf.store.head(&id).await.map_err(|error| store_fault(&error))?;
    if let Some(known) = head.and_then(|head| index.get(&id, head)).copied() {
        return Ok(Row::new(name, id, owner, known));
    }
    let size_bytes = shelf.store.size_bytes(&id).await.map_err(|error| store_fault(&error))?;
    let kept = match carrel_runtime::inspect(&shelf.as_store(), &id).await {
        Ok(kept) => kept,
        Err(error) => {
            let fault = Some(error.to_string());
            let (mode, used_at_ms) = (None, None);
            return Ok(Row {
                name,
                id,
                fault,
                mode,
                running: 0,
                ended: 0,
                unread: 0,
                used_at_ms,
                size_bytes,
                owner,
            });
        }
    };
    let running = kept.cells.iter().filter(|cell| cell.is_running).count();
    let known = Known {
        mode: kept.spec.mode,
        running,
        ended: kept.admitted.saturating_sub(running as u64),
        unread: kept.cells.iter().filter(|cell| cell.is_unread && !cell.is_running).count(),
        used_at_ms: kept.used_at_us / 1000,
        size_bytes,
    };
    // What was written since the head was looked at makes it another the next time.
    if let Some(head) = head {
        index.put(&id, head, known);
    }
    Ok(Row::new(name, id, owner, known))
}

impl Row {
    fn new(name: String, id: SessionId, owner: Option<String>, known: Known) -> Self {
        let Known { mode, running, ended, unread, used_at_ms, size_bytes } = known;
        let (mode, used_at_ms) = (Some(mode), Some(used_at_ms));
        Self { name, id, fault: None, mode, running, ended, unread, used_at_ms, size_bytes, owner }
    }
}

fn table(rows: &[Row], now_us: i64) -> String {
    let cells: Vec<[String; 6]> = rows.iter().map(|row| columns(row, now_us)).collect();
    let width =
        |at: usize| cells.iter().filter_map(|row| Some(row.get(at)?.chars().count())).max().unwrap_or(0);
    let widths: Vec<_> = (0..6).map(width).collect();
    let line = |row: &[String; 6]| {
        let padded = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    cells.iter().map(|row| format!("{}\n", line(row))).collect()
}

fn columns(row: &Row, now_us: i64) -> [String; 6] {
    let size = show_bytes(usize::try_from(row.size_bytes).unwrap_or(usize::MAX));
    let name = sanitize_line(&row.name);
    if let Some(fault) = &row.fault {
        return [name, "-".into(), sanitize_line(fault), String::new(), size, String::new()];
    }
    let mode = match row.mode {
        Some(SessionMode::Persistent) => "notebook",
        _ => "cells",
    };
    let counts = [(row.running as u64, "running"), (row.ended, "ended"), (row.unread as u64, "unread")];
    let counts: Vec<_> =
        counts.iter().filter(|it| it.0 > 0).map(|(count, what)| format!("{count} {what}")).collect();
    let counts = if counts.is_empty() { "no cells".to_owned() } else { counts.join(", ") };
    let used = row.used_at_ms.map_or_else(String::new, |at| ago(now_us / 1000 - at));
    let owner =
        row.owner.as_ref().map_or_else(String::new, |owner| format!("in use by {}", sanitize_line(owner)));
    [name, mode.into(), counts, used, size, owner]
}

/// Says how long ago something was, roughly.
fn ago(ms: i64) -> String {
    let time = Duration::from_millis(u64::try_from(ms).unwrap_or(0)).as_secs();
    match time {
        0..60 => "just now".to_owned(),
        60..7200 => format!("{} min ago", time / 60),
        7200..172_800 => format!("{} h ago", time / 3600),
        _ => format!("{} days ago", time / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str) -> Row {
        Row {
            name: name.to_owned(),
            id: SessionId::new("a:0123456789abcdef").unwrap(),
            fault: None,
            mode: Some(SessionMode::Fresh),
            running: 1,
            ended: 2,
            unread: 0,
            used_at_ms: Some(0),
            size_bytes: 2048,
            owner: None,
        }
    }

    #[test]
    fn a_session_is_a_line() {
        let damaged = Row { fault: Some("broken\nhere".into()), ..row("b") };
        let owned = Row {
            owner: Some("process 7".into()),
            running: 0,
            ended: 0,
            mode: Some(SessionMode::Persistent),
            ..row("long")
        };
        let table = table(&[row("a"), owned, damaged], 3_600_000_000);
        let expected = "a     cells     1 running, 2 ended  60 min ago  2 KiB\nlong  notebook  no cells            60 min ago  2 KiB  in use by process 7\n";
        assert!(table.starts_with(expected), "{table}");
        assert_eq!(table.lines().count(), 3, "{table}");
    }

    #[test]
    fn times_are_rough() {
        for (ms, said) in
            [(-5, "just now"), (61_000, "1 min ago"), (7_300_000, "2 h ago"), (200_000_000, "2 days ago")]
        {
            assert_eq!(ago(ms), said);
        }
    }
}
