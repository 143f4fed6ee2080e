//! One operation of a document: where it is, what it takes, and what it is as a tool.

use std::collections::BTreeSet;

use carrel_contract::ToolHints;
use http::Method;
use reqwest::Url;
use serde_json::{Map, Value, json};

use super::document::Document;
use super::schema::{Translation, Way};
use super::server;
use crate::source::SourceTool;

/// What schemas of one tool may come to, in bytes. What is sent is checked against them; what is received is told to
/// a model, which reads less.
const MAX_INPUT_BYTES: usize = 64 << 10;
const MAX_OUTPUT_BYTES: usize = 8 << 10;
/// Parameters that an operation may have.
const MAX_PARAMETERS: usize = 500;
/// Headers that are not the caller's to set, whatever a document says: those of the connection, of authentication, and
/// those that OpenAPI itself takes out (<https://spec.openapis.org/oas/v3.1.1#fixed-fields-for-use-with-schema>).
const RESERVED_HEADERS: &[&str] = &[
    "accept",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
];

/// An operation that can be called.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) method: Method,
    /// The path under the server's, in segments.
    pub(super) path: Vec<Vec<Part>>,
    /// The server, which is of the document's own origin.
    pub(super) server: Url,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<Body>,
    pub(super) accept: String,
}

/// A piece of a segment of a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Parameter(String),
}

/// A parameter.
#[derive(Debug)]
pub(super) struct Parameter {
    /// Its name in the document.
    pub(super) name: String,
    /// Its name in the tool's input.
    pub(super) input: String,
    pub(super) place: Place,
    pub(super) style: Style,
    pub(super) explode: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Path,
    Query,
    Header,
}

/// How a list or an object is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// `a,b`; in a query `p=a&p=b`, or `p=a,b` without `explode`.
    Plain,
    Spaces,
    Pipes,
    /// `p[key]=value`
    DeepObject,
    /// As JSON, whatever it is.
    Json,
}

/// What a body is written as.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) content_type: String,
    pub(super) kind: BodyKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyKind {
    Json,
    Form,
    Multipart,
    Text,
}

/// Where an operation stands in its document.
pub(super) struct Found<'a> {
    pub(super) document: &'a Document,
    pub(super) path: &'a str,
    pub(super) item: &'a Value,
    pub(super) method: Method,
    pub(super) operation: &'a Value,
    pub(super) server: &'a Url,
    /// Names of headers and query parameters that the configuration sets.
    pub(super) configured: &'a BTreeSet<(Place, String)>,
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (*self as u8).cmp(&(*other as u8))
    }
}

