//! The tables as the dated directory that rules ask.

use std::collections::{BTreeMap, BTreeSet};

use registro_model::directory::{
    AssignmentKind, Directory, GuardianRights, Guardianship, Pupil, SchoolClass, StaffMember,
    TeachingAssignment, TimetableEntry,
};
use registro_model::people::Role;
use registro_model::school::{
    AttendanceMode, BellSlot, ClosedDay, DayStatus, Evaluation, JustificationKind, School, SchoolSubject,
    SchoolYear, Settings, Site, SubjectKind, Term,
};
use registro_model::time::Span;
use registro_model::{ClassCode, ClockTime, Date, PersonId};
use rusqlite::Connection;
use serde::de::DeserializeOwned;

use crate::error::HubError;
use crate::import::people::{PupilRow, StaffRow};
use crate::import::school::{ClosureRow, SchoolRow, SlotRow, SubjectRow};
use crate::import::teaching::{AssignmentRow, ClassRow, GroupRow, TimetableRow};
use crate::registry::{LoginFacts, PupilDetails, Registered};

fn rows<T: DeserializeOwned>(database: &Connection, kind: &str) -> Result<Vec<T>, HubError> {
    let mut query = database.prepare("SELECT value FROM imported WHERE kind = ?1 ORDER BY key")?;
    let rows = query.query_map([kind], |row| row.get::<_, String>(0))?;
    rows.map(|row| serde_json::from_str(&row?).map_err(|_| HubError::Stored("an imported row"))).collect()
}

/// Hours by which the annual hours of a pupil shrink who does nothing in the hours of religion: one a week.
fn hours_not_taken(religion: &str, weeks: u32) -> u32 {
    // U leaves the school, I and D study: no lesson carries hours for them. A has the alternative's hours.
    if matches!(religion, "U" | "I" | "D") { weeks } else { 0 }
}

/// Last day of a class joined on a day and left on none: a class is of one school year. A pupil of last year whom this
/// year's files do not name has left.
fn last_day(joined: Date, info: &SchoolRow) -> Option<Date> {
    if joined < info.start { info.start.pred_opt() } else { Some(info.end) }
}

/// Notes where mail reaches a person; the first address holds.
fn note_email(login: &mut LoginFacts, person: PersonId, email: &str) {
    if let Some(email) = crate::import::email::accepted(email) {
        login.emails.entry(person).or_insert(email);
    }
}

