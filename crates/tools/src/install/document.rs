//! A client's configuration as text that is edited in place: what is not a server of ours stays as it is written, with its
//! comments and its layout.

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::CstRootNode;
use serde_json::{Map, Value};

use super::json::Json;
use super::toml::Toml;
use crate::import::Client;

/// Why a text is left alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {why}")]
pub struct Invalid {
    /// Counted from one.
    pub line: usize,
    /// Counted from one, in characters.
    pub column: usize,
    /// What is wrong there.
    pub why: String,
}

impl Invalid {
    /// What is wrong at an offset in bytes.
    pub(super) fn at(text: &str, offset: usize, why: impl Into<String>) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
            why: why.into(),
        }
    }
}

/// Servers by name, in the order of the file.
pub(super) type Servers = Map<String, Value>;

/// A configuration whose servers can be taken out and put in.
pub(super) trait Document {
    /// Returns a server as it is written, to be put in again.
    fn raw(&self, name: &str) -> Option<String>;
    /// Takes a server out.
    fn remove(&mut self, name: &str);
    /// Puts a server in, behind the others, written as the file is.
    fn insert(&mut self, name: &str, entry: &Value);
    /// Puts a server in as another text of the same kind had it.
    fn insert_raw(&mut self, name: &str, raw: &str);
    /// Takes the table of servers out when nothing is in it.
    fn prune(&mut self);
    /// Returns the text.
    fn text(&self) -> String;
}

/// What a text says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Content {
    pub(super) servers: Servers,
    /// Everything else.
    pub(super) rest: Map<String, Value>,
}

/// Opens a text for editing.
pub(super) fn open(client: Client, text: &str) -> Result<Box<dyn Document>, Invalid> {
    Ok(match client {
        Client::Codex => Box::new(Toml::parse(text)?),
        _ => Box::new(Json::parse(text, client.field())?),
    })
}

/// Reads what a text says.
pub(super) fn read(client: Client, text: &str) -> Result<Content, Invalid> {
    let mut rest = match client {
        Client::Codex => toml(text)?,
        _ => json(text)?,
    };
    let servers = match rest.shift_remove(client.field()) {
        None | Some(Value::Null) => Servers::new(),
        Some(Value::Object(servers)) => servers,
        Some(_) => {
            let at = text.find(client.field()).unwrap_or(0);
            return Err(Invalid::at(text, at, format!("`{}` is no table of servers", client.field())));
        }
    };
    Ok(Content { servers, rest })
}

/// Writes servers alone, as the client would have them.
pub(super) fn write(client: Client, servers: &Servers) -> Result<String, Invalid> {
    let mut document = open(client, "")?;
    for (name, entry) in servers {
        document.insert(name, entry);
    }
    Ok(document.text())
}

/// JSON as editors write it, with comments and trailing commas, and nothing looser.
pub(super) fn lenient() -> ParseOptions {
    ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    }
}

fn json(text: &str) -> Result<Map<String, Value>, Invalid> {
    let text = text.strip_prefix(super::BYTE_ORDER_MARK).unwrap_or(text);
    let root = CstRootNode::parse(text, &lenient()).map_err(|error| Invalid {
        line: error.line_display(),
        column: error.column_display(),
        why: error.kind().to_string(),
    })?;
    match root.to_serde_value() {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(content)) => Ok(content),
        Some(_) => Err(Invalid::at(text, 0, "it is no object")),
    }
}

fn toml(text: &str) -> Result<Map<String, Value>, Invalid> {
    let text = text.strip_prefix(super::BYTE_ORDER_MARK).unwrap_or(text);
    toml::from_str(text).map_err(|error| {
        Invalid::at(text, error.span().map_or(0, |span| span.start), error.message().to_owned())
    })
}
