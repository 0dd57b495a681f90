//! L2, L3 and L5: signatures beside each other, and whose hours they are.

use registro_model::PersonId;
use registro_model::lesson::{LessonKind, Membership, ReligionChoice, SignedLesson, lesson_of};
use registro_model::school::SubjectKind;

use LessonKind::{CoTeaching, Lesson, Substitution, Support};

fn signed(teacher: u8, subject: &str, group: Option<&str>, kind: LessonKind) -> SignedLesson {
    SignedLesson {
        teacher: PersonId([teacher; 16]),
        subject: subject.parse().unwrap(),
        subject_kind: match subject {
            "IRC" | "ALT" => SubjectKind::Religion,
            "SOS" => SubjectKind::LearningSupport,
            _ => SubjectKind::Normal,
        },
        group: group.map(|group| group.parse().unwrap()),
        kind,
    }
}

fn member(groups: &[&str], religion: Option<ReligionChoice>) -> Membership {
    Membership { groups: groups.iter().map(|group| group.parse().unwrap()).collect(), religion }
}

#[test]
fn l2_a_second_signer_has_the_same_subject_learning_support_or_a_different_group() {
    let italian = signed(1, "ITA", None, Lesson);
    assert!(signed(2, "ITA", None, CoTeaching).may_stand_beside(&italian));
    assert!(!signed(2, "MAT", None, Lesson).may_stand_beside(&italian));
    assert!(signed(2, "SOS", None, Support).may_stand_beside(&italian));
    assert!(italian.may_stand_beside(&signed(2, "SOS", None, Support)));
    let (spanish, german) =
        (signed(1, "SPA", Some("4E-SPA"), Lesson), signed(2, "TED", Some("4E-TED"), Lesson));
    assert!(german.may_stand_beside(&spanish));
    assert!(!signed(2, "TED", Some("4E-SPA"), Lesson).may_stand_beside(&spanish));
    assert!(!german.may_stand_beside(&italian), "the whole class is no different group");
    let (religion, alternative) = (signed(1, "IRC", None, Lesson), signed(2, "ALT", Some("ALT-1A"), Lesson));
    assert!(alternative.may_stand_beside(&religion) && religion.may_stand_beside(&alternative));
}

#[test]
fn l3_one_class_per_teacher_and_slot_but_for_substitutions_and_groups_of_several_classes() {
    let here = signed(1, "ITA", None, Lesson);
    assert!(!signed(1, "ITA", None, Lesson).may_be_held_with(&here));
    assert!(signed(1, "ITA", None, Substitution).may_be_held_with(&here));
    assert!(here.may_be_held_with(&signed(1, "ITA", None, Substitution)));
    let joined = signed(1, "ALT", Some("ALT-1FG"), Lesson);
    assert!(joined.may_be_held_with(&joined));
    assert!(!joined.may_be_held_with(&signed(1, "ALT", Some("ALT-1A"), Lesson)));
}

#[test]
fn l5_religion_is_for_those_who_attend_it_and_the_alternative_for_its_group() {
    use ReligionChoice::{Alternative, Attends, Leaves, StudiesAlone, StudiesWithTeacher};
    let (religion, alternative) = (signed(1, "IRC", None, Lesson), signed(2, "ALT", Some("ALT-1A"), Lesson));
    for (choice, groups, attends, alternatively) in [
        (Attends, &[][..], true, false),
        (Leaves, &[], false, false),
        (StudiesAlone, &[], false, false),
        (StudiesWithTeacher, &[], false, false),
        (Alternative, &["ALT-1A"], false, true),
    ] {
        let pupil = member(groups, Some(choice));
        assert_eq!(religion.concerns(&pupil), attends, "{choice:?}");
        assert_eq!(alternative.concerns(&pupil), alternatively, "{choice:?}");
    }
    assert!(religion.concerns(&member(&[], None)));
}

#[test]
fn l5_a_group_is_for_its_members_and_support_carries_nobodys_hours() {
    let spanish = signed(1, "SPA", Some("4E-SPA"), Lesson);
    assert!(spanish.concerns(&member(&["4E-SPA"], None)) && !spanish.concerns(&member(&["4E-TED"], None)));
    assert!(!signed(1, "SOS", None, Support).concerns(&member(&[], None)));
    assert!(!signed(1, "ITA", None, Support).concerns(&member(&[], None)));
}

#[test]
fn of_several_signatures_the_hour_counts_for_one_subject() {
    let all = [
        signed(1, "SOS", None, Support),
        signed(2, "MAT", None, CoTeaching),
        signed(3, "SUP", None, Substitution),
        signed(4, "ITA", None, Lesson),
        signed(5, "LAT", None, Lesson),
    ];
    let pupil = member(&[], None);
    assert_eq!(lesson_of(&all, &pupil).map(|l| l.subject.as_str()), Some("ITA"), "the first of equals");
    assert_eq!(lesson_of(&all[..3], &pupil).map(|l| l.subject.as_str()), Some("SUP"));
    assert_eq!(lesson_of(&all[..1], &pupil), None);
}

#[test]
fn names_of_kinds_and_choices_read_back() {
    for kind in LessonKind::ALL {
        assert_eq!(kind.as_str().parse(), Ok(kind));
    }
    assert!("nap".parse::<LessonKind>().is_err() && "X".parse::<ReligionChoice>().is_err());
}
