//! What excludes what across the keys of one pupil and day.

use std::collections::BTreeMap;

use proptest::prelude::*;
use registro_documents::Fact;
use registro_documents::merge::{DayContradiction, KeyDecision, Shown, decide_day};
use registro_model::{Capacity, CommandId, Standing};

use super::{accepted, fact};

use Standing::{HeadOrCouncil, Office, OtherStaff, Substitute, TimetabledLesson};

const DAY: &str = "2026-11-23";
const OUT: &str = "out/0000000000000001";
const OUT_2: &str = "out/0000000000000002";

type Keys = BTreeMap<String, KeyDecision>;

fn keys<'a>(facts: impl IntoIterator<Item = (&'a str, Fact, Standing)>) -> Keys {
    let decided = |shown: Shown| KeyDecision { shown, others: vec![], conflict: false };
    facts
        .into_iter()
        .map(|(name, fact, standing)| (format!("{DAY}/{name}"), decided(accepted(fact, 1, standing))))
        .collect()
}

fn timed(time: &str) -> Fact {
    fact(1).with("slot", 1u8).with("time", time)
}

fn part(from: &str, to: &str) -> Fact {
    fact(1).with("kind", "external").with("from", from).with("to", to)
}

/// Names that show, in the order absence, entry, exit, outs; then how many contradictions are reported.
fn shown(keys: &Keys) -> (Vec<&str>, usize) {
    let day = decide_day(DAY, keys);
    let singles = [("absence", day.absence), ("entry", day.entry), ("exit", day.exit)];
    let names: Vec<_> = singles
        .into_iter()
        .filter_map(|(name, shown)| shown.map(|_| name))
        .chain(day.outs.iter().map(|(name, _)| *name))
        .collect();
    let hidden = keys.values().filter(|decision| decision.live().is_some()).count() - names.len();
    assert_eq!(day.hidden.len(), hidden, "what does not show is named");
    (names, day.contradictions.len())
}

fn reported(keys: &Keys) -> Vec<DayContradiction> {
    decide_day(DAY, keys).contradictions
}

fn higher(shown: &str, hidden: &str) -> DayContradiction {
    DayContradiction::HigherStanding { shown: format!("{DAY}/{shown}"), hidden: format!("{DAY}/{hidden}") }
}

#[test]
fn a_full_day_out_beats_entry_exit_and_absence() {
    let all = keys([
        ("absence", fact(1), Substitute),
        ("entry", timed("09:00"), Substitute),
        ("exit", timed("12:00"), Substitute),
        (OUT, fact(1), Substitute),
    ]);
    assert_eq!(shown(&all), (vec![OUT], 0));
}

#[test]
fn entry_exit_or_out_beats_absence() {
    for (name, fact) in [("entry", timed("09:00")), ("exit", timed("12:00")), (OUT, part("09:20", "10:20"))] {
        let day = keys([("absence", self::fact(2), Substitute), (name, fact, Substitute)]);
        assert_eq!(shown(&day), (vec![name], 0));
    }
}

#[test]
fn entry_exit_and_parts_of_the_day_out_coexist() {
    let day = keys([
        ("entry", timed("09:00"), Substitute),
        ("exit", timed("12:00"), Office),
        (OUT, part("09:20", "10:20"), OtherStaff),
        (OUT_2, part("10:20", "11:20"), HeadOrCouncil),
    ]);
    assert_eq!(shown(&day), (vec!["entry", "exit", OUT, OUT_2], 0));
    let outs = keys([(OUT, fact(1), Substitute), (OUT_2, part("10:20", "11:20"), Office)]);
    assert_eq!(shown(&outs), (vec![OUT, OUT_2], 0));
}

#[test]
fn the_higher_standing_shows_and_is_reported() {
    let day = keys([("absence", fact(1), TimetabledLesson), ("entry", timed("09:00"), Substitute)]);
    assert_eq!(shown(&day), (vec!["absence"], 1));
    assert_eq!(reported(&day), [higher("absence", "entry")]);
    let day = keys([("exit", timed("12:00"), Office), (OUT, fact(1), HeadOrCouncil)]);
    assert_eq!(reported(&day), [higher("exit", OUT)]);
}

#[test]
fn among_peers_the_rule_decides_and_nothing_is_reported() {
    let day = keys([("absence", fact(1), Substitute), ("entry", timed("09:00"), Substitute)]);
    assert_eq!(shown(&day), (vec!["entry"], 0));
    let day = keys([("absence", fact(1), Substitute), ("entry", timed("09:00"), Office)]);
    assert_eq!(shown(&day), (vec!["entry"], 0), "the rule and the standing agree");
}

