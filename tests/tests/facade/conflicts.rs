//! Nobody writes over values that nobody was shown (PROTOCOL §7).

use registro::Registro;
use registro::teacher::RollCall;
use registro_model::school::AttendanceMode;
use registro_tests::miniature::{P1, P2, SECOND, TEACHER};

use crate::school::{Stage, a3, monday, rule, seen, sync, time};

/// Two devices with different minutes of one late in one hour, both of which have seen both.
async fn two_minutes(stage: &Stage) -> (Registro, Registro) {
    let (a, b) = (stage.device(TEACHER).await, stage.device(TEACHER).await);
    for (device, minute) in [(&a, "08:40"), (&b, "08:45")] {
        device.teacher().mark_entry(&a3(), P1, monday(), 1, time(minute)).unwrap();
    }
    sync(&[&a, &b, &a]).await;
    (a, b)
}

#[tokio::test(flavor = "multi_thread")]
async fn over_a_conflict_nothing_is_written_until_it_is_resolved() {
    for mode in [AttendanceMode::Day, AttendanceMode::Slot] {
        let stage = Stage::of(mode).await;
        let (a, _) = two_minutes(&stage).await;
        let teacher = a.teacher();
        for refused in [
            teacher.mark_entry(&a3(), P1, monday(), 1, time("08:50")),
            teacher.mark_absent(&a3(), P1, monday(), 1),
            teacher.mark_present(&a3(), P1, monday(), 1, "era qui"),
            teacher.call_roll(&a3(), monday(), 1, &RollCall { absent: vec![P1], ..RollCall::default() }),
        ] {
            assert!(rule(refused).italian.contains("conflitti"));
        }
        let conflict = teacher.conflicts(&a3(), monday()).unwrap().remove(0);
        let says: Vec<_> = conflict.values.iter().map(|value| value.says.english.as_str()).collect();
        assert!(
            says.iter().any(|says| says.contains("08:40")) && says.iter().any(|says| says.contains("08:45"))
        );
        teacher.resolve(&a3(), &conflict, conflict.values[1].v, monday()).unwrap();
        assert!(teacher.conflicts(&a3(), monday()).unwrap().is_empty());
        teacher.mark_entry(&a3(), P1, monday(), 1, time("08:50")).unwrap();
        sync(&[&a]).await;
        assert_eq!(seen(&teacher, P1).entry, Some(time("08:50")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_touch_the_conflict_is_written_as_ever() {
    let stage = Stage::of(AttendanceMode::Slot).await;
    let (a, _) = two_minutes(&stage).await;
    let second = stage.device(SECOND).await;
    let roll = RollCall { absent: vec![P1, P2], ..RollCall::default() };
    second.teacher().call_roll(&a3(), monday(), 2, &roll).unwrap();
    a.teacher().mark_absent(&a3(), P2, monday(), 1).unwrap();
    sync(&[&second, &a]).await;
    assert_eq!(a.teacher().conflicts(&a3(), monday()).unwrap().len(), 1, "it is still there to resolve");
    let stage = Stage::of(AttendanceMode::Day).await;
    let (a, _) = two_minutes(&stage).await;
    a.teacher().mark_exit(&a3(), P1, monday(), 3, time("11:00"), None).unwrap();
    sync(&[&a]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_resolves_has_seen_every_value_that_stands() {
    let stage = Stage::of(AttendanceMode::Day).await;
    let c = stage.device(SECOND).await;
    let (a, b) = two_minutes(&stage).await;
    c.teacher().mark_entry(&a3(), P1, monday(), 1, time("08:47")).unwrap();
    let shown = a.teacher().conflicts(&a3(), monday()).unwrap().remove(0);
    // A third value arrives between the list and the choice.
    sync(&[&c, &a]).await;
    let refused = rule(a.teacher().resolve(&a3(), &shown, shown.values[0].v, monday()));
    assert!(refused.italian.contains("cambiate"));
    let shown = a.teacher().conflicts(&a3(), monday()).unwrap().remove(0);
    assert_eq!(shown.values.len(), 3);
    a.teacher().resolve(&a3(), &shown, shown.values[0].v, monday()).unwrap();
    sync(&[&a, &b]).await;
    // Resolved by somebody else in the meantime.
    rule(b.teacher().resolve(&a3(), &shown, shown.values[0].v, monday()));
    assert!(b.teacher().conflicts(&a3(), monday()).unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lesson_signed_differently_on_two_devices_is_a_conflict_too() {
    let stage = Stage::of(AttendanceMode::Day).await;
    let (a, b) = (stage.device(TEACHER).await, stage.device(TEACHER).await);
    let subject = "ITA".parse().unwrap();
    for (device, topic) in [(&a, "Dante"), (&b, "Petrarca")] {
        device.teacher().sign_lesson(&a3(), monday(), 1, &subject, topic).unwrap();
    }
    sync(&[&a, &b, &a]).await;
    let teacher = a.teacher();
    rule(teacher.sign_lesson(&a3(), monday(), 1, &subject, "Boccaccio"));
    let conflict = teacher.conflicts(&a3(), monday()).unwrap().remove(0);
    assert_eq!(
        (conflict.section.as_str(), conflict.pupil, conflict.name.as_str()),
        ("topics", None, "Uno Anna")
    );
    let dante = conflict.values.iter().find(|value| value.says.italian.contains("Dante")).unwrap().v;
    teacher.resolve(&a3(), &conflict, dante, monday()).unwrap();
    teacher.sign_lesson(&a3(), monday(), 1, &subject, "Dante, canto primo").unwrap();
    sync(&[&a]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absence_that_changed_since_the_report_is_looked_at_again() {
    let stage = Stage::of(AttendanceMode::Day).await;
    let (a, b) = (stage.device(TEACHER).await, stage.device(TEACHER).await);
    let c = stage.device(SECOND).await;
    a.teacher().mark_absent(&a3(), P1, monday(), 1).unwrap();
    b.teacher().call_roll(&a3(), monday(), 1, &RollCall::default()).unwrap();
    sync(&[&a, &b, &a, &c]).await;
    let report = a.teacher().called_present(&a3(), monday()).unwrap().remove(0);
    assert_eq!(report.roll_provenance.author_name.as_deref(), Some("Uno Anna"));
    c.teacher().mark_absent(&a3(), P1, monday(), 1).unwrap();
    sync(&[&c, &a]).await;
    rule(a.teacher().settle_called_present(&a3(), &report, monday(), true));
    let report = a.teacher().called_present(&a3(), monday()).unwrap().remove(0);
    a.teacher().settle_called_present(&a3(), &report, monday(), false).unwrap();
    sync(&[&a]).await;
    assert!(a.teacher().called_present(&a3(), monday()).unwrap().is_empty() && seen(&a.teacher(), P1).absent);
}
