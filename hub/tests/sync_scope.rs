//! Who may read what: the reader column of the audience table, role by role.

#![allow(clippy::unwrap_used)] // also outside the test functions themselves

mod sync_school;

use std::collections::BTreeMap;

use registro_documents::Kind;
use registro_hub::Hub;
use registro_hub::caller::{Caller, Level};
use registro_model::PersonId;
use registro_sync::Request;
use sync_school::*;

/// What a person may read: kind and subject, with the last day.
fn readable(hub: &Hub, person: PersonId, now: i64) -> BTreeMap<(Kind, String), Option<String>> {
    let caller = Caller::new(person, Level::L1);
    let reply = hub.sync(&caller, &Request::default(), now).unwrap();
    reply
        .documents
        .unwrap_or_default()
        .into_iter()
        .map(|l| ((l.identity.kind, l.identity.subject.to_string()), l.until))
        .collect()
}

fn kinds(hub: &Hub, person: PersonId) -> BTreeMap<Kind, usize> {
    let mut counts = BTreeMap::new();
    for (kind, _) in readable(hub, person, morning()).into_keys() {
        *counts.entry(kind).or_default() += 1;
    }
    counts
}

fn of(pupil: PersonId) -> String {
    format!("person/{pupil}")
}

#[test]
fn a_teacher_reads_all_rosters_and_whole_documents_of_own_classes_only() {
    let hub = hub();
    let scope = readable(&hub, SECOND, morning());
    let has = |kind, subject: &str| scope.contains_key(&(kind, subject.to_owned()));
    for kind in [Kind::School, Kind::StaffBoard] {
        assert!(has(kind, "school"));
    }
    for kind in [Kind::StaffBook, Kind::StaffDesk, Kind::StaffMeetings] {
        assert!(has(kind, &of(SECOND)) && !has(kind, &of(TEACHER)));
    }
    assert!(has(Kind::ClassRoster, "class/3A") && has(Kind::ClassRoster, "class/4B"));
    assert!(has(Kind::ClassBook, "class/3A") && !has(Kind::ClassBook, "class/4B"));
    assert!(has(Kind::ClassMonth, "month/3A/2026-11") && !has(Kind::ClassMonth, "month/4B/2026-11"));
    assert!(has(Kind::TermCouncil, "term/3A/P") && !has(Kind::TermCouncil, "term/4B/P"));
    for kind in [Kind::PupilRecord, Kind::PupilGuardians, Kind::PupilReserve] {
        assert!(has(kind, &of(P1)) && has(kind, &of(MOVED)) && !has(kind, &of(Q1)));
    }
}

#[test]
fn a_substitute_without_assignment_reads_rosters_but_no_pupil_and_no_month() {
    let hub = hub();
    let kinds = kinds(&hub, SUBSTITUTE);
    assert_eq!(kinds.get(&Kind::ClassRoster), Some(&2));
    for kind in [Kind::PupilRecord, Kind::ClassMonth, Kind::ClassBook, Kind::PupilReserve] {
        assert_eq!(kinds.get(&kind), None, "{kind}");
    }
}

#[test]
fn a_replaced_teacher_goes_on_reading_and_the_supply_reads_while_it_lasts() {
    let hub = hub();
    let key = (Kind::PupilRecord, of(P1));
    assert!(readable(&hub, REPLACED, morning()).contains_key(&key));
    assert!(readable(&hub, SUPPLY, morning()).contains_key(&key));
    assert!(!readable(&hub, SUPPLY, at("2026-10-11T09:00")).contains_key(&key));
    assert!(!readable(&hub, SUPPLY, at("2026-12-23T00:30")).contains_key(&key));
}

#[test]
fn a_coordinator_reads_the_class_whatever_they_teach() {
    let hub = hub();
    assert!(readable(&hub, COORDINATOR, morning()).contains_key(&(Kind::PupilReserve, of(P2))));
}

#[test]
fn an_ended_assignment_takes_the_class_away() {
    let hub = hub();
    let office = device(&hub, OFFICE, 51);
    hub.end_assignments(&office.caller, THIRD, &class("3A"), day("2026-11-23"), morning()).unwrap();
    let scope = readable(&hub, THIRD, morning());
    assert!(!scope.contains_key(&(Kind::PupilRecord, of(P1))));
    assert!(scope.contains_key(&(Kind::ClassRoster, "class/3A".to_owned())));
}

#[test]
fn the_head_reads_everything_but_other_peoples_staff_books() {
    let hub = hub();
    let all = hub.documents().unwrap();
    let scope = readable(&hub, HEAD, morning());
    for document in all {
        let key = (document.kind, document.subject.to_string());
        let foreign_book = document.kind == Kind::StaffBook && key.1 != of(HEAD);
        assert_eq!(scope.contains_key(&key), !foreign_book, "{key:?}");
    }
}

#[test]
fn the_office_reads_everything_but_the_pupils_reserve() {
    let hub = hub();
    let all = hub.documents().unwrap();
    let scope = readable(&hub, OFFICE, morning());
    for document in all {
        let key = (document.kind, document.subject.to_string());
        assert_eq!(scope.contains_key(&key), document.kind != Kind::PupilReserve, "{key:?}");
    }
}

