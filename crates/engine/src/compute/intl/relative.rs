//! How long ago, how soon: `Intl.RelativeTimeFormat`.

use fixed_decimal::Sign;
use icu::decimal::options::DecimalFormatterOptions;
use icu::decimal::{DecimalFormatter, DecimalFormatterPreferences};
use icu::locale::preferences::LocalePreferences;
use icu::plurals::{PluralRules, PluralRulesPreferences};
use icu_experimental::provider::Baked;
use icu_experimental::relativetime::provider as data;
use icu_pattern::PatternItem;
use icu_provider::DataPayload;
use icu_provider::marker::ErasedMarker;
use serde::Deserialize;

use super::digits::Number;
use super::locale::{self, load, missing};
use super::parts::Parts;
use super::{Service, unknown};

/// The options, as `resolvedOptions()` calls them, and the unit.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Spec {
    locale: String,
    numbering_system: Option<String>,
    style: Style,
    numeric: Numeric,
    unit: Unit,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Style {
    Long,
    Short,
    Narrow,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Numeric {
    Always,
    Auto,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

type Patterns = DataPayload<ErasedMarker<data::RelativeTimePatternData<'static>>>;

pub(super) struct Formatter {
    decimal: DecimalFormatter,
    rules: PluralRules,
    patterns: Patterns,
    numeric: Numeric,
}

impl Formatter {
    pub(super) fn new(spec: &Spec) -> Result<Self, String> {
        let locale = locale::parse(&spec.locale, spec.numbering_system.as_deref())?;
        let decimal = DecimalFormatter::try_new(
            DecimalFormatterPreferences::from(&locale),
            DecimalFormatterOptions::default(),
        )
        .map_err(|e| missing(&e))?;
        let rules =
            PluralRules::try_new_cardinal(PluralRulesPreferences::from(&locale)).map_err(|e| missing(&e))?;
        let patterns = patterns(spec.unit, spec.style, LocalePreferences::from(&locale))
            .ok_or_else(|| format!("no data of {locale}"))?;
        Ok(Self { decimal, rules, patterns, numeric: spec.numeric })
    }

    fn parts(&self, number: &str) -> Result<Parts, String> {
        let Number::Finite(mut number) = Number::parse(number)? else {
            return Err("Invalid number value: it must be finite".to_owned());
        };
        let is_past = number.sign == Sign::Negative;
        let mut all = Parts::default();
        if self.numeric == Numeric::Auto
            && let Ok(offset) = number.to_string().parse::<i8>()
            && let Some(name) = self.patterns.get().get_relative(offset)
        {
            all.push("literal", name);
            return Ok(all);
        }
        number.sign = Sign::None;
        // As many digits as a number is written with by default.
        number.round(-3);
        number.absolute.trim_end();
        let forms = if is_past { &self.patterns.get().past } else { &self.patterns.get().future };
        for item in forms.get((&number).into(), &self.rules).iter() {
            match item {
                PatternItem::Literal(text) => all.push("literal", text),
                PatternItem::Placeholder(_) => all.append(Parts::of(&self.decimal.format(&number))),
            }
        }
        Ok(all)
    }
}

impl Service for Formatter {
    fn reply(&self, verb: char, operand: &str) -> Result<String, String> {
        match verb {
            'f' => Ok(self.parts(operand)?.text()),
            'p' => Ok(self.parts(operand)?.json()),
            _ => Err(unknown(verb)),
        }
    }
}

fn patterns(unit: Unit, style: Style, locale: LocalePreferences) -> Option<Patterns> {
    macro_rules! by_style {
        ($long:ident $short:ident $narrow:ident) => {
            match style {
                Style::Long => load::<data::$long, _>(&Baked, "", locale)?.cast(),
                Style::Short => load::<data::$short, _>(&Baked, "", locale)?.cast(),
                Style::Narrow => load::<data::$narrow, _>(&Baked, "", locale)?.cast(),
            }
        };
    }
    Some(match unit {
        Unit::Second => {
            by_style!(DatetimeRelativeSecondLongV1 DatetimeRelativeSecondShortV1 DatetimeRelativeSecondNarrowV1)
        }
        Unit::Minute => {
            by_style!(DatetimeRelativeMinuteLongV1 DatetimeRelativeMinuteShortV1 DatetimeRelativeMinuteNarrowV1)
        }
        Unit::Hour => {
            by_style!(DatetimeRelativeHourLongV1 DatetimeRelativeHourShortV1 DatetimeRelativeHourNarrowV1)
        }
        Unit::Day => {
            by_style!(DatetimeRelativeDayLongV1 DatetimeRelativeDayShortV1 DatetimeRelativeDayNarrowV1)
        }
        Unit::Week => {
            by_style!(DatetimeRelativeWeekLongV1 DatetimeRelativeWeekShortV1 DatetimeRelativeWeekNarrowV1)
        }
        Unit::Month => {
            by_style!(DatetimeRelativeMonthLongV1 DatetimeRelativeMonthShortV1 DatetimeRelativeMonthNarrowV1)
        }
        Unit::Quarter => {
            by_style!(DatetimeRelativeQuarterLongV1 DatetimeRelativeQuarterShortV1 DatetimeRelativeQuarterNarrowV1)
        }
        Unit::Year => {
            by_style!(DatetimeRelativeYearLongV1 DatetimeRelativeYearShortV1 DatetimeRelativeYearNarrowV1)
        }
    })
}
