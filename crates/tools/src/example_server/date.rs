//! Calendar days, checked, and ordered as text because that is how they travel: `2026-03-09`.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// Returns the day with this number in 2026, counted from 0. Past the year's end it is the last day.
    pub(super) fn of_2026(number: u16) -> Self {
        let (year, mut day, mut month) = (2026, number.min(364), 1);
        while day >= u16::from(days_in(year, month)) {
            day -= u16::from(days_in(year, month));
            month += 1;
        }
        Self { year, month, day: u8::try_from(day).unwrap_or_default() + 1 }
    }

    /// Returns the month, 1 to 12.
    pub(super) fn month(self) -> u8 {
        self.month
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut number = |digits: usize| {
            parts.next().filter(|part| part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()))
        };
        let date = Self {
            year: number(4)?.parse().ok()?,
            month: number(2)?.parse().ok()?,
            day: number(2)?.parse().ok()?,
        };
        let valid = parts.next().is_none() && date.day >= 1 && date.day <= days_in(date.year, date.month);
        valid.then_some(date)
    }
}

fn days_in(year: u16, month: u8) -> u8 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 0,
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.to_string()
    }
}

impl TryFrom<String> for Date {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let shown: String = text.chars().take(40).collect();
        Self::parse(&text).ok_or_else(|| format!("{shown:?} is not a day; accepted is one like 2026-03-09"))
    }
}

impl JsonSchema for Date {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Date".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_the_days_of_2026() {
        for (number, text) in [
            (0, "2026-01-01"),
            (30, "2026-01-31"),
            (31, "2026-02-01"),
            (59, "2026-03-01"),
            (364, "2026-12-31"),
        ] {
            assert_eq!(Date::of_2026(number).to_string(), text);
        }
    }

    #[test]
    fn takes_days_that_exist() {
        for (text, exists) in [
            ("2026-02-28", true),
            ("2028-02-29", true),
            ("2026-02-29", false),
            ("2026-13-01", false),
            ("2026-1-1", false),
            ("2026-01-01T00", false),
            ("+026-01-01", false),
            ("", false),
        ] {
            assert_eq!(Date::try_from(text.to_owned()).is_ok(), exists, "{text}");
        }
    }
}
