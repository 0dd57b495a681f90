//! The register as a teacher (*docente*) uses it.

mod called_present;
mod class_view;
mod conflicts;
mod justifications;
mod roll;

use registro_model::{ClassCode, ClockTime, CommandId, PersonId, SubjectCode};
use registro_model::{ids::GroupCode, timetable};

use crate::attendance::OutOfClass;
use crate::error::RegistroError;
use crate::provenance::Capacity;
use crate::values::IsoDate;
use crate::work::{blocking, reading};

pub use called_present::CalledPresentView;
pub use class_view::{BellSlot, ClassView, LessonKind, LessonView, PupilRow, RollView};
pub use conflicts::{ConflictValue, ConflictView};
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

/// The register as a teacher uses it.
#[derive(uniffi::Object)]
pub struct Teacher {
    pub(crate) inner: registro::Teacher,
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

    /// In what capacity this person writes in a class on a day: `Lesson` with an assignment; without one `Council` who
    /// coordinates the class, `Head` or `Office` by role, everybody else `Substitute`.
    ///
    /// # Errors
    /// `NotLoggedIn`, `Suspended`, `Storage`.
    pub fn capacity(&self, class_code: ClassCode, date: IsoDate) -> Result<Capacity, RegistroError> {
        Ok(reading(|| self.inner.capacity(&class_code, date))?.into())
    }

    /// Enters that a pupil came late (*ritardo*), at that time. An absence that is shown is annulled; an exit stays.
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

    /// Enters that a pupil left early (*uscita anticipata*), at that time, and who came for them; without a name, the
    /// one entered before stays.
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

    /// Enters that a pupil was present from the start: an absence or a late that is shown is annulled. `why` stays in
    /// the register.
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

    /// Annuls one fact that a pupil's day shows, by its key: an exit, a time out of class, anything entered by mistake.
    /// It stays in the register with who annulled it and why.
    ///
    /// # Errors
    /// `NotFound` if it does not show any more; `Rule`, `NotAllowed`, `Suspended`, `Storage`.
    pub async fn annul(
        &self,
        class_code: ClassCode,
        pupil: PersonId,
        date: IsoDate,
        slot: u8,
        key: String,
        why: String,
    ) -> Result<CommandId, RegistroError> {
        let teacher = self.inner.clone();
        blocking(move || teacher.annul(&class_code, pupil, date, slot, &key, &why)).await
    }

    /// Signs a lesson (*firma*) with its topic (*argomento*), which may be empty. `group` is the one that the lesson of
    /// `myDay` names; without it the whole class, or the only group for which this teacher holds the subject. Signing
    /// again corrects it.
    ///
    /// # Errors
    /// `Rule` if a colleague has signed the hour and this is neither the same subject nor learning support nor a
    /// different group, or if this teacher has signed the hour in another class; `NotFound`, `NotAllowed`, `Suspended`,
    /// `Storage`.
    #[uniffi::method(default(group = None))]
    pub async fn sign_lesson(
        &self,
        class_code: ClassCode,
        date: IsoDate,
        slot: u8,
        subject: SubjectCode,
        topic: String,
        group: Option<GroupCode>,
    ) -> Result<CommandId, RegistroError> {
        let teacher = self.inner.clone();
        blocking(move || match group {
            Some(group) => teacher.sign_lesson_of_group(&class_code, date, slot, &subject, &group, &topic),
            None => teacher.sign_lesson(&class_code, date, slot, &subject, &topic),
        })
        .await
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
