//! From JSON to servers: every field checked, every reference expanded, every fault given its place.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::environment::Environment;
use super::error::{ConfigError, InvalidField, MalformedConfig, UnsetVariable, UnsupportedTransport};
use super::expand::{ExpandError, expand};
use super::secret::Secret;
use super::server::{HttpConfig, ServerConfig, StdioConfig, TransportConfig};
use super::{INHERITED_VARIABLES, MAX_SERVER_NAME_BYTES};
use crate::near::nearest;

/// What a server's entry may hold that matters here.
const FIELDS: &[&str] = &["type", "command", "args", "env", "cwd", "url", "headers", "disabled", "enabled"];

/// What other clients write into an entry and Carrel has no use for.
const TOLERATED: &[&str] = &[
    "transport",
    "name",
    "title",
    "description",
    "icon",
    "timeout",
    "initTimeout",
    "alwaysAllow",
    "autoApprove",
    "disabledTools",
    "enabledTools",
    "allowedTools",
    "tools",
    "trust",
    "note",
    "notes",
    "comment",
    "version",
    "gallery",
    "metadata",
    "retry",
];

/// An object's entries in order, with a repeated key as an error instead of a silent choice.
struct Entries(Vec<(String, Value)>);

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

/// The file: only `mcpServers` matters, and other clients keep much else beside it.
#[derive(Deserialize)]
struct Document {
    #[serde(rename = "mcpServers")]
    servers: Option<Entries>,
}

/// Reads the servers of `text`. Disabled ones are left out, and their references are not looked up.
pub(super) fn parse(
    text: &str,
    origin: &str,
    environment: &dyn Environment,
) -> Result<(Vec<ServerConfig>, Vec<String>), ConfigError> {
    let document: Document = serde_json::from_str(text).map_err(|error| MalformedConfig {
        origin: origin.to_owned(),
        line: error.line(),
        column: error.column(),
        message: without_position(&error),
    })?;
    let Some(Entries(entries)) = document.servers else {
        return Err(InvalidField {
            origin: origin.to_owned(),
            server: None,
            field: "mcpServers".to_owned(),
            problem: "is missing; accepted is an object with one entry a server".to_owned(),
        }
        .into());
    };
    let inherited: Vec<(String, String)> = INHERITED_VARIABLES
        .iter()
        .filter_map(|name| environment.get(name).map(|value| ((*name).to_owned(), value)))
        .collect();
    let mut servers = Vec::new();
    let mut disabled = Vec::new();
    for (name, value) in &entries {
        let place = Place { origin, server: name, environment, inherited: &inherited };
        match place.server(value)? {
            Some(server) => servers.push(server),
            None => disabled.push(name.clone()),
        }
    }
    servers.sort_by(|a, b| a.name.cmp(&b.name));
    disabled.sort();
    Ok((servers, disabled))
}

/// Where in the file the parser is.
struct Place<'a> {
    origin: &'a str,
    server: &'a str,
    environment: &'a dyn Environment,
    inherited: &'a [(String, String)],
}

