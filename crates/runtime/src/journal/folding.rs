//! A session's history in one piece, and back.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use carrel_contract::{EarlierCell, ToolName};
use carrel_engine::{CallHandle, Event};
use carrel_journal::fold::{self, Fold, Input};
use carrel_journal::record::Value;

use super::history::{CellHistory, Checkpoint, Clock, History, Left, PendingCall, Saved, keep_names};
use super::trust::Trust;
use super::words::{self, Nonsense};
use crate::cell::trace;
use crate::number::CellNumber;
use crate::shared::Past;
use crate::stored::Committed;
use crate::tools::ToolTable;

impl History {
    /// Writes down what the session is.
    pub(crate) fn fold(self) -> Fold {
        let committed = self.past.stored.committed();
        let mut lists = Lists::default();
        let current_tools = lists.place(&self.past.tools);
        let running =
            self.running.into_iter().map(|(number, cell)| fold_cell(number, cell, &committed, &mut lists));
        let mut fold = Fold {
            spec: words::as_json(&self.spec),
            now_us: self.now_us,
            running: running.collect(),
            tools: lists.tools.iter().map(|tools| words::as_json(&tools.descriptions())).collect(),
            current_tools,
            stored: committed.iter().map(stored).collect(),
            variables: self.variables.map(|left| left.blob),
            variables_signature: self.variables.and_then(|left| left.signature),
            names: Some(self.names.into_iter().collect()),
            earlier: self
                .past
                .earlier
                .cells()
                .into_iter()
                .map(|cell| fold::Declared { source: (&*cell.source).into(), completed: cell.completed })
                .collect(),
            ..Fold::default()
        };
        fold.stored.sort_by(|a, b| a.key.cmp(&b.key));
        self.past.log.fold_into(&mut fold, &self.clock);
        fold
    }

    /// Begins with what the session was.
    pub(crate) fn unfold(mut fold: Fold, trust: Trust, now_us: i64) -> Result<Self, Nonsense> {
        let spec: carrel_contract::SessionSpec = words::json_of(fold.spec.clone())?;
        let tools = fold
            .tools
            .iter()
            .map(|tools| Ok(Arc::new(ToolTable::new(words::json_of(tools.clone())?, spec.dialect)?)))
            .collect::<Result<Vec<_>, Nonsense>>()?;
        let list = |place: u64| {
            let found = usize::try_from(place).ok().and_then(|place| tools.get(place)).cloned();
            found.ok_or_else(|| Nonsense(format!("list of tools {place} is not there")))
        };
        let clock = Clock::at(now_us);
        let mut past = Past::none(&spec.limits, ToolTable::new(Vec::new(), spec.dialect)?);
        past.tools = list(fold.current_tools)?;
        past.newest = CellNumber(fold.newest_cell);
        let stored = std::mem::take(&mut fold.stored);
        past.stored.commit(pairs(stored)?.filter_map(|(key, value)| Some((key, value?))).collect());
        for cell in std::mem::take(&mut fold.earlier) {
            past.earlier.push(EarlierCell::new(words::text(cell.source)?.into(), cell.completed));
        }
        past.log.unfold(&mut fold, &clock)?;
        let committed = past.stored.committed();
        let mut running = BTreeMap::new();
        for cell in fold.running {
            let tools = list(cell.tools)?;
            running.insert(CellNumber(cell.cell), unfold_cell(cell, tools, &committed)?);
        }
        let signature = fold.variables_signature;
        let variables = fold.variables.map(|blob| Left { blob, signature });
        let mut names = BTreeSet::new();
        keep_names(&mut names, fold.names.unwrap_or_default());
        Ok(Self { spec, past, running, variables, names, now_us: fold.now_us, trust, clock })
    }
}

/// Lists of tools, each once.
#[derive(Default)]
struct Lists {
    tools: Vec<Arc<ToolTable>>,
}

impl Lists {
    fn place(&mut self, tools: &Arc<ToolTable>) -> u64 {
        let place = self.tools.iter().position(|list| Arc::ptr_eq(list, tools)).unwrap_or_else(|| {
            self.tools.push(Arc::clone(tools));
            self.tools.len() - 1
        });
        place as u64
    }
}

fn stored((key, json): (&str, &str)) -> fold::Stored {
    fold::Stored { key: key.to_owned(), value: Some(json.into()) }
}

type Pair = (String, Option<String>);

