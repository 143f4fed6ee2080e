//! Text from a configuration that must not be shown, and the means to keep it out of other text.
//!
//! A configuration refers to credentials as `${VAR}`. Once expanded they reach processes and requests and
//! nothing else: whoever prints one sees the reference, and what an upstream says about itself passes a
//! [`Redactor`] first.

use std::fmt;

/// Values shorter than this are left alone by a [`Redactor`]: replacing every `1` would only make text
/// unreadable, and nothing this short is a credential.
const MIN_REDACTED_BYTES: usize = 4;

/// A text that is used as expanded and shown as written.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    template: String,
    value: String,
    references: Vec<Reference>,
    confidential: bool,
}

/// One `${VAR}` and what it stood for.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) variable: String,
    pub(super) value: String,
}

impl Secret {
    pub(super) fn new(template: &str, value: String, references: Vec<Reference>) -> Self {
        Self { template: template.to_owned(), value, references, confidential: false }
    }

    /// Hides the text even where it is written out in the configuration, as a header's or a variable's value.
    pub(super) fn confidential(mut self) -> Self {
        self.confidential = true;
        self
    }

    /// Puts `prefix` before the text.
    pub(super) fn prefixed(&self, prefix: &str) -> Self {
        Self {
            template: format!("{prefix}{}", self.template),
            value: format!("{prefix}{}", self.value),
            references: self.references.clone(),
            confidential: self.confidential,
        }
    }

    /// Returns the expanded text. For handing on, never for showing.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.value
    }

    /// Returns the text as the configuration has it, with its references unexpanded.
    #[must_use]
    pub fn template(&self) -> &str {
        if self.confidential && self.references.is_empty() { "[hidden]" } else { &self.template }
    }

    /// Tells whether the text is anything other than what is written.
    #[must_use]
    pub fn is_expanded(&self) -> bool {
        !self.references.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.template(), f)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.template())
    }
}

/// Puts the references back where text from outside repeats what they stood for.
#[derive(Clone, Default)]
pub(crate) struct Redactor {
    /// What to replace and by what, longest first, so that no value is cut by another it contains.
    replacements: Vec<(String, String)>,
}

impl Redactor {
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let mut replacements: Vec<(String, String)> = secrets
            .into_iter()
            .flat_map(|secret| &secret.references)
            .filter(|reference| reference.value.len() >= MIN_REDACTED_BYTES)
            .map(|reference| (reference.value.clone(), format!("${{{}}}", reference.variable)))
            .collect();
        replacements.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
        replacements.dedup();
        Self { replacements }
    }

    /// Returns `text` with every expanded value replaced by its reference.
    pub(crate) fn redact(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while !rest.is_empty() {
            // One pass: what a replacement puts in is never searched again.
            if let Some((value, reference)) =
                self.replacements.iter().find(|(value, _)| rest.starts_with(value.as_str()))
            {
                out.push_str(reference);
                rest = rest.get(value.len()..).unwrap_or_default();
            } else {
                let mut chars = rest.chars();
                out.extend(chars.next());
                rest = chars.as_str();
            }
        }
        out
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.replacements.iter().map(|(_, reference)| reference)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(template: &str, value: &str, references: &[(&str, &str)]) -> Secret {
        let references = references
            .iter()
            .map(|(variable, value)| Reference { variable: (*variable).into(), value: (*value).into() })
            .collect();
        Secret::new(template, value.into(), references)
    }

    #[test]
    fn shows_the_template_only() {
        let secret = secret("Bearer ${TOKEN}", "Bearer hunter22", &[("TOKEN", "hunter22")]);
        assert_eq!(format!("{secret} {secret:?}"), "Bearer ${TOKEN} \"Bearer ${TOKEN}\"");
    }

    #[test]
    fn hides_a_confidential_literal() {
        let secret = secret("sk-live-1234", "sk-live-1234", &[]).confidential();
        assert_eq!(format!("{secret} {secret:?}"), "[hidden] \"[hidden]\"");
    }

    #[test]
    fn redacts_the_longest_value_first_and_once() {
        let a = secret("${A}", "abcdef", &[("A", "abcdef")]);
        let b = secret("${B}", "abcd", &[("B", "abcd")]);
        let c = secret("${C}", "${A}", &[("C", "${A}")]);
        let redactor = Redactor::new([&a, &b, &c]);
        assert_eq!(redactor.redact("x abcdefg abcd ${A}"), "x ${A}g ${B} ${C}");
        assert!(!format!("{redactor:?}").contains("abcd"));
    }

    #[test]
    fn leaves_short_values_alone() {
        let one = secret("${N}", "1", &[("N", "1")]);
        assert_eq!(Redactor::new([&one]).redact("exit 1"), "exit 1");
    }
}