impl Place<'_> {
    fn server(&self, value: &Value) -> Result<Option<ServerConfig>, ConfigError> {
        if self.server.is_empty() || self.server.len() > MAX_SERVER_NAME_BYTES {
            let problem = format!("has a name of {} bytes; accepted are 1 to 128", self.server.len());
            return Err(self.invalid("mcpServers", problem));
        }
        if self.server.chars().any(char::is_control) {
            return Err(self.invalid("mcpServers", "has a name with a control character in it".to_owned()));
        }
        let Value::Object(entry) = value else {
            return Err(self.wrong_type("mcpServers", value, "an object"));
        };
        for field in entry.keys() {
            self.known(field)?;
        }
        if self.flag(entry, "disabled")? == Some(true) || self.flag(entry, "enabled")? == Some(false) {
            return Ok(None);
        }
        let transport = match self.kind(entry)? {
            Kind::Stdio => TransportConfig::Stdio(self.stdio(entry)?),
            Kind::Http => TransportConfig::Http(self.http(entry)?),
        };
        Ok(Some(ServerConfig { name: self.server.to_owned(), transport }))
    }

    /// Catches the typing error that would otherwise leave a server without its arguments.
    fn known(&self, field: &str) -> Result<(), ConfigError> {
        if FIELDS.contains(&field) || TOLERATED.contains(&field) || field.starts_with(['_', '$', '/']) {
            return Ok(());
        }
        let hint = nearest(field, FIELDS.iter().copied(), 1);
        let problem = match hint.first() {
            Some(near) => format!("is not a known field; did you mean `{near}`?"),
            None => format!("is not a known field; accepted are {}", list(FIELDS)),
        };
        Err(self.invalid(field, problem))
    }

    fn kind(&self, entry: &serde_json::Map<String, Value>) -> Result<Kind, ConfigError> {
        let (command, url) = (entry.contains_key("command"), entry.contains_key("url"));
        let named = match entry.get("type").or_else(|| entry.get("transport")) {
            None => None,
            Some(Value::String(kind)) => Some(match kind.as_str() {
                "stdio" => Kind::Stdio,
                "http" | "streamable-http" | "streamableHttp" | "streamable_http" => Kind::Http,
                other => {
                    return Err(UnsupportedTransport {
                        origin: self.origin.to_owned(),
                        server: self.server.to_owned(),
                        transport: other.chars().take(60).collect(),
                    }
                    .into());
                }
            }),
            Some(other) => return Err(self.wrong_type("type", other, "\"stdio\" or \"http\"")),
        };
        match (named, command, url) {
            (_, true, true) => Err(self.invalid(
                "url",
                "stands beside `command`; accepted is one of them: a server is started or reached, not both"
                    .to_owned(),
            )),
            (Some(Kind::Stdio) | None, true, false) => Ok(Kind::Stdio),
            (Some(Kind::Http) | None, false, true) => Ok(Kind::Http),
            (Some(Kind::Stdio), false, _) => Err(self
                .invalid("command", "is missing; a \"stdio\" server needs the program to start".to_owned())),
            (Some(Kind::Http), _, false) => {
                Err(self.invalid("url", "is missing; an \"http\" server needs its endpoint".to_owned()))
            }
            (None, false, false) => {
                Err(self
                    .invalid("command", "is missing, and so is `url`; a server needs one of them".to_owned()))
            }
        }
    }

    fn stdio(&self, entry: &serde_json::Map<String, Value>) -> Result<StdioConfig, ConfigError> {
        let command = self.text("command", entry.get("command").unwrap_or(&Value::Null))?;
        if command.expose().is_empty() {
            return Err(self.invalid("command", "is empty; accepted is a program".to_owned()));
        }
        let args = match entry.get("args") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(args)) => args
                .iter()
                .enumerate()
                .map(|(i, arg)| self.text(&format!("args[{i}]"), arg))
                .collect::<Result<_, _>>()?,
            Some(other) => return Err(self.wrong_type("args", other, "a list of strings")),
        };
        let env = self.pairs(entry, "env")?;
        if let Some((name, _)) = env.iter().find(|(name, _)| name.is_empty() || name.contains(['=', '\0'])) {
            return Err(self.invalid(
                &format!("env.{name}"),
                "cannot name an environment variable; accepted is a name without `=`".to_owned(),
            ));
        }
        let cwd = match entry.get("cwd") {
            None | Some(Value::Null) => None,
            Some(cwd) => Some(self.text("cwd", cwd)?),
        };
        Ok(StdioConfig { command, args, env, cwd, inherited: self.inherited.to_vec() })
    }

    fn http(&self, entry: &serde_json::Map<String, Value>) -> Result<HttpConfig, ConfigError> {
        let url = self.text("url", entry.get("url").unwrap_or(&Value::Null))?;
        let scheme = reqwest::Url::parse(url.expose()).ok().map(|url| url.scheme().to_owned());
        if !matches!(scheme.as_deref(), Some("http" | "https")) {
            return Err(self.invalid(
                "url",
                format!("is {:?}; accepted is a URL that begins with http:// or https://", url.template()),
            ));
        }
        let headers = self.pairs(entry, "headers")?;
        for (name, value) in &headers {
            let field = format!("headers.{name}");
            if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
                return Err(self.invalid(&field, "is not a valid name of an HTTP header".to_owned()));
            }
            if http::HeaderValue::from_str(value.expose()).is_err() {
                return Err(self.invalid(
                    &field,
                    "expands to a value that no HTTP header can hold; accepted is visible ASCII on one line"
                        .to_owned(),
                ));
            }
        }
        Ok(HttpConfig { url, headers })
    }

    fn pairs(
        &self,
        entry: &serde_json::Map<String, Value>,
        field: &str,
    ) -> Result<Vec<(String, Secret)>, ConfigError> {
        match entry.get(field) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Object(pairs)) => pairs
                .iter()
                .map(|(name, value)| {
                    let secret = self.text(&format!("{field}.{name}"), value)?;
                    Ok((name.clone(), secret.confidential()))
                })
                .collect(),
            Some(other) => Err(self.wrong_type(field, other, "an object whose values are strings")),
        }
    }

    fn text(&self, field: &str, value: &Value) -> Result<Secret, ConfigError> {
        let Value::String(template) = value else {
            return Err(self.wrong_type(field, value, "a string"));
        };
        let secret = expand(template, self.environment).map_err(|error| match error {
            ExpandError::Unset { variable } => ConfigError::from(UnsetVariable {
                origin: self.origin.to_owned(),
                server: self.server.to_owned(),
                field: field.to_owned(),
                variable,
            }),
            ExpandError::Malformed { reference } => self.invalid(
                field,
                format!(
                    "holds `{reference}`, which is not understood; accepted are ${{VAR}} and ${{VAR:-default}}"
                ),
            ),
        })?;
        if secret.expose().contains('\0') {
            return Err(self.invalid(field, "holds a NUL character".to_owned()));
        }
        Ok(secret)
    }

    fn flag(&self, entry: &serde_json::Map<String, Value>, field: &str) -> Result<Option<bool>, ConfigError> {
        match entry.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(other) => Err(self.wrong_type(field, other, "true or false")),
        }
    }

    fn wrong_type(&self, field: &str, found: &Value, accepted: &str) -> ConfigError {
        let found = match found {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        self.invalid(field, format!("is {found}; accepted is {accepted}"))
    }

    fn invalid(&self, field: &str, problem: String) -> ConfigError {
        InvalidField {
            origin: self.origin.to_owned(),
            server: Some(self.server.chars().take(MAX_SERVER_NAME_BYTES).collect()),
            field: field.chars().take(160).collect(),
            problem,
        }
        .into()
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Stdio,
    Http,
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The parser's message without the position, which the error already gives.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((message, _)) => message.to_owned(),
        None => text,
    }
}
