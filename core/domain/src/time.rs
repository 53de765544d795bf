//! A moment in milliseconds, written as RFC 3339 in UTC.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A moment, in milliseconds since 1970-01-01T00:00:00Z. On the wire: RFC 3339 in UTC with three decimals,
/// `2026-11-22T08:30:00.000Z`.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The text is not an RFC 3339 time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time such as 2026-11-22T08:30:00Z: {0}")]
pub struct ParseTimestampError(String);

impl Timestamp {
    /// The moment `millis` milliseconds after the epoch; clamped to the years 0000 to 9999, which RFC 3339 can write.
    pub fn from_millis(millis: i64) -> Self {
        const YEAR_0000: i64 = -62_167_219_200_000;
        const YEAR_9999_END: i64 = 253_402_300_799_999;
        Self(millis.clamp(YEAR_0000, YEAR_9999_END))
    }

    /// Milliseconds since the epoch.
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// The moment `millis` milliseconds later (earlier when negative).
    pub fn plus_millis(self, millis: i64) -> Self {
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// Reads an RFC 3339 time with any offset; more than milliseconds is cut off.
    pub fn parse(text: &str) -> Result<Self, ParseTimestampError> {
        if let Some(millis) = parse_usual_form(text.as_bytes()) {
            return Ok(Self(millis));
        }
        match DateTime::parse_from_rfc3339(text) {
            Ok(time) => Ok(Self::from_millis(time.timestamp_millis())),
            Err(_) => Err(ParseTimestampError(text.chars().take(40).collect())),
        }
    }
}

/// `YYYY-MM-DDTHH:MM:SS.mmmZ`, the form that [`Timestamp`] itself writes and so nearly all that is ever read:
/// several times quicker than the general parser. Anything else is `None` and goes there.
fn parse_usual_form(text: &[u8]) -> Option<i64> {
    let digits = |from: usize, count: usize| -> Option<i64> {
        text[from..from + count]
            .iter()
            .try_fold(0i64, |value, byte| byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0')))
    };
    let shape = text.len() == 24
        && [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.'), (23, b'Z')]
            .iter()
            .all(|&(at, byte)| text[at] == byte);
    if !shape {
        return None;
    }
    let (hour, minute, second) = (digits(11, 2)?, digits(14, 2)?, digits(17, 2)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let date =
        chrono::NaiveDate::from_ymd_opt(digits(0, 4)? as i32, digits(5, 2)? as u32, digits(8, 2)? as u32)?;
    let days = i64::from(date.to_epoch_days());
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + digits(20, 3)?)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::<Utc>::from_timestamp_millis(self.0) {
            Some(time) => f.write_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true)),
            None => write!(f, "{}ms", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Timestamp;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an RFC 3339 time")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                Timestamp::parse(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_utc_with_three_decimals_and_reads_any_offset() {
        let morning = Timestamp::parse("2026-11-22T09:30:00+01:00").unwrap();
        assert_eq!(morning.to_string(), "2026-11-22T08:30:00.000Z");
        assert_eq!(serde_json::to_string(&morning).unwrap(), "\"2026-11-22T08:30:00.000Z\"");
        assert_eq!(Timestamp::parse("2026-11-22T08:30:00.0009Z").unwrap(), morning);
    }

    #[test]
    fn the_quick_path_agrees_with_the_general_parser() {
        for millis in [0, 1, -1, 951_782_400_123, 1_795_335_000_999, -62_135_596_800_000, 253_402_300_799_999]
        {
            let text = Timestamp(millis).to_string();
            let general = DateTime::parse_from_rfc3339(&text).unwrap().timestamp_millis();
            assert_eq!(parse_usual_form(text.as_bytes()), Some(general), "{text}");
        }
        assert_eq!(parse_usual_form(b"2026-02-30T00:00:00.000Z"), None);
        assert_eq!(parse_usual_form(b"2026-02-20T24:00:00.000Z"), None);
        assert_eq!(parse_usual_form(b"2026-02-20T00:00:00Z"), None);
    }

    #[test]
    fn refuses_what_is_not_a_time() {
        for text in ["", "today", "2026-13-01T00:00:00Z", "1795335000000"] {
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
    }
}
