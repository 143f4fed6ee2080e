//! Variables as each client writes them, as Carrel does.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::Places;

/// How a client writes variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `${VAR}` and `${VAR:-default}`, as Carrel itself: Claude Code's.
    Carrel,
    /// `${env:VAR}`, `${input:ID}`, `${workspaceFolder}` and its kin: VS Code's and Cursor's
    /// (<https://code.visualstudio.com/docs/reference/variables-reference>, <https://cursor.com/docs/context/mcp>).
    Editor,
    /// None: a text is what it is.
    None,
}

/// An entry in Carrel's words, and what was lost.
pub(super) struct Translated {
    pub(super) entry: Map<String, Value>,
    pub(super) notes: Vec<String>,
}

/// Translates an entry's texts, and the fields that Carrel has under another name or not at all.
pub(super) fn translate(entry: Map<String, Value>, dialect: Dialect, places: &Places) -> Translated {
    let mut notes = Vec::new();
    let mut out = Map::new();
    for (field, value) in entry {
        match field.as_str() {
            "command" | "args" | "env" | "cwd" | "url" | "headers" => {
                out.insert(field, texts(value, dialect, places, &mut notes));
            }
            "type" | "transport" | "disabled" | "enabled" | "oauth" => {
                out.insert(field, value);
            }
            // Cursor's, for servers that do not register clients.
            "auth" => {
                let part = |from: &str| {
                    value.get(from).cloned().map(|value| texts(value, dialect, places, &mut Vec::new()))
                };
                let oauth: Map<String, Value> =
                    [("client_id", "CLIENT_ID"), ("client_secret", "CLIENT_SECRET"), ("scopes", "scopes")]
                        .into_iter()
                        .filter_map(|(to, from)| Some((to.to_owned(), part(from)?)))
                        .collect();
                out.insert("oauth".to_owned(), Value::Object(oauth));
            }
            "envFile" => {
                let file =
                    value.as_str().map(|file| text(file, dialect, places, &mut notes)).unwrap_or_default();
                notes.push(hand_on(&file, places, &mut out));
            }
            _ => {}
        }
    }
    // The variables of a file stand behind those that are named; here the order of fields does not matter any more.
    notes.sort();
    notes.dedup();
    Translated { entry: out, notes }
}

/// Carrel reads no file of variables: it hands on those that the file names, which are to be set before.
fn hand_on(file: &str, places: &Places, out: &mut Map<String, Value>) -> String {
    let path = file.replace("${HOME}", &places.home.display().to_string());
    let Ok(Some(text)) = super::read(Path::new(&path)) else {
        return format!("its variables come from {file}, which cannot be read; name them under `env`");
    };
    let names: Vec<&str> = text
        .lines()
        .map(|line| line.trim().trim_start_matches("export "))
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| Some(line.split_once('=')?.0.trim()))
        .filter(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
        .collect();
    if let Value::Object(env) = out.entry("env").or_insert_with(|| json!({})) {
        for name in &names {
            env.entry(*name).or_insert_with(|| json!(format!("${{{name}}}")));
        }
    }
    format!(
        "set the variables of {file} before you start carrel, as by `set -a; . {file}`: {}",
        names.join(", ")
    )
}

fn texts(value: Value, dialect: Dialect, places: &Places, notes: &mut Vec<String>) -> Value {
    match value {
        Value::String(value) => Value::String(text(&value, dialect, places, notes)),
        // An editor takes these for texts; null takes a variable away.
        Value::Number(number) => Value::String(number.to_string()),
        Value::Bool(flag) => Value::String(flag.to_string()),
        Value::Array(items) => items.into_iter().map(|item| texts(item, dialect, places, notes)).collect(),
        Value::Object(entries) => entries
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, texts(value, dialect, places, notes)))
            .collect(),
        Value::Null => Value::Null,
    }
}

fn text(text: &str, dialect: Dialect, places: &Places, notes: &mut Vec<String>) -> String {
    if dialect == Dialect::None && text.contains("${") {
        notes.push("`${` is plain text to that client, and a reference here".to_owned());
    }
    if dialect != Dialect::Editor {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let Some((reference, tail)) = after.split_once('}') else {
            out.push_str("${");
            rest = after;
            continue;
        };
        let project = places.project.display().to_string();
        match reference {
            "workspaceFolder" | "workspaceRoot" | "cwd" => out.push_str(&project),
            "workspaceFolderBasename" => {
                out.push_str(&places.project.file_name().unwrap_or_default().to_string_lossy());
            }
            "userHome" => out.push_str("${HOME}"),
            "pathSeparator" | "/" => out.push(std::path::MAIN_SEPARATOR),
            other if other.starts_with("input:") => {
                let name = input_variable(other.trim_start_matches("input:"));
                notes.push(format!("set {name} before you start carrel: the editor asks for it"));
                out.push_str(&format!("${{{name}}}"));
            }
            other => {
                let name = other.strip_prefix("env:").unwrap_or(other);
                let known = name.split(":-").next().is_some_and(|name| {
                    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
                });
                if !known {
                    notes.push(format!("`${{{other}}}` means something to the editor alone"));
                }
                out.push_str(&format!("${{{name}}}"));
            }
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// Writes what the editor would fill in by itself: an input with a default that is no secret.
pub(crate) fn answer_inputs(entry: &mut Map<String, Value>, inputs: &[Value]) {
    for input in inputs {
        let text = |field: &str| input.get(field).and_then(Value::as_str);
        let (Some(id), Some(default)) = (text("id"), text("default")) else { continue };
        if input.get("password") == Some(&Value::Bool(true)) || default.contains(['}', '$']) {
            continue;
        }
        let asked = format!("${{input:{id}}}");
        let answered = format!("${{{}:-{default}}}", input_variable(id));
        for value in entry.values_mut() {
            replace(value, &asked, &answered);
        }
    }
}

fn replace(value: &mut Value, asked: &str, answered: &str) {
    match value {
        Value::String(text) => *text = text.replace(asked, answered),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, asked, answered)),
        Value::Object(entries) => entries.values_mut().for_each(|item| replace(item, asked, answered)),
        _ => {}
    }
}

fn input_variable(id: &str) -> String {
    super::secret::variable("", &format!("env.{id}"))
}
