//! The register as a teacher (*docente*) uses it.

mod class_view;
mod conflicts;
mod justifications;
mod roll;

use registro_model::{Capacity as ModelCapacity, ClassCode, ClockTime, CommandId, PersonId, SubjectCode};
use registro_model::{ids::GroupCode, timetable};

use crate::attendance::OutOfClass;
use crate::error::RegistroError;
use crate::values::IsoDate;
use crate::work::{blocking, reading};

pub use class_view::{BellSlot, ClassView, LessonView, PupilRow, RollView};
pub use conflicts::{CalledPresentView, ConflictValue, ConflictView};
pub use justifications::PendingJustification;
pub use roll::{RollCall, TimedPupil};

/// A lesson of a teacher's day.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LessonSlot {
    /// The class.
    pub class_code: ClassCode,
    /// Position of its hour in the day, from 1.
    pub slot: u8,
    /// Start.
    pub start: ClockTime,
    /// End.
    pub end: ClockTime,
    /// The subject.
    pub subject: SubjectCode,
    /// The group, if it is not the whole class.
    pub group: Option<GroupCode>,
    /// Where.
    pub room: String,
    /// The other teachers of the lesson.
    pub co_teachers: Vec<PersonId>,
}

/// In what capacity a person writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum Capacity {
    /// The school's office (*segreteria*).
    Office,
    /// The head (*dirigente*) or a deputy.
    Head,
    /// The class's coordinator or the chair of its council (*coordinatore*).
    Council,
    /// A teacher with an assignment (*cattedra*) in the class.
    Lesson,
    /// A teacher in service who stands in for a colleague (*supplente*).
    Substitute,
    /// Any member of staff, of themselves.
    Staff,
    /// The hub itself.
    School,
    /// A guardian (*genitore, tutore*).
    Guardian,
    /// The pupil.
    Pupil,
}

/// The register as a teacher uses it.
#[derive(uniffi::Object)]
pub struct Teacher {
    pub(crate) inner: registro::Teacher,
}

impl Teacher {
    pub(crate) fn of(registro: &registro::Registro) -> Self {
        Self { inner: registro.teacher() }
    }
}

#[uniffi::export]
impl Teacher {
    /// The lessons that the timetable (*orario*) gives this teacher on a day, in order.
    ///
    /// # Errors
    /// `NotLoggedIn`, `Suspended`, `Storage`.
    pub fn my_day(&self, date: IsoDate) -> Result<Vec<LessonSlot>, RegistroError> {
        Ok(reading(|| self.inner.my_day(date))?.into_iter().map(LessonSlot::from).collect())
    }

    /// In what capacity this teacher writes in a class on a day: `Lesson` with an assignment, `Substitute` without.
    ///
    /// # Errors
    /// `NotLoggedIn`, `Suspended`, `Storage`.
    pub fn capacity(&self, class_code: ClassCode, date: IsoDate) -> Result<Capacity, RegistroError> {
        Ok(reading(|| self.inner.capacity(&class_code, date))?.into())
    }

    /// Enters that a pupil came late (*ritardo*), at that time. An absence that is shown is annulled.
    ///
    /// # Errors
    /// `NotFound`, `Rule`, `NotAllowed`, `Suspended`, `Storage`.
    pub async fn mark_entry(
        &self,
        class_code: ClassCode,
        pupil: PersonId,
        date: IsoDate,
        slot: u8,
        time: ClockTime,
    ) -> Result<CommandId, RegistroError> {
        let teacher = self.inner.clone();
        blocking(move || teacher.mark_entry(&class_code, pupil, date, slot, time)).await
    }

    /// Enters that a pupil left early (*uscita anticipata*), at that time, and who came for them.
    ///
    /// # Errors
    /// `NotFound`, `Rule`, `NotAllowed`, `Suspended`, `Storage`.
    pub async fn mark_exit(
        &self,
        class_code: ClassCode,
        pupil: PersonId,
        date: IsoDate,
        slot: u8,
        time: ClockTime,
        collected_by: Option<String>,
    ) -> Result<CommandId, RegistroError> {
        let teacher = self.inner.clone();
        blocking(move || teacher.mark_exit(&class_code, pupil, date, slot, time, collected_by)).await
    }

    /// Enters that a pupil is out of class for the school (*fuori classe*): the whole day if no time is given.
    ///
    /// # Errors
    /// `NotFound`, `Rule`, `NotAllowed`, `Suspended`, `Storage`.
    pub async fn mark_out(
        &self,
        class_code: ClassCode,
        pupil: PersonId,
        date: IsoDate,
        slot: u8,
        out: OutOfClass,
    ) -> Result<CommandId, RegistroError> {
        let teacher = self.inner.clone();
        let kind = out.kind.into();
        blocking(move || teacher.mark_out(&class_code, pupil, date, slot, kind, out.from, out.to)).await
    }

    /// Enters an absence (*assenza*).
    ///
    /// # Errors
    /// `NotFound`, `Rule`, `NotAllowed`, `Suspended`, `Storage`.
    pub async fn mark_absent(
        &self,
        class_code: ClassCode,
        pupil: PersonId,
        date: IsoDate,
        slot: u8,
    ) -> Result<CommandId, RegistroError> {
        let teacher = self.inner.clone();
        blocking(move || teacher.mark_absent(&class_code, pupil, date, slot)).await
    }

    /// Annuls an absence or a late that is shown: the pupil was present. `why` stays in the register's history.
    ///
    /// # Errors
    /// `NotFound`, `Rule` (there is nothing to change), `NotAllowed`, `Suspended`, `Storage`.
    pub async fn mark_present(
        &self,
        class_code: ClassCode,
        pupil: PersonId,
        date: IsoDate,
        slot: u8,
        why: String,
    ) -> Result<CommandId, RegistroError> {
        let teacher = self.inner.clone();
        blocking(move || teacher.mark_present(&class_code, pupil, date, slot, &why)).await
    }

    /// Signs a lesson (*firma*) with its topic (*argomento*), which may be empty.
    ///
    /// # Errors
    /// `NotFound`, `NotAllowed`, `Suspended`, `Storage`.
    pub async fn sign_lesson(
        &self,
        class_code: ClassCode,
        date: IsoDate,
        slot: u8,
        subject: SubjectCode,
        topic: String,
    ) -> Result<CommandId, RegistroError> {
        let teacher = self.inner.clone();
        blocking(move || teacher.sign_lesson(&class_code, date, slot, &subject, &topic)).await
    }
}

impl From<timetable::LessonSlot> for LessonSlot {
    fn from(lesson: timetable::LessonSlot) -> Self {
        Self {
            class_code: lesson.class,
            slot: lesson.slot,
            start: lesson.start,
            end: lesson.end,
            subject: lesson.subject,
            group: lesson.group,
            room: lesson.room,
            co_teachers: lesson.co_teachers,
        }
    }
}

impl From<ModelCapacity> for Capacity {
    fn from(capacity: ModelCapacity) -> Self {
        match capacity {
            ModelCapacity::Office => Self::Office,
            ModelCapacity::Head => Self::Head,
            ModelCapacity::Council => Self::Council,
            ModelCapacity::Lesson => Self::Lesson,
            ModelCapacity::Substitute => Self::Substitute,
            ModelCapacity::Staff => Self::Staff,
            ModelCapacity::School => Self::School,
            ModelCapacity::Guardian => Self::Guardian,
            ModelCapacity::Pupil => Self::Pupil,
        }
    }
}
