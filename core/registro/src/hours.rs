//! Hours of absence (*ore di assenza*) against the year's limit (*validità dell'anno*, DPR 122/2009 art. 14 c. 7).

use std::collections::BTreeMap;

use registro_documents::merge::Shown;
use registro_model::attendance::{HourSlot, SlotAttendance, SlotStatus, day_hours, slot_hours, year_hours};
use registro_model::ids::GroupCode;
use registro_model::lesson::{Membership, SignedLesson, lesson_of};
use registro_model::school::{AttendanceMode, School, SubjectKind};
use registro_model::time::{Span, parse_date};
use registro_model::validity::{AbsenceLevel, year_validity};
use registro_model::{ClassCode, Date, DocumentId};
use registro_sync::device::Device;

use crate::attendance::{day_attendance, slot_states};
use crate::error::Error;
use crate::provenance::Provenance;
use crate::read::{self, Held, month_of};
use crate::record::{Record, profile_facts};

/// A waiver (*deroga*) of the class council.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaiverView {
    /// Its reason.
    pub reason: String,
    /// Who wrote it, when.
    pub provenance: Provenance,
}

/// A pupil's hours of absence against the limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoursView {
    /// The pupil's own annual hours on that day; 0 if they are not known.
    pub annual_hours: u32,
    /// Least hours of presence.
    pub least_presence: u32,
    /// Most hours of absence.
    pub most_absence: u32,
    /// Hours of absence, those of a previous school included.
    pub absence: u32,
    /// Of these, hours in a previous school.
    pub previous_hours: u32,
    /// Whether 4 × absence ≤ annual hours.
    pub within_limit: bool,
    /// Whether the pupil may be assessed: within the limit, or with a waiver of the class council.
    pub may_be_assessed: bool,
    /// The colour.
    pub level: AbsenceLevel,
    /// Waivers.
    pub waivers: Vec<WaiverView>,
}

/// A pupil's hours up to a day.
///
/// # Errors
/// `NotFound` if something that counts has not been fetched yet: a figure that is too low would be believed.
pub(crate) fn hours(device: &mut Device, record: &Record, until: Date) -> Result<HoursView, Error> {
    let school = read::school(device)?;
    let mut totals: BTreeMap<(String, String), u32> = BTreeMap::new();
    for (date, _) in record.days(device, &school, school.year.start, until)? {
        let Some((class, site)) = record.class_on(date) else { continue };
        let Some(term) = school.term_of(date) else { continue };
        let member = membership(record, date);
        let signed = signed_lessons(device, &school, class, date)?;
        let bells = school.slots_of(site, date);
        let lessons: Vec<Option<&SignedLesson>> = bells
            .iter()
            .map(|bell| signed.get(&bell.position).and_then(|signed| lesson_of(signed, &member)))
            .collect();
        let slots: Vec<HourSlot> = bells
            .iter()
            .zip(&lessons)
            .map(|(bell, lesson)| HourSlot {
                start: bell.start,
                end: bell.end,
                half_units: u32::from(bell.half_units),
                signed: lesson.is_some(),
            })
            .collect();
        let keys = device.part(record.document, &format!("attendance/{}", month_of(date)))?.keys;
        let missed = match school.settings.attendance_mode {
            AttendanceMode::Day => day_hours(&day_attendance(date, &keys), &slots),
            AttendanceMode::Slot => {
                let states = slot_states(date, &keys);
                let present = SlotAttendance { status: SlotStatus::Present, entry: None, exit: None };
                let states: Vec<_> =
                    bells.iter().map(|bell| *states.get(&bell.position).unwrap_or(&present)).collect();
                slot_hours(&states, &slots)
            }
        };
        for (lesson, half_units) in lessons.iter().zip(missed) {
            if let Some(lesson) = lesson {
                let of = (lesson.subject.as_str().to_owned(), term.code.clone());
                *totals.entry(of).or_default() += half_units;
            }
        }
    }
    view(device, &school, record, until, year_hours(totals.into_values()))
}

