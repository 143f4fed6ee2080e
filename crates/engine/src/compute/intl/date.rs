//! Dates and times: `Intl.DateTimeFormat`.
//!
//! ICU4X chooses a locale's pattern for a set of fields, all of one length; ECMA-402 lets each field have a width of
//! its own. So the pattern is taken for the fields, and the widths that were asked for are written into it, as ICU's
//! pattern generator does for browsers.

use icu::calendar::Gregorian;
use icu::datetime::fieldsets::builder::{DateFields, FieldSetBuilder, ZoneStyle};
use icu::datetime::fieldsets::enums::CompositeFieldSet;
use icu::datetime::options::{Length, SubsecondDigits, TimePrecision, YearStyle};
use icu::datetime::pattern::{DateTimePattern, FixedCalendarDateTimeNames};
use icu::datetime::{DateTimeFormatterPreferences, FixedCalendarDateTimeFormatter};
use icu::decimal::provider::{Baked as Decimals, DecimalSymbolsV1};
use icu::locale::Locale;
use icu::time::zone::{UtcOffset, ZoneNameTimestamp, models};
use icu::time::{TimeZone as ZoneId, TimeZoneInfo, ZonedDateTime};
use icu_provider::DataPayload;
use jiff::tz::TimeZone;
use serde::Deserialize;
use writeable::TryWriteable;

use super::number::by_numbering;
use super::parts::Parts;
use super::pattern::{fields, rewrite};
use super::{Service, unknown};
use crate::compute::zone;

