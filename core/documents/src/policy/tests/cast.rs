//! The invented school of the policy's tests, and how it is asked.

use registro_model::directory::{
    AssignmentKind, Directory, GuardianRights, Guardianship, Pupil, SchoolClass, StaffMember,
    TeachingAssignment, TimetableEntry,
};
use registro_model::ids::SiteCode;
use registro_model::people::Role;
use registro_model::school::{BellSlot, ClosedDay, DayStatus, School, SchoolYear, Settings, Term};
use registro_model::time::Span;
use registro_model::{Capacity, ClassCode, CommandId, Date, DocumentId, PersonId, SchoolId, SubjectCode};

use crate::fact::Fact;
use crate::identity::{DocumentIdentity, Subject};
use crate::kind::Kind;
use crate::policy::{Answer, Question, Replaced, judge};

pub const SCHOOL: SchoolId = SchoolId([0xee; 16]);
/// The hub, as an author.
pub const HUB: PersonId = PersonId([0xee; 16]);
/// Teaches Italian in 2B until 31 January, first lesson on Mondays; coordinates 2B.
pub const NARDI: PersonId = PersonId([1; 16]);
/// Teaches English in 2B, second lesson on Mondays; replaced from 12 October to 22 December.
pub const PEREGO: PersonId = PersonId([2; 16]);
/// Replaces Perego.
pub const SUPPLY: PersonId = PersonId([3; 16]);
/// Teaches in 5A only.
pub const MELIS: PersonId = PersonId([4; 16]);
/// Learning support in 2B.
pub const SUPPORT: PersonId = PersonId([5; 16]);
pub const HEAD: PersonId = PersonId([6; 16]);
pub const OFFICE: PersonId = PersonId([7; 16]);
/// A caretaker.
pub const CARETAKER: PersonId = PersonId([8; 16]);
/// Of 2B from 12 October, before that of 5A; a minor.
pub const PUPIL: PersonId = PersonId([10; 16]);
/// Of 2B; 18 on 24 November 2026.
pub const ADULT: PersonId = PersonId([11; 16]);
/// Mother of both, complete right.
pub const MOTHER: PersonId = PersonId([12; 16]);
/// Sees only.
pub const FATHER: PersonId = PersonId([13; 16]);
/// Guardian without rights (court order).
pub const BARRED: PersonId = PersonId([14; 16]);
/// Complete right until 31 October.
pub const FORMER: PersonId = PersonId([15; 16]);
/// Nobody's.
pub const STRANGER: PersonId = PersonId([16; 16]);

pub const EVERYBODY: [PersonId; 16] = [
    HUB, NARDI, PEREGO, SUPPLY, MELIS, SUPPORT, HEAD, OFFICE, CARETAKER, PUPIL, ADULT, MOTHER, FATHER,
    BARRED, FORMER, STRANGER,
];

pub fn date(text: &str) -> Date {
    text.parse().unwrap()
}

pub fn span(from: &str, to: &str) -> Span {
    Span { from: date(from), to: (!to.is_empty()).then(|| date(to)) }
}

fn year() -> Span {
    span("2026-09-01", "2027-08-31")
}

/// Six-day week, one site, one slot more than needed on each weekday, terms P until 22 December and F from 7 January.
pub fn school() -> School {
    let site = SiteCode::new("C").unwrap();
    let term = |code: &str, position, from: &str, to: &str| Term {
        code: code.into(),
        position,
        label: code.into(),
        start: date(from),
        end: date(to),
        is_final: code == "F",
    };
    School {
        code: "QZIS00100X".into(),
        name: "Prova".into(),
        year: SchoolYear {
            label: "2026/2027".into(),
            start: date("2026-09-01"),
            end: date("2027-08-31"),
            lessons_from: date("2026-09-14"),
            lessons_to: date("2027-06-08"),
        },
        terms: vec![term("P", 1, "2026-09-14", "2026-12-22"), term("F", 2, "2027-01-07", "2027-06-08")],
        sites: vec![],
        closed_days: vec![ClosedDay { date: date("2026-12-08"), site: None, status: DayStatus::NonWorking }],
        slots: vec![BellSlot {
            site,
            weekday: 1,
            position: 1,
            start: "08:20".parse().unwrap(),
            end: "09:20".parse().unwrap(),
            half_units: 2,
        }],
        subjects: vec![],
        settings: Settings::default(),
    }
}

