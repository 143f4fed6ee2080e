//! From a file's entries to servers: every field checked, every reference expanded, every fault given its place.

use std::time::Duration;

use serde_json::Value;

use super::document::{Document, Entries};
use super::environment::Environment;
use super::error::{ConfigError, InvalidField, UnknownField, UnsetVariable, UnsupportedTransport, meant};
use super::expand::{ExpandError, expand};
use super::pass::PassThrough;
use super::secret::Secret;
use super::server::{HttpConfig, ServerConfig, StdioConfig, TransportConfig};
use super::{INHERITED_VARIABLES, MAX_SERVER_NAME_BYTES, McpConfig, oauth, openapi};
use crate::near::nearest;

/// What a server's entry may hold that matters here.
pub(super) const FIELDS: &[&str] = &[
    "type",
    "command",
    "args",
    "env",
    "cwd",
    "url",
    "headers",
    "oauth",
    "timeout",
    "initTimeout",
    "passThrough",
    "disabled",
    "enabled",
];

/// What other clients write into an entry and Carrel has no use for.
const TOLERATED: &[&str] = &[
    "transport",
    "name",
    "title",
    "description",
    "icon",
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

/// Reads the servers and documents of a file. Disabled ones are left out, and their references are not looked up.
pub(super) fn read(
    document: &Document,
    origin: &str,
    environment: &dyn Environment,
) -> Result<McpConfig, ConfigError> {
    let inherited: Vec<(String, String)> = INHERITED_VARIABLES
        .iter()
        .filter_map(|name| environment.get(name).map(|value| ((*name).to_owned(), value)))
        .collect();
    let mut config = McpConfig::default();
    for (name, value) in document.servers.iter().flat_map(|Entries(entries)| entries) {
        let place = Place { origin, server: name, environment, inherited: &inherited };
        place.read_into(&mut config, value)?;
    }
    for (name, value) in document.openapi.iter().flat_map(|Entries(entries)| entries) {
        let shown = format!("openapi.{name}");
        let place = Place { origin, server: &shown, environment, inherited: &inherited };
        if config.has(name) {
            let problem = "has the name of a server; rename one of them".to_owned();
            return Err(place.invalid("openapi", problem));
        }
        place.read_openapi(&mut config, name, value)?;
    }
    config.servers.sort_by(|a, b| a.name.cmp(&b.name));
    config.openapi.sort_by(|a, b| a.name.cmp(&b.name));
    config.disabled.sort();
    Ok(config)
}

/// Where in the file the parser is.
pub(super) struct Place<'a> {
    origin: &'a str,
    server: &'a str,
    environment: &'a dyn Environment,
    inherited: &'a [(String, String)],
}

