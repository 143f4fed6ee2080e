//! Numbers: `Intl.NumberFormat`.
//!
//! ICU4X formats digits; what stands around them, and the order in which it does, comes from CLDR's patterns, which its
//! formatters for currencies, percents and compact numbers would give without the sign display, the digits and the
//! parts that ECMA-402 wants.

use fixed_decimal::{Decimal, Sign};
use icu::decimal::options::{DecimalFormatterOptions, GroupingStrategy};
use icu::decimal::provider::{
    Baked as Decimals, CompactPatterns, DecimalCompactLongV1, DecimalCompactShortV1, DecimalSymbolsV1,
};
use icu::decimal::{DecimalFormatter, DecimalFormatterPreferences};
use icu::locale::Locale;
use icu::locale::preferences::LocalePreferences;
use icu::plurals::{PluralRules, PluralRulesPreferences};
use icu_experimental::dimension::provider::percent::DecimalPercentV1;
use icu_experimental::provider::Baked;
use icu_pattern::SinglePlaceholder;
use icu_provider::marker::ErasedMarker;
use icu_provider::prelude::*;
use serde::Deserialize;

use super::currency::{Currency, CurrencyDisplay, CurrencySign};
use super::digits::{Digits, Number};
use super::locale::{load, missing};
use super::parts::Parts;
use super::unit::{Unit, Width};
use super::{Service, locale, unknown};

