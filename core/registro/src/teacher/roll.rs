//! Calling the roll (*appello*).

use std::collections::BTreeMap;

use registro_documents::merge::{KeyDecision, decide_day};
use registro_documents::{Fact, Scalar};
use registro_model::school::AttendanceMode;
use registro_model::{ClassCode, ClockTime, CommandId, Date, DocumentId, PersonId};
use registro_sync::Cursor;
use registro_sync::device::{Device, Draft, DraftWrite};

use super::{Place, Teacher, person_of, seen};
use crate::attendance::{Mark, Page, PupilPage};
use crate::error::Error;
use crate::read::{self, give, month_of};

/// A roll: who is not there, or not on time. Everybody else is present.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RollCall {
    /// Absent pupils.
    pub absent: Vec<PersonId>,
    /// Pupils who came late, with the time.
    pub late: Vec<(PersonId, ClockTime)>,
    /// Pupils who left, with the time. One who came late may also have left.
    pub left: Vec<(PersonId, ClockTime)>,
}

/// Most unconfirmed commands that a roll names as held.
const MAX_HELD: usize = 64;

impl Teacher {
    /// Calls the roll of a class in a slot: one command, durable when this returns, with or without a connection.
    ///
    /// It is the bulk act at the beginning: once a late or an exit of that day is seen in the class (in slot mode: of
    /// that slot), it is refused, and what changes is entered pupil by pupil (A10). Where there are different
    /// entries about a pupil, a roll that is silent about that pupil is called as ever and leaves them as they are;
    /// one that would write over them is refused and names the pupil, until somebody has seen them and chosen.
    ///
    /// A pupil listed twice with the same is listed once; absent and also late or gone is a mistake to correct.
    ///
    /// # Errors
    /// `NotFound` if the class or a pupil is not known here; `Rule`, with the pupil where it is about one;
    /// `NotAllowed`.
    pub fn call_roll(
        &self,
        class: &ClassCode,
        date: Date,
        slot: u8,
        roll: &RollCall,
    ) -> Result<CommandId, Error> {
        let marks = roll.marks()?;
        let mut device = self.registro.device();
        let person = person_of(&device)?;
        let capacity = self.capacity_in(&mut device, class, date)?;
        let place = Place::of(&mut device, class, date)?;
        let id = device.draw_command();
        let page = Page { id, capacity, date, slot, mode: place.mode, bells: &place.bells };
        if !place.bells.iter().any(|bell| bell.position == slot) {
            return Err(Error::rule(
                "In questa data o in quest'ora non c'è lezione.",
                "There are no lessons on that day or in that hour.",
            ));
        }
        let mut writes = Vec::new();
        for (pupil, marks) in marks {
            let record = read::record(&mut device, class, place.pupil(pupil)?)?;
            let seen = seen(&mut device, record, date)?;
            let mut line = PupilPage::new(page, record, &seen);
            for mark in marks {
                line.mark(&mark, device.draw()).map_err(|error| error.about(pupil))?;
            }
            writes.extend(line.into_writes());
        }
        // After the pupils, so that what is to be seen and chosen about one of them is said first.
        if let Some(pupil) = late_or_gone(&mut device, &place, date, slot)? {
            let refused = Error::rule(
                "Nella classe ci sono già ritardi o uscite: l'appello non si rifà, correggi i singoli alunni.",
                "The class already has a late or an exit: correct pupil by pupil instead of calling the roll.",
            );
            return Err(refused.about(pupil));
        }
        let document = read::month_document(&mut device, class, date)?;
        let fact = Fact::new(id, capacity).with_map("seen", what_was_seen(&device, &place, document));
        writes.push(DraftWrite { document, section: "rolls", key: format!("{date}#{slot}/{person}"), fact });
        give(&mut device, Draft { id, capacity, writes })
    }
}

impl RollCall {
    /// The marks, by pupil: what is said twice is said once, what cannot both be so is a mistake.
    fn marks(&self) -> Result<BTreeMap<PersonId, Vec<Mark>>, Error> {
        let mut marks: BTreeMap<PersonId, Vec<Mark>> = BTreeMap::new();
        let left = |time| Mark::Exit { time, collected_by: None };
        let all = self
            .absent
            .iter()
            .map(|pupil| (*pupil, Mark::Absent))
            .chain(self.late.iter().map(|(pupil, time)| (*pupil, Mark::Entry(*time))))
            .chain(self.left.iter().map(|(pupil, time)| (*pupil, left(*time))));
        for (pupil, mark) in all {
            let said = marks.entry(pupil).or_default();
            if said.contains(&mark) {
                continue;
            }
            let same_kind = |other: &Mark| std::mem::discriminant(other) == std::mem::discriminant(&mark);
            if said.contains(&Mark::Absent) {
                return Err(Error::rule(
                    "Chi è assente non è anche in ritardo o uscito: correggi l'appello.",
                    "Who is absent is not also late or gone: correct the roll.",
                )
                .about(pupil));
            }
            if said.iter().any(same_kind) {
                return Err(Error::rule(
                    "Lo stesso alunno ha due orari diversi: correggi l'appello.",
                    "The same pupil has two different times: correct the roll.",
                )
                .about(pupil));
            }
            said.push(mark);
        }
        Ok(marks)
    }
}

/// A pupil of the class with a late or an exit that is seen: of that day, in slot mode of that slot (A10).
fn late_or_gone(device: &mut Device, place: &Place, date: Date, slot: u8) -> Result<Option<PersonId>, Error> {
    for pupil in &place.pupils {
        let keys = if read::is_here(device, pupil.record) {
            device.part(pupil.record, &format!("attendance/{}", month_of(date)))?.keys
        } else if device.is_blind(pupil.record) {
            seen(device, pupil.record, date)?
        } else {
            continue;
        };
        let timed = match place.mode {
            AttendanceMode::Day => {
                let day = decide_day(&date.to_string(), &keys);
                day.entry.is_some() || day.exit.is_some()
            }
            AttendanceMode::Slot => {
                let shown = keys.get(&format!("{date}#{slot}")).and_then(KeyDecision::live);
                shown.is_some_and(|s| s.fact.scalar("entry").or(s.fact.scalar("exit")).is_some())
            }
        };
        if timed {
            return Ok(Some(pupil.pupil));
        }
    }
    Ok(None)
}

/// What the author had seen: nothing if the class's month or a pupil's record is not here, or not yet.
fn what_was_seen(device: &Device, place: &Place, month: DocumentId) -> [(String, Scalar); 3] {
    let everything =
        read::is_here(device, month) && place.pupils.iter().all(|pupil| read::is_here(device, pupil.record));
    let seen = if everything { device.state().cursor } else { Cursor::default() };
    let held = device.pending().iter().rev().take(MAX_HELD).flat_map(|entry| entry.command.id.0).collect();
    [
        ("position".to_owned(), Scalar::Int(i64::try_from(seen.position).unwrap_or(i64::MAX))),
        ("chain".to_owned(), Scalar::Bytes(seen.chain.to_vec())),
        ("commands".to_owned(), Scalar::Bytes(held)),
    ]
}