fn pairs(stored: Vec<fold::Stored>) -> Result<impl Iterator<Item = Pair>, Nonsense> {
    let pairs = stored.into_iter().map(|it| Ok((it.key, it.value.map(words::text).transpose()?)));
    Ok(pairs.collect::<Result<Vec<_>, Nonsense>>()?.into_iter())
}

fn fold_cell(
    number: CellNumber,
    mut cell: CellHistory,
    committed: &Arc<Committed>,
    lists: &mut Lists,
) -> fold::Running {
    for record in cell.effects.drain(..) {
        trace::add(&mut cell.done, &trace::of_record(record));
    }
    let input = |event| match event {
        Event::Answered { call, json, now_us } => {
            Input::Answered { call: call.0, json: (&*json).into(), now_us }
        }
        Event::Failed { call, json, now_us } => Input::Failed { call: call.0, json: (&*json).into(), now_us },
        Event::TimerFired { id, now_us } => Input::TimerFired { timer: id, now_us },
    };
    let mut writes: Vec<_> = cell.writes.iter().map(|(key, json)| stored((key, json))).collect();
    writes.sort_by(|a, b| a.key.cmp(&b.key));
    fold::Running {
        cell: number.0,
        tools: lists.place(&cell.tools),
        source: cell.source.into(),
        code: cell.code.map(Into::into),
        seed: cell.seed,
        stored: cell.stored.differences(committed),
        begun_us: cell.begun_us,
        clock_us: cell.clock_us,
        saved: cell.saved.map(|Saved { blob, memory, image, signature }| fold::Saved {
            blob,
            memory,
            image,
            signature,
        }),
        inputs: cell.inputs.into_iter().map(input).collect(),
        done: cell.done,
        checkpoints: cell.checkpoints.into_iter().map(|it| (it.inputs, it.memory, it.image)).collect(),
        counts: (cell.inputs_count, cell.effects_count),
        calls: cell
            .calls
            .into_iter()
            .map(|(handle, call)| fold::Call {
                handle,
                call_id: call.call_id.as_str().to_owned(),
                tool: call.tool.as_str().to_owned(),
                input: call.input.map(|json| json.as_str().into()),
                repeatable: call.repeatable,
                unsent: call.unsent.then_some(true),
            })
            .collect(),
        questions: cell.questions.into_iter().map(|(handle, it)| (handle, words::as_json(&it))).collect(),
        timers: cell.timers.into_iter().collect(),
        undelivered: cell.undelivered.into_iter().map(|(number, text)| (number, text.into())).collect(),
        writes,
        warnings: cell.warnings.into_iter().map(Value::from).collect(),
        calls_made: cell.calls_made,
        notified: cell.notified,
        left: cell.left.map(|(Left { blob, signature }, names)| fold::Left { blob, signature, names }),
    }
}

fn unfold_cell(
    cell: fold::Running,
    tools: Arc<ToolTable>,
    committed: &Arc<Committed>,
) -> Result<CellHistory, Nonsense> {
    let input = |input| {
        Ok(match input {
            Input::Answered { call, json, now_us } => {
                Event::Answered { call: CallHandle(call), json: words::text(json)?.into(), now_us }
            }
            Input::Failed { call, json, now_us } => {
                Event::Failed { call: CallHandle(call), json: words::text(json)?.into(), now_us }
            }
            Input::TimerFired { timer, now_us } => Event::TimerFired { id: timer, now_us },
        })
    };
    let call = |call: fold::Call| {
        let input = call.input.map(words::json).transpose()?;
        let (call_id, tool) = (words::call_id(&call.call_id)?, ToolName::new(&call.tool)?);
        let (repeatable, unsent) = (call.repeatable, call.unsent == Some(true));
        Ok((call.handle, PendingCall { call_id, tool, input, repeatable, unsent, elsewhere: false }))
    };
    let (inputs_count, effects_count) = cell.counts;
    Ok(CellHistory {
        source: words::text(cell.source)?,
        code: cell.code.map(words::text).transpose()?,
        seed: cell.seed,
        tools,
        stored: Committed::with_differences(committed, pairs(cell.stored)?),
        begun_us: cell.begun_us,
        clock_us: cell.clock_us,
        saved: cell.saved.map(|fold::Saved { blob, memory, image, signature }| Saved {
            blob,
            memory,
            image,
            signature,
        }),
        inputs: cell.inputs.into_iter().map(input).collect::<Result<_, Nonsense>>()?,
        done: cell.done,
        effects: std::collections::VecDeque::new(),
        checkpoints: cell
            .checkpoints
            .into_iter()
            .map(|(inputs, memory, image)| Checkpoint { inputs, memory, image })
            .collect(),
        inputs_count,
        effects_count,
        calls: cell.calls.into_iter().map(call).collect::<Result<_, Nonsense>>()?,
        questions: cell
            .questions
            .into_iter()
            .map(|(handle, question)| Ok((handle, words::json_of(question)?)))
            .collect::<Result<_, Nonsense>>()?,
        timers: cell.timers.into_iter().collect(),
        undelivered: cell
            .undelivered
            .into_iter()
            .map(|(number, text)| Ok((number, words::text(text)?)))
            .collect::<Result<_, Nonsense>>()?,
        writes: pairs(cell.writes)?.filter_map(|(key, value)| Some((key, value?))).collect::<HashMap<_, _>>(),
        warnings: cell.warnings.into_iter().map(words::text).collect::<Result<_, Nonsense>>()?,
        calls_made: cell.calls_made,
        notified: cell.notified,
        left: cell.left.map(|fold::Left { blob, signature, names }| (Left { blob, signature }, names)),
    })
}

