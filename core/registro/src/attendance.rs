//! A pupil's day, in either mode: as screens show it, and as an author changes it.

mod marks;
mod shown;

pub use shown::{OutView, PupilDay, ShownFact, SlotView};

pub(crate) use marks::{Mark, Page, PupilPage, in_conflict};
pub(crate) use shown::{day_attendance, pupil_day, slot_states};
