//! JSON with comments and trailing commas, as editors write it.

use serde_json::Value;

/// Reads a text. Comments and trailing commas become spaces, so that an error's place is the text's own.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    let plain = without_comments(text);
    serde_json::from_str(&without_trailing_commas(&plain)).map_err(|error| format!("it is no JSON: {error}"))
}

fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut quoted = false;
    while let Some(c) = chars.next() {
        if quoted {
            out.push(c);
            if c == '\\' {
                out.extend(chars.next());
            } else if c == '"' {
                quoted = false;
            }
        } else if c == '/' && chars.peek() == Some(&'/') {
            while chars.next_if(|c| *c != '\n').is_some() {}
        } else if c == '/' && chars.next_if_eq(&'*').is_some() {
            let mut before = ' ';
            for c in chars.by_ref() {
                if before == '*' && c == '/' {
                    break;
                }
                if c == '\n' {
                    out.push(c);
                }
                before = c;
            }
        } else {
            quoted = c == '"';
            out.push(c);
        }
    }
    out
}

fn without_trailing_commas(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if quoted {
            quoted = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if c == '"' {
            quoted = true;
        } else if c == ',' {
            let next = text.get(at + 1..).unwrap_or_default().trim_start().chars().next();
            if matches!(next, Some('}' | ']')) {
                out.push(' ');
                continue;
            }
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_what_editors_write() {
        let text = "\u{feff}// mine\n{ /* a\n b */ \"url\": \"http://h//x/*y*/\", \"q\": \"\\\"//,]\", \"l\": [1, 2, ], }";
        let expected = json!({ "url": "http://h//x/*y*/", "q": "\"//,]", "l": [1, 2] });
        assert_eq!(parse(text).unwrap(), expected);
        assert_eq!(parse(" \n").unwrap(), Value::Null);
        assert!(parse("{ \"a\": }").is_err() && parse("{ /* ").is_err());
    }
}
