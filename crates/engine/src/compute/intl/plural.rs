//! Which form of a word goes with a number: `Intl.PluralRules`.

use icu::plurals::PluralRules;
use icu::plurals::{
    PluralCategory, PluralOperands, PluralRuleType, PluralRulesOptions, PluralRulesPreferences,
    PluralRulesWithRanges,
};
use serde::Deserialize;

use super::digits::{Digits, Number};
use super::locale::{self, missing};
use super::{Service, unknown};

/// The options, as `resolvedOptions()` calls them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Spec {
    locale: String,
    #[serde(rename = "type")]
    kind: Kind,
    digits: Digits,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Kind {
    Cardinal,
    Ordinal,
}

pub(super) struct Rules {
    rules: PluralRulesWithRanges<PluralRules>,
    digits: Digits,
}

impl Rules {
    pub(super) fn new(spec: Spec) -> Result<Self, String> {
        let preferences = PluralRulesPreferences::from(&locale::parse(&spec.locale, None)?);
        let kind = match spec.kind {
            Kind::Cardinal => PluralRuleType::Cardinal,
            Kind::Ordinal => PluralRuleType::Ordinal,
        };
        let rules =
            PluralRulesWithRanges::try_new(preferences, PluralRulesOptions::default().with_type(kind))
                .map_err(|e| missing(&e))?;
        Ok(Self { rules, digits: spec.digits })
    }

    /// Returns the form of a number as it would be written; none is special for what has no digits.
    fn category(&self, number: &str) -> Result<PluralCategory, String> {
        Ok(match Number::parse(number)? {
            Number::Finite(mut decimal) => {
                self.digits.apply(&mut decimal);
                decimal.absolute.trim_start();
                self.rules.rules().category_for(PluralOperands::from(&decimal))
            }
            Number::Infinite(_) | Number::Nan => PluralCategory::Other,
        })
    }
}

impl Service for Rules {
    fn reply(&self, verb: char, operand: &str) -> Result<String, String> {
        match verb {
            's' => Ok(name(self.category(operand)?).to_owned()),
            'r' => {
                let (start, end) = operand.split_once('\n').ok_or("a range has two numbers")?;
                let (start, end) = (self.category(start)?, self.category(end)?);
                Ok(name(self.rules.resolve_range(start, end)).to_owned())
            }
            'c' => Ok(self.rules.rules().categories().map(name).collect::<Vec<_>>().join(" ")),
            _ => Err(unknown(verb)),
        }
    }
}

fn name(category: PluralCategory) -> &'static str {
    match category {
        PluralCategory::Zero => "zero",
        PluralCategory::One => "one",
        PluralCategory::Two => "two",
        PluralCategory::Few => "few",
        PluralCategory::Many => "many",
        PluralCategory::Other => "other",
    }
}
