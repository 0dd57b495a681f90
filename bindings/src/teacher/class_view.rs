//! The screen of a class on a day.

use registro_model::lesson::LessonKind as ModelKind;
use registro_model::{ClassCode, ClockTime, PersonId, SubjectCode, ids::GroupCode, school};

use super::Teacher;
use crate::attendance::PupilDay;
use crate::error::RegistroError;
use crate::provenance::Provenance;
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
    /// The day; nothing where this person may not read the pupil's record, or has not synced it yet: that is not
    /// "present".
    pub day: Option<PupilDay>,
    /// Hours whose roll was called before its author had heard of this pupil: "not called", never present.
    pub not_called: Vec<u8>,
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
    /// Where it comes from.
    pub provenance: Provenance,
}

/// What a signature of a lesson is (*tipo firma*).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum LessonKind {
    /// The lesson's teacher.
    Lesson,
    /// In the place of a colleague (*supplenza*).
    Substitution,
    /// Beside the lesson's teacher (*compresenza*).
    CoTeaching,
    /// Learning support (*sostegno*).
    Support,
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
    /// Its group, if it is not the whole class.
    pub group: Option<GroupCode>,
    /// What the signature is.
    pub kind: LessonKind,
    /// Its topic (*argomento*), or nothing.
    pub topic: String,
    /// Where the signature comes from.
    pub provenance: Provenance,
    /// Where the topic comes from, if there is one.
    pub topic_provenance: Option<Provenance>,
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
    /// Whether rolls and lessons are known on this device: if not, none are listed, which says nothing.
    pub month_known: bool,
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
            rolls: view.rolls.into_iter().map(RollView::from).collect(),
            lessons: view.lessons.into_iter().map(LessonView::from).collect(),
            month_known: view.month_known,
        }
    }
}

impl From<registro::teacher::RollView> for RollView {
    fn from(roll: registro::teacher::RollView) -> Self {
        Self {
            slot: roll.slot,
            author: roll.author,
            confirmed: roll.confirmed,
            provenance: roll.provenance.into(),
        }
    }
}

impl From<registro::teacher::LessonView> for LessonView {
    fn from(lesson: registro::teacher::LessonView) -> Self {
        Self {
            slot: lesson.slot,
            teacher: lesson.teacher,
            subject: lesson.subject,
            group: lesson.group,
            kind: lesson.kind.into(),
            topic: lesson.topic,
            provenance: lesson.provenance.into(),
            topic_provenance: lesson.topic_provenance.map(Provenance::from),
        }
    }
}

impl From<ModelKind> for LessonKind {
    fn from(kind: ModelKind) -> Self {
        match kind {
            ModelKind::Lesson => Self::Lesson,
            ModelKind::Substitution => Self::Substitution,
            ModelKind::CoTeaching => Self::CoTeaching,
            ModelKind::Support => Self::Support,
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
            not_called: row.not_called,
            pending_justifications: u32::try_from(row.pending_justifications).unwrap_or(u32::MAX),
        }
    }
}
