//! The file, in JSON or TOML, as far as its entries: what each holds is read by [`parse`](super::parse).

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::error::{ConfigError, InvalidField, MalformedConfig};
use crate::near::nearest;

/// What a configuration in TOML may hold at its top.
const TABLES: &[&str] = &["servers", "mcp_servers", "mcpServers", "openapi"];

/// An object's entries in order, with a repeated key as an error instead of a silent choice.
pub(super) struct Entries(pub(super) Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;

        impl<'de> Visitor<'de> for Visit {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries: Vec<(String, Value)> = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, Value>()? {
                    if entries.iter().any(|(known, _)| *known == key) {
                        return Err(serde::de::Error::custom(format_args!("`{key}` appears twice")));
                    }
                    entries.push((key, value));
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(Visit)
    }
}

/// What other clients call the object that is `mcpServers` here, and whose name it is.
const ELSEWHERE: &[(&str, &str)] =
    &[("servers", "VS Code's"), ("context_servers", "Zed's"), ("mcp", "VS Code's")];

/// The file: only `mcpServers` matters, and other clients keep much else beside it.
pub(super) struct Document {
    pub(super) servers: Option<Entries>,
    pub(super) openapi: Option<Entries>,
    others: Vec<String>,
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;

        impl<'de> Visitor<'de> for Visit {
            type Value = Document;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with `mcpServers`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
                let mut document = Document { servers: None, openapi: None, others: Vec::new() };
                while let Some(key) = map.next_key::<String>()? {
                    let entries = match key.as_str() {
                        "mcpServers" => &mut document.servers,
                        "openapi" => &mut document.openapi,
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            document.others.push(key);
                            continue;
                        }
                    };
                    if entries.replace(map.next_value()?).is_some() {
                        return Err(serde::de::Error::custom(format_args!("`{key}` appears twice")));
                    }
                }
                Ok(document)
            }
        }

        deserializer.deserialize_map(Visit)
    }
}

impl Document {
    /// Reads one in JSON. `origin` says in errors where the text came from.
    pub(super) fn from_json(text: &str, origin: &str) -> Result<Self, ConfigError> {
        // Editors on Windows put a byte order mark in front.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let document: Document = serde_json::from_str(text).map_err(|error| MalformedConfig {
            origin: origin.to_owned(),
            line: error.line(),
            column: error.column(),
            message: syntax_problem(text, &error),
        })?;
        if document.servers.is_none() && document.openapi.is_none() {
            return Err(InvalidField {
                origin: origin.to_owned(),
                server: None,
                field: "mcpServers".to_owned(),
                problem: missing_servers(&document.others),
            }
            .into());
        }
        Ok(document)
    }

    /// Reads one in TOML.
    pub(super) fn from_toml(text: &str, origin: &str) -> Result<Self, ConfigError> {
        let table: serde_json::Map<String, Value> = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let before = text.get(..at).unwrap_or_default();
            MalformedConfig {
                origin: origin.to_owned(),
                line: before.matches('\n').count() + 1,
                column: before.rsplit('\n').next().unwrap_or_default().chars().count() + 1,
                message: error.message().lines().next().unwrap_or_default().to_owned(),
            }
        })?;
        let mut document = Document { servers: None, openapi: None, others: Vec::new() };
        for (key, value) in table {
            let invalid = |problem: &str| InvalidField {
                origin: origin.to_owned(),
                server: None,
                field: key.chars().take(60).collect(),
                problem: problem.to_owned(),
            };
            if !TABLES.contains(&key.as_str()) {
                // What others keep in the same file, policies for example, is theirs to read.
                document.others.push(key);
                continue;
            }
            let entries = if key == "openapi" { &mut document.openapi } else { &mut document.servers };
            let Value::Object(table) = value else {
                return Err(invalid("is not a table; accepted is one table a server").into());
            };
            if entries.replace(Entries(table.into_iter().collect())).is_some() {
                return Err(invalid("stands beside another table of servers; accepted is one of them").into());
            }
        }
        Ok(document)
    }
}

/// Says what a file without `mcpServers` has instead.
fn missing_servers(keys: &[String]) -> String {
    let accepted = "accepted is an object with one entry a server";
    let elsewhere = ELSEWHERE.iter().find(|(key, _)| keys.iter().any(|found| found == key));
    if let Some((key, whose)) = elsewhere {
        return format!("is missing; the file has {whose} `{key}`, which is not read; {accepted}");
    }
    let near = keys.iter().find(|key| !nearest(key, ["mcpServers"], 1).is_empty());
    match near {
        Some(near) => {
            format!("is missing; the file has `{}`; {accepted}", near.chars().take(60).collect::<String>())
        }
        None => format!("is missing; {accepted}"),
    }
}

/// Says what is wrong with the text, in the words of whoever takes JSON for JavaScript.
fn syntax_problem(text: &str, error: &serde_json::Error) -> String {
    let message = without_position(error);
    if message == "trailing comma" {
        return "trailing commas are not accepted".to_owned();
    }
    let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default();
    let at = line.get(error.column().saturating_sub(1)..).unwrap_or_default();
    if error.is_syntax() && ["//", "/*", "#"].iter().any(|comment| at.starts_with(comment)) {
        return "comments are not accepted".to_owned();
    }
    if error.is_data() && message.ends_with("expected an object with `mcpServers`") {
        return format!("the file must be an object with `mcpServers` ({message})");
    }
    message
}

/// The parser's message without the position, which the error already gives.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((message, _)) => message.to_owned(),
        None => text,
    }
}
