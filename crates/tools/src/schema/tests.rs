//! What fits, what does not, and schemas that mean harm.

use serde_json::json;

use super::*;

fn orders() -> InputSchema {
    InputSchema::new(json!({
        "type": "object",
        "properties": {
            "customer": { "type": "string", "pattern": "^c-[0-9]+$" },
            "status": { "enum": ["open", "shipped"] },
            "limit": { "type": "integer", "minimum": 1, "maximum": 100 },
            "lines": { "type": "array", "items": { "type": "object", "required": ["sku"],
                "properties": { "sku": { "type": "string" } } } }
        },
        "required": ["customer"],
        "additionalProperties": false
    }))
}

fn message(schema: &InputSchema, input: &Value) -> String {
    schema.check(input).unwrap_err().to_string()
}

#[test]
fn accepts_what_fits() {
    orders().check(&json!({ "customer": "c-1", "limit": 5, "lines": [{ "sku": "x" }] })).unwrap();
}

#[test]
fn names_place_fault_and_what_is_accepted() {
    let schema = orders();
    for (input, expected) in [
        (json!({}), "`input` lacks the required property \"customer\" (string)"),
        (json!({ "customer": "c-1", "limit": "five" }), "`input.limit` is \"five\"; accepted: integer"),
        (json!({ "customer": "c-1", "limit": 0 }), "`input.limit` is 0; accepted: 1 or more"),
        (
            json!({ "customer": "c-1", "status": "opn" }),
            "`input.status` is \"opn\"; accepted: \"open\", \"shipped\"",
        ),
        (
            json!({ "customer": "bob" }),
            "`input.customer` is \"bob\"; accepted: text that matches /^c-[0-9]+$/",
        ),
        (
            json!({ "customer": "c-1", "lines": [{ "sku": "a" }, {}] }),
            "`input.lines[1]` lacks the required property \"sku\" (string)",
        ),
        (
            json!({ "customer": "c-1", "limt": 5 }),
            "`input` has an unknown property \"limt\" (did you mean \"limit\"?); accepted: \"customer\", \
             \"status\", \"limit\", \"lines\"",
        ),
    ] {
        assert_eq!(message(&schema, &input), expected);
    }
}

#[test]
fn names_every_fault_up_to_a_bound() {
    let both = message(&orders(), &json!({ "customer": 1, "limit": 1000 }));
    assert!(both.contains("`input.customer`") && both.contains("`input.limit`"), "{both}");
    let lines = vec![json!({}); 5000];
    let many = message(&orders(), &json!({ "customer": "c-1", "lines": lines }));
    assert!(many.ends_with("and 1000 more") && many.len() < 1000, "{many}");
}

#[test]
fn says_what_each_alternative_wanted() {
    let schema = InputSchema::new(json!({ "properties": { "id": {
        "anyOf": [{ "type": "integer" }, { "enum": ["latest"] }] } } }));
    assert_eq!(
        message(&schema, &json!({ "id": "x" })),
        "`input.id` fits none of the accepted forms: it is \"x\"; accepted: integer; or it is \"x\"; \
         accepted: \"latest\""
    );
}

#[test]
fn quotes_little_of_a_large_input() {
    let text = message(&orders(), &json!({ "customer": "x".repeat(1 << 20) }));
    assert!(text.len() < 400, "{}", text.len());
    let key = "k".repeat(1 << 20);
    let text = message(&orders(), &json!({ "customer": "c-1", key: 1 }));
    assert!(text.len() < 400, "{}", text.len());
}

#[test]
fn a_schema_that_cannot_be_compiled_checks_nothing() {
    let mut deep = json!({});
    for _ in 0..200 {
        deep = json!({ "not": deep });
    }
    for document in [
        json!({ "type": 5 }),
        json!({ "$ref": "https://example.com/schema.json" }),
        json!({ "properties": { "x": { "$ref": "#/nowhere" } } }),
        json!({ "$defs": { "a": { "$id": "http://h/a", "type": "integer" } } }),
        json!({ "$ref": "file:///etc/passwd" }),
        json!({ "properties": { "x": { "pattern": "(" } } }),
        deep,
    ] {
        let schema = InputSchema::new(document);
        assert!(schema.problem().is_some(), "{:?}", schema.document());
        schema.check(&json!({ "x": 1 })).unwrap();
    }
}

#[test]
fn references_may_go_in_a_circle() {
    for document in [
        json!({ "$ref": "#" }),
        json!({ "$ref": "#/$defs/a", "$defs": {
            "a": { "$ref": "#/$defs/b" }, "b": { "allOf": [{ "$ref": "#/$defs/a" }] } } }),
        json!({ "$anchor": "x", "$ref": "#x" }),
        json!({ "$dynamicAnchor": "x", "allOf": [{ "$dynamicRef": "#x" }] }),
        json!({ "propertyNames": { "$ref": "#" } }),
    ] {
        let schema = InputSchema::new(document);
        assert_eq!(schema.problem(), None, "{:?}", schema.document());
        schema.check(&json!({ "x": 1 })).unwrap();
    }
}

#[test]
fn references_that_fan_out_are_not_followed() {
    let doubling = |reference: fn(usize) -> String, anchor: bool| {
        let mut definitions = serde_json::Map::new();
        for i in 1..40 {
            let twice = json!({ "$ref": reference(i - 1) });
            let mut definition = json!({ "anyOf": [twice, twice] });
            if anchor {
                definition["$anchor"] = json!(format!("a{i}"));
            }
            definitions.insert(format!("a {i}"), definition);
        }
        definitions.insert("a 0".into(), json!({ "$anchor": "a0", "type": "integer" }));
        json!({ "$ref": reference(39), "$defs": definitions })
    };
    for document in [
        doubling(|i| format!("#/$defs/a {i}"), false),
        doubling(|i| format!("#/%24defs/a%20{i}"), false),
        doubling(|i| format!("#a{i}"), true),
    ] {
        let schema = InputSchema::new(document);
        assert_eq!(schema.problem(), Some("the schema's references fan out too far"));
    }
}

#[test]
fn a_long_chain_of_references_is_not_followed() {
    let definitions: serde_json::Map<_, _> =
        (0..10_000).map(|i| (format!("a{i}"), json!({ "$ref": format!("#/$defs/a{}", i + 1) }))).collect();
    let schema = InputSchema::new(json!({ "$ref": "#/$defs/a0", "$defs": definitions }));
    assert!(schema.problem().unwrap().contains("lead deeper than 128"));
}

#[test]
fn a_schema_may_refer_to_itself_below() {
    let schema = InputSchema::new(json!({
        "properties": { "child": { "$ref": "#" }, "n": { "type": "integer" } } }));
    assert_eq!(schema.problem(), None);
    assert_eq!(
        message(&schema, &json!({ "child": { "child": { "n": "x" } } })),
        "`input.child.child.n` is \"x\"; accepted: integer"
    );
}

#[test]
fn a_hostile_pattern_ends() {
    let schema = InputSchema::new(json!({ "properties": { "x": { "pattern": "^(a+)+(?=b)$" } } }));
    assert!(schema.check(&json!({ "x": "a".repeat(40) })).is_err());
}
