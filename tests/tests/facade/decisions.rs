//! Deciding justifications: about the days that were seen, in the class of those days, in one's own capacity.

use registro::teacher::PendingJustification;
use registro::{ErrorKind, Registro};
use registro_model::justification::{Run, RunState};
use registro_model::school::{AttendanceMode, JustificationKind};
use registro_model::{Capacity, Date};
use registro_tests::miniature::{
    COORDINATOR, GUARDIAN_OF_MOVED, HEAD, MOTHER, MOVED, OFFICE, P1, P2, TEACHER, class, day,
};

use crate::school::{Stage, a3, monday, rule, sync, time};

fn run(days: &[&str]) -> Run {
    Run { kind: JustificationKind::Absence, days: days.iter().map(|text| day(text)).collect() }
}

fn pending(device: &Registro, date: Date) -> Vec<PendingJustification> {
    device.teacher().pending_justifications(&a3(), date).unwrap()
}

fn states(phone: &Registro) -> Vec<RunState> {
    let absences = phone.family().absences(P1, day("2026-11-28")).unwrap();
    absences.into_iter().map(|absence| absence.state).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a8_a_decision_is_about_the_days_that_its_author_saw() {
    let stage = Stage::of(AttendanceMode::Day).await;
    let (device, phone) = (stage.device(TEACHER).await, stage.device(MOTHER).await);
    device.teacher().mark_absent(&a3(), P1, day("2026-11-17"), 1).unwrap();
    sync(&[&device, &phone]).await;
    // The family justifies two days of which one is an absence.
    phone.family().justify(P1, &run(&["2026-11-17", "2026-11-18"]), "health", Some("Influenza")).unwrap();
    sync(&[&phone, &device]).await;
    let waiting = pending(&device, monday()).remove(0);
    assert_eq!(waiting.runs, [run(&["2026-11-17"])]);
    assert_eq!((waiting.text.as_deref(), waiting.author), (Some("Influenza"), Some(MOTHER)));
    assert_eq!(waiting.provenance.author_name.as_deref(), Some("Madre Alfa"));
    device.teacher().decide(&a3(), &waiting, None).unwrap();
    sync(&[&device, &phone]).await;
    assert_eq!(states(&phone), [RunState::Approved]);
    // What is added later is not approved beforehand: the family's request waits again.
    assert!(pending(&device, monday()).is_empty());
    device.teacher().mark_absent(&a3(), P1, day("2026-11-18"), 1).unwrap();
    sync(&[&device, &phone]).await;
    assert!(matches!(&states(&phone)[..], [RunState::Requested { .. }]));
    let waiting = pending(&device, monday()).remove(0);
    assert_eq!(waiting.runs, [run(&["2026-11-17", "2026-11-18"])]);
    let view = device.teacher().class_view(&a3(), monday()).unwrap();
    assert_eq!(view.pupils.iter().map(|row| row.pending_justifications).sum::<usize>(), 1);
    device.teacher().decide(&a3(), &waiting, None).unwrap();
    sync(&[&device, &phone]).await;
    assert_eq!(states(&phone), [RunState::Approved]);
    // Beyond the justification it is open.
    device.teacher().mark_absent(&a3(), P1, day("2026-11-19"), 1).unwrap();
    sync(&[&phone, &device, &phone]).await;
    assert_eq!(states(&phone), [RunState::Open]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a8_a_run_that_is_longer_than_its_justification_stays_open_whatever_is_decided() {
    let stage = Stage::of(AttendanceMode::Day).await;
    let (device, phone) = (stage.device(TEACHER).await, stage.device(MOTHER).await);
    for date in ["2026-11-17", "2026-11-18", "2026-11-19"] {
        device.teacher().mark_absent(&a3(), P1, day(date), 1).unwrap();
    }
    sync(&[&device, &phone]).await;
    phone.family().justify(P1, &run(&["2026-11-17", "2026-11-18"]), "health", None).unwrap();
    sync(&[&phone, &device]).await;
    let waiting = pending(&device, monday()).remove(0);
    assert_eq!(waiting.runs, [run(&["2026-11-17", "2026-11-18"])]);
    device.teacher().decide(&a3(), &waiting, None).unwrap();
    sync(&[&device, &phone]).await;
    assert_eq!(states(&phone), [RunState::Open]);
    let decided = phone.family().absences(P1, monday()).unwrap().remove(0).decisions.remove(0).decision;
    assert_eq!((decided.from, decided.to), (day("2026-11-17"), day("2026-11-18")));
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_apart_are_decided_apart_so_that_a_day_between_them_is_open() {
    let stage = Stage::of(AttendanceMode::Day).await;
    let (device, phone) = (stage.device(TEACHER).await, stage.device(MOTHER).await);
    for date in ["2026-11-18", "2026-11-20"] {
        device.teacher().mark_absent(&a3(), P1, day(date), 1).unwrap();
    }
    sync(&[&device, &phone]).await;
    phone.family().justify(P1, &run(&["2026-11-18", "2026-11-19", "2026-11-20"]), "health", None).unwrap();
    sync(&[&phone, &device]).await;
    let waiting = pending(&device, monday()).remove(0);
    assert_eq!(waiting.runs, [run(&["2026-11-18"]), run(&["2026-11-20"])]);
    device.teacher().decide(&a3(), &waiting, None).unwrap();
    sync(&[&device, &phone]).await;
    assert_eq!(states(&phone), [RunState::Approved, RunState::Approved]);
    assert!(pending(&device, monday()).is_empty());
    device.teacher().mark_absent(&a3(), P1, day("2026-11-19"), 1).unwrap();
    sync(&[&device, &phone]).await;
    assert!(matches!(&states(&phone)[..], [RunState::Requested { .. }]));
    assert_eq!(pending(&device, monday())[0].runs, [run(&["2026-11-18", "2026-11-19", "2026-11-20"])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_left_to_justify_only_a_rejection_can_be_written() {
    let stage = Stage::of(AttendanceMode::Day).await;
    let (device, phone) = (stage.device(TEACHER).await, stage.device(MOTHER).await);
    phone.family().justify(P1, &run(&["2026-11-23"]), "health", None).unwrap();
    sync(&[&phone, &device]).await;
    let waiting = pending(&device, monday()).remove(0);
    assert!(waiting.runs.is_empty());
    rule(device.teacher().decide(&a3(), &waiting, None));
    device.teacher().decide(&a3(), &waiting, Some("era presente")).unwrap();
    sync(&[&device]).await;
    assert!(pending(&device, monday()).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absence_that_a_late_replaced_is_still_the_absence_that_was_justified() {
    let stage = Stage::of(AttendanceMode::Day).await;
    let (device, phone) = (stage.device(TEACHER).await, stage.device(MOTHER).await);
    device.teacher().mark_absent(&a3(), P1, monday(), 1).unwrap();
    sync(&[&device, &phone]).await;
    phone.family().justify(P1, &run(&["2026-11-23"]), "health", None).unwrap();
    device.teacher().mark_entry(&a3(), P1, monday(), 2, time("09:40")).unwrap();
    sync(&[&phone, &device]).await;
    let waiting = pending(&device, monday()).remove(0);
    device.teacher().decide(&a3(), &waiting, None).unwrap();
    sync(&[&device, &phone]).await;
    assert_eq!(states(&phone), [RunState::Approved]);
}

#[tokio::test(flavor = "multi_thread")]
async fn coordinator_head_and_office_decide_each_in_their_own_capacity() {
    let stage = Stage::of(AttendanceMode::Day).await;
    let phone = stage.device(MOTHER).await;
    let device = stage.device(TEACHER).await;
    device.teacher().mark_absent(&a3(), P1, monday(), 1).unwrap();
    sync(&[&device, &phone]).await;
    for (person, capacity) in
        [(COORDINATOR, Capacity::Council), (HEAD, Capacity::Head), (OFFICE, Capacity::Office)]
    {
        phone.family().justify(P1, &run(&["2026-11-23"]), "health", None).unwrap();
        sync(&[&phone]).await;
        let decider = stage.device(person).await;
        assert_eq!(decider.teacher().capacity(&a3(), monday()).unwrap(), capacity);
        for waiting in pending(&decider, monday()) {
            decider.teacher().decide(&a3(), &waiting, None).unwrap();
        }
        sync(&[&decider, &phone]).await;
        let absence = phone.family().absences(P1, monday()).unwrap().remove(0);
        assert!(absence.decisions.iter().any(|decision| decision.provenance.capacity == capacity));
        assert_eq!(absence.state, RunState::Approved);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capacity_may_be_chosen_and_is_judged_like_any_other() {
    let stage = Stage::of(AttendanceMode::Day).await;
    let device = stage.device(COORDINATOR).await;
    let substitute = device.teacher().writing_as(Capacity::Substitute);
    substitute.mark_absent(&a3(), P2, monday(), 1).unwrap();
    let refused = device.teacher().writing_as(Capacity::Office).mark_absent(&a3(), P1, monday(), 1);
    assert_eq!(refused.unwrap_err().kind, ErrorKind::NotAllowed);
    sync(&[&device]).await;
    assert_eq!(device.written().unwrap()[0].capacity, Capacity::Substitute);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_changed_class_is_decided_about_by_those_of_the_class_of_then() {
    let stage = Stage::of(AttendanceMode::Day).await;
    // TEACHER teaches in both classes.
    let (device, phone) = (stage.device(TEACHER).await, stage.device(GUARDIAN_OF_MOVED).await);
    device.teacher().mark_absent(&class("4B"), MOVED, day("2026-10-20"), 1).unwrap();
    sync(&[&device, &phone]).await;
    phone.family().justify(MOVED, &run(&["2026-10-20"]), "health", None).unwrap();
    sync(&[&phone, &device]).await;
    let waiting = pending(&device, monday()).remove(0);
    assert_eq!(waiting.pupil, MOVED);
    device.teacher().decide(&a3(), &waiting, None).unwrap();
    sync(&[&device, &phone]).await;
    let absence = phone.family().absences(MOVED, monday()).unwrap().remove(0);
    assert_eq!(absence.state, RunState::Approved);
}
