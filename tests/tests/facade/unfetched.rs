//! What is not on this device yet is unknown, never "present".

use registro::ErrorKind;
use registro::teacher::RollCall;
use registro_hub::registry::Registered;
use registro_model::directory::{GuardianRights, Guardianship, Pupil};
use registro_model::school::AttendanceMode;
use registro_model::time::Span;
use registro_tests::miniature::{GUARDIAN_OF_MOVED, MOTHER, MOVED, P1, SECOND, TEACHER, class, day, person};

use crate::school::{Stage, a3, monday, sync};

/// A pupil joins the class, is entered as absent, and the devices' next sync ends before the record is fetched.
async fn joined_and_absent(stage: &Stage) -> registro_model::PersonId {
    let newcomer = person(24);
    stage.registry.change(|registered| {
        let span = Span { from: day("2026-09-01"), to: Some(day("2027-08-31")) };
        let pupil = Pupil {
            name: "Zeta Nuovo".to_owned(),
            born: Some(day("2010-01-01")),
            classes: vec![(a3(), span)],
            groups: vec![],
        };
        let mother = Guardianship {
            guardian: MOTHER,
            name: "Madre Alfa".to_owned(),
            rights: GuardianRights::Complete,
            span,
        };
        registered.directory.pupils.insert(newcomer, pupil);
        registered.directory.guardians.insert(newcomer, vec![mother]);
        registered.directory.classes.get_mut(&a3()).unwrap().enrolments.push((newcomer, span));
    });
    let other = stage.device(SECOND).await;
    other.teacher().mark_absent(&a3(), newcomer, monday(), 1).unwrap();
    sync(&[&other]).await;
    newcomer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_not_fetched_yet_is_no_presence_and_a_roll_then_has_seen_nothing() {
    for mode in [AttendanceMode::Day, AttendanceMode::Slot] {
        let stage = Stage::of(mode).await;
        let device = stage.device(TEACHER).await;
        let newcomer = joined_and_absent(&stage).await;
        stage.sync_only(&device, 1).await;
        let teacher = device.teacher();
        let view = teacher.class_view(&a3(), monday()).unwrap();
        let day_of = |pupil| view.pupils.iter().find(|row| row.pupil == pupil).unwrap().day.clone();
        assert!(day_of(newcomer).is_none() && day_of(P1).is_some() && view.month_known);
        // The silence of a roll says nothing of whom its author could not see: the absence stands against it.
        teacher.call_roll(&a3(), monday(), 1, &RollCall::default()).unwrap();
        sync(&[&device]).await;
        let reports = teacher.called_present(&a3(), monday()).unwrap();
        assert_eq!(reports.iter().map(|report| report.pupil).collect::<Vec<_>>(), [newcomer], "{mode:?}");
        let view = teacher.class_view(&a3(), monday()).unwrap();
        assert!(view.pupils.iter().find(|row| row.pupil == newcomer).unwrap().day.clone().unwrap().absent);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn by_the_hour_a_day_waits_for_the_rolls_that_it_is_derived_from() {
    let stage = Stage::of(AttendanceMode::Slot).await;
    let phone = stage.device(GUARDIAN_OF_MOVED).await;
    let family = phone.family();
    assert!(!family.day(MOVED, monday()).unwrap().absent);
    // Back in 4B since Friday: the record says so at once, that class's month has to be fetched again.
    stage.registry.change(|registered| {
        let Registered { directory, .. } = registered;
        let (left, back) = (day("2026-11-19"), day("2026-11-20"));
        let again = Span { from: back, to: Some(day("2027-08-31")) };
        let pupil = directory.pupils.get_mut(&MOVED).unwrap();
        pupil.classes[1].1.to = Some(left);
        pupil.classes.push((class("4B"), again));
        for (pupil, span) in &mut directory.classes.get_mut(&a3()).unwrap().enrolments {
            if *pupil == MOVED {
                span.to = Some(left);
            }
        }
        directory.classes.get_mut(&class("4B")).unwrap().enrolments.push((MOVED, again));
    });
    stage.sync_only(&phone, 1).await;
    assert_eq!(family.day(MOVED, monday()).unwrap_err().kind, ErrorKind::NotFound);
    sync(&[&phone]).await;
    assert!(!family.day(MOVED, monday()).unwrap().absent);
    let before = family.day(MOVED, day("2026-08-31")).unwrap_err();
    assert_eq!(before.kind, ErrorKind::NotAllowed, "in no class yet");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_family_is_not_told_present_before_the_record_is_here() {
    let stage = Stage::of(AttendanceMode::Day).await;
    let phone = stage.device(MOTHER).await;
    let newcomer = joined_and_absent(&stage).await;
    stage.sync_only(&phone, 1).await;
    let family = phone.family();
    let kinds = [
        family.day(newcomer, monday()).map(drop),
        family.absences(newcomer, monday()).map(drop),
        family.hours(newcomer, monday()).map(drop),
    ]
    .map(|refused| refused.unwrap_err().kind);
    assert_eq!(kinds, [ErrorKind::NotFound; 3]);
    sync(&[&phone]).await;
    assert!(family.day(newcomer, monday()).unwrap().absent);
}
