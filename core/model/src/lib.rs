//! The register as plain values and pure rules: no I/O, no clock, no CRDT, no async.
//!
//! Everything here is a value that somebody else stores, signs or sends, or a pure function over such
//! values. Clocks and randomness come in from outside.
//!
//! | module | what |
//! |---|---|
//! | [`ids`] | 16-byte ids of persons, documents and the school; class and subject codes |
//! | [`time`] | dates and clock times without a zone |
//! | [`school`] | school, sites, year, terms, calendar, bell slots, settings |
//! | [`people`] | roles, capacities, standing |
//! | [`calendar`], [`timetable`], [`lesson`] | which days have lessons; a teacher's day; signatures and whose hours they are |
//! | [`attendance`], [`justification`], [`validity`] | the pupil's day, hours of absence, runs, the year's limit |
//! | [`directory`] | who is what, teaches what, is in which class, *by date* |

pub mod attendance;
pub mod calendar;
pub mod directory;
pub mod ids;
pub mod justification;
pub mod lesson;
pub mod people;
pub mod school;
pub mod time;
pub mod timetable;
pub mod validity;

pub use ids::{ClassCode, CommandId, DocumentId, PersonId, SchoolId, SubjectCode};
pub use people::{Capacity, Standing};
pub use time::{ClockTime, Date};
