//! URLs, by the WHATWG's standard.

use url::Url;

/// Parses a URL, relative to `base` unless that is empty. The reply is the URL written out.
pub(crate) fn parse(url: &str, base: &str) -> Result<String, String> {
    let base = if base.is_empty() {
        None
    } else {
        Some(Url::parse(base).map_err(|e| format!("{base:?} is not a URL: {e}"))?)
    };
    Url::options()
        .base_url(base.as_ref())
        .parse(url)
        .map(String::from)
        .map_err(|e| format!("{url:?} is not a URL: {e}"))
}
