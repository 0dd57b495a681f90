//! The roll (*appello*): what it says of one pupil is one statement; A10; "not called".

use registro::ErrorKind;
use registro::teacher::RollCall;
use registro_model::directory::Pupil;
use registro_model::school::AttendanceMode;
use registro_model::time::Span;
use registro_tests::miniature::{P1, P2, Q1, SECOND, SUBSTITUTE, TEACHER, day, person};

use crate::school::{Stage, a3, monday, rule, says, seen, sync, time};

#[tokio::test(flavor = "multi_thread")]
async fn a_pupil_whose_absence_is_seen_came_late_and_left_in_one_roll() {
    let stage = Stage::of(AttendanceMode::Day).await;
    let (first, second) = (stage.device(TEACHER).await, stage.device(SECOND).await);
    let absent = RollCall { absent: vec![P1], ..RollCall::default() };
    first.teacher().call_roll(&a3(), monday(), 1, &absent).unwrap();
    sync(&[&first, &second]).await;
    let roll = RollCall { absent: vec![], late: vec![(P1, time("09:30"))], left: vec![(P1, time("10:00"))] };
    second.teacher().call_roll(&a3(), monday(), 2, &roll).unwrap();
    sync(&[&second, &first]).await;
    assert_eq!(says(&first.teacher(), P1), ["entrata alle 09:30", "uscita alle 10:00"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_twice_is_said_once_and_what_cannot_both_be_so_is_a_mistake() {
    for mode in [AttendanceMode::Day, AttendanceMode::Slot] {
        let stage = Stage::of(mode).await;
        let device = stage.device(TEACHER).await;
        let teacher = device.teacher();
        let call = |absent: &[_], late: &[_], left: &[_]| {
            let roll = RollCall { absent: absent.into(), late: late.into(), left: left.into() };
            teacher.call_roll(&a3(), monday(), 1, &roll)
        };
        let late = (P1, time("08:40"));
        for refused in [
            call(&[P1], &[late], &[]),
            call(&[P1], &[], &[late]),
            call(&[], &[late, (P1, time("08:41"))], &[]),
        ] {
            assert_eq!(rule(refused).pupil, Some(P1));
        }
        let stranger = call(&[Q1], &[], &[]).unwrap_err();
        assert_eq!((stranger.kind, stranger.pupil), (ErrorKind::NotFound, Some(Q1)));
        assert!(device.written().unwrap().is_empty(), "nothing of a refused roll is written");
        call(&[P2, P2], &[late, late], &[]).unwrap();
        sync(&[&device]).await;
        assert!(seen(&teacher, P2).absent && seen(&teacher, P1).late);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a10_once_a_late_or_an_exit_is_seen_pupils_are_corrected_one_by_one() {
    let stage = Stage::of(AttendanceMode::Day).await;
    let (a, b) = (stage.device(TEACHER).await, stage.device(TEACHER).await);
    let blind = stage.device(SUBSTITUTE).await;
    let late = RollCall { late: vec![(P1, time("08:40"))], ..RollCall::default() };
    a.teacher().call_roll(&a3(), monday(), 1, &late).unwrap();
    assert_eq!(rule(a.teacher().call_roll(&a3(), monday(), 1, &late)).pupil, Some(P1));
    a.teacher().mark_absent(&a3(), P2, monday(), 1).unwrap();
    // Who has not seen it calls as ever, with or without the records.
    b.teacher().call_roll(&a3(), monday(), 1, &RollCall { absent: vec![P2], ..late.clone() }).unwrap();
    let gone = RollCall { left: vec![(P2, time("11:30"))], ..RollCall::default() };
    blind.teacher().call_roll(&a3(), monday(), 4, &gone).unwrap();
    rule(blind.teacher().call_roll(&a3(), monday(), 4, &gone));
    sync(&[&a, &b, &blind, &a]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_joined_after_the_roll_was_not_called_and_is_not_present() {
    let stage = Stage::of(AttendanceMode::Slot).await;
    let device = stage.device(TEACHER).await;
    let blind = stage.device(SUBSTITUTE).await;
    let teacher = device.teacher();
    teacher.call_roll(&a3(), monday(), 1, &RollCall::default()).unwrap();
    blind.teacher().call_roll(&a3(), monday(), 2, &RollCall::default()).unwrap();
    sync(&[&device, &blind]).await;
    let newcomer = person(24);
    stage.registry.change(|registered| {
        let span = Span { from: monday(), to: Some(day("2027-08-31")) };
        let pupil = Pupil {
            name: "Zeta Nuovo".to_owned(),
            born: Some(day("2010-01-01")),
            classes: vec![(a3(), span)],
            groups: vec![],
        };
        registered.directory.pupils.insert(newcomer, pupil);
        registered.directory.classes.get_mut(&a3()).unwrap().enrolments.push((newcomer, span));
    });
    sync(&[&device]).await;
    let view = teacher.class_view(&a3(), monday()).unwrap();
    let row = view.pupils.iter().find(|row| row.pupil == newcomer).unwrap();
    assert_eq!(row.not_called, [1, 2]);
    assert!(view.pupils.iter().all(|row| row.pupil == newcomer || row.not_called.is_empty()));
    // Absent in every hour of which something is known: the rolls before say nothing.
    teacher.mark_absent(&a3(), newcomer, monday(), 3).unwrap();
    assert!(seen(&teacher, newcomer).absent);
    teacher.mark_absent(&a3(), P1, monday(), 3).unwrap();
    assert!(!seen(&teacher, P1).absent, "whom the rolls called was there before");
    sync(&[&device]).await;
    let reports = teacher.called_present(&a3(), monday()).unwrap();
    assert!(reports.is_empty(), "{reports:?}");
    // A later version of the enrolment says how it ends, not that it is new.
    stage.registry.change(|registered| {
        for (pupil, span) in &mut registered.directory.classes.get_mut(&a3()).unwrap().enrolments {
            if *pupil == P2 {
                span.to = Some(day("2026-12-31"));
            }
        }
        registered.directory.pupils.get_mut(&P2).unwrap().classes[0].1.to = Some(day("2026-12-31"));
    });
    sync(&[&device]).await;
    let view = teacher.class_view(&a3(), monday()).unwrap();
    assert!(view.pupils.iter().all(|row| row.pupil == newcomer || row.not_called.is_empty()));
}
