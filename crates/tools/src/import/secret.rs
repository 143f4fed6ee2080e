//! Values that look like secrets and are written out.

use serde_json::{Map, Value};

/// Words in the name of a field or a flag that say what its value is.
const WORDS: &[&str] =
    &["token", "key", "secret", "password", "passwd", "credential", "auth", "cookie", "session"];
/// How values begin that are secrets wherever they stand.
const BEGINNINGS: &[&str] = &[
    "sk-",
    "sk_",
    "rk_",
    "ghp_",
    "gho_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "xapp-",
    "eyJ",
    "AKIA",
    "AIza",
    "ntn_",
    "secret_",
    "lin_api_",
    "npm_",
    "pypi-",
    "hf_",
    "dop_v1_",
    "Bearer ",
    "Basic ",
];

/// Returns where secrets are written out, as `env.TOKEN`, `args[1]` or `url`.
pub(crate) fn written_out(entry: &Map<String, Value>) -> Vec<String> {
    let mut found = Vec::new();
    for field in ["env", "headers"] {
        for (name, value) in entry.get(field).and_then(Value::as_object).into_iter().flatten() {
            if value.as_str().is_some_and(|value| is_secret(Some(name), value)) {
                found.push(format!("{field}.{name}"));
            }
        }
    }
    let args: Vec<&str> =
        entry.get("args").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let mut before = None;
    for (at, arg) in args.iter().enumerate() {
        let (name, value) = match arg.split_once('=') {
            Some((name, value)) if name.starts_with('-') => (Some(name), value),
            _ => (before, *arg),
        };
        if !value.starts_with('-') && is_secret(name, value) {
            found.push(format!("args[{at}]"));
        }
        before = Some(*arg).filter(|arg| arg.starts_with('-'));
    }
    if entry.get("url").and_then(Value::as_str).is_some_and(url_has_secret) {
        found.push("url".to_owned());
    }
    if let Some(secret) = entry.get("oauth").and_then(|oauth| oauth.get("client_secret")?.as_str())
        && !secret.contains("${")
    {
        found.push("oauth.client_secret".to_owned());
    }
    found
}

fn is_secret(name: Option<&str>, value: &str) -> bool {
    if value.contains("${") || value.len() < 8 {
        return false;
    }
    let told = name.is_some_and(|name| {
        let name = name.to_ascii_lowercase();
        WORDS.iter().any(|word| name.contains(word))
    });
    // A path or an address beside such a word is where the secret is, not what it is.
    let place = value.starts_with(['/', '~', '.']) || value.contains("://");
    (told && !place) || BEGINNINGS.iter().any(|beginning| value.starts_with(beginning))
}

fn url_has_secret(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else { return false };
    url.password().is_some() || url.query_pairs().any(|(name, value)| is_secret(Some(&name), &value))
}

/// Returns the value at a place that [`written_out`] gave.
pub(crate) fn at<'a>(entry: &'a mut Value, place: &str) -> Option<&'a mut Value> {
    match place.split_once('.') {
        Some((field, name)) => entry.get_mut(field)?.get_mut(name),
        None => match place.strip_prefix("args[").and_then(|rest| rest.strip_suffix(']')) {
            Some(at) => entry.get_mut("args")?.get_mut(at.parse::<usize>().ok()?),
            None => entry.get_mut(place),
        },
    }
}

/// Suggests a variable for a secret: the field's own name where it is one, else one with the server's.
pub(super) fn variable(server: &str, field: &str) -> String {
    let last = field.strip_prefix("env.").map_or_else(|| format!("{server}_TOKEN"), str::to_owned);
    let name: String =
        last.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}
