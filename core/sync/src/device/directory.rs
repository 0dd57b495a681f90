//! The directory as this device knows it: rebuilt from the facts that the hub wrote into the documents held here.
//! What stands in no held document is unknown, not absent.

use std::collections::BTreeMap;

use registro_documents::merge::KeyDecision;
use registro_documents::{Fact, Kind, Subject};
use registro_model::directory::{
    AssignmentKind, Directory, GuardianRights, Guardianship, Pupil, SchoolClass, StaffMember,
    TeachingAssignment, TimetableEntry,
};
use registro_model::ids::SiteCode;
use registro_model::people::Role;
use registro_model::school::{
    AttendanceMode, BellSlot, ClosedDay, DayStatus, Evaluation, JustificationKind, School, SchoolSubject,
    SchoolYear, Settings, Site, SubjectKind, Term,
};
use registro_model::time::{Span, parse_date};
use registro_model::{ClassCode, Date, DocumentId, PersonId};

use super::{Device, DeviceError};

type Keys = BTreeMap<String, KeyDecision>;

/// The decided live facts of a part, with the pieces of their keys.
fn live(keys: &Keys) -> impl Iterator<Item = (Vec<&str>, &Fact)> {
    keys.iter().filter_map(|(key, decision)| {
        decision.live().map(|shown| (key.split(['/', '#']).collect(), &shown.fact))
    })
}

fn span(from: &str, fact: &Fact) -> Option<Span> {
    Some(Span { from: parse_date(from).ok()?, to: fact.date("to") })
}

impl Device {
    /// The directory and the school's settings, read from the views if they are not in memory.
    pub fn directory(&mut self) -> Result<(&Directory, &School), DeviceError> {
        self.load_directory()?;
        self.directory.as_ref().map(|(directory, school)| (directory, school)).ok_or(DeviceError::NoAccount)
    }

    pub(super) fn forget_directory_if(&mut self, document: DocumentId) {
        let kind = self.header(document).map(|header| header.identity.kind);
        if matches!(kind, Some(Kind::School | Kind::ClassRoster | Kind::ClassBook | Kind::PupilGuardians)) {
            self.directory = None;
        }
    }

    pub(super) fn load_directory(&mut self) -> Result<(), DeviceError> {
        if self.directory.is_some() {
            return Ok(());
        }
        let mut directory = Directory { version: self.state.directory, ..Directory::default() };
        let mut school = empty_school();
        let identities: Vec<_> = self.headers.values().map(|header| header.identity.clone()).collect();
        for identity in &identities {
            let part = |name: &str| self.part(identity.id, name).map(|part| part.keys);
            match (identity.kind, &identity.subject) {
                (Kind::School, _) => {
                    school = school_of(&|name| part(name))?;
                    read_people(&part("people")?, &mut directory);
                    read_classes(&part("settings")?, &mut directory);
                }
                (Kind::ClassRoster, Subject::Class(class)) => {
                    let entry = class_entry(&mut directory, class);
                    read_assignments(&part("assignments")?, entry);
                    read_enrolments(&part("enrolments")?, entry);
                }
                (Kind::ClassBook, Subject::Class(class)) => {
                    read_timetable(&part("timetable")?, class_entry(&mut directory, class));
                }
                (Kind::PupilRecord, Subject::Person(pupil)) => {
                    directory.pupils.insert(*pupil, read_profile(&part("profile")?));
                }
                (Kind::PupilGuardians, Subject::Person(pupil)) => {
                    directory.guardians.insert(*pupil, read_guardians(&part("guardians")?));
                }
                _ => {}
            }
        }
        // A class without roster here is unknown: only its site and hours are.
        directory.classes.retain(|class, _| {
            identities
                .iter()
                .any(|i| i.kind == Kind::ClassRoster && i.subject == Subject::Class(class.clone()))
        });
        self.directory = Some((directory, school));
        Ok(())
    }
}

fn class_entry<'a>(directory: &'a mut Directory, class: &ClassCode) -> &'a mut SchoolClass {
    directory.classes.entry(class.clone()).or_insert_with(|| SchoolClass {
        site: unknown_site(),
        weekly_hours: 0,
        coordinators: Vec::new(),
        assignments: Vec::new(),
        timetable: Vec::new(),
        enrolments: Vec::new(),
    })
}

fn unknown_site() -> SiteCode {
    SiteCode::new("-").expect("a dash is a code")
}

fn read_people(keys: &Keys, directory: &mut Directory) {
    for (key, fact) in live(keys) {
        let Some(person) = key.first().and_then(|id| id.parse::<PersonId>().ok()) else { continue };
        let mut member =
            StaffMember { name: fact.text("name").unwrap_or_default().to_owned(), roles: Vec::new() };
        for n in 1..=6 {
            let Some(map) = fact.map(&format!("r{n}")) else { continue };
            let text = |name: &str| match map.get(name) {
                Some(registro_documents::Scalar::Text(text)) => Some(text.as_str()),
                _ => None,
            };
            let role = text("role").and_then(|role| role.parse::<Role>().ok());
            let from = text("from").and_then(|from| parse_date(from).ok());
            if let (Some(role), Some(from)) = (role, from) {
                member.roles.push((role, Span { from, to: text("to").and_then(|to| parse_date(to).ok()) }));
            }
        }
        directory.staff.insert(person, member);
    }
}

