//! Slot mode as an author changes it: A1, A2, A5, and nothing that a slot says is lost without a rule.

use proptest::prelude::*;
use registro_model::attendance::{
    HourSlot, NotAllowed, OutKind, OutOfClass, SlotAttendance, SlotDay, SlotStatus, derive_day, slot_hours,
};
use registro_model::school::BellSlot;

use crate::school::{bell, time};

use SlotStatus::{Absent, Out, Present};

/// Three hours with ten minutes between the second and the third.
fn bells() -> Vec<BellSlot> {
    vec![
        bell("C", 1, 1, "08:20", "09:20", 2),
        bell("C", 1, 2, "09:20", "10:20", 2),
        bell("C", 1, 3, "10:30", "11:30", 2),
    ]
}

fn state(status: SlotStatus, entry: Option<&str>, exit: Option<&str>) -> SlotAttendance {
    SlotAttendance { status, entry: entry.map(time), exit: exit.map(time) }
}

fn out(from: Option<&str>, to: Option<&str>) -> OutOfClass {
    OutOfClass { kind: OutKind::External, from: from.map(time), to: to.map(time) }
}

#[test]
fn a1_entry_and_exit_of_one_slot_stay_together_in_either_order() {
    let bells = bells();
    for entry_first in [true, false] {
        let mut day = SlotDay::new(&bells, [(1, state(Absent, None, None))].into());
        let (entry, exit) = (time("08:40"), time("09:05"));
        if entry_first {
            assert_eq!((day.record_entry(entry), day.record_exit(exit)), (Ok(1), Ok(1)));
        } else {
            assert_eq!((day.record_exit(exit), day.record_entry(entry)), (Ok(1), Ok(1)));
        }
        assert_eq!(day.states()[&1], state(Present, Some("08:40"), Some("09:05")));
    }
}

#[test]
fn a1_an_absence_removes_what_came_and_went_in_its_slot_only() {
    let bells = bells();
    let states =
        [(1, state(Present, Some("08:40"), Some("09:05"))), (2, state(Present, Some("09:30"), None))];
    let mut day = SlotDay::new(&bells, states.into());
    assert_eq!(day.record_absence(1), Ok(1));
    assert_eq!(day.states()[&1], state(Absent, None, None));
    assert_eq!(day.states()[&2], state(Present, Some("09:30"), None));
}

#[test]
fn a2_entries_and_exits_lie_within_the_day() {
    let bells = bells();
    let mut day = SlotDay::new(&bells, Default::default());
    assert_eq!(day.record_entry(time("08:20")), Err(NotAllowed::EntryTime));
    assert_eq!(day.record_entry(time("11:31")), Err(NotAllowed::EntryTime));
    assert_eq!(day.record_exit(time("08:19")), Err(NotAllowed::ExitTime));
    assert_eq!(day.record_exit(time("11:30")), Err(NotAllowed::ExitTime));
    assert_eq!(day.record_entry(time("11:30")), Ok(3));
    assert_eq!(SlotDay::new(&[], Default::default()).record_entry(time("09:00")), Err(NotAllowed::NoLessons));
    assert_eq!(day.record_absence(4), Err(NotAllowed::NoLessons));
}

#[test]
fn an_entry_between_two_slots_is_in_the_next_and_an_exit_in_the_one_before() {
    let bells = bells();
    let mut day = SlotDay::new(&bells, Default::default());
    assert_eq!(day.record_entry(time("10:25")), Ok(3));
    assert_eq!(day.record_entry(time("09:20")), Ok(2), "an hour begins when the one before ends");
    let mut day = SlotDay::new(&bells, Default::default());
    assert_eq!(day.record_exit(time("10:25")), Ok(2));
    assert_eq!(day.states()[&2].status, Present);
}

#[test]
fn who_leaves_at_the_start_of_a_slot_is_absent_in_it_and_the_time_is_known() {
    let bells = bells();
    let mut day = SlotDay::new(&bells, Default::default());
    assert_eq!(day.record_exit(time("09:20")), Ok(2));
    assert_eq!(day.states()[&2], state(Absent, None, Some("09:20")));
    let derived = derive_day(&[1, 2].into(), day.states());
    assert_eq!(derived.exit, Some((1, Some(time("09:20")))));
}

