//! "Called present" and "not called": what a roll's silence says.

use registro_documents::merge::{CalledPresent, NotCalled, Roll, Shown, called_present, not_called};
use registro_documents::{Fact, Scalar};
use registro_model::{CommandId, PersonId, Standing};

use super::{accepted, at, fact, own};

const PUPIL: PersonId = PersonId([9; 16]);
const TEACHER: PersonId = PersonId([7; 16]);

/// Called at the third slot on device 50, having seen the log up to position 100 and holding command 60.
fn roll() -> Roll {
    Roll {
        date: "2026-11-23".parse().unwrap(),
        slot: 3,
        author: TEACHER,
        device: Some([50; 32]),
        v: CommandId([51; 8]),
        seen: 100,
        held: vec![CommandId([60; 8])],
    }
}

/// An absence at a slot, accepted at 101, written on device 1.
fn absence(slot: u8) -> Shown {
    at(fact(1).with("slot", slot), 1, Standing::Substitute, 101)
}

fn asked(roll: &Roll, absence: &Shown, wrote: bool, later: &[u8]) -> bool {
    called_present(roll, PUPIL, absence, || wrote, later).is_some()
}

#[test]
fn an_absence_that_the_rolls_author_had_not_seen_is_called_present() {
    let report = called_present(&roll(), PUPIL, &absence(2), || false, &[]);
    let expected = CalledPresent {
        pupil: PUPIL,
        date: "2026-11-23".parse().unwrap(),
        slot: 3,
        author: TEACHER,
        roll: CommandId([51; 8]),
    };
    assert_eq!(report, Some(expected));
}

#[test]
fn an_absence_for_the_rolls_slot_or_earlier_counts_and_a_later_one_does_not() {
    for (slot, called) in [(1, true), (3, true), (4, false)] {
        assert_eq!(asked(&roll(), &absence(slot), false, &[]), called, "slot {slot}");
    }
}

#[test]
fn what_the_author_had_seen_is_no_contradiction() {
    for (position, called) in [(100, false), (101, true)] {
        let absence = at(fact(1).with("slot", 1u8), 1, Standing::Substitute, position);
        assert_eq!(asked(&roll(), &absence, false, &[]), called, "position {position}");
        // A roll written blind, or whose chain nobody knows, has seen nothing.
        assert!(asked(&Roll { seen: 0, ..roll() }, &absence, false, &[]));
    }
}

#[test]
fn an_unconfirmed_command_that_the_device_held_is_no_contradiction() {
    let held = at(fact(60).with("slot", 1u8), 1, Standing::Substitute, 101);
    assert!(!asked(&roll(), &held, false, &[]));
}

#[test]
fn ones_own_absence_is_no_contradiction() {
    let same_device = at(fact(1).with("slot", 1u8), 50, Standing::Substitute, 101);
    assert!(!asked(&roll(), &same_device, false, &[]));
    assert!(
        asked(&Roll { device: None, ..roll() }, &same_device, false, &[]),
        "an unknown device is another"
    );
}

#[test]
fn an_absence_not_accepted_yet_is_not_reported() {
    assert!(!asked(&roll(), &own(fact(1).with("slot", 1u8), 1, Standing::Substitute), false, &[]));
}

#[test]
fn a_later_fact_of_the_pupil_explains_it() {
    for (later, called) in [(vec![1], true), (vec![2], false), (vec![1, 5], false)] {
        assert_eq!(asked(&roll(), &absence(2), false, &later), called, "{later:?}");
    }
}

#[test]
fn a_roll_that_wrote_of_the_pupil_itself_was_not_silent() {
    assert!(!asked(&roll(), &absence(2), true, &[]));
}

#[test]
fn an_absence_that_names_the_roll_has_settled_it() {
    let settling = |rolls: &[u8]| {
        let ids: Vec<u8> = rolls.iter().flat_map(|id| [*id; 8]).collect();
        let fact: Fact = fact(1).with("slot", 2u8).with("settles", ids);
        asked(&roll(), &at(fact, 1, Standing::Substitute, 101), false, &[])
    };
    assert!(!settling(&[51]) && !settling(&[40, 51]));
    assert!(settling(&[40]) && settling(&[]));
}

#[test]
fn a_pupil_enrolled_after_what_was_seen_is_not_called() {
    let enrolment = |position| at(fact(1), 1, Standing::School, position);
    assert_eq!(not_called(&roll(), PUPIL, &enrolment(101)), Some(NotCalled { pupil: PUPIL }));
    assert_eq!(not_called(&roll(), PUPIL, &enrolment(100)), None);
    assert_eq!(
        not_called(&Roll { seen: 0, ..roll() }, PUPIL, &enrolment(1)),
        Some(NotCalled { pupil: PUPIL })
    );
}

fn roll_fact(position: i64, chain: u8, commands: Vec<u8>) -> Shown {
    let seen = [
        ("position".to_owned(), Scalar::Int(position)),
        ("chain".to_owned(), Scalar::Bytes(vec![chain; 32])),
        ("commands".to_owned(), Scalar::Bytes(commands)),
    ];
    accepted(fact(51).with_map("seen", seen), 50, Standing::TimetabledLesson)
}

#[test]
fn a_roll_is_read_with_what_its_author_had_seen() {
    let key = format!("2026-11-23#3/{TEACHER}");
    let shown = roll_fact(100, 1, vec![60; 8]);
    assert_eq!(Roll::read(&key, &shown), Some(roll()));
    let mut of_another_log = shown.clone();
    of_another_log.provenance.accepted.as_mut().unwrap().seen_is_lost = true;
    let read = Roll::read(&key, &of_another_log).unwrap();
    assert_eq!(read.seen, 0, "what was seen in a log that is not the hub's counts as nothing");
    assert_eq!(read.held, roll().held, "the commands count all the same");
    let mut provisional = shown;
    provisional.provenance.accepted = None;
    assert_eq!(Roll::read(&key, &provisional).unwrap().seen, 100);
}

#[test]
fn a_key_or_fact_out_of_form_is_no_roll() {
    let shown = roll_fact(100, 1, vec![]);
    let person = TEACHER.to_string();
    for key in
        ["", "2026-11-23#3", &format!("2026-11-23/{person}"), &format!("x#3/{person}"), "2026-11-23#3/x"]
    {
        assert_eq!(Roll::read(key, &shown), None, "{key}");
    }
    let key = format!("2026-11-23#3/{person}");
    assert_eq!(Roll::read(&key, &roll_fact(-1, 1, vec![])), None);
    assert_eq!(Roll::read(&key, &accepted(fact(1), 1, Standing::Office)), None);
}
