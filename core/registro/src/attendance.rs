//! A pupil's day as screens show it, in either mode, and the writes that change it.

use std::collections::{BTreeMap, BTreeSet};

use registro_documents::merge::{DayContradiction, KeyDecision, decide_day};
use registro_documents::{Fact, Scalar};
use registro_model::attendance::day::DayBounds;
use registro_model::attendance::{
    DayAttendance, NotAllowed, OutKind, OutOfClass, SlotAttendance, SlotStatus, derive_day,
};
use registro_model::ids::SiteCode;
use registro_model::school::{AttendanceMode, BellSlot, School};
use registro_model::{Capacity, ClockTime, CommandId, Date, DocumentId};
use registro_sync::device::DraftWrite;

use crate::error::Error;

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
    /// Times out of class.
    pub outs: Vec<OutView>,
    /// Slots with the state absent (slot mode).
    pub absent_slots: Vec<u8>,
    /// Keys with a conflict to resolve.
    pub conflicts: Vec<String>,
    /// Whether facts contradict each other and both stay.
    pub contradiction: bool,
    /// Whether something shown is not confirmed by the hub yet.
    pub pending: bool,
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

/// What a screen shows of a pupil's day. `called` are the slots in which the roll was called (slot mode).
pub(crate) fn pupil_day(
    school: &School,
    site: &SiteCode,
    date: Date,
    keys: &BTreeMap<String, KeyDecision>,
    called: &BTreeSet<u8>,
) -> PupilDay {
    let text = date.to_string();
    let of_day = |key: &str| key.starts_with(&text);
    let mut day = PupilDay {
        conflicts: keys.iter().filter(|(k, d)| of_day(k) && d.conflict).map(|(k, _)| k.clone()).collect(),
        pending: keys.iter().any(|(k, d)| of_day(k) && d.shown.provenance.accepted.is_none()),
        ..PupilDay::default()
    };
    let start = school.slots_of(site, date).first().map(|slot| slot.start);
    match school.settings.attendance_mode {
        AttendanceMode::Day => {
            let decision = decide_day(&text, keys);
            day.contradiction = !decision.contradictions.is_empty();
            debug_assert!(decision.contradictions.iter().all(|c| {
                matches!(c, DayContradiction::ExitBeforeEntry | DayContradiction::HigherStanding { .. })
            }));
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
        }
        AttendanceMode::Slot => {
            let states = slot_states(date, keys);
            let derived = derive_day(called, &states);
            day.absent = derived.absent;
            day.late = derived.late.is_some();
            day.entry = derived.late.and_then(|late| late.1);
            day.left_early = derived.exit.is_some();
            day.exit = derived.exit.and_then(|exit| exit.1);
            day.absent_slots = states
                .iter()
                .filter(|(_, s)| s.status == SlotStatus::Absent)
                .map(|(slot, _)| *slot)
                .collect();
            for (slot, state) in &states {
                if state.status == SlotStatus::Out {
                    let bell = school.slots_of(site, date).into_iter().find(|b| b.position == *slot).cloned();
                    let fact = keys.get(&format!("{date}#{slot}")).map(|d| &d.shown.fact);
                    day.outs.push(OutView {
                        kind: fact.map_or("in-school", |f| out_kind(f).as_str()).to_owned(),
                        from: bell.as_ref().map(|b| b.start),
                        to: bell.as_ref().map(|b| b.end),
                    });
                }
            }
        }
    }
    day.short_late = match (day.entry, start) {
        (Some(entry), Some(start)) => {
            entry.minutes() <= start.minutes().saturating_add(school.settings.short_late_min)
        }
        _ => false,
    };
    day
}

/// An entry in a pupil's day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mark {
    Absent,
    Present { why: String },
    Entry(ClockTime),
    Exit { time: ClockTime, collected_by: Option<String> },
    Out { kind: OutKind, from: Option<ClockTime>, to: Option<ClockTime> },
}

/// Where and by whom a mark is written.
pub(crate) struct Pen<'a> {
    pub id: CommandId,
    pub capacity: Capacity,
    pub document: DocumentId,
    pub date: Date,
    pub slot: u8,
    pub school: &'a School,
    pub slots: &'a [BellSlot],
    /// What the author sees of the day.
    pub seen: &'a BTreeMap<String, KeyDecision>,
    /// Random key part for what is many.
    pub hex: [u8; 8],
}

fn not_allowed(reason: NotAllowed) -> Error {
    let italian = match reason {
        NotAllowed::NoLessons => "In questa data non c'è lezione.",
        NotAllowed::EntryTime => "L'entrata è dopo l'inizio della prima ora e non oltre la fine dell'ultima.",
        NotAllowed::ExitTime => "L'uscita è prima della fine dell'ultima ora.",
        NotAllowed::OutOfClass => "Chi è fuori classe per la scuola non si segna assente.",
        NotAllowed::OutTime => "Il fuori classe sta tra l'entrata e l'uscita.",
    };
    Error::rule(italian, &reason.to_string())
}

