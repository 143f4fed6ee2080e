//! What a schema says of a value beside its type: a description, and facts as doc tags.

use serde_json::{Map, Value};

use super::detail::Detail;
use super::text::comment_lines;

/// What is kept of a description, in bytes.
const MAX_TEXT_BYTES: usize = 4 << 10;
/// What is kept of a fact, in bytes; a longer one is left out.
const MAX_FACT_BYTES: usize = 200;
/// How many examples are kept.
const MAX_EXAMPLES: usize = 3;
/// The longest comment on one line.
const LINE_WIDTH: usize = 100;

/// The keywords that become tags as they are.
const LIMITS: [&str; 15] = [
    "format",
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "contentEncoding",
];

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Doc {
    text: String,
    tags: Vec<Tag>,
}

#[derive(Clone, Debug, PartialEq)]
struct Tag {
    class: Class,
    /// As it is written: `@minimum 1`.
    text: String,
}

/// What a budget drops at once.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Class {
    Example,
    Limit,
    /// Defaults, deprecation, notes: what goes with descriptions.
    Note,
}

impl Doc {
    /// Reads what a schema says. `called` is the name of the property it is for: a title that repeats it says nothing.
    pub(super) fn read(schema: &Map<String, Value>, called: &str) -> Self {
        let string = |key: &str| {
            schema.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
        };
        let text =
            string("description").or_else(|| string("title").filter(|title| !same_words(title, called)));
        let text = text.unwrap_or_default();
        let mut doc = Self { text: cut(text, MAX_TEXT_BYTES), tags: Vec::new() };
        if is_integer(schema.get("type")) {
            doc.push(Class::Limit, "@integer".to_owned());
        }
        // A tuple shows how many items it has.
        let tuple = schema.contains_key("prefixItems") || schema.get("items").is_some_and(Value::is_array);
        for key in LIMITS {
            let Some(value) = schema.get(key).filter(|_| !(tuple && key.ends_with("Items"))) else {
                continue;
            };
            match value {
                Value::Bool(false) => {}
                Value::Bool(true) => doc.push(Class::Limit, format!("@{key}")),
                value => doc.fact(Class::Limit, key, value),
            }
        }
        if let Some(value) = schema.get("default") {
            doc.fact(Class::Note, "default", value);
        }
        for (key, tag) in
            [("deprecated", "@deprecated"), ("readOnly", "@readonly"), ("writeOnly", "@writeonly")]
        {
            if schema.get(key) == Some(&Value::Bool(true)) {
                doc.push(Class::Note, tag.to_owned());
            }
        }
        let examples = schema.get("examples").and_then(Value::as_array).into_iter().flatten();
        for example in examples.chain(schema.get("example")).take(MAX_EXAMPLES) {
            doc.fact(Class::Example, "example", example);
        }
        doc
    }

    /// Adds what is not the schema's own words: that something was left out, or does not show in the type.
    pub(super) fn note(&mut self, note: String) {
        if note.len() <= MAX_FACT_BYTES {
            self.push(Class::Note, note);
        }
    }

    fn fact(&mut self, class: Class, key: &str, value: &Value) {
        let text = match value {
            Value::String(text) if class == Class::Limit => text.clone(),
            Value::String(text) if text.len() > MAX_FACT_BYTES => return,
            Value::Array(items) if items.len() > MAX_FACT_BYTES => return,
            Value::Object(map) if map.len() > MAX_FACT_BYTES => return,
            value => value.to_string(),
        };
        if text.len() <= MAX_FACT_BYTES {
            self.push(class, format!("@{key} {text}"));
        }
    }

    fn push(&mut self, class: Class, text: String) {
        let tag = Tag { class, text };
        if !self.tags.contains(&tag) {
            self.tags.push(tag);
        }
    }

    /// Returns both; the first one's description counts.
    pub(super) fn and(mut self, other: Self) -> Self {
        if self.text.is_empty() {
            self.text = other.text;
        }
        for tag in other.tags {
            self.push(tag.class, tag.text);
        }
        self
    }

    /// Adds what is said of an array's items: their description when the array has none, their tags as `@items`.
    pub(super) fn and_items(mut self, items: &Self) -> Self {
        if self.text.is_empty() {
            self.text.clone_from(&items.text);
        }
        for class in [Class::Limit, Class::Example, Class::Note] {
            let said: Vec<&str> = items
                .tags
                .iter()
                .filter(|tag| tag.class == class)
                .map(|tag| tag.text.trim_start_matches('@'))
                .collect();
            if !said.is_empty() {
                self.push(class, format!("@items {}", said.join(", ")));
            }
        }
        self
    }

    /// Returns the lines of the comment, as much as the detail allows.
    pub(super) fn lines(&self, detail: &Detail) -> Vec<String> {
        let mut lines = comment_lines(&self.text, detail.description_bytes);
        let tags = self.tags.iter().filter(|tag| match tag.class {
            Class::Example => detail.examples,
            Class::Limit => detail.limits,
            Class::Note => detail.description_bytes > 0,
        });
        let tags: Vec<String> = tags.map(|tag| safe_tag(&tag.text)).collect();
        if !tags.is_empty() {
            let tags = tags.join(" ");
            match lines.as_mut_slice() {
                [only] if only.len() + tags.len() < LINE_WIDTH => {
                    only.push(' ');
                    only.push_str(&tags);
                }
                _ => lines.push(tags),
            }
        }
        lines
    }
}

/// Returns a tag as it can stand in a comment: its own `@` first, what it says on one line.
fn safe_tag(tag: &str) -> String {
    match tag.strip_prefix('@') {
        Some(rest) => format!("@{}", comment_lines(rest, usize::MAX).join(" ")),
        None => comment_lines(tag, usize::MAX).join(" "),
    }
}

/// Returns a comment of these lines, ending with a line break, each line after `indent`; nothing for no lines.
pub(super) fn comment(lines: &[String], indent: &str) -> String {
    match lines {
        [] => String::new(),
        [only] => format!("{indent}/** {} */\n", only.trim()),
        lines => {
            let mut out = format!("{indent}/**\n");
            for line in lines {
                out.push_str(format!("{indent} * {line}").trim_end());
                out.push('\n');
            }
            out.push_str(indent);
            out.push_str(" */\n");
            out
        }
    }
}

fn same_words(title: &str, name: &str) -> bool {
    let letters = |text: &str| -> String {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).take(200).collect()
    };
    letters(title) == letters(name)
}

fn is_integer(ty: Option<&Value>) -> bool {
    match ty {
        Some(Value::String(ty)) => ty == "integer",
        Some(Value::Array(types)) => {
            types.iter().any(|ty| ty == "integer") && types.iter().all(|ty| ty != "number")
        }
        _ => false,
    }
}

fn cut(text: &str, max_bytes: usize) -> String {
    if text.len() <= max_bytes {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(max_bytes);
    format!("{}…", text.get(..end).unwrap_or_default().trim_end())
}
