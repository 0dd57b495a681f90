//! What is reported as a conflict, and until when.

use registro_documents::fact::RESOLVES;
use registro_documents::merge::{Shown, decide_key};
use registro_documents::view::decide;
use registro_documents::{Fact, Scalar};
use registro_model::{Capacity, CommandId, Standing};

use super::history::{ENTRY, History, entry};
use super::{accepted, fact, unconfirmed};

use Standing::{Office, Substitute};

const ABSENCE: &str = "2026-11-23/absence";

fn conflict(section: &str, values: Vec<Shown>) -> bool {
    decide_key(section, ABSENCE, values).unwrap().conflict
}

fn two(first: Fact, second: Fact) -> Vec<Shown> {
    vec![accepted(first, 1, Substitute), accepted(second, 2, Substitute)]
}

#[test]
fn version_capacity_and_slot_make_no_conflict() {
    let mut as_office = fact(2).with("slot", 2u8);
    as_office.capacity = Capacity::Office;
    assert!(!conflict("attendance", two(fact(1).with("slot", 1u8), as_office)));
    assert!(!conflict("attendance", two(fact(1), fact(2).with(RESOLVES, vec![0; 32]))));
}

#[test]
fn any_other_field_makes_a_conflict() {
    let field = |name: &str, value: &str| fact(2).with(name, value);
    assert!(conflict("attendance", two(fact(1).with("time", "08:40"), field("time", "08:41"))));
    assert!(conflict("attendance", two(fact(1), field("collected_by", "Riva Ada"))));
    let map = fact(2).with_map("unknown", [("x".to_owned(), Scalar::Bool(true))]);
    assert!(conflict("attendance", two(fact(1), map)), "also one that this version does not know");
}

#[test]
fn a_conflict_does_not_end_because_one_side_weighs_more() {
    let values = vec![
        accepted(fact(1).with("time", "08:40"), 1, Substitute),
        accepted(fact(2).with("time", "08:41"), 2, Office),
    ];
    assert!(conflict("attendance", values));
}

#[test]
fn annulled_values_make_no_conflict() {
    let annulled = fact(2).with("time", "08:41").annulled_by(CommandId([2; 8]), Capacity::Lesson, "errore");
    assert!(!conflict("attendance", two(fact(1).with("time", "08:40"), annulled.clone())));
    let again = fact(3).with("time", "08:42").annulled_by(CommandId([3; 8]), Capacity::Lesson, "errore");
    assert!(!conflict("attendance", two(again, annulled)));
}

#[test]
fn two_live_values_are_a_conflict_also_behind_an_annulled_one() {
    let annulled = fact(1).annulled_by(CommandId([1; 8]), Capacity::Lesson, "errore");
    let values = vec![
        accepted(annulled, 1, Substitute),
        unconfirmed(fact(2).with("time", "08:40"), 2, Substitute),
        unconfirmed(fact(3).with("time", "08:41"), 3, Substitute),
    ];
    assert!(conflict("attendance", values));
}

#[test]
fn the_third_value_counts() {
    let values = vec![
        accepted(fact(1).with("time", "08:40"), 1, Substitute),
        accepted(fact(2).with("time", "08:40"), 2, Substitute),
        accepted(fact(3).with("time", "08:41"), 3, Substitute),
    ];
    assert!(conflict("attendance", values));
}

#[test]
fn rolls_never_conflict() {
    let roll = |n, position| {
        let seen = [
            ("position".to_owned(), Scalar::Int(position)),
            ("chain".to_owned(), Scalar::Bytes(vec![0; 32])),
            ("commands".to_owned(), Scalar::Bytes(vec![])),
        ];
        fact(n).with_map("seen", seen)
    };
    assert!(!conflict("rolls", two(roll(1, 1), roll(2, 2))));
    assert!(conflict("lessons", two(roll(1, 1), roll(2, 2))), "the section is what makes the difference");
}

#[test]
fn a_resolution_closes_the_conflict_and_a_value_outside_its_predecessors_reopens_it() {
    let mut history = History::new(3);
    history.write(0, &[entry(1, "08:40")], Substitute);
    history.write(1, &[entry(2, "08:45")], Substitute);
    // Written on the genesis on a tablet that hears of nothing, kept back.
    history.write(2, &[entry(3, "08:50")], Substitute);
    history.exchange(0, 1);
    history.exchange(1, 0);
    let decided = |history: &History, replica| {
        decide(history.replica(replica), "attendance", ENTRY, history).map(|decision| {
            (decision.conflict, decision.shown.fact.text("time").map(str::to_owned), decision.others.len())
        })
    };
    let time = |text: &str| Some(text.to_owned());
    assert_eq!(decided(&history, 0), Some((true, time("08:40"), 1)));
    // The office chooses the later one: that closes it though evidence is against it.
    history.write(0, &[entry(4, "08:45")], Office);
    assert_eq!(decided(&history, 0), Some((false, time("08:45"), 0)));
    // The tablet comes back: a live value that the resolution did not see.
    history.exchange(2, 0);
    assert_eq!(decided(&history, 0), Some((true, time("08:45"), 1)), "the office's still shows");
    history.write(0, &[entry(5, "08:50")], Substitute);
    assert_eq!(decided(&history, 0), Some((false, time("08:50"), 0)));
}
