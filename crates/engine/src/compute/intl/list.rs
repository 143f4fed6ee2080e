//! Lists in a sentence: `Intl.ListFormat`.

use icu::list::options::{ListFormatterOptions, ListLength};
use icu::list::{ListFormatter, ListFormatterPreferences};
use serde::Deserialize;

use super::locale::{self, missing};
use super::parts::Parts;
use super::{Service, unknown};

/// The options, as `resolvedOptions()` calls them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Spec {
    locale: String,
    #[serde(rename = "type")]
    kind: Kind,
    style: Style,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Kind {
    Conjunction,
    Disjunction,
    Unit,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Style {
    Long,
    Short,
    Narrow,
}

pub(super) struct Formatter(ListFormatter);

impl Formatter {
    pub(super) fn new(spec: &Spec) -> Result<Self, String> {
        let preferences = ListFormatterPreferences::from(&locale::parse(&spec.locale, None)?);
        let options = ListFormatterOptions::default().with_length(match spec.style {
            Style::Long => ListLength::Wide,
            Style::Short => ListLength::Short,
            Style::Narrow => ListLength::Narrow,
        });
        match spec.kind {
            Kind::Conjunction => ListFormatter::try_new_and(preferences, options),
            Kind::Disjunction => ListFormatter::try_new_or(preferences, options),
            Kind::Unit => ListFormatter::try_new_unit(preferences, options),
        }
        .map(Self)
        .map_err(|e| missing(&e))
    }
}

impl Service for Formatter {
    /// The operand is a JSON array of strings.
    fn reply(&self, verb: char, operand: &str) -> Result<String, String> {
        let items: Vec<String> = serde_json::from_str(operand).map_err(|e| format!("not a list: {e}"))?;
        let parts = Parts::of(&self.0.format(items.iter()));
        match verb {
            'f' => Ok(parts.text()),
            'p' => Ok(parts.json()),
            _ => Err(unknown(verb)),
        }
    }
}
