//! Time from outside: the system's, or one that a test or a simulation moves.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, NaiveTime, TimeZone};
use chrono_tz::Europe::Rome;
use registro_model::Date;

/// Where the hub takes the time from.
pub trait Clock: Send + Sync {
    /// Unix milliseconds.
    fn now(&self) -> i64;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> i64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
    }
}

/// A clock that stands still until it is moved. For tests, simulations and `--clock`.
#[derive(Debug, Default)]
pub struct StandingClock(AtomicI64);

impl StandingClock {
    /// A clock that shows this instant, in Unix milliseconds.
    pub fn at(milliseconds: i64) -> Self {
        Self(AtomicI64::new(milliseconds))
    }

    /// Moves the clock.
    pub fn set(&self, milliseconds: i64) {
        self.0.store(milliseconds, Ordering::SeqCst);
    }
}

impl Clock for StandingClock {
    fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// The day in Italy at an instant in Unix milliseconds.
pub fn day_in_italy(milliseconds: i64) -> Date {
    DateTime::from_timestamp_millis(milliseconds).unwrap_or_default().with_timezone(&Rome).date_naive()
}

/// The first instant of a day in Italy, in Unix milliseconds.
pub fn start_of_day(date: Date) -> i64 {
    // Italy changes its clocks at 2 or 3 in the morning: midnight exists once.
    Rome.from_local_datetime(&date.and_time(NaiveTime::MIN)).earliest().map_or(0, |at| at.timestamp_millis())
}

/// An instant written as RFC 3339 (`2026-11-23T07:45:00+01:00`), in Unix milliseconds.
pub fn parse_instant(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_italy_in_summer_and_in_winter() {
        let winter = parse_instant("2026-11-23T00:30:00+01:00").unwrap();
        assert_eq!(day_in_italy(winter).to_string(), "2026-11-23");
        assert_eq!(start_of_day(day_in_italy(winter)), winter - 30 * 60_000);
        let summer = parse_instant("2026-09-20T22:30:00Z").unwrap();
        assert_eq!(day_in_italy(summer).to_string(), "2026-09-21");
        assert_eq!(start_of_day(day_in_italy(summer)), summer - 30 * 60_000);
    }
}
