//! The thin thread through every layer: files, hub, a roll called offline, a family that reads and justifies.

use std::sync::Arc;

use registro::teacher::RollCall;
use registro::{DeliveryState, OpenOptions, Registro};
use registro_hub::StandingClock;
use registro_model::justification::RunState;
use registro_store::MemoryVault;
use registro_tests::clock::{SeededEnvironment, SharedClock};
use registro_tests::hub;

/// Monday 23 November 2026, 7:30 in Italy.
const MORNING: i64 = 1_795_415_400_000;

fn device(folder: &std::path::Path, url: &str, clock: &SharedClock, seed: u64) -> Registro {
    let mut options = OpenOptions::for_development(folder, url);
    options.environment = Some(Box::new(SeededEnvironment::new(clock.clone(), seed)));
    Registro::open(options, &MemoryVault::default()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_roll_called_offline_reaches_the_family_and_comes_back_justified() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("hub");
    std::fs::create_dir_all(&data).unwrap();
    hub::import(hub::sample_school(), &data).unwrap();
    let hub = hub::start(&data, Arc::new(StandingClock::at(MORNING))).await.unwrap();
    let clock = SharedClock::at(MORNING);
    let date = "2026-11-23".parse().unwrap();

    let teacher = device(&folder.path().join("t"), &hub.url(), &clock, 1);
    teacher.log_in_for_development("D020").await.unwrap();
    teacher.sync().await.unwrap();
    let day = teacher.teacher().my_day(date).unwrap();
    assert!(!day.is_empty());
    let lesson = day[0].clone();
    let before = teacher.teacher().class_view(&lesson.class, date).unwrap();
    assert!(before.pupils.len() > 20);

    // Offline: nothing is sent until the next sync.
    let absent = before.pupils[0].pupil;
    let late = before.pupils[1].pupil;
    let roll = RollCall { absent: vec![absent], late: vec![(late, "08:40".parse().unwrap())], left: vec![] };
    teacher.teacher().call_roll(&lesson.class, date, lesson.slot, &roll).unwrap();
    let subject = lesson.subject.clone();
    teacher.teacher().sign_lesson(&lesson.class, date, lesson.slot, &subject, "Le equazioni").unwrap();
    let seen = teacher.teacher().class_view(&lesson.class, date).unwrap();
    assert!(seen.pupils[0].day.as_ref().unwrap().absent);
    assert!(seen.pupils[0].day.as_ref().unwrap().pending);
    let report = teacher.sync().await.unwrap();
    assert_eq!((report.confirmed, report.not_accepted), (2, 0));
    assert!(teacher.written().unwrap().iter().all(|w| matches!(w.delivery, DeliveryState::Confirmed { .. })));
    assert!(
        !teacher.teacher().class_view(&lesson.class, date).unwrap().pupils[0].day.as_ref().unwrap().pending
    );

    // The absent pupil's guardian sees it and justifies.
    let registered = hub.hub.registered().unwrap();
    let guardian = registered.directory.guardians[&absent][0].guardian;
    let family = device(&folder.path().join("f"), &hub.url(), &clock, 2);
    family.log_in_for_development(&guardian.to_string()).await.unwrap();
    family.sync().await.unwrap();
    let child = family.family().children(date).unwrap().into_iter().find(|c| c.pupil == absent).unwrap();
    assert!(family.family().day(child.pupil, date).unwrap().absent);
    let absences = family.family().absences(child.pupil, date).unwrap();
    assert_eq!(absences.len(), 1);
    assert_eq!(absences[0].state, RunState::Open);
    family.family().justify(child.pupil, &absences[0].run, "health", None).unwrap();
    family.sync().await.unwrap();

    // The teacher approves.
    teacher.sync().await.unwrap();
    let pending = teacher.teacher().pending_justifications(&lesson.class, date).unwrap();
    assert_eq!(pending.len(), 1);
    teacher.teacher().decide(&lesson.class, &pending[0], None).unwrap();
    teacher.sync().await.unwrap();
    family.sync().await.unwrap();
    let absences = family.family().absences(child.pupil, date).unwrap();
    assert_eq!(absences[0].state, RunState::Approved);
    let hours = family.family().hours(child.pupil, date).unwrap();
    assert!(hours.absence >= 1 && hours.within_limit);
    hub.stop().await;
}