/// Reads it all.
pub fn load(database: &Connection) -> Result<Registered, HubError> {
    super::migrate(database)?;
    let bad = |what: &'static str| move |_| HubError::Stored(what);
    let info: SchoolRow = rows(database, "school")?
        .into_iter()
        .next()
        .ok_or_else(|| HubError::Registry("no school was imported".to_owned()))?;
    let mut people: BTreeMap<String, PersonId> = BTreeMap::new();
    let mut query = database.prepare("SELECT code, id FROM person")?;
    for row in query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?)))? {
        let (code, id) = row?;
        people.insert(code, PersonId::try_from(id.as_slice()).map_err(bad("a person's id"))?);
    }
    let person = |code: &str| people.get(code).copied().ok_or(HubError::Stored("a person without id"));
    let school = school(database, &info)?;

    let mut login = LoginFacts { office_email: info.email.clone(), ..LoginFacts::default() };
    for site in &info.first_cycle_sites {
        login.first_cycle.insert(site.parse().map_err(bad("a site"))?);
    }
    let mut directory = Directory { complete: true, ..Directory::default() };
    directory.version =
        database.query_row("SELECT version FROM directory_version", [], |row| row.get::<_, u64>(0))?;
    let whole_year = Span { from: info.start, to: Some(info.end) };
    for row in rows::<StaffRow>(database, "staff")? {
        let role = match row.role.as_str() {
            "head" => Role::Head,
            "office" => Role::Office,
            "teacher" => Role::Teacher,
            _ => Role::SupportStaff,
        };
        let span = Span { from: row.from.unwrap_or(info.start), to: Some(row.to.unwrap_or(info.end)) };
        let id = person(&row.code)?;
        note_email(&mut login, id, &row.email);
        login.codes.insert(id, row.code.clone());
        let member = directory
            .staff
            .entry(id)
            .or_insert_with(|| StaffMember { name: row.name.clone(), roles: Vec::new() });
        member.roles.push((role, span));
    }
    for row in rows::<ClassRow>(database, "class")? {
        let coordinators = match &row.coordinator {
            Some(code) => vec![(person(code)?, whole_year)],
            None => Vec::new(),
        };
        let class = SchoolClass {
            site: row.site.parse().map_err(bad("a site"))?,
            weekly_hours: row.weekly_hours as u16,
            coordinators,
            assignments: Vec::new(),
            timetable: Vec::new(),
            enrolments: Vec::new(),
        };
        directory.classes.insert(row.code.parse().map_err(bad("a class"))?, class);
    }
    let class_hours: BTreeMap<ClassCode, u32> =
        directory.classes.iter().map(|(code, class)| (code.clone(), u32::from(class.weekly_hours))).collect();

    let mut families: Vec<(PersonId, String)> = Vec::new();
    let groups: Vec<GroupRow> = rows(database, "group")?;
    let mut details: BTreeMap<PersonId, PupilDetails> = BTreeMap::new();
    for row in rows::<PupilRow>(database, "pupil")? {
        let id = person(&super::pupil_code(&row.number))?;
        let mut pupil = Pupil { name: row.name.clone(), born: Some(row.born), ..Pupil::default() };
        let mut detail =
            PupilDetails { previous_hours: row.previous_hours.map(|h| h as u16), ..PupilDetails::default() };
        for enrolment in &row.enrolments {
            let class: ClassCode = enrolment.class.parse().map_err(bad("a class"))?;
            let span = Span { from: enrolment.from, to: enrolment.to.or(last_day(enrolment.from, &info)) };
            if let Some(entry) = directory.classes.get_mut(&class) {
                entry.enrolments.push((id, span));
            }
            for group in groups.iter().filter(|g| g.classes.contains(&enrolment.class) && g.has(&row)) {
                pupil.groups.push((group.code.parse().map_err(bad("a group"))?, span));
            }
            let weekly = class_hours.get(&class).copied().unwrap_or(0);
            let hours =
                (weekly * info.year_weeks).saturating_sub(hours_not_taken(&row.religion, info.year_weeks));
            detail.annual_hours.push((hours as u16, span));
            pupil.classes.push((class, span));
        }
        let in_school = Span {
            from: row.enrolments.first().map_or(info.start, |e| e.from),
            to: row.enrolments.last().map_or(Some(info.end), |e| e.to.or(last_day(e.from, &info))),
        };
        detail.religion.push((row.religion.clone(), in_school));
        let mut guardians = Vec::new();
        for guardian in &row.guardians {
            let guardian_id = person(&guardian.fiscal_code)?;
            families.push((guardian_id, guardian.email.clone()));
            guardians.push(Guardianship {
                guardian: guardian_id,
                name: guardian.name.clone(),
                rights: match guardian.rights.as_str() {
                    "C" => GuardianRights::Complete,
                    "L" => GuardianRights::SeesOnly,
                    _ => GuardianRights::None,
                },
                span: whole_year,
            });
        }
        families.push((id, row.email.clone()));
        login.codes.entry(id).or_insert_with(|| row.number.clone());
        directory.guardians.insert(id, guardians);
        directory.pupils.insert(id, pupil);
        details.insert(id, detail);
    }

    // The address that the school gave a member of staff comes first, also for who is a parent too.
    families.into_iter().for_each(|(id, email)| note_email(&mut login, id, &email));

    let ended = ended(database)?;
    for row in rows::<AssignmentRow>(database, "assignment")? {
        let teacher = person(&row.teacher)?;
        let mut span = Span { from: row.from, to: row.to };
        if let Some(since) = ended.get(&(teacher, row.class.clone())) {
            let last = since.pred_opt();
            span.to = match (span.to, last) {
                (Some(to), Some(last)) => Some(to.min(last)),
                (to, last) => last.or(to),
            };
        }
        if let Some(pupil) = &row.pupil {
            details.entry(person(&super::pupil_code(pupil))?).or_default().supported_by.push((teacher, span));
        }
        let class: ClassCode = row.class.parse().map_err(bad("a class"))?;
        let Some(entry) = directory.classes.get_mut(&class) else { continue };
        entry.assignments.push(TeachingAssignment {
            teacher,
            group: row.group.as_deref().map(str::parse).transpose().map_err(bad("a group"))?,
            subject: row.subject.parse().map_err(bad("a subject"))?,
            kind: match row.kind.as_str() {
                "I" => AssignmentKind::Lab,
                "P" => AssignmentKind::Extra,
                "A" => AssignmentKind::Alternative,
                _ => AssignmentKind::Normal,
            },
            span,
            supplies: row.supplies.as_deref().map(person).transpose()?,
        });
    }
    timetable(database, &mut directory, &person)?;
    directory.begun_councils = councils(database)?;
    Ok(Registered { school, directory, pupils: details, login })
}

