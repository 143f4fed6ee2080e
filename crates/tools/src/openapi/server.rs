//! The server that a document describes.

use reqwest::Url;
use serde_json::Value;

use super::document::Document;
use super::error::{NoServer, OpenApiError, ServerElsewhere};
use crate::config::OpenApiConfig;

/// Finds the server to call: the configured one, or the document's first, which is where the document came from.
pub(super) fn find(
    config: &OpenApiConfig,
    document: &Document,
    came_from: Option<&Url>,
) -> Result<Url, OpenApiError> {
    if let Some(server) = &config.server {
        return Url::parse(server.expose())
            .map_err(|error| none(config, format!("is called at no URL: {error}")).into());
    }
    let named = document.root().get("servers").and_then(Value::as_array).and_then(|servers| servers.first());
    let server = match (named, came_from) {
        (Some(named), base) => url(named, base).map_err(|problem| none(config, problem))?,
        // A document that names none means `/`, from where it came.
        (None, Some(base)) => base.join("/").map_err(|_| none(config, "names no server".to_owned()))?,
        (None, None) => return Err(none(config, "names no server".to_owned()).into()),
    };
    if came_from.is_some_and(|from| from.origin() != server.origin()) {
        let server = format!("{}{}", server.origin().ascii_serialization(), server.path());
        return Err(ServerElsewhere { document: config.document.to_string(), server }.into());
    }
    Ok(server)
}

/// Reads the URL of a server object, its variables at their defaults, relative to `base` if it is.
pub(super) fn url(server: &Value, base: Option<&Url>) -> Result<Url, String> {
    let template = server.get("url").and_then(Value::as_str).ok_or("has a server without a URL")?;
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, tail) = after.split_once('}').ok_or("has a server whose URL has a `{` without `}`")?;
        let variable = server.get("variables").and_then(|all| all.get(name));
        let default = variable.and_then(|variable| variable.get("default")?.as_str());
        text.push_str(before);
        text.push_str(
            default.ok_or_else(|| format!("has a server with the variable `{name}` and no default"))?,
        );
        rest = tail;
    }
    text.push_str(rest);
    let url = match base {
        Some(base) => base.join(&text),
        None => Url::parse(&text),
    };
    url.ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| format!("names the server {text:?}, which is no full URL"))
}

fn none(config: &OpenApiConfig, problem: String) -> NoServer {
    NoServer { document: config.document.to_string(), problem }
}