impl Place<'_> {
    fn read_into(&self, config: &mut McpConfig, value: &Value) -> Result<(), ConfigError> {
        self.check_name(self.server, "mcpServers")?;
        let Some(entry) = self.entry("mcpServers", value)? else {
            config.disabled.push(self.server.to_owned());
            return Ok(());
        };
        let unknown: Vec<_> = entry.keys().filter_map(|field| self.unknown(field, FIELDS)).collect();
        let transport = match self.kind(entry, &unknown)? {
            Kind::Stdio => TransportConfig::Stdio(self.stdio(entry)?),
            Kind::Http => TransportConfig::Http(self.http(entry)?),
            Kind::Unsupported(transport) => {
                config.unsupported.push(UnsupportedTransport { server: self.server.to_owned(), transport });
                return Ok(());
            }
        };
        config.unknown_fields.extend(unknown);
        let within = entry.get("oauth").and_then(Value::as_object).into_iter().flatten();
        config.unknown_fields.extend(within.filter_map(|(field, _)| {
            let unknown = self.unknown(field, oauth::FIELDS)?;
            Some(UnknownField { field: format!("oauth.{}", unknown.field), ..unknown })
        }));
        config.pass_through.extend(self.pass_through(entry, self.server)?);
        config.servers.push(ServerConfig {
            name: self.server.to_owned(),
            transport,
            call_time: self.time(entry, "timeout")?,
            connect_time: self.time(entry, "initTimeout")?,
        });
        Ok(())
    }

    fn read_openapi(&self, config: &mut McpConfig, name: &str, value: &Value) -> Result<(), ConfigError> {
        self.check_name(name, "openapi")?;
        let Some(entry) = self.entry("openapi", value)? else {
            config.disabled.push(name.to_owned());
            return Ok(());
        };
        config.unknown_fields.extend(entry.keys().filter_map(|field| self.unknown(field, openapi::FIELDS)));
        config.pass_through.extend(self.pass_through(entry, name)?);
        config.openapi.push(openapi::read(name, self, entry)?);
        Ok(())
    }

    /// Reads which tools are passed through: all, or those that fit one of the patterns.
    fn pass_through(
        &self,
        entry: &serde_json::Map<String, Value>,
        server: &str,
    ) -> Result<Vec<PassThrough>, ConfigError> {
        const FIELD: &str = "passThrough";
        const ACCEPTED: &str = "true, or a list of names of tools, in which `*` stands for any text";
        let pass = |pattern: &str| PassThrough::new(server, pattern);
        match entry.get(FIELD) {
            None | Some(Value::Null | Value::Bool(false)) => Ok(Vec::new()),
            Some(Value::Bool(true)) => Ok(vec![pass("*")]),
            Some(Value::Array(patterns)) => patterns
                .iter()
                .enumerate()
                .map(|(at, pattern)| match pattern {
                    Value::String(pattern) if !pattern.is_empty() => Ok(pass(pattern)),
                    Value::String(_) => Err(self.invalid(
                        &format!("{FIELD}[{at}]"),
                        "is empty; accepted is the name of a tool".to_owned(),
                    )),
                    other => Err(self.wrong_type(&format!("{FIELD}[{at}]"), other, "the name of a tool")),
                })
                .collect(),
            Some(other) => Err(self.wrong_type(FIELD, other, ACCEPTED)),
        }
    }

    fn check_name(&self, name: &str, field: &str) -> Result<(), ConfigError> {
        if name.is_empty() || name.len() > MAX_SERVER_NAME_BYTES {
            let problem = format!("has a name of {} bytes; accepted are 1 to 128", name.len());
            return Err(self.invalid(field, problem));
        }
        if name.chars().any(char::is_control) {
            return Err(self.invalid(field, "has a name with a control character in it".to_owned()));
        }
        Ok(())
    }

    /// Returns an entry's fields; `None` when it is turned off.
    fn entry<'v>(
        &self,
        field: &str,
        value: &'v Value,
    ) -> Result<Option<&'v serde_json::Map<String, Value>>, ConfigError> {
        let Value::Object(entry) = value else {
            return Err(self.wrong_type(field, value, "an object"));
        };
        // First: an entry that is turned off may hold whatever it likes.
        let off = self.flag(entry, "disabled")? == Some(true) || self.flag(entry, "enabled")? == Some(false);
        Ok(Some(entry).filter(|_| !off))
    }

    /// Catches the typing error that would otherwise leave a server without its arguments.
    fn unknown(&self, field: &str, known: &'static [&'static str]) -> Option<UnknownField> {
        if known.contains(&field) || TOLERATED.contains(&field) || field.starts_with(['_', '$', '/']) {
            return None;
        }
        Some(UnknownField {
            origin: self.origin.to_owned(),
            server: self.server.to_owned(),
            field: field.chars().take(60).collect(),
            near: nearest(field, known.iter().copied(), 1).first().copied(),
            known,
        })
    }

    fn kind(
        &self,
        entry: &serde_json::Map<String, Value>,
        unknown: &[UnknownField],
    ) -> Result<Kind, ConfigError> {
        let (command, url) = (entry.contains_key("command"), entry.contains_key("url"));
        let named = match entry.get("type").or_else(|| entry.get("transport")) {
            None => None,
            Some(Value::String(kind)) => Some(match kind.as_str() {
                "stdio" => Kind::Stdio,
                "http" | "streamable-http" | "streamableHttp" | "streamable_http" => Kind::Http,
                other => return Ok(Kind::Unsupported(other.chars().take(60).collect())),
            }),
            Some(other) => return Err(self.wrong_type("type", other, "\"stdio\" or \"http\"")),
        };
        let missing = |field: &str, problem: &str| {
            let mistyped = unknown.iter().find(|unknown| unknown.near.is_some());
            let hint = mistyped
                .map(|UnknownField { field, near, .. }| format!(" (`{field}`: {})", meant(*near, FIELDS)));
            self.invalid(field, format!("is missing{problem}{}", hint.unwrap_or_default()))
        };
        match (named, command, url) {
            (_, true, true) => Err(self.invalid(
                "url",
                "stands beside `command`; accepted is one of them: a server is started or reached, not both"
                    .to_owned(),
            )),
            (Some(Kind::Stdio) | None, true, false) => Ok(Kind::Stdio),
            (Some(Kind::Http) | None, false, true) => Ok(Kind::Http),
            (Some(Kind::Http), _, false) => Err(missing("url", "; an \"http\" server needs its endpoint")),
            (None, false, false) => Err(missing("command", ", and so is `url`; a server needs one of them")),
            (Some(_), ..) => Err(missing("command", "; a \"stdio\" server needs the program to start")),
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
        let headers = self.headers(entry)?;
        Ok(HttpConfig { url, headers, oauth: oauth::read(self, entry.get("oauth"))? })
    }

    pub(super) fn headers(
        &self,
        entry: &serde_json::Map<String, Value>,
    ) -> Result<Vec<(String, Secret)>, ConfigError> {
        let headers = self.pairs(entry, "headers")?;
        for (name, value) in &headers {
            self.check_header(&format!("headers.{name}"), name, value)?;
        }
        Ok(headers)
    }

    pub(super) fn check_header(&self, field: &str, name: &str, value: &Secret) -> Result<(), ConfigError> {
        if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(self.invalid(field, "is not a valid name of an HTTP header".to_owned()));
        }
        if http::HeaderValue::from_str(value.expose()).is_err() {
            return Err(self.invalid(
                field,
                "expands to a value that no HTTP header can hold; accepted is visible ASCII on one line"
                    .to_owned(),
            ));
        }
        Ok(())
    }

    pub(super) fn pairs(
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

    pub(super) fn text(&self, field: &str, value: &Value) -> Result<Secret, ConfigError> {
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

    /// Reads a time: milliseconds, as in other clients, or a number with its unit. Fewer than a thousand milliseconds are
    /// seconds that somebody meant, and would end every call.
    fn time(
        &self,
        entry: &serde_json::Map<String, Value>,
        field: &str,
    ) -> Result<Option<Duration>, ConfigError> {
        const ACCEPTED: &str = "accepted are milliseconds from 1000 on, as in 60000, or a time with its unit, as in \"60s\" or \"500ms\"";
        let time = match entry.get(field) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Number(number)) => {
                number.as_u64().filter(|ms| *ms >= 1000).map(Duration::from_millis)
            }
            Some(Value::String(text)) => with_unit(text),
            Some(other) => {
                return Err(self.wrong_type(
                    field,
                    other,
                    "a number of milliseconds, or a time with its unit",
                ));
            }
        };
        match time {
            Some(time) => Ok(Some(time)),
            None => {
                let found: String = entry.get(field).map(ToString::to_string).unwrap_or_default();
                let found: String = found.chars().take(60).collect();
                Err(self.invalid(field, format!("is {found}; {ACCEPTED}")))
            }
        }
    }

    fn flag(&self, entry: &serde_json::Map<String, Value>, field: &str) -> Result<Option<bool>, ConfigError> {
        match entry.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(other) => Err(self.wrong_type(field, other, "true or false")),
        }
    }

    pub(super) fn wrong_type(&self, field: &str, found: &Value, accepted: &str) -> ConfigError {
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

    pub(super) fn invalid(&self, field: &str, problem: String) -> ConfigError {
        InvalidField {
            origin: self.origin.to_owned(),
            server: Some(self.server.chars().take(MAX_SERVER_NAME_BYTES).collect()),
            field: field.chars().take(160).collect(),
            problem,
        }
        .into()
    }
}

/// Reads a whole number followed by its unit.
fn with_unit(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok().filter(|number| *number > 0)?;
    match unit.trim() {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" | "min" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3600).map(Duration::from_secs),
        _ => None,
    }
}

enum Kind {
    Stdio,
    Http,
    Unsupported(String),
}
