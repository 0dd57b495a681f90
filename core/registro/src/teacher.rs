//! The register as a teacher uses it; coordinator, head and office use the same screens of a class.

mod called_present;
mod class_view;
mod conflicts;
mod justifications;
mod lessons;
mod roll;

use std::collections::BTreeMap;

use registro_documents::merge::KeyDecision;
use registro_model::attendance::OutKind;
use registro_model::people::Role;
use registro_model::school::{AttendanceMode, BellSlot};
use registro_model::timetable::{LessonSlot, teacher_day};
use registro_model::{Capacity, ClassCode, ClockTime, CommandId, Date, DocumentId, PersonId};
use registro_sync::device::{Device, Draft};

use crate::attendance::{Mark, Page, PupilPage};
use crate::error::{Error, ErrorKind};
use crate::read::{self, PupilRef, give};
use crate::registro::Registro;

pub use called_present::CalledPresentView;
pub use class_view::{ClassView, LessonView, PupilRow, RollView};
pub use conflicts::{ConflictValue, ConflictView};
pub use justifications::PendingJustification;
pub use roll::RollCall;

/// The register as a teacher uses it. Cheap to make; a clone shares the register.
///
/// Whatever is written over an entry of which there are two different ones is refused with `Rule` until somebody has
/// seen both and chosen ([`Teacher::conflicts`], [`Teacher::resolve`]).
#[derive(Clone)]
pub struct Teacher {
    registro: Registro,
    chosen: Option<Capacity>,
}

/// A class on a day, as whoever writes needs it.
struct Place {
    pupils: Vec<PupilRef>,
    bells: Vec<BellSlot>,
    mode: AttendanceMode,
}

impl Place {
    fn of(device: &mut Device, class: &ClassCode, date: Date) -> Result<Self, Error> {
        let pupils = read::pupils(device, class, date)?;
        let (directory, school) = device.directory()?;
        let site = directory.classes.get(class).map(|class| class.site.clone());
        let site = site.ok_or_else(|| Error::not_found("class"))?;
        Ok(Self {
            pupils,
            bells: school.slots_of(&site, date).into_iter().cloned().collect(),
            mode: school.settings.attendance_mode,
        })
    }

    fn pupil(&self, pupil: PersonId) -> Result<&PupilRef, Error> {
        let found = self.pupils.iter().find(|known| known.pupil == pupil);
        found.ok_or_else(|| Error::not_found("pupil in class").about(pupil))
    }
}

/// A pupil's day as this device sees it, with own work that no view shows yet.
fn seen(device: &mut Device, record: DocumentId, date: Date) -> Result<BTreeMap<String, KeyDecision>, Error> {
    let keys = read::keys_of(device, record, "attendance", &date.to_string())?;
    read::decided(device, record, "attendance", keys)
}

impl Teacher {
    pub(crate) fn new(registro: Registro) -> Self {
        Self { registro, chosen: None }
    }

    /// The same screens, writing in another capacity than [`Teacher::capacity`] gives: what a hub refused as
    /// `Lesson` may be written `Substitute`; a coordinator may write as `Council`. The hub never exchanges one for
    /// another.
    #[must_use]
    pub fn writing_as(self, capacity: Capacity) -> Self {
        Self { chosen: Some(capacity), ..self }
    }

    /// The lessons that the timetable gives this teacher on a day, in order.
    pub fn my_day(&self, date: Date) -> Result<Vec<LessonSlot>, Error> {
        let person = self.registro.person()?;
        let mut device = self.registro.device();
        let (directory, school) = device.directory()?;
        Ok(teacher_day(school, directory, person, date))
    }

    /// In what capacity this person writes in a class on a day: `Lesson` with an assignment; without one `Council`
    /// who coordinates the class, `Head` or `Office` by role, everybody else `Substitute`.
    pub fn capacity(&self, class: &ClassCode, date: Date) -> Result<Capacity, Error> {
        self.capacity_in(&mut self.registro.device(), class, date)
    }

