//! The register as a teacher uses it.

mod class_view;
mod conflicts;
mod justifications;
mod roll;

use registro_documents::Fact;
use registro_model::attendance::OutKind;
use registro_model::timetable::{LessonSlot, teacher_day};
use registro_model::{Capacity, ClassCode, ClockTime, CommandId, Date, PersonId, SubjectCode};
use registro_sync::device::{Draft, DraftWrite};

use crate::attendance::{Mark, Pen};
use crate::error::Error;
use crate::read;
use crate::registro::Registro;

pub use class_view::{ClassView, PupilRow, RollView};
pub use conflicts::{CalledPresentView, ConflictValue, ConflictView};
pub use justifications::PendingJustification;
pub use roll::RollCall;

/// The register as a teacher uses it. Cheap to make; a clone shares the register.
#[derive(Clone)]
pub struct Teacher {
    registro: Registro,
}

impl Teacher {
    pub(crate) fn new(registro: Registro) -> Self {
        Self { registro }
    }

    /// The lessons that the timetable gives this teacher on a day, in order.
    pub fn my_day(&self, date: Date) -> Result<Vec<LessonSlot>, Error> {
        let person = self.registro.person()?;
        let mut device = self.registro.device();
        let (directory, school) = device.directory()?;
        Ok(teacher_day(school, directory, person, date))
    }

    /// In what capacity this person writes in a class on a day: `Council` never by itself, `Lesson` with an
    /// assignment, `Substitute` without.
    pub fn capacity(&self, class: &ClassCode, date: Date) -> Result<Capacity, Error> {
        let person = self.registro.person()?;
        let mut device = self.registro.device();
        let assigned = device.directory()?.0.is_assigned(person, class, date);
        Ok(if assigned == Some(true) { Capacity::Lesson } else { Capacity::Substitute })
    }

    /// Enters that a pupil came late (*ritardo*), at that time. An absence that is seen is annulled.
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

    /// Enters that a pupil left early (*uscita anticipata*).
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

    /// Annuls an absence or a late that is seen: the pupil was present.
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

    fn mark(
        &self,
        class: &ClassCode,
        pupil: PersonId,
        date: Date,
        slot: u8,
        mark: &Mark,
    ) -> Result<CommandId, Error> {
        let capacity = self.capacity(class, date)?;
        let id = self.registro.device().draw_command();
        let writes = self.writes_of(class, pupil, date, slot, mark, id, capacity)?;
        if writes.is_empty() {
            return Err(Error::rule("Non c'è niente da cambiare.", "There is nothing to change."));
        }
        self.give(Draft { id, capacity, writes })
    }

    #[allow(clippy::too_many_arguments)]
    fn writes_of(
        &self,
        class: &ClassCode,
        pupil: PersonId,
        date: Date,
        slot: u8,
        mark: &Mark,
        id: CommandId,
        capacity: Capacity,
    ) -> Result<Vec<DraftWrite>, Error> {
        let mut device = self.registro.device();
        let pupils = read::pupils(&device, class, date)?;
        let pupil =
            pupils.iter().find(|p| p.pupil == pupil).ok_or_else(|| Error::not_found("pupil in class"))?;
        let document = read::record(&mut device, class, pupil)?;
        let keys = read::keys_of(&mut device, document, "attendance", &date.to_string())?;
        let seen = read::decided(&mut device, document, "attendance", keys)?;
        let hex = device.draw();
        let (directory, school) = device.directory()?;
        let site = directory.classes.get(class).map(|class| class.site.clone());
        let site = site.ok_or_else(|| Error::not_found("class"))?;
        let slots: Vec<_> = school.slots_of(&site, date).into_iter().cloned().collect();
        let pen = Pen { id, capacity, document, date, slot, school, slots: &slots, seen: &seen, hex };
        pen.mark(mark)
    }

    /// Signs a lesson (*firma*) with its topic (*argomento*).
    pub fn sign_lesson(
        &self,
        class: &ClassCode,
        date: Date,
        slot: u8,
        subject: &SubjectCode,
        topic: &str,
    ) -> Result<CommandId, Error> {
        let person = self.registro.person()?;
        let capacity = self.capacity(class, date)?;
        let mut device = self.registro.device();
        let document = read::month_document(&mut device, class, date)?;
        let id = device.draw_command();
        let key = format!("{date}#{slot}/{person}");
        let kind = if capacity == Capacity::Substitute { "substitution" } else { "lesson" };
        let mut writes = vec![DraftWrite {
            document,
            section: "lessons",
            key: key.clone(),
            fact: Fact::new(id, capacity).with("subject", subject.as_str()).with("kind", kind),
        }];
        if !topic.is_empty() {
            let fact = Fact::new(id, capacity).with("topic", topic);
            writes.push(DraftWrite { document, section: "topics", key, fact });
        }
        drop(device);
        self.give(Draft { id, capacity, writes })
    }

    /// Writes a draft if this device's policy does not refuse it.
    pub(crate) fn give(&self, draft: Draft) -> Result<CommandId, Error> {
        let mut device = self.registro.device();
        if let Some(reason) = device.refusal(&draft)? {
            return Err(Error::refused(reason));
        }
        Ok(device.give(draft)?)
    }
}
