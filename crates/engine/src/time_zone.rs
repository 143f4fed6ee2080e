//! The time zone of a cell's local times.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::compute::zone;

/// A time zone that `Date`'s local methods and `Intl.DateTimeFormat` can follow: an IANA name such as `Europe/Berlin`,
/// or a fixed offset such as `+05:30`. UTC by default.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TimeZone(Arc<str>);

/// What is not a time zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "read the time zone {name:?}: it is neither a name of the IANA time zone database, such as \"Europe/Berlin\", nor an \
     offset, such as \"+05:30\""
)]
pub struct UnknownTimeZone {
    /// What was given.
    pub name: String,
}

impl TimeZone {
    /// Returns the zone's name, in the letters of the database.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the version of the time zone database in this program, such as `2026e`.
    #[must_use]
    pub fn database_version() -> &'static str {
        zone::version()
    }

    pub(crate) fn is_utc(&self) -> bool {
        &*self.0 == "UTC"
    }
}

impl Default for TimeZone {
    fn default() -> Self {
        Self("UTC".into())
    }
}

impl FromStr for TimeZone {
    type Err = UnknownTimeZone;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        zone::canonical(name)
            .map(|found| Self(found.into()))
            .ok_or_else(|| UnknownTimeZone { name: name.to_owned() })
    }
}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TimeZone({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_known_by_its_name_in_any_letters_or_by_an_offset() {
        let name = |text: &str| text.parse().map(|zone: TimeZone| zone.to_string()).ok();
        assert_eq!(name("europe/berlin").as_deref(), Some("Europe/Berlin"));
        assert_eq!(name("Etc/UTC").as_deref(), Some("UTC"));
        assert_eq!(name("-0330").as_deref(), Some("-03:30"));
        for unknown in ["", "Mars/Olympus", "Etc/Unknown", "+24:00", "+1", "../etc/passwd", "PST8PDT\n"] {
            assert_eq!(name(unknown), None, "{unknown:?}");
        }
    }
}
