//! Runs and their states: A6, A7, A8.

use std::collections::BTreeSet;

use proptest::prelude::*;
use registro_model::justification::{
    Decision, Justification, Run, RunState, absence_runs, covered_by_absence, run_state,
};
use registro_model::school::{DayStatus, JustificationKind};
use registro_model::{CommandId, Date};

use crate::school::{close, date, site, two_terms};

use JustificationKind::{Absence, Entry, Exit, Permit};

fn runs(school: &registro_model::school::School, days: &[&str]) -> Vec<Vec<String>> {
    let days = days.iter().map(|day| date(day)).collect();
    absence_runs(school, &site("C"), &days)
        .into_iter()
        .map(|run| run.days.iter().map(Date::to_string).collect())
        .collect()
}

fn run(kind: JustificationKind, from: &str, to: &str) -> Run {
    Run { kind, days: date(from).iter_days().take_while(|day| *day <= date(to)).collect() }
}

fn justification(key: &str, v: u8, kind: JustificationKind, from: &str, to: &str) -> Justification {
    Justification { key: key.into(), v: CommandId([v; 8]), kind, from: date(from), to: date(to) }
}

fn decision(of: &Justification, from: &str, to: &str, approved: bool) -> Decision {
    Decision {
        key: of.key.clone(),
        of: of.v,
        kind: of.kind,
        from: date(from),
        to: date(to),
        approved,
        why: (!approved).then(|| "manca la firma".into()),
    }
}

#[test]
fn a6_friday_and_monday_are_one_run_in_a_five_day_week_and_two_in_a_six_day_week() {
    let mut school = two_terms();
    assert_eq!(runs(&school, &["2026-11-20", "2026-11-23"]).len(), 2);
    school.settings.weekly_closed_days = vec![6, 7];
    assert_eq!(runs(&school, &["2026-11-20", "2026-11-23"]).len(), 1);
}

#[test]
fn a6_closed_days_do_not_part_a_run_and_present_days_do() {
    let mut school = two_terms();
    close(&mut school, "2026-12-07", "2026-12-08", DayStatus::Holiday, None);
    assert_eq!(runs(&school, &["2026-12-05", "2026-12-09"]).len(), 1);
    assert_eq!(runs(&school, &["2026-12-05", "2026-12-10"]).len(), 2);
}

#[test]
fn a6_a_day_closed_after_the_roll_is_in_no_run_and_parts_none() {
    let mut school = two_terms();
    let days = ["2026-11-23", "2026-11-24", "2026-11-25"];
    assert_eq!(runs(&school, &days), [days]);
    close(&mut school, "2026-11-24", "2026-11-24", DayStatus::NoLesson, Some("C"));
    assert_eq!(runs(&school, &days), [["2026-11-23", "2026-11-25"]]);
}

#[test]
fn a6_a_run_ends_with_its_term() {
    assert_eq!(runs(&two_terms(), &["2026-12-22", "2026-12-23"]).len(), 2);
    assert_eq!(runs(&two_terms(), &["2026-12-21", "2026-12-22"]).len(), 1);
}

#[test]
fn a7_nobody_then_requested_then_approved_or_rejected_with_the_reason() {
    let days = run(Absence, "2026-11-23", "2026-11-24");
    let asked = justification("k", 1, Absence, "2026-11-23", "2026-11-24");
    let approved = decision(&asked, "2026-11-23", "2026-11-24", true);
    let rejected = decision(&asked, "2026-11-23", "2026-11-24", false);
    let asked = [asked];
    assert_eq!(run_state(&days, &[], &[]), RunState::Open);
    assert_eq!(run_state(&days, &asked, &[]), RunState::Requested { key: "k".into() });
    assert_eq!(run_state(&days, &asked, std::slice::from_ref(&approved)), RunState::Approved);
    assert_eq!(
        run_state(&days, &asked, std::slice::from_ref(&rejected)),
        RunState::Rejected { why: "manca la firma".into() }
    );
    // After a rejection the family asks anew, and it may be approved.
    let again = [asked[0].clone(), justification("k2", 2, Absence, "2026-11-23", "2026-11-24")];
    assert_eq!(
        run_state(&days, &again, std::slice::from_ref(&rejected)),
        RunState::Requested { key: "k2".into() }
    );
    assert_eq!(run_state(&days, &again, &[rejected, approved]), RunState::Approved);
}

