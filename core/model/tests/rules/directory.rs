//! Who is what, by date; and what a partial directory says.

use registro_model::directory::{
    AssignmentKind, Directory, GuardianRights, Guardianship, Pupil, SchoolClass, StaffMember,
    TeachingAssignment, TimetableEntry,
};
use registro_model::people::Role;
use registro_model::time::Span;
use registro_model::{ClassCode, PersonId, SubjectCode};

use crate::school::{date, site};

pub const NARDI: PersonId = PersonId([1; 16]);
pub const PEREGO: PersonId = PersonId([2; 16]);
pub const SUPPLY: PersonId = PersonId([3; 16]);
pub const PUPIL: PersonId = PersonId([9; 16]);

pub fn class(code: &str) -> ClassCode {
    ClassCode::new(code).unwrap()
}

pub fn span(from: &str, to: &str) -> Span {
    Span { from: date(from), to: (!to.is_empty()).then(|| date(to)) }
}

fn assignment(
    teacher: PersonId,
    subject: &str,
    span: Span,
    supplies: Option<PersonId>,
) -> TeachingAssignment {
    let subject = SubjectCode::new(subject).unwrap();
    TeachingAssignment { teacher, group: None, subject, kind: AssignmentKind::Normal, span, supplies }
}

/// Nardi and Perego teach in 2B; Perego is replaced from 12 October to 22 December. Mondays: Nardi first, Perego second.
pub fn directory() -> Directory {
    let year = span("2026-09-01", "2027-08-31");
    let line = |slot, subject: &str, teacher| TimetableEntry {
        weekday: 1,
        slot,
        subject: SubjectCode::new(subject).unwrap(),
        group: None,
        teachers: vec![teacher],
        room: "C1".into(),
    };
    let class_2b = SchoolClass {
        site: site("C"),
        weekly_hours: 27,
        coordinators: vec![(NARDI, year)],
        assignments: vec![
            assignment(NARDI, "ITA", span("2026-09-01", "2027-01-31"), None),
            assignment(PEREGO, "ING", year, None),
            assignment(SUPPLY, "ING", span("2026-10-12", "2026-12-22"), Some(PEREGO)),
        ],
        timetable: vec![line(1, "ITA", NARDI), line(2, "ING", PEREGO)],
        enrolments: vec![(PUPIL, year)],
    };
    let mut directory = Directory { complete: true, ..Directory::default() };
    directory.classes.insert(class("2B"), class_2b);
    let teacher = StaffMember { name: "Nardi Silvia".into(), roles: vec![(Role::Teacher, year)] };
    directory.staff.insert(NARDI, teacher);
    let classes =
        vec![(class("2A"), span("2026-09-01", "2026-10-11")), (class("2B"), span("2026-10-12", ""))];
    directory.pupils.insert(PUPIL, Pupil { classes, ..Pupil::default() });
    let right = |rights, span| Guardianship { guardian: SUPPLY, name: "Riva Ada".into(), rights, span };
    directory.guardians.insert(
        PUPIL,
        vec![
            right(GuardianRights::Complete, span("2026-09-01", "2026-11-30")),
            right(GuardianRights::None, span("2026-12-01", "")),
        ],
    );
    directory
}

#[test]
fn an_assignment_holds_from_its_first_day_to_its_last() {
    let directory = directory();
    for (day, holds) in
        [("2026-08-31", false), ("2026-09-01", true), ("2027-01-31", true), ("2027-02-01", false)]
    {
        assert_eq!(directory.is_assigned(NARDI, &class("2B"), date(day)), Some(holds), "{day}");
    }
}

#[test]
fn while_a_supply_row_holds_the_supply_teacher_teaches_and_the_replaced_one_does_not() {
    let directory = directory();
    for (day, supplied) in
        [("2026-10-11", false), ("2026-10-12", true), ("2026-12-22", true), ("2026-12-23", false)]
    {
        let assigned = |who| directory.is_assigned(who, &class("2B"), date(day));
        assert_eq!(assigned(SUPPLY), Some(supplied), "{day}");
        assert_eq!(assigned(PEREGO), Some(!supplied), "{day}");
        assert_eq!(directory.is_away(PEREGO, date(day)), Some(supplied), "{day}");
        assert_eq!(directory.is_away(SUPPLY, date(day)), Some(false));
    }
}

#[test]
fn the_timetable_of_the_replaced_teacher_is_the_supply_teachers() {
    let directory = directory();
    let timetabled = |who, day: &str, slot| directory.is_timetabled(who, &class("2B"), date(day), slot);
    // Mondays within and after the supply row.
    assert_eq!(timetabled(SUPPLY, "2026-11-23", Some(2)), Some(true));
    assert_eq!(timetabled(SUPPLY, "2026-11-23", Some(1)), Some(false));
    assert_eq!(timetabled(PEREGO, "2026-11-23", Some(2)), Some(false));
    assert_eq!(timetabled(PEREGO, "2027-01-11", Some(2)), Some(true));
    assert_eq!(timetabled(SUPPLY, "2027-01-11", Some(2)), Some(false));
    assert_eq!(timetabled(NARDI, "2026-11-23", None), Some(true));
    assert_eq!(timetabled(NARDI, "2026-11-24", None), Some(false), "Tuesday");
}

#[test]
fn a_pupil_is_in_one_class_per_day() {
    let directory = directory();
    assert_eq!(directory.class_of(PUPIL, date("2026-10-11")), Some(Some(&class("2A"))));
    assert_eq!(directory.class_of(PUPIL, date("2026-10-12")), Some(Some(&class("2B"))));
    assert_eq!(directory.class_of(PUPIL, date("2026-08-31")), Some(None));
}

#[test]
fn a_guardians_right_is_that_of_the_day() {
    let directory = directory();
    let rights = |day: &str| directory.guardian_rights(SUPPLY, PUPIL, date(day));
    assert_eq!(rights("2026-11-30"), Some(GuardianRights::Complete));
    assert_eq!(rights("2026-12-01"), Some(GuardianRights::None));
    assert!(directory.is_guardian(SUPPLY, PUPIL, date("2026-12-01")), "without rights, but a guardian");
    assert_eq!(directory.guardian_rights(NARDI, PUPIL, date("2026-11-30")), Some(GuardianRights::None));
}

#[test]
fn what_a_partial_directory_does_not_hold_is_unknown_and_what_a_complete_one_does_not_hold_is_not() {
    let day = date("2026-11-23");
    for complete in [true, false] {
        let empty = Directory { complete, ..Directory::default() };
        let no = complete.then_some(false);
        assert_eq!(empty.has_role(NARDI, Role::Teacher, day), no);
        assert_eq!(empty.is_assigned(NARDI, &class("2B"), day), no);
        assert_eq!(empty.is_timetabled(NARDI, &class("2B"), day, None), no);
        assert_eq!(empty.is_coordinator(NARDI, &class("2B"), day), no);
        assert_eq!(empty.is_away(NARDI, day), no);
        assert_eq!(empty.class_of(PUPIL, day), complete.then_some(None));
        let none = complete.then_some(GuardianRights::None);
        assert_eq!(empty.guardian_rights(NARDI, PUPIL, day), none);
    }
    let mut partial = directory();
    partial.complete = false;
    assert_eq!(partial.is_away(PEREGO, day), Some(true), "one supply row is enough");
    assert_eq!(partial.is_away(NARDI, day), None);
}