impl Found<'_> {
    /// Returns the name that the operation has, or gets from its method and path.
    pub(super) fn name(&self) -> String {
        if let Some(id) =
            self.operation.get("operationId").and_then(Value::as_str).filter(|id| !id.is_empty())
        {
            return id.to_owned();
        }
        let path = self.path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        std::iter::once(self.method.as_str().to_ascii_lowercase().as_str())
            .chain(path)
            .collect::<Vec<_>>()
            .join("_")
    }

    /// Returns its tags.
    pub(super) fn tags(&self) -> impl Iterator<Item = &str> {
        self.operation.get("tags").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// Reads it, or says why it cannot be called.
    pub(super) fn read(&self, name: &str) -> Result<(Operation, SourceTool), String> {
        let path = segments(self.path)?;
        let server = self.own_server()?;
        let mut translation = Translation::new(self.document, Way::Sent);
        let mut properties = Map::new();
        let mut required = Vec::new();
        let mut parameters = Vec::new();
        for described in self.parameters()? {
            let Some(parameter) = self.parameter(described)? else { continue };
            let mut parameter = parameter;
            if properties.contains_key(&parameter.input) || parameter.input == "body" {
                parameter.input = format!("{}_{}", parameter.input, parameter.place.name());
                if properties.contains_key(&parameter.input) {
                    return Err(format!("it has the parameter `{}` twice", parameter.name));
                }
            }
            let schema =
                match described.get("content").and_then(Value::as_object).and_then(|all| all.values().next())
                {
                    Some(content) => content.get("schema"),
                    None => described.get("schema"),
                };
            let mut schema = translation.schema(schema.unwrap_or(&Value::Bool(true)));
            if let Some(said) = described.get("description").filter(|said| said.is_string()) {
                if !schema.is_object() {
                    schema = json!({});
                }
                if let Value::Object(schema) = &mut schema {
                    schema.entry("description").or_insert_with(|| said.clone());
                }
            }
            if parameter.place == Place::Path || described.get("required") == Some(&Value::Bool(true)) {
                required.push(Value::from(parameter.input.as_str()));
            }
            properties.insert(parameter.input.clone(), schema);
            parameters.push(parameter);
        }
        for part in path.iter().flatten() {
            if let Part::Parameter(name) = part
                && !parameters.iter().any(|known| known.place == Place::Path && known.name == *name)
            {
                return Err(format!("its path has `{{{name}}}`, of which it says nothing"));
            }
        }
        let body = self.body(&mut translation, &mut properties, &mut required)?;
        let mut input = Map::new();
        input.insert("type".to_owned(), json!("object"));
        input.insert("properties".to_owned(), Value::Object(properties));
        if !required.is_empty() {
            input.insert("required".to_owned(), Value::Array(required));
        }
        input.insert("additionalProperties".to_owned(), Value::Bool(false));
        let (output_schema, accept) = self.answer();
        let tool = SourceTool {
            name: name.to_owned(),
            description: self.description(),
            input_schema: translation.finish(Value::Object(input), MAX_INPUT_BYTES),
            output_schema,
            hints: hints(&self.method),
        };
        let operation = Operation { method: self.method.clone(), path, server, parameters, body, accept };
        Ok((operation, tool))
    }

    /// An operation may have servers of its own; one of another origin is not called.
    fn own_server(&self) -> Result<Url, String> {
        let own = [self.operation, self.item]
            .into_iter()
            .find_map(|place| place.get("servers")?.as_array()?.first());
        let Some(own) = own else { return Ok(self.server.clone()) };
        let url = server::url(own, Some(self.server))?;
        if url.origin() != self.server.origin() {
            return Err(format!("its server is elsewhere, {}", url.origin().ascii_serialization()));
        }
        Ok(url)
    }

    /// Returns its parameters: its own, and those of its path that it does not have itself.
    fn parameters(&self) -> Result<Vec<&Value>, String> {
        let mut found: Vec<&Value> = Vec::new();
        for place in [self.operation, self.item] {
            for parameter in place.get("parameters").and_then(Value::as_array).into_iter().flatten() {
                let parameter =
                    self.document.follow(parameter).ok_or("it refers to a parameter that is not there")?;
                let same = |known: &Value| {
                    known.get("name") == parameter.get("name") && known.get("in") == parameter.get("in")
                };
                if !found.iter().any(|known| same(known)) {
                    found.push(parameter);
                }
                if found.len() > MAX_PARAMETERS {
                    return Err(format!("it has more than {MAX_PARAMETERS} parameters"));
                }
            }
        }
        // Those of the path first: they are what a caller has to give, and keep their names.
        found.sort_by_key(|parameter| parameter.get("in").and_then(Value::as_str) != Some("path"));
        Ok(found)
    }

    fn parameter(&self, described: &Value) -> Result<Option<Parameter>, String> {
        let text = |field: &str| described.get(field).and_then(Value::as_str);
        let name = text("name").filter(|name| !name.is_empty()).ok_or("it has a parameter without a name")?;
        let required = described.get("required") == Some(&Value::Bool(true));
        let place = match text("in") {
            Some("path") => Place::Path,
            Some("query") => Place::Query,
            Some("header") => Place::Header,
            Some("cookie") if required => {
                return Err(format!("it needs the cookie `{name}`; cookies are not sent"));
            }
            Some("cookie") => return Ok(None),
            _ => return Err(format!("its parameter `{name}` is in no known place")),
        };
        if place == Place::Header {
            if RESERVED_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
                return Ok(None);
            }
            if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
                return Err(format!("its parameter `{}` cannot name a header", name.escape_debug()));
            }
        }
        let key = if place == Place::Header { name.to_ascii_lowercase() } else { name.to_owned() };
        if self.configured.contains(&(place, key)) {
            return Ok(None);
        }
        let style = if described.get("content").is_some() {
            Style::Json
        } else {
            match (place, text("style")) {
                (Place::Query, None | Some("form"))
                | (Place::Path | Place::Header, None | Some("simple")) => Style::Plain,
                (Place::Query, Some("spaceDelimited")) => Style::Spaces,
                (Place::Query, Some("pipeDelimited")) => Style::Pipes,
                (Place::Query, Some("deepObject")) => Style::DeepObject,
                (_, Some(other)) if required => {
                    return Err(format!(
                        "its parameter `{name}` has the style `{}`, which is not written",
                        other.escape_debug()
                    ));
                }
                _ => return Ok(None),
            }
        };
        let explode = described
            .get("explode")
            .and_then(Value::as_bool)
            .unwrap_or(place == Place::Query && style == Style::Plain);
        Ok(Some(Parameter { name: name.to_owned(), input: name.to_owned(), place, style, explode }))
    }

    fn body(
        &self,
        translation: &mut Translation<'_>,
        properties: &mut Map<String, Value>,
        required: &mut Vec<Value>,
    ) -> Result<Option<Body>, String> {
        let Some(described) = self.operation.get("requestBody") else { return Ok(None) };
        let described = self.document.follow(described).ok_or("it refers to a body that is not there")?;
        let needed = described.get("required") == Some(&Value::Bool(true));
        let Some(content) = described.get("content").and_then(Value::as_object) else { return Ok(None) };
        let known = content.iter().filter_map(|(kind, said)| Some((kind, body_kind(kind)?, said)));
        let Some((content_type, kind, said)) = known.min_by_key(|(_, kind, _)| *kind as u8) else {
            if needed {
                let kinds: Vec<String> =
                    content.keys().map(|kind| kind.escape_debug().to_string()).take(5).collect();
                return Err(format!(
                    "it takes a body of {}; JSON, forms and text can be sent",
                    kinds.join(", ")
                ));
            }
            return Ok(None);
        };
        // A range of types is none that could be sent.
        let content_type = match kind {
            BodyKind::Json if content_type.contains('*') => "application/json",
            BodyKind::Text if content_type.contains('*') => "text/plain",
            _ => content_type,
        };
        if http::HeaderValue::from_str(content_type).is_err() {
            return Err("its body has a type that no header can name".to_owned());
        }
        let mut schema = translation.schema(said.get("schema").unwrap_or(&Value::Bool(true)));
        if let (Value::Object(schema), Some(said)) =
            (&mut schema, described.get("description").filter(|said| said.is_string()))
        {
            schema.entry("description").or_insert_with(|| said.clone());
        }
        properties.insert("body".to_owned(), schema);
        if needed {
            required.push(json!("body"));
        }
        Ok(Some(Body { content_type: content_type.to_owned(), kind }))
    }

    /// Returns what a call gives when it succeeds, as a schema where that is known, and what to ask for.
    fn answer(&self) -> (Option<Value>, String) {
        let fallback = || "application/json, text/*;q=0.9, */*;q=0.5".to_owned();
        let responses = self.operation.get("responses").and_then(Value::as_object);
        let success = responses.into_iter().flatten().filter(|(status, _)| status.starts_with('2'));
        let mut success: Vec<_> = success.filter_map(|(_, said)| self.document.follow(said)).collect();
        success.dedup();
        let contents: Vec<_> = success.iter().filter_map(|said| said.get("content")?.as_object()).collect();
        let types: BTreeSet<&str> = contents
            .iter()
            .flat_map(|content| content.keys())
            .map(String::as_str)
            .filter(|kind| !kind.contains('*') && http::HeaderValue::from_str(kind).is_ok())
            .collect();
        let is_json = |kind: &str| body_kind(kind) == Some(BodyKind::Json);
        let accept = match types.iter().find(|kind| is_json(kind)) {
            Some(json) if types.len() > 1 => format!("{json}, */*;q=0.5"),
            _ if types.is_empty() => fallback(),
            _ => types.iter().copied().take(8).collect::<Vec<_>>().join(", "),
        };
        // Several answers, or one that is no JSON, or none at times: nothing that could be promised.
        let [content] = contents.as_slice() else { return (None, accept) };
        if success.len() > 1 {
            return (None, accept);
        }
        let Some((_, said)) = content.iter().find(|(kind, _)| is_json(kind)).filter(|_| content.len() == 1)
        else {
            return (None, accept);
        };
        let mut translation = Translation::new(self.document, Way::Received);
        let schema = said.get("schema").map(|schema| translation.schema(schema));
        let schema =
            schema.filter(Value::is_object).map(|schema| translation.finish(schema, MAX_OUTPUT_BYTES));
        (schema, accept)
    }

    fn description(&self) -> String {
        let text = |field: &str| {
            self.operation.get(field).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
        };
        let mut said: Vec<&str> = [text("summary"), text("description")].into_iter().flatten().collect();
        said.dedup();
        let call = format!("{} {}", self.method, self.path);
        if said.is_empty() {
            said.push(&call);
        }
        if self.operation.get("deprecated") == Some(&Value::Bool(true)) {
            said.insert(0, "Deprecated.");
        }
        said.join("\n\n")
    }
}

