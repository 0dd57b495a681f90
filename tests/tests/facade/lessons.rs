//! Signatures (*firme*): L2, L3, groups and kinds.

use registro_model::lesson::LessonKind;
use registro_model::school::AttendanceMode;
use registro_tests::miniature::{SECOND, SUBSTITUTE, TEACHER, class};

use crate::school::{ALTERNATIVE, RELIGION, SUPPORT, Stage, a3, monday, rule, sync};

#[tokio::test(flavor = "multi_thread")]
async fn l2_beside_a_colleague_one_signs_the_same_subject_support_or_another_group() {
    let stage = Stage::of(AttendanceMode::Day).await;
    let (first, second) = (stage.device(TEACHER).await, stage.device(SECOND).await);
    let support = stage.device(SUPPORT).await;
    let [italian, maths, sos] = ["ITA", "MAT", "SOS"].map(|code| code.parse().unwrap());
    first.teacher().sign_lesson(&a3(), monday(), 1, &maths, "Le equazioni").unwrap();
    sync(&[&first, &second, &support]).await;
    let refused = rule(second.teacher().sign_lesson(&a3(), monday(), 1, &italian, ""));
    assert!(refused.italian.contains("altra materia"));
    second.teacher().sign_lesson(&a3(), monday(), 1, &maths, "").unwrap();
    support.teacher().sign_lesson(&a3(), monday(), 1, &sos, "").unwrap();
    sync(&[&second, &support, &first]).await;
    let lessons = first.teacher().class_view(&a3(), monday()).unwrap().lessons;
    let kinds: Vec<_> = lessons.iter().map(|lesson| (lesson.teacher, lesson.kind)).collect();
    assert_eq!(
        kinds,
        [(TEACHER, LessonKind::Lesson), (SECOND, LessonKind::CoTeaching), (SUPPORT, LessonKind::Support)]
    );
    // Correcting one's own lesson does not make it another's.
    first.teacher().sign_lesson(&a3(), monday(), 1, &maths, "Le disequazioni").unwrap();
    let lessons = first.teacher().class_view(&a3(), monday()).unwrap().lessons;
    assert_eq!((lessons[0].kind, lessons[0].topic.as_str()), (LessonKind::Lesson, "Le disequazioni"));
}

#[tokio::test(flavor = "multi_thread")]
async fn l2_religion_and_its_alternative_stand_beside_each_other_with_the_group_of_the_timetable() {
    let stage = Stage::of(AttendanceMode::Day).await;
    let (religion, alternative) = (stage.device(RELIGION).await, stage.device(ALTERNATIVE).await);
    religion.teacher().sign_lesson(&a3(), monday(), 4, &"IRC".parse().unwrap(), "").unwrap();
    sync(&[&religion, &alternative]).await;
    let lesson = alternative.teacher().my_day(monday()).unwrap().remove(0);
    let group = lesson.group.clone().unwrap();
    let teacher = alternative.teacher();
    // Named, or the only one for which this teacher holds the subject.
    teacher.sign_lesson_of_group(&a3(), monday(), 4, &lesson.subject, &group, "Letture").unwrap();
    teacher.sign_lesson(&a3(), monday(), 4, &lesson.subject, "Letture").unwrap();
    sync(&[&alternative]).await;
    let lessons = teacher.class_view(&a3(), monday()).unwrap().lessons;
    assert_eq!(lessons.iter().map(|l| l.group.clone()).collect::<Vec<_>>(), [None, Some(group)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn l3_one_class_per_hour_but_for_substitutions() {
    let stage = Stage::of(AttendanceMode::Day).await;
    let device = stage.device(TEACHER).await;
    let (teacher, italian) = (device.teacher(), "ITA".parse().unwrap());
    teacher.sign_lesson(&a3(), monday(), 1, &italian, "").unwrap();
    let refused = rule(teacher.sign_lesson(&class("4B"), monday(), 1, &italian, ""));
    assert!(refused.italian.contains("altra classe"));
    teacher.sign_lesson(&class("4B"), monday(), 2, &italian, "").unwrap();
    let substitute = stage.device(SUBSTITUTE).await;
    for code in ["3A", "4B"] {
        substitute.teacher().sign_lesson(&class(code), monday(), 3, &italian, "").unwrap();
    }
    sync(&[&device, &substitute, &device]).await;
    let lessons = teacher.class_view(&a3(), monday()).unwrap().lessons;
    assert_eq!(lessons[1].kind, LessonKind::Substitution);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_hold_the_subject_stands_in_for_somebody() {
    let stage = Stage::of(AttendanceMode::Day).await;
    let device = stage.device(SECOND).await;
    device.teacher().sign_lesson(&a3(), monday(), 3, &"MAT".parse().unwrap(), "").unwrap();
    device.teacher().sign_lesson(&a3(), monday(), 2, &"ITA".parse().unwrap(), "").unwrap();
    sync(&[&device]).await;
    let lessons = device.teacher().class_view(&a3(), monday()).unwrap().lessons;
    let kinds: Vec<_> = lessons.iter().map(|lesson| lesson.kind).collect();
    assert_eq!(kinds, [LessonKind::Lesson, LessonKind::Substitution]);
}
