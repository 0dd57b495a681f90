//! The screen of a class on a day.

use registro_model::{ClassCode, ClockTime, PersonId, SubjectCode, school};

use super::Teacher;
use crate::attendance::PupilDay;
use crate::error::RegistroError;
use crate::values::IsoDate;
use crate::work::reading;

/// An hour of the school's day, by the bell (*campanella*).
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct BellSlot {
    /// Position in the day, from 1: the `slot` of every call.
    pub position: u8,
    /// Start.
    pub start: ClockTime,
    /// End.
    pub end: ClockTime,
    /// Length in half units: an ordinary hour has 2.
    pub half_units: u8,
}

/// A pupil's line.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PupilRow {
    /// The pupil.
    pub pupil: PersonId,
    /// Name, surname first.
    pub name: String,
    /// The day; nothing where this person may not read the pupil's record, or has not synced it yet.
    pub day: Option<PupilDay>,
    /// Justifications that wait for a decision.
    pub pending_justifications: u32,
}

/// A roll that was called.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct RollView {
    /// Position of the hour.
    pub slot: u8,
    /// Who called it.
    pub author: PersonId,
    /// Whether the hub has confirmed it.
    pub confirmed: bool,
}

/// A lesson that was signed.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LessonView {
    /// Position of the hour.
    pub slot: u8,
    /// Who signed it.
    pub teacher: PersonId,
    /// Its subject.
    pub subject: SubjectCode,
    /// Its topic (*argomento*), or nothing.
    pub topic: String,
}

/// A class on a day.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ClassView {
    /// The class.
    pub class_code: ClassCode,
    /// The day.
    pub date: IsoDate,
    /// Hours of the day, in order; none on a day without lessons.
    pub slots: Vec<BellSlot>,
    /// Pupils, by name.
    pub pupils: Vec<PupilRow>,
    /// Rolls called, by hour.
    pub rolls: Vec<RollView>,
    /// Lessons signed, by hour.
    pub lessons: Vec<LessonView>,
}

#[uniffi::export]
impl Teacher {
    /// A class on a day: one call for the whole screen, from what is on this device.
    ///
    /// # Errors
    /// `NotFound` if the class is not known here; `Suspended`, `Storage`.
    pub fn class_view(&self, class_code: ClassCode, date: IsoDate) -> Result<ClassView, RegistroError> {
        Ok(reading(|| self.inner.class_view(&class_code, date))?.into())
    }
}

impl From<registro::teacher::ClassView> for ClassView {
    fn from(view: registro::teacher::ClassView) -> Self {
        Self {
            class_code: view.class,
            date: view.date,
            slots: view.slots.into_iter().map(BellSlot::from).collect(),
            pupils: view.pupils.into_iter().map(PupilRow::from).collect(),
            rolls: view
                .rolls
                .into_iter()
                .map(|roll| RollView { slot: roll.slot, author: roll.author, confirmed: roll.confirmed })
                .collect(),
            lessons: view
                .lessons
                .into_iter()
                .map(|(slot, teacher, subject, topic)| LessonView { slot, teacher, subject, topic })
                .collect(),
        }
    }
}

impl From<school::BellSlot> for BellSlot {
    fn from(slot: school::BellSlot) -> Self {
        Self { position: slot.position, start: slot.start, end: slot.end, half_units: slot.half_units }
    }
}

impl From<registro::teacher::PupilRow> for PupilRow {
    fn from(row: registro::teacher::PupilRow) -> Self {
        Self {
            pupil: row.pupil,
            name: row.name,
            day: row.day.map(PupilDay::from),
            pending_justifications: u32::try_from(row.pending_justifications).unwrap_or(u32::MAX),
        }
    }
}
