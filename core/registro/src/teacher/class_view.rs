//! The screen of a class on a day.

use std::collections::{BTreeMap, BTreeSet};

use registro_documents::merge::KeyDecision;
use registro_model::school::BellSlot;
use registro_model::{ClassCode, Date, PersonId, SubjectCode};

use super::Teacher;
use crate::attendance::{PupilDay, pupil_day};
use crate::error::Error;
use crate::read::{self, month_of};

/// A class on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassView {
    /// The class.
    pub class: ClassCode,
    /// The day.
    pub date: Date,
    /// Slots of the day, in order; none on a day without lessons.
    pub slots: Vec<BellSlot>,
    /// Pupils, by name.
    pub pupils: Vec<PupilRow>,
    /// Rolls called, by slot.
    pub rolls: Vec<RollView>,
    /// Signed lessons: slot, teacher, subject, topic.
    pub lessons: Vec<(u8, PersonId, SubjectCode, String)>,
}

/// A pupil's line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PupilRow {
    /// The pupil.
    pub pupil: PersonId,
    /// Name.
    pub name: String,
    /// The day; `None` where the pupil's record may not be read here.
    pub day: Option<PupilDay>,
    /// Justifications that wait for a decision.
    pub pending_justifications: usize,
}

/// A roll that was called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollView {
    /// The slot.
    pub slot: u8,
    /// Who called it.
    pub author: PersonId,
    /// Whether the hub has confirmed it.
    pub confirmed: bool,
}

impl Teacher {
    /// A class on a day: one call for the whole screen.
    pub fn class_view(&self, class: &ClassCode, date: Date) -> Result<ClassView, Error> {
        let mut device = self.registro.device();
        let (directory, school) = device.directory()?;
        let site = directory.classes.get(class).map(|class| class.site.clone());
        let site = site.ok_or_else(|| Error::not_found("class"))?;
        let school = school.clone();
        let month = month_of(date);
        let subject = registro_documents::Subject::Month(class.clone(), month.clone());
        let document = read::find(&device, registro_documents::Kind::ClassMonth, &subject);
        let part = |name: &str| -> Result<BTreeMap<String, KeyDecision>, Error> {
            match document {
                Some(document) => Ok(device.part(document, &format!("{name}/{month}"))?.keys),
                None => Ok(BTreeMap::new()),
            }
        };
        let prefix = format!("{date}#");
        let of_day = |key: &str| -> Option<(u8, PersonId)> {
            let (slot, person) = key.strip_prefix(&prefix)?.split_once('/')?;
            Some((slot.parse().ok()?, person.parse().ok()?))
        };
        let mut rolls: Vec<RollView> = part("rolls")?
            .iter()
            .filter_map(|(key, decision)| {
                let (slot, author) = of_day(key)?;
                let confirmed = decision.live()?.provenance.accepted.is_some();
                Some(RollView { slot, author, confirmed })
            })
            .collect();
        rolls.sort_by_key(|roll| (roll.slot, roll.author));
        let topics = part("topics")?;
        let mut lessons: Vec<_> = part("lessons")?
            .iter()
            .filter_map(|(key, decision)| {
                let (slot, teacher) = of_day(key)?;
                let subject = decision.live()?.fact.text("subject")?.parse().ok()?;
                let topic = topics.get(key).and_then(KeyDecision::live).and_then(|s| s.fact.text("topic"));
                Some((slot, teacher, subject, topic.unwrap_or_default().to_owned()))
            })
            .collect();
        lessons.sort();
        let called: BTreeSet<u8> = rolls.iter().map(|roll| roll.slot).collect();
        let mut rows = Vec::new();
        for pupil in read::pupils(&device, class, date)? {
            let readable = device.documents().any(|header| header.identity.id == pupil.record);
            let (day, pending) = if readable {
                let keys = device.part(pupil.record, &format!("attendance/{month}"))?.keys;
                let pending = super::justifications::pending_of(&device, &pupil)?.len();
                (Some(pupil_day(&school, &site, date, &keys, &called)), pending)
            } else {
                (None, 0)
            };
            rows.push(PupilRow {
                pupil: pupil.pupil,
                name: pupil.name,
                day,
                pending_justifications: pending,
            });
        }
        Ok(ClassView {
            class: class.clone(),
            date,
            slots: school.slots_of(&site, date).into_iter().cloned().collect(),
            pupils: rows,
            rolls,
            lessons,
        })
    }
}
