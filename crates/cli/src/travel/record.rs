//! A record in words, and as JSON. The page docs/time-travel.md lists the fields.

use std::collections::HashMap;

use carrel_journal::Record;
use carrel_journal::record::{Answer, CellFailure, Level, Outcome, Output, Termination, Value};
use serde_json::{Value as Json, json};

use super::brief;
use crate::terminal::Tone;
use crate::units::show_bytes;

/// What there is to say of a record.
pub(super) struct Described {
    /// What it is, in one word with underscores.
    pub(super) kind: &'static str,
    pub(super) fields: Json,
    /// The fields for a person, on one harmless line.
    pub(super) words: String,
    pub(super) tone: Tone,
}

/// What calls were of, by cell and handle.
#[derive(Default)]
pub(super) struct Names {
    calls: HashMap<(u64, i64), (String, String)>,
}

impl Names {
    /// Says what a record is.
    pub(super) fn describe(&mut self, record: Record) -> Described {
        let said = |kind, fields, words| Described { kind, fields, words, tone: Tone::Plain };
        let aside = |kind, fields, words| Described { kind, fields, words, tone: Tone::Dim };
        match record {
            Record::SessionCreated { spec, .. } => {
                said("session_created", json!({ "spec": parsed(&spec) }), String::new())
            }
            Record::Adopted { epoch, owner, .. } => {
                let words = brief(&owner);
                aside("adopted", json!({ "epoch": epoch, "owner": owner }), words)
            }
            Record::Forked { origin, at, .. } => {
                let words = brief(&format!("off {origin} at {at}"));
                said("forked", json!({ "origin": origin, "origin_seq": at }), words)
            }
            Record::ToolsSet { tools } => {
                said("tools_set", json!({ "tools": parsed(&tools) }), String::new())
            }
            Record::CellAdmitted { source, .. } => {
                let words = shown(&source);
                said("cell_admitted", json!({ "source": whole(&source) }), words)
            }
            Record::CellBegun { code, .. } => {
                aside("cell_begun", json!({ "code": code.as_ref().map(whole) }), String::new())
            }
            Record::ToolCalled { cell, call, call_id, tool, input, .. } => {
                let input_words = input.as_ref().map(shown).unwrap_or_default();
                let words = format!("{}  {}({input_words})", brief(&call_id), brief(&tool));
                let fields = json!({ "call_id": call_id, "tool": tool, "input": input.as_ref().map(parsed) });
                self.calls.insert((cell, call), (call_id, tool));
                said("tool_called", fields, words)
            }
            Record::Answered { cell, call, answer, .. } => self.answered((cell, call), &answer),
            Record::Asked { question, .. } => {
                let words = shown(&question);
                said("asked", json!({ "question": parsed(&question) }), words)
            }
            Record::TimerSet { timer, due_us, .. } => {
                let words = format!("{timer}, due {}", super::time_of_day(due_us));
                aside("timer_set", json!({ "timer": timer, "due_us": due_us }), words)
            }
            Record::TimerCleared { timer, .. } => {
                aside("timer_cleared", json!({ "timer": timer }), timer.to_string())
            }
            Record::TimerFired { timer, .. } => {
                aside("timer_fired", json!({ "timer": timer }), timer.to_string())
            }
            Record::Output { content, .. } => output(&content),
            Record::Notified { notification, text, .. } => {
                let words = shown(&text);
                said("notified", json!({ "notification": notification, "text": whole(&text) }), words)
            }
            Record::NotifyDelivered { notification, .. } => {
                aside("notify_delivered", json!({ "notification": notification }), notification.to_string())
            }
            Record::ControlYielded { .. } => said("control_yielded", json!({}), String::new()),
            Record::Warned { text, .. } => {
                let fields = json!({ "text": whole(&text) });
                Described { kind: "warned", fields, words: shown(&text), tone: Tone::Warning }
            }
            Record::Stored { key, value, .. } => {
                let words = format!("{} = {}", brief(&key), shown(&value));
                said("stored", json!({ "key": key, "value": parsed(&value) }), words)
            }
            Record::Unstored { keys, .. } => {
                let words = shown(&keys);
                said("unstored", json!({ "keys": parsed(&keys) }), words)
            }
            Record::CellEnded { outcome, refused, usage, .. } => {
                let usage = json!({
                    "cpu_us": usage.cpu_us, "elapsed_us": usage.elapsed_us, "tool_calls": usage.tool_calls,
                });
                ended(&outcome, json!({ "refused": refused, "usage": usage }))
            }
            Record::SnapshotTaken { blob, inputs, effects, .. } => {
                let words = format!("after {inputs} events");
                let fields = json!({ "blob": blob.to_string(), "inputs": inputs, "effects": effects });
                aside("snapshot_taken", fields, words)
            }
            Record::Checkpoint { inputs, .. } => {
                aside("checkpoint", json!({ "inputs": inputs }), format!("after {inputs} events"))
            }
            Record::VariablesLeft { blob, names, .. } => {
                let names = names.unwrap_or_default();
                let words = brief(&names.join(", "));
                aside("variables_left", json!({ "blob": blob.to_string(), "names": names }), words)
            }
            Record::VariablesLost { names, why } => {
                let words = brief(&format!("{}  {why}", names.join(", ")));
                said("variables_lost", json!({ "names": names, "why": why }), words)
            }
            Record::ToolProgressed { call_id, percent, message, .. } => {
                let percent_words = percent.map(|percent| format!(" {percent}%")).unwrap_or_default();
                let words = brief(&format!("{call_id}{percent_words} {}", message.as_deref().unwrap_or("")));
                let fields = json!({ "call_id": call_id, "percent": percent, "message": message });
                aside("tool_progressed", fields, words)
            }
            Record::PersonAwaited { call_id, question, .. } => {
                let words = brief(&format!("{call_id}  {question}"));
                said("person_awaited", json!({ "call_id": call_id, "question": question }), words)
            }
            Record::PersonAnswered { call_id, .. } => {
                let words = brief(&call_id);
                said("person_answered", json!({ "call_id": call_id }), words)
            }
            Record::Folded { lag, blob, .. } => {
                let words = format!("up to {lag} entries before this one");
                aside("folded", json!({ "lag": lag, "blob": blob.to_string() }), words)
            }
            Record::ReaderMoved { cursor, .. } => {
                aside("reader_moved", json!({ "cursor": cursor }), format!("to {cursor}"))
            }
        }
    }

