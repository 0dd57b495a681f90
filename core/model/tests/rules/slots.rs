//! Slot mode: one state per slot, the day derived.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use registro_model::attendance::{DerivedDay, SlotAttendance, SlotStatus, derive_day};

use crate::school::time;

fn derived(called: &[u8], states: &[(u8, SlotStatus, Option<&str>, Option<&str>)]) -> DerivedDay {
    let states = states
        .iter()
        .map(|(slot, status, entry, exit)| {
            (*slot, SlotAttendance { status: *status, entry: entry.map(time), exit: exit.map(time) })
        })
        .collect();
    derive_day(&called.iter().copied().collect(), &states)
}

use SlotStatus::{Absent, Out, Present};

#[test]
fn absent_in_every_known_slot_is_absent_that_day() {
    let day = derived(&[1, 2], &[(1, Absent, None, None), (2, Absent, None, None)]);
    assert_eq!(day, DerivedDay { absent: true, late: None, exit: None });
    // The roll of slot 3 was called and nobody wrote: silence means present.
    assert!(!derived(&[1, 2, 3], &[(1, Absent, None, None), (2, Absent, None, None)]).absent);
}

#[test]
fn of_a_day_without_rolls_and_states_nothing_is_known() {
    assert_eq!(derived(&[], &[]), DerivedDay::default());
    assert_eq!(derived(&[1, 2, 3], &[]), DerivedDay::default(), "present from the first slot to the last");
}

#[test]
fn presence_after_absence_is_the_days_late() {
    let day = derived(&[1, 2, 3], &[(1, Absent, None, None)]);
    assert_eq!(day, DerivedDay { absent: false, late: Some((2, None)), exit: None });
    let day = derived(&[1, 2, 3], &[(1, Absent, None, None), (2, Present, Some("09:40"), None)]);
    assert_eq!(day.late, Some((2, Some(time("09:40")))));
    let day = derived(&[1, 2], &[(1, Present, Some("08:40"), None)]);
    assert_eq!(day.late, Some((1, Some(time("08:40")))), "late within the first slot");
}

#[test]
fn presence_before_absence_is_the_days_exit() {
    let day = derived(&[1, 2, 3], &[(3, Absent, None, None)]);
    assert_eq!(day, DerivedDay { absent: false, late: None, exit: Some((2, None)) });
    let day = derived(&[1, 2, 3], &[(2, Present, None, Some("10:00")), (3, Absent, None, None)]);
    assert_eq!(day.exit, Some((2, Some(time("10:00")))));
    let day = derived(&[1, 2], &[(2, Present, None, Some("10:00"))]);
    assert_eq!(day.exit, Some((2, Some(time("10:00")))), "left within the last slot");
}

#[test]
fn an_hour_missed_in_the_middle_is_neither_late_nor_exit() {
    let day = derived(&[1, 2, 3], &[(2, Absent, None, None)]);
    assert_eq!(day, DerivedDay { absent: false, late: None, exit: None });
}

#[test]
fn out_of_class_counts_as_present() {
    let day = derived(&[1, 2], &[(1, Out, None, None), (2, Out, None, None)]);
    assert_eq!(day, DerivedDay::default());
    let day = derived(&[1, 2, 3], &[(1, Absent, None, None), (2, Out, None, None), (3, Absent, None, None)]);
    assert_eq!(day, DerivedDay { absent: false, late: Some((2, None)), exit: Some((2, None)) });
}

fn state() -> impl Strategy<Value = SlotAttendance> {
    let at = || {
        proptest::option::of(480u16..840)
            .prop_map(|at| at.map(|minutes| registro_model::ClockTime::from_minutes(minutes).unwrap()))
    };
    (prop_oneof![Just(Present), Just(Absent), Just(Out)], at(), at()).prop_map(|(status, entry, exit)| {
        let times = status == Present;
        SlotAttendance { status, entry: entry.filter(|_| times), exit: exit.filter(|_| times) }
    })
}

proptest! {
    /// The day is that of the last state of each slot, in whatever order slots were recorded; a roll called where a
    /// state stands says nothing more.
    #[test]
    fn the_derived_day_is_independent_of_the_order_in_which_slots_are_recorded(
        states in proptest::collection::btree_map(1u8..9, state(), 0..8),
        called in proptest::collection::btree_set(1u8..9, 0..8),
        seed in any::<u64>(),
    ) {
        let mut order: Vec<_> = states.iter().collect();
        order.sort_by_key(|(slot, _)| (u64::from(**slot) + 1).wrapping_mul(seed | 1).rotate_left(17));
        let mut recorded = BTreeMap::new();
        let mut all = BTreeSet::new();
        for (slot, state) in order {
            recorded.insert(*slot, *state);
            all.insert(*slot);
        }
        let day = derive_day(&called, &states);
        prop_assert_eq!(derive_day(&called, &recorded), day);
        all.extend(&called);
        prop_assert_eq!(derive_day(&all, &states), day);
    }

    /// What is derived is consistent: who is absent is neither late nor gone; the late is the first slot of presence,
    /// the exit the last; both only with evidence.
    #[test]
    fn the_derived_day_never_contradicts_its_slots(
        states in proptest::collection::btree_map(1u8..9, state(), 0..8),
        called in proptest::collection::btree_set(1u8..9, 0..8),
    ) {
        let day = derive_day(&called, &states);
        let there = |slot: &u8| states.get(slot).is_none_or(|state| state.status != Absent);
        let known: BTreeSet<u8> = called.iter().chain(states.keys()).copied().collect();
        let first = known.iter().find(|slot| there(slot));
        let last = known.iter().rfind(|slot| there(slot));
        prop_assert_eq!(day.absent, first.is_none() && !known.is_empty());
        if let Some((slot, entry)) = day.late {
            prop_assert_eq!(Some(&slot), first);
            prop_assert!(entry.is_some() || known.range(..slot).next().is_some());
        } else if let Some(first) = first {
            prop_assert!(known.range(..first).next().is_none());
        }
        if let Some((slot, exit)) = day.exit {
            prop_assert_eq!(Some(&slot), last);
            prop_assert!(exit.is_some() || known.range(slot + 1..).next().is_some());
        } else if let Some(last) = last {
            prop_assert!(known.range(last + 1..).next().is_none());
        }
    }
}