#[test]
fn support_staff_read_the_school_the_board_and_their_own_book() {
    let hub = hub();
    let expected: BTreeMap<_, usize> =
        [Kind::School, Kind::StaffBoard, Kind::StaffBook].map(|k| (k, 1)).into();
    assert_eq!(kinds(&hub, CARETAKER), expected);
}

#[test]
fn a_guardian_reads_each_child_with_rights_and_their_classes() {
    let hub = hub();
    let scope = readable(&hub, MOTHER, morning());
    for pupil in [P1, Q1] {
        assert!(scope.contains_key(&(Kind::PupilRecord, of(pupil))));
        assert!(scope.contains_key(&(Kind::PupilGuardians, of(pupil))));
    }
    assert!(!scope.contains_key(&(Kind::PupilRecord, of(P2))));
    assert!(scope.contains_key(&(Kind::ClassBook, "class/3A".to_owned())));
    assert!(scope.contains_key(&(Kind::ClassMonth, "month/4B/2026-11".to_owned())));
    assert!(scope.contains_key(&(Kind::StaffDesk, of(SECOND))));
    assert!(scope.contains_key(&(Kind::StaffMeetings, of(SECOND))));
    for kind in [Kind::PupilReserve, Kind::ClassRoster, Kind::StaffBoard, Kind::TermCouncil] {
        assert!(scope.keys().all(|(k, _)| *k != kind), "{kind}");
    }
    // Who sees only reads the same of that child.
    let father = readable(&hub, FATHER, morning());
    assert!(father.contains_key(&(Kind::PupilRecord, of(P1))));
    assert!(!father.contains_key(&(Kind::PupilRecord, of(Q1))));
}

#[test]
fn without_a_right_nothing_is_read() {
    let hub = hub();
    assert!(readable(&hub, ESTRANGED, morning()).is_empty());
    assert!(readable(&hub, person(99), morning()).is_empty());
}

#[test]
fn a_pupil_reads_the_own_record_without_what_guardians_read() {
    let hub = hub();
    let scope = readable(&hub, P1, morning());
    assert!(scope.contains_key(&(Kind::PupilRecord, of(P1))));
    assert!(scope.contains_key(&(Kind::ClassMonth, "month/3A/2026-11".to_owned())));
    assert!(scope.contains_key(&(Kind::StaffDesk, of(SECOND))));
    for kind in [Kind::PupilGuardians, Kind::PupilReserve, Kind::StaffMeetings, Kind::ClassRoster] {
        assert!(scope.keys().all(|(k, _)| *k != kind), "{kind}");
    }
}

#[test]
fn of_a_class_that_was_left_the_family_keeps_what_was_until_the_last_day() {
    let hub = hub();
    let scope = readable(&hub, GUARDIAN_OF_MOVED, morning());
    let until = |kind, subject: &str| scope.get(&(kind, subject.to_owned())).cloned();
    assert_eq!(until(Kind::ClassBook, "class/3A"), Some(None));
    assert_eq!(until(Kind::ClassBook, "class/4B"), Some(Some("2026-11-01".to_owned())));
    assert_eq!(until(Kind::ClassMonth, "month/4B/2026-10"), Some(Some("2026-11-01".to_owned())));
    assert_eq!(until(Kind::ClassMonth, "month/4B/2026-12"), None);
    // Before the move the new class did not exist for them.
    let before = readable(&hub, GUARDIAN_OF_MOVED, at("2026-10-30T08:00"));
    assert!(!before.contains_key(&(Kind::ClassBook, "class/3A".to_owned())));
    assert_eq!(before.get(&(Kind::ClassBook, "class/4B".to_owned())), Some(&None));
}

fn hub_with(change: impl FnOnce(&mut registro_hub::registry::MemoryRegistry)) -> Hub {
    let mut registry = registry();
    change(&mut registry);
    let database = registro_hub::log::schema::open_in_memory().unwrap();
    Hub::open(database, Box::new(registry), school_key(), Box::new(Counter(1 << 32)), morning()).unwrap()
}

#[test]
fn who_teaches_and_has_a_child_in_the_school_reads_as_both() {
    let hub = hub_with(|registry| {
        let guardians = &mut registry.registered.directory.guardians;
        let own = registro_model::directory::Guardianship { guardian: SECOND, ..guardians[&Q1][0].clone() };
        guardians.get_mut(&Q1).unwrap().push(own);
    });
    let scope = readable(&hub, SECOND, morning());
    let has = |kind, subject: &str| scope.contains_key(&(kind, subject.to_owned()));
    assert!(has(Kind::PupilReserve, &of(P1)), "as a teacher of 3A");
    assert!(has(Kind::PupilRecord, &of(Q1)) && has(Kind::ClassBook, "class/4B"), "as a parent in 4B");
    assert!(!has(Kind::PupilReserve, &of(Q1)), "a parent is no teacher of 4B");
}

#[test]
fn pupils_of_the_first_cycle_have_no_account_and_their_guardians_do() {
    let hub = hub_with(|registry| registry.registered.school.code = "QZIC00100X".to_owned());
    assert!(readable(&hub, P1, morning()).is_empty());
    assert!(readable(&hub, MOTHER, morning()).contains_key(&(Kind::PupilRecord, of(P1))));
}
