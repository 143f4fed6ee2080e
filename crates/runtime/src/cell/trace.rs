//! What of an effect a replay has to find again: the record of it, without what is no doing of the program's.

use carrel_engine::Effect;
use carrel_journal::Record;
use carrel_journal::fold::Done;

use super::effects;
use super::questions::Question;
use crate::journal;
use crate::log::SessionLog;
use crate::tools::ToolTable;

/// Returns what is left of a record of an effect.
pub(crate) fn of_record(mut record: Record) -> Record {
    match &mut record {
        Record::ToolCalled { cell, call_id, repeatable, .. } => {
            (*cell, *repeatable) = (0, false);
            call_id.clear();
        }
        Record::TimerSet { cell, due_us, .. } => (*cell, *due_us) = (0, 0),
        Record::Notified { cell, notification, .. } => (*cell, *notification) = (0, 0),
        Record::Asked { cell, .. }
        | Record::Stored { cell, .. }
        | Record::TimerCleared { cell, .. }
        | Record::ControlYielded { cell }
        | Record::Warned { cell, .. }
        | Record::Output { cell, .. } => *cell = 0,
        _ => {}
    }
    record
}

/// Tells whether an effect is the one that was written down; `None` when it is of those that are not.
pub(crate) fn is_same(
    effect: &Effect,
    recorded: &Record,
    tools: &ToolTable,
    log: &SessionLog,
) -> Option<bool> {
    is_of(&of_effect(effect, tools, log)?, recorded)
}

/// The same of what is left of an effect. Of warnings only the first are written down.
pub(super) fn is_of(trace: &Record, recorded: &Record) -> Option<bool> {
    let is_warning = |record: &Record| matches!(record, Record::Warned { .. });
    let is_one_more = is_warning(trace) && !is_warning(recorded);
    (!is_one_more).then(|| of_record(recorded.clone()) == *trace)
}

/// Returns the same of an effect; `None` for one that is never written down.
pub(super) fn of_effect(effect: &Effect, tools: &ToolTable, log: &SessionLog) -> Option<Record> {
    let cell = 0;
    Some(match effect {
        Effect::CallTool { call, tool, input, .. } => Record::ToolCalled {
            cell,
            call: call.0,
            call_id: String::new(),
            tool: tools.name(*tool).map(|tool| tool.as_str().to_owned()).unwrap_or_default(),
            input: input.as_deref().map(Into::into),
            repeatable: false,
        },
        Effect::SearchTools { call, query, limit } => {
            let question = Question::Search { query: query.clone(), limit: *limit };
            Record::Asked { cell, call: call.0, question: journal::as_json(&question) }
        }
        Effect::DescribeTools { call, tools } => {
            let question = Question::Describe { tools: tools.clone() };
            Record::Asked { cell, call: call.0, question: journal::as_json(&question) }
        }
        Effect::Notify { text } => Record::Notified { cell, notification: 0, text: text.as_str().into() },
        Effect::Store { key, json } => Record::Stored { cell, key: key.clone(), value: json.as_str().into() },
        Effect::SetTimer { id, .. } => Record::TimerSet { cell, timer: *id, due_us: 0 },
        Effect::ClearTimer { id } => Record::TimerCleared { cell, timer: *id },
        Effect::Yield => Record::ControlYielded { cell },
        Effect::Warn { reason } => {
            Record::Warned { cell, text: format!("unhandled rejection: {reason}").into() }
        }
        Effect::Text { .. }
        | Effect::Media { .. }
        | Effect::ImageUrl { .. }
        | Effect::AudioUrl { .. }
        | Effect::Block { .. } => {
            let content = effects::content(effect.clone()).ok()?;
            Record::Output { cell, content: journal::content(&log.fit(content)) }
        }
    })
}

/// Adds what a record's effect leaves to what was done before.
pub(crate) fn add(done: &mut Done, trace: &Record) {
    done.count += 1;
    done.warned += u64::from(matches!(trace, Record::Warned { .. }));
    done.digest = trace.digest_after(done.digest);
}

/// Says what was done, in few words, for whoever reads that it was not done again.
pub(super) fn in_words(trace: &Record) -> String {
    format!("{trace:?}").chars().take(200).collect()
}
