//! The register as a family uses it.

use std::collections::{BTreeMap, BTreeSet};

use registro_documents::merge::{KeyDecision, Shown};
use registro_documents::{Fact, Kind, Subject};
use registro_model::attendance::{HourSlot, SlotAttendance, SlotStatus, day_hours, slot_hours, year_hours};
use registro_model::ids::SiteCode;
use registro_model::justification::{
    Decision, Justification, Run, RunState, absence_runs, covered_by_absence, run_state,
};
use registro_model::school::{AttendanceMode, JustificationKind};
use registro_model::time::{Span, parse_date};
use registro_model::validity::{YearValidity, year_validity};
use registro_model::{Capacity, ClassCode, CommandId, Date, DocumentId, PersonId};
use registro_sync::device::{Device, Draft, DraftWrite};

use crate::attendance::{PupilDay, day_attendance, pupil_day, slot_states};
use crate::error::Error;
use crate::read::{self, month_of};
use crate::registro::Registro;

/// The register as a family uses it.
#[derive(Clone)]
pub struct Family {
    registro: Registro,
}

/// A child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    /// The pupil.
    pub pupil: PersonId,
    /// Name.
    pub name: String,
    /// Class today.
    pub class: Option<ClassCode>,
    /// Whether this guardian may justify.
    pub may_justify: bool,
}

/// Something to justify, and its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbsenceView {
    /// The run.
    pub run: Run,
    /// Its state.
    pub state: RunState,
}

pub(crate) fn justifications_of(
    device: &Device,
    record: DocumentId,
) -> Result<Vec<(Justification, Shown)>, Error> {
    Ok(device
        .part(record, "justifications")?
        .keys
        .iter()
        .filter_map(|(key, decision)| {
            let shown = decision.live()?;
            let mut pieces = key.split('/');
            let kind = kind_named(pieces.next()?)?;
            let from = parse_date(pieces.next()?).ok()?;
            let to = shown.fact.date("to")?;
            Some((Justification { key: key.clone(), v: shown.fact.v, kind, from, to }, shown.clone()))
        })
        .collect())
}

pub(crate) fn decisions_of(device: &Device, record: DocumentId) -> Result<Vec<Decision>, Error> {
    Ok(device
        .part(record, "decisions")?
        .keys
        .values()
        .filter_map(KeyDecision::live)
        .filter_map(|shown| {
            let fact = &shown.fact;
            Some(Decision {
                key: fact.text("key")?.to_owned(),
                of: CommandId::try_from(fact.bytes("of")?).ok()?,
                kind: kind_named(fact.text("kind")?)?,
                from: fact.date("from")?,
                to: fact.date("to")?,
                approved: fact.bool("approved")?,
                why: fact.text("why").map(str::to_owned),
            })
        })
        .collect())
}

fn kind_named(name: &str) -> Option<JustificationKind> {
    use JustificationKind::{Absence, Entry, Exit, Permit};
    [Absence, Entry, Exit, Permit].into_iter().find(|kind| kind.as_str() == name)
}

/// What is known about a child's record.
struct Record {
    document: DocumentId,
    classes: Vec<(ClassCode, SiteCode, Span)>,
}

impl Record {
    fn class_on(&self, date: Date) -> Option<(&ClassCode, &SiteCode)> {
        self.classes.iter().find(|(_, _, span)| span.contains(date)).map(|(class, site, _)| (class, site))
    }
}

impl Family {
    pub(crate) fn new(registro: Registro) -> Self {
        Self { registro }
    }

    /// The children of whom this person is a guardian on a day, by name. Each once.
    pub fn children(&self, today: Date) -> Result<Vec<Child>, Error> {
        let person = self.registro.person()?;
        let mut device = self.registro.device();
        let (directory, _) = device.directory()?;
        let mut children: Vec<Child> = directory
            .guardians
            .iter()
            .filter_map(|(pupil, guardians)| {
                let own = guardians.iter().find(|g| g.guardian == person && g.span.contains(today))?;
                let entry = directory.pupils.get(pupil)?;
                Some(Child {
                    pupil: *pupil,
                    name: entry.name.clone(),
                    class: entry.classes.iter().find(|(_, s)| s.contains(today)).map(|(c, _)| c.clone()),
                    may_justify: own.rights == registro_model::directory::GuardianRights::Complete,
                })
            })
            .collect();
        children.sort_by(|a, b| (&a.name, a.pupil).cmp(&(&b.name, b.pupil)));
        Ok(children)
    }