#[cfg(test)]
mod tests {
    use carrel_contract::testing::{RecordingDelegate, Seen, tool_descriptions};
    use carrel_contract::{
        CodeModeSession, CodeModeSessionProvider, Durability, ExecuteRequest, SessionMode, SessionSpec,
        WaitRequest,
    };
    use carrel_journal::{BlobHash, Memory, Position, Record, Store, Tail};

    use super::*;
    use crate::{InProcessProvider, Options};

    const NOW_US: i64 = 4_000_000_000_000_000;
    const IMAGE: BlobHash = BlobHash([7; 32]);
    const DAY_US: i64 = 86_400_000_000;

    /// Lives through all that a journal can tell, and returns what it tells.
    async fn records(mode: SessionMode) -> Vec<Record> {
        let (store, delegate) = (Arc::new(Memory::new()), RecordingDelegate::new());
        let kept = Some(Arc::clone(&store) as Arc<dyn Store>);
        let options = Options { store: kept, ..Options::default() };
        let provider = InProcessProvider::new(options).unwrap();
        let mut spec = SessionSpec::default();
        (spec.tools, spec.mode, spec.durability, spec.check) =
            (tool_descriptions(), mode, Durability::Journaled, true);
        spec.limits.output_bytes = 1000;
        spec.limits.kept_events = 20;
        spec.limits.kept_outcomes = 3;
        let session: Arc<dyn CodeModeSession> = provider.create(spec, delegate.clone()).await.unwrap();
        delegate.belongs_to(&session);
        for source in [
            "const a: number = 1; store('a', 1); text('x'.repeat(100)); notify('hello'); export default a",
            "for (let i = 0; i < 50; i++) text(`line ${i}`); image('data:image/png;base64,AAAA'); yield_control()",
            "store('b', await Promise.all([tools.echo(1), tools.echo(2)])); throw new Error('no')",
            "Promise.reject(new Error('unheard')); await new Promise((go) => setTimeout(go, 1)); store('a', 2)",
            "text(await tools.$search('echo')); text(load('a'))",
        ] {
            let cell = session.execute(ExecuteRequest::new(source)).await.unwrap().cell_id;
            session.wait(WaitRequest::new([cell])).await.unwrap();
        }
        let running =
            "setTimeout(() => {}, 1e8); text('waits'); store('c', load('a')); await tools.gate({ n: 1 })";
        session.execute(ExecuteRequest::new(running)).await.unwrap();
        delegate.reached(|seen| matches!(seen, Seen::Called(_, tool) if tool == "gate")).await;
        let id = session.id().clone();
        let page = store.read(&id, Position::START, usize::MAX).await.unwrap();
        let mut tail = Tail::start(id);
        page.entries.into_iter().flat_map(|(at, bytes)| tail.read(at, &bytes).unwrap()).collect()
    }

    fn history(records: &[Record]) -> History {
        let (first, rest) = records.split_first().unwrap();
        let mut history =
            History::new(first.clone(), Trust::image(IMAGE), NOW_US).map_err(|it| it.0).unwrap();
        read(&mut history, rest);
        history
    }