    fn answered(&mut self, call: (u64, i64), answer: &Answer) -> Described {
        let named = self.calls.remove(&call);
        match (named, answer) {
            (None, Answer::Result(value)) => Described {
                kind: "told",
                fields: json!({ "answer": parsed(value) }),
                words: shown(value),
                tone: Tone::Plain,
            },
            (named, Answer::Result(value)) => {
                let (call_id, tool) = named.unwrap_or_default();
                let words = format!("{}  {}", brief(&call_id), shown(value));
                let fields =
                    json!({ "call_id": call_id, "tool": tool, "result": parsed(value), "error": null });
                Described { kind: "tool_answered", fields, words, tone: Tone::Plain }
            }
            (named, Answer::Failed(failure)) => {
                let (call_id, tool) = named.unwrap_or_default();
                let words = format!("{}  {}: {}", brief(&call_id), failure.code, shown(&failure.message));
                let error = json!({
                    "code": failure.code, "message": whole(&failure.message),
                    "retryable": failure.retryable, "data": failure.data.as_ref().map(parsed),
                });
                let fields = json!({ "call_id": call_id, "tool": tool, "result": null, "error": error });
                Described { kind: "tool_answered", fields, words, tone: Tone::Warning }
            }
        }
    }
}

fn output(content: &Output) -> Described {
    let (fields, words) = match content {
        Output::Text { text, level } => {
            let level = level.map(level_name);
            let words = level.map(|level| format!("{level}: ")).unwrap_or_default();
            (
                json!({ "type": "text", "text": whole(text), "level": level }),
                format!("{words}{}", shown(text)),
            )
        }
        Output::Image { data, mime_type } => media("image", data, mime_type),
        Output::Audio { data, mime_type } => media("audio", data, mime_type),
        Output::ImageUrl { url, detail } => {
            let words = format!("image by its URL, {}", size(url));
            (json!({ "type": "image_url", "url": whole(url), "detail": detail }), words)
        }
        Output::AudioUrl { url } => {
            let words = format!("audio by its URL, {}", size(url));
            (json!({ "type": "audio_url", "url": whole(url) }), words)
        }
        Output::Block { json } => (json!({ "type": "block", "block": parsed(json) }), shown(json)),
    };
    Described { kind: "output", fields, words, tone: Tone::Plain }
}

