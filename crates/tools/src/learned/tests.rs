//! What is learned of tools from what they return, where that is kept, and when it is forgotten.

use std::sync::Arc;

use carrel_contract::ToolName;
use serde_json::{Value, json};

use super::*;
use crate::source::SourceTool;

fn catalogue(input: &Value, output: Option<&Value>) -> Catalogue {
    let tool = |name: &str| SourceTool {
        name: name.to_owned(),
        description: String::new(),
        input_schema: input.clone(),
        output_schema: output.cloned(),
        hints: carrel_contract::ToolHints::default(),
    };
    Catalogue::new([(Arc::from("s"), vec![tool("a"), tool("b")])])
}

fn plain() -> Catalogue {
    catalogue(&json!({ "type": "object" }), None)
}

fn observe(learned: &Learned, catalogue: &Catalogue, tool: &str, answer: &Value) {
    let entry = catalogue.get(&ToolName::new(tool).unwrap()).unwrap();
    learned.observe(entry, &JsonText::from_value(answer));
}

fn known(learned: &Learned, catalogue: &Catalogue, tool: &str) -> Option<Value> {
    let tools = learned.describe(catalogue);
    let output = tools.iter().find(|described| described.name.as_str() == tool).unwrap().output.clone()?;
    assert!(output.observed);
    Some(output.schema.to_value())
}

#[test]
fn is_kept_across_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/learned.json");
    let catalogue = plain();
    let learned = Learned::open(&path);
    observe(&learned, &catalogue, "s__a", &json!({ "id": 1 }));
    drop(learned);
    let again = Learned::open(&path);
    let schema =
        json!({ "type": "object", "properties": { "id": { "type": "number" } }, "required": ["id"] });
    assert_eq!(known(&again, &catalogue, "s__a"), Some(schema));
    assert_eq!(known(&again, &catalogue, "s__b"), None);
}

#[test]
fn a_tool_that_takes_something_else_is_another_tool() {
    let learned = Learned::in_memory();
    observe(&learned, &plain(), "s__a", &json!("x"));
    let changed = catalogue(&json!({ "type": "object", "properties": { "new": {} } }), None);
    assert_eq!(known(&learned, &changed, "s__a"), None);
    observe(&learned, &changed, "s__a", &json!(1));
    assert_eq!(known(&learned, &changed, "s__a"), Some(json!({ "type": "number" })));
    assert_eq!(known(&learned, &plain(), "s__a"), None);
}

#[test]
fn what_a_server_promises_is_not_learned() {
    let learned = Learned::in_memory();
    let promised = catalogue(&json!({}), Some(&json!({ "type": "string" })));
    observe(&learned, &promised, "s__a", &json!(1));
    let output = learned.describe(&promised)[0].output.clone().unwrap();
    assert!(!output.observed && output.schema.as_str().contains("string"));
}

#[test]
fn two_at_once_keep_what_each_learned() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("learned.json");
    let catalogue = plain();
    let (one, other) = (Learned::open(&path), Learned::open(&path));
    observe(&one, &catalogue, "s__a", &json!(1));
    observe(&other, &catalogue, "s__b", &json!("x"));
    one.save().unwrap();
    other.save().unwrap();
    let both = Learned::open(&path);
    assert!(known(&both, &catalogue, "s__a").is_some() && known(&both, &catalogue, "s__b").is_some());
    // Many at once: whatever order they come in, the file is one of theirs as a whole.
    std::thread::scope(|threads| {
        for thread in 0..8 {
            let (path, catalogue) = (&path, &catalogue);
            threads.spawn(move || {
                for round in 0..20 {
                    let learned = Learned::open(path);
                    assert!(!learned.lock().tools.is_empty(), "it was read half written");
                    observe(&learned, catalogue, "s__a", &json!({ format!("t{thread}"): round }));
                    learned.save().unwrap();
                }
            });
        }
    });
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left over");
}

#[test]
fn a_file_that_is_none_of_ours_counts_as_empty() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("learned.json");
    let catalogue = plain();
    for text in [
        "",
        "{",
        "[]",
        "{\"version\":2,\"servers\":{}}",
        "\u{0}",
        "{\"version\":1,\"servers\":{\"s\":{\"a\":{\"observed\":7}}}}",
    ] {
        std::fs::write(&path, text).unwrap();
        let learned = Learned::open(&path);
        assert_eq!(known(&learned, &catalogue, "s__a"), None);
        observe(&learned, &catalogue, "s__a", &json!(1));
        learned.save().unwrap();
        assert!(known(&Learned::open(&path), &catalogue, "s__a").is_some(), "{text}");
    }
}

#[test]
fn a_file_that_cannot_be_written_loses_nothing_but_itself() {
    let folder = tempfile::tempdir().unwrap();
    let occupied = folder.path().join("file");
    std::fs::write(&occupied, "").unwrap();
    let learned = Learned::open(occupied.join("learned.json"));
    let catalogue = plain();
    observe(&learned, &catalogue, "s__a", &json!(1));
    for _ in 0..2 {
        let failed = learned.save().unwrap_err();
        assert_eq!(failed.path, occupied.join("learned.json"));
    }
    assert!(known(&learned, &catalogue, "s__a").is_some());
}

#[test]
fn large_and_many_answers_cost_little() {
    let learned = Learned::in_memory();
    let catalogue = plain();
    let large = json!(vec!["x".repeat(1000); 1000]);
    observe(&learned, &catalogue, "s__a", &large);
    assert_eq!(
        known(&learned, &catalogue, "s__a"),
        Some(json!({ "type": "array", "items": { "type": "string" } }))
    );
    // The second large one is not looked at.
    observe(&learned, &catalogue, "s__a", &json!(vec![1; 500_000]));
    assert_eq!(
        known(&learned, &catalogue, "s__a"),
        Some(json!({ "type": "array", "items": { "type": "string" } }))
    );
    for _ in 0..1000 {
        observe(&learned, &catalogue, "s__b", &json!(1));
    }
    let answers = learned.lock().tools.values().map(|known| known.observed.answers()).max().unwrap();
    assert!((64..200).contains(&answers), "{answers}");
}