impl Place {
    fn name(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
        }
    }
}

/// Says how a body of a type is written; `None` when it cannot be.
fn body_kind(content_type: &str) -> Option<BodyKind> {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/json" | "*/*" | "application/*" => Some(BodyKind::Json),
        "application/x-www-form-urlencoded" => Some(BodyKind::Form),
        "multipart/form-data" => Some(BodyKind::Multipart),
        other if other.ends_with("+json") => Some(BodyKind::Json),
        other if other.starts_with("text/") => Some(BodyKind::Text),
        _ => None,
    }
}

/// What HTTP says of its methods (<https://www.rfc-editor.org/rfc/rfc9110#section-9.2>).
fn hints(method: &Method) -> ToolHints {
    let mut hints = ToolHints::default();
    hints.read_only = method.is_safe();
    hints.destructive = !method.is_safe();
    hints.idempotent = method.is_idempotent();
    hints
}

/// Takes a path apart. One that could lead out of the server's is refused.
fn segments(path: &str) -> Result<Vec<Vec<Part>>, String> {
    let Some(rest) = path.strip_prefix('/') else {
        return Err("its path does not begin with `/`".to_owned());
    };
    rest.split('/').map(segment).collect()
}

fn segment(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, tail) = after.split_once('}').ok_or("its path has a `{` without `}`")?;
        if !before.is_empty() {
            parts.push(Part::Text(before.to_owned()));
        }
        parts.push(Part::Parameter(name.to_owned()));
        rest = tail;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    let fixed = parts.iter().filter_map(|part| match part {
        Part::Text(text) => Some(text.as_str()),
        Part::Parameter(_) => None,
    });
    if parts.len() == 1 && matches!(text.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..") {
        return Err("its path has `.` or `..` in it".to_owned());
    }
    for text in fixed {
        if text.contains(['?', '#', '\\', '}']) || text.chars().any(char::is_control) {
            return Err("its path has a character that no path can have".to_owned());
        }
    }
    Ok(parts)
}
