//! Shapes of values that were seen, as schemas and as declarations, and what hostile values make of them.

use serde_json::{Value, json};

use super::*;
use crate::declaration::{Budget, Declaration};
use carrel_contract::{JsonText, ToolDescription, ToolName, ToolOutput};

fn learned(values: &[Value]) -> Observed {
    let mut observed = Observed::default();
    for value in values {
        observed.observe(value);
        assert!(observed.fits(value), "{value}: {observed:?}");
    }
    observed
}

/// Returns the type that is declared of what a tool was seen to return.
fn declared(values: &[Value]) -> String {
    let schema = JsonText::from_value(&learned(values).schema().unwrap());
    let tool = ToolDescription::new(ToolName::new("t").unwrap(), "")
        .with_output(ToolOutput { schema, observed: true });
    let text = Declaration::new(&tool, Budget::default()).to_string();
    assert!(text.contains("@returns as observed in earlier calls, not promised."), "{text}");
    let (_, ty) = text.split_once("Promise<").unwrap();
    ty.trim_end_matches(">;\n};\n").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn shapes_are_declared() {
    for (values, expected) in [
        (vec![json!("a"), json!("b")], "string"),
        (
            vec![json!({ "id": 1, "name": "a" }), json!({ "name": "b", "id": 2.5, "more": null })],
            "{ id: number; name: string; more?: null }",
        ),
        (vec![json!([{ "id": 1 }, { "id": "x", "tags": [] }])], "{ id: string | number; tags?: any[] }[]"),
        (vec![json!([])], "any[]"),
        (vec![json!({})], "{ [key: string]: any }"),
        (
            vec![json!({ "2024-01-01": 1, "2024-01-02": 2, "2024-01-03": null })],
            "{ [key: string]: number | null }",
        ),
        (vec![json!([1, null, "x", true])], "(string | number | boolean | null)[]"),
    ] {
        assert_eq!(declared(&values), expected, "{values:?}");
    }
}

#[test]
fn names_that_are_data_make_a_map() {
    let scattered: Vec<Value> = (0..6).map(|n| json!({ format!("key_{}", ["a", "b", "c", "d", "e", "f"][n]): n, format!("other_{}", ["u", "v", "w", "x", "y", "z"][n]): n })).collect();
    assert_eq!(declared(&scattered), "{ [key: string]: number }");
    let many: Value = (0..100).map(|n| (format!("word{}", "x".repeat(n)), json!({ "a": n }))).collect();
    assert_eq!(declared(&[many]), "{ [key: string]: { a: number } }");
}

#[test]
fn what_fits_changes_nothing() {
    let mut observed = learned(&[json!({ "a": 1, "b": ["x"] })]);
    assert!(!observed.observe(&json!({ "a": 7, "b": [] })));
    assert!(!observed.fits(&json!({ "a": 7 })));
    assert!(observed.observe(&json!({ "a": 7 })));
    assert!(observed.fits(&json!({ "a": 7 })));
    for other in
        [json!({ "a": "7" }), json!({ "a": 7, "c": 1 }), json!([]), json!(null), json!({ "a": 1, "b": [1] })]
    {
        assert!(!observed.fits(&other), "{other}");
    }
    assert_eq!(observed.answers(), 3);
}

#[test]
fn another_kind_starts_over_and_one_that_alternates_is_kept() {
    let mut observed = learned(&[json!({ "a": 1 })]);
    assert!(observed.observe(&json!("rate limited")));
    assert_eq!(observed.schema().unwrap(), json!({ "type": "string" }));
    assert!(observed.observe(&json!({ "a": 1 })));
    assert_eq!(
        observed.schema().unwrap(),
        json!({ "type": ["string", "object"], "properties": { "a": { "type": "number" } }, "required": ["a"] })
    );
    assert!(observed.fits(&json!("x")) && observed.fits(&json!({ "a": 2 })));
}

#[test]
fn work_and_size_are_bounded() {
    let large: Value = (0..200_000).map(|n| json!({ "id": n, format!("k{n}"): [n] })).collect();
    let observed = learned(&[large]);
    assert!(serde_json::to_string(&observed).unwrap().len() < 20_000);
    let deep = (0..100).fold(json!(1), |inner, _| json!({ "a": [inner] }));
    let observed = learned(&[deep]);
    assert!(observed.fits(&(0..100).fold(json!("x"), |inner, _| json!({ "a": [inner] }))));
    let words = |first: &str, each: &Value| -> Value {
        (0..40).map(|n| (format!("{first}{}", "x".repeat(n)), each.clone())).collect()
    };
    let mut observed = Observed::default();
    for (first, each) in [("a", json!(1)), ("b", json!([{ "c": 1 }])), ("c", words("d", &json!([])))] {
        for name in ["e", "f", "g"] {
            let wide = words(first, &words(name, &each));
            observed.observe(&wide);
            assert!(observed.fits(&wide));
            assert!(serde_json::to_string(&observed).unwrap().len() < 300_000);
        }
    }
}

#[test]
fn it_survives_being_written_down() {
    let observed = learned(&[json!([{ "id": 1, "x": { "1": 2, "2": 3, "3": 4 } }, { "id": null }])]);
    let text = serde_json::to_string(&observed).unwrap();
    assert_eq!(serde_json::from_str::<Observed>(&text).unwrap(), observed);
}
