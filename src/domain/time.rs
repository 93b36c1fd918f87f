//! Instants and zones. Time is always an argument; nothing below the application reads a clock.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};

/// An instant in UTC, in microseconds since 1970-01-01T00:00:00Z. This is also its form in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant `micros` microseconds after the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Parses RFC 3339 with any offset, for example `2026-05-06T10:00:00+05:00`. `None` when the text has another form.
    pub fn parse(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok().map(|t| Self(t.timestamp_micros()))
    }

    /// The instant as a `chrono` value; an instant outside of chrono's years is clamped to the epoch's limits.
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or(if self.0 < 0 {
            DateTime::<Utc>::MIN_UTC
        } else {
            DateTime::<Utc>::MAX_UTC
        })
    }

    /// This instant moved by a number of seconds (negative: earlier), saturating.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// This instant moved by a number of milliseconds, saturating.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis.saturating_mul(1_000)))
    }

    /// Microseconds from `earlier` to this instant (negative when it is later).
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// RFC 3339 in the given zone, to the second: `2026-05-12T23:59:59+05:00`.
    pub fn in_zone(self, zone: Zone) -> String {
        self.utc().with_timezone(&zone.tz()).to_rfc3339_opts(SecondsFormat::Secs, false)
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(t: DateTime<Utc>) -> Self {
        Self(t.timestamp_micros())
    }
}

/// RFC 3339 in UTC with milliseconds, the form that envelopes carry: `2026-05-06T05:00:00.000Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.utc().to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::parse(&text)
            .ok_or_else(|| serde::de::Error::custom("an RFC 3339 instant is needed, such as 2026-05-06T10:00:00+05:00"))
    }
}

/// A time zone of the IANA database, such as `Asia/Yekaterinburg`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Zone(chrono_tz::Tz);

impl Zone {
    /// Parses an IANA name. `None` when the database has no such zone.
    pub fn parse(name: &str) -> Option<Self> {
        name.parse().ok().map(Self)
    }

    /// Coordinated universal time, where no better zone is known.
    pub fn utc() -> Self {
        Self(chrono_tz::UTC)
    }

    /// The zone for `chrono`.
    pub fn tz(self) -> chrono_tz::Tz {
        self.0
    }

    /// The IANA name.
    pub fn name(self) -> &'static str {
        self.0.name()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl serde::Serialize for Zone {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.0.name())
    }
}

impl<'de> serde::Deserialize<'de> for Zone {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!("`{text}` is no IANA time zone; an example: Asia/Yekaterinburg"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_shown_in_the_zone_of_its_reader() {
        let t = Timestamp::parse("2026-05-12T18:59:59Z").unwrap();
        assert_eq!(t.in_zone(Zone::parse("Asia/Yekaterinburg").unwrap()), "2026-05-12T23:59:59+05:00");
        assert_eq!(t.to_string(), "2026-05-12T18:59:59.000Z");
        assert!(Zone::parse("Asia/Surgut").is_none());
        assert!(Timestamp::parse("2026-05-12").is_none());
    }
}