#[test]
fn a7_a_justification_or_decision_of_another_kind_says_nothing() {
    let late = run(Entry, "2026-11-23", "2026-11-23");
    for kind in [Absence, Exit, Permit] {
        let asked = justification("k", 1, kind, "2026-11-23", "2026-11-23");
        let approved = decision(&asked, "2026-11-23", "2026-11-23", true);
        assert_eq!(run_state(&late, &[asked], &[approved]), RunState::Open, "{kind:?}");
    }
    let asked = justification("k", 1, Entry, "2026-11-23", "2026-11-23");
    assert_eq!(run_state(&late, &[asked], &[]), RunState::Requested { key: "k".into() });
}

#[test]
fn a7_an_edit_that_the_decision_did_not_see_is_a_new_request() {
    let day = run(Absence, "2026-11-23", "2026-11-23");
    let asked = justification("k", 1, Absence, "2026-11-23", "2026-11-23");
    let rejected = [decision(&asked, "2026-11-23", "2026-11-23", false)];
    let edited = [Justification { v: CommandId([2; 8]), ..asked }];
    assert_eq!(run_state(&day, &edited, &rejected), RunState::Requested { key: "k".into() });
}

#[test]
fn a7_a_permit_is_asked_and_granted_like_any_other() {
    let day = run(Permit, "2026-12-01", "2026-12-01");
    let asked = justification("p", 1, Permit, "2026-12-01", "2026-12-01");
    let granted = decision(&asked, "2026-12-01", "2026-12-01", true);
    assert_eq!(run_state(&day, std::slice::from_ref(&asked), &[]), RunState::Requested { key: "p".into() });
    assert_eq!(run_state(&day, &[asked], &[granted]), RunState::Approved);
}

#[test]
fn a8_a_new_adjacent_absence_reopens_the_whole_run() {
    let asked = justification("k", 1, Absence, "2026-11-23", "2026-11-24");
    let approved = [decision(&asked, "2026-11-23", "2026-11-24", true)];
    let asked = [asked];
    let two = run(Absence, "2026-11-23", "2026-11-24");
    assert_eq!(run_state(&two, &asked, &approved), RunState::Approved);
    for (from, to) in [("2026-11-23", "2026-11-25"), ("2026-11-21", "2026-11-24")] {
        assert_eq!(run_state(&run(Absence, from, to), &asked, &approved), RunState::Open, "{from} to {to}");
    }
    // A justification of the longer run, decided by somebody who saw the shorter one, is not decided.
    let longer = justification("l", 2, Absence, "2026-11-23", "2026-11-25");
    let seen_shorter = [decision(&longer, "2026-11-23", "2026-11-24", true)];
    let three = run(Absence, "2026-11-23", "2026-11-25");
    assert_eq!(run_state(&three, &[longer], &seen_shorter), RunState::Requested { key: "l".into() });
}

#[test]
fn an_approved_absence_covers_the_entry_or_exit_that_replaced_it() {
    let absence = justification("k", 1, Absence, "2026-11-23", "2026-11-24");
    let approved = [decision(&absence, "2026-11-23", "2026-11-24", true)];
    let rejected = [decision(&absence, "2026-11-23", "2026-11-24", false)];
    let late = justification("e", 2, Entry, "2026-11-23", "2026-11-24");
    let of_late = [decision(&late, "2026-11-23", "2026-11-24", true)];
    for (day, covered) in
        [("2026-11-22", false), ("2026-11-23", true), ("2026-11-24", true), ("2026-11-25", false)]
    {
        assert_eq!(covered_by_absence(date(day), &approved), covered, "{day}");
        assert!(!covered_by_absence(date(day), &rejected));
        assert!(!covered_by_absence(date(day), &of_late));
    }
}

