//! A day of every year, written `08-31`.

use core::fmt;

use chrono::Datelike;
use registro_model::Date;
use serde::{Deserialize, Deserializer};

/// A month and a day that every year has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MonthDay {
    month: u32,
    day: u32,
}

impl Default for MonthDay {
    fn default() -> Self {
        Self::LAST_OF_YEAR
    }
}

impl MonthDay {
    /// 31 August, the last day of the school year.
    pub const LAST_OF_YEAR: Self = Self { month: 8, day: 31 };

    /// `None` if not every year has the day.
    pub fn new(month: u32, day: u32) -> Option<Self> {
        // 2027 is no leap year.
        Date::from_ymd_opt(2027, month, day).map(|_| Self { month, day })
    }

    /// The day on which who left the school on a day stops reading: the one of the calendar year in which that school
    /// year ends, and never before they left.
    pub fn after_leaving(self, left: Date) -> Date {
        let in_year = |of: Self, year| Date::from_ymd_opt(year, of.month, of.day).unwrap_or(left);
        let ends = match in_year(Self::LAST_OF_YEAR, left.year()) >= left {
            true => left.year(),
            false => left.year().saturating_add(1),
        };
        in_year(self, ends).max(left)
    }
}

impl fmt::Display for MonthDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}-{:02}", self.month, self.day)
    }
}

impl<'de> Deserialize<'de> for MonthDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.split_once('-')
            .and_then(|(month, day)| Self::new(month.parse().ok()?, day.parse().ok()?))
            .ok_or_else(|| serde::de::Error::custom("expected a month and a day of every year, like 08-31"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn leaving_ends_with_the_school_year_and_never_before_it_was() {
        let end = MonthDay::LAST_OF_YEAR;
        assert_eq!(end.after_leaving(day("2026-11-23")), day("2027-08-31"));
        assert_eq!(end.after_leaving(day("2027-08-31")), day("2027-08-31"));
        assert_eq!(end.after_leaving(day("2027-09-01")), day("2028-08-31"));
        let (july, september) = (MonthDay::new(7, 15).unwrap(), MonthDay::new(9, 15).unwrap());
        assert_eq!(july.after_leaving(day("2027-01-10")), day("2027-07-15"));
        assert_eq!(july.after_leaving(day("2027-08-31")), day("2027-08-31"));
        assert_eq!(september.after_leaving(day("2027-08-31")), day("2027-09-15"));
        assert_eq!(MonthDay::new(2, 29), None);
        assert_eq!(MonthDay::new(8, 32), None);
    }
}