/// The options, as `resolvedOptions()` calls them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Spec {
    locale: String,
    numbering_system: Option<String>,
    hour_cycle: Option<Cycle>,
    time_zone: String,
    date_style: Option<Style>,
    time_style: Option<Style>,
    weekday: Option<Width>,
    era: Option<Width>,
    year: Option<Width>,
    month: Option<Width>,
    day: Option<Width>,
    hour: Option<Width>,
    minute: Option<Width>,
    second: Option<Width>,
    fractional_second_digits: Option<u8>,
    time_zone_name: Option<ZoneName>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Style {
    Full,
    Long,
    Medium,
    Short,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
enum Width {
    #[serde(rename = "numeric")]
    Numeric,
    #[serde(rename = "2-digit")]
    TwoDigit,
    #[serde(rename = "short")]
    Short,
    #[serde(rename = "long")]
    Long,
    #[serde(rename = "narrow")]
    Narrow,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum ZoneName {
    Short,
    Long,
    ShortOffset,
    LongOffset,
    ShortGeneric,
    LongGeneric,
}

/// Which hours there are. The last two leave the exact numbers to the locale.
#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Cycle {
    H11,
    H12,
    H23,
    H24,
    Clock12,
    Clock24,
}

type Input = ZonedDateTime<Gregorian, TimeZoneInfo<models::AtTime>>;

pub(super) struct Formatter {
    pattern: DateTimePattern,
    names: FixedCalendarDateTimeNames<Gregorian, CompositeFieldSet>,
    zone: TimeZone,
    zone_id: ZoneId,
    symbols: DataPayload<DecimalSymbolsV1>,
}

impl Formatter {
    pub(super) fn new(spec: &Spec) -> Result<Self, String> {
        let zone =
            zone::find(&spec.time_zone).ok_or_else(|| format!("{:?} is not a time zone", spec.time_zone))?;
        let zone_id = zone.iana_name().map_or(ZoneId::UNKNOWN, ZoneId::from_iana_id);
        let locale = spec.locale()?;
        let preferences = DateTimeFormatterPreferences::from(&locale);
        let pattern = spec.pattern(preferences)?;
        let failed = |e: &dyn std::fmt::Display| cannot(e);
        let mut names = FixedCalendarDateTimeNames::try_new(preferences).map_err(|e| failed(&e))?;
        names.include_for_pattern(&pattern).map_err(|e| failed(&e))?;
        let symbols = by_numbering(&Decimals, &locale, spec.numbering_system.as_deref())?;
        Ok(Self { pattern, names, zone, zone_id, symbols })
    }

    fn parts(&self, milliseconds: &str) -> Result<Parts, String> {
        let milliseconds = milliseconds.parse().map_err(|_| format!("{milliseconds:?} is not a time"))?;
        let mut parts = Parts::default();
        // What cannot be written exactly, ICU4X writes as it can.
        let _written = self
            .names
            .with_pattern_unchecked(&self.pattern)
            .format(&input(milliseconds, &self.zone, self.zone_id))
            .try_write_to_parts(&mut parts);
        // Browsers write a plain space where CLDR has a narrow one, for what reads the text.
        parts.map_values(|value| value.replace('\u{202f}', " "));
        Ok(parts)
    }

    /// Formats a range: both ends around a dash, or one when they read the same.
    fn range(&self, start: &str, end: &str) -> Result<Parts, String> {
        let (start, end) = (self.parts(start)?, self.parts(end)?);
        if start.text() == end.text() {
            return Ok(start.with_source("shared"));
        }
        let mut all = start.with_source("startRange");
        let mut dash = Parts::default();
        dash.push("literal", " – ");
        all.append(dash.with_source("shared"));
        all.append(end.with_source("endRange"));
        Ok(all)
    }

    /// Says what the pattern became: each field with its width, the hours' letter, the numbering system.
    fn resolved(&self) -> String {
        let pattern = self.pattern.to_string();
        let mut said = vec![format!("numberingSystem {}", self.symbols.get().numsys())];
        for (letter, count) in fields(&pattern) {
            let name = match letter {
                'G' => "era",
                'y' | 'u' | 'U' | 'r' => "year",
                'M' | 'L' => "month",
                'd' => "day",
                'E' | 'c' => "weekday",
                'h' | 'H' | 'k' | 'K' => "hour",
                'm' => "minute",
                's' => "second",
                'S' => {
                    said.push(format!("fractionalSecondDigits {count}"));
                    continue;
                }
                _ => continue,
            };
            let is_text = matches!(letter, 'G' | 'E' | 'c');
            let width = match count {
                1 if !is_text => "numeric",
                2 if !is_text => "2-digit",
                1..=3 => "short",
                4 => "long",
                _ => "narrow",
            };
            said.push(format!("{name} {width}"));
            let cycle = match letter {
                'K' => "h11",
                'h' => "h12",
                'H' => "h23",
                'k' => "h24",
                _ => continue,
            };
            said.push(format!("hourCycle {cycle}"));
        }
        said.join("\n")
    }
}

impl Service for Formatter {
    fn reply(&self, verb: char, operand: &str) -> Result<String, String> {
        let range = || {
            let (start, end) = operand.split_once('\n').ok_or("a range has two times")?;
            self.range(start, end)
        };
        match verb {
            'f' => Ok(self.parts(operand)?.text()),
            'p' => Ok(self.parts(operand)?.json()),
            'r' => Ok(range()?.text()),
            'R' => Ok(range()?.json()),
            'o' => Ok(self.resolved()),
            _ => Err(unknown(verb)),
        }
    }
}

/// Returns what the clocks of a zone show at a time.
fn input(milliseconds: i64, zone: &TimeZone, id: ZoneId) -> Input {
    let offset = zone.to_offset(zone::instant(milliseconds)).seconds();
    let offset = UtcOffset::try_from_seconds(offset).unwrap_or(UtcOffset::zero());
    let local = ZonedDateTime::from_epoch_milliseconds_and_utc_offset(milliseconds, offset);
    let at = ZoneNameTimestamp::from_epoch_seconds(milliseconds.div_euclid(1000));
    ZonedDateTime {
        date: local.date.to_calendar(Gregorian),
        time: local.time,
        zone: id.with_offset(Some(offset)).with_zone_name_timestamp(at),
    }
}

fn cannot(error: &dyn std::fmt::Display) -> String {
    format!("these fields cannot be formatted: {error}")
}

/// Returns the pattern that ICU4X has for fields.
fn pattern_of(preferences: DateTimeFormatterPreferences, builder: FieldSetBuilder) -> Result<String, String> {
    let set = builder.build_composite().map_err(|e| cannot(&e))?;
    let formatter =
        FixedCalendarDateTimeFormatter::<Gregorian, _>::try_new(preferences, set).map_err(|e| cannot(&e))?;
    Ok(formatter.format(&input(0, &TimeZone::UTC, ZoneId::UNKNOWN)).pattern().to_string())
}

/// Tells whether a pattern writes the month as a number.
fn has_numeric_month(pattern: &str) -> bool {
    fields(pattern).iter().any(|&(letter, count)| matches!(letter, 'M' | 'L') && count < 3)
}

impl Spec {
    /// Returns the pattern of the fields, with the widths that were asked for.
    fn pattern(&self, preferences: DateTimeFormatterPreferences) -> Result<DateTimePattern, String> {
        let builder = self.builder();
        let mut pattern = pattern_of(preferences, builder.clone())?;
        if matches!(self.month, Some(Width::Short | Width::Narrow)) && has_numeric_month(&pattern) {
            // Where dates of medium length are all numbers, the long ones are made shorter.
            let mut long = builder;
            long.length = Some(Length::Long);
            pattern = pattern_of(preferences, long)?;
        }
        if self.lacks_hours() {
            pattern = self.without_hours();
        }
        let is_own_clock = self.hour_cycle.is_none() || self.is_clock_of_locale()?;
        rewrite(&pattern, |letter, count| self.width(letter, count, is_own_clock))
            .parse()
            .map_err(|e| cannot(&e))
    }

    /// Tells whether the locale has a clock of 24 hours without being asked.
    fn is_clock_of_locale(&self) -> Result<bool, String> {
        let mut builder = FieldSetBuilder::new();
        builder.time_precision = Some(TimePrecision::Minute);
        let locale = super::locale::parse(&self.locale, None)?;
        Ok(pattern_of(DateTimeFormatterPreferences::from(&locale), builder)?.contains('H'))
    }

    fn locale(&self) -> Result<Locale, String> {
        let cycle = match self.hour_cycle {
            Some(Cycle::H11) => "-hc-h11",
            Some(Cycle::H12) => "-hc-h12",
            Some(Cycle::H23 | Cycle::H24) => "-hc-h23",
            Some(Cycle::Clock12) => "-hc-c12",
            Some(Cycle::Clock24) => "-hc-c24",
            None => "",
        };
        let numbers = self.numbering_system.as_deref().map_or(String::new(), |name| format!("-nu-{name}"));
        let extension = if cycle.is_empty() && numbers.is_empty() { "" } else { "-u" };
        let tag = format!("{}{extension}{cycle}{numbers}", self.locale);
        tag.parse().map_err(|_| format!("{tag:?} is not a language tag"))
    }

    fn builder(&self) -> FieldSetBuilder {
        let mut builder = FieldSetBuilder::new();
        if self.date_style.is_some() || self.time_style.is_some() {
            if let Some(style) = self.date_style {
                builder.date_fields =
                    Some(if style == Style::Full { DateFields::YMDE } else { DateFields::YMD });
                builder.length = Some(match style {
                    Style::Full | Style::Long => Length::Long,
                    Style::Medium => Length::Medium,
                    Style::Short => Length::Short,
                });
            }
            builder.time_precision = self.time_style.map(|style| match style {
                Style::Short => TimePrecision::Minute,
                Style::Full | Style::Long | Style::Medium => TimePrecision::Second,
            });
            builder.zone_style = match self.time_style {
                Some(Style::Full) => Some(ZoneStyle::SpecificLong),
                Some(Style::Long) => Some(ZoneStyle::SpecificShort),
                _ => None,
            };
            return builder;
        }
        builder.date_fields = self.date_fields();
        let time_precision = self.time_precision();
        if let (Some(date), Some(_)) = (builder.date_fields, time_precision)
            && date.is_calendar_period()
        {
            builder.date_fields = Some(DateFields::YMD);
        }
        builder.time_precision = time_precision;
        builder.zone_style = self.time_zone_name.map(|name| match name {
            ZoneName::Short => ZoneStyle::SpecificShort,
            ZoneName::Long => ZoneStyle::SpecificLong,
            ZoneName::ShortOffset => ZoneStyle::LocalizedOffsetShort,
            ZoneName::LongOffset => ZoneStyle::LocalizedOffsetLong,
            ZoneName::ShortGeneric => ZoneStyle::GenericShort,
            ZoneName::LongGeneric => ZoneStyle::GenericLong,
        });
        if builder.date_fields.is_some() {
            // The month decides; the weekday is given its width afterwards.
            builder.length = Some(match self.month {
                Some(Width::Long) => Length::Long,
                Some(Width::Numeric | Width::TwoDigit) => Length::Short,
                Some(Width::Short | Width::Narrow) => Length::Medium,
                None if self.weekday == Some(Width::Long) => Length::Long,
                None if self.weekday.is_some() || self.day.is_some() => Length::Medium,
                None => Length::Medium,
            });
            if builder.date_fields.is_some_and(has_year) {
                let with_era = self.era.is_some();
                builder.year_style = Some(if with_era { YearStyle::WithEra } else { YearStyle::Full });
            }
        }
        builder
    }

    /// The fields, with those that CLDR has no pattern without.
    fn date_fields(&self) -> Option<DateFields> {
        let year = self.year.is_some() || self.era.is_some();
        let month = self.month.is_some();
        let day = self.day.is_some();
        Some(match (year, month, day, self.weekday.is_some()) {
            (false, false, false, false) => return None,
            (true, false, false, false) => DateFields::Y,
            (false, true, false, false) => DateFields::M,
            (true, true, false, false) => DateFields::YM,
            (false, false, true, false) => DateFields::D,
            (false, true, true, false) => DateFields::MD,
            (true, _, true, false) => DateFields::YMD,
            (false, false, false, true) => DateFields::E,
            (false, false, true, true) => DateFields::DE,
            (false, true, _, true) => DateFields::MDE,
            (true, _, _, true) => DateFields::YMDE,
        })
    }

    fn time_precision(&self) -> Option<TimePrecision> {
        if let Some(digits) = self.fractional_second_digits {
            return SubsecondDigits::try_from_int(digits).map(TimePrecision::Subsecond);
        }
        if self.second.is_some() {
            Some(TimePrecision::Second)
        } else if self.minute.is_some() {
            Some(TimePrecision::Minute)
        } else {
            self.hour.map(|_| TimePrecision::Hour)
        }
    }

    /// Returns a field as it was asked for, where that is another width than its pattern has.
    fn width(&self, letter: char, count: usize, is_own_clock: bool) -> (char, usize) {
        let letter = match (letter, self.hour_cycle) {
            ('h' | 'H' | 'K' | 'k', Some(Cycle::H11)) => 'K',
            ('h' | 'H' | 'K' | 'k', Some(Cycle::H12)) => 'h',
            // ICU4X does not write hours from 1 to 24.
            ('h' | 'H' | 'K' | 'k', Some(Cycle::H23 | Cycle::H24)) => 'H',
            _ => letter,
        };
        let asked = match letter {
            'G' => self.era,
            'y' => self.year,
            'M' | 'L' => self.month,
            'd' => self.day,
            'E' | 'c' => self.weekday,
            'h' | 'H' | 'K' | 'k' => self.hour,
            _ => None,
        };
        if count == 2 && matches!(asked, Some(Width::Numeric)) && self.is_unpadded(letter, is_own_clock) {
            return (letter, 1);
        }
        // A minute beside an hour has two digits whatever was asked for.
        if matches!(letter, 'm' | 's')
            && count == 1
            && (self.hour.is_some() || self.minute.is_some() && self.second.is_some())
        {
            return (letter, 2);
        }
        let is_text = count >= 3 || matches!(letter, 'G' | 'E' | 'c');
        let count = match asked {
            Some(Width::TwoDigit) if !is_text => 2,
            Some(Width::Long) if is_text => 4,
            Some(Width::Narrow) if is_text => 5,
            Some(Width::Short) if letter == 'G' => 1,
            Some(Width::Short) if is_text => 3,
            _ => count,
        };
        (letter, count)
    }
}

/// Languages whose dates of all numbers have no leading zeros where those of the short style have: CLDR's `yMd`, of which
/// ICU4X has the short style's in its stead.
const UNPADDED: &[&str] = &[
    "am", "ckb", "cs", "cy", "da", "de", "dz", "et", "fy", "gd", "gl", "id", "ja", "ka", "lb", "mt", "nb",
    "nds", "nl", "nn", "no", "rm", "si", "so", "sw", "te", "tg", "ug", "yi",
];

/// Those of which only the day has none.
const UNPADDED_DAYS: &[&str] = &["bg", "pl"];

impl Spec {
    /// Tells whether a field that is asked for as a number is written without the zero that its pattern has.
    fn is_unpadded(&self, letter: char, is_own_clock: bool) -> bool {
        let language = self.locale.split('-').next().unwrap_or_default();
        match letter {
            'd' if UNPADDED_DAYS.contains(&language) => true,
            'd' | 'M' | 'L' => UNPADDED.contains(&language) || self.locale == "en-IN",
            // An hour, only where a minute of two digits was asked for: the fields as CLDR has them keep their pattern's.
            'H' | 'h' | 'K' | 'k' => is_own_clock && self.minute == Some(Width::TwoDigit),
            _ => false,
        }
    }

    /// Tells whether there are minutes or seconds alone, for which ICU4X has no patterns.
    fn lacks_hours(&self) -> bool {
        let has_time =
            self.minute.is_some() || self.second.is_some() || self.fractional_second_digits.is_some();
        has_time && self.hour.is_none() && self.date_fields().is_none() && self.time_zone_name.is_none()
    }

    /// Returns the pattern of minutes and seconds, which is the same in nearly all languages.
    fn without_hours(&self) -> String {
        let mut pattern = match (self.minute, self.second) {
            (Some(_), Some(_)) => "mm:ss".to_owned(),
            (Some(_), None) if self.fractional_second_digits.is_none() => "m".to_owned(),
            (Some(_), None) => "mm:ss".to_owned(),
            (None, _) => "s".to_owned(),
        };
        if let Some(digits) = self.fractional_second_digits {
            pattern.push('.');
            pattern.extend(std::iter::repeat_n('S', usize::from(digits)));
        }
        pattern
    }
}

fn has_year(fields: DateFields) -> bool {
    matches!(fields, DateFields::Y | DateFields::YM | DateFields::YMD | DateFields::YMDE)
}
