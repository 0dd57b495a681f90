//! Who justifies and who decides, row by row: A7, A9.

use registro_model::Capacity;
use registro_model::school::JustificationKind;

use super::cast::*;
use super::table::{DAY, check, decision, justification, no};
use crate::policy::{Answer, Reason};

use Answer::{Allowed, CannotTell};
use Capacity::{Council, Guardian, Head, Lesson, Office, Substitute};

#[test]
fn a9_a_guardian_with_a_complete_right_justifies_if_enabled() {
    let by = |author| justification("absence", DAY, PUPIL, author, Guardian);
    check([
        ("mother", by(MOTHER), Allowed),
        ("sees only", by(FATHER), no(Reason::NoGuardianRight)),
        ("court order", by(BARRED), no(Reason::NoGuardianRight)),
        ("stranger", by(STRANGER), no(Reason::NoGuardianRight)),
        ("right ended", by(FORMER), no(Reason::NoGuardianRight)),
        ("while it lasted", justification("absence", "2026-10-31", PUPIL, FORMER, Guardian), Allowed),
        (
            "from before the right began",
            {
                let case = justification("absence", DAY, PUPIL, MOTHER, Guardian);
                let mut case = case.knowing(|d| {
                    let mine = d.guardians.get_mut(&PUPIL).unwrap().iter_mut().find(|g| g.guardian == MOTHER);
                    mine.unwrap().span.from = date(DAY);
                });
                case.key = case.key.replace(DAY, "2026-11-20");
                case
            },
            no(Reason::NoGuardianRight),
        ),
        (
            "not enabled",
            by(MOTHER).in_school(|s| s.settings.justify_guardian = false),
            no(Reason::NotEnabled),
        ),
        (
            "kind not enabled",
            by(MOTHER).in_school(|s| s.settings.justify_kinds = vec![JustificationKind::Entry]),
            no(Reason::NotEnabled),
        ),
        (
            "kind enabled",
            justification("entry", DAY, PUPIL, MOTHER, Guardian)
                .in_school(|s| s.settings.justify_kinds = vec![JustificationKind::Entry]),
            Allowed,
        ),
        (
            "adults' setting is another",
            by(MOTHER).in_school(|s| s.settings.justify_adult_pupil = false),
            Allowed,
        ),
        ("teacher", justification("absence", DAY, PUPIL, NARDI, Lesson), no(Reason::NotInCapacity)),
        ("substitute", justification("absence", DAY, PUPIL, MELIS, Substitute), no(Reason::NotInCapacity)),
        (
            "without a day",
            {
                let mut c = by(MOTHER);
                c.fact.fields.remove("to");
                c
            },
            no(Reason::NotWritable),
        ),
    ]);
}

#[test]
fn a9_a_pupil_justifies_from_the_eighteenth_birthday_on_if_enabled() {
    let by = |day: &str| justification("absence", day, ADULT, ADULT, Capacity::Pupil);
    let leap =
        |day: &str| by(day).knowing(|d| d.pupils.get_mut(&ADULT).unwrap().born = Some(date("2008-02-29")));
    check([
        ("the day before", by("2026-11-23"), no(Reason::Minor)),
        ("the birthday", by("2026-11-24"), Allowed),
        (
            "not enabled",
            by("2026-11-24").in_school(|s| s.settings.justify_adult_pupil = false),
            no(Reason::NotEnabled),
        ),
        (
            "guardians' setting is another",
            by("2026-11-24").in_school(|s| s.settings.justify_guardian = false),
            Allowed,
        ),
        ("minor", justification("absence", DAY, PUPIL, PUPIL, Capacity::Pupil), no(Reason::Minor)),
        (
            "for a classmate",
            justification("absence", "2026-11-24", PUPIL, ADULT, Capacity::Pupil),
            no(Reason::OthersName),
        ),
        ("born on 29 February, on 28 February", leap("2026-02-28"), no(Reason::Minor)),
        ("born on 29 February, on 1 March", leap("2026-03-01"), Allowed),
        (
            "birth date unknown at the hub",
            by("2026-11-24").knowing(|d| d.pupils.get_mut(&ADULT).unwrap().born = None),
            no(Reason::Minor),
        ),
    ]);
}

#[test]
fn a7_only_the_author_edits_a_justification_besides_office_head_and_council() {
    let by = |author, capacity| justification("absence", DAY, PUPIL, author, capacity);
    check([
        ("own", by(MOTHER, Guardian).over(MOTHER, Guardian), Allowed),
        ("the other parent's", by(MOTHER, Guardian).over(FORMER, Guardian), no(Reason::OthersFact)),
        ("the office's", by(MOTHER, Guardian).over(OFFICE, Office), no(Reason::OthersFact)),
        ("office", by(OFFICE, Office).over(MOTHER, Guardian), Allowed),
        ("head", by(HEAD, Head).over(MOTHER, Guardian), Allowed),
        ("council", by(NARDI, Council).over(MOTHER, Guardian), Allowed),
        ("council of another class", by(MELIS, Council).over(MOTHER, Guardian), no(Reason::NotCoordinator)),
        ("on paper", by(OFFICE, Office), Allowed),
        (
            "on paper, though not enabled online",
            by(OFFICE, Office).in_school(|s| s.settings.justify_guardian = false),
            Allowed,
        ),
        (
            "council of a pupil in no class",
            justification("absence", "2026-09-05", PUPIL, NARDI, Council),
            no(Reason::NotEnrolled),
        ),
        (
            "the adult pupil over the mother's",
            justification("absence", "2026-11-24", ADULT, ADULT, Capacity::Pupil).over(MOTHER, Guardian),
            no(Reason::OthersFact),
        ),
        (
            "author unknown",
            {
                let mut c = by(MOTHER, Guardian).over(MOTHER, Guardian);
                c.replaced[0].1 = None;
                c
            },
            CannotTell,
        ),
    ]);
}

#[test]
fn a7_teachers_of_the_class_council_head_and_office_decide() {
    let by = |author, capacity| decision("absence", DAY, author, capacity);
    check([
        ("teacher", by(NARDI, Lesson), Allowed),
        ("support teacher", by(SUPPORT, Lesson), Allowed),
        ("replaced teacher", by(PEREGO, Lesson), no(Reason::NotAssigned)),
        ("another class's", by(MELIS, Lesson), no(Reason::NotAssigned)),
        ("substitute", by(MELIS, Substitute), no(Reason::NotInCapacity)),
        ("coordinator", by(NARDI, Council), Allowed),
        ("head", by(HEAD, Head), Allowed),
        ("office", by(OFFICE, Office), Allowed),
        ("guardian", by(MOTHER, Guardian), no(Reason::NotInCapacity)),
        ("pupil", by(PUPIL, Capacity::Pupil), no(Reason::NotInCapacity)),
        ("own decision again", by(NARDI, Lesson).over(NARDI, Lesson), Allowed),
        ("a colleague's", by(NARDI, Lesson).over(SUPPORT, Lesson), no(Reason::OthersFact)),
        ("council over a teacher's", by(NARDI, Council).over(SUPPORT, Lesson), Allowed),
        ("not enrolled", decision("absence", "2026-09-05", NARDI, Lesson), no(Reason::NotEnrolled)),
    ]);
}