fn media(kind: &str, data: &Value, mime_type: &str) -> (Json, String) {
    let words = format!("{kind} {}, {}", brief(mime_type), size(data));
    (json!({ "type": kind, "data": whole(data), "mime_type": mime_type }), words)
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::Debug => "debug",
        Level::Log => "log",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    }
}

fn ended(outcome: &Outcome, rest: Json) -> Described {
    let (status, words, mut fields, tone) = match outcome {
        Outcome::Completed { failure: Some(failure), warnings, .. } => {
            let CellFailure { kind, name, message, stack, location, .. } = &**failure;
            let at = location.map(|(line, column)| format!(" at {line}:{column}")).unwrap_or_default();
            let location = location.map(|(line, column)| json!({ "line": line, "column": column }));
            let error = json!({
                "kind": kind, "name": name, "message": whole(message), "stack": whole(stack), "location": location,
            });
            let fields = json!({ "result": null, "error": error, "warnings": warnings });
            ("failed", format!("{}: {}{at}", brief(name), shown(message)), fields, Tone::Error)
        }
        Outcome::Completed { result, warnings, .. } => {
            let fields =
                json!({ "result": result.as_ref().map(parsed), "error": null, "warnings": warnings });
            ("succeeded", result.as_ref().map(shown).unwrap_or_default(), fields, Tone::Plain)
        }
        Outcome::Terminated { reason, abandoned } => {
            let reason = match reason {
                Termination::Requested => "requested",
                Termination::Shutdown => "shutdown",
                Termination::CpuTime { .. } => "cpu_time",
            };
            (
                "terminated",
                reason.to_owned(),
                json!({ "reason": reason, "abandoned": abandoned }),
                Tone::Warning,
            )
        }
    };
    if let (Some(fields), Json::Object(rest)) = (fields.as_object_mut(), rest) {
        fields.insert("status".to_owned(), status.into());
        fields.extend(rest);
    }
    let words = if words.is_empty() { status.to_owned() } else { format!("{status}  {words}") };
    Described { kind: "cell_ended", fields, words, tone }
}

/// A text for a person; one that is kept apart, by its size.
fn shown(value: &Value) -> String {
    match value {
        Value::Inline(text) => brief(text),
        Value::Blob { .. } => format!("({})", size(value)),
    }
}

fn size(value: &Value) -> String {
    let bytes = match value {
        Value::Inline(text) => text.len(),
        Value::Blob { bytes, .. } => usize::try_from(*bytes).unwrap_or(usize::MAX),
    };
    show_bytes(bytes)
}

/// A text for a program: those in blobs were put back before.
fn whole(value: &Value) -> Json {
    match value {
        Value::Inline(text) => text.as_str().into(),
        Value::Blob { .. } => Json::Null,
    }
}

/// What is JSON in the record.
fn parsed(value: &Value) -> Json {
    match value {
        Value::Inline(text) => serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into()),
        Value::Blob { .. } => Json::Null,
    }
}