fn day_of(n: u64) -> Date {
    date("2026-11-02") + chrono::Days::new(n)
}

fn facts() -> impl Strategy<Value = (Vec<Justification>, Vec<Decision>)> {
    let kind = || prop_oneof![Just(Absence), Just(Entry), Just(Exit)];
    let asked =
        (0u8..4, 0u8..4, kind(), 0u64..12, 0u64..6).prop_map(|(key, v, kind, from, length)| Justification {
            key: key.to_string(),
            v: CommandId([v; 8]),
            kind,
            from: day_of(from),
            to: day_of(from + length),
        });
    let decided = (0u8..4, 0u8..4, kind(), 0u64..12, 0u64..6, any::<bool>()).prop_map(
        |(key, of, kind, from, length, approved)| Decision {
            key: key.to_string(),
            of: CommandId([of; 8]),
            kind,
            from: day_of(from),
            to: day_of(from + length),
            approved,
            why: Some("perché".into()),
        },
    );
    (proptest::collection::vec(asked, 0..8), proptest::collection::vec(decided, 0..8))
}

proptest! {
    /// What does not span the run leaves its state as it is.
    #[test]
    fn a_runs_state_never_depends_on_facts_that_do_not_span_it(
        (asked, decided) in facts(), from in 0u64..12, length in 0u64..4,
    ) {
        let run = Run { kind: Absence, days: (from..=from + length).map(day_of).collect() };
        let (first, last) = (day_of(from), day_of(from + length));
        let spans = |kind, from, to| kind == Absence && from <= first && last <= to;
        let asked_of_it: Vec<_> = asked.iter().filter(|j| spans(j.kind, j.from, j.to)).cloned().collect();
        let decided_of_it: Vec<_> = decided.iter().filter(|d| spans(d.kind, d.from, d.to)).cloned().collect();
        let state = run_state(&run, &asked, &decided);
        prop_assert_eq!(&run_state(&run, &asked_of_it, &decided_of_it), &state);
        if asked_of_it.is_empty() && decided_of_it.is_empty() {
            prop_assert_eq!(state, RunState::Open);
        }
    }

    /// In whatever order facts arrived, the kind of state is the same.
    #[test]
    fn a_runs_state_does_not_depend_on_the_order_of_facts(
        (asked, decided) in facts(), from in 0u64..12, length in 0u64..4,
    ) {
        let run = Run { kind: Absence, days: (from..=from + length).map(day_of).collect() };
        let state = run_state(&run, &asked, &decided);
        let (mut asked, mut decided) = (asked, decided);
        asked.reverse();
        decided.reverse();
        let reversed = run_state(&run, &asked, &decided);
        prop_assert_eq!(std::mem::discriminant(&reversed), std::mem::discriminant(&state));
    }

    /// Runs hold every absence on a lesson day once, in order, and no run could be joined to the next.
    #[test]
    fn runs_partition_the_absences(days in proptest::collection::btree_set(0u64..120, 0..60)) {
        let school = two_terms();
        let absent: BTreeSet<Date> = days.into_iter().map(day_of).collect();
        let runs = absence_runs(&school, &site("C"), &absent);
        let all: Vec<Date> = runs.iter().flat_map(|run| run.days.clone()).collect();
        let expected: Vec<Date> =
            absent.iter().copied().filter(|day| school.is_lesson_day(&site("C"), *day)).collect();
        prop_assert_eq!(all, expected);
        let joined = |a: Date, b: Date| {
            school.next_lesson_day(&site("C"), a) == Some(b) && school.term_of(a) == school.term_of(b)
        };
        for run in &runs {
            prop_assert!(run.days.windows(2).all(|pair| joined(pair[0], pair[1])));
        }
        for pair in runs.windows(2) {
            prop_assert!(!joined(pair[0].to().unwrap(), pair[1].from().unwrap()));
        }
    }
}
