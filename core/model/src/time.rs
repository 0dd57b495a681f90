//! Dates and clock times. Both are Italian wall-clock values without a zone: a lesson is at 8:20 whatever
//! daylight saving does.

use core::fmt;
use core::str::FromStr;

use minicbor::{Decode, Encode};

use crate::ids::InvalidId;

/// A calendar day. Written `2026-11-23` in keys and facts.
pub use chrono::NaiveDate as Date;

/// A wall-clock time to the minute, `00:00` to `23:59`. Written `08:20`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct ClockTime(u16);

impl ClockTime {
    /// A time from hours and minutes; `None` outside 0–23 and 0–59.
    pub const fn new(hour: u16, minute: u16) -> Option<Self> {
        if hour < 24 && minute < 60 { Some(Self(hour * 60 + minute)) } else { None }
    }

    /// A time from minutes after midnight; `None` from 1,440 on.
    pub const fn from_minutes(minutes: u16) -> Option<Self> {
        if minutes < 24 * 60 { Some(Self(minutes)) } else { None }
    }

    /// Minutes after midnight.
    pub const fn minutes(self) -> u16 {
        self.0
    }
}

impl fmt::Display for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl fmt::Debug for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ClockTime {
    type Err = InvalidId;

    /// Exactly `hh:mm`.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = InvalidId { what: "clock time", why: "expected hh:mm" };
        let bytes = text.as_bytes();
        let [h1, h2, b':', m1, m2] = bytes else { return Err(invalid) };
        if ![h1, h2, m1, m2].iter().all(|b| b.is_ascii_digit()) {
            return Err(invalid);
        }
        let number = |a: &u8, b: &u8| u16::from(a - b'0') * 10 + u16::from(b - b'0');
        Self::new(number(h1, h2), number(m1, m2)).ok_or(invalid)
    }
}

/// Reads an ISO date as facts and keys write it: exactly `yyyy-mm-dd`.
pub fn parse_date(text: &str) -> Result<Date, InvalidId> {
    let invalid = InvalidId { what: "date", why: "expected yyyy-mm-dd" };
    let bytes = text.as_bytes();
    let shape = bytes.len() == 10
        && bytes
            .iter()
            .enumerate()
            .all(|(i, b)| if i == 4 || i == 7 { *b == b'-' } else { b.is_ascii_digit() });
    if !shape {
        return Err(invalid);
    }
    text.parse().map_err(|_| invalid)
}

/// A span of days, both ends included; no end means "until further notice".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// First day.
    pub from: Date,
    /// Last day, included.
    pub to: Option<Date>,
}

impl Span {
    /// Whether the day lies within the span.
    pub fn contains(&self, date: Date) -> bool {
        self.from <= date && self.to.is_none_or(|to| date <= to)
    }
}
