//! A school in miniature: two classes, a handful of people, every role of the register once.

// Constant text: what does not parse is a mistake in this file.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use registro_hub::clock::parse_instant;
use registro_hub::registry::{LoginFacts, MemoryRegistry, PupilDetails, Registered};
use registro_model::directory::{
    AssignmentKind, Directory, GuardianRights, Guardianship, Pupil, SchoolClass, StaffMember,
    TeachingAssignment, TimetableEntry,
};
use registro_model::ids::SiteCode;
use registro_model::people::Role;
use registro_model::school::{
    BellSlot, School, SchoolSubject, SchoolYear, Settings, Site, SubjectKind, Term,
};
use registro_model::time::Span;
use registro_model::{ClassCode, ClockTime, Date, PersonId, SchoolId};

/// The school.
pub const SCHOOL: SchoolId = SchoolId([0x5c; 16]);

/// The person with a number.
pub const fn person(n: u8) -> PersonId {
    PersonId([n; 16])
}

/// Teaches in 3A and 4B.
pub const TEACHER: PersonId = person(1);
/// Teaches in 3A, where P2 is their own child.
pub const SECOND: PersonId = person(2);
/// Teaches in 3A.
pub const THIRD: PersonId = person(3);
/// A teacher without a class.
pub const SUBSTITUTE: PersonId = person(4);
/// Coordinates 3A.
pub const COORDINATOR: PersonId = person(5);
/// Replaced in 3A from 12 October to 22 December.
pub const REPLACED: PersonId = person(6);
/// Who replaces.
pub const SUPPLY: PersonId = person(7);
/// The head (*dirigente scolastico*).
pub const HEAD: PersonId = person(8);
/// The office (*segreteria*).
pub const OFFICE: PersonId = person(9);
/// A caretaker (*collaboratore scolastico*).
pub const CARETAKER: PersonId = person(10);
/// A pupil of 3A.
pub const P1: PersonId = person(21);
/// A pupil of 3A.
pub const P2: PersonId = person(22);
/// Moved from 4B to 3A on 2 November.
pub const MOVED: PersonId = person(23);
/// A pupil of 4B.
pub const Q1: PersonId = person(31);
/// Complete rights over P1 and Q1.
pub const MOTHER: PersonId = person(41);
/// Sees P1 only.
pub const FATHER: PersonId = person(42);
/// No rights over P2, by court order.
pub const ESTRANGED: PersonId = person(43);
/// Complete rights over the pupil who moved.
pub const GUARDIAN_OF_MOVED: PersonId = person(44);

/// A day.
pub fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// A class.
pub fn class(code: &str) -> ClassCode {
    ClassCode::new(code).unwrap()
}

/// An instant in Italy in winter.
pub fn at(text: &str) -> i64 {
    parse_instant(&format!("{text}:00+01:00")).unwrap()
}

/// Monday 23 November 2026, before eight.
pub fn morning() -> i64 {
    at("2026-11-23T07:30")
}

fn year() -> Span {
    Span { from: day("2026-09-01"), to: Some(day("2027-08-31")) }
}

fn staff(name: &str, roles: &[Role]) -> StaffMember {
    StaffMember { name: name.to_owned(), roles: roles.iter().map(|role| (*role, year())).collect() }
}

fn assignment(teacher: PersonId, subject: &str) -> TeachingAssignment {
    TeachingAssignment {
        teacher,
        group: None,
        subject: subject.parse().unwrap(),
        kind: AssignmentKind::Normal,
        span: year(),
        supplies: None,
    }
}

fn line(slot: u8, subject: &str, teacher: PersonId) -> TimetableEntry {
    TimetableEntry {
        weekday: 1,
        slot,
        subject: subject.parse().unwrap(),
        group: None,
        teachers: vec![teacher],
        room: "12".to_owned(),
    }
}

fn pupil(name: &str, classes: &[(&str, &str, Option<&str>)]) -> Pupil {
    Pupil {
        name: name.to_owned(),
        born: Some(day("2010-03-01")),
        classes: classes
            .iter()
            .map(|(code, from, to)| (class(code), Span { from: day(from), to: to.map(day) }))
            .collect(),
        groups: Vec::new(),
    }
}

fn guardian(guardian: PersonId, name: &str, rights: GuardianRights) -> Guardianship {
    Guardianship { guardian, name: name.to_owned(), rights, span: year() }
}