    fn record(device: &Device, pupil: PersonId) -> Result<Record, Error> {
        let document = read::find(device, Kind::PupilRecord, &Subject::Person(pupil))
            .ok_or_else(|| Error::not_found("child"))?;
        let profile = device.part(document, "profile")?;
        let classes = profile
            .keys
            .iter()
            .filter_map(|(key, decision)| {
                let from = parse_date(key.strip_prefix("class/")?).ok()?;
                let fact = &decision.live()?.fact;
                let span = Span { from, to: fact.date("to") };
                Some((fact.text("class")?.parse().ok()?, fact.text("site")?.parse().ok()?, span))
            })
            .collect();
        Ok(Record { document, classes })
    }

    /// A child's day.
    pub fn day(&self, pupil: PersonId, date: Date) -> Result<PupilDay, Error> {
        let mut device = self.registro.device();
        let school = read::school(&mut device)?;
        let record = Self::record(&device, pupil)?;
        let Some((class, site)) = record.class_on(date) else { return Ok(PupilDay::default()) };
        let keys = device.part(record.document, &format!("attendance/{}", month_of(date)))?.keys;
        let called = called_slots(&device, class, date)?;
        Ok(pupil_day(&school, site, date, &keys, &called))
    }

    /// A child's absences, lates and exits up to a day, with the state of their justification, oldest first.
    pub fn absences(&self, pupil: PersonId, until: Date) -> Result<Vec<AbsenceView>, Error> {
        let mut device = self.registro.device();
        let school = read::school(&mut device)?;
        let record = Self::record(&device, pupil)?;
        let justifications: Vec<_> =
            justifications_of(&device, record.document)?.into_iter().map(|(j, _)| j).collect();
        let decisions = decisions_of(&device, record.document)?;
        let mut absent = BTreeSet::new();
        let mut single: Vec<Run> = Vec::new();
        let mut site = None;
        for (date, day) in days(&device, &school, &record, until)? {
            site = record.class_on(date).map(|(_, site)| site.clone()).or(site);
            if day.absent {
                absent.insert(date);
            }
            if day.late && !day.short_late {
                single.push(Run { kind: JustificationKind::Entry, days: vec![date] });
            }
            if day.left_early {
                single.push(Run { kind: JustificationKind::Exit, days: vec![date] });
            }
        }
        let mut runs = site.map(|site| absence_runs(&school, &site, &absent)).unwrap_or_default();
        runs.extend(single);
        runs.sort_by_key(|run| (run.from(), run.kind));
        Ok(runs
            .into_iter()
            .map(|run| {
                let covered = run.kind != JustificationKind::Absence
                    && run.days.iter().all(|day| covered_by_absence(*day, &decisions));
                let state =
                    if covered { RunState::Approved } else { run_state(&run, &justifications, &decisions) };
                AbsenceView { run, state }
            })
            .collect())
    }

    /// Justifies a run (*giustifica*): one command.
    pub fn justify(
        &self,
        pupil: PersonId,
        run: &Run,
        reason: &str,
        text: Option<&str>,
    ) -> Result<CommandId, Error> {
        let (Some(from), Some(to)) = (run.from(), run.to()) else { return Err(Error::not_found("run")) };
        let person = self.registro.person()?;
        let mut device = self.registro.device();
        let record = Self::record(&device, pupil)?;
        let capacity = if person == pupil { Capacity::Pupil } else { Capacity::Guardian };
        let id = device.draw_command();
        let hex: String = device.draw::<8>().iter().map(|byte| format!("{byte:02x}")).collect();
        let fact = Fact::new(id, capacity).with("to", to).with("reason", reason).with_some("text", text);
        let key = format!("{}/{from}/{hex}", run.kind.as_str());
        let writes = vec![DraftWrite { document: record.document, section: "justifications", key, fact }];
        let draft = Draft { id, capacity, writes };
        if let Some(reason) = device.refusal(&draft)? {
            return Err(Error::refused(reason));
        }
        Ok(device.give(draft)?)
    }