fn ended(database: &Connection) -> Result<BTreeMap<(PersonId, String), Date>, HubError> {
    let mut query = database.prepare("SELECT teacher, class, since FROM ended")?;
    let rows = query.query_map([], |row| {
        Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
    })?;
    rows.map(|row| {
        let (teacher, class, since) = row?;
        let teacher =
            PersonId::try_from(teacher.as_slice()).map_err(|_| HubError::Stored("a person's id"))?;
        let since = since.parse().map_err(|_| HubError::Stored("a date"))?;
        Ok(((teacher, class), since))
    })
    .collect()
}

fn councils(database: &Connection) -> Result<BTreeSet<(ClassCode, String)>, HubError> {
    let mut query = database.prepare("SELECT class, term FROM begun_council")?;
    let rows = query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    rows.map(|row| {
        let (class, term) = row?;
        Ok((class.parse().map_err(|_| HubError::Stored("a class"))?, term))
    })
    .collect()
}

/// Lines of one class, slot, subject and group are one entry with several teachers.
fn timetable(
    database: &Connection,
    directory: &mut Directory,
    person: &dyn Fn(&str) -> Result<PersonId, HubError>,
) -> Result<(), HubError> {
    for row in rows::<TimetableRow>(database, "timetable")? {
        let class: ClassCode = row.class.parse().map_err(|_| HubError::Stored("a class"))?;
        let teacher = person(&row.teacher)?;
        let subject = row.subject.parse().map_err(|_| HubError::Stored("a subject"))?;
        let group =
            row.group.as_deref().map(str::parse).transpose().map_err(|_| HubError::Stored("a group"))?;
        let Some(entry) = directory.classes.get_mut(&class) else { continue };
        let same = entry.timetable.iter_mut().find(|line| {
            line.weekday == row.weekday
                && line.slot == row.slot
                && line.subject == subject
                && line.group == group
        });
        match same {
            Some(line) => line.teachers.push(teacher),
            None => entry.timetable.push(TimetableEntry {
                weekday: row.weekday,
                slot: row.slot,
                subject,
                group,
                teachers: vec![teacher],
                room: row.room,
            }),
        }
    }
    Ok(())
}