    fn capacity_in(&self, device: &mut Device, class: &ClassCode, date: Date) -> Result<Capacity, Error> {
        if let Some(chosen) = self.chosen {
            return Ok(chosen);
        }
        let person = person_of(device)?;
        let directory = device.directory()?.0;
        let holds = |role| directory.has_role(person, role, date) == Some(true);
        Ok(if directory.is_assigned(person, class, date) == Some(true) {
            Capacity::Lesson
        } else if directory.is_coordinator(person, class, date) == Some(true) {
            Capacity::Council
        } else if holds(Role::Head) {
            Capacity::Head
        } else if holds(Role::Office) {
            Capacity::Office
        } else {
            Capacity::Substitute
        })
    }

    /// Enters that a pupil came late (*ritardo*), at that time. An absence that is seen is annulled; an exit that is
    /// seen stays.
    pub fn mark_entry(
        &self,
        class: &ClassCode,
        pupil: PersonId,
        date: Date,
        slot: u8,
        time: ClockTime,
    ) -> Result<CommandId, Error> {
        self.mark(class, pupil, date, slot, &Mark::Entry(time))
    }

    /// Enters that a pupil left early (*uscita anticipata*). Without `collected_by`, who was entered before stays.
    pub fn mark_exit(
        &self,
        class: &ClassCode,
        pupil: PersonId,
        date: Date,
        slot: u8,
        time: ClockTime,
        collected_by: Option<String>,
    ) -> Result<CommandId, Error> {
        self.mark(class, pupil, date, slot, &Mark::Exit { time, collected_by })
    }

    /// Enters that a pupil is out of class for the school (*fuori classe*): the whole day if no time is given.
    #[allow(clippy::too_many_arguments)]
    pub fn mark_out(
        &self,
        class: &ClassCode,
        pupil: PersonId,
        date: Date,
        slot: u8,
        kind: OutKind,
        from: Option<ClockTime>,
        to: Option<ClockTime>,
    ) -> Result<CommandId, Error> {
        self.mark(class, pupil, date, slot, &Mark::Out { kind, from, to })
    }

    /// Enters an absence (*assenza*).
    pub fn mark_absent(
        &self,
        class: &ClassCode,
        pupil: PersonId,
        date: Date,
        slot: u8,
    ) -> Result<CommandId, Error> {
        self.mark(class, pupil, date, slot, &Mark::Absent)
    }

    /// Enters that a pupil was present from the start: an absence or a late that is seen is annulled (in slot mode:
    /// the hour's; also that the pupil was out of class in it).
    pub fn mark_present(
        &self,
        class: &ClassCode,
        pupil: PersonId,
        date: Date,
        slot: u8,
        why: &str,
    ) -> Result<CommandId, Error> {
        self.mark(class, pupil, date, slot, &Mark::Present { why: why.to_owned() })
    }

    /// Annuls one fact that a pupil's day shows, by its key: an exit, a time out of class, anything entered by
    /// mistake. It stays in the register with who annulled it and why.
    pub fn annul(
        &self,
        class: &ClassCode,
        pupil: PersonId,
        date: Date,
        slot: u8,
        key: &str,
        why: &str,
    ) -> Result<CommandId, Error> {
        self.mark(class, pupil, date, slot, &Mark::Annul { key: key.to_owned(), why: why.to_owned() })
    }

    fn mark(
        &self,
        class: &ClassCode,
        pupil: PersonId,
        date: Date,
        slot: u8,
        mark: &Mark,
    ) -> Result<CommandId, Error> {
        let mut device = self.registro.device();
        let capacity = self.capacity_in(&mut device, class, date)?;
        let place = Place::of(&mut device, class, date)?;
        let id = device.draw_command();
        let page = Page { id, capacity, date, slot, mode: place.mode, bells: &place.bells };
        let record = read::record(&mut device, class, place.pupil(pupil)?)?;
        let seen = seen(&mut device, record, date)?;
        let mut line = PupilPage::new(page, record, &seen);
        line.mark(mark, device.draw())?;
        let writes: Vec<_> = line.into_writes().collect();
        if writes.is_empty() {
            return Err(Error::rule("Non c'è niente da cambiare.", "There is nothing to change."));
        }
        give(&mut device, Draft { id, capacity, writes })
    }
}

/// Whose device this is. (`Registro::person` would wait for the device that its caller already holds.)
fn person_of(device: &Device) -> Result<PersonId, Error> {
    let account = device.account().ok_or_else(|| Error::new(ErrorKind::NotLoggedIn, "no account"))?;
    Ok(account.person)
}