    /// A child's hours of absence up to a day against the year's limit.
    pub fn hours(&self, pupil: PersonId, until: Date) -> Result<YearValidity, Error> {
        let mut device = self.registro.device();
        let school = read::school(&mut device)?;
        let record = Self::record(&device, pupil)?;
        let profile = device.part(record.document, "profile")?;
        let number = |key: &str, name: &str| {
            let shown = profile.keys.get(key).and_then(KeyDecision::live)?;
            u32::try_from(shown.fact.int(name)?).ok()
        };
        let annual = profile
            .keys
            .iter()
            .filter(|(key, _)| key.starts_with("hours/"))
            .filter_map(|(_, d)| d.live())
            .filter_map(|shown| u32::try_from(shown.fact.int("annual")?).ok())
            .next_back()
            .unwrap_or(0);
        let waiver = profile.keys.iter().any(|(key, d)| key.starts_with("waiver/") && d.live().is_some());
        let groups: BTreeSet<String> = profile
            .keys
            .keys()
            .filter_map(|key| key.strip_prefix("group/")?.split('/').next().map(str::to_owned))
            .collect();
        let mut totals: BTreeMap<(String, String), u32> = BTreeMap::new();
        for (date, _) in days(&device, &school, &record, until)? {
            let Some((class, site)) = record.class_on(date) else { continue };
            let Some(term) = school.term_of(date) else { continue };
            let signed = signed_lessons(&device, class, date, &groups)?;
            let bells = school.slots_of(site, date);
            let slots: Vec<HourSlot> = bells
                .iter()
                .map(|bell| HourSlot {
                    start: bell.start,
                    end: bell.end,
                    half_units: u32::from(bell.half_units),
                    signed: signed.contains_key(&bell.position),
                })
                .collect();
            let keys = device.part(record.document, &format!("attendance/{}", month_of(date)))?.keys;
            let hours = match school.settings.attendance_mode {
                AttendanceMode::Day => day_hours(&day_attendance(date, &keys), &slots),
                AttendanceMode::Slot => {
                    let states = slot_states(date, &keys);
                    let present = SlotAttendance { status: SlotStatus::Present, entry: None, exit: None };
                    let states: Vec<_> = bells
                        .iter()
                        .map(|bell| states.get(&bell.position).copied().unwrap_or(present))
                        .collect();
                    slot_hours(&states, &slots)
                }
            };
            for (bell, half_units) in bells.iter().zip(hours) {
                if let Some(subject) = signed.get(&bell.position) {
                    *totals.entry((subject.clone(), term.code.clone())).or_default() += half_units;
                }
            }
        }
        Ok(year_validity(
            annual,
            year_hours(totals.into_values()),
            number("previous", "hours").unwrap_or(0),
            waiver,
            school.settings.absence_warn_pct,
            school.settings.absence_danger_pct,
        ))
    }
}

/// The slots of a class and day in which the roll was called.
fn called_slots(device: &Device, class: &ClassCode, date: Date) -> Result<BTreeSet<u8>, Error> {
    Ok(slot_keys(device, class, date, "rolls")?.into_iter().map(|(slot, _)| slot).collect())
}

/// The slots of a class and day with a signed lesson of the whole class or of one of the groups, with its subject.
fn signed_lessons(
    device: &Device,
    class: &ClassCode,
    date: Date,
    groups: &BTreeSet<String>,
) -> Result<BTreeMap<u8, String>, Error> {
    Ok(slot_keys(device, class, date, "lessons")?
        .into_iter()
        .filter(|(_, shown)| shown.fact.text("group").is_none_or(|group| groups.contains(group)))
        .filter_map(|(slot, shown)| Some((slot, shown.fact.text("subject")?.to_owned())))
        .collect())
}

fn slot_keys(
    device: &Device,
    class: &ClassCode,
    date: Date,
    section: &str,
) -> Result<Vec<(u8, Shown)>, Error> {
    let month = month_of(date);
    let subject = Subject::Month(class.clone(), month.clone());
    let Some(document) = read::find(device, Kind::ClassMonth, &subject) else { return Ok(Vec::new()) };
    let prefix = format!("{date}#");
    Ok(device
        .part(document, &format!("{section}/{month}"))?
        .keys
        .iter()
        .filter_map(|(key, decision)| {
            let (slot, _) = key.strip_prefix(&prefix)?.split_once('/')?;
            Some((slot.parse().ok()?, decision.live()?.clone()))
        })
        .collect())
}

/// The days of which something is entered, up to a day, in order.
fn days(
    device: &Device,
    school: &registro_model::school::School,
    record: &Record,
    until: Date,
) -> Result<Vec<(Date, PupilDay)>, Error> {
    let mut days = Vec::new();
    let mut month = school.year.start;
    while month <= until {
        let keys = device.part(record.document, &format!("attendance/{}", month_of(month)))?.keys;
        let dates: BTreeSet<Date> = keys
            .keys()
            .filter_map(|key| parse_date(key.get(..10)?).ok())
            .filter(|date| *date <= until)
            .collect();
        for date in dates {
            if let Some((class, site)) = record.class_on(date) {
                let called = called_slots(device, class, date)?;
                days.push((date, pupil_day(school, site, date, &keys, &called)));
            }
        }
        let Some(next) = month.checked_add_months(chrono::Months::new(1)) else { break };
        month = next;
    }
    Ok(days)
}
