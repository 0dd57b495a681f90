//! Merging means deciding, visibly. Automerge keeps every concurrent value of a key and its own winner is
//! arbitrary; here a domain rule decides, as a pure function of one document and the hub's acceptance records, so
//! that a family's phone and a teacher's tablet decide alike. Never by a device clock.

mod called;
mod day;
mod key;
mod provenance;

pub use called::{CalledPresent, NotCalled, Roll, Seen, called_present, not_called};
pub use day::{DayContradiction, DayDecision, decide_day};
pub use key::{KeyDecision, decide_key};
pub use provenance::{Origin, Origins, Provenance, Shown};
