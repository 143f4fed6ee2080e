//! What the model has to be sent over either host, and where it is sent something else.

use serde_json::Value;

use crate::package::Transport;
use crate::script::Record;

/// A step whose output has other texts here.
pub(crate) struct Difference {
    step: &'static str,
    there: [&'static str; 2],
    here: [&'static str; 2],
}

const COMPLETED: &str = "Script completed\nWall time N seconds\nOutput:\n";
const FAILED: &str = "Script failed\nWall time N seconds\nOutput:\n";

/// Returns the differences that there are whatever this host is told.
pub(crate) fn ever() -> Vec<Difference> {
    // Who asks for a cell that is over is told that it is; there, what is said of one that never was.
    let is_over = |step| Difference {
        step,
        there: [FAILED, "Script error:\nexec cell N not found"],
        here: [FAILED, "Script error:\nexec cell N not found: it has ended, and its result was given before"],
    };
    vec![
        is_over("wait for a cell that ended"),
        is_over("wait for the interrupted cell"),
        is_over("wait for the cell of the interrupted wait"),
        // TypeScript runs.
        Difference {
            step: "types",
            there: [FAILED, "Script error:\nSyntaxError: Missing initializer in const declaration"],
            here: [COMPLETED, "2"],
        },
    ]
}

/// Returns those that there are more when this host keeps its sessions: what was stored is there after a loss.
pub(crate) fn kept(transport: Transport) -> Vec<Difference> {
    let there = [COMPLETED, "undefined"];
    let is_kept = |step| Difference { step, there, here: [COMPLETED, "{\"a\":1}"] };
    match transport {
        // The program answers the first cell itself, over gRPC: it says that everything was lost.
        Transport::Grpc => vec![is_kept("second cell after a loss")],
        Transport::Json => vec![is_kept("first cell after a loss"), is_kept("second cell after a loss")],
    }
}

/// Steps at which the program says one thing or another by how far it had come, over either host: how that may begin.
const RACES: &[(&str, &[&str])] = &[
    ("after the wait", &["aborted by user after N", "Script terminated\n", "Script failed\n"]),
    (
        "host killed",
        &[
            "gRPC code-mode session closed",
            "gRPC code-mode execution outcome failed: ",
            "code-mode host exited with status signal: 9",
            "code-mode host closed its stdout",
        ],
    ),
];

/// Compares what the model was sent over the host that the program comes with, and over this one.
pub(crate) fn compare(there: &Record, here: &Record, differences: &[Difference]) {
    let steps = |record: &Record| record.sent.iter().map(|it| it.step).collect::<Vec<_>>();
    assert_eq!(steps(there), steps(here));
    for difference in differences {
        assert!(steps(there).contains(&difference.step), "there is no step {}", difference.step);
    }
    for (ours, theirs) in here.sent.iter().zip(&there.sent) {
        let step = ours.step;
        assert_eq!(normal(&theirs.rest, there), normal(&ours.rest, here), "beside the items: {step}");
        assert_eq!(
            theirs.items.len(),
            ours.items.len(),
            "{step}: {:#?}\nhere: {:#?}",
            theirs.items,
            ours.items
        );
        let difference = differences.iter().find(|it| it.step == step);
        let race = RACES.iter().find(|it| it.0 == step);
        for (theirs, ours) in theirs.items.iter().zip(&ours.items) {
            let (mut theirs, mut ours) = (normal(theirs, there), normal(ours, here));
            if let (Some(their), Some(our)) = (texts(&theirs), texts(&ours)) {
                if let Some(difference) = difference {
                    assert_eq!(their, difference.there, "there: {step}");
                    assert_eq!(our, difference.here, "here: {step}");
                }
                if let Some((_, outcomes)) = race {
                    let fits = |text: &str| outcomes.iter().any(|outcome| text.starts_with(outcome));
                    assert!(fits(their[0]), "there: {step}: {their:?}");
                    assert!(fits(our[0]), "here: {step}: {our:?}");
                }
                if difference.is_some() || race.is_some() {
                    theirs["output"].take();
                    ours["output"].take();
                }
            }
            assert_eq!(theirs, ours, "{step}");
        }
    }
}

/// The texts of what a call gave.
fn texts(item: &Value) -> Option<Vec<&str>> {
    match item.get("output")? {
        Value::Array(all) => Some(all.iter().filter_map(|it| it["text"].as_str()).collect()),
        whole => Some(vec![whole.as_str().unwrap()]),
    }
}

/// Returns what was sent without what is another one each time: ids, times, and the folder of the run.
fn normal(sent: &Value, of: &Record) -> Value {
    match sent {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(name, _)| *name != "id");
            kept.map(|(name, value)| (name.clone(), normal(value, of))).collect()
        }
        Value::Array(all) => all.iter().map(|it| normal(it, of)).collect(),
        Value::String(text) => {
            let mut text = text.replace(&of.folder, "FOLDER");
            // The numbers of cells begin anew in a host that was started anew, and go on where it kept its sessions.
            for before in [
                "Wall time ",
                "aborted by user after ",
                "<current_date>",
                "exec cell ",
                "cell ID g2:",
                "\"g2:",
            ] {
                text = without_number(&text, before);
            }
            text.into()
        }
        other => other.clone(),
    }
}

/// Replaces each number, or date, that follows these words.
fn without_number(text: &str, before: &str) -> String {
    let mut parts = text.split(before);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |done, part| {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-'));
        format!("{done}{before}{}{rest}", if rest.len() < part.len() { "N" } else { "" })
    })
}
