//! Hours of absence against the limit: L5, the pupil's own annual hours, what the figure rests on.

use registro::Registro;
use registro::family::HoursView;
use registro::teacher::RollCall;
use registro_model::PersonId;
use registro_model::school::AttendanceMode;
use registro_model::time::Span;
use registro_tests::miniature::{GUARDIAN_OF_MOVED, MOTHER, MOVED, P1, P2, SECOND, TEACHER, day};

use crate::school::{ALTERNATIVE, RELIGION, SUPPORT, Stage, a3, monday, sync};

/// All three pupils absent on Monday; the hours signed by these teachers.
async fn absent_all_day(stage: &Stage, signed: &[(PersonId, u8, &str)]) {
    let device = stage.device(TEACHER).await;
    let everybody = RollCall { absent: vec![P1, P2, MOVED], ..RollCall::default() };
    for slot in 1..=4 {
        device.teacher().call_roll(&a3(), monday(), slot, &everybody).unwrap();
    }
    sync(&[&device]).await;
    for (teacher, slot, subject) in signed {
        let device = stage.device(*teacher).await;
        device.teacher().sign_lesson(&a3(), monday(), *slot, &subject.parse().unwrap(), "").unwrap();
        sync(&[&device]).await;
    }
}

async fn hours(stage: &Stage, guardian: PersonId, pupil: PersonId) -> HoursView {
    let phone: Registro = stage.device(guardian).await;
    phone.family().hours(pupil, monday()).unwrap()
}

/// P2 by a guardian who sees: in the miniature nobody does.
fn with_a_guardian_of_p2(registered: &mut registro_hub::registry::Registered) {
    let of_p1 = registered.directory.guardians[&P1][0].clone();
    registered.directory.guardians.get_mut(&P2).unwrap().push(of_p1);
}

#[tokio::test(flavor = "multi_thread")]
async fn l5_the_hour_of_religion_counts_for_those_who_attend_it_and_the_alternative_for_its_group() {
    for mode in [AttendanceMode::Day, AttendanceMode::Slot] {
        let stage = Stage::changed(mode, with_a_guardian_of_p2).await;
        absent_all_day(&stage, &[(TEACHER, 1, "ITA"), (RELIGION, 4, "IRC")]).await;
        assert_eq!(hours(&stage, MOTHER, P1).await.absence, 2, "{mode:?}: attends");
        assert_eq!(hours(&stage, MOTHER, P2).await.absence, 1, "{mode:?}: leaves the school");
        assert_eq!(hours(&stage, GUARDIAN_OF_MOVED, MOVED).await.absence, 1, "{mode:?}: alternative");
        let device = stage.device(ALTERNATIVE).await;
        device.teacher().sign_lesson(&a3(), monday(), 4, &"ALT".parse().unwrap(), "").unwrap();
        sync(&[&device]).await;
        assert_eq!(hours(&stage, MOTHER, P1).await.absence, 2, "{mode:?}");
        assert_eq!(hours(&stage, MOTHER, P2).await.absence, 1, "{mode:?}");
        assert_eq!(hours(&stage, GUARDIAN_OF_MOVED, MOVED).await.absence, 2, "{mode:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_signatures_of_an_hour_are_one_hour_and_support_is_none() {
    let stage = Stage::of(AttendanceMode::Day).await;
    let signed = [(SUPPORT, 1, "SOS"), (TEACHER, 1, "ITA"), (SECOND, 1, "ITA"), (SUPPORT, 2, "SOS")];
    absent_all_day(&stage, &signed).await;
    assert_eq!(hours(&stage, MOTHER, P1).await.absence, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_counts_while_the_pupil_is_in_it() {
    let stage = Stage::changed(AttendanceMode::Day, |registered| {
        let group = &mut registered.directory.pupils.get_mut(&MOVED).unwrap().groups[0].1;
        group.to = Some(day("2026-11-20"));
    })
    .await;
    absent_all_day(&stage, &[(ALTERNATIVE, 4, "ALT")]).await;
    assert_eq!(hours(&stage, GUARDIAN_OF_MOVED, MOVED).await.absence, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_annual_hours_are_those_of_the_day_and_a_previous_school_counts() {
    let stage = Stage::changed(AttendanceMode::Day, |registered| {
        let details = registered.pupils.get_mut(&P1).unwrap();
        let span = |from, to| Span { from: day(from), to: Some(day(to)) };
        details.annual_hours =
            vec![(1056, span("2026-09-01", "2027-01-10")), (891, span("2027-01-11", "2027-08-31"))];
        details.previous_hours = Some(40);
    })
    .await;
    absent_all_day(&stage, &[(TEACHER, 1, "ITA")]).await;
    let phone = stage.device(MOTHER).await;
    let today = phone.family().hours(P1, monday()).unwrap();
    assert_eq!((today.annual_hours, today.most_absence), (1056, 264));
    assert_eq!((today.absence, today.previous_hours, today.waivers.len()), (41, 40, 0));
    let later = phone.family().hours(P1, day("2027-02-01")).unwrap();
    assert_eq!((later.annual_hours, later.most_absence), (891, 222));
}
