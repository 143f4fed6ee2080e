//! The order of words in a language: `Intl.Collator`.

use icu::collator::options::{AlternateHandling, CaseLevel, CollatorOptions, Strength};
use icu::collator::preferences::{CollationCaseFirst, CollationNumericOrdering, CollationType};
use icu::collator::{Collator as Icu, CollatorBorrowed, CollatorPreferences};
use icu::locale::extensions::unicode::Value;
use serde::Deserialize;

use super::locale::{self, missing};
use super::{Service, unknown};

/// The longest that two strings may be together, in bytes: more would keep the host from stopping the cell.
const LONGEST: usize = 32 * 1024;

/// The options, as `resolvedOptions()` calls them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Spec {
    locale: String,
    usage: Usage,
    sensitivity: Sensitivity,
    ignore_punctuation: bool,
    collation: String,
    numeric: bool,
    case_first: CaseFirst,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Usage {
    Sort,
    Search,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Sensitivity {
    Base,
    Accent,
    Case,
    Variant,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
enum CaseFirst {
    Upper,
    Lower,
    False,
}

pub(super) struct Collator(CollatorBorrowed<'static>);

impl Collator {
    pub(super) fn new(spec: &Spec) -> Result<Self, String> {
        let mut preferences = CollatorPreferences::from(&locale::parse(&spec.locale, None)?);
        preferences.numeric_ordering =
            Some(if spec.numeric { CollationNumericOrdering::True } else { CollationNumericOrdering::False });
        preferences.case_first = Some(match spec.case_first {
            CaseFirst::Upper => CollationCaseFirst::Upper,
            CaseFirst::Lower => CollationCaseFirst::Lower,
            CaseFirst::False => CollationCaseFirst::False,
        });
        if spec.usage == Usage::Search {
            preferences.collation_type = Some(CollationType::Search);
        } else if spec.collation != "default"
            && let Ok(value) = spec.collation.parse::<Value>()
        {
            preferences.collation_type = CollationType::try_from(&value).ok();
        }
        let mut options = CollatorOptions::default();
        let (strength, case) = match spec.sensitivity {
            Sensitivity::Base => (Strength::Primary, CaseLevel::Off),
            Sensitivity::Accent => (Strength::Secondary, CaseLevel::Off),
            Sensitivity::Case => (Strength::Primary, CaseLevel::On),
            Sensitivity::Variant => (Strength::Tertiary, CaseLevel::Off),
        };
        options.strength = Some(strength);
        options.case_level = Some(case);
        options.alternate_handling = Some(if spec.ignore_punctuation {
            AlternateHandling::Shifted
        } else {
            AlternateHandling::NonIgnorable
        });
        Icu::try_new(preferences, options).map(Self).map_err(|e| missing(&e))
    }
}

impl Service for Collator {
    /// The operand is both strings with a zero between.
    fn reply(&self, verb: char, operand: &str) -> Result<String, String> {
        if verb != 'c' {
            return Err(unknown(verb));
        }
        if operand.len() > LONGEST {
            return Err(format!("strings of more than {LONGEST} bytes together cannot be compared"));
        }
        let (first, second) = operand.split_once('\0').ok_or("two strings are compared")?;
        Ok((self.0.compare(first, second) as i8).to_string())
    }
}
