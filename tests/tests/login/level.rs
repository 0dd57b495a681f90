//! A login of one factor: what needs two waits aside, and the rest goes through (PROTOCOL §6). Marks are what needs them;
//! until somebody writes marks, attendance stands in for them here.

use registro::DeliveryState;
use registro::identity::Level;
use registro_documents::Kind;
use registro_model::ClassCode;
use registro_tests::login::{Credentials, log_in};

use crate::school::{School, day};

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_two_factors_waits_aside_until_the_person_has_shown_them() {
    let school = School::open().await;
    let hub = &school.hub.hub;
    hub.ask_two_factors_for(|kind, section| kind == Kind::PupilRecord && section == "attendance").unwrap();
    let person = school.person("D020");
    let teacher = school.credentials(person).await;
    let (tablet, registro) = school.logged_in(1, &teacher).await;
    let class: ClassCode = "3A".parse().unwrap();
    let pupil = registro.teacher().class_view(&class, day()).unwrap().pupils[0].pupil;
    let english = "ING".parse().unwrap();

    let absent = registro.teacher().mark_absent(&class, pupil, day(), 1).unwrap();
    let entered = registro.teacher().mark_entry(&class, pupil, day(), 2, "09:30".parse().unwrap()).unwrap();
    let lesson = registro.teacher().sign_lesson(&class, day(), 1, &english, "Present perfect").unwrap();
    let delivery = |registro: &registro::Registro, command| {
        registro.written().unwrap().into_iter().find(|w| w.command == command).unwrap().delivery
    };
    registro.sync().await.unwrap();
    assert!(matches!(delivery(&registro, lesson), DeliveryState::Confirmed { .. }), "the rest goes through");
    for waits in [absent, entered] {
        assert_eq!(delivery(&registro, waits), DeliveryState::Pending);
    }
    // Neither another sync nor another start of the app loses it, and what comes after goes through.
    drop(registro);
    let registro = tablet.open();
    let again = registro.teacher().sign_lesson(&class, day(), 2, &english, "Past simple").unwrap();
    registro.sync().await.unwrap();
    registro.sync().await.unwrap();
    assert!(matches!(delivery(&registro, again), DeliveryState::Confirmed { .. }));
    assert_eq!(delivery(&registro, absent), DeliveryState::Pending);

    let code = Some(school.second_factor(person));
    let profile = log_in(&registro, &Credentials { code, ..teacher }).await.unwrap();
    assert_eq!(profile.level, Some(Level::L2));
    registro.sync().await.unwrap();
    for written in [absent, entered] {
        let delivery = delivery(&registro, written);
        assert!(matches!(delivery, DeliveryState::Confirmed { .. }), "{delivery:?}");
    }
    let row =
        registro.teacher().class_view(&class, day()).unwrap().pupils.into_iter().find(|r| r.pupil == pupil);
    let shown = row.unwrap().day.unwrap();
    assert!(!shown.absent && shown.late, "in the order in which it was written");
}
