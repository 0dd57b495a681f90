//! The screen of a class on a day.

use std::collections::BTreeSet;

use registro_documents::merge::KeyDecision;
use registro_model::ids::GroupCode;
use registro_model::lesson::LessonKind;
use registro_model::school::BellSlot;
use registro_model::{ClassCode, Date, DocumentId, PersonId, SubjectCode};
use registro_sync::device::Device;

use super::Teacher;
use super::justifications::waiting;
use crate::attendance::{PupilDay, pupil_day};
use crate::error::Error;
use crate::hours::signed_lesson;
use crate::provenance::Provenance;
use crate::read::{self, month_of};
use crate::record::Record;
use crate::rolls;

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
    /// Signed lessons, by slot.
    pub lessons: Vec<LessonView>,
    /// Whether rolls and lessons are known here: not where this person may not read them, nor before they are
    /// fetched. Then none are listed, which says nothing.
    pub month_known: bool,
}

/// A pupil's line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PupilRow {
    /// The pupil.
    pub pupil: PersonId,
    /// Name.
    pub name: String,
    /// The day; `None` where the pupil's record may not be read here, or has not been fetched yet.
    pub day: Option<PupilDay>,
    /// Slots whose roll was called before its author had heard of this pupil: "not called", never present.
    pub not_called: Vec<u8>,
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
    /// Where it comes from.
    pub provenance: Provenance,
}

/// A lesson that was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LessonView {
    /// The slot.
    pub slot: u8,
    /// Who signed it.
    pub teacher: PersonId,
    /// Its subject.
    pub subject: SubjectCode,
    /// Its group, if it is not the whole class.
    pub group: Option<GroupCode>,
    /// What the signature is.
    pub kind: LessonKind,
    /// Its topic, or nothing.
    pub topic: String,
    /// Where the signature comes from.
    pub provenance: Provenance,
    /// Where the topic comes from, if there is one.
    pub topic_provenance: Option<Provenance>,
}

impl Teacher {
    /// A class on a day: one call for the whole screen.
    pub fn class_view(&self, class: &ClassCode, date: Date) -> Result<ClassView, Error> {
        let mut device = self.registro.device();
        let (directory, school) = device.directory()?;
        let site = directory.classes.get(class).map(|class| class.site.clone());
        let site = site.ok_or_else(|| Error::not_found("class"))?;
        let school = school.clone();
        let month = read::month(&device, class, date).here();
        let called = match month {
            Some(month) => rolls::rolls(&device, month, date)?,
            None => Vec::new(),
        };
        let lessons = match month {
            Some(month) => lessons(&mut device, month, date)?,
            None => Vec::new(),
        };
        let directory = device.directory()?.0;
        let rolls = called
            .iter()
            .filter(|called| called.shows)
            .map(|called| RollView {
                slot: called.roll.slot,
                author: called.roll.author,
                confirmed: called.shown.provenance.accepted.is_some(),
                provenance: Provenance::of(&called.key, &called.shown, directory, &school),
            })
            .collect();
        let mut rows = Vec::new();
        for pupil in read::pupils(&device, class, date)? {
            let mut slots: BTreeSet<u8> = called.iter().map(|called| called.roll.slot).collect();
            let mut row = PupilRow {
                pupil: pupil.pupil,
                name: pupil.name.clone(),
                day: None,
                not_called: Vec::new(),
                pending_justifications: 0,
            };
            if read::is_here(&device, pupil.record) {
                if called.iter().any(|called| called.may_miss(pupil.enrolled_at)) {
                    let record = Record::read(&device, pupil.pupil, pupil.record)?;
                    let mut heard = BTreeSet::new();
                    for called in &called {
                        if !called.misses(&mut device, &record)? {
                            heard.insert(called.roll.slot);
                        }
                    }
                    row.not_called = slots.difference(&heard).copied().collect();
                    slots = heard;
                }
                let keys = device.part(pupil.record, &format!("attendance/{}", month_of(date)))?.keys;
                row.pending_justifications = waiting(&mut device, &school, &pupil)?.len();
                let directory = device.directory()?.0;
                row.day = Some(pupil_day(&school, directory, &site, date, &keys, &slots));
            }
            rows.push(row);
        }
        Ok(ClassView {
            class: class.clone(),
            date,
            slots: school.slots_of(&site, date).into_iter().cloned().collect(),
            pupils: rows,
            rolls,
            lessons,
            month_known: month.is_some(),
        })
    }
}

/// The live signatures of a day with their topics.
fn lessons(device: &mut Device, month: DocumentId, date: Date) -> Result<Vec<LessonView>, Error> {
    let prefix = format!("{date}#");
    let topics = device.part(month, &format!("topics/{}", month_of(date)))?.keys;
    let signed = device.part(month, &format!("lessons/{}", month_of(date)))?.keys;
    let (directory, school) = device.directory()?;
    let mut lessons: Vec<LessonView> = signed
        .iter()
        .filter(|(key, _)| key.starts_with(&prefix))
        .filter_map(|(key, decision)| {
            let shown = decision.live()?;
            let (slot, lesson) = signed_lesson(school, key, shown)?;
            let topic = topics.get(key).and_then(KeyDecision::live);
            Some(LessonView {
                slot,
                teacher: lesson.teacher,
                subject: lesson.subject,
                group: lesson.group,
                kind: lesson.kind,
                topic: topic.and_then(|s| s.fact.text("topic")).unwrap_or_default().to_owned(),
                provenance: Provenance::of(key, shown, directory, school),
                topic_provenance: topic.map(|shown| Provenance::of(key, shown, directory, school)),
            })
        })
        .collect();
    lessons.sort_by_key(|lesson| (lesson.slot, lesson.teacher));
    Ok(lessons)
}
