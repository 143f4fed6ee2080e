//! Schemas that mean harm: bounded in time and output, and valid TypeScript all the same.

use carrel_catalogue::declaration::{Budget, Declaration, declare_all};
use carrel_contract::{JsonText, ToolDescription, ToolName, ToolOutput};
use serde_json::{Map, Value, json};

use crate::checker::{check, declare};

fn many(count: usize, of: impl Fn(usize) -> (String, Value)) -> Value {
    Value::Object((0..count).map(of).collect::<Map<_, _>>())
}

fn nested(depth: usize, wrap: impl Fn(Value) -> Value) -> Value {
    (0..depth).fold(json!({ "type": "string" }), |inner, _| wrap(inner))
}

fn hostile() -> Vec<(&'static str, Value)> {
    let text = "*/ x \u{2028} @y \u{202e} ".repeat(50_000);
    vec![
        (
            "properties",
            json!({ "type": "object", "properties": many(20_000, |n| (format!("p{n}"), json!({ "type": "string", "description": "d" }))) }),
        ),
        (
            "required",
            json!({ "type": "object", "required": (0..20_000).map(|n| format!("p{n}")).collect::<Vec<_>>() }),
        ),
        (
            "long_names",
            json!({ "type": "object", "properties": many(300, |n| (format!("{n}{}", "x".repeat(10_000)), json!(true))) }),
        ),
        ("deep", nested(100, |inner| json!({ "properties": { "a": inner } }))),
        ("deep_arrays", nested(100, |inner| json!({ "items": inner }))),
        ("deep_unions", nested(50, |inner| json!({ "anyOf": [inner, { "type": "number" }] }))),
        (
            "deep_all",
            nested(
                50,
                |inner| json!({ "allOf": [inner.clone(), { "properties": { "x": { "type": "number" } } }] }),
            ),
        ),
        (
            "laughs",
            json!({
            "type": "object", "properties": { "all": { "$ref": "#/$defs/l0" } },
            "$defs": many(60, |n| (format!("l{n}"), json!({ "type": "object", "properties": many(10, |p| (format!("p{p}"), json!({ "$ref": format!("#/$defs/l{}", n + 1) }))) }))) }),
        ),
        (
            "laughing_unions",
            json!({
            "$ref": "#/$defs/l0",
            "$defs": many(60, |n| (format!("l{n}"), json!({ "anyOf": vec![json!({ "$ref": format!("#/$defs/l{}", n + 1) }); 10], "allOf": [{ "$ref": format!("#/$defs/l{}", n + 1) }] }))) }),
        ),
        (
            "chain",
            json!({ "$ref": "#/$defs/l0", "$defs": many(5_000, |n| (format!("l{n}"), json!({ "properties": { "x": { "$ref": format!("#/$defs/l{}", n + 1) } } }))) }),
        ),
        (
            "chain_of_aliases",
            json!({ "$ref": "#/$defs/l0", "$defs": many(5_000, |n| (format!("l{n}"), json!({ "$ref": format!("#/$defs/l{}", n + 1) }))) }),
        ),
        (
            "circle_of_all",
            json!({ "$ref": "#/$defs/l0", "$defs": many(2_000, |n| (format!("l{n}"), json!({ "allOf": [{ "$ref": format!("#/$defs/l{}", (n + 1) % 2_000) }, { "$ref": "#" }] }))) }),
        ),
        (
            "enum",
            json!({ "type": "object", "properties": { "e": { "enum": (0..20_000).map(|n| format!("v{n}")).collect::<Vec<_>>() } } }),
        ),
        (
            "enum_of_objects",
            json!({ "enum": (0..3_000).map(|n| json!({ "a": [n, { "b": n }] })).collect::<Vec<_>>() }),
        ),
        (
            "union",
            json!({ "anyOf": (0..3_000).map(|n| json!({ "type": "object", "properties": { "k": { "const": n } } })).collect::<Vec<_>>() }),
        ),
        (
            "product",
            json!({ "allOf": vec![json!({ "anyOf": (0..30).map(|n| json!({ "properties": { format!("p{n}"): { "const": n } } })).collect::<Vec<_>>() }); 30] }),
        ),
        (
            "text",
            json!({ "title": text, "description": text, "default": text, "examples": [text], "properties": { "a": { "description": text, "pattern": text, "enum": [text] } } }),
        ),
        ("tuple", json!({ "prefixItems": vec![json!({ "type": "string" }); 5_000] })),
        (
            "patterns",
            json!({ "patternProperties": many(5_000, |n| (format!("^{n}"), json!({ "type": "number" }))) }),
        ),
        (
            "wrong_types",
            json!({ "type": 5, "properties": [], "required": "a", "enum": 3, "allOf": {}, "anyOf": [1, null], "$ref": 7, "items": "x", "minItems": -1, "description": {}, "patternProperties": 1, "propertyNames": [], "dependentRequired": 4 }),
        ),
        (
            "odd_references",
            json!({ "allOf": [{ "$ref": "" }, { "$ref": "#/%zz" }, { "$ref": "#/allOf/99999999999999999999" }, { "$ref": "##" }, { "$ref": "*/" }] }),
        ),
    ]
}

