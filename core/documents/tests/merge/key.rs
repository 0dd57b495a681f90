//! Which of the concurrent values of one key shows.

use proptest::prelude::*;
use registro_documents::Fact;
use registro_documents::fact::RESOLVES;
use registro_documents::merge::{Shown, decide_key};
use registro_model::{Capacity, CommandId, Standing};

use super::{accepted, at, fact, own, unconfirmed};

use Standing::{Guardian, HeadOrCouncil, Office, Substitute, TimetabledLesson};

const ABSENCE: &str = "2026-11-23/absence";
const ENTRY: &str = "2026-11-23/entry";
const EXIT: &str = "2026-11-23/exit";
const SLOT: &str = "2026-11-23#2";

/// Both ways round, the first value shows.
fn wins(key: &str, winner: Shown, loser: Shown) {
    for values in [vec![winner.clone(), loser.clone()], vec![loser.clone(), winner.clone()]] {
        let decision = decide_key("attendance", key, values).unwrap();
        assert_eq!(decision.shown, winner);
        assert_eq!(decision.others, std::slice::from_ref(&loser));
    }
}

fn annulled(v: u8) -> Fact {
    fact(v).annulled_by(CommandId([v; 8]), Capacity::Lesson, "errore")
}

fn timed(v: u8, time: &str) -> Fact {
    fact(v).with("time", time)
}

fn resolution(v: u8) -> Fact {
    fact(v).with(RESOLVES, vec![0; 32])
}

#[test]
fn accepted_or_own_before_what_another_device_has_not_had_accepted() {
    // Whatever else speaks for the unconfirmed one: it is live, of higher standing, a resolution.
    wins(ABSENCE, accepted(annulled(1), 2, Guardian), unconfirmed(resolution(2), 1, Office));
    wins(ABSENCE, own(annulled(1), 2, Guardian), unconfirmed(resolution(2), 1, Office));
    // The device's own counts like an accepted one: standing decides.
    wins(ABSENCE, own(fact(1), 2, HeadOrCouncil), accepted(fact(2), 1, TimetabledLesson));
}

#[test]
fn live_before_annulled() {
    wins(ABSENCE, accepted(fact(1), 2, Guardian), accepted(annulled(2), 1, Office));
    // Of two annulled ones the rest decides, and nothing live is there.
    let both = vec![accepted(annulled(1), 1, Substitute), accepted(annulled(2), 2, TimetabledLesson)];
    let decision = decide_key("attendance", ABSENCE, both).unwrap();
    assert_eq!(decision.shown.fact.v, CommandId([2; 8]));
    assert!(decision.live().is_none() && !decision.conflict);
}

#[test]
fn standing() {
    let order = [0, 1, 2, 3, 4, 5, 6, 7].map(|n| Standing::from_number(n).unwrap());
    for pair in order.windows(2) {
        wins(ABSENCE, at(fact(1), 2, pair[1], 9), at(fact(2), 1, pair[0], 1));
        wins(
            ENTRY,
            at(timed(1, "09:00"), 2, pair[1], 9),
            at(resolution(2).with("time", "08:30"), 1, pair[0], 1),
        );
    }
}

#[test]
fn a_resolution_before_ordinary_facts_of_its_standing() {
    wins(
        ENTRY,
        at(resolution(1).with("time", "09:00"), 2, Substitute, 9),
        at(timed(2, "08:30"), 1, Substitute, 1),
    );
    wins(
        ENTRY,
        at(timed(2, "09:30"), 1, TimetabledLesson, 9),
        at(resolution(1).with("time", "09:00"), 2, Substitute, 1),
    );
}

#[test]
fn the_earlier_entry() {
    wins(ENTRY, at(timed(1, "08:40"), 2, Substitute, 9), at(timed(2, "08:41"), 1, Substitute, 1));
    let slot = |v, time: &str| fact(v).with("status", "present").with("entry", time);
    wins(SLOT, at(slot(1, "09:30"), 2, Substitute, 9), at(slot(2, "09:40"), 1, Substitute, 1));
}

