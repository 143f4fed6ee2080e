//! What stands around an amount of money.

use fixed_decimal::Decimal;
use icu::locale::Locale;
use icu::locale::preferences::LocalePreferences;
use icu::plurals::PluralRules;
use icu_experimental::dimension::currency::CurrencyType;
use icu_experimental::dimension::provider::currency::essentials::CurrencyEssentialsV1;
use icu_experimental::dimension::provider::currency::extended::CurrencyExtendedDataV1;
use icu_experimental::dimension::provider::currency::patterns::CurrencyPatternsDataV1;
use icu_experimental::dimension::provider::currency::symbols::{CurrencySymbolWidth, CurrencySymbolsV1};
use icu_experimental::provider::Baked;
use icu_pattern::{DoublePlaceholderPattern, PatternItem};
use icu_provider::prelude::*;
use serde::Deserialize;

use super::locale::load;
use super::number::{Shown, by_numbering, one};
use super::parts::Parts;

/// How the currency is called.
#[derive(Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum CurrencyDisplay {
    #[default]
    Symbol,
    NarrowSymbol,
    Code,
    Name,
}

/// How a negative amount is shown.
#[derive(Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum CurrencySign {
    #[default]
    Standard,
    Accounting,
}

pub(super) enum Currency {
    Symbol {
        symbol: String,
        patterns: DataPayload<CurrencyEssentialsV1>,
        sign: CurrencySign,
        starts_with_letter: bool,
        ends_with_letter: bool,
    },
    Name {
        code: String,
        /// Absent for a currency that has no name in the language.
        names: Option<DataPayload<CurrencyExtendedDataV1>>,
        patterns: DataPayload<CurrencyPatternsDataV1>,
    },
}

impl Currency {
    pub(super) fn new(
        currency: CurrencyType,
        display: CurrencyDisplay,
        sign: CurrencySign,
        locale: &Locale,
        numbering_system: Option<&str>,
    ) -> Result<Self, String> {
        let preferences = LocalePreferences::from(locale);
        let code = currency.iso_code();
        if display == CurrencyDisplay::Name {
            let patterns = load(&Baked, "", preferences).ok_or_else(|| format!("no data of {locale}"))?;
            return Ok(Self::Name {
                code: code.to_string(),
                names: load(&Baked, &code, preferences),
                patterns,
            });
        }
        let width = match display {
            CurrencyDisplay::NarrowSymbol => Some(CurrencySymbolWidth::Narrow),
            CurrencyDisplay::Symbol => Some(CurrencySymbolWidth::Short),
            CurrencyDisplay::Code | CurrencyDisplay::Name => None,
        };
        let symbol = width.and_then(|width| {
            let name = match width {
                CurrencySymbolWidth::Narrow => format!("{code}n"),
                _ => code.to_string(),
            };
            let found: DataPayload<CurrencySymbolsV1> = load(&Baked, &name, preferences)?;
            let symbol = found.get();
            Some((symbol.as_str().to_owned(), symbol.starts_with_letter(), symbol.ends_with_letter()))
        });
        let (symbol, starts_with_letter, ends_with_letter) =
            symbol.unwrap_or_else(|| (code.to_string(), true, true));
        let patterns = by_numbering(&Baked, locale, numbering_system)?;
        Ok(Self::Symbol { symbol, patterns, sign, starts_with_letter, ends_with_letter })
    }

    /// Puts the currency, and the sign, around digits. `signed` puts a sign where the locale has it.
    pub(super) fn surround(
        &self,
        digits: Parts,
        number: &Decimal,
        rules: &PluralRules,
        sign: Shown,
        signed: impl Fn(Parts, Shown) -> Parts,
    ) -> Parts {
        match self {
            Self::Name { code, names, patterns } => {
                let name = match names {
                    Some(names) => names.get().get(number.into(), rules),
                    None => code,
                };
                let pattern = patterns.get().get(number.into(), rules);
                Parts::join(pattern, signed(digits, sign), one("currency", name), |all, text| {
                    all.push("literal", text);
                })
            }
            Self::Symbol {
                symbol,
                patterns,
                sign: style,
                starts_with_letter: starts,
                ends_with_letter: ends,
            } => {
                let patterns = patterns.get();
                let (positive, negative) = match style {
                    CurrencySign::Standard => {
                        (patterns.get_positive(*starts, *ends), patterns.get_negative(*starts, *ends))
                    }
                    CurrencySign::Accounting => (
                        patterns.get_positive_accounting(*starts, *ends),
                        patterns.get_negative_accounting(*starts, *ends),
                    ),
                };
                let symbol = one("currency", symbol);
                let has_minus = |pattern: &&DoublePlaceholderPattern| {
                    pattern
                        .iter()
                        .any(|item| matches!(item, PatternItem::Literal(text) if text.contains('-')))
                };
                let own = match sign {
                    Shown::Nothing => None,
                    Shown::Minus => negative,
                    Shown::Plus => negative.filter(has_minus),
                };
                match own {
                    Some(pattern) => Parts::join(pattern, digits, symbol, |all, text| {
                        push_literal(all, text, sign, &signed);
                    }),
                    None => signed(
                        Parts::join(positive, digits, symbol, |all, text| all.push("literal", text)),
                        sign,
                    ),
                }
            }
        }
    }
}

/// Writes a pattern's own text, in which a minus stands for the sign.
fn push_literal(all: &mut Parts, text: &str, sign: Shown, signed: &impl Fn(Parts, Shown) -> Parts) {
    match text.split_once('-') {
        Some((before, after)) => {
            all.push("literal", before);
            all.append(signed(Parts::default(), sign));
            all.push("literal", after);
        }
        None => all.push("literal", text),
    }
}
