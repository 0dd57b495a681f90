//! Slot mode (*oraria*): one state per slot; absence, late and exit of the day are derived.

use std::collections::{BTreeMap, BTreeSet};

use crate::time::ClockTime;

/// State of a pupil in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SlotStatus {
    /// Present.
    Present,
    /// Absent.
    Absent,
    /// Out of class for the school: counts as present.
    Out,
}

impl SlotStatus {
    /// The name that facts use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Absent => "absent",
            Self::Out => "out",
        }
    }
}

/// A pupil's slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotAttendance {
    /// State.
    pub status: SlotStatus,
    /// Time at which the pupil came within the slot.
    pub entry: Option<ClockTime>,
    /// Time at which the pupil left within the slot.
    pub exit: Option<ClockTime>,
}

/// The day as derived from its slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DerivedDay {
    /// Absent in every slot of which something is known.
    pub absent: bool,
    /// First slot with presence after absence, with the time if one is known: the day's late.
    pub late: Option<(u8, Option<ClockTime>)>,
    /// Last slot with presence before absence, with the time if one is known: the day's early exit.
    pub exit: Option<(u8, Option<ClockTime>)>,
}

/// Derives the day. `called` are the slots in which somebody called the roll, so that silence means present;
/// of other slots without a state nothing is known.
pub fn derive_day(called: &BTreeSet<u8>, slots: &BTreeMap<u8, SlotAttendance>) -> DerivedDay {
    let mut known: BTreeMap<u8, SlotAttendance> = called
        .iter()
        .map(|slot| (*slot, SlotAttendance { status: SlotStatus::Present, entry: None, exit: None }))
        .collect();
    known.extend(slots.iter().map(|(slot, state)| (*slot, *state)));
    let there = |state: &SlotAttendance| state.status != SlotStatus::Absent;
    if known.is_empty() {
        return DerivedDay::default();
    }
    if !known.values().any(there) {
        return DerivedDay { absent: true, ..DerivedDay::default() };
    }
    let first = known.iter().find(|(_, state)| there(state));
    let last = known.iter().rfind(|(_, state)| there(state));
    let absent_before = |slot: u8| known.range(..slot).any(|(_, state)| !there(state));
    let absent_after = |slot: u8| known.range(slot..).skip(1).any(|(_, state)| !there(state));
    DerivedDay {
        absent: false,
        late: first
            .filter(|(slot, state)| state.entry.is_some() || absent_before(**slot))
            .map(|(slot, state)| (*slot, state.entry)),
        exit: last
            .filter(|(slot, state)| state.exit.is_some() || absent_after(**slot))
            .map(|(slot, state)| (*slot, state.exit)),
    }
}
