//! From an operation and an input to the request that goes out.
//!
//! Nothing that a cell gives may change where the request goes or what else it says: a value is one segment of the
//! path, one value of the query, one line of the head, whatever it holds.

use carrel_contract::{ToolError, ToolErrorCode};
use http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::Url;
use serde_json::{Map, Value};

use super::operation::{Body, BodyKind, Operation, Parameter, Part, Place, Style};

/// A request but for its credentials.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Vec<u8>>,
}

/// Writes the request of an operation with an input, which fits its schema.
pub(super) fn write(operation: &Operation, input: &Map<String, Value>) -> Result<Request, ToolError> {
    let mut query = Vec::new();
    let mut headers = HeaderMap::new();
    for parameter in &operation.parameters {
        let Some(value) = input.get(&parameter.input).filter(|value| !value.is_null()) else { continue };
        match parameter.place {
            Place::Path => {}
            Place::Query => query.extend(pairs(parameter, value)),
            Place::Header => {
                let text = simple(parameter, value, str::to_owned);
                let name = HeaderName::from_bytes(parameter.name.as_bytes());
                let value =
                    Some(&text).filter(|text| text.is_ascii()).map(|text| HeaderValue::from_str(text));
                let (Ok(name), Some(Ok(value))) = (name, value) else {
                    return Err(unfit(
                        parameter,
                        "goes into a header, which holds visible ASCII on one line",
                    ));
                };
                headers.insert(name, value);
            }
        }
    }
    let url = address(operation, input, &query)?;
    let body = match (&operation.body, input.get("body")) {
        (Some(described), Some(value)) => {
            let (content_type, body) = body(described, value)?;
            let content_type = HeaderValue::from_str(&content_type)
                .map_err(|_| ToolError::new(ToolErrorCode::Internal, "the body has no type"))?;
            headers.insert(http::header::CONTENT_TYPE, content_type);
            Some(body)
        }
        _ => None,
    };
    let accept = HeaderValue::from_str(&operation.accept);
    headers.insert(http::header::ACCEPT, accept.unwrap_or(HeaderValue::from_static("*/*")));
    Ok(Request { url, headers, body })
}

fn address(
    operation: &Operation,
    input: &Map<String, Value>,
    query: &[(String, String)],
) -> Result<Url, ToolError> {
    let mut path = operation.server.path().trim_end_matches('/').to_owned();
    for segment in &operation.path {
        path.push('/');
        let start = path.len();
        for part in segment {
            match part {
                Part::Text(text) => path.push_str(text),
                Part::Parameter(name) => {
                    let parameter = operation
                        .parameters
                        .iter()
                        .find(|known| known.place == Place::Path && known.name == *name);
                    let Some(parameter) = parameter else { continue };
                    let value = input.get(&parameter.input).unwrap_or(&Value::Null);
                    path.push_str(&path_value(parameter, value)?);
                }
            }
        }
        let written = path.get(start..).unwrap_or_default();
        // A URL takes these for steps, however they are written.
        if matches!(written.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..") {
            return Err(ToolError::new(
                ToolErrorCode::InvalidInput,
                "the input makes `.` or `..` a part of the path, which would lead elsewhere",
            ));
        }
    }
    let mut url = operation.server.clone();
    url.set_path(&path);
    url.set_fragment(None);
    let fixed = operation.server.query().map(str::to_owned);
    let written = query.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    let all: Vec<String> = fixed.into_iter().chain(written).collect();
    url.set_query(Some(all.join("&")).filter(|query| !query.is_empty()).as_deref());
    let base = operation.server.path().trim_end_matches('/');
    let within = url.path().strip_prefix(base).is_some_and(|rest| rest.starts_with('/'));
    if !within || url.origin() != operation.server.origin() {
        return Err(ToolError::new(ToolErrorCode::InvalidInput, "the input leads out of the server's path"));
    }
    Ok(url)
}

fn path_value(parameter: &Parameter, value: &Value) -> Result<String, ToolError> {
    let text = simple(parameter, value, encoded);
    if text.is_empty() {
        return Err(unfit(parameter, "goes into the path, where nothing would be another place"));
    }
    // Some servers decode a path before they take it apart.
    let plain = simple(parameter, value, str::to_owned);
    if plain.split(['/', '\\', ',']).any(|step| matches!(step, "." | "..")) || plain.contains('\0') {
        return Err(unfit(parameter, "goes into the path, in which `.` and `..` would lead elsewhere"));
    }
    Ok(text)
}