    fn read(history: &mut History, records: &[Record]) {
        for record in records {
            history.read(record.clone()).map_err(|it| format!("{record:?}: {}", it.0)).unwrap();
        }
    }

    /// The cell that came next took the notice, and nobody has read it yet.
    #[test]
    fn variables_that_were_lost_are_told_after_a_fold() {
        let read_by_nobody = history(&[
            Record::SessionCreated { spec: words::as_json(&SessionSpec::default()), created_at_us: NOW_US },
            Record::VariablesLost { names: vec!["x".to_owned()], why: "another build".to_owned() },
            Record::CellAdmitted { cell: 1, source: "1".into(), seed: 0, at_us: NOW_US, key: None },
        ]);
        let fold = Fold::from_bytes(&read_by_nobody.fold().to_bytes()).unwrap();
        let mut unfolded = History::unfold(fold, Trust::image(IMAGE), NOW_US).map_err(|it| it.0).unwrap();
        assert!(unfolded.past.log.has_notices());
        read(&mut unfolded, &[Record::ReaderMoved { cell: 1, cursor: 1 }]);
        assert!(!unfolded.past.log.has_notices());
    }

    /// Whatever was folded, and however often, what comes of the rest is the same.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_fold_stands_for_the_records_before_it() {
        for mode in [SessionMode::Fresh, SessionMode::Persistent] {
            let records = records(mode).await;
            assert!(records.len() > 60, "{} records", records.len());
            let whole = history(&records).fold();
            for at in 1..=records.len() {
                let (before, after) = records.split_at(at);
                let bytes = history(before).fold().to_bytes();
                let fold = Fold::from_bytes(&bytes).unwrap();
                let mut unfolded =
                    History::unfold(fold, Trust::image(IMAGE), NOW_US).map_err(|it| it.0).unwrap();
                read(&mut unfolded, after);
                assert_eq!(unfolded.fold(), whole, "folded after {at} records of {}", records.len());
            }
        }
    }

    fn history_at(records: &[Record], now_us: i64) -> History {
        let (first, rest) = records.split_first().unwrap();
        let mut history =
            History::new(first.clone(), Trust::image(IMAGE), now_us).map_err(|it| it.0).unwrap();
        read(&mut history, rest);
        history
    }

    /// Outcomes are kept for seven days, of which those before a fold count.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_outcome_grows_old_through_a_fold() {
        let records = records(SessionMode::Fresh).await;
        let ended =
            records.iter().filter(|it| matches!(it, Record::CellEnded { .. })).filter_map(Record::at_us);
        let ended_us = ended.max().unwrap();
        let outcomes = |fold: &Fold| fold.cells.iter().filter(|cell| cell.ended.is_some()).count();
        let mut fold = history_at(&records, ended_us + DAY_US).fold();
        assert_eq!(outcomes(&fold), 3);
        for (days, kept) in [(4, 3), (6, 3), (8, 0)] {
            let unfolded = History::unfold(fold, Trust::image(IMAGE), ended_us + days * DAY_US);
            fold = unfolded.map_err(|it| it.0).unwrap().fold();
            assert_eq!(outcomes(&fold), kept, "after {days} days");
        }
    }

    /// A cell whose end was not written down has not left its variables: it ends again, and leaves them then.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn variables_are_left_when_their_cell_has_ended() {
        let records = records(SessionMode::Persistent).await;
        let left: Vec<_> =
            (0..records.len()).filter(|at| matches!(records[*at], Record::VariablesLeft { .. })).collect();
        let variables = |upto: usize| {
            let folded = history(&records[..=upto]).fold();
            let unfolded = History::unfold(folded, Trust::image(IMAGE), NOW_US).map_err(|it| it.0).unwrap();
            let mut then = history(&records[..=upto]);
            assert_eq!(then.variables.map(|it| it.blob), unfolded.variables.map(|it| it.blob));
            read(&mut then, &records[upto + 1..upto + 2]);
            (unfolded.variables.map(|it| it.blob), then.variables.map(|it| it.blob))
        };
        let (before_first, after_first) = variables(left[0]);
        let (before_second, after_second) = variables(left[1]);
        assert_eq!(before_first, None);
        assert!(after_first.is_some() && after_second.is_some());
        assert_eq!(before_second, after_first);
        assert_ne!(after_second, after_first);
    }
}
