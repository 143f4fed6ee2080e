//! URLs, by the WHATWG's standard: the parts of one, and one with a part changed.

use url::{Url, quirks};

/// The longest URL, with its base, that a cell may have parsed: about a millisecond's work.
const LONGEST_BYTES: usize = 128 * 1024;

/// Parses a URL, relative to `base` unless that is empty. The reply is its [`parts`].
pub(crate) fn parse(url: &str, base: &str) -> Result<String, String> {
    bound(url.len() + base.len())?;
    let base = match base {
        "" => None,
        base => Some(Url::parse(base).map_err(|e| format!("the base {} is not a URL: {e}", shown(base)))?),
    };
    let parsed = Url::options().base_url(base.as_ref()).parse(url);
    parsed.map(|url| parts(&url)).map_err(|e| format!("{} is not a URL: {e}", shown(url)))
}

/// Sets a part of `url`. `change` is the name of the part, a line end, and the new value. A value that cannot be is
/// ignored, as the standard wants. The reply is the new [`parts`].
pub(crate) fn change(url: &str, change: &str) -> Result<String, String> {
    bound(url.len() + change.len())?;
    let mut url = Url::parse(url).map_err(|e| format!("{} is not a URL: {e}", shown(url)))?;
    let (part, value) = change.split_once('\n').unwrap_or((change, ""));
    let done = match part {
        "protocol" => quirks::set_protocol(&mut url, value),
        "username" => quirks::set_username(&mut url, value),
        "password" => quirks::set_password(&mut url, value),
        "host" => quirks::set_host(&mut url, value),
        "hostname" => quirks::set_hostname(&mut url, value),
        "port" => quirks::set_port(&mut url, value),
        "pathname" => {
            quirks::set_pathname(&mut url, value);
            Ok(())
        }
        "search" => {
            quirks::set_search(&mut url, value);
            Ok(())
        }
        "hash" => {
            quirks::set_hash(&mut url, value);
            Ok(())
        }
        _ => return Err(format!("a URL has no part {}", shown(part))),
    };
    done.unwrap_or(());
    Ok(parts(&url))
}

/// What the attributes of a `URL` say, a line each; none can hold a line end.
fn parts(url: &Url) -> String {
    let origin = quirks::origin(url);
    [
        quirks::href(url),
        quirks::protocol(url),
        quirks::username(url),
        quirks::password(url),
        quirks::host(url),
        quirks::hostname(url),
        quirks::port(url),
        quirks::pathname(url),
        quirks::search(url),
        quirks::hash(url),
        &origin,
    ]
    .join("\n")
}

fn bound(bytes: usize) -> Result<(), String> {
    if bytes <= LONGEST_BYTES {
        return Ok(());
    }
    Err(format!("a URL, with its base, may have {LONGEST_BYTES} bytes; this has {bytes}"))
}

/// A value in a message: quoted, and not longer than a reader wants.
fn shown(text: &str) -> String {
    match text.char_indices().nth(100) {
        Some((cut, _)) => format!("{:?}…", text.get(..cut).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_too_long_is_refused_before_it_is_parsed() {
        let reason = parse(&format!("http://a/{}", "a".repeat(LONGEST_BYTES)), "").err();
        assert_eq!(reason.as_deref(), Some("a URL, with its base, may have 131072 bytes; this has 131081"));
    }

    #[test]
    fn a_message_quotes_a_long_value_in_part() {
        let reason = parse(&"é".repeat(200), "").err();
        assert_eq!(reason, Some(format!("{:?}… is not a URL: relative URL without a base", "é".repeat(100))));
    }
}
