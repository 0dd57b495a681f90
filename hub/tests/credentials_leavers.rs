//! What a hub that serves does by itself on the days on which people have left.

#![allow(clippy::unwrap_used)] // also outside the test functions themselves

mod oauth_app;
mod sync_school;

use oauth_app::{App, Stage};
use registro_hub::Level;
use registro_hub::identity::credentials::issue::HowToIssue;
use registro_hub::identity::people::MonthDay;
use sync_school::*;

#[tokio::test(flavor = "multi_thread")]
async fn after_31_august_a_leaver_hands_in_for_two_weeks_and_then_nothing_is_left_of_the_access() {
    let stage = Stage::of(Default::default(), |registered| {
        registered.directory.pupils.get_mut(&P1).unwrap().classes[0].1.to = Some(day("2027-01-15"));
    })
    .await;
    let identity = &stage.identity;
    let how = HowToIssue { by_mail: false, again: false, leavers_revoked_on: MonthDay::LAST_OF_YEAR };
    let registered = identity.hub.registered().unwrap();
    identity.credentials.issue(&registered, &[P1, P2], how, stage.now()).unwrap();
    let (leaver, stays) = (App::new(), App::new());
    stage.clock.set(at("2027-08-31T12:00"));
    leaver.tokens(&stage, P1, Level::L2).await;
    stays.tokens(&stage, P2, Level::L2).await;
    let look = |when: &str| {
        stage.clock.set(at(when));
        identity.tend().unwrap();
        let sessions = |person| identity.sessions_of(person, stage.now()).unwrap().len();
        let held = |person| identity.credentials.has_any(person).unwrap();
        (sessions(P1), held(P1), sessions(P2), held(P2))
    };
    assert_eq!(look("2027-08-31T23:00"), (1, true, 1, true));
    assert_eq!(look("2027-09-14T12:00"), (1, true, 1, true), "what was written before is still taken");
    assert_eq!(look("2027-09-15T12:00"), (0, false, 1, true));
    assert_eq!(look("2027-09-15T13:00"), (0, false, 1, true), "once a day");
}