fn school(database: &Connection, info: &SchoolRow) -> Result<School, HubError> {
    let bad = |what: &'static str| move |_| HubError::Stored(what);
    let mut closed_days = BTreeSet::new();
    for row in rows::<ClosureRow>(database, "closure")? {
        let status = match row.status.as_str() {
            "NW" => DayStatus::NonWorking,
            "HD" => DayStatus::Holiday,
            _ => DayStatus::NoLesson,
        };
        let site = row.site.as_deref().map(str::parse).transpose().map_err(bad("a site"))?;
        for date in row.from.iter_days().take_while(|date| *date <= row.to) {
            closed_days.insert((date, site.clone(), status));
        }
    }
    if let Some(patron) = info.patron {
        closed_days.insert((patron, None, DayStatus::NonWorking));
    }
    // A day listed twice for the same site keeps the stronger status.
    let mut strongest: BTreeMap<_, DayStatus> = BTreeMap::new();
    for (date, site, status) in closed_days {
        let kept = strongest.entry((date, site)).or_insert(status);
        *kept = (*kept).max(status);
    }
    let kinds = [JustificationKind::Absence, JustificationKind::Entry, JustificationKind::Exit];
    let mut justify_kinds: Vec<_> =
        kinds.into_iter().zip(info.justify).filter(|(_, on)| *on).map(|(kind, _)| kind).collect();
    justify_kinds.push(JustificationKind::Permit);
    Ok(School {
        code: info.code.clone(),
        name: info.name.clone(),
        year: SchoolYear {
            label: info.label.clone(),
            start: info.start,
            end: info.end,
            lessons_from: info.lessons_from,
            lessons_to: info.lessons_to,
        },
        terms: info
            .terms
            .iter()
            .enumerate()
            .map(|(index, term)| Term {
                code: term.code.clone(),
                position: (index + 1) as u8,
                label: term.label.clone(),
                start: term.start,
                end: term.end,
                is_final: term.is_final,
            })
            .collect(),
        sites: info
            .sites
            .iter()
            .map(|(code, name)| Ok(Site { code: code.parse().map_err(bad("a site"))?, name: name.clone() }))
            .collect::<Result<_, HubError>>()?,
        closed_days: strongest
            .into_iter()
            .map(|((date, site), status)| ClosedDay { date, site, status })
            .collect(),
        slots: rows::<SlotRow>(database, "slot")?
            .into_iter()
            .map(|row| {
                let time = |minutes| ClockTime::from_minutes(minutes).ok_or(HubError::Stored("a time"));
                Ok(BellSlot {
                    site: row.site.parse().map_err(bad("a site"))?,
                    weekday: row.weekday,
                    position: row.position,
                    start: time(row.start)?,
                    end: time(row.end)?,
                    half_units: row.half_units,
                })
            })
            .collect::<Result<_, HubError>>()?,
        subjects: rows::<SubjectRow>(database, "subject")?
            .into_iter()
            .map(|row| {
                Ok(SchoolSubject {
                    code: row.code.parse().map_err(bad("a subject"))?,
                    name: row.name,
                    short_name: row.short,
                    kind: match row.kind.as_str() {
                        "R" => SubjectKind::Religion,
                        "S" => SubjectKind::LearningSupport,
                        "C" => SubjectKind::Behaviour,
                        "E" => SubjectKind::Civics,
                        "U" => SubjectKind::Substitution,
                        _ => SubjectKind::Normal,
                    },
                    evaluation: match row.evaluation.as_str() {
                        "G" => Evaluation::Judgement,
                        "A" => Evaluation::None,
                        _ => Evaluation::Numeric,
                    },
                    in_mean: row.in_mean && row.kind != "R",
                    order: row.order as u16,
                })
            })
            .collect::<Result<_, HubError>>()?,
        settings: Settings {
            attendance_mode: if info.per_slot { AttendanceMode::Slot } else { AttendanceMode::Day },
            short_late_min: info.short_late_min as u16,
            justify_guardian: info.justify_guardian,
            justify_adult_pupil: info.justify_adult_pupil,
            justify_kinds,
            justify_reasons: info.justify_reasons.clone(),
            year_weeks: info.year_weeks as u16,
            absence_warn_pct: info.warn_pct as u8,
            absence_danger_pct: info.danger_pct as u8,
            weekly_closed_days: info.weekly_closed.clone(),
            ..Settings::default()
        },
    })
}
