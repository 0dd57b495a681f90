//! Day mode (*giornaliera*): absence, late entry, early exit and times out of class of one pupil on one day.

use crate::time::ClockTime;

/// Why a pupil is out of class and counts as present (*fuori classe*).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutKind {
    /// Work placement (*PCTO*).
    Placement,
    /// Mobility abroad.
    Mobility,
    /// Elsewhere in the school.
    InSchool,
    /// Outside, for the school.
    External,
}

impl OutKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Placement, Self::Mobility, Self::InSchool, Self::External];

    /// The name that facts use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Placement => "placement",
            Self::Mobility => "mobility",
            Self::InSchool => "in-school",
            Self::External => "external",
        }
    }
}

/// A time out of class; the whole day if neither end is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutOfClass {
    /// Why.
    pub kind: OutKind,
    /// From; from the beginning if absent.
    pub from: Option<ClockTime>,
    /// To; to the end if absent.
    pub to: Option<ClockTime>,
}

impl OutOfClass {
    /// Whether it takes the whole day.
    pub fn is_full_day(&self) -> bool {
        self.from.is_none() && self.to.is_none()
    }
}

/// A pupil's day. Present is the default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DayAttendance {
    /// Absent the whole day (*assenza*).
    pub absent: bool,
    /// Late entry (*ritardo*).
    pub entry: Option<ClockTime>,
    /// Early exit (*uscita anticipata*).
    pub exit: Option<ClockTime>,
    /// Times out of class.
    pub outs: Vec<OutOfClass>,
}

/// Why an entry in the day is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAllowed {
    /// There are no lessons on that day.
    #[error("there are no lessons on that day")]
    NoLessons,
    /// An entry is after the first start and not after the last end (A2).
    #[error("an entry is after the first lesson's start and not after the last one's end")]
    EntryTime,
    /// An exit is not before the first start and before the last end (A2).
    #[error("an exit is not before the first lesson's start and before the last one's end")]
    ExitTime,
    /// Who is out of class for the school is not absent (A5).
    #[error("who is out of class for the school is not absent")]
    OutOfClass,
    /// A time out of class begins after the entry and ends before the exit (A5).
    #[error("a time out of class lies between entry and exit")]
    OutTime,
}

/// First start and last end of the day's lessons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayBounds {
    /// First start.
    pub start: ClockTime,
    /// Last end.
    pub end: ClockTime,
}

impl DayAttendance {
    /// Records an absence: it removes late and exit (A1). Who is out of class for the school is not absent (A5).
    pub fn record_absence(&mut self) -> Result<(), NotAllowed> {
        if !self.outs.is_empty() {
            return Err(NotAllowed::OutOfClass);
        }
        *self = Self { absent: true, ..Self::default() };
        Ok(())
    }

    /// Records a late entry: it removes the absence (A1). first start < entry ≤ last end (A2).
    pub fn record_entry(&mut self, time: ClockTime, day: DayBounds) -> Result<(), NotAllowed> {
        if time <= day.start || time > day.end {
            return Err(NotAllowed::EntryTime);
        }
        if self.outs.iter().any(OutOfClass::is_full_day) {
            return Err(NotAllowed::OutOfClass);
        }
        if self.outs.iter().any(|out| out.from.is_none_or(|from| from < time)) {
            return Err(NotAllowed::OutTime);
        }
        self.absent = false;
        self.entry = Some(time);
        Ok(())
    }

    /// Records an early exit: it removes the absence (A1). first start ≤ exit < last end (A2).
    pub fn record_exit(&mut self, time: ClockTime, day: DayBounds) -> Result<(), NotAllowed> {
        if time < day.start || time >= day.end {
            return Err(NotAllowed::ExitTime);
        }
        if self.outs.iter().any(OutOfClass::is_full_day) {
            return Err(NotAllowed::OutOfClass);
        }
        if self.outs.iter().any(|out| out.to.is_none_or(|to| to > time)) {
            return Err(NotAllowed::OutTime);
        }
        self.absent = false;
        self.exit = Some(time);
        Ok(())
    }

    /// Records a time out of class (A5). The whole day excludes late and exit; a part needs start ≥ entry and
    /// end ≤ exit. It removes the absence.
    pub fn record_out(&mut self, out: OutOfClass) -> Result<(), NotAllowed> {
        if out.is_full_day() {
            self.entry = None;
            self.exit = None;
        } else {
            let ordered = match (out.from, out.to) {
                (Some(from), Some(to)) => from < to,
                _ => true,
            };
            let after_entry = self.entry.is_none_or(|entry| out.from.is_some_and(|from| from >= entry));
            let before_exit = self.exit.is_none_or(|exit| out.to.is_some_and(|to| to <= exit));
            if !ordered || !after_entry || !before_exit {
                return Err(NotAllowed::OutTime);
            }
        }
        self.absent = false;
        self.outs.push(out);
        Ok(())
    }

    /// Whether the entry is a short late (*ritardo breve*, A3): at most so many minutes after the first start. It
    /// is justified without anybody and not counted among the lates.
    pub fn is_short_late(&self, day: DayBounds, short_late_min: u16) -> bool {
        self.entry.is_some_and(|entry| entry.minutes() <= day.start.minutes().saturating_add(short_late_min))
    }
}