/// The school as a hub knows it.
pub fn registry() -> MemoryRegistry {
    let site = SiteCode::new("C").unwrap();
    let time = |hour, minute| ClockTime::new(hour, minute).unwrap();
    let slots = (1..=6)
        .flat_map(|weekday| (1..=5).map(move |position| (weekday, position)))
        .map(|(weekday, position)| BellSlot {
            site: site.clone(),
            weekday,
            position,
            start: time(7 + u16::from(position), 20),
            end: time(8 + u16::from(position), 20),
            half_units: 2,
        })
        .collect();
    let school = School {
        code: "QZIS00100X".to_owned(),
        name: "IIS di prova".to_owned(),
        year: SchoolYear {
            label: "2026/2027".to_owned(),
            start: day("2026-09-01"),
            end: day("2027-08-31"),
            lessons_from: day("2026-09-14"),
            lessons_to: day("2027-06-08"),
        },
        terms: vec![Term {
            code: "P".to_owned(),
            position: 1,
            label: "Primo trimestre".to_owned(),
            start: day("2026-09-14"),
            end: day("2026-12-22"),
            is_final: false,
        }],
        sites: vec![Site { code: site.clone(), name: "Centrale".to_owned() }],
        closed_days: Vec::new(),
        slots,
        subjects: vec![SchoolSubject {
            code: "ITA".parse().unwrap(),
            name: "Italiano".to_owned(),
            short_name: "Ita".to_owned(),
            kind: SubjectKind::Normal,
            evaluation: registro_model::school::Evaluation::Numeric,
            in_mean: true,
            order: 1,
        }],
        settings: Settings::default(),
    };
    let mut directory = Directory { version: 1, complete: true, ..Directory::default() };
    for (id, name, roles) in [
        (TEACHER, "Uno Anna", &[Role::Teacher][..]),
        (SECOND, "Due Bruno", &[Role::Teacher]),
        (THIRD, "Tre Carla", &[Role::Teacher]),
        (SUBSTITUTE, "Quattro Dario", &[Role::Teacher]),
        (COORDINATOR, "Cinque Elena", &[Role::Teacher]),
        (REPLACED, "Sei Fabio", &[Role::Teacher]),
        (SUPPLY, "Sette Gina", &[Role::Teacher]),
        (HEAD, "Otto Ines", &[Role::Head]),
        (OFFICE, "Nove Luca", &[Role::Office]),
        (CARETAKER, "Dieci Marta", &[Role::SupportStaff]),
    ] {
        directory.staff.insert(id, staff(name, roles));
    }
    let mut supply = assignment(SUPPLY, "ITA");
    supply.span = Span { from: day("2026-10-12"), to: Some(day("2026-12-22")) };
    supply.supplies = Some(REPLACED);
    let end = Some("2027-08-31");
    directory.classes.insert(
        class("3A"),
        SchoolClass {
            site: site.clone(),
            weekly_hours: 30,
            coordinators: vec![(COORDINATOR, year())],
            assignments: vec![
                assignment(TEACHER, "ITA"),
                assignment(SECOND, "ITA"),
                assignment(THIRD, "ITA"),
                assignment(REPLACED, "ITA"),
                supply,
            ],
            timetable: vec![line(1, "ITA", TEACHER), line(2, "ITA", SECOND), line(3, "ITA", THIRD)],
            enrolments: vec![
                (P1, year()),
                (P2, year()),
                (MOVED, Span { from: day("2026-11-02"), to: Some(day("2027-08-31")) }),
            ],
        },
    );
    directory.classes.insert(
        class("4B"),
        SchoolClass {
            site,
            weekly_hours: 30,
            coordinators: Vec::new(),
            assignments: vec![assignment(TEACHER, "ITA")],
            timetable: Vec::new(),
            enrolments: vec![
                (Q1, year()),
                (MOVED, Span { from: day("2026-09-01"), to: Some(day("2026-11-01")) }),
            ],
        },
    );
    directory.pupils.insert(P1, pupil("Alfa Primo", &[("3A", "2026-09-01", end)]));
    directory.pupils.insert(P2, pupil("Beta Secondo", &[("3A", "2026-09-01", end)]));
    directory.pupils.insert(
        MOVED,
        pupil("Gamma Terza", &[("4B", "2026-09-01", Some("2026-11-01")), ("3A", "2026-11-02", end)]),
    );
    directory.pupils.insert(Q1, pupil("Delta Quarto", &[("4B", "2026-09-01", end)]));
    directory.guardians.insert(
        P1,
        vec![
            guardian(MOTHER, "Madre Alfa", GuardianRights::Complete),
            guardian(FATHER, "Padre Alfa", GuardianRights::SeesOnly),
        ],
    );
    directory.guardians.insert(
        P2,
        vec![
            guardian(ESTRANGED, "Lontano Beta", GuardianRights::None),
            guardian(SECOND, "Due Bruno", GuardianRights::Complete),
        ],
    );
    directory
        .guardians
        .insert(MOVED, vec![guardian(GUARDIAN_OF_MOVED, "Tutrice Gamma", GuardianRights::Complete)]);
    directory.guardians.insert(Q1, vec![guardian(MOTHER, "Madre Alfa", GuardianRights::Complete)]);
    let details = PupilDetails {
        religion: vec![("S".to_owned(), year())],
        annual_hours: vec![(990, year())],
        previous_hours: None,
        supported_by: Vec::new(),
    };
    let mut pupils: BTreeMap<_, _> = [P1, P2, MOVED, Q1].map(|id| (id, details.clone())).into();
    pupils.get_mut(&P2).unwrap().supported_by.push((COORDINATOR, year()));
    let codes = [("D001", TEACHER), ("D002", SECOND), ("P009", OFFICE), ("MDRALF", MOTHER)]
        .map(|(code, id)| (code.to_owned(), id))
        .into();
    MemoryRegistry {
        school_id: SCHOOL,
        registered: Registered { school, directory, pupils, login: LoginFacts::default() },
        codes,
    }
}