#[test]
fn the_later_exit() {
    wins(EXIT, at(timed(1, "12:41"), 2, Substitute, 9), at(timed(2, "12:40"), 1, Substitute, 1));
    let slot = |v, time: &str| fact(v).with("status", "present").with("exit", time);
    wins(SLOT, at(slot(1, "10:10"), 2, Substitute, 9), at(slot(2, "10:00"), 1, Substitute, 1));
}

#[test]
fn accepted_before_provisional() {
    wins(ABSENCE, at(fact(1), 2, Substitute, 9), own(fact(2), 1, Substitute));
}

#[test]
fn the_lower_position() {
    wins(ABSENCE, at(fact(1), 2, Substitute, 8), at(fact(2), 1, Substitute, 9));
}

#[test]
fn the_lower_hash() {
    wins(ABSENCE, own(fact(2), 1, Substitute), own(fact(1), 2, Substitute));
}

#[test]
fn a_devices_clock_decides_nothing() {
    let mut late = at(fact(1), 2, Substitute, 8);
    late.provenance.claimed = i64::MAX;
    wins(ABSENCE, late, at(fact(2), 1, Substitute, 9));
}

#[test]
fn values_equal_in_all_fields_are_one_fact() {
    let twice = vec![at(fact(1), 1, Substitute, 9), at(fact(1), 2, Office, 8)];
    let decision = decide_key("attendance", ABSENCE, twice).unwrap();
    assert_eq!((decision.shown.provenance.standing, decision.others.len()), (Office, 0));
    // Equal versions with other content are two.
    let two = vec![at(timed(1, "08:40"), 1, Substitute, 9), at(timed(1, "08:41"), 2, Office, 8)];
    assert_eq!(decide_key("attendance", ENTRY, two).unwrap().others.len(), 1);
}

#[test]
fn no_value_is_no_decision() {
    assert_eq!(decide_key("attendance", ABSENCE, vec![]), None);
}

/// Any value under a key of an entry.
pub fn value() -> impl Strategy<Value = Shown> {
    let fact =
        (0u8..6, any::<bool>(), any::<bool>(), 500u16..504).prop_map(|(v, annulled, resolves, minutes)| {
            let time = registro_model::ClockTime::from_minutes(minutes).unwrap();
            let mut fact = fact(v).with("time", time).with("slot", 1u8);
            if annulled {
                fact = fact.annulled_by(CommandId([v; 8]), Capacity::Lesson, "errore");
            }
            if resolves { fact.with(RESOLVES, vec![0; 32]) } else { fact }
        });
    (fact, any::<u8>(), 0u8..8, 0u8..3, 1u64..5).prop_map(|(fact, n, standing, origin, position)| {
        let standing = Standing::from_number(standing).unwrap();
        match origin {
            0 => at(fact, n, standing, position),
            1 => own(fact, n, standing),
            _ => unconfirmed(fact, n, standing),
        }
    })
}

proptest! {
    /// The order in which Automerge gives the values says nothing.
    #[test]
    fn a_decision_does_not_depend_on_the_order_of_the_values(
        values in proptest::collection::vec(value(), 1..6), turn in 0usize..6,
    ) {
        // A change writes a key once: one value per hash, and one position per hash.
        let mut values = values;
        values.sort_by_key(|shown| shown.provenance.change);
        values.dedup_by_key(|shown| shown.provenance.change);
        let decision = decide_key("attendance", ENTRY, values.clone()).unwrap();
        let mut turned = values.clone();
        turned.rotate_left(turn % values.len());
        prop_assert_eq!(&decide_key("attendance", ENTRY, turned).unwrap(), &decision);
        values.reverse();
        prop_assert_eq!(&decide_key("attendance", ENTRY, values).unwrap(), &decision);
    }

    /// A value that does not show changes nothing of what shows.
    #[test]
    fn what_loses_does_not_decide(values in proptest::collection::vec(value(), 2..6)) {
        let decision = decide_key("attendance", ENTRY, values).unwrap();
        for absent in 0..decision.others.len() {
            let mut rest = decision.others.clone();
            rest.remove(absent);
            rest.push(decision.shown.clone());
            prop_assert_eq!(&decide_key("attendance", ENTRY, rest).unwrap().shown, &decision.shown);
        }
    }
}
