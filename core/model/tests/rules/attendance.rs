//! The pupil's day in day mode: A1, A2, A3, A5.

use proptest::prelude::*;
use registro_model::ClockTime;
use registro_model::attendance::day::DayBounds;
use registro_model::attendance::{DayAttendance, NotAllowed, OutKind, OutOfClass};

use crate::school::time;

fn bounds() -> DayBounds {
    DayBounds { start: time("08:20"), end: time("13:50") }
}

fn out(from: Option<&str>, to: Option<&str>) -> OutOfClass {
    OutOfClass { kind: OutKind::Placement, from: from.map(time), to: to.map(time) }
}

fn day(entry: Option<&str>, exit: Option<&str>) -> DayAttendance {
    DayAttendance { entry: entry.map(time), exit: exit.map(time), ..DayAttendance::default() }
}

#[test]
fn a1_an_absence_removes_late_and_exit() {
    let mut day = day(Some("09:00"), Some("12:00"));
    day.record_absence().unwrap();
    assert_eq!(day, DayAttendance { absent: true, ..DayAttendance::default() });
}

#[test]
fn a1_late_or_exit_removes_the_absence_and_they_coexist() {
    let mut day = DayAttendance { absent: true, ..DayAttendance::default() };
    day.record_exit(time("12:00"), bounds()).unwrap();
    assert!(!day.absent);
    day.record_absence().unwrap();
    day.record_entry(time("09:00"), bounds()).unwrap();
    assert!(!day.absent && day.exit.is_none());
    day.record_exit(time("12:00"), bounds()).unwrap();
    assert_eq!((day.entry, day.exit), (Some(time("09:00")), Some(time("12:00"))));
}

#[test]
fn a2_an_entry_is_after_the_first_start_and_not_after_the_last_end() {
    for (at, allowed) in
        [("08:19", false), ("08:20", false), ("08:21", true), ("13:50", true), ("13:51", false)]
    {
        let mut day = DayAttendance::default();
        let expected = if allowed { Ok(()) } else { Err(NotAllowed::EntryTime) };
        assert_eq!(day.record_entry(time(at), bounds()), expected, "{at}");
        assert_eq!(day.entry.is_some(), allowed);
    }
}

#[test]
fn a2_an_exit_is_not_before_the_first_start_and_before_the_last_end() {
    for (at, allowed) in [("08:19", false), ("08:20", true), ("13:49", true), ("13:50", false)] {
        let mut day = DayAttendance::default();
        let expected = if allowed { Ok(()) } else { Err(NotAllowed::ExitTime) };
        assert_eq!(day.record_exit(time(at), bounds()), expected, "{at}");
    }
}

#[test]
fn a3_a_short_late_ends_with_the_tenth_minute() {
    for (at, minutes, short) in [
        ("08:30", 10, true),
        ("08:31", 10, false),
        ("08:21", 0, false),
        ("09:20", 60, true),
        ("09:21", 60, false),
    ] {
        assert_eq!(day(Some(at), None).is_short_late(bounds(), minutes), short, "{at}, {minutes} minutes");
    }
    assert!(!DayAttendance::default().is_short_late(bounds(), 10), "who is on time is not late");
    assert!(!day(None, Some("08:25")).is_short_late(bounds(), 10), "an exit is no late");
}

#[test]
fn a5_who_is_out_of_class_is_not_absent() {
    for time_out in [out(None, None), out(Some("09:20"), Some("10:20"))] {
        let mut day = DayAttendance::default();
        day.record_out(time_out).unwrap();
        assert_eq!(day.record_absence(), Err(NotAllowed::OutOfClass));
        assert!(!day.absent);
    }
    let mut day = DayAttendance { absent: true, ..DayAttendance::default() };
    day.record_out(out(Some("09:20"), Some("10:20"))).unwrap();
    assert!(!day.absent);
}

#[test]
fn a5_a_full_day_out_excludes_late_and_exit() {
    let mut full = day(Some("09:00"), Some("12:00"));
    full.record_out(out(None, None)).unwrap();
    assert_eq!((full.entry, full.exit), (None, None));
    assert_eq!(full.record_entry(time("09:00"), bounds()), Err(NotAllowed::OutOfClass));
    assert_eq!(full.record_exit(time("12:00"), bounds()), Err(NotAllowed::OutOfClass));
}

#[test]
fn a5_a_part_of_the_day_out_lies_between_entry_and_exit() {
    let between = |from, to| day(Some("09:20"), Some("12:20")).record_out(out(from, to));
    assert_eq!(between(Some("09:20"), Some("12:20")), Ok(()));
    assert_eq!(between(Some("09:19"), Some("12:20")), Err(NotAllowed::OutTime));
    assert_eq!(between(Some("09:20"), Some("12:21")), Err(NotAllowed::OutTime));
    assert_eq!(
        between(None, Some("12:20")),
        Err(NotAllowed::OutTime),
        "from the beginning is before the entry"
    );
    assert_eq!(between(Some("09:20"), None), Err(NotAllowed::OutTime), "to the end is after the exit");
    assert_eq!(between(Some("11:00"), Some("10:00")), Err(NotAllowed::OutTime));
    // The other way round: entry and exit are written after the time out of class.
    let mut day = DayAttendance::default();
    day.record_out(out(Some("10:00"), Some("11:00"))).unwrap();
    assert_eq!(day.record_entry(time("10:01"), bounds()), Err(NotAllowed::OutTime));
    assert_eq!(day.record_exit(time("10:59"), bounds()), Err(NotAllowed::OutTime));
    assert_eq!(day.record_entry(time("10:00"), bounds()), Ok(()));
    assert_eq!(day.record_exit(time("11:00"), bounds()), Ok(()));
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Absence,
    Entry(ClockTime),
    Exit(ClockTime),
    Out(OutOfClass),
}

fn act() -> impl Strategy<Value = Act> {
    let at = || (480u16..870).prop_map(|minutes| ClockTime::from_minutes(minutes).unwrap());
    prop_oneof![
        Just(Act::Absence),
        at().prop_map(Act::Entry),
        at().prop_map(Act::Exit),
        (proptest::option::of(at()), proptest::option::of(at()))
            .prop_map(|(from, to)| Act::Out(OutOfClass { kind: OutKind::InSchool, from, to })),
    ]
}

proptest! {
    /// A1, A2 and A5 hold after every act, and an act that is not allowed changes nothing.
    #[test]
    fn no_order_of_acts_makes_an_impossible_day(acts in proptest::collection::vec(act(), 0..12)) {
        let mut day = DayAttendance::default();
        for act in acts {
            let before = day.clone();
            let done = match act {
                Act::Absence => day.record_absence(),
                Act::Entry(at) => day.record_entry(at, bounds()),
                Act::Exit(at) => day.record_exit(at, bounds()),
                Act::Out(out) => day.record_out(out),
            };
            if done.is_err() {
                prop_assert_eq!(&day, &before);
            }
            prop_assert!(!day.absent || (day.entry.is_none() && day.exit.is_none() && day.outs.is_empty()));
            if let Some(entry) = day.entry {
                prop_assert!(bounds().start < entry && entry <= bounds().end);
                prop_assert!(day.outs.iter().all(|out| out.from.is_some_and(|from| from >= entry)));
            }
            if let Some(exit) = day.exit {
                prop_assert!(bounds().start <= exit && exit < bounds().end);
                prop_assert!(day.outs.iter().all(|out| out.to.is_some_and(|to| to <= exit)));
            }
        }
    }
}
