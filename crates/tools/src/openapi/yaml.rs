//! YAML as the value that JSON would have.
//!
//! Read event by event, so that nothing is nested on the stack, and with a count of what is made: a few lines of
//! aliases of aliases can stand for more than any memory holds.

use std::collections::HashMap;

use serde_json::{Map, Number, Value};
use yaml_rust2::Yaml;
use yaml_rust2::parser::{Event, Parser, Tag};
use yaml_rust2::scanner::TScalarStyle;

/// Values that a document may come to, with its aliases written out.
const MAX_VALUES: usize = 2_000_000;
/// How deep a document may be: as deep as JSON.
const MAX_DEPTH: usize = 128;

/// What is open at some depth.
enum Open {
    List(Vec<Value>, usize),
    /// An object, and the key whose value comes next.
    Object(Map<String, Value>, Option<String>, usize),
}

/// Reads the first document of `text`.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    let mut parser = Parser::new_from_str(text);
    let mut open: Vec<Open> = Vec::new();
    let mut anchors: HashMap<usize, (Value, usize)> = HashMap::new();
    let mut values = 0_usize;
    loop {
        let (event, mark) = parser.next_token().map_err(|error| error.to_string())?;
        let at = || format!("at line {}", mark.line());
        let (value, anchor) = match event {
            Event::SequenceStart(anchor, _) => {
                open.push(Open::List(Vec::new(), anchor));
                deep(&open).map_err(|problem| format!("{problem} {}", at()))?;
                continue;
            }
            Event::MappingStart(anchor, _) => {
                open.push(Open::Object(Map::new(), None, anchor));
                deep(&open).map_err(|problem| format!("{problem} {}", at()))?;
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::List(items, anchor)) => (Value::Array(items), anchor),
                Some(Open::Object(entries, _, anchor)) => (Value::Object(entries), anchor),
                None => return Err(format!("something ends that never began {}", at())),
            },
            Event::Scalar(text, style, anchor, tag) => (scalar(text, style, tag.as_ref()), anchor),
            Event::Alias(anchor) => {
                let (value, size) =
                    anchors.get(&anchor).ok_or_else(|| format!("an alias of nothing {}", at()))?;
                values = values.saturating_add(*size);
                bounded(values)?;
                (value.clone(), 0)
            }
            Event::StreamEnd => return Err("it is empty".to_owned()),
            Event::Nothing | Event::StreamStart | Event::DocumentStart | Event::DocumentEnd => continue,
        };
        values += 1;
        bounded(values)?;
        if anchor > 0 {
            // What is kept for later is made, too.
            let size = count(&value);
            values = values.saturating_add(size);
            anchors.insert(anchor, (value.clone(), size));
        }
        match open.last_mut() {
            None => return Ok(value),
            Some(Open::List(items, _)) => items.push(value),
            Some(Open::Object(entries, key @ None, _)) => {
                let name = named(value).ok_or_else(|| format!("a key is not a text {}", at()))?;
                if entries.contains_key(&name) {
                    let name: String = name.chars().take(60).collect();
                    return Err(format!("`{name}` appears twice {}", at()));
                }
                *key = Some(name);
            }
            Some(Open::Object(entries, key, _)) => {
                entries.insert(key.take().unwrap_or_default(), value);
            }
        }
    }
}

fn bounded(values: usize) -> Result<(), String> {
    if values > MAX_VALUES {
        return Err(format!("it has more than {MAX_VALUES} values, its aliases counted each time"));
    }
    Ok(())
}

fn deep(open: &[Open]) -> Result<(), String> {
    if open.len() > MAX_DEPTH {
        return Err(format!("it is nested deeper than {MAX_DEPTH}"));
    }
    Ok(())
}

fn count(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(count).sum::<usize>(),
        Value::Object(entries) => 1 + entries.values().map(count).sum::<usize>(),
        _ => 1,
    }
}

/// A key: `200` is written as a number and meant as a text.
fn named(key: Value) -> Option<String> {
    match key {
        Value::String(text) => Some(text),
        Value::Number(_) | Value::Bool(_) | Value::Null => Some(key.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

fn scalar(text: String, style: TScalarStyle, tag: Option<&Tag>) -> Value {
    let says_text = tag.is_some_and(|tag| tag.suffix == "str");
    if style != TScalarStyle::Plain || says_text {
        return Value::String(text);
    }
    match Yaml::from_str(&text) {
        Yaml::Null => Value::Null,
        Yaml::Boolean(value) => Value::Bool(value),
        Yaml::Integer(value) => Value::from(value),
        Yaml::Real(real) => {
            real.parse().ok().and_then(Number::from_f64).map_or(Value::String(text), Value::Number)
        }
        _ => Value::String(text),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn is_what_json_would_have_been() {
        let text = "# mine\na: &one [1, -2.5, 'x', \"200\", null, ~, true, yes]\n200: *one\ns: |\n  two\n  lines\n\
                    t: !!str 5\nbig: 123456789012345678901234567890\n";
        assert_eq!(
            parse(text).unwrap(),
            json!({ "a": [1, -2.5, "x", "200", null, null, true, "yes"],
                    "200": [1, -2.5, "x", "200", null, null, true, "yes"],
                    "s": "two\nlines\n", "t": "5", "big": 1.234_567_890_123_456_8e29 })
        );
    }

    #[test]
    fn a_hostile_text_ends_in_an_error() {
        let mut laughs = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for i in 1..12 {
            let before = format!("*a{}", i - 1);
            laughs.push_str(&format!("a{i}: &a{i} [{}]\n", vec![before; 10].join(", ")));
        }
        assert!(parse(&laughs).unwrap_err().contains("more than"));
        let nested = (0..200).fold(String::new(), |text, depth| format!("{text}{}a:\n", " ".repeat(depth)));
        assert!(parse(&nested).unwrap_err().contains("nested deeper"));
        for text in
            ["", &"[".repeat(10_000), "a: 1\na: 2", "? [1]\n: 2", "a: *none", "\t", "a: [", "key: - x"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
