//! Attendance (*presenze*): one state per day, or one per slot with the day derived; hours of absence from either.

pub mod day;
pub mod hours;
pub mod slot;

pub use day::{DayAttendance, NotAllowed, OutKind, OutOfClass};
pub use hours::{HourSlot, day_hours, slot_hours, term_hours, year_hours};
pub use slot::{DerivedDay, SlotAttendance, SlotDay, SlotStatus, derive_day};
