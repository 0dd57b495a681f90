//! What goes to the office instead of into the register, and how much an accepted fact weighs.

use registro_model::directory::{GuardianRights, Guardianship};
use registro_model::{Capacity, ClassCode, PersonId, Standing};

use super::cast::*;
use crate::policy::office::destination;
use crate::policy::{Reason, standing, standing_of_change};

use Capacity::{Council, Guardian, Head, Lesson, Office, Substitute};

const DAY: &str = "2026-11-23";

fn sent(case: &Case, received: &str) -> Option<Reason> {
    case.ask(|question| destination(question, date(received)))
}

fn absence(day: &str, slot: u8, author: PersonId, capacity: Capacity) -> Case {
    Case::new(record(PUPIL), "attendance", &format!("{day}/absence"), author, capacity).with("slot", slot)
}

fn in_month(section: &'static str, author: PersonId, capacity: Capacity) -> Case {
    Case::new(month("2B", "2026-11"), section, &format!("{DAY}#1/{author}"), author, capacity)
}

fn justification(author: PersonId, capacity: Capacity) -> Case {
    let key = format!("absence/{DAY}/0011223344556677");
    Case::new(record(PUPIL), "justifications", &key, author, capacity).with("to", DAY)
}

fn decision(author: PersonId, capacity: Capacity) -> Case {
    Case::new(record(PUPIL), "decisions", "0011223344556677", author, capacity).with("to", DAY)
}

#[test]
fn once_a_terms_council_has_begun_its_attendance_and_lessons_go_to_the_office() {
    let begun = |case: Case| {
        case.knowing(|d| {
            d.begun_councils.insert((ClassCode::new("2B").unwrap(), "P".into()));
        })
    };
    assert_eq!(sent(&absence(DAY, 1, NARDI, Lesson), DAY), None);
    assert_eq!(sent(&begun(absence(DAY, 1, NARDI, Lesson)), DAY), Some(Reason::CouncilBegun));
    assert_eq!(sent(&begun(in_month("lessons", NARDI, Lesson)), DAY), Some(Reason::CouncilBegun));
    assert_eq!(
        sent(&begun(absence(DAY, 1, OFFICE, Office)), DAY),
        Some(Reason::CouncilBegun),
        "nobody is exempt"
    );
    assert_eq!(sent(&begun(absence("2027-01-11", 1, NARDI, Lesson)), "2027-01-11"), None, "another term");
    assert_eq!(sent(&begun(absence("2026-10-05", 1, MELIS, Lesson)), DAY), None, "another class that day");
    assert_eq!(sent(&begun(in_month("topics", NARDI, Lesson)), DAY), None, "topics stay open");
    assert_eq!(sent(&begun(justification(MOTHER, Guardian)), DAY), None, "justifications stay open");
}

#[test]
fn a_substitutes_fact_goes_to_the_office_after_three_days() {
    for (received, reason) in [("2026-11-26", None), ("2026-11-27", Some(Reason::LateSubstitute))] {
        assert_eq!(sent(&absence(DAY, 1, MELIS, Substitute), received), reason, "{received}");
        assert_eq!(sent(&in_month("lessons", MELIS, Substitute), received), reason, "{received}");
        assert_eq!(sent(&absence(DAY, 1, NARDI, Lesson), received), None, "a teacher of the class");
    }
}

#[test]
fn a_fact_about_ones_own_child_goes_to_the_office_outside_ones_own_lesson() {
    let parent = |who: PersonId, case: Case| {
        case.knowing(|d| {
            let name = "Prova".into();
            let span = span("2026-09-01", "");
            let right = Guardianship { guardian: who, name, rights: GuardianRights::None, span };
            d.guardians.get_mut(&PUPIL).unwrap().push(right);
        })
    };
    let own = Some(Reason::OwnChild);
    assert_eq!(sent(&parent(NARDI, absence(DAY, 1, NARDI, Lesson)), DAY), None, "the first lesson is theirs");
    assert_eq!(sent(&parent(NARDI, absence(DAY, 2, NARDI, Lesson)), DAY), own, "the second is not");
    assert_eq!(sent(&parent(NARDI, absence("2026-11-24", 1, NARDI, Lesson)), DAY), own, "nor is Tuesday's");
    assert_eq!(sent(&parent(MELIS, absence(DAY, 1, MELIS, Substitute)), DAY), own);
    assert_eq!(sent(&parent(HEAD, absence(DAY, 1, HEAD, Head)), DAY), own);
    assert_eq!(sent(&parent(OFFICE, absence(DAY, 1, OFFICE, Office)), DAY), own, "a colleague admits it");
    assert_eq!(sent(&parent(NARDI, decision(NARDI, Lesson)), DAY), own, "a decision is in no lesson");
    assert_eq!(sent(&parent(NARDI, decision(NARDI, Council)), DAY), own);
    // In slot mode the slot stands in the key.
    let slot =
        |key: &str| Case::new(record(PUPIL), "attendance", key, NARDI, Lesson).with("status", "absent");
    assert_eq!(sent(&parent(NARDI, slot("2026-11-23#1")), DAY), None);
    assert_eq!(sent(&parent(NARDI, slot("2026-11-23#2")), DAY), own);
    // As a parent they justify like any other.
    assert_eq!(sent(&justification(MOTHER, Guardian), DAY), None);
}

