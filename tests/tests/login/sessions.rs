//! Sessions: they outlive the app, are listed and ended from elsewhere, and belong to one person.

use registro::identity::{Level, LoginMethod};
use registro::{ErrorKind, LoginRequest};
use registro_tests::login::{by_pages, log_in};

use crate::school::{School, day};

const BY_SCHOOL: LoginRequest =
    LoginRequest { method: Some(LoginMethod::School), level: Level::L1, english: false };

#[tokio::test(flavor = "multi_thread")]
async fn a_session_outlives_the_app_and_renews_itself() {
    let school = School::open().await;
    let teacher = school.credentials(school.person("D020")).await;
    let tablet = school.tablet(1);
    let registro = tablet.open();
    assert_eq!(registro.session().await.unwrap(), None);
    assert_eq!(registro.sync().await.unwrap_err().kind, ErrorKind::NotLoggedIn);
    let profile = log_in(&registro, &teacher).await.unwrap();
    assert_eq!(profile.person, school.person("D020"));
    assert_eq!(profile.level, Some(Level::L1));
    assert!(profile.roles.contains(&"teacher".to_owned()) && profile.roles.contains(&"guardian".to_owned()));
    registro.sync().await.unwrap();
    drop(registro);

    // An hour later the access token is long gone, and nobody is asked.
    school.later(60).await;
    let registro = tablet.open();
    let session = registro.session().await.unwrap().unwrap();
    assert_eq!((session.level, session.ended), (Some(Level::L1), false));
    registro.sync().await.unwrap();
    assert!(!registro.teacher().my_day(day()).unwrap().is_empty());
    assert_eq!(registro.sessions().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_survives_the_end_of_the_app_and_a_report_that_it_was_given_up() {
    let school = School::open().await;
    let teacher = school.credentials(school.person("D020")).await;
    let tablet = school.tablet(1);
    let registro = tablet.open();
    let address = registro.begin_login(BY_SCHOOL).await.unwrap();
    registro.abort_login().await.unwrap();
    drop(registro);
    let callback = by_pages(&address, &teacher).await.unwrap();
    let registro = tablet.open();
    assert!(registro.pending_login().await.unwrap().is_some());
    let wrong = callback.replace("state=", "state=x");
    assert_eq!(registro.complete_login(&wrong).await.unwrap_err().kind, ErrorKind::Untrusted);
    registro.complete_login(&callback).await.unwrap();
    assert_eq!(registro.pending_login().await.unwrap(), None);
    registro.sync().await.unwrap();
    // The code is used up.
    assert_eq!(registro.complete_login(&callback).await.unwrap_err().kind, ErrorKind::Untrusted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_ended_from_another_device() {
    let school = School::open().await;
    let teacher = school.credentials(school.person("D020")).await;
    let (_one, here) = school.logged_in(1, &teacher).await;
    let (_other, there) = school.logged_in(2, &teacher).await;
    let sessions = here.sessions().await.unwrap();
    let labels: Vec<_> = sessions.iter().map(|s| (s.device.as_deref(), s.this)).collect();
    assert!(labels.contains(&(Some("Tablet 1"), true)) && labels.contains(&(Some("Tablet 2"), false)));
    let other = sessions.iter().find(|session| !session.this).unwrap();
    here.end_session(&other.id, false).await.unwrap();
    assert_eq!(there.sync().await.unwrap_err().kind, ErrorKind::SessionEnded);
    assert!(there.session().await.unwrap().unwrap().ended, "and what is on the device can still be read");
    assert!(!there.teacher().my_day(day()).unwrap().is_empty());
    here.sync().await.unwrap();
    assert_eq!(here.end_session(&other.id, false).await.unwrap_err().kind, ErrorKind::NotFound);
    log_in(&there, &teacher).await.unwrap();
    there.sync().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_belongs_to_one_person() {
    let school = School::open().await;
    let teacher = school.credentials(school.person("D020")).await;
    let colleague = school.credentials(school.person("D025")).await;
    let (tablet, registro) = school.logged_in(1, &teacher).await;
    let address = registro.begin_login(BY_SCHOOL).await.unwrap();
    let callback = by_pages(&address, &colleague).await.unwrap();
    assert_eq!(registro.complete_login(&callback).await.unwrap_err().kind, ErrorKind::NotAllowed);
    registro.sync().await.unwrap();

    // Also after a logout, and then nobody is logged in.
    registro.logout().await.unwrap();
    let address = registro.begin_login(BY_SCHOOL).await.unwrap();
    let callback = by_pages(&address, &colleague).await.unwrap();
    assert_eq!(registro.complete_login(&callback).await.unwrap_err().kind, ErrorKind::NotAllowed);
    assert_eq!(registro.session().await.unwrap(), None);
    assert_eq!(tablet.keys.count(), 0, "no key is left of a login that came to nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_level_that_was_not_reached_logs_nobody_in() {
    let school = School::open().await;
    let teacher = school.credentials(school.person("D020")).await;
    let registro = school.tablet(1).open();
    let address = registro.begin_login(LoginRequest { level: Level::L2, ..BY_SCHOOL }).await.unwrap();
    // The page says that a second factor is needed.
    let error = by_pages(&address, &teacher).await.unwrap_err().to_string();
    assert!(error.contains("403") || error.contains("200"), "{error}");
    assert_eq!(registro.session().await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_development_login_is_for_this_very_device() {
    let data = tempfile::tempdir().unwrap();
    let serve = |listen: &str, public: Option<&str>| {
        registro_hub::serve::serve(registro_hub::serve::ServeConfig {
            data: data.path().to_owned(),
            listen: listen.parse().unwrap(),
            identity: None,
            public_url: public.map(|url| url.parse().unwrap()),
            dev_login: true,
            standing_clock: None,
        })
    };
    assert!(matches!(serve("0.0.0.0:0", None).await, Err(registro_hub::HubError::Forbidden(_))));
    registro_tests::hub::import(registro_tests::hub::sample_school(), data.path()).unwrap();
    let public = serve("127.0.0.1:0", Some("https://hub.scuola.example")).await;
    assert!(matches!(public, Err(registro_hub::HubError::Forbidden(_))));
}
