//! The names of units. ICU4X has those of area, duration, length, mass and volume; the rest is here, in English and by
//! the symbols that CLDR's root has for every other language.

use fixed_decimal::Decimal;
use icu::locale::Locale;
use icu::locale::preferences::LocalePreferences;
use icu::plurals::{PluralCategory, PluralRules};
use icu_experimental::dimension::provider::units::categorized_display_names as names;
use icu_experimental::dimension::provider::units::display_names::UnitsDisplayNames;
use icu_experimental::dimension::provider::units::essentials::UnitsEssentialsV1;
use icu_experimental::provider::Baked;
use icu_pattern::{PatternItem, SinglePlaceholderPattern};
use icu_provider::marker::ErasedMarker;
use icu_provider::prelude::*;
use serde::Deserialize;

use super::locale::{load, load_own};

/// How much of a unit's name is written.
#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Width {
    Short,
    Narrow,
    Long,
}

/// A unit that can be written.
pub(super) enum Unit {
    Simple(Name),
    /// One unit per another, with CLDR's pattern for that.
    Per {
        name: Name,
        per: Name,
        pattern: String,
    },
}

pub(super) enum Name {
    OfCldr(DataPayload<ErasedMarker<UnitsDisplayNames<'static>>>),
    Ours { one: String, other: String },
}

impl Unit {
    pub(super) fn new(unit: &str, width: Width, locale: &Locale) -> Result<Self, String> {
        let preferences = LocalePreferences::from(locale);
        let is_english = locale.id.language.as_str() == "en";
        if let Some(name) = Name::load(unit, width, preferences, is_english) {
            return Ok(Self::Simple(name));
        }
        let unknown = || format!("unit {unit:?} has no name here");
        let (unit_name, per_name) = unit.split_once("-per-").ok_or_else(unknown)?;
        let name = Name::load(unit_name, width, preferences, is_english).ok_or_else(unknown)?;
        let per = Name::load(per_name, width, preferences, is_english).ok_or_else(unknown)?;
        let essentials: DataPayload<UnitsEssentialsV1> =
            load(&Baked, width.name(), preferences).ok_or_else(unknown)?;
        Ok(Self::Per { name, per, pattern: essentials.get().per.to_string() })
    }

    /// Returns the text before and after a number.
    pub(super) fn around(&self, number: &Decimal, rules: &PluralRules) -> (String, String) {
        match self {
            Self::Simple(name) => name.around(number, rules),
            Self::Per { name, per, pattern } => {
                let (before, after) = name.around(number, rules);
                let (_, one) = per.around(&Decimal::from(1), rules);
                let whole = pattern.replace("{0}", &after).replace("{1}", one.trim());
                (before, whole)
            }
        }
    }
}

impl Width {
    fn name(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::Narrow => "narrow",
            Self::Long => "long",
        }
    }
}

impl Name {
    fn load(unit: &str, width: Width, locale: LocalePreferences, is_english: bool) -> Option<Self> {
        if let Some(ours) = ours(unit, if is_english { width } else { Width::Short }, is_english) {
            return Some(ours);
        }
        let key = format!("{}-{unit}", width.name());
        macro_rules! first_of {
            ($($marker:ident)*) => {
                // Each marker has the root's names for the units that a locale has under another.
                $(
                    if let Some(found) = load_own::<names::$marker, _>(&Baked, &key, locale) {
                        return Some(Self::OfCldr(found.cast()));
                    }
                )*
                $(
                    if let Some(found) = load::<names::$marker, _>(&Baked, &key, locale) {
                        return Some(Self::OfCldr(found.cast()));
                    }
                )*
            };
        }
        first_of!(
            UnitsNamesDurationCoreV1 UnitsNamesDurationExtendedV1 UnitsNamesDurationOutlierV1
            UnitsNamesLengthCoreV1 UnitsNamesLengthExtendedV1 UnitsNamesLengthOutlierV1
            UnitsNamesMassCoreV1 UnitsNamesMassExtendedV1 UnitsNamesMassOutlierV1
            UnitsNamesVolumeCoreV1 UnitsNamesVolumeExtendedV1 UnitsNamesVolumeOutlierV1
            UnitsNamesAreaCoreV1 UnitsNamesAreaExtendedV1 UnitsNamesAreaOutlierV1
        );
        None
    }

    fn around(&self, number: &Decimal, rules: &PluralRules) -> (String, String) {
        match self {
            Self::OfCldr(names) => split(names.get().get(number.into(), rules)),
            Self::Ours { one, other } => {
                let is_one = rules.category_for(number) == PluralCategory::One;
                (String::new(), if is_one { one } else { other }.clone())
            }
        }
    }
}

fn split(pattern: &SinglePlaceholderPattern) -> (String, String) {
    let (mut before, mut after) = (String::new(), String::new());
    let mut is_after = false;
    for item in pattern.iter() {
        match item {
            PatternItem::Placeholder(_) => is_after = true,
            PatternItem::Literal(text) if is_after => after.push_str(text),
            PatternItem::Literal(text) => before.push_str(text),
        }
    }
    (before, after)
}

/// Units of which ICU4X has no names: symbol, and English singular. The symbol of a speed is that of English, as it
/// is in most languages.
const OURS: &[(&str, &str, &str)] = &[
    ("bit", "bit", "bit"),
    ("byte", "byte", "byte"),
    ("celsius", "°C", "degree Celsius"),
    ("degree", "deg", "degree"),
    ("fahrenheit", "°F", "degree Fahrenheit"),
    ("gigabit", "Gb", "gigabit"),
    ("gigabyte", "GB", "gigabyte"),
    ("kilobit", "kb", "kilobit"),
    ("kilobyte", "kB", "kilobyte"),
    ("megabit", "Mb", "megabit"),
    ("megabyte", "MB", "megabyte"),
    ("percent", "%", "percent"),
    ("petabyte", "PB", "petabyte"),
    ("terabit", "Tb", "terabit"),
    ("terabyte", "TB", "terabyte"),
    ("kilometer-per-hour", "km/h", "kilometer per hour"),
    ("meter-per-second", "m/s", "meter per second"),
    ("mile-per-hour", "mph", "mile per hour"),
    ("mile-per-gallon", "mpg", "mile per gallon"),
];

fn ours(unit: &str, width: Width, is_english: bool) -> Option<Name> {
    let (_, symbol, name) = OURS.iter().find(|(id, _, _)| *id == unit)?;
    let is_tight = symbol.starts_with('°') || *symbol == "%";
    let symbol_after = |space: &str| if is_tight { (*symbol).to_owned() } else { format!("{space}{symbol}") };
    let (one, other) = match width {
        Width::Long => (format!(" {name}"), format!(" {}", plural(name))),
        Width::Narrow => {
            let narrow = match (unit, is_english) {
                ("celsius", true) => "°C".to_owned(),
                ("fahrenheit" | "degree", true) => "°".to_owned(),
                ("byte", true) => "B".to_owned(),
                _ => symbol_after(""),
            };
            (narrow.clone(), narrow)
        }
        Width::Short => (symbol_after(" "), symbol_after(" ")),
    };
    Some(Name::Ours { one, other })
}

fn plural(name: &str) -> String {
    match name.split_once(' ') {
        None if name == "percent" => name.to_owned(),
        None => format!("{name}s"),
        Some((first, rest)) => format!("{first}s {rest}"),
    }
}