/// Writes a value as `simple` of OpenAPI does: `a,b`, `k,v`, or `k=v` with `explode`.
fn simple(parameter: &Parameter, value: &Value, write: impl Fn(&str) -> String) -> String {
    if parameter.style == Style::Json {
        return write(&value.to_string());
    }
    match value {
        Value::Array(items) => items.iter().map(|item| write(&text(item))).collect::<Vec<_>>().join(","),
        Value::Object(entries) => {
            let between = if parameter.explode { "=" } else { "," };
            let entry =
                |(key, value): (&String, &Value)| format!("{}{between}{}", write(key), write(&text(value)));
            entries.iter().map(entry).collect::<Vec<_>>().join(",")
        }
        other => write(&text(other)),
    }
}

/// Writes a value as the pairs of a query.
fn pairs(parameter: &Parameter, value: &Value) -> Vec<(String, String)> {
    let named = |text: String| (parameter.name.clone(), text);
    let joined = |texts: Vec<String>| {
        let between = match parameter.style {
            Style::Spaces => " ",
            Style::Pipes => "|",
            _ => ",",
        };
        texts.join(between)
    };
    match (parameter.style, value) {
        (Style::Json, value) => vec![named(value.to_string())],
        (Style::DeepObject, Value::Object(entries)) => deep(&parameter.name, entries),
        (_, Value::Array(items)) if parameter.explode => items.iter().map(|item| named(text(item))).collect(),
        (_, Value::Array(items)) => vec![named(joined(items.iter().map(text).collect()))],
        (_, Value::Object(entries)) if parameter.explode => {
            entries.iter().map(|(key, value)| (key.clone(), text(value))).collect()
        }
        (_, Value::Object(entries)) => {
            vec![named(joined(entries.iter().flat_map(|(key, value)| [key.clone(), text(value)]).collect()))]
        }
        (_, other) => vec![named(text(other))],
    }
}

/// `p[key]=value`, and further down as most servers read it: `p[key][inner]=value`, `p[key][]=item`.
fn deep(prefix: &str, entries: &Map<String, Value>) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for (key, value) in entries {
        let name = format!("{prefix}[{key}]");
        match value {
            Value::Object(inner) => out.extend(deep(&name, inner)),
            Value::Array(items) => out.extend(items.iter().map(|item| (format!("{name}[]"), text(item)))),
            other => out.push((name, text(other))),
        }
    }
    out
}

/// A value as text: strings as they are, the rest as JSON, nothing for null.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn body(described: &Body, value: &Value) -> Result<(String, Vec<u8>), ToolError> {
    let content_type = described.content_type.clone();
    let entries = || {
        value.as_object().ok_or_else(|| {
            ToolError::new(
                ToolErrorCode::InvalidInput,
                "`input.body` must be an object: it is sent as a form",
            )
        })
    };
    Ok(match described.kind {
        BodyKind::Json => (content_type, value.to_string().into_bytes()),
        BodyKind::Text => (content_type, text(value).into_bytes()),
        BodyKind::Form => {
            let mut pairs = Vec::new();
            for (name, value) in entries()? {
                match value {
                    Value::Null => {}
                    Value::Array(items) => pairs.extend(items.iter().map(|item| (name.clone(), text(item)))),
                    // As `deepObject` has it, which is what those who take such forms read.
                    Value::Object(inner) => pairs.extend(deep(name, inner)),
                    other => pairs.push((name.clone(), text(other))),
                }
            }
            let written: Vec<String> =
                pairs.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
            (content_type, written.join("&").into_bytes())
        }
        BodyKind::Multipart => {
            let mut parts = Vec::new();
            for (name, value) in entries()? {
                match value {
                    Value::Null => {}
                    Value::Array(items) => parts.extend(items.iter().map(|item| (name.as_str(), text(item)))),
                    other => parts.push((name.as_str(), text(other))),
                }
            }
            let boundary = boundary(&parts);
            (format!("multipart/form-data; boundary={boundary}"), multipart(&parts, &boundary))
        }
    })
}

/// Writes a form as RFC 7578 has it; names are escaped as browsers do.
fn multipart(parts: &[(&str, String)], boundary: &str) -> Vec<u8> {
    let mut out = String::new();
    for (name, value) in parts {
        let name = name.replace('\r', "%0D").replace('\n', "%0A").replace('"', "%22");
        out.push_str(&format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        ));
    }
    out.push_str(&format!("--{boundary}--\r\n"));
    out.into_bytes()
}

/// Finds a line that no part has in it.
fn boundary(parts: &[(&str, String)]) -> String {
    let mut number = 0_u64;
    loop {
        let candidate = format!("carrel-{number:016x}");
        if !parts.iter().any(|(name, value)| value.contains(&candidate) || name.contains(&candidate)) {
            return candidate;
        }
        number += 1;
    }
}

/// Percent-encodes all but what means nothing anywhere in a URL (RFC 3986, "unreserved").
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn unfit(parameter: &Parameter, why: &str) -> ToolError {
    ToolError::new(ToolErrorCode::InvalidInput, format!("`input.{}` {why}", parameter.input))
}

#[cfg(test)]
mod tests;
