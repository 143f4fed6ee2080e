//! The model: what a session is, in the fewest words. No task, no clock, no VM.

use std::collections::{BTreeMap, VecDeque};

use super::program::{Program, Step};
use crate::{CellId, WaitUntil};

/// What happened to a cell, as its log tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Admitted,
    Text(String),
    Notified(String),
    Yielded,
    Called,
    Answered { ok: bool },
    Completed { ok: bool },
    Terminated,
}

impl Entry {
    pub(super) fn is_end(&self) -> bool {
        matches!(self, Self::Completed { .. } | Self::Terminated)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) id: CellId,
    program: Program,
    /// The step that it waits at, or has come to.
    at: usize,
    pub(super) log: Vec<Entry>,
    /// The stored values when it was admitted, and what it wrote.
    seen: BTreeMap<String, u64>,
    writes: BTreeMap<String, u64>,
    /// How much of its log the session's reader was given, and from where it read the outcome first.
    pub(super) read: usize,
    outcome_read_from: Option<usize>,
    pub(super) was_read: bool,
}

impl Cell {
    pub(super) fn has_ended(&self) -> bool {
        self.log.last().is_some_and(Entry::is_end)
    }

    /// Returns the text after a place in its log.
    pub(super) fn text_after(&self, place: usize) -> String {
        let texts = self.log.iter().skip(place).filter_map(|entry| match entry {
            Entry::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect::<Vec<_>>().join("\n")
    }

    /// Tells whether a yield is still to come.
    pub(super) fn will_yield(&self) -> bool {
        self.program.0.iter().skip(self.at).any(|step| matches!(step, Step::Ask { yields: true, .. }))
    }

    /// Returns where the session's reader reads on: an outcome that it has read, it reads again.
    pub(super) fn reader(&self) -> usize {
        self.outcome_read_from.unwrap_or(self.read)
    }

    /// Notes that the session's reader was given everything after `from`.
    pub(super) fn note_read(&mut self, from: usize) {
        self.read = self.log.len();
        if self.has_ended() {
            self.outcome_read_from.get_or_insert(from);
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) running_limit: usize,
    pub(super) kept_outcomes: usize,
    pub(super) cells: Vec<Cell>,
    committed: BTreeMap<String, u64>,
    /// Ended cells whose outcome is kept, oldest first.
    kept: VecDeque<CellId>,
    pub(super) is_shut_down: bool,
}

impl Session {
    pub(super) fn new(running_limit: usize, kept_outcomes: usize) -> Self {
        Self {
            running_limit,
            kept_outcomes,
            cells: Vec::new(),
            committed: BTreeMap::new(),
            kept: VecDeque::new(),
            is_shut_down: false,
        }
    }

    pub(super) fn running(&self) -> Vec<CellId> {
        self.cells.iter().filter(|cell| !cell.has_ended()).map(|cell| cell.id.clone()).collect()
    }

    pub(super) fn cell(&mut self, id: &CellId) -> &mut Cell {
        self.cells.iter_mut().find(|cell| cell.id == *id).expect("the model has the cell")
    }

    /// Tells whether a cell's outcome was kept once, and is no longer.
    pub(super) fn is_forgotten(&mut self, id: &CellId) -> bool {
        self.cell(id).has_ended() && !self.kept.contains(id)
    }

    pub(super) fn admit(&mut self, id: &CellId, program: Program) {
        self.cells.push(Cell {
            id: id.clone(),
            program,
            at: 0,
            log: vec![Entry::Admitted],
            seen: self.committed.clone(),
            writes: BTreeMap::new(),
            read: 0,
            outcome_read_from: None,
            was_read: false,
        });
        self.run(id);
    }

    /// Answers the call that a cell waits for.
    pub(super) fn answer(&mut self, id: &CellId, answer: Option<u64>) {
        let cell = self.cell(id);
        let catches = matches!(cell.program.0.get(cell.at), Some(Step::Ask { catches: true, .. }));
        cell.at += 1;
        cell.log.push(Entry::Answered { ok: answer.is_some() });
        match answer {
            Some(number) => cell.log.push(Entry::Text(format!("got {number}"))),
            None if catches => cell.log.push(Entry::Text("caught failed".to_owned())),
            None => return self.end(id, Entry::Completed { ok: false }),
        }
        self.run(id);
    }

    /// Ends a cell from outside; one that has ended stays as it is.
    pub(super) fn terminate(&mut self, id: &CellId) {
        if !self.cell(id).has_ended() {
            self.end(id, Entry::Terminated);
        }
    }

    pub(super) fn shut_down(&mut self) {
        self.is_shut_down = true;
        for id in self.running() {
            self.terminate(&id);
        }
    }

    /// Takes over how a cell ended that was answered and terminated at once: the one thing that the model cannot know.
    /// It ended as it would have by itself, or was ended on the way there.
    pub(super) fn adopt(&mut self, id: &CellId, answer: u64, log: &[Entry]) {
        let mut answered = self.clone();
        answered.answer(id, Some(answer));
        answered.terminate(id);
        let natural = answered.cell(id).log.clone();
        if log == natural {
            *self = answered;
            return;
        }
        let (last, way) = log.split_last().expect("a cell's log is not empty");
        assert_eq!(*last, Entry::Terminated, "it ended by itself, but not as it would have: {log:?}");
        assert!(natural.starts_with(way), "{way:?} is not the beginning of {natural:?}");
        assert!(way.starts_with(&self.cell(id).log));
        self.cell(id).log = way.to_vec();
        self.end(id, Entry::Terminated);
    }

    /// Runs a cell to its next call or its end.
    fn run(&mut self, id: &CellId) {
        loop {
            let cell = self.cell(id);
            let Some(step) = cell.program.0.get(cell.at).cloned() else {
                return self.end(id, Entry::Completed { ok: true });
            };
            match step {
                Step::Text(text) => cell.log.push(Entry::Text(text)),
                Step::Store(key, value) => drop(cell.writes.insert(key, value)),
                Step::Load(key) => {
                    let value = cell.writes.get(&key).or_else(|| cell.seen.get(&key));
                    let value = value.map_or_else(|| "undefined".to_owned(), u64::to_string);
                    cell.log.push(Entry::Text(format!("{key}={value}")));
                }
                Step::Notify(text) => cell.log.push(Entry::Notified(text)),
                Step::Ask { yields, .. } => {
                    if yields {
                        cell.log.push(Entry::Yielded);
                    }
                    return cell.log.push(Entry::Called);
                }
                Step::Throw => return self.end(id, Entry::Completed { ok: false }),
                Step::Exit => return self.end(id, Entry::Completed { ok: true }),
            }
            self.cell(id).at += 1;
        }
    }

    fn end(&mut self, id: &CellId, end: Entry) {
        let cell = self.cell(id);
        if let Entry::Completed { .. } = end {
            let writes = cell.writes.clone();
            self.committed.extend(writes);
        }
        self.cell(id).log.push(end);
        self.kept.push_back(id.clone());
        while self.kept.len() > self.kept_outcomes {
            self.kept.pop_front();
        }
    }

    /// Tells whether a wait is over, for cells with the place that each is read from.
    pub(super) fn is_over(&mut self, cells: &[(CellId, usize)], until: WaitUntil) -> bool {
        let mut all_ended = true;
        let mut any = false;
        for (id, place) in cells {
            let cell = self.cell(id);
            let ended = cell.has_ended();
            let news = cell.log.get(*place..).unwrap_or_default();
            all_ended &= ended;
            any |= news.contains(&Entry::Yielded);
            any |= match until {
                WaitUntil::AnyOutput => ended || news.iter().any(|entry| matches!(entry, Entry::Text(_))),
                WaitUntil::AnyEnded => ended,
                _ => false,
            };
        }
        all_ended || any
    }
}
