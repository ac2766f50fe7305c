//! A day of the calendar, for records that expire.

use std::fmt;
use std::str::FromStr;

use crate::manifest::text::Text;

/// A day, without a time zone: records and releases are compared by day, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// Days since 1970-01-01.
    days: i64,
}

/// Why a text is not a day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a day such as 2024-08-03")]
pub struct DateError(String);

impl Date {
    /// The day of a time in seconds since 1970.
    ///
    /// ```
    /// use groupage::manifest::Date;
    /// assert_eq!(Date::of_seconds(1_709_208_000).to_string(), "2024-02-29");
    /// ```
    pub fn of_seconds(seconds: u64) -> Self {
        Self { days: i64::try_from(seconds / 86_400).unwrap_or(i64::MAX / 2) }
    }

    /// Days since 1970-01-01.
    pub fn days(self) -> i64 {
        self.days
    }

    /// The day some days later.
    #[must_use]
    pub fn plus(self, days: i64) -> Self {
        Self { days: self.days.saturating_add(days) }
    }

    /// Year, month and day. Years begin in March here, so that the leap day is the last one (Hinnant, "chrono-compatible
    /// low-level date algorithms").
    fn parts(self) -> (i64, i64, i64) {
        let shifted = self.days + 719_468;
        let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        (year_of_era + era * 400 + i64::from(month <= 2), month, day_of_year - (153 * shifted_month + 2) / 5 + 1)
    }

    fn of_parts(year: i64, month: i64, day: i64) -> Self {
        let year = if month <= 2 { year - 1 } else { year };
        let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let shifted_month = if month > 2 { month - 3 } else { month + 9 };
        let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Self { days: era * 146_097 + day_of_era - 719_468 }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.parts();
        out.pad(&format!("{year:04}-{month:02}-{day:02}"))
    }
}

impl Text for Date {}

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        let wrong = || DateError(text.chars().take(32).collect());
        let form = text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if [4, 7].contains(&at) { byte == b'-' } else { byte.is_ascii_digit() });
        if text.len() != 10 || !form {
            return Err(wrong());
        }
        let number =
            |range: std::ops::Range<usize>| text.get(range).and_then(|part| part.parse().ok()).ok_or_else(wrong);
        let date = Self::of_parts(number(0..4)?, number(5..7)?, number(8..10)?);
        // the 30th of February would be another day
        if date.to_string() == text { Ok(date) } else { Err(wrong()) }
    }
}

impl serde::Serialize for Date {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days() {
        let check = |text: &str, expect: Option<i64>| {
            let date = text.parse::<Date>().ok();
            assert_eq!(date.map(Date::days), expect, "{text}");
            assert_eq!(date.map(|date| date.to_string()), expect.map(|_| text.to_owned()));
        };
        check("1970-01-01", Some(0));
        check("2000-02-29", Some(11_016));
        check("2024-08-03", Some(19_938));
        check("2024-11-01", Some(20_028));
        check("1969-12-31", Some(-1));
        for wrong in [
            "",
            "2024-02-30",
            "2023-02-29",
            "2024-13-01",
            "2024-00-01",
            "2024-1-01",
            "2024-08-03T",
            "20240803",
            "ä024-08-0",
        ] {
            check(wrong, None);
        }
        assert_eq!("2024-08-03".parse::<Date>().unwrap().plus(90).to_string(), "2024-11-01");
    }
}