fn view(
    device: &mut Device,
    school: &School,
    record: &Record,
    until: Date,
    absence: u32,
) -> Result<HoursView, Error> {
    let directory = device.directory()?.0;
    let number = |shown: &Shown, name: &str| shown.fact.int(name).and_then(|n| u32::try_from(n).ok());
    let annual = annual_hours(record, until).unwrap_or(0);
    let previous =
        profile_facts(record, "previous").find_map(|(_, shown)| number(shown, "hours")).unwrap_or(0);
    let waivers: Vec<WaiverView> = profile_facts(record, "waiver/")
        .map(|(key, shown)| WaiverView {
            reason: shown.fact.text("reason").unwrap_or_default().to_owned(),
            provenance: Provenance::of(key, shown, directory, school),
        })
        .collect();
    let settings = &school.settings;
    let year = year_validity(
        annual,
        absence,
        previous,
        !waivers.is_empty(),
        settings.absence_warn_pct,
        settings.absence_danger_pct,
    );
    Ok(HoursView {
        annual_hours: annual,
        least_presence: year.least_presence,
        most_absence: year.most_absence,
        absence: year.absence,
        previous_hours: previous,
        within_limit: year.within_limit,
        may_be_assessed: year.may_be_assessed,
        level: year.level,
        waivers,
    })
}

/// The annual hours that hold on a day; before the first span they are the first's, after an end the last's.
fn annual_hours(record: &Record, date: Date) -> Option<u32> {
    let annual = |shown: &Shown| shown.fact.int("annual").and_then(|n| u32::try_from(n).ok());
    if let Some(holding) = record.profile_on("hours", date).and_then(|(_, shown)| annual(shown)) {
        return Some(holding);
    }
    let mut spans: Vec<(Date, u32)> = profile_facts(record, "hours/")
        .filter_map(|(from, shown)| Some((parse_date(from).ok()?, annual(shown)?)))
        .collect();
    spans.sort_unstable();
    spans.iter().rfind(|(from, _)| *from <= date).or(spans.first()).map(|(_, annual)| *annual)
}

/// What the pupil belongs to on a day.
fn membership(record: &Record, date: Date) -> Membership {
    let groups = profile_facts(record, "group/")
        .filter_map(|(rest, shown)| {
            let (group, from) = rest.rsplit_once('/')?;
            let span = Span { from: parse_date(from).ok()?, to: shown.fact.date("to") };
            span.contains(date).then(|| group.parse::<GroupCode>().ok())?
        })
        .collect();
    let religion = record
        .profile_on("religion", date)
        .and_then(|(_, shown)| shown.fact.text("choice"))
        .and_then(|choice| choice.parse().ok());
    Membership { groups, religion }
}

/// A signature as a fact of section `lessons` says it.
pub(crate) fn signed_lesson(school: &School, key: &str, shown: &Shown) -> Option<(u8, SignedLesson)> {
    let (slot, teacher) = key.split_once('#')?.1.split_once('/')?;
    let fact = &shown.fact;
    let subject = fact.text("subject")?.parse().ok()?;
    let known = school.subjects.iter().find(|known| known.code == subject);
    let lesson = SignedLesson {
        teacher: teacher.parse().ok()?,
        subject_kind: known.map_or(SubjectKind::Normal, |known| known.kind),
        subject,
        group: fact.text("group").and_then(|group| group.parse().ok()),
        kind: fact.text("kind")?.parse().ok()?,
    };
    Some((slot.parse().ok()?, lesson))
}

/// The live signatures of a month's document on a day, by slot, in the order in which the hub accepted them.
pub(crate) fn signatures(
    device: &Device,
    school: &School,
    month: DocumentId,
    date: Date,
) -> Result<BTreeMap<u8, Vec<SignedLesson>>, Error> {
    let part = device.part(month, &format!("lessons/{}", month_of(date)))?;
    let prefix = format!("{date}#");
    let mut live: Vec<_> = part
        .keys
        .iter()
        .filter(|(key, _)| key.starts_with(&prefix))
        .filter_map(|(key, decision)| Some((key, decision.live()?)))
        .collect();
    live.sort_by_key(|(_, shown)| shown.provenance.accepted.map_or(u64::MAX, |record| record.position));
    let mut signed: BTreeMap<u8, Vec<SignedLesson>> = BTreeMap::new();
    for (slot, lesson) in live.into_iter().filter_map(|(key, shown)| signed_lesson(school, key, shown)) {
        signed.entry(slot).or_default().push(lesson);
    }
    Ok(signed)
}

/// The signatures of a class and day.
fn signed_lessons(
    device: &Device,
    school: &School,
    class: &ClassCode,
    date: Date,
) -> Result<BTreeMap<u8, Vec<SignedLesson>>, Error> {
    match read::month(device, class, date) {
        Held::Here(month) => signatures(device, school, month, date),
        Held::Wanted => Err(Error::not_found("month")),
        Held::Unreadable => Ok(BTreeMap::new()),
    }
}
