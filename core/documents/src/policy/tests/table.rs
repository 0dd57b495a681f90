//! One row per line of the authority list. 23 November 2026 is a Monday.

use registro_model::{Capacity, PersonId};

use super::cast::*;
use crate::fact::Fact;
use crate::identity::Subject;
use crate::kind::Kind;
use crate::policy::{Answer, Reason};

use Answer::{Allowed, CannotTell};
use Capacity::{Council, Guardian, Head, Lesson, Office, Staff, Substitute};

pub const DAY: &str = "2026-11-23";

pub fn no(reason: Reason) -> Answer {
    Answer::Refused(reason)
}

pub fn check(rows: impl IntoIterator<Item = (&'static str, Case, Answer)>) {
    let wrong: Vec<String> = rows
        .into_iter()
        .filter(|(_, case, expected)| case.judged() != *expected)
        .map(|(row, case, expected)| format!("{row}: should be {expected:?}, is {:?}", case.judged()))
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}

fn absence(day: &str, author: PersonId, capacity: Capacity) -> Case {
    Case::new(record(PUPIL), "attendance", &format!("{day}/absence"), author, capacity).with("slot", 1u8)
}

fn lesson(day: &str, author: PersonId, capacity: Capacity) -> Case {
    signed(day, author, author, capacity)
}

fn signed(day: &str, signer: PersonId, author: PersonId, capacity: Capacity) -> Case {
    Case::new(month("2B", day.get(..7).unwrap()), "lessons", &format!("{day}#1/{signer}"), author, capacity)
}

pub fn justification(kind: &str, day: &str, of: PersonId, author: PersonId, capacity: Capacity) -> Case {
    let key = format!("{kind}/{day}/0011223344556677");
    Case::new(record(of), "justifications", &key, author, capacity).with("to", day).with("reason", "family")
}

pub fn decision(kind: &str, day: &str, author: PersonId, capacity: Capacity) -> Case {
    let case = Case::new(record(PUPIL), "decisions", "0011223344556677", author, capacity);
    case.with("kind", kind).with("from", day).with("to", day).with("approved", true)
}

#[test]
fn the_facts_capacity_is_the_envelopes() {
    let mut case = absence(DAY, NARDI, Lesson);
    case.fact = Fact::new(case.fact.v, Substitute);
    check([("as", case, no(Reason::CapacityMismatch))]);
}

#[test]
fn no_date_after_the_hubs_tomorrow() {
    let tomorrow = |case: Case| case.until("2026-11-24");
    check([
        ("attendance tomorrow", tomorrow(absence("2026-11-24", NARDI, Lesson)), Allowed),
        ("attendance after tomorrow", tomorrow(absence("2026-11-25", NARDI, Lesson)), no(Reason::Future)),
        ("lesson after tomorrow", tomorrow(lesson("2026-11-25", NARDI, Lesson)), no(Reason::Future)),
        ("office after tomorrow", tomorrow(absence("2026-11-25", OFFICE, Office)), no(Reason::Future)),
        (
            "justifying what has not happened",
            tomorrow(justification("absence", "2026-11-25", PUPIL, MOTHER, Guardian)),
            no(Reason::Future),
        ),
        ("deciding it", tomorrow(decision("absence", "2026-11-25", NARDI, Lesson)), no(Reason::Future)),
        (
            "a permit is asked in advance",
            tomorrow(justification("permit", "2026-12-10", PUPIL, MOTHER, Guardian)),
            Allowed,
        ),
        ("and granted", tomorrow(decision("permit", "2026-12-10", NARDI, Lesson)), Allowed),
        (
            "within the school year",
            tomorrow(justification("permit", "2027-09-01", PUPIL, MOTHER, Guardian)),
            no(Reason::Future),
        ),
        (
            "a device's clock is no evidence",
            {
                let mut c = absence("2026-11-25", NARDI, Lesson);
                c.latest = None;
                c
            },
            Allowed,
        ),
    ]);
}

#[test]
fn a4_attendance_is_written_by_the_class_of_that_day_substitutes_council_head_and_office() {
    check([
        ("teacher of the class", absence(DAY, NARDI, Lesson), Allowed),
        ("support teacher", absence(DAY, SUPPORT, Lesson), Allowed),
        ("teacher of another class", absence(DAY, MELIS, Lesson), no(Reason::NotAssigned)),
        ("teacher of the class of then", absence("2026-10-10", MELIS, Lesson), Allowed),
        ("teacher of the class of later", absence("2026-10-10", NARDI, Lesson), no(Reason::NotAssigned)),
        ("ended assignment, day before the end", absence("2027-01-30", NARDI, Lesson), Allowed),
        ("ended assignment, day after", absence("2027-02-01", NARDI, Lesson), no(Reason::NotAssigned)),
        ("substitute of another class", absence(DAY, MELIS, Substitute), Allowed),
        ("caretaker", absence(DAY, CARETAKER, Substitute), no(Reason::NotInService)),
        ("stranger", absence(DAY, STRANGER, Substitute), no(Reason::NotInService)),
        ("supply teacher, own days", absence(DAY, SUPPLY, Lesson), Allowed),
        ("supply teacher, before", absence("2026-10-10", SUPPLY, Substitute), no(Reason::NotInService)),
        ("supply teacher, after", absence("2027-01-11", SUPPLY, Lesson), no(Reason::NotAssigned)),
        ("replaced teacher", absence(DAY, PEREGO, Lesson), no(Reason::NotAssigned)),
        ("replaced teacher as substitute", absence(DAY, PEREGO, Substitute), no(Reason::NotInService)),
        ("replaced teacher, after", absence("2027-01-11", PEREGO, Lesson), Allowed),
        ("replaced teacher as substitute, after", absence("2027-01-11", PEREGO, Substitute), Allowed),
        ("coordinator", absence(DAY, NARDI, Council), Allowed),
        ("coordinator of another class", absence(DAY, MELIS, Council), no(Reason::NotCoordinator)),
        ("head", absence(DAY, HEAD, Head), Allowed),
        ("office", absence(DAY, OFFICE, Office), Allowed),
        ("teacher as office", absence(DAY, NARDI, Office), no(Reason::NoRole)),
        ("office as head", absence(DAY, OFFICE, Head), no(Reason::NoRole)),
        ("staff", absence(DAY, CARETAKER, Staff), no(Reason::NotInCapacity)),
        ("guardian", absence(DAY, MOTHER, Guardian), no(Reason::NotInCapacity)),
        ("pupil", absence(DAY, PUPIL, Capacity::Pupil), no(Reason::NotInCapacity)),
        ("hub", absence(DAY, HUB, Capacity::School), no(Reason::NotInCapacity)),
    ]);
}

#[test]
fn a4_attendance_is_of_a_lesson_day_and_of_an_enrolled_pupil() {
    check([
        ("Sunday", absence("2026-11-22", NARDI, Lesson), no(Reason::NoLessons)),
        ("holiday, office", absence("2026-12-08", OFFICE, Office), no(Reason::NoLessons)),
        ("before the lessons", absence("2026-09-13", OFFICE, Office), no(Reason::NotEnrolled)),
        (
            "left the school",
            absence(DAY, NARDI, Lesson).knowing(|d| {
                d.pupils.get_mut(&PUPIL).unwrap().classes[1].1.to = Some(date("2026-11-22"));
            }),
            no(Reason::NotEnrolled),
        ),
        (
            "unknown pupil at the hub",
            absence(DAY, NARDI, Lesson).knowing(|d| {
                d.pupils.remove(&PUPIL);
            }),
            no(Reason::NotEnrolled),
        ),
        (
            "no day in the key",
            Case { key: "absence".into(), ..absence(DAY, NARDI, Lesson) },
            no(Reason::NotWritable),
        ),
    ]);
}

#[test]
fn over_attendance_writes_whoever_may_write_it() {
    check([
        ("colleague's", absence(DAY, NARDI, Lesson).over(SUPPLY, Lesson), Allowed),
        ("the office's", absence(DAY, NARDI, Lesson).over(OFFICE, Office), Allowed),
        ("substitute over the class's", absence(DAY, MELIS, Substitute).over(NARDI, Lesson), Allowed),
        ("no right of one's own", absence(DAY, MELIS, Lesson).over(NARDI, Lesson), no(Reason::NotAssigned)),
        ("family over staff", absence(DAY, MOTHER, Guardian).over(NARDI, Lesson), no(Reason::NotInCapacity)),
    ]);
}

#[test]
fn l1_a_teacher_signs_under_their_own_name_in_a_class_of_theirs_or_as_substitute() {
    check([
        ("teacher", lesson(DAY, NARDI, Lesson), Allowed),
        ("support teacher", lesson(DAY, SUPPORT, Lesson), Allowed),
        ("supply teacher", lesson(DAY, SUPPLY, Lesson), Allowed),
        ("replaced teacher", lesson(DAY, PEREGO, Lesson), no(Reason::NotAssigned)),
        ("replaced teacher as substitute", lesson(DAY, PEREGO, Substitute), no(Reason::NotInService)),
        ("another class's teacher", lesson(DAY, MELIS, Lesson), no(Reason::NotAssigned)),
        ("as substitute", lesson(DAY, MELIS, Substitute), Allowed),
        ("caretaker", lesson(DAY, CARETAKER, Substitute), no(Reason::NotInService)),
        ("under a colleague's name", signed(DAY, SUPPLY, NARDI, Lesson), no(Reason::OthersName)),
        ("office under a teacher's name", signed(DAY, NARDI, OFFICE, Office), no(Reason::OthersName)),
        ("Sunday", lesson("2026-11-22", NARDI, Lesson), no(Reason::NoLessons)),
        ("ended assignment", lesson("2027-02-01", NARDI, Lesson), no(Reason::NotAssigned)),
        ("guardian", lesson(DAY, MOTHER, Guardian), no(Reason::NotInCapacity)),
        ("pupil", lesson(DAY, PUPIL, Capacity::Pupil), no(Reason::NotInCapacity)),
        ("staff", lesson(DAY, NARDI, Staff), no(Reason::NotInCapacity)),
        (
            "another month's document",
            Case { document: month("2B", "2026-12"), ..lesson(DAY, NARDI, Lesson) },
            no(Reason::OtherMonth),
        ),
        (
            "unknown class at the hub",
            Case { document: month("9Z", "2026-11"), ..lesson(DAY, NARDI, Substitute) },
            no(Reason::UnknownClass),
        ),
    ]);
    for section in ["rolls", "topics"] {
        check([
            ("teacher", Case { section, ..lesson(DAY, NARDI, Lesson) }, Allowed),
            ("substitute", Case { section, ..lesson(DAY, MELIS, Substitute) }, Allowed),
            ("another's", Case { section, ..signed(DAY, SUPPLY, NARDI, Lesson) }, no(Reason::OthersName)),
        ]);
    }
}

#[test]
fn l4_only_the_signer_edits_besides_office_head_and_council() {
    check([
        ("own", lesson(DAY, NARDI, Lesson).over(NARDI, Lesson), Allowed),
        ("own, once as substitute", lesson(DAY, NARDI, Lesson).over(NARDI, Substitute), Allowed),
        ("a colleague's", signed(DAY, SUPPLY, NARDI, Lesson).over(SUPPLY, Lesson), no(Reason::OthersName)),
        ("office", signed(DAY, NARDI, OFFICE, Office).over(NARDI, Lesson), Allowed),
        ("head", signed(DAY, NARDI, HEAD, Head).over(NARDI, Lesson), Allowed),
        ("council", signed(DAY, SUPPLY, NARDI, Council).over(SUPPLY, Lesson), Allowed),
        (
            "council of another class",
            signed(DAY, NARDI, MELIS, Council).over(NARDI, Lesson),
            no(Reason::NotCoordinator),
        ),
        (
            "the signer over what the office annulled",
            lesson(DAY, NARDI, Lesson).over(OFFICE, Office),
            no(Reason::OthersFact),
        ),
        (
            "own and the office's at once",
            lesson(DAY, NARDI, Lesson).over(NARDI, Lesson).over(OFFICE, Office),
            no(Reason::OthersFact),
        ),
    ]);
}

#[test]
fn directory_facts_are_the_schools_alone() {
    let class = || Subject::Class(registro_model::ClassCode::new("2B").unwrap());
    let places = [
        (Kind::School, Subject::School, "settings", "settings"),
        (Kind::School, Subject::School, "calendar", "2026-11-23"),
        (Kind::School, Subject::School, "people", "x"),
        (Kind::ClassBook, class(), "timetable", "1#1/ITA"),
        (Kind::ClassRoster, class(), "assignments", "0011223344556677"),
        (Kind::PupilRecord, Subject::Person(PUPIL), "profile", "name"),
        (Kind::PupilGuardians, Subject::Person(PUPIL), "guardians", "x/2026-11-23"),
        (Kind::PupilReserve, Subject::Person(PUPIL), "supported", "x/2026-11-23"),
    ];
    for (kind, subject, section, key) in places {
        let case =
            |author, capacity| Case::new(document(kind, subject.clone()), section, key, author, capacity);
        check([
            ("hub", case(HUB, Capacity::School), Allowed),
            ("office", case(OFFICE, Office), no(Reason::SchoolOnly)),
            ("head", case(HEAD, Head), no(Reason::SchoolOnly)),
            ("somebody as the school", case(OFFICE, Capacity::School), no(Reason::SchoolOnly)),
        ]);
    }
}

#[test]
fn where_this_version_writes_nothing_nobody_may() {
    for kind in Kind::ALL {
        let spare =
            |author, capacity| Case::new(document(kind, Subject::Person(PUPIL)), "x1", "k", author, capacity);
        // Everything in the document of the school is the school's.
        let expected = match kind {
            Kind::School | Kind::ClassRoster => no(Reason::SchoolOnly),
            _ => no(Reason::NotWritable),
        };
        check([("office", spare(OFFICE, Office), expected), ("teacher", spare(NARDI, Lesson), expected)]);
    }
    check([
        (
            "marks",
            Case::new(record(PUPIL), "marks", "0011223344556677", NARDI, Lesson),
            no(Reason::NotWritable),
        ),
        (
            "attendance in a document of no person",
            Case { document: document(Kind::PupilRecord, Subject::School), ..absence(DAY, NARDI, Lesson) },
            no(Reason::NotWritable),
        ),
    ]);
}

#[test]
fn what_the_directory_known_here_does_not_say_cannot_be_told() {
    let class = || registro_model::ClassCode::new("2B").unwrap();
    let partial = |case: Case| case.knowing(|d| d.complete = false);
    check([
        ("all known", partial(absence(DAY, NARDI, Lesson)), Allowed),
        (
            "class unknown",
            partial(absence(DAY, NARDI, Lesson)).knowing(|d| {
                d.classes.remove(&class());
            }),
            CannotTell,
        ),
        (
            "pupil unknown, as on a substitute's tablet",
            partial(absence(DAY, MELIS, Substitute)).knowing(|d| {
                d.pupils.remove(&PUPIL);
            }),
            CannotTell,
        ),
        (
            "pupil unknown, but a guardian writes no attendance",
            partial(absence(DAY, MOTHER, Guardian)).knowing(|d| {
                d.pupils.remove(&PUPIL);
            }),
            no(Reason::NotInCapacity),
        ),
        (
            "known not to teach, day unknown",
            partial(lesson(DAY, CARETAKER, Substitute)).knowing(|d| {
                d.classes.remove(&class());
            }),
            no(Reason::NotInService),
        ),
        ("whether a substitute is away elsewhere", partial(lesson(DAY, MELIS, Substitute)), CannotTell),
        ("known to be away", partial(lesson(DAY, PEREGO, Substitute)), no(Reason::NotInService)),
        (
            "person unknown",
            partial(absence(DAY, OFFICE, Office)).knowing(|d| {
                d.staff.remove(&OFFICE);
            }),
            CannotTell,
        ),
        (
            "guardians unknown, as on the other parent's phone",
            partial(justification("absence", DAY, PUPIL, MOTHER, Guardian)).knowing(|d| {
                d.guardians.remove(&PUPIL);
            }),
            CannotTell,
        ),
        (
            "birth date unknown",
            partial(justification("absence", DAY, ADULT, ADULT, Capacity::Pupil))
                .knowing(|d| d.pupils.get_mut(&ADULT).unwrap().born = None),
            CannotTell,
        ),
        (
            "somebody else's fact outweighs the doubt",
            partial(justification("absence", DAY, ADULT, ADULT, Capacity::Pupil))
                .knowing(|d| {
                    d.pupils.remove(&ADULT);
                })
                .over(MOTHER, Guardian),
            no(Reason::OthersFact),
        ),
    ]);
}
