//! No logout, revocation, lost right or ended session loses what was not sent (PROTOCOL §8).

use registro::{DeliveryState, ErrorKind, Registro};
use registro_model::{ClassCode, CommandId, PersonId};
use registro_tests::login::log_in;

use crate::school::{School, day};

const CLASS: &str = "3A";

fn class() -> ClassCode {
    CLASS.parse().unwrap()
}

/// An absence written on the device, and nowhere else yet.
fn written(registro: &Registro) -> (CommandId, PersonId) {
    let teacher = registro.teacher();
    let pupil = teacher.class_view(&class(), day()).unwrap().pupils[0].pupil;
    (teacher.mark_absent(&class(), pupil, day(), 1).unwrap(), pupil)
}

fn delivery(registro: &Registro, command: CommandId) -> DeliveryState {
    registro.written().unwrap().into_iter().find(|w| w.command == command).unwrap().delivery
}

/// Nobody answers at the hub's address.
fn cut(registro: &Registro) {
    registro.set_hub("http://127.0.0.1:9").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_sends_first_what_can_be_sent() {
    let school = School::open().await;
    let teacher = school.credentials(school.person("D020")).await;
    let (tablet, registro) = school.logged_in(1, &teacher).await;
    let (command, _) = written(&registro);
    let report = registro.logout().await.unwrap();
    assert_eq!((report.unsent, report.told), (0, true));
    assert!(matches!(delivery(&registro, command), DeliveryState::Confirmed { .. }));
    // Nothing of the register is left to read, and no token or key.
    assert!(registro.teacher().class_view(&class(), day()).is_err());
    assert_eq!(tablet.keys.count(), 0);
    assert!(registro.fingerprints().unwrap().is_empty());
    assert_eq!(registro.sync().await.unwrap_err().kind, ErrorKind::NotLoggedIn);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_logout_without_a_connection_leaves_goes_with_the_next_login() {
    let school = School::open().await;
    let teacher = school.credentials(school.person("D020")).await;
    let (tablet, registro) = school.logged_in(1, &teacher).await;
    let (command, pupil) = written(&registro);
    cut(&registro);
    let report = registro.logout().await.unwrap();
    assert_eq!(report.unsent, 1);
    assert_eq!(delivery(&registro, command), DeliveryState::Pending);
    assert!(registro.teacher().class_view(&class(), day()).is_err());
    drop(registro);

    // The app is started again, much later, and the person logs in.
    school.later(24 * 60).await;
    let registro = tablet.open();
    assert_eq!(delivery(&registro, command), DeliveryState::Pending);
    log_in(&registro, &teacher).await.unwrap();
    registro.sync().await.unwrap();
    assert!(matches!(delivery(&registro, command), DeliveryState::Confirmed { .. }));
    let view = registro.teacher().class_view(&class(), day()).unwrap();
    assert!(view.pupils.iter().any(|row| row.pupil == pupil && row.day.as_ref().is_some_and(|d| d.absent)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_after_the_session_ended_goes_with_the_next_login() {
    let school = School::open().await;
    let teacher = school.credentials(school.person("D020")).await;
    let (_one, here) = school.logged_in(1, &teacher).await;
    let (_other, there) = school.logged_in(2, &teacher).await;
    let this = here.sessions().await.unwrap().into_iter().find(|session| session.this).unwrap();
    there.end_session(&this.id, false).await.unwrap();
    assert_eq!(here.sync().await.unwrap_err().kind, ErrorKind::SessionEnded);
    let (command, _) = written(&here);
    assert_eq!(here.sync().await.unwrap_err().kind, ErrorKind::SessionEnded);
    assert_eq!(delivery(&here, command), DeliveryState::Pending);
    log_in(&here, &teacher).await.unwrap();
    here.sync().await.unwrap();
    assert!(matches!(delivery(&here, command), DeliveryState::Confirmed { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_lost_device_sends_is_kept_for_the_office() {
    let school = School::open().await;
    let teacher = school.credentials(school.person("D020")).await;
    let (_one, lost) = school.logged_in(1, &teacher).await;
    let (_other, there) = school.logged_in(2, &teacher).await;
    let (command, _) = written(&lost);
    let sessions = there.sessions().await.unwrap();
    let other = sessions.iter().find(|session| !session.this).unwrap();
    there.end_session(&other.id, true).await.unwrap();
    assert_eq!(lost.sync().await.unwrap_err().kind, ErrorKind::SessionEnded);
    assert_eq!(delivery(&lost, command), DeliveryState::Pending);

    // It is found again: what it held goes to the office, and is not taken as the person's.
    log_in(&lost, &teacher).await.unwrap();
    lost.sync().await.unwrap();
    let what = delivery(&lost, command);
    assert!(matches!(what, DeliveryState::Refused { .. } | DeliveryState::WithOffice { .. }), "{what:?}");
    let office = school.tablet(3).open();
    office.log_in_for_development("P003").await.unwrap();
    office.sync().await.unwrap();
    let kept = office.office().kept().await.unwrap();
    assert!(kept.iter().any(|batch| batch.person == school.person("D020")), "{kept:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_login_that_the_hub_could_not_answer_for_touches_nothing() {
    let school = School::open().await;
    let teacher = school.credentials(school.person("D020")).await;
    let colleague = school.credentials(school.person("D025")).await;
    let (_tablet, registro) = school.logged_in(1, &teacher).await;
    let (command, _) = written(&registro);
    cut(&registro);
    registro.logout().await.unwrap();

    // A colleague logs in on the tablet; the hub gives tokens, and is gone before it says who that is.
    let stranger = log_in(&registro, &colleague).await.unwrap_err();
    assert!(
        stranger.to_string().contains("reached") || stranger.to_string().contains("offline"),
        "{stranger}"
    );
    registro.set_hub(&school.hub.url()).unwrap();
    assert_eq!(registro.sync().await.unwrap_err().kind, ErrorKind::NotAllowed);
    assert_eq!(registro.session().await.unwrap(), None);
    assert_eq!(delivery(&registro, command), DeliveryState::Pending);
    assert!(registro.fingerprints().unwrap().is_empty(), "nothing of the colleague's was fetched");

    log_in(&registro, &teacher).await.unwrap();
    registro.sync().await.unwrap();
    assert!(matches!(delivery(&registro, command), DeliveryState::Confirmed { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_ends_locks_what_is_read_and_loses_nothing_that_was_written() {
    let school = School::open().await;
    let teacher = school.credentials(school.person("D020")).await;
    let (tablet, registro) = school.logged_in(1, &teacher).await;
    let (command, _) = written(&registro);
    cut(&registro);
    school.later(13 * 24 * 60).await;
    assert!(
        !registro.teacher().class_view(&class(), day()).unwrap().pupils.is_empty(),
        "two weeks are not over"
    );

    // Two weeks without the school: nothing is shown any more, whatever the app tries, also after it is started again.
    school.later(2 * 24 * 60).await;
    let locked = |registro: &Registro| {
        assert_eq!(registro.teacher().class_view(&class(), day()).unwrap_err().kind, ErrorKind::Suspended);
        assert!(registro.family().children(day()).is_err());
        let error = registro.resume().unwrap_err();
        assert_eq!(error.kind, ErrorKind::Locked);
        assert!(error.italian.contains("collegati") && error.english.contains("connect"));
    };
    locked(&registro);
    drop(registro);
    let registro = tablet.open();
    locked(&registro);

    // The session has ended meanwhile too; the person logs in, and what was written is sent.
    log_in(&registro, &teacher).await.unwrap();
    registro.sync().await.unwrap();
    assert!(matches!(delivery(&registro, command), DeliveryState::Confirmed { .. }));
    assert!(!registro.teacher().class_view(&class(), day()).unwrap().pupils.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schools_last_day_ends_sessions_by_password_and_loses_nothing() {
    let school = School::open().await;
    let person = school.person("D020");
    let teacher = school.credentials(person).await;
    let (_tablet, registro) = school.logged_in(1, &teacher).await;
    let (command, _) = written(&registro);
    school.last_day("2026-11-22");
    assert_eq!(registro.sync().await.unwrap_err().kind, ErrorKind::SessionEnded);
    assert_eq!(delivery(&registro, command), DeliveryState::Pending);
    // Until SPID or CIE logs the person in: here the head changes their mind.
    school.last_day("2027-06-30");
    log_in(&registro, &teacher).await.unwrap();
    registro.sync().await.unwrap();
    assert!(matches!(delivery(&registro, command), DeliveryState::Confirmed { .. }));
}