pub fn directory() -> Directory {
    let code = |text: &str| SubjectCode::new(text).unwrap();
    let assignment = |teacher, subject: &str, span, supplies| TeachingAssignment {
        teacher,
        group: None,
        subject: code(subject),
        kind: AssignmentKind::Normal,
        span,
        supplies,
    };
    let line = |slot, subject: &str, teacher| TimetableEntry {
        weekday: 1,
        slot,
        subject: code(subject),
        group: None,
        teachers: vec![teacher],
        room: "C1".into(),
    };
    let class = |coordinator, assignments, timetable| SchoolClass {
        site: SiteCode::new("C").unwrap(),
        weekly_hours: 27,
        coordinators: vec![(coordinator, year())],
        assignments,
        timetable,
        enrolments: vec![],
    };
    let mut directory = Directory { version: 7, complete: true, ..Directory::default() };
    directory.classes.insert(
        ClassCode::new("2B").unwrap(),
        class(
            NARDI,
            vec![
                assignment(NARDI, "ITA", span("2026-09-01", "2027-01-31"), None),
                assignment(PEREGO, "ING", year(), None),
                assignment(SUPPLY, "ING", span("2026-10-12", "2026-12-22"), Some(PEREGO)),
                assignment(SUPPORT, "SOS", year(), None),
            ],
            vec![line(1, "ITA", NARDI), line(2, "ING", PEREGO)],
        ),
    );
    directory.classes.insert(
        ClassCode::new("5A").unwrap(),
        class(MELIS, vec![assignment(MELIS, "MAT", year(), None)], vec![line(1, "MAT", MELIS)]),
    );
    let roles = [
        (NARDI, Role::Teacher),
        (PEREGO, Role::Teacher),
        (SUPPLY, Role::Teacher),
        (MELIS, Role::Teacher),
        (SUPPORT, Role::Teacher),
        (HEAD, Role::Head),
        (OFFICE, Role::Office),
        (CARETAKER, Role::SupportStaff),
    ];
    for (person, role) in roles {
        let span = if person == SUPPLY { span("2026-10-12", "2026-12-22") } else { year() };
        directory.staff.insert(person, StaffMember { name: "Prova".into(), roles: vec![(role, span)] });
    }
    let pupil =
        |born: &str, classes| Pupil { name: "Prova".into(), born: Some(date(born)), classes, groups: vec![] };
    let (class_2b, class_5a) = (ClassCode::new("2B").unwrap(), ClassCode::new("5A").unwrap());
    let moved =
        vec![(class_5a, span("2026-09-14", "2026-10-11")), (class_2b.clone(), span("2026-10-12", ""))];
    directory.pupils.insert(PUPIL, pupil("2011-05-02", moved));
    directory.pupils.insert(ADULT, pupil("2008-11-24", vec![(class_2b, span("2026-09-14", ""))]));
    let right = |guardian, rights, span| Guardianship { guardian, name: "Prova".into(), rights, span };
    for pupil in [PUPIL, ADULT] {
        directory.guardians.insert(
            pupil,
            vec![
                right(MOTHER, GuardianRights::Complete, year()),
                right(FATHER, GuardianRights::SeesOnly, year()),
                right(BARRED, GuardianRights::None, year()),
                right(FORMER, GuardianRights::Complete, span("2026-09-01", "2026-10-31")),
            ],
        );
    }
    directory
}

pub fn document(kind: Kind, subject: Subject) -> DocumentIdentity {
    DocumentIdentity { id: DocumentId([0xdd; 16]), kind, subject, year: "2026/2027".into(), generation: 0 }
}

pub fn record(pupil: PersonId) -> DocumentIdentity {
    document(Kind::PupilRecord, Subject::Person(pupil))
}

pub fn month(class: &str, month: &str) -> DocumentIdentity {
    document(Kind::ClassMonth, Subject::Month(ClassCode::new(class).unwrap(), month.into()))
}

/// One question, owned: the school and directory that are asked, and what is written.
#[derive(Debug, Clone)]
pub struct Case {
    pub school: School,
    pub directory: Directory,
    pub document: DocumentIdentity,
    pub author: PersonId,
    pub capacity: Capacity,
    pub section: &'static str,
    pub key: String,
    pub fact: Fact,
    pub replaced: Vec<(Fact, Option<PersonId>)>,
    pub latest: Option<Date>,
}

impl Case {
    pub fn new(
        document: DocumentIdentity,
        section: &'static str,
        key: &str,
        author: PersonId,
        capacity: Capacity,
    ) -> Self {
        Self {
            school: school(),
            directory: directory(),
            document,
            author,
            capacity,
            section,
            key: key.into(),
            fact: Fact::new(CommandId([1; 8]), capacity),
            replaced: vec![],
            latest: Some(date("2027-07-31")),
        }
    }

    pub fn with(mut self, name: &str, value: impl Into<crate::fact::Scalar>) -> Self {
        self.fact = self.fact.with(name, value);
        self
    }

    /// Over a fact of somebody, written in a capacity.
    pub fn over(mut self, author: PersonId, capacity: Capacity) -> Self {
        self.replaced.push((Fact::new(CommandId([9; 8]), capacity), Some(author)));
        self
    }

    pub fn until(mut self, latest: &str) -> Self {
        self.latest = Some(date(latest));
        self
    }

    pub fn in_school(mut self, change: impl FnOnce(&mut School)) -> Self {
        change(&mut self.school);
        self
    }

    pub fn knowing(mut self, change: impl FnOnce(&mut Directory)) -> Self {
        change(&mut self.directory);
        self
    }

    pub fn ask<T>(&self, asked: impl FnOnce(&Question<'_>) -> T) -> T {
        let replaced: Vec<_> =
            self.replaced.iter().map(|(fact, author)| Replaced { fact, author: *author }).collect();
        asked(&Question {
            school_id: SCHOOL,
            school: &self.school,
            directory: &self.directory,
            document: &self.document,
            author: self.author,
            capacity: self.capacity,
            section: self.section,
            key: &self.key,
            fact: &self.fact,
            replaced: &replaced,
            latest: self.latest,
        })
    }

    pub fn judged(&self) -> Answer {
        self.ask(judge)
    }
}
