//! Who, on which device, when, and whether the hub has it: of everything shown; and what became of what was written.

use registro::teacher::RollCall;
use registro::{About, DeliveryState};
use registro_model::Capacity;
use registro_model::school::AttendanceMode;
use registro_tests::miniature::{MOTHER, P1, P2, SUBSTITUTE, TEACHER, THIRD};

use crate::school::{Stage, a3, monday, seen, sync, time};

#[tokio::test(flavor = "multi_thread")]
async fn everything_shown_says_where_it_comes_from() {
    let stage = Stage::of(AttendanceMode::Day).await;
    let (device, phone) = (stage.device(TEACHER).await, stage.device(MOTHER).await);
    let roll = RollCall { absent: vec![P1], late: vec![(P2, time("08:40"))], left: vec![] };
    let called = device.teacher().call_roll(&a3(), monday(), 1, &roll).unwrap();
    device.teacher().sign_lesson(&a3(), monday(), 1, &"ITA".parse().unwrap(), "Dante").unwrap();
    let offline = seen(&device.teacher(), P1).facts.remove(0).provenance;
    assert_eq!((offline.delivery.clone(), offline.version), (DeliveryState::Pending, called));
    sync(&[&device, &phone]).await;
    let view = device.teacher().class_view(&a3(), monday()).unwrap();
    let absence = seen(&device.teacher(), P1).facts.remove(0).provenance;
    let lesson = &view.lessons[0];
    let shown = [&absence, &view.rolls[0].provenance, &lesson.provenance];
    for provenance in shown.into_iter().chain(&lesson.topic_provenance) {
        assert_eq!((provenance.author, provenance.capacity), (Some(TEACHER), Capacity::Lesson));
        assert_eq!(provenance.author_name.as_deref(), Some("Uno Anna"));
        assert_eq!((provenance.slot, provenance.device.as_ref().map(String::len)), (Some(1), Some(16)));
        assert!(matches!(provenance.delivery, DeliveryState::Confirmed { at } if at >= 1_700_000_000_000));
    }
    // The family reads the same of its own child, and of what it writes itself.
    let absence_at_home = phone.family().absences(P1, monday()).unwrap().remove(0);
    assert_eq!(absence_at_home.facts[0].provenance, absence);
    phone.family().justify(P1, &absence_at_home.run, "health", Some("Influenza")).unwrap();
    let justified = phone.family().absences(P1, monday()).unwrap().remove(0).justifications.remove(0);
    assert_eq!(justified.text.as_deref(), Some("Influenza"));
    assert_eq!(justified.provenance.author_name.as_deref(), Some("Madre Alfa"));
    assert_eq!(justified.provenance.delivery, DeliveryState::Pending);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_roll_says_of_whom_what_and_why() {
    let stage = Stage::of(AttendanceMode::Day).await;
    let device = stage.device(THIRD).await;
    let roll = RollCall { absent: vec![P1], late: vec![(P2, time("10:40"))], left: vec![] };
    let called = device.teacher().call_roll(&a3(), monday(), 3, &roll).unwrap();
    stage.registry.change(|registered| {
        let class = registered.directory.classes.get_mut(&a3()).unwrap();
        for assignment in class.assignments.iter_mut().filter(|a| a.teacher == THIRD) {
            assignment.span.to = Some(monday().pred_opt().unwrap());
        }
    });
    assert_eq!(device.sync().await.unwrap().not_accepted, 1);
    let written = device.written().unwrap();
    let refused = written.iter().find(|written| written.command == called).unwrap();
    let DeliveryState::Refused { reason, italian, english } = &refused.delivery else {
        panic!("{refused:?}")
    };
    assert_eq!(reason, "not-assigned");
    assert!(italian.contains("cattedra") && english.contains("assignment"));
    // The records are not here any more: the rosters, which all teachers read, know them.
    let about = |section: &str, says: &str| {
        let fact = refused.facts.iter().find(|f| f.section == section && f.says.italian == says);
        let fact = fact.unwrap_or_else(|| panic!("{:?}", refused.facts));
        assert_eq!((fact.date, fact.slot, fact.is_cause), (Some(monday()), Some(3), true));
        fact.about.clone()
    };
    let pupil = |pupil, name: &str| About::Pupil { pupil, name: Some(name.to_owned()) };
    assert_eq!(about("attendance", "assente"), pupil(P1, "Alfa Primo"));
    assert_eq!(about("attendance", "entrata alle 10:40"), pupil(P2, "Beta Secondo"));
    assert_eq!(about("rolls", "appello della 3ª ora"), About::Class(a3()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_blind_says_of_whom_it_is() {
    let stage = Stage::of(AttendanceMode::Day).await;
    let device = stage.device(SUBSTITUTE).await;
    device.teacher().mark_exit(&a3(), P1, monday(), 4, time("11:40"), None).unwrap();
    let written = device.written().unwrap().remove(0);
    let fact = &written.facts[0];
    assert_eq!(fact.about, About::Pupil { pupil: P1, name: Some("Alfa Primo".to_owned()) });
    assert_eq!((fact.says.english.as_str(), fact.is_cause), ("left at 11:40", false));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_office_reads_why_a_batch_is_kept() {
    let stage = Stage::of(AttendanceMode::Day).await;
    let device = stage.device(THIRD).await;
    device.teacher().mark_absent(&a3(), P1, monday(), 3).unwrap();
    let office = stage.device(registro_tests::miniature::OFFICE).await;
    office.office().end_assignment(THIRD, &a3(), monday()).await.unwrap();
    device.sync().await.unwrap();
    let kept = office.office().kept().await.unwrap().remove(0);
    assert_eq!(
        (kept.person, kept.name.as_deref(), kept.code.as_str()),
        (THIRD, Some("Tre Carla"), "refused")
    );
    assert!(kept.italian.contains("cattedra") && kept.english.contains("assignment"));
    assert_eq!(kept.facts[0].key, "2026-11-23/absence");
}
