//! `${VAR}` and `${VAR:-default}` in the text of a configuration, and `${env:VAR}` as VS Code and Cursor write it.
//!
//! One pass and no recursion: what a variable holds is taken as it is, whatever it looks like. A `$` without
//! `{` is plain text. As in Claude Code, a default stands in for a variable that is not set; one that is set
//! to nothing is nothing.

use super::environment::Environment;
use super::secret::{Reference, Secret};

/// Why a text cannot be expanded. Carries names and places, never values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ExpandError {
    /// The variable is not set and has no default.
    Unset { variable: String },
    /// A `${` that opens nothing this format knows.
    Malformed { reference: String },
}

/// Expands `template` against `environment`.
pub(super) fn expand(template: &str, environment: &dyn Environment) -> Result<Secret, ExpandError> {
    let mut value = String::with_capacity(template.len());
    let mut references = Vec::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("${") {
        value.push_str(before);
        let (reference, tail) = after.split_once('}').ok_or_else(|| malformed(after))?;
        let (variable, default) = match reference.split_once(":-") {
            Some((variable, default)) => (variable, Some(default)),
            None => (reference, None),
        };
        let variable = variable.strip_prefix("env:").unwrap_or(variable);
        if !is_variable(variable) {
            return Err(malformed(&format!("{reference}}}")));
        }
        match (environment.get(variable), default) {
            (Some(found), _) => {
                value.push_str(&found);
                references.push(Reference { variable: variable.to_owned(), value: found });
            }
            // A default is written in the configuration for all to see.
            (None, Some(default)) => value.push_str(default),
            (None, None) => return Err(ExpandError::Unset { variable: variable.to_owned() }),
        }
        rest = tail;
    }
    value.push_str(rest);
    Ok(Secret::new(template, value, references))
}

fn is_variable(name: &str) -> bool {
    name.bytes()
        .enumerate()
        .all(|(i, b)| b.is_ascii_alphabetic() || b == b'_' || (i > 0 && b.is_ascii_digit()))
        && !name.is_empty()
}

fn malformed(after: &str) -> ExpandError {
    ExpandError::Malformed { reference: format!("${{{}", after.chars().take(40).collect::<String>()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(name: &str) -> Option<String> {
        match name {
            "A" => Some("alpha".to_owned()),
            "EMPTY" => Some(String::new()),
            "NESTED" => Some("${A}${UNSET}".to_owned()),
            _ => None,
        }
    }

    fn expanded(template: &str) -> String {
        expand(template, &environment).unwrap().expose().to_owned()
    }

    #[test]
    fn expands_variables_and_defaults() {
        for (template, value) in [
            ("", ""),
            ("plain $A $$ {A} }", "plain $A $$ {A} }"),
            ("${A}", "alpha"),
            ("<${A}|${A}>", "<alpha|alpha>"),
            ("${A:-other}", "alpha"),
            ("${env:A}", "alpha"),
            ("${env:UNSET:-other}", "other"),
            ("${UNSET:-other}", "other"),
            ("${UNSET:-}", ""),
            ("${UNSET:-http://h:1/:-x}", "http://h:1/:-x"),
            ("${EMPTY:-other}", ""),
            ("$${A}", "$alpha"),
            ("ü${A}→", "üalpha→"),
        ] {
            assert_eq!(expanded(template), value, "{template}");
        }
    }

    #[test]
    fn a_value_is_not_expanded_again() {
        assert_eq!(expanded("${NESTED}"), "${A}${UNSET}");
        assert_eq!(expanded("${UNSET:-$A}"), "$A");
    }

    #[test]
    fn an_unset_variable_is_an_error() {
        assert_eq!(
            expand("x${UNSET}", &environment),
            Err(ExpandError::Unset { variable: "UNSET".to_owned() })
        );
    }

    #[test]
    fn what_only_looks_like_a_reference_is_an_error() {
        for template in [
            "${",
            "${A",
            "${}",
            "${:-x}",
            "${1A}",
            "${A B}",
            "${env:}",
            "${input:A}",
            "${env:env:A}",
            "${A-b}",
            "${${A}}",
            "${ü}",
        ] {
            assert!(
                matches!(expand(template, &environment), Err(ExpandError::Malformed { .. })),
                "{template}"
            );
        }
    }
}
