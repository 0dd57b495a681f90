//! A pupil's day as screens show it.

use std::collections::{BTreeMap, BTreeSet};

use registro_documents::Fact;
use registro_documents::merge::{KeyDecision, decide_day};
use registro_model::attendance::{
    DayAttendance, OutKind, OutOfClass, SlotAttendance, SlotStatus, derive_day,
};
use registro_model::directory::Directory;
use registro_model::ids::SiteCode;
use registro_model::school::{AttendanceMode, School};
use registro_model::{ClockTime, Date};

use crate::provenance::Provenance;
use crate::says::{Says, says};

/// A time out of class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutView {
    /// Why: `placement`, `mobility`, `in-school`, `external`.
    pub kind: String,
    /// From; the whole day if neither end is given.
    pub from: Option<ClockTime>,
    /// To.
    pub to: Option<ClockTime>,
}

/// What is written of an hour, in slot mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotView {
    /// Position of the hour.
    pub slot: u8,
    /// State.
    pub status: SlotStatus,
    /// Time at which the pupil came within it.
    pub entry: Option<ClockTime>,
    /// Time at which the pupil left within it.
    pub exit: Option<ClockTime>,
}

/// A fact behind what a screen shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownFact {
    /// Its key in section `attendance`.
    pub key: String,
    /// What it says.
    pub says: Says,
    /// Where it comes from.
    pub provenance: Provenance,
}

/// A pupil's day, decided. Present is the default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PupilDay {
    /// Absent (in slot mode: in every slot of which something is known).
    pub absent: bool,
    /// Time of entry, if late and known.
    pub entry: Option<ClockTime>,
    /// Whether the pupil was late.
    pub late: bool,
    /// Whether the late is a short one, which needs no justification.
    pub short_late: bool,
    /// Time of exit, if early and known.
    pub exit: Option<ClockTime>,
    /// Whether the pupil left early.
    pub left_early: bool,
    /// Who collected the pupil, if it was entered.
    pub collected_by: Option<String>,
    /// Times out of class.
    pub outs: Vec<OutView>,
    /// Slots with the state absent (slot mode).
    pub absent_slots: Vec<u8>,
    /// What is written of each slot (slot mode).
    pub slots: Vec<SlotView>,
    /// Keys with a conflict to resolve.
    pub conflicts: Vec<String>,
    /// Whether facts contradict each other and both stay.
    pub contradiction: bool,
    /// Whether something shown is not confirmed by the hub yet.
    pub pending: bool,
    /// The facts that show, each with where it comes from.
    pub facts: Vec<ShownFact>,
}

fn out_kind(fact: &Fact) -> OutKind {
    let text = fact.text("kind").unwrap_or_default();
    OutKind::ALL.into_iter().find(|kind| kind.as_str() == text).unwrap_or(OutKind::InSchool)
}

/// The slots' states of a day in slot mode.
pub(crate) fn slot_states(date: Date, keys: &BTreeMap<String, KeyDecision>) -> BTreeMap<u8, SlotAttendance> {
    let prefix = format!("{date}#");
    keys.range(prefix.clone()..)
        .take_while(|(key, _)| key.starts_with(&prefix))
        .filter_map(|(key, decision)| {
            let slot = key.strip_prefix(&prefix)?.parse().ok()?;
            let fact = &decision.live()?.fact;
            let status = match fact.text("status")? {
                "absent" => SlotStatus::Absent,
                "out" => SlotStatus::Out,
                _ => SlotStatus::Present,
            };
            Some((slot, SlotAttendance { status, entry: fact.time("entry"), exit: fact.time("exit") }))
        })
        .collect()
}

/// The day in day mode, as the rules compute with it.
pub(crate) fn day_attendance(date: Date, keys: &BTreeMap<String, KeyDecision>) -> DayAttendance {
    let decision = decide_day(&date.to_string(), keys);
    DayAttendance {
        absent: decision.absence.is_some(),
        entry: decision.entry.and_then(|shown| shown.fact.time("time")),
        exit: decision.exit.and_then(|shown| shown.fact.time("time")),
        outs: decision
            .outs
            .iter()
            .map(|(_, shown)| OutOfClass {
                kind: out_kind(&shown.fact),
                from: shown.fact.time("from"),
                to: shown.fact.time("to"),
            })
            .collect(),
    }
}

