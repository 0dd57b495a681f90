//! Hours of absence (*ore di assenza*), in half units and whole numbers only. Only signed lessons carry hours.

use super::day::DayAttendance;
use super::slot::{SlotAttendance, SlotStatus};
use crate::time::ClockTime;

/// A slot of a pupil's day, as far as hours need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HourSlot {
    /// Start.
    pub start: ClockTime,
    /// End.
    pub end: ClockTime,
    /// Length in half units.
    pub half_units: u32,
    /// Whether a lesson of the pupil's groups was signed.
    pub signed: bool,
}

impl HourSlot {
    fn minutes(&self) -> u32 {
        u32::from(self.end.minutes().saturating_sub(self.start.minutes()))
    }

    /// Half units of so many missed minutes: capped to the slot, in units of slot minutes × 2 ÷ half units,
    /// floored to half a unit after minutes at entry and exit are added.
    fn half_units_of(&self, missed: u32) -> u32 {
        match self.minutes() {
            0 => 0,
            minutes => {
                let half_units = u64::from(missed.min(minutes)) * u64::from(self.half_units);
                // At most the slot's own half units, so it fits.
                u32::try_from(half_units / u64::from(minutes)).unwrap_or(self.half_units)
            }
        }
    }

    fn missed(&self, entry: Option<ClockTime>, exit: Option<ClockTime>) -> u32 {
        // A slot that ends before it starts has no minutes to miss.
        let (start, end) = (self.start.minutes(), self.end.minutes().max(self.start.minutes()));
        let late = entry.map_or(0, |entry| entry.minutes().clamp(start, end) - start);
        let early = exit.map_or(0, |exit| end - exit.minutes().clamp(start, end));
        u32::from(late) + u32::from(early)
    }
}

/// Half units of absence per slot in day mode.
pub fn day_hours(day: &DayAttendance, slots: &[HourSlot]) -> Vec<u32> {
    slots
        .iter()
        .map(|slot| match (slot.signed, day.absent) {
            (false, _) => 0,
            (true, true) => slot.half_units,
            (true, false) => slot.half_units_of(slot.missed(day.entry, day.exit)),
        })
        .collect()
}

/// Half units of absence per slot in slot mode.
pub fn slot_hours(states: &[SlotAttendance], slots: &[HourSlot]) -> Vec<u32> {
    slots
        .iter()
        .zip(states)
        .map(|(slot, state)| match (slot.signed, state.status) {
            (false, _) => 0,
            (true, SlotStatus::Absent) => slot.half_units,
            // Out of class counts as present; what was missed before or after it was missed.
            (true, SlotStatus::Present | SlotStatus::Out) => {
                slot.half_units_of(slot.missed(state.entry, state.exit))
            }
        })
        .collect()
}

/// Whole hours of one subject in one term: the sum, cut.
pub fn term_hours(half_units: impl IntoIterator<Item = u32>) -> u32 {
    half_units.into_iter().fold(0u32, u32::saturating_add) / 2
}

/// Whole hours of the year from the half units per subject and term: each is cut first.
pub fn year_hours(half_units_per_subject_and_term: impl IntoIterator<Item = u32>) -> u32 {
    half_units_per_subject_and_term
        .into_iter()
        .map(|half_units| half_units / 2)
        .fold(0u32, u32::saturating_add)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn time(text: &str) -> ClockTime {
        text.parse().unwrap()
    }

    fn slots() -> Vec<HourSlot> {
        [
            ("08:20", "09:20", 2),
            ("09:20", "10:20", 2),
            ("10:20", "11:20", 2),
            ("11:20", "12:20", 2),
            ("12:20", "13:50", 3),
        ]
        .map(|(start, end, half_units)| HourSlot {
            start: time(start),
            end: time(end),
            half_units,
            signed: true,
        })
        .to_vec()
    }

    fn total(entry: Option<&str>, exit: Option<&str>) -> u32 {
        let day = DayAttendance { entry: entry.map(time), exit: exit.map(time), ..DayAttendance::default() };
        day_hours(&day, &slots()).iter().sum()
    }

    #[test]
    fn hours_of_the_worked_table() {
        assert_eq!(total(Some("08:45"), None), 0);
        assert_eq!(total(Some("08:50"), None), 1);
        assert_eq!(total(Some("09:20"), None), 2);
        assert_eq!(total(Some("09:55"), None), 3);
        assert_eq!(total(None, Some("12:50")), 2);
        assert_eq!(total(None, Some("12:20")), 3);
        assert_eq!(total(Some("09:20"), Some("12:20")), 5);
        // Flooring entry and exit apart would give 4.5 hours.
        assert_eq!(total(Some("08:35"), Some("09:05")), 10);
    }

    #[test]
    fn each_subject_and_term_is_cut_before_the_year_is_added_up() {
        assert_eq!(year_hours([21, 11]), 15);
    }

    proptest! {
        #[test]
        fn hours_never_exceed_the_slot(
            start in 480u16..600, length in 1u16..120, half_units in 1u32..6,
            entry in proptest::option::of(0u16..1439), exit in proptest::option::of(0u16..1439),
        ) {
            let at = |m| ClockTime::from_minutes(m).unwrap();
            let slot = HourSlot { start: at(start), end: at(start + length), half_units, signed: true };
            let day = DayAttendance { entry: entry.map(at), exit: exit.map(at), ..DayAttendance::default() };
            prop_assert!(day_hours(&day, &[slot])[0] <= half_units);
            prop_assert_eq!(day_hours(&day, &[HourSlot { signed: false, ..slot }]), [0]);
        }
    }
}