fn read_classes(keys: &Keys, directory: &mut Directory) {
    for (key, fact) in live(keys) {
        if let ["class", code] = key.as_slice()
            && let (Ok(class), Some(Ok(site))) = (ClassCode::new(code), fact.text("site").map(SiteCode::new))
        {
            let entry = class_entry(directory, &class);
            entry.site = site;
            entry.weekly_hours = fact.int("weekly_hours").and_then(|h| u16::try_from(h).ok()).unwrap_or(0);
        }
    }
}

fn read_assignments(keys: &Keys, entry: &mut SchoolClass) {
    for (_, fact) in live(keys) {
        let (Some(teacher), Some(from)) = (fact.person("teacher"), fact.date("from")) else { continue };
        let span = Span { from, to: fact.date("to") };
        let kind = match fact.text("kind") {
            Some("coordinator") => {
                entry.coordinators.push((teacher, span));
                continue;
            }
            Some("lab") => AssignmentKind::Lab,
            Some("extra") => AssignmentKind::Extra,
            Some("alternative") => AssignmentKind::Alternative,
            _ => AssignmentKind::Normal,
        };
        let Some(Ok(subject)) = fact.text("subject").map(str::parse) else { continue };
        entry.assignments.push(TeachingAssignment {
            teacher,
            group: fact.text("group").and_then(|group| group.parse().ok()),
            subject,
            kind,
            span,
            supplies: fact.person("supplies"),
        });
    }
}

fn read_enrolments(keys: &Keys, entry: &mut SchoolClass) {
    for (key, fact) in live(keys) {
        if let [person, ..] = key.as_slice()
            && let Ok(person) = person.parse()
            && let Some(from) = enrolment_date(&key)
            && let Some(span) = span(&from, fact)
        {
            entry.enrolments.push((person, span));
        }
    }
}

/// Keys are split at `/`; a date has none.
fn enrolment_date(key: &[&str]) -> Option<String> {
    key.get(1).map(|date| (*date).to_owned())
}

fn read_timetable(keys: &Keys, entry: &mut SchoolClass) {
    for (key, fact) in live(keys) {
        let [weekday, slot, subject, group @ ..] = key.as_slice() else { continue };
        let (Ok(weekday), Ok(slot), Ok(subject)) = (weekday.parse(), slot.parse(), subject.parse()) else {
            continue;
        };
        let teachers = fact.map("teachers").map(|map| {
            map.values()
                .filter_map(|value| match value {
                    registro_documents::Scalar::Bytes(id) => PersonId::try_from(id.as_slice()).ok(),
                    _ => None,
                })
                .collect()
        });
        entry.timetable.push(TimetableEntry {
            weekday,
            slot,
            subject,
            group: group.first().and_then(|group| group.parse().ok()),
            teachers: teachers.unwrap_or_default(),
            room: fact.text("room").unwrap_or_default().to_owned(),
        });
    }
}

fn read_profile(keys: &Keys) -> Pupil {
    let mut pupil = Pupil::default();
    for (key, fact) in live(keys) {
        match key.as_slice() {
            ["name"] => {
                pupil.name = fact.text("name").unwrap_or_default().to_owned();
                pupil.born = fact.date("born");
            }
            ["class", from] => {
                if let (Some(Ok(class)), Some(span)) = (fact.text("class").map(str::parse), span(from, fact))
                {
                    pupil.classes.push((class, span));
                }
            }
            ["group", group, from] => {
                if let (Ok(group), Some(span)) = (group.parse(), span(from, fact)) {
                    pupil.groups.push((group, span));
                }
            }
            _ => {}
        }
    }
    pupil
}

fn read_guardians(keys: &Keys) -> Vec<Guardianship> {
    live(keys)
        .filter_map(|(key, fact)| {
            let [guardian, from] = key.as_slice() else { return None };
            Some(Guardianship {
                guardian: guardian.parse().ok()?,
                name: fact.text("name").unwrap_or_default().to_owned(),
                rights: match fact.text("rights") {
                    Some("complete") => GuardianRights::Complete,
                    Some("sees") => GuardianRights::SeesOnly,
                    _ => GuardianRights::None,
                },
                span: span(from, fact)?,
            })
        })
        .collect()
}

fn empty_school() -> School {
    let day = Date::MIN;
    School {
        code: String::new(),
        name: String::new(),
        year: SchoolYear { label: String::new(), start: day, end: day, lessons_from: day, lessons_to: day },
        terms: Vec::new(),
        sites: Vec::new(),
        closed_days: Vec::new(),
        slots: Vec::new(),
        subjects: Vec::new(),
        settings: Settings::default(),
    }
}