#[test]
fn work_from_before_the_end_of_a_right_goes_to_the_office_after_late_push_days() {
    // Nardi's assignment ends on 31 January.
    for (received, reason) in [("2027-02-14", None), ("2027-02-15", Some(Reason::LatePush))] {
        assert_eq!(sent(&absence("2027-01-30", 1, NARDI, Lesson), received), reason, "{received}");
    }
    let patient = absence("2027-01-30", 1, NARDI, Lesson).in_school(|s| s.settings.late_push_days = 60);
    assert_eq!(sent(&patient, "2027-02-15"), None);
    // Somebody whose right goes on is never late.
    assert_eq!(sent(&absence("2026-10-20", 1, SUPPORT, Lesson), "2027-05-01"), None);
    // A guardian's right ends too.
    let of_october = |received| {
        let key = "absence/2026-10-20/0011223344556677";
        let case = Case::new(record(PUPIL), "justifications", key, FORMER, Guardian).with("to", "2026-10-20");
        sent(&case, received)
    };
    assert_eq!((of_october("2026-11-14"), of_october("2026-11-15")), (None, Some(Reason::LatePush)));
    // A court order that follows the right does not carry it on.
    let barred = |received| {
        let key = "absence/2026-10-20/0011223344556677";
        let case = Case::new(record(PUPIL), "justifications", key, FORMER, Guardian).with("to", "2026-10-20");
        let case = case.knowing(|d| {
            let (name, span) = ("Prova".into(), span("2026-11-01", ""));
            let order = Guardianship { guardian: FORMER, name, rights: GuardianRights::None, span };
            d.guardians.get_mut(&PUPIL).unwrap().push(order);
        });
        sent(&case, received)
    };
    assert_eq!((barred("2026-11-14"), barred("2026-11-15")), (None, Some(Reason::LatePush)));
}

#[test]
fn the_right_that_ended_is_that_of_the_role_written_in() {
    use registro_model::people::Role;
    let deputy = absence(DAY, 1, MELIS, Head).knowing(|d| {
        let roles = &mut d.staff.get_mut(&MELIS).unwrap().roles;
        roles.push((Role::Head, span("2026-09-01", "2026-11-30")));
    });
    assert_eq!(sent(&deputy, "2026-12-14"), None);
    assert_eq!(sent(&deputy, "2026-12-15"), Some(Reason::LatePush), "still a teacher, no deputy any more");
}

#[test]
fn standing_follows_the_capacity_and_the_timetable() {
    let weigh = |case: &Case| case.ask(standing);
    assert_eq!(weigh(&absence(DAY, 1, OFFICE, Office)), Standing::Office);
    assert_eq!(weigh(&absence(DAY, 1, HEAD, Head)), Standing::HeadOrCouncil);
    assert_eq!(weigh(&absence(DAY, 1, NARDI, Council)), Standing::HeadOrCouncil);
    assert_eq!(weigh(&absence(DAY, 1, NARDI, Lesson)), Standing::TimetabledLesson);
    assert_eq!(weigh(&absence(DAY, 2, NARDI, Lesson)), Standing::OtherStaff, "the second lesson is Perego's");
    assert_eq!(weigh(&absence(DAY, 2, SUPPLY, Lesson)), Standing::TimetabledLesson, "who is replaced");
    assert_eq!(weigh(&absence(DAY, 2, PEREGO, Lesson)), Standing::OtherStaff);
    assert_eq!(weigh(&absence(DAY, 1, MELIS, Substitute)), Standing::Substitute);
    assert_eq!(weigh(&in_month("lessons", NARDI, Lesson)), Standing::TimetabledLesson, "slot of the key");
    assert_eq!(weigh(&justification(MOTHER, Guardian)), Standing::Guardian);
    assert_eq!(weigh(&justification(ADULT, Capacity::Pupil)), Standing::Pupil);
    assert_eq!(weigh(&Case::new(record(PUPIL), "profile", "name", HUB, Capacity::School)), Standing::School);
    // What a change takes back has the slot of what it copies, and does not make the change weigh less.
    let of = |facts: &[(bool, Standing)]| standing_of_change(facts.iter().copied());
    let (lesson, staff) = (Standing::TimetabledLesson, Standing::OtherStaff);
    assert_eq!(of(&[(false, lesson), (true, staff)]), Some(lesson));
    assert_eq!(of(&[(false, lesson), (false, staff), (true, Standing::Office)]), Some(staff));
    assert_eq!(of(&[(true, staff), (true, lesson)]), Some(staff), "nothing but taking back");
    assert_eq!(of(&[]), None);
    // office > head, council > timetabled lesson > substitute > other staff > school > guardian > pupil
    use Standing::{HeadOrCouncil, OtherStaff, School, TimetabledLesson};
    let order = [
        Standing::Pupil,
        Standing::Guardian,
        School,
        OtherStaff,
        Standing::Substitute,
        TimetabledLesson,
        HeadOrCouncil,
        Standing::Office,
    ];
    assert!(order.is_sorted() && (0..8).all(|n| Standing::from_number(n) == Some(order[usize::from(n)])));
}
