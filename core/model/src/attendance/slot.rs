//! Slot mode (*oraria*): one state per slot; absence, late and exit of the day are derived.

use std::collections::{BTreeMap, BTreeSet};

use super::day::{DayBounds, NotAllowed, OutOfClass};
use crate::school::BellSlot;
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
    // Who leaves at the start of a slot is absent in it; the time stands there.
    let left_at_start = |slot: u8| known.range(slot..).nth(1).and_then(|(_, state)| state.exit);
    DerivedDay {
        absent: false,
        late: first
            .filter(|(slot, state)| state.entry.is_some() || absent_before(**slot))
            .map(|(slot, state)| (*slot, state.entry)),
        exit: last
            .filter(|(slot, state)| state.exit.is_some() || absent_after(**slot))
            .map(|(slot, state)| (*slot, state.exit.or_else(|| left_at_start(*slot)))),
    }
}

/// A pupil's day in slot mode as an author changes it: the rules of the day (A1, A2, A5), slot by slot. What a
/// slot already says is kept unless the rule removes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotDay<'a> {
    bells: &'a [BellSlot],
    states: BTreeMap<u8, SlotAttendance>,
}

impl<'a> SlotDay<'a> {
    /// A day with the bell's slots in order and the states known of them.
    pub fn new(bells: &'a [BellSlot], states: BTreeMap<u8, SlotAttendance>) -> Self {
        Self { bells, states }
    }

    /// The states known.
    pub fn states(&self) -> &BTreeMap<u8, SlotAttendance> {
        &self.states
    }

    fn bounds(&self) -> Result<DayBounds, NotAllowed> {
        match (self.bells.first(), self.bells.last()) {
            (Some(first), Some(last)) => Ok(DayBounds { start: first.start, end: last.end }),
            _ => Err(NotAllowed::NoLessons),
        }
    }

    fn has(&self, slot: u8) -> Result<(), NotAllowed> {
        self.bells.iter().any(|bell| bell.position == slot).then_some(()).ok_or(NotAllowed::NoLessons)
    }

    fn is_out(&self, slots: impl std::ops::RangeBounds<u8>) -> bool {
        self.states.range(slots).any(|(_, state)| state.status == SlotStatus::Out)
    }

    /// Records that the pupil is absent in a slot: what came or went within it is removed (A1). Who is out of class
    /// for the school is not absent (A5).
    pub fn record_absence(&mut self, slot: u8) -> Result<u8, NotAllowed> {
        self.has(slot)?;
        if self.is_out(slot..=slot) {
            return Err(NotAllowed::OutOfClass);
        }
        self.states.insert(slot, SlotAttendance { status: SlotStatus::Absent, entry: None, exit: None });
        Ok(slot)
    }

    /// Records that the pupil was present in a slot from its start: neither absent, nor late, nor out of class. An
    /// exit within it stays.
    pub fn record_presence(&mut self, slot: u8) -> Result<u8, NotAllowed> {
        self.has(slot)?;
        let left = self.states.get(&slot).filter(|state| state.status == SlotStatus::Present);
        let exit = left.and_then(|state| state.exit);
        self.states.insert(slot, SlotAttendance { status: SlotStatus::Present, entry: None, exit });
        Ok(slot)
    }

    /// Records a late entry, in the slot that it falls into, or in the next one if it falls between two: first
    /// start < entry ≤ last end (A2). The slot is not absent any more (A1); an exit within it stays. Nobody is out
    /// of class before they came (A5).
    pub fn record_entry(&mut self, time: ClockTime) -> Result<u8, NotAllowed> {
        let bounds = self.bounds()?;
        if time <= bounds.start || time > bounds.end {
            return Err(NotAllowed::EntryTime);
        }
        let bell = self.bells.iter().find(|bell| time < bell.end).or(self.bells.last());
        let slot = bell.map(|bell| bell.position).ok_or(NotAllowed::NoLessons)?;
        if self.is_out(..=slot) {
            return Err(NotAllowed::OutTime);
        }
        let left = self.states.get(&slot).filter(|state| state.status == SlotStatus::Present);
        let exit = left.and_then(|state| state.exit);
        self.states.insert(slot, SlotAttendance { status: SlotStatus::Present, entry: Some(time), exit });
        Ok(slot)
    }

    /// Records an early exit, in the slot that it falls into: first start ≤ exit < last end (A2). Who leaves at the
    /// start of a slot is absent in it; otherwise the slot is not absent any more (A1) and an entry within it
    /// stays. Nobody is out of class after they left (A5).
    pub fn record_exit(&mut self, time: ClockTime) -> Result<u8, NotAllowed> {
        let bounds = self.bounds()?;
        if time < bounds.start || time >= bounds.end {
            return Err(NotAllowed::ExitTime);
        }
        let bell = self.bells.iter().rfind(|bell| bell.start <= time).ok_or(NotAllowed::ExitTime)?;
        let slot = bell.position;
        if self.is_out(slot..) {
            return Err(NotAllowed::OutTime);
        }
        let came = self.states.get(&slot).filter(|state| state.status == SlotStatus::Present);
        let entry = came.and_then(|state| state.entry);
        let at_start = bell.start == time && entry.is_none();
        let status = if at_start { SlotStatus::Absent } else { SlotStatus::Present };
        self.states.insert(slot, SlotAttendance { status, entry, exit: Some(time) });
        Ok(slot)
    }

    /// Records a time out of class (A5) in every slot that it touches. The whole day removes late and exit; a part
    /// begins after the entry and ends before the exit.
    pub fn record_out(&mut self, out: OutOfClass) -> Result<Vec<u8>, NotAllowed> {
        self.bounds()?;
        let ordered = match (out.from, out.to) {
            (Some(from), Some(to)) => from < to,
            _ => true,
        };
        let after_entry = |entry: ClockTime| out.from.is_some_and(|from| from >= entry);
        let before_exit = |exit: ClockTime| out.to.is_some_and(|to| to <= exit);
        let fits = self
            .states
            .values()
            .all(|state| state.entry.is_none_or(after_entry) && state.exit.is_none_or(before_exit));
        if !ordered || !(out.is_full_day() || fits) {
            return Err(NotAllowed::OutTime);
        }
        let touched: Vec<u8> = self
            .bells
            .iter()
            .filter(|bell| out.from.is_none_or(|from| from < bell.end))
            .filter(|bell| out.to.is_none_or(|to| to > bell.start))
            .map(|bell| bell.position)
            .collect();
        if touched.is_empty() {
            return Err(NotAllowed::OutTime);
        }
        for slot in &touched {
            let kept = self.states.get(slot).filter(|_| !out.is_full_day());
            let (entry, exit) = kept.map_or((None, None), |state| (state.entry, state.exit));
            self.states.insert(*slot, SlotAttendance { status: SlotStatus::Out, entry, exit });
        }
        Ok(touched)
    }
}