/// The options, as `resolvedOptions()` calls them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Spec {
    locale: String,
    numbering_system: Option<String>,
    style: Style,
    currency: Option<String>,
    currency_display: Option<CurrencyDisplay>,
    currency_sign: Option<CurrencySign>,
    unit: Option<String>,
    unit_display: Option<Width>,
    notation: Notation,
    compact_display: Option<CompactDisplay>,
    use_grouping: Grouping,
    sign_display: SignDisplay,
    digits: Digits,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Style {
    Decimal,
    Percent,
    Currency,
    Unit,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Notation {
    Standard,
    Scientific,
    Engineering,
    Compact,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum CompactDisplay {
    Short,
    Long,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Grouping {
    Always,
    Auto,
    Min2,
    Never,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum SignDisplay {
    Auto,
    Always,
    Never,
    ExceptZero,
    Negative,
}

type Compact = DataPayload<ErasedMarker<CompactPatterns<'static, SinglePlaceholder>>>;

pub(super) struct Formatter {
    decimal: DecimalFormatter,
    rules: PluralRules,
    symbols: DataPayload<DecimalSymbolsV1>,
    digits: Digits,
    sign_display: SignDisplay,
    notation: Notation,
    compact: Option<Compact>,
    around: Around,
}

/// What stands around the digits.
enum Around {
    Nothing,
    Percent(DataPayload<DecimalPercentV1>),
    Currency(Currency),
    Unit(Unit),
}

/// The sign that is shown.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Shown {
    Nothing,
    Plus,
    Minus,
}

impl Formatter {
    pub(super) fn new(spec: Spec) -> Result<Self, String> {
        let locale = locale::parse(&spec.locale, spec.numbering_system.as_deref())?;
        let preferences = DecimalFormatterPreferences::from(&locale);
        let mut options = DecimalFormatterOptions::default();
        options.grouping_strategy = Some(match spec.use_grouping {
            Grouping::Always => GroupingStrategy::Always,
            Grouping::Auto => GroupingStrategy::Auto,
            Grouping::Min2 => GroupingStrategy::Min2,
            Grouping::Never => GroupingStrategy::Never,
        });
        let decimal = DecimalFormatter::try_new(preferences, options).map_err(|e| missing(&e))?;
        let rules =
            PluralRules::try_new_cardinal(PluralRulesPreferences::from(&locale)).map_err(|e| missing(&e))?;
        let symbols: DataPayload<DecimalSymbolsV1> =
            by_numbering(&Decimals, &locale, spec.numbering_system.as_deref())?;
        let numbering_system = Some(spec.numbering_system.as_deref().unwrap_or(symbols.get().numsys()));
        let compact = match (spec.notation, spec.compact_display) {
            (Notation::Compact, Some(CompactDisplay::Long)) => {
                Some(compact::<DecimalCompactLongV1>(&locale, numbering_system)?)
            }
            (Notation::Compact, _) => Some(compact::<DecimalCompactShortV1>(&locale, numbering_system)?),
            _ => None,
        };
        let around = match spec.style {
            Style::Decimal => Around::Nothing,
            Style::Percent => Around::Percent(by_numbering(&Baked, &locale, numbering_system)?),
            Style::Currency => Around::Currency(Currency::new(
                locale::currency(spec.currency.as_deref().unwrap_or_default())?,
                spec.currency_display.unwrap_or_default(),
                spec.currency_sign.unwrap_or_default(),
                &locale,
                numbering_system,
            )?),
            Style::Unit => Around::Unit(Unit::new(
                spec.unit.as_deref().unwrap_or_default(),
                spec.unit_display.unwrap_or(Width::Short),
                &locale,
            )?),
        };
        let (digits, sign_display, notation) = (spec.digits, spec.sign_display, spec.notation);
        Ok(Self { decimal, rules, symbols, digits, sign_display, notation, compact, around })
    }

    /// Formats a number that JavaScript wrote.
    fn parts(&self, text: &str) -> Result<Parts, String> {
        let mut number = Number::parse(text)?;
        if let (Around::Percent(_), Number::Finite(decimal)) = (&self.around, &mut number) {
            decimal.absolute.multiply_pow10(2);
        }
        let mut exponent = 0;
        if let Number::Finite(decimal) = &mut number {
            exponent = self.round(decimal);
        }
        let sign = self.sign(&number);
        // What has no digits takes the plural of many.
        let shown = match &number {
            Number::Finite(decimal) => Decimal::new(Sign::None, decimal.absolute.clone()),
            Number::Infinite(_) | Number::Nan => Decimal::from(1_000_000),
        };
        let digits = match number {
            Number::Finite(_) => self.digits(&shown, exponent),
            Number::Infinite(_) => one("infinity", "∞"),
            Number::Nan => one("nan", "NaN"),
        };
        Ok(self.surround(digits, &shown, sign))
    }

    /// Rounds, and returns the power of ten that is written apart from the digits.
    fn round(&self, number: &mut Decimal) -> i16 {
        match (self.notation, &self.compact) {
            (Notation::Scientific, _) => self.digits.apply_scaled(number, |magnitude| magnitude),
            (Notation::Engineering, _) => {
                self.digits.apply_scaled(number, |magnitude| magnitude.div_euclid(3) * 3)
            }
            (Notation::Compact, Some(compact)) => {
                self.digits.apply_scaled(number, |magnitude| compact_exponent(compact, magnitude))
            }
            _ => {
                self.digits.apply(number);
                0
            }
        }
    }

    fn sign(&self, number: &Number) -> Shown {
        let is_negative = number.is_negative();
        let is_zero = number.is_zero();
        match self.sign_display {
            SignDisplay::Auto if is_negative => Shown::Minus,
            SignDisplay::Always if is_negative => Shown::Minus,
            SignDisplay::Always => Shown::Plus,
            SignDisplay::ExceptZero if is_zero || matches!(number, Number::Nan) => Shown::Nothing,
            SignDisplay::ExceptZero if is_negative => Shown::Minus,
            SignDisplay::ExceptZero => Shown::Plus,
            SignDisplay::Negative if is_negative && !is_zero => Shown::Minus,
            SignDisplay::Auto | SignDisplay::Never | SignDisplay::Negative => Shown::Nothing,
        }
    }

    /// Writes the digits with what belongs to the notation.
    fn digits(&self, shown: &Decimal, exponent: i16) -> Parts {
        let digits = Parts::of(&self.decimal.format(shown));
        match (self.notation, &self.compact) {
            (Notation::Compact, Some(compact)) => match compact_entry(compact, exponent) {
                Some(entry) => digits.set_in(entry.get(shown.into(), &self.rules).1, "compact"),
                None => digits,
            },
            (Notation::Scientific | Notation::Engineering, _) => {
                let mut all = digits;
                all.push("exponentSeparator", "E");
                if exponent < 0 {
                    all.push("exponentMinusSign", "-");
                }
                let exponent = Decimal::from(exponent.unsigned_abs());
                for piece in Parts::of(&self.decimal.format(&exponent)).pieces() {
                    all.push("exponentInteger", &piece.value);
                }
                all
            }
            _ => digits,
        }
    }

    fn surround(&self, digits: Parts, shown: &Decimal, sign: Shown) -> Parts {
        match &self.around {
            Around::Nothing => self.signed(digits, sign),
            Around::Percent(patterns) => {
                let patterns = patterns.get();
                if sign == Shown::Nothing {
                    return digits.set_in(&patterns.unsigned_pattern, "percentSign");
                }
                let sign = match sign {
                    Shown::Plus => one("plusSign", &patterns.plus_sign),
                    Shown::Nothing | Shown::Minus => one("minusSign", &patterns.minus_sign),
                };
                Parts::join(&patterns.signed_pattern, digits, sign, |all, text| {
                    all.push_around_space("percentSign", text);
                })
            }
            Around::Currency(currency) => {
                currency.surround(digits, shown, &self.rules, sign, |parts, sign| self.signed(parts, sign))
            }
            Around::Unit(unit) => {
                let (before, after) = unit.around(shown, &self.rules);
                let mut all = Parts::default();
                all.push_around_space("unit", &before);
                all.append(self.signed(digits, sign));
                all.push_around_space("unit", &after);
                all
            }
        }
    }

    /// Puts a sign where the locale has it.
    fn signed(&self, parts: Parts, sign: Shown) -> Parts {
        let symbols = self.symbols.get();
        let (kind, before, after) = match sign {
            Shown::Nothing => return parts,
            Shown::Plus => ("plusSign", symbols.plus_sign_prefix(), symbols.plus_sign_suffix()),
            Shown::Minus => ("minusSign", symbols.minus_sign_prefix(), symbols.minus_sign_suffix()),
        };
        let mut all = one(kind, before);
        all.append(parts);
        all.push(kind, after);
        all
    }

    /// Formats a range. ICU4X has no patterns for one: two numbers stand around a dash, with space when anything
    /// but digits is near it.
    fn range(&self, start: &str, end: &str) -> Result<Parts, String> {
        let (start, end) = (self.parts(start)?, self.parts(end)?);
        if start.text() == end.text() {
            let mut all = Parts::default();
            all.push("approximatelySign", "~");
            all.append(start);
            return Ok(all.with_source("shared"));
        }
        let is_bare = matches!(self.around, Around::Nothing) && self.notation == Notation::Standard;
        let mut all = start.with_source("startRange");
        let mut dash = Parts::default();
        dash.push("literal", if is_bare { "–" } else { " – " });
        all.append(dash.with_source("shared"));
        all.append(end.with_source("endRange"));
        Ok(all)
    }
}

impl Service for Formatter {
    fn reply(&self, verb: char, operand: &str) -> Result<String, String> {
        let range = || {
            let (start, end) = operand.split_once('\n').ok_or("a range has two numbers")?;
            self.range(start, end)
        };
        match verb {
            'f' => Ok(self.parts(operand)?.text()),
            'p' => Ok(self.parts(operand)?.json()),
            'r' => Ok(range()?.text()),
            'R' => Ok(range()?.json()),
            'n' => Ok(self.symbols.get().numsys().to_owned()),
            _ => Err(unknown(verb)),
        }
    }
}

/// A text of one part.
pub(super) fn one(kind: &'static str, text: &str) -> Parts {
    let mut parts = Parts::default();
    parts.push(kind, text);
    parts
}

/// Loads data that is kept by numbering system, that of the locale when none is asked for.
pub(super) fn by_numbering<M: DataMarker, P: DataProvider<M>>(
    provider: &P,
    locale: &Locale,
    numbering_system: Option<&str>,
) -> Result<DataPayload<M>, String> {
    let preferences = LocalePreferences::from(locale);
    numbering_system
        .and_then(|name| load(provider, name, preferences))
        .or_else(|| load(provider, "", preferences))
        .ok_or_else(|| format!("no data of {locale}"))
}

fn compact<M>(locale: &Locale, numbering_system: Option<&str>) -> Result<Compact, String>
where
    M: DataMarker<DataStruct = CompactPatterns<'static, SinglePlaceholder>>,
    Decimals: DataProvider<M>,
{
    Ok(by_numbering::<M, _>(&Decimals, locale, numbering_system)?.cast())
}

/// Returns the power of ten that the compact form of a magnitude leaves out.
fn compact_exponent(compact: &Compact, magnitude: i16) -> i16 {
    let entry = compact.get().0.iter().filter(|entry| i16::from(entry.sized) <= magnitude).last();
    entry.map_or(0, |entry| i16::from(entry.sized) - i16::from(entry.variable.get_default().0.get()))
}

type CompactEntry = icu::plurals::provider::PluralElementsPackedULE<icu_pattern::SinglePlaceholderPattern>;

/// Returns the patterns of the numbers that leave out a power of ten.
fn compact_entry(compact: &Compact, exponent: i16) -> Option<&CompactEntry> {
    let exponent_of =
        |entry: &CompactEntry, sized: u8| i16::from(sized) - i16::from(entry.get_default().0.get());
    compact
        .get()
        .0
        .iter()
        .find(|entry| exponent_of(&entry.variable, entry.sized) == exponent)
        .map(|entry| &entry.variable)
}