#[test]
fn hostile_schemas_are_declared_within_the_budget() {
    let mut all = Vec::new();
    for (name, schema) in hostile() {
        for budget in [Budget::default(), Budget::bytes(2_000)] {
            let declared = declare(name, &schema, budget);
            let text = declared.to_string();
            let required = usize::from(name == "required") * 20_000;
            assert!(text.len() <= budget.max_bytes() + required, "{name}: {} bytes", text.len());
            assert_eq!(
                declared,
                declare(name, &schema, budget),
                "{name} is declared otherwise the second time"
            );
            let output = ToolDescription::new(
                ToolName::new(&format!("out_{name}_{}", budget.max_bytes())).unwrap(),
                "",
            )
            .with_output(ToolOutput { schema: JsonText::from_value(&schema), observed: false });
            all.push(Declaration::new(&output, budget));
            if budget == Budget::default() {
                all.push(declared);
            }
        }
    }
    let faults = check(&[("tools.d.ts", &declare_all(&all))]);
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn nested_deeper_than_json_may_be_is_anything() {
    let depth = 100_000;
    let schema = format!("{}true{}", "{\"items\":".repeat(depth), "}".repeat(depth));
    let Ok(schema) = JsonText::parse(&schema) else { return };
    let tool = ToolDescription::new(ToolName::new("deep").unwrap(), "").with_input_schema(schema);
    assert!(
        Declaration::new(&tool, Budget::default())
            .to_string()
            .contains("deep(input?: unknown): Promise<any>;")
    );
}

#[test]
fn nothing_is_over_the_budget_but_the_names_that_are_required() {
    let schema = json!({
        "type": "object", "required": ["first_name", "second-name"],
        "properties": {
            "first_name": { "enum": ["a", "b", "c"], "description": "Some words about it.", "examples": ["a"] },
            "second-name": { "type": "object", "properties": { "inner": { "type": "array", "items": { "type": "number", "minimum": 3 } } } },
            "third": { "$ref": "#/$defs/t" }
        },
        "$defs": { "t": { "type": "object", "properties": { "again": { "$ref": "#/$defs/t" } } } }
    });
    let whole = declare("some__tool", &schema, Budget::default()).to_string().len();
    let floor = declare("some__tool", &schema, Budget::bytes(0)).to_string().len();
    assert!(floor < whole, "{floor} of {whole}");
    let mut all = Vec::new();
    for bytes in 0..=whole {
        let declared = declare("some__tool", &schema, Budget::bytes(bytes));
        let text = declared.to_string();
        assert!(text.len() <= bytes.max(floor), "{} bytes for {bytes}", text.len());
        assert!(text.contains("first_name: ") && text.contains("\"second-name\": "), "{text}");
        if all.last() != Some(&text) {
            all.push(text);
        }
    }
    // More room, more said.
    assert!(all.len() > 5, "{}", all.len());
    assert!(all.windows(2).all(|two| two[0].len() <= two[1].len()), "{all:#?}");
}