/// What a screen shows of a pupil's day. `called` are the slots in which a roll called the pupil (slot mode).
pub(crate) fn pupil_day(
    school: &School,
    directory: &Directory,
    site: &SiteCode,
    date: Date,
    keys: &BTreeMap<String, KeyDecision>,
    called: &BTreeSet<u8>,
) -> PupilDay {
    let text = date.to_string();
    let of_day = || keys.iter().filter(|(key, _)| key.starts_with(&text));
    let mut day = PupilDay {
        conflicts: of_day().filter(|(_, d)| d.conflict).map(|(key, _)| key.clone()).collect(),
        pending: of_day().any(|(_, d)| d.shown.provenance.accepted.is_none()),
        ..PupilDay::default()
    };
    let mut hidden = BTreeSet::new();
    match school.settings.attendance_mode {
        AttendanceMode::Day => hidden = show_day(&mut day, date, keys),
        AttendanceMode::Slot => show_slots(&mut day, school, site, date, keys, called),
    }
    day.facts = of_day()
        .filter(|(key, _)| !hidden.contains(key.as_str()))
        .filter_map(|(key, decision)| {
            let shown = decision.live()?;
            Some(ShownFact {
                key: key.clone(),
                says: says("attendance", key, &shown.fact, school),
                provenance: Provenance::of(key, shown, directory, school),
            })
        })
        .collect();
    let start = school.slots_of(site, date).first().map(|slot| slot.start);
    day.short_late = match (day.entry, start) {
        (Some(entry), Some(start)) => {
            entry.minutes() <= start.minutes().saturating_add(school.settings.short_late_min)
        }
        _ => false,
    };
    day
}

/// Day mode; returns the keys of facts that the decision hides.
fn show_day(day: &mut PupilDay, date: Date, keys: &BTreeMap<String, KeyDecision>) -> BTreeSet<String> {
    let text = date.to_string();
    let decision = decide_day(&text, keys);
    day.contradiction = !decision.contradictions.is_empty();
    day.collected_by = decision.exit.and_then(|s| s.fact.text("collected_by")).map(str::to_owned);
    let attendance = day_attendance(date, keys);
    day.absent = attendance.absent;
    day.entry = attendance.entry;
    day.late = attendance.entry.is_some();
    day.exit = attendance.exit;
    day.left_early = attendance.exit.is_some();
    day.outs = attendance
        .outs
        .iter()
        .map(|out| OutView { kind: out.kind.as_str().to_owned(), from: out.from, to: out.to })
        .collect();
    decision.hidden.iter().map(|name| format!("{text}/{name}")).collect()
}

fn show_slots(
    day: &mut PupilDay,
    school: &School,
    site: &SiteCode,
    date: Date,
    keys: &BTreeMap<String, KeyDecision>,
    called: &BTreeSet<u8>,
) {
    let states = slot_states(date, keys);
    let derived = derive_day(called, &states);
    day.absent = derived.absent;
    day.late = derived.late.is_some();
    day.entry = derived.late.and_then(|late| late.1);
    day.left_early = derived.exit.is_some();
    day.exit = derived.exit.and_then(|exit| exit.1);
    day.contradiction = states.values().any(|state| match (state.entry, state.exit) {
        (Some(entry), Some(exit)) => exit < entry,
        _ => false,
    });
    let bells = school.slots_of(site, date);
    for (slot, state) in &states {
        let fact = keys.get(&format!("{date}#{slot}")).map(|decision| &decision.shown.fact);
        day.slots.push(SlotView { slot: *slot, status: state.status, entry: state.entry, exit: state.exit });
        if state.exit.is_some() && state.exit == day.exit {
            day.collected_by = fact.and_then(|f| f.text("collected_by")).map(str::to_owned);
        }
        match state.status {
            SlotStatus::Absent => day.absent_slots.push(*slot),
            SlotStatus::Present => {}
            SlotStatus::Out => {
                let bell = bells.iter().find(|bell| bell.position == *slot);
                let end = |field: &str| fact.and_then(|fact| fact.time(field));
                day.outs.push(OutView {
                    kind: fact.map_or("in-school", |fact| out_kind(fact).as_str()).to_owned(),
                    from: end("from").or(bell.map(|bell| bell.start)),
                    to: end("to").or(bell.map(|bell| bell.end)),
                });
            }
        }
    }
}
