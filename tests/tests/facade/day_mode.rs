//! By the day (*giornaliera*): A1, A5, corrections.

use registro_model::attendance::OutKind;
use registro_model::school::AttendanceMode;
use registro_tests::miniature::{P1, TEACHER};

use crate::school::{Stage, a3, monday, rule, says, seen, sync, time};

#[tokio::test(flavor = "multi_thread")]
async fn a1_an_absence_removes_late_and_exit_and_either_removes_the_absence() {
    let stage = Stage::of(AttendanceMode::Day).await;
    let device = stage.device(TEACHER).await;
    let teacher = device.teacher();
    let (class, date) = (a3(), monday());
    teacher.mark_absent(&class, P1, date, 1).unwrap();
    teacher.mark_entry(&class, P1, date, 1, time("08:40")).unwrap();
    teacher.mark_exit(&class, P1, date, 3, time("11:00"), Some("Zia Alfa".to_owned())).unwrap();
    assert_eq!(says(&teacher, P1), ["entrata alle 08:40", "uscita alle 11:00, ritira Zia Alfa"]);
    teacher.mark_absent(&class, P1, date, 1).unwrap();
    assert_eq!(says(&teacher, P1), ["assente"]);
    sync(&[&device]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exit_without_a_name_keeps_the_name_that_was_entered() {
    let stage = Stage::of(AttendanceMode::Day).await;
    let device = stage.device(TEACHER).await;
    let teacher = device.teacher();
    teacher.mark_exit(&a3(), P1, monday(), 3, time("11:00"), Some("Zia Alfa".to_owned())).unwrap();
    teacher.mark_exit(&a3(), P1, monday(), 3, time("11:10"), None).unwrap();
    assert_eq!(says(&teacher, P1), ["uscita alle 11:10, ritira Zia Alfa"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_out_of_class_entered_by_mistake_is_annulled_by_its_key() {
    let stage = Stage::of(AttendanceMode::Day).await;
    let device = stage.device(TEACHER).await;
    let teacher = device.teacher();
    teacher.mark_out(&a3(), P1, monday(), 1, OutKind::Placement, None, None).unwrap();
    let refused = rule(teacher.mark_absent(&a3(), P1, monday(), 1));
    assert!(refused.italian.contains("fuori classe"));
    let key = seen(&teacher, P1).facts[0].key.clone();
    teacher.annul(&a3(), P1, monday(), 1, &key, "altro alunno").unwrap();
    teacher.mark_absent(&a3(), P1, monday(), 1).unwrap();
    assert_eq!(says(&teacher, P1), ["assente"]);
    sync(&[&device]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_that_the_day_does_not_have_takes_no_entry() {
    let stage = Stage::of(AttendanceMode::Day).await;
    let device = stage.device(TEACHER).await;
    rule(device.teacher().mark_absent(&a3(), P1, monday(), 9));
}
