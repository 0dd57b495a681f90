//! A PIN that was tried too often: only a login of the store's person lets it be tried again, and nothing is lost.

use registro::identity::{Level, LoginMethod};
use registro::{BlockedStore, DeliveryState, ErrorKind, LoginRequest, OpenOptions, Pin, Registro};
use registro_tests::login::by_pages;

use crate::school::{School, day};

const BY_SCHOOL: LoginRequest =
    LoginRequest { method: Some(LoginMethod::School), level: Level::L1, english: false };

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_pin_waits_for_a_login_of_the_stores_person() {
    let school = School::open().await;
    let teacher = school.credentials(school.person("D020")).await;
    let colleague = school.credentials(school.person("D025")).await;
    let (tablet, registro) = school.logged_in(1, &teacher).await;
    let class = "3A".parse().unwrap();
    let pupil = registro.teacher().class_view(&class, day()).unwrap().pupils[0].pupil;
    let command = registro.teacher().mark_absent(&class, pupil, day(), 1).unwrap();
    let pin = |digits: &str| Pin::new(digits).unwrap();
    registro.set_pin(&tablet.vault, None, Some(&pin("246810"))).unwrap();
    drop(registro);

    let open = |digits: &str| {
        Registro::open(OpenOptions { pin: Some(pin(digits)), ..tablet.options() }, &tablet.vault)
    };
    for _ in 0..10 {
        assert_eq!(open("135791").err().unwrap().kind, ErrorKind::NeedsUser);
    }
    let blocked = open("246810").err().unwrap();
    assert_eq!(blocked.kind, ErrorKind::NeedsUser, "also the right one");

    let store = BlockedStore::of(&tablet.options(), &tablet.login()).unwrap();
    let address = store.begin_login(BY_SCHOOL).await.unwrap();
    let callback = by_pages(&address, &colleague).await.unwrap();
    let refused = store.complete_login(&callback).await.unwrap_err();
    assert!(matches!(refused.kind, ErrorKind::NotAllowed | ErrorKind::Untrusted), "{refused:?}");
    assert!(open("246810").is_err(), "a colleague's login opens nothing");

    let address = store.begin_login(BY_SCHOOL).await.unwrap();
    let callback = by_pages(&address, &teacher).await.unwrap();
    store.complete_login(&callback).await.unwrap();
    assert_eq!(
        open("135791").err().unwrap().kind,
        ErrorKind::NeedsUser,
        "the login does not stand for the PIN"
    );
    let registro = open("246810").unwrap();
    registro.sync().await.unwrap();
    let written = registro.written().unwrap();
    assert!(matches!(written[0].delivery, DeliveryState::Confirmed { .. }));
    assert_eq!(written[0].command, command);
}
