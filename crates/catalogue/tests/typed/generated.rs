//! Schemas made up at random from every keyword that declarations read, and values made up to fit them.

use serde_json::{Map, Value, json};

use crate::checker::{Case, misfits};
use crate::explicit::explicit;

/// How many schemas are made.
const SCHEMAS: usize = 300;
/// How many values are tried for each.
const VALUES: usize = 12;

/// A small generator of numbers, the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.roll(from.len())]
    }

    fn chance(&mut self) -> bool {
        self.roll(2) == 0
    }
}

const NAMES: [&str; 5] = ["a", "b", "c-d", "new", "e f"];

fn schema(dice: &mut Dice, depth: usize) -> Value {
    let simple = depth == 0;
    match dice.roll(if simple { 7 } else { 16 }) {
        0 => json!({ "type": "string", "minLength": dice.roll(2), "description": "*/ @x" }),
        1 => json!({ "type": "integer", "minimum": 0, "maximum": 9, "default": 3 }),
        2 => json!({ "type": *dice.pick(&["number", "boolean", "null"]) }),
        3 => json!({ "type": ["string", "null"] }),
        4 => json!({ "enum": ["x", 1, true, null, ["y"], { "a": 1 }] }),
        5 => json!({ "const": dice.pick(&[json!("x"), json!({ "a": [1] }), json!(-1.5)]) }),
        6 => json!({ "$ref": dice.pick(&["#/$defs/tree", "#/$defs/short", "#/$defs/pair"]) }),
        7 => json!({ "type": "array", "items": schema(dice, depth - 1) }),
        8 => {
            json!({ "type": "array", "prefixItems": [schema(dice, depth - 1), schema(dice, depth - 1)], "items": schema(dice, depth - 1), "minItems": dice.roll(3) })
        }
        9 => {
            json!({ "type": "array", "prefixItems": [schema(dice, depth - 1)], "items": false, "maxItems": 1 })
        }
        10 => json!({ "type": "object", "additionalProperties": schema(dice, depth - 1) }),
        11 => {
            json!({ "type": "object", "patternProperties": { "^a": schema(dice, depth - 1) }, "additionalProperties": dice.chance() })
        }
        12 => json!({ "anyOf": [schema(dice, depth - 1), schema(dice, depth - 1)] }),
        13 => {
            let base = object(dice, depth - 1);
            json!({ "allOf": [base, object(dice, depth - 1)], "anyOf": [{ "required": ["a"] }, { "required": ["b"] }, true] })
        }
        14 => {
            json!({ "oneOf": [object(dice, depth - 1), { "type": "string" }, object(dice, depth - 1)], "nullable": true })
        }
        _ => object(dice, depth),
    }
}

fn object(dice: &mut Dice, depth: usize) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for name in NAMES {
        if dice.chance() {
            properties.insert(name.to_owned(), schema(dice, depth.saturating_sub(1)));
        }
        if dice.roll(3) == 0 {
            required.push(name);
        }
    }
    let mut made = json!({ "type": "object", "properties": properties, "required": required });
    match dice.roll(4) {
        0 => made["additionalProperties"] = json!({ "type": "number" }),
        1 => made["additionalProperties"] = json!(true),
        _ => {}
    }
    made
}

/// Makes a value that a schema may allow.
fn value(dice: &mut Dice, schema: &Value, root: &Value, depth: usize) -> Value {
    let Some(map) = schema.as_object().filter(|_| depth > 0) else { return json!(null) };
    if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
        return value(dice, root.pointer(&reference[1..]).unwrap(), root, depth - 1);
    }
    if let Some(one) = map.get("const") {
        return one.clone();
    }
    if let Some(all) = map.get("enum").and_then(Value::as_array) {
        return dice.pick(all).clone();
    }
    if let Some(all) = map.get("oneOf").or(map.get("anyOf").filter(|_| !map.contains_key("allOf"))) {
        let chosen = dice.pick(all.as_array().unwrap()).clone();
        return value(dice, &chosen, root, depth - 1);
    }
    if let Some(all) = map.get("allOf").and_then(Value::as_array) {
        let mut joined = Map::new();
        for part in all {
            joined.extend(value(dice, part, root, depth - 1).as_object().unwrap().clone());
        }
        return joined.into();
    }
    let kind = match &map["type"] {
        Value::Array(kinds) => dice.pick(kinds).as_str().unwrap(),
        kind => kind.as_str().unwrap(),
    };
    match kind {
        "string" => json!(*dice.pick(&["", "x", "y z"])),
        "integer" => json!(dice.roll(10)),
        "number" => json!(*dice.pick(&[0.5, -2.0, 7.0])),
        "boolean" => json!(dice.chance()),
        "array" => {
            let prefix = map.get("prefixItems").and_then(Value::as_array).cloned().unwrap_or_default();
            let count = dice.roll(4);
            let each = map.get("items").cloned().unwrap_or(json!({ "type": "null" }));
            (0..count).map(|at| value(dice, prefix.get(at).unwrap_or(&each), root, depth - 1)).collect()
        }
        "object" => {
            let mut made = Map::new();
            let empty = Map::new();
            let properties = map.get("properties").and_then(Value::as_object).unwrap_or(&empty);
            let required = map.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
            let others = map.get("additionalProperties").cloned().unwrap_or(json!({ "type": "null" }));
            let open = map.contains_key("additionalProperties");
            for name in NAMES {
                // What a schema does not speak of, its type has not: see docs/declarations.md.
                let known = open || properties.contains_key(name);
                let given = required.contains(&json!(name)) || (known && dice.chance());
                if !given {
                    continue;
                }
                let pattern = map.get("patternProperties").map(|all| &all["^a"]).filter(|_| name == "a");
                let of = properties.get(name).or(pattern).unwrap_or(&others);
                made.insert(name.to_owned(), value(dice, of, root, depth - 1));
            }
            made.into()
        }
        _ => json!(null),
    }
}

#[test]
fn what_a_made_up_schema_allows_fits() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut cases = Vec::new();
    for _ in 0..SCHEMAS {
        let mut made = schema(&mut dice, 3);
        made["$defs"] = json!({
            "tree": { "type": "object", "properties": { "a": { "type": "string" }, "b": { "type": "array", "items": { "$ref": "#/$defs/tree" } } }, "required": ["a"] },
            "short": { "type": ["string", "number"] },
            "pair": { "type": "array", "prefixItems": [{ "$ref": "#/$defs/tree" }, { "$ref": "#/$defs/short" }], "minItems": 2, "maxItems": 2 }
        });
        let checked = jsonschema::validator_for(&explicit(&made)).unwrap();
        let tried: Vec<Value> = (0..VALUES).map(|_| value(&mut dice, &made, &made, 12)).collect();
        let allowed = tried.into_iter().filter(|value| checked.is_valid(value)).collect();
        cases.push(Case { schema: made, allowed });
    }
    let values: usize = cases.iter().map(|case| case.allowed.len()).sum();
    assert!(values > SCHEMAS * VALUES / 4, "only {values} values fit their schemas");
    let wrong: Vec<String> = misfits(&cases)
        .iter()
        .map(|misfit| format!("{}\n{}", cases[misfit.case].schema, misfit.what))
        .collect();
    assert!(wrong.is_empty(), "{} of {values}:\n{}", wrong.len(), wrong.join("\n"));
}