impl Pen<'_> {
    fn fact(&self) -> Fact {
        Fact::new(self.id, self.capacity)
    }

    fn put(&self, key: String, fact: Fact) -> DraftWrite {
        DraftWrite { document: self.document, section: "attendance", key, fact }
    }

    /// Annuls a live fact that the author sees, because what is written excludes it.
    fn annul(&self, key: &str, why: &str, writes: &mut Vec<DraftWrite>) {
        if let Some(shown) = self.seen.get(key).and_then(KeyDecision::live) {
            writes.push(self.put(key.to_owned(), shown.fact.annulled_by(self.id, self.capacity, why)));
        }
    }

    /// The writes of a mark, after the rules that the author's own screen guards (A1, A2, A5).
    pub fn mark(&self, mark: &Mark) -> Result<Vec<DraftWrite>, Error> {
        let (Some(first), Some(last)) = (self.slots.first(), self.slots.last()) else {
            return Err(not_allowed(NotAllowed::NoLessons));
        };
        let bounds = DayBounds { start: first.start, end: last.end };
        match self.school.settings.attendance_mode {
            AttendanceMode::Day => self.mark_day(mark, bounds),
            AttendanceMode::Slot => self.mark_slot(mark, bounds),
        }
    }

    fn mark_day(&self, mark: &Mark, bounds: DayBounds) -> Result<Vec<DraftWrite>, Error> {
        let date = self.date;
        let (absence, entry, exit) =
            (format!("{date}/absence"), format!("{date}/entry"), format!("{date}/exit"));
        let mut day = day_attendance(date, self.seen);
        let mut writes = Vec::new();
        match mark {
            Mark::Absent => {
                day.record_absence().map_err(not_allowed)?;
                writes.push(self.put(absence, self.fact().with("slot", self.slot)));
                self.annul(&entry, "absent", &mut writes);
                self.annul(&exit, "absent", &mut writes);
            }
            Mark::Present { why } => {
                self.annul(&absence, why, &mut writes);
                self.annul(&entry, why, &mut writes);
            }
            Mark::Entry(time) => {
                day.record_entry(*time, bounds).map_err(not_allowed)?;
                writes.push(self.put(entry, self.fact().with("slot", self.slot).with("time", *time)));
                self.annul(&absence, "entry", &mut writes);
            }
            Mark::Exit { time, collected_by } => {
                day.record_exit(*time, bounds).map_err(not_allowed)?;
                let fact = self.fact().with("slot", self.slot).with("time", *time);
                writes.push(self.put(exit, fact.with_some("collected_by", collected_by.as_deref())));
                self.annul(&absence, "exit", &mut writes);
            }
            Mark::Out { kind, from, to } => {
                let out = OutOfClass { kind: *kind, from: *from, to: *to };
                day.record_out(out).map_err(not_allowed)?;
                let hex: String = self.hex.iter().map(|byte| format!("{byte:02x}")).collect();
                let fact = self.fact().with("slot", self.slot).with("kind", kind.as_str());
                let fact = fact.with_some("from", *from).with_some("to", *to);
                writes.push(self.put(format!("{date}/out/{hex}"), fact));
                self.annul(&absence, "out of class", &mut writes);
                if out.is_full_day() {
                    self.annul(&entry, "out of class", &mut writes);
                    self.annul(&exit, "out of class", &mut writes);
                }
            }
        }
        Ok(writes)
    }

    fn mark_slot(&self, mark: &Mark, bounds: DayBounds) -> Result<Vec<DraftWrite>, Error> {
        let state = |slot: u8, status: SlotStatus| {
            (format!("{}#{slot}", self.date), self.fact().with("status", status.as_str()))
        };
        let holding = |time: ClockTime| {
            self.slots.iter().rfind(|slot| slot.start <= time).map_or(self.slot, |slot| slot.position)
        };
        let mut writes = Vec::new();
        let mut put = |(key, fact): (String, Fact)| writes.push(self.put(key, fact));
        match mark {
            Mark::Absent => put(state(self.slot, SlotStatus::Absent)),
            Mark::Present { .. } => put(state(self.slot, SlotStatus::Present)),
            Mark::Entry(time) => {
                if *time <= bounds.start || *time > bounds.end {
                    return Err(not_allowed(NotAllowed::EntryTime));
                }
                let (key, fact) = state(holding(*time), SlotStatus::Present);
                put((key, fact.with("entry", *time)));
            }
            Mark::Exit { time, .. } => {
                if *time < bounds.start || *time >= bounds.end {
                    return Err(not_allowed(NotAllowed::ExitTime));
                }
                let slot = holding(*time);
                // Who leaves at the start of a slot is absent in it.
                if self.slots.iter().any(|bell| bell.position == slot && bell.start == *time) {
                    put(state(slot, SlotStatus::Absent));
                } else {
                    let (key, fact) = state(slot, SlotStatus::Present);
                    put((key, fact.with("exit", *time)));
                }
            }
            Mark::Out { kind, from, to } => {
                for bell in self.slots {
                    let after = from.is_none_or(|from| from < bell.end);
                    let before = to.is_none_or(|to| to > bell.start);
                    if after && before {
                        let (key, fact) = state(bell.position, SlotStatus::Out);
                        put((key, fact.with("kind", kind.as_str())));
                    }
                }
            }
        }
        Ok(writes)
    }
}

/// What a fact says, for lists of conflicts.
pub(crate) fn describe(fact: &Fact) -> String {
    let mut words: Vec<String> = Vec::new();
    if fact.is_annulled() {
        words.push("annulled".to_owned());
    }
    for name in ["status", "time", "entry", "exit", "from", "to", "kind", "topic"] {
        if let Some(Scalar::Text(text)) = fact.scalar(name) {
            words.push(format!("{name} {text}"));
        }
    }
    if words.is_empty() { "absent".to_owned() } else { words.join(", ") }
}