#[test]
fn a5_who_is_out_is_not_absent_and_neither_comes_after_nor_leaves_before() {
    let bells = bells();
    let mut day = SlotDay::new(&bells, [(2, state(Out, None, None))].into());
    let before = day.clone();
    assert_eq!(day.record_absence(2), Err(NotAllowed::OutOfClass));
    assert_eq!(day.record_entry(time("09:40")), Err(NotAllowed::OutTime));
    assert_eq!(day.record_entry(time("10:40")), Err(NotAllowed::OutTime));
    assert_eq!(day.record_exit(time("09:00")), Err(NotAllowed::OutTime));
    assert_eq!(day, before, "what is refused changes nothing");
    assert_eq!(day.record_entry(time("08:50")), Ok(1));
    assert_eq!(day.record_exit(time("11:00")), Ok(3));
}

#[test]
fn a5_a_part_of_the_day_lies_between_entry_and_exit_and_the_whole_day_removes_them() {
    let bells = bells();
    let states = [(1, state(Present, Some("08:40"), None)), (3, state(Present, None, Some("11:00")))];
    let mut day = SlotDay::new(&bells, states.into());
    assert_eq!(day.record_out(out(Some("08:30"), Some("10:00"))), Err(NotAllowed::OutTime));
    assert_eq!(day.record_out(out(Some("09:30"), Some("11:10"))), Err(NotAllowed::OutTime));
    assert_eq!(day.record_out(out(Some("10:00"), Some("09:00"))), Err(NotAllowed::OutTime));
    assert_eq!(day.record_out(out(Some("08:50"), Some("10:00"))), Ok(vec![1, 2]));
    assert_eq!(day.states()[&1], state(Out, Some("08:40"), None), "they still came late");
    assert_eq!(day.record_out(out(None, None)), Ok(vec![1, 2, 3]));
    assert!(day.states().values().all(|s| *s == state(Out, None, None)));
}

#[test]
fn minutes_missed_in_a_slot_of_which_a_part_was_out_of_class_are_missed() {
    let slot = HourSlot { start: time("08:20"), end: time("09:20"), half_units: 2, signed: true };
    assert_eq!(slot_hours(&[state(Out, None, None)], &[slot]), [0]);
    assert_eq!(slot_hours(&[state(Out, Some("08:50"), None)], &[slot]), [1]);
}

#[test]
fn a_presence_removes_absence_late_and_out_and_keeps_the_exit() {
    let bells = bells();
    let states = [
        (1, state(Absent, None, None)),
        (2, state(Present, Some("09:30"), Some("10:00"))),
        (3, state(Out, None, None)),
    ];
    let mut day = SlotDay::new(&bells, states.into());
    assert_eq!([1, 2, 3].map(|slot| day.record_presence(slot)), [Ok(1), Ok(2), Ok(3)]);
    assert_eq!(day.states()[&1], state(Present, None, None));
    assert_eq!(day.states()[&2], state(Present, None, Some("10:00")));
    assert_eq!(day.states()[&3], state(Present, None, None));
}

proptest! {
    #[test]
    fn an_act_changes_no_slot_but_those_that_it_names(
        acts in proptest::collection::vec((0u8..5, 500u16..695, 1u8..4), 1..12)
    ) {
        let bells = bells();
        let mut day = SlotDay::new(&bells, Default::default());
        for (act, minutes, slot) in acts {
            let at = registro_model::ClockTime::from_minutes(minutes).unwrap();
            let before = day.states().clone();
            let touched = match act {
                0 => day.record_absence(slot).map(|slot| vec![slot]),
                1 => day.record_presence(slot).map(|slot| vec![slot]),
                2 => day.record_entry(at).map(|slot| vec![slot]),
                3 => day.record_exit(at).map(|slot| vec![slot]),
                _ => day.record_out(OutOfClass { kind: OutKind::Placement, from: Some(at), to: None }),
            }.unwrap_or_default();
            for bell in &bells {
                if !touched.contains(&bell.position) {
                    prop_assert_eq!(before.get(&bell.position), day.states().get(&bell.position));
                }
            }
        }
    }
}