#[test]
fn what_does_not_show_hides_nothing() {
    // The absence would hide the substitute's entry, but the lesson's exit hides the absence.
    let day = keys([
        ("absence", fact(1), TimetabledLesson),
        ("entry", timed("09:00"), Substitute),
        ("exit", timed("12:00"), TimetabledLesson),
    ]);
    assert_eq!(shown(&day), (vec!["entry", "exit"], 0));
    // Two full days out, in either order of their random keys.
    for (weak, strong) in [(OUT, OUT_2), (OUT_2, OUT)] {
        let day = keys([
            ("absence", fact(1), TimetabledLesson),
            (weak, fact(1), Substitute),
            (strong, fact(1), Office),
        ]);
        assert_eq!(shown(&day), (vec![OUT, OUT_2], 0));
    }
    // The office's entry hides the full day out, so the absence has only the entry against it.
    let day = keys([
        ("absence", fact(1), TimetabledLesson),
        ("entry", timed("09:00"), Office),
        (OUT, fact(1), HeadOrCouncil),
    ]);
    assert_eq!(shown(&day), (vec!["entry"], 1));
    assert_eq!(reported(&day), [higher("entry", OUT)]);
}

#[test]
fn an_exit_before_the_entry_stays_and_is_reported() {
    let day = |entry, exit| keys([("entry", timed(entry), Substitute), ("exit", timed(exit), Office)]);
    assert_eq!(reported(&day("10:00", "09:59")), [DayContradiction::ExitBeforeEntry]);
    assert_eq!(shown(&day("10:00", "09:59")).0, ["entry", "exit"]);
    assert_eq!(reported(&day("10:00", "10:00")), []);
    assert_eq!(reported(&day("10:00", "12:00")), []);
    // Where the entry does not show there is nothing to contradict.
    let mut out = day("10:00", "09:00");
    out.extend(keys([(OUT, fact(1), Office)]));
    assert_eq!(reported(&out), []);
}

#[test]
fn annulled_facts_and_other_days_do_not_count() {
    let annulled = timed("09:00").annulled_by(CommandId([2; 8]), Capacity::Lesson, "errore");
    let mut day = keys([("absence", fact(1), Substitute), ("entry", annulled, Office)]);
    let other = keys([("entry", timed("09:00"), Office)]);
    day.extend(other.into_iter().map(|(key, decision)| (key.replace(DAY, "2026-11-24"), decision)));
    assert_eq!(decide_day(DAY, &day).absence.map(|shown| shown.fact.v), Some(CommandId([1; 8])));
    assert!(decide_day(DAY, &day).entry.is_none());
}

/// What a fact is, for the definition below: 0 absence, 1 entry or exit, 2 part of the day out, 3 whole day out.
fn rank(name: &str, fact: &Fact) -> u8 {
    match name {
        "absence" => 0,
        "entry" | "exit" => 1,
        _ if fact.fields.contains_key("from") => 2,
        _ => 3,
    }
}

fn exclude(a: u8, b: u8) -> bool {
    a != b && (a.min(b) == 0 || (a.min(b), a.max(b)) == (1, 3))
}

proptest! {
    /// What shows is possible; what does not show is excluded by something that shows and is stronger; reported is
    /// exactly what only its standing lets show.
    #[test]
    fn a_day_is_decided_as_it_is_defined(
        facts in proptest::collection::btree_map(
            proptest::sample::select(&["absence", "entry", "exit", OUT, OUT_2, "out/0000000000000003"][..]),
            (any::<bool>(), 3u8..8),
            0..6,
        ),
    ) {
        let facts: Vec<_> = facts.into_iter().map(|(name, (whole, standing))| {
            let fact = match name {
                "entry" => timed("09:00"),
                "exit" => timed("12:00"),
                "absence" => fact(1),
                _ if whole => fact(1),
                _ => part("09:20", "10:20"),
            };
            (name, fact, Standing::from_number(standing).unwrap())
        }).collect();
        let keys = keys(facts.clone());
        let (names, _) = shown(&keys);
        let all: Vec<_> = facts.iter().map(|(name, fact, standing)| (*name, rank(name, fact), *standing)).collect();
        let (showing, hidden): (Vec<_>, Vec<_>) = all.into_iter().partition(|(name, _, _)| names.contains(name));
        let mut expected = Vec::new();
        for (name, rank, standing) in &showing {
            for (_, other, _) in &showing {
                prop_assert!(!exclude(*rank, *other));
            }
            expected.extend(hidden.iter().filter_map(|(hidden, hidden_rank, hidden_standing)| {
                let by_standing = exclude(*rank, *hidden_rank) && rank < hidden_rank && standing > hidden_standing;
                by_standing.then(|| higher(name, hidden))
            }));
        }
        for (_, rank, standing) in &hidden {
            let beaten = showing.iter().any(|(_, by, by_standing)| {
                exclude(*by, *rank) && (by_standing, by) > (standing, rank)
            });
            prop_assert!(beaten);
        }
        let found = reported(&keys);
        prop_assert_eq!(found.len(), expected.len());
        prop_assert!(expected.iter().all(|contradiction| found.contains(contradiction)));
    }
}
