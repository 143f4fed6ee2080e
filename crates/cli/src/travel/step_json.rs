//! A step of a replay, where a cell stands, and how a replay came out, as objects for programs.
//!
//! The kinds of steps are those of `carrel log --json`. docs/time-travel.md has the fields.

use carrel_contract::{Content, JsonText, Location};
use carrel_runtime::travel::{Against, PendingCall, State, Step, Verdict, What};
use serde_json::{Map, Value, json};

use crate::sanitize::sanitize_json;

/// Writes a step on one line.
pub(super) fn step(step: &Step) -> String {
    let against = match step.against {
        Against::Same => "same",
        Against::New => "new",
        Against::Missing => "missing",
        _ => "beyond",
    };
    let mut line = json!({
        "seq": step.seq.map(|seq| seq.0), "at": time(step.now_us), "against": against,
    });
    merge(&mut line, what(&step.what));
    text(&line)
}

/// Writes where the cell stands, on one line.
pub(super) fn state(state: &State) -> String {
    let call = |call: &PendingCall| {
        json!({
            "call_id": call.call_id.as_ref().map(ToString::to_string), "tool": call.tool.as_str(),
            "input": parsed(call.input.as_ref()), "location": place(call.location),
        })
    };
    let timer =
        |(timer, due_us): (&i64, &Option<i64>)| json!({ "timer": timer, "due": due_us.and_then(time) });
    let stored: Map<_, _> = state.stored.iter().map(|(key, json)| (key.clone(), value(json))).collect();
    text(&json!({
        "kind": "state", "seq": state.seq.0, "at": time(state.now_us),
        "calls": state.calls.iter().map(call).collect::<Vec<_>>(),
        "timers": state.timers.iter().map(timer).collect::<Vec<_>>(),
        "stored": stored, "output": state.output.iter().map(content).collect::<Vec<_>>(),
    }))
}

/// Writes how a replay came out, on one line.
pub(super) fn verdict(verdict: &Verdict) -> String {
    text(&match verdict {
        Verdict::Ended { differences } => {
            json!({ "kind": "verdict", "verdict": "ended", "differences": differences })
        }
        Verdict::Open { differences } => {
            json!({ "kind": "verdict", "verdict": "open", "differences": differences })
        }
        Verdict::Diverged(divergence) => json!({
            "kind": "verdict", "verdict": "diverged", "after": divergence.after.0,
            "seq": divergence.seq.map(|seq| seq.0), "recorded": divergence.recorded.as_ref().map(what),
            "did": divergence.did.as_ref().map(what),
        }),
        other => json!({ "kind": "verdict", "verdict": format!("{other:?}") }),
    })
}

fn what(what: &What) -> Value {
    match what {
        What::Began => json!({ "kind": "cell_begun" }),
        What::Called { call_id, tool, input, location } => json!({
            "kind": "tool_called", "call_id": call_id.as_ref().map(ToString::to_string), "tool": tool.as_str(),
            "input": parsed(input.as_ref()), "location": place(*location),
        }),
        What::Answered { call_id, tool, result } => {
            let mut line =
                json!({ "kind": "tool_answered", "call_id": call_id.as_str(), "tool": tool.as_str() });
            merge(
                &mut line,
                match result {
                    Ok(result) => json!({ "result": result.to_value() }),
                    Err(error) => json!({ "error": error }),
                },
            );
            line
        }
        What::Asked { question } => json!({ "kind": "asked", "question": question.to_value() }),
        What::Told { answer } => json!({ "kind": "told", "answer": answer.to_value() }),
        What::TimerSet { timer, delay } => {
            json!({ "kind": "timer_set", "timer": timer, "delay_ms": delay.map(|it| it.as_secs_f64() * 1e3) })
        }
        What::TimerCleared { timer } => json!({ "kind": "timer_cleared", "timer": timer }),
        What::TimerFired { timer } => json!({ "kind": "timer_fired", "timer": timer }),
        What::Output { content: shown } => {
            let mut line = json!({ "kind": "output" });
            merge(&mut line, content(shown));
            line
        }
        What::Notified { text } => json!({ "kind": "notified", "text": text }),
        What::Stored { key, json } => json!({ "kind": "stored", "key": key, "value": value(json) }),
        What::Yielded => json!({ "kind": "control_yielded" }),
        What::Warned { text } => json!({ "kind": "warned", "text": text }),
        What::Ended { result, error: None } => {
            json!({ "kind": "cell_ended", "status": "succeeded", "result": parsed(result.as_ref()) })
        }
        What::Ended { error: Some(error), .. } => {
            json!({ "kind": "cell_ended", "status": "failed", "error": error })
        }
        What::Terminated { reason } => {
            json!({ "kind": "cell_ended", "status": "terminated", "reason": reason })
        }
        other => json!({ "kind": format!("{other:?}") }),
    }
}

fn content(content: &Content) -> Value {
    serde_json::to_value(content).unwrap_or_default()
}

fn parsed(json: Option<&JsonText>) -> Option<Value> {
    json.map(JsonText::to_value)
}

fn value(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_default()
}

fn place(location: Option<Location>) -> Option<Value> {
    location.map(|at| json!({ "line": at.line, "column": at.column }))
}

fn time(us: i64) -> Option<String> {
    jiff::Timestamp::from_microsecond(us).ok().map(|time| time.to_string())
}

fn merge(line: &mut Value, fields: Value) {
    if let (Some(line), Value::Object(fields)) = (line.as_object_mut(), fields) {
        line.extend(fields);
    }
}

fn text(line: &Value) -> String {
    sanitize_json(&line.to_string()).into_owned()
}

#[cfg(test)]
mod tests {
    use carrel_contract::{Seq, ToolCallId, ToolName};

    use super::*;

    #[test]
    fn what_happened_is_an_object() {
        let called = What::Called {
            call_id: ToolCallId::new("call-1").ok(),
            tool: ToolName::new("echo").unwrap(),
            input: JsonText::parse("[1]").ok(),
            location: Some(Location { line: 2, column: 3 }),
        };
        let expected = json!({
            "kind": "tool_called", "call_id": "call-1", "tool": "echo", "input": [1],
            "location": { "line": 2, "column": 3 },
        });
        assert_eq!(what(&called), expected);
        let shown = What::Output { content: Content::text("hi") };
        assert_eq!(what(&shown), json!({ "kind": "output", "type": "text", "text": "hi" }));
        let stored = What::Stored { key: "k".into(), json: "{\"a\":1}".into() };
        assert_eq!(what(&stored), json!({ "kind": "stored", "key": "k", "value": { "a": 1 } }));
        let state = state(&State::default());
        assert!(state.contains("\"kind\":\"state\"") && state.contains(&format!("\"seq\":{}", Seq::START.0)));
    }
}
