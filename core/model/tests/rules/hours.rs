//! Hours of absence: worked slots of 60, 50 and 90 minutes, and the laws.

use proptest::prelude::*;
use registro_model::ClockTime;
use registro_model::attendance::{
    DayAttendance, HourSlot, OutKind, OutOfClass, SlotAttendance, SlotStatus, day_hours, slot_hours,
    term_hours, year_hours,
};

use crate::school::time;

fn slot(start: &str, end: &str, half_units: u32) -> HourSlot {
    HourSlot { start: time(start), end: time(end), half_units, signed: true }
}

fn day(entry: Option<&str>, exit: Option<&str>) -> DayAttendance {
    DayAttendance { entry: entry.map(time), exit: exit.map(time), ..DayAttendance::default() }
}

#[test]
fn a_full_absence_weighs_the_units_of_the_signed_slots() {
    let slots = [
        slot("08:20", "09:20", 2),
        HourSlot { signed: false, ..slot("09:20", "10:20", 2) },
        slot("10:20", "11:50", 3),
    ];
    let absent = DayAttendance { absent: true, ..DayAttendance::default() };
    assert_eq!(day_hours(&absent, &slots), [2, 0, 3]);
}

#[test]
fn half_units_follow_the_units_own_minutes() {
    // One unit of 50 minutes: half of it is 25 minutes.
    let fifty = [slot("08:00", "08:50", 2)];
    assert_eq!(day_hours(&day(Some("08:24"), None), &fifty), [0]);
    assert_eq!(day_hours(&day(Some("08:25"), None), &fifty), [1]);
    assert_eq!(day_hours(&day(Some("08:49"), None), &fifty), [1]);
    assert_eq!(day_hours(&day(Some("08:50"), None), &fifty), [2]);
    // One and a half units of 60 minutes.
    let ninety = [slot("12:20", "13:50", 3)];
    assert_eq!(day_hours(&day(None, Some("13:21")), &ninety), [0]);
    assert_eq!(day_hours(&day(None, Some("13:20")), &ninety), [1]);
    // Half a unit of 60 minutes: only missing the whole slot weighs.
    let thirty = [slot("13:00", "13:30", 1)];
    assert_eq!(day_hours(&day(Some("13:29"), None), &thirty), [0]);
    assert_eq!(day_hours(&day(Some("13:30"), None), &thirty), [1]);
}

#[test]
fn minutes_at_entry_and_exit_are_added_before_they_are_floored() {
    // 15 + 15 minutes of 60: one half unit. Flooring each first would give none.
    assert_eq!(day_hours(&day(Some("08:35"), Some("09:05")), &[slot("08:20", "09:20", 2)]), [1]);
}

#[test]
fn an_exit_before_the_entry_never_weighs_more_than_the_slot() {
    assert_eq!(day_hours(&day(Some("09:10"), Some("08:30")), &[slot("08:20", "09:20", 2)]), [2]);
}

#[test]
fn out_of_class_counts_as_present() {
    let outs = vec![OutOfClass { kind: OutKind::Mobility, from: None, to: None }];
    let out = DayAttendance { outs, ..DayAttendance::default() };
    assert_eq!(day_hours(&out, &[slot("08:20", "09:20", 2)]), [0]);
    let state = |status| SlotAttendance { status, entry: None, exit: None };
    let slots = [slot("08:20", "09:20", 2), slot("09:20", "10:20", 2), slot("10:20", "11:50", 3)];
    let states = [state(SlotStatus::Out), state(SlotStatus::Absent), state(SlotStatus::Present)];
    assert_eq!(slot_hours(&states, &slots), [0, 2, 0]);
}

#[test]
fn in_slot_mode_the_minutes_within_the_slot_count() {
    let late = SlotAttendance { status: SlotStatus::Present, entry: Some(time("08:50")), exit: None };
    assert_eq!(slot_hours(&[late], &[slot("08:20", "09:20", 2)]), [1]);
    assert_eq!(slot_hours(&[late], &[HourSlot { signed: false, ..slot("08:20", "09:20", 2) }]), [0]);
}

#[test]
fn a_slot_that_ends_before_it_starts_or_has_no_minutes_weighs_nothing_and_is_no_panic() {
    for end in ["08:20", "08:00"] {
        assert_eq!(day_hours(&day(Some("08:30"), Some("08:10")), &[slot("08:20", end, 2)]), [0]);
    }
}

#[test]
fn a_term_is_cut_to_whole_hours_and_the_year_adds_the_cut_terms() {
    assert_eq!(term_hours([1, 1, 1]), 1);
    // 10.5 and 5.5 give 15, not 16.
    assert_eq!(year_hours([21, 11]), 15);
    assert_eq!(term_hours([u32::MAX, 2]), u32::MAX / 2, "a damaged sum is no panic");
}

proptest! {
    /// Whatever the times, a slot never weighs more than its units; a full absence weighs all of them; coming later
    /// or leaving earlier never weighs less.
    #[test]
    fn hours_of_absence_never_exceed_the_hours_given_and_grow_with_what_was_missed(
        lengths in proptest::collection::vec((1u16..120, 1u32..8, any::<bool>()), 1..8),
        entry in 0u16..1440, later in 0u16..120, exit in 0u16..1440, earlier in 0u16..120,
    ) {
        let at = |minutes: u16| ClockTime::from_minutes(minutes.min(1439)).unwrap();
        let mut start = 400;
        let slots: Vec<_> = lengths.iter().map(|(length, half_units, signed)| {
            let slot = HourSlot { start: at(start), end: at(start + length), half_units: *half_units, signed: *signed };
            start += length;
            slot
        }).collect();
        let hours = |entry, exit| {
            let day = DayAttendance { entry: Some(at(entry)), exit: Some(at(exit)), ..DayAttendance::default() };
            day_hours(&day, &slots)
        };
        let given: Vec<u32> = slots.iter().map(|slot| if slot.signed { slot.half_units } else { 0 }).collect();
        let absent = DayAttendance { absent: true, ..DayAttendance::default() };
        prop_assert_eq!(&day_hours(&absent, &slots), &given);
        let (less, more) = (hours(entry, exit), hours(entry + later, exit.saturating_sub(earlier)));
        for ((less, more), given) in less.iter().zip(&more).zip(&given) {
            prop_assert!(less <= more && more <= given);
        }
        prop_assert_eq!(day_hours(&DayAttendance::default(), &slots), vec![0; slots.len()]);
    }

    /// Cutting each subject and term first never gives more than cutting once, and less than one hour per cut.
    #[test]
    fn cutting_each_term_loses_less_than_an_hour_each(terms in proptest::collection::vec(0u32..400, 0..40)) {
        let (each, once) = (year_hours(terms.iter().copied()), term_hours(terms.iter().copied()));
        prop_assert!(each <= once && once - each <= u32::try_from(terms.len()).unwrap() / 2);
    }
}
