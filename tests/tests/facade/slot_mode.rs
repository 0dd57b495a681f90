//! By the hour (*oraria*): nothing that is written of an hour is lost by what is written after it.

use registro::teacher::RollCall;
use registro_model::attendance::{OutKind, SlotStatus};
use registro_model::school::AttendanceMode;
use registro_tests::miniature::{P1, P2, SECOND, TEACHER};

use crate::school::{Stage, a3, monday, rule, says, seen, sync, time};

#[tokio::test(flavor = "multi_thread")]
async fn entry_and_exit_of_one_hour_are_both_kept_in_either_order_and_who_collected() {
    let stage = Stage::of(AttendanceMode::Slot).await;
    let device = stage.device(TEACHER).await;
    let teacher = device.teacher();
    let (class, date) = (a3(), monday());
    teacher.mark_entry(&class, P1, date, 1, time("08:40")).unwrap();
    let collected_by = Some("Zia Alfa".to_owned());
    teacher.mark_exit(&class, P1, date, 1, time("09:05"), collected_by.clone()).unwrap();
    teacher.mark_exit(&class, P2, date, 1, time("09:05"), collected_by.clone()).unwrap();
    teacher.mark_entry(&class, P2, date, 1, time("08:40")).unwrap();
    // A corrected time without a name does not unsay the name.
    teacher.mark_exit(&class, P2, date, 1, time("09:06"), None).unwrap();
    sync(&[&device]).await;
    let other = stage.device(SECOND).await;
    for (pupil, left) in [(P1, "09:05"), (P2, "09:06")] {
        let day = seen(&other.teacher(), pupil);
        let slot = &day.slots[0];
        assert_eq!((slot.entry, slot.exit), (Some(time("08:40")), Some(time(left))));
        assert_eq!(day.collected_by, collected_by);
        assert_eq!(
            says(&other.teacher(), pupil),
            [format!("1ª ora: presente, entrata alle 08:40, uscita alle {left}, ritira Zia Alfa")]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_roll_says_late_and_gone_of_one_pupil_in_one_hour() {
    let stage = Stage::of(AttendanceMode::Slot).await;
    let device = stage.device(TEACHER).await;
    let teacher = device.teacher();
    let roll = RollCall {
        absent: vec![],
        late: vec![(P1, time("08:30"))],
        left: vec![(P1, time("08:50")), (P2, time("08:20"))],
    };
    teacher.call_roll(&a3(), monday(), 1, &roll).unwrap();
    sync(&[&device]).await;
    let slot = seen(&teacher, P1).slots[0].clone();
    assert_eq!((slot.entry, slot.exit), (Some(time("08:30")), Some(time("08:50"))));
    // Who leaves at the start of an hour is absent in it, and the time is known.
    let slot = seen(&teacher, P2).slots[0].clone();
    assert_eq!((slot.status, slot.exit), (SlotStatus::Absent, Some(time("08:20"))));
}

#[tokio::test(flavor = "multi_thread")]
async fn why_a_pupil_was_present_after_all_stays() {
    let stage = Stage::of(AttendanceMode::Slot).await;
    let device = stage.device(TEACHER).await;
    let teacher = device.teacher();
    teacher.mark_absent(&a3(), P1, monday(), 1).unwrap();
    teacher.mark_present(&a3(), P1, monday(), 1, "era in infermeria").unwrap();
    assert_eq!(says(&teacher, P1), ["1ª ora: presente (era in infermeria)"]);
    rule(teacher.mark_present(&a3(), P1, monday(), 1, "di nuovo"));
    sync(&[&device]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a5_who_is_out_of_class_in_an_hour_is_not_absent_in_it() {
    let stage = Stage::of(AttendanceMode::Slot).await;
    let device = stage.device(TEACHER).await;
    let teacher = device.teacher();
    let (from, to) = (Some(time("08:30")), Some(time("09:00")));
    teacher.mark_out(&a3(), P1, monday(), 1, OutKind::External, from, to).unwrap();
    let day = seen(&teacher, P1);
    assert_eq!((day.outs[0].from, day.outs[0].to), (from, to), "the half hour is not rounded to the hour");
    let refused = rule(teacher.mark_absent(&a3(), P1, monday(), 1));
    assert!(refused.italian.contains("fuori classe"));
    let roll = RollCall { absent: vec![P1], ..RollCall::default() };
    assert_eq!(rule(teacher.call_roll(&a3(), monday(), 1, &roll)).pupil, Some(P1));
    teacher.mark_absent(&a3(), P1, monday(), 2).unwrap();
    sync(&[&device]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a10_the_next_hour_has_a_roll_of_its_own() {
    let stage = Stage::of(AttendanceMode::Slot).await;
    let (first, second) = (stage.device(TEACHER).await, stage.device(SECOND).await);
    let late = RollCall { late: vec![(P1, time("08:40"))], ..RollCall::default() };
    first.teacher().call_roll(&a3(), monday(), 1, &late).unwrap();
    sync(&[&first, &second]).await;
    rule(first.teacher().call_roll(&a3(), monday(), 1, &RollCall::default()));
    let absent = RollCall { absent: vec![P1], ..RollCall::default() };
    second.teacher().call_roll(&a3(), monday(), 2, &absent).unwrap();
    let day = seen(&second.teacher(), P1);
    assert_eq!((day.entry, day.absent_slots), (Some(time("08:40")), vec![2]));
    sync(&[&second]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_is_annulled_by_its_key() {
    let stage = Stage::of(AttendanceMode::Slot).await;
    let device = stage.device(TEACHER).await;
    let teacher = device.teacher();
    teacher.mark_absent(&a3(), P1, monday(), 1).unwrap();
    let key = seen(&teacher, P1).facts[0].key.clone();
    teacher.annul(&a3(), P1, monday(), 1, &key, "altro alunno").unwrap();
    assert!(seen(&teacher, P1).facts.is_empty());
    sync(&[&device]).await;
}
