//! Who may log in on which day, in a school of a few people.

use registro_model::directory::{Directory, Guardianship, Pupil, SchoolClass, StaffMember};
use registro_model::ids::SiteCode;
use registro_model::people::Role;
use registro_model::school::{School, SchoolYear, Settings};
use registro_model::{ClassCode, Date};

use super::*;
use crate::registry::LoginFacts;

const TEACHER: PersonId = PersonId([1; 16]);
const PUPIL: PersonId = PersonId([2; 16]);
const LEAVER: PersonId = PersonId([3; 16]);
const CHILD: PersonId = PersonId([4; 16]);
const MOTHER: PersonId = PersonId([5; 16]);
const ESTRANGED: PersonId = PersonId([6; 16]);
const MOTHER_OF_LEAVER: PersonId = PersonId([7; 16]);
const SUPPLY: PersonId = PersonId([8; 16]);
const GRADUATE: PersonId = PersonId([9; 16]);

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn span(from: &str, to: &str) -> Span {
    Span { from: day(from), to: Some(day(to)) }
}

fn year() -> Span {
    span("2026-09-01", "2027-08-31")
}

fn school() -> Registered {
    let site = |code: &str| SiteCode::new(code).unwrap();
    let class = |code: &str| ClassCode::new(code).unwrap();
    let mut directory = Directory { complete: true, ..Directory::default() };
    for (code, at) in [("3A", "C"), ("1M", "M")] {
        let entry = SchoolClass {
            site: site(at),
            weekly_hours: 30,
            coordinators: Vec::new(),
            assignments: Vec::new(),
            timetable: Vec::new(),
            enrolments: Vec::new(),
        };
        directory.classes.insert(class(code), entry);
    }
    for (id, role_span) in [(TEACHER, year()), (SUPPLY, span("2026-10-12", "2026-12-22"))] {
        let member = StaffMember { name: "Prova".to_owned(), roles: vec![(Role::Teacher, role_span)] };
        directory.staff.insert(id, member);
    }
    for (id, code, span) in [
        (PUPIL, "3A", year()),
        (LEAVER, "3A", span("2026-09-01", "2027-01-15")),
        (CHILD, "1M", year()),
        (GRADUATE, "3A", span("2025-09-01", "2026-08-31")),
    ] {
        directory.pupils.insert(id, Pupil { classes: vec![(class(code), span)], ..Pupil::default() });
    }
    let guardian = |guardian, rights| Guardianship { guardian, name: String::new(), rights, span: year() };
    directory.guardians.insert(CHILD, vec![guardian(MOTHER, GuardianRights::SeesOnly)]);
    directory.guardians.insert(PUPIL, vec![guardian(ESTRANGED, GuardianRights::None)]);
    directory.guardians.insert(LEAVER, vec![guardian(MOTHER_OF_LEAVER, GuardianRights::Complete)]);
    Registered {
        school: School {
            code: "QZIS00100X".to_owned(),
            name: "Prova".to_owned(),
            year: SchoolYear {
                label: "2026/2027".to_owned(),
                start: day("2026-09-01"),
                end: day("2027-08-31"),
                lessons_from: day("2026-09-14"),
                lessons_to: day("2027-06-08"),
            },
            terms: Vec::new(),
            sites: Vec::new(),
            closed_days: Vec::new(),
            slots: Vec::new(),
            subjects: Vec::new(),
            settings: Settings::default(),
        },
        directory,
        pupils: Default::default(),
        login: LoginFacts { first_cycle: [site("M")].into(), ..LoginFacts::default() },
    }
}

fn ask(person: PersonId, today: &str) -> Entitlement {
    of(&school(), MonthDay::new(8, 31).unwrap(), person, day(today))
}

fn until(text: &str) -> Entitlement {
    Entitlement::Entitled { until: day(text) }
}

#[test]
fn staff_and_upper_secondary_pupils_log_in_and_september_does_not_lock_them_out() {
    for person in [TEACHER, PUPIL] {
        assert_eq!(ask(person, "2026-11-23"), until("2027-10-31"));
        assert_eq!(ask(person, "2027-09-01"), until("2027-10-31"));
        assert!(matches!(ask(person, "2027-11-01"), Entitlement::PushOnly { .. }));
    }
}

#[test]
fn a_pupil_of_the_first_cycle_holds_no_account_and_the_parent_does() {
    assert_eq!(ask(CHILD, "2026-11-23"), Entitlement::Refused(Refusal::FirstCycle));
    assert_eq!(ask(MOTHER, "2026-11-23"), until("2027-10-31"));
}

#[test]
fn a_guardian_without_rights_holds_no_account_nor_does_a_stranger() {
    assert_eq!(ask(ESTRANGED, "2026-11-23"), Entitlement::Refused(Refusal::NoRole));
    assert_eq!(ask(PersonId([99; 16]), "2026-11-23"), Entitlement::Refused(Refusal::NoRole));
}

#[test]
fn a_leaver_and_the_leavers_guardian_read_until_31_august_then_hand_in_then_nothing() {
    for person in [LEAVER, MOTHER_OF_LEAVER] {
        assert_eq!(ask(person, "2027-03-01"), until("2027-08-31"));
        assert_eq!(ask(person, "2027-08-31"), until("2027-08-31"));
        let ended = day("2027-08-31");
        assert_eq!(ask(person, "2027-09-14"), Entitlement::PushOnly { ended, until: day("2027-09-14") });
        assert_eq!(ask(person, "2027-09-15"), Entitlement::Refused(Refusal::Left { since: ended }));
    }
}

#[test]
fn who_is_not_in_the_new_year_left_with_the_old_one() {
    let since = day("2026-08-31");
    assert_eq!(ask(GRADUATE, "2026-11-23"), Entitlement::Refused(Refusal::Left { since }));
}

#[test]
fn a_role_of_some_weeks_ends_on_its_last_day() {
    assert_eq!(ask(SUPPLY, "2026-10-11"), Entitlement::Refused(Refusal::NoRole));
    assert_eq!(ask(SUPPLY, "2026-12-22"), until("2026-12-22"));
    let ended = day("2026-12-22");
    assert_eq!(ask(SUPPLY, "2026-12-23"), Entitlement::PushOnly { ended, until: day("2027-01-05") });
    assert_eq!(ask(SUPPLY, "2027-01-06"), Entitlement::Refused(Refusal::Left { since: ended }));
}

#[test]
fn the_best_of_several_qualities_holds() {
    let mut school = school();
    school.directory.guardians.entry(PUPIL).or_default().push(Guardianship {
        guardian: SUPPLY,
        name: String::new(),
        rights: GuardianRights::Complete,
        span: year(),
    });
    let found = of(&school, MonthDay::new(8, 31).unwrap(), SUPPLY, day("2027-01-20"));
    assert_eq!(found, until("2027-10-31"));
}