/// The school as the document `School` says it. `part` gives the decided keys of a section.
pub fn school_of<E>(part: &dyn Fn(&str) -> Result<Keys, E>) -> Result<School, E> {
    let mut school = empty_school();
    for (key, fact) in live(&part("settings")?) {
        let text = |name: &str| fact.text(name).unwrap_or_default().to_owned();
        match key.as_slice() {
            ["school"] => {
                school.code = text("code");
                school.name = text("name");
                let date = |name: &str| fact.date(name).unwrap_or(Date::MIN);
                school.year = SchoolYear {
                    label: text("year"),
                    start: date("start"),
                    end: date("end"),
                    lessons_from: date("lessons_from"),
                    lessons_to: date("lessons_to"),
                };
            }
            ["site", code] => {
                if let Ok(code) = SiteCode::new(code) {
                    school.sites.push(Site { code, name: text("name") });
                }
            }
            ["settings"] => school.settings = read_settings(fact),
            _ => {}
        }
    }
    for (key, fact) in live(&part("terms")?) {
        let (Some(code), Some(start), Some(end)) = (key.first(), fact.date("start"), fact.date("end")) else {
            continue;
        };
        school.terms.push(Term {
            code: (*code).to_owned(),
            position: fact.int("position").and_then(|p| u8::try_from(p).ok()).unwrap_or(0),
            label: fact.text("label").unwrap_or_default().to_owned(),
            start,
            end,
            is_final: fact.bool("final").unwrap_or(false),
        });
    }
    school.terms.sort_by_key(|term| term.position);
    for (key, fact) in live(&part("calendar")?) {
        let Some(Ok(date)) = key.first().map(|date| parse_date(date)) else { continue };
        let status = match fact.text("status") {
            Some("NW") => DayStatus::NonWorking,
            Some("HD") => DayStatus::Holiday,
            _ => DayStatus::NoLesson,
        };
        let site = key.get(1).and_then(|code| SiteCode::new(code).ok());
        school.closed_days.push(ClosedDay { date, site, status });
    }
    for (key, fact) in live(&part("slots")?) {
        let [site, weekday, position] = key.as_slice() else { continue };
        let (Ok(site), Ok(weekday), Ok(position)) = (SiteCode::new(site), weekday.parse(), position.parse())
        else {
            continue;
        };
        let (Some(start), Some(end)) = (fact.time("start"), fact.time("end")) else { continue };
        let half_units = fact.int("half_units").and_then(|h| u8::try_from(h).ok()).unwrap_or(2);
        school.slots.push(BellSlot { site, weekday, position, start, end, half_units });
    }
    for (key, fact) in live(&part("subjects")?) {
        let Some(Ok(code)) = key.first().map(|code| code.parse()) else { continue };
        let text = |name: &str| fact.text(name).unwrap_or_default();
        school.subjects.push(SchoolSubject {
            code,
            name: text("name").to_owned(),
            short_name: text("short").to_owned(),
            kind: match text("kind") {
                "religion" => SubjectKind::Religion,
                "support" => SubjectKind::LearningSupport,
                "behaviour" => SubjectKind::Behaviour,
                "civics" => SubjectKind::Civics,
                "substitution" => SubjectKind::Substitution,
                _ => SubjectKind::Normal,
            },
            evaluation: match text("evaluation") {
                "judgement" => Evaluation::Judgement,
                "none" => Evaluation::None,
                _ => Evaluation::Numeric,
            },
            in_mean: fact.bool("in_mean").unwrap_or(false),
            order: fact.int("order").and_then(|o| u16::try_from(o).ok()).unwrap_or(0),
        });
    }
    school.subjects.sort_by_key(|subject| subject.order);
    Ok(school)
}

fn read_settings(fact: &Fact) -> Settings {
    let defaults = Settings::default();
    let number =
        |name: &str, default: u16| fact.int(name).and_then(|n| u16::try_from(n).ok()).unwrap_or(default);
    let list = |name: &str| {
        fact.text(name)
            .unwrap_or_default()
            .split(',')
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    use JustificationKind::{Absence, Entry, Exit, Permit};
    Settings {
        attendance_mode: match fact.text("attendance_mode") {
            Some("slot") => AttendanceMode::Slot,
            _ => AttendanceMode::Day,
        },
        short_late_min: number("short_late_min", defaults.short_late_min),
        justify_guardian: fact.bool("justify_guardian").unwrap_or(defaults.justify_guardian),
        justify_adult_pupil: fact.bool("justify_adult_pupil").unwrap_or(defaults.justify_adult_pupil),
        justify_kinds: list("justify_kinds")
            .iter()
            .filter_map(|word| [Absence, Entry, Exit, Permit].into_iter().find(|kind| kind.as_str() == word))
            .collect(),
        justify_reasons: list("justify_reasons"),
        year_weeks: number("year_weeks", defaults.year_weeks),
        absence_warn_pct: number("absence_warn_pct", 20) as u8,
        absence_danger_pct: number("absence_danger_pct", 25) as u8,
        late_push_days: number("late_push_days", defaults.late_push_days),
        weekly_closed_days: list("weekly_closed_days").iter().filter_map(|day| day.parse().ok()).collect(),
    }
}
