//! A pupil's day as an author changes it: marks one after the other, each on what the marks before it left, then
//! all of them as writes. The rules that an author's own screen guards (A1, A2, A5) are applied here.

use std::collections::BTreeMap;

use registro_documents::Fact;
use registro_documents::fact::RESOLVES;
use registro_documents::merge::KeyDecision;
use registro_model::attendance::day::DayBounds;
use registro_model::attendance::{DayAttendance, NotAllowed, OutKind, OutOfClass, SlotDay, SlotStatus};
use registro_model::school::{AttendanceMode, BellSlot};
use registro_model::{Capacity, ClockTime, CommandId, Date, DocumentId};
use registro_sync::device::DraftWrite;

use super::{day_attendance, slot_states};
use crate::error::Error;

/// An entry in a pupil's day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mark {
    Absent,
    Present { why: String },
    Entry(ClockTime),
    Exit { time: ClockTime, collected_by: Option<String> },
    Out { kind: OutKind, from: Option<ClockTime>, to: Option<ClockTime> },
    Annul { key: String, why: String },
}

/// What is the same for all pupils of one act.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page<'a> {
    pub id: CommandId,
    pub capacity: Capacity,
    pub date: Date,
    pub slot: u8,
    pub mode: AttendanceMode,
    pub bells: &'a [BellSlot],
}

/// A pupil's line of an act.
pub(crate) struct PupilPage<'a> {
    page: Page<'a>,
    document: DocumentId,
    /// What the author sees of the day.
    seen: &'a BTreeMap<String, KeyDecision>,
    /// Live facts as they stand after the marks so far.
    live: BTreeMap<String, Fact>,
    day: DayAttendance,
    slots: SlotDay<'a>,
    /// One version per key, however many marks touched it.
    writes: BTreeMap<String, Fact>,
}

fn not_allowed(reason: NotAllowed) -> Error {
    let italian = match reason {
        NotAllowed::NoLessons => "In questa data o in quest'ora non c'è lezione.",
        NotAllowed::EntryTime => "L'entrata è dopo l'inizio della prima ora e non oltre la fine dell'ultima.",
        NotAllowed::ExitTime => {
            "L'uscita non è prima dell'inizio della prima ora ed è prima della fine dell'ultima."
        }
        NotAllowed::OutOfClass => "Chi è fuori classe per la scuola non si segna assente.",
        NotAllowed::OutTime => "Il fuori classe sta tra l'entrata e l'uscita.",
    };
    Error::rule(italian, &reason.to_string())
}

/// The author must see both values and choose before anybody writes over them.
pub(crate) fn in_conflict() -> Error {
    Error::rule(
        "Su questo dato ci sono registrazioni diverse: scegli prima quale vale, tra i conflitti della classe.",
        "There are different entries for this: first choose which one holds, among the class's conflicts.",
    )
}

impl<'a> PupilPage<'a> {
    pub fn new(page: Page<'a>, document: DocumentId, seen: &'a BTreeMap<String, KeyDecision>) -> Self {
        let live = seen
            .iter()
            .filter_map(|(key, decision)| Some((key.clone(), decision.live()?.fact.clone())))
            .collect();
        Self {
            page,
            document,
            seen,
            live,
            day: day_attendance(page.date, seen),
            slots: SlotDay::new(page.bells, slot_states(page.date, seen)),
            writes: BTreeMap::new(),
        }
    }

    /// Applies a mark. `hex` is the random part of a key, for what is many.
    pub fn mark(&mut self, mark: &Mark, hex: [u8; 8]) -> Result<(), Error> {
        let (Some(first), Some(last)) = (self.page.bells.first(), self.page.bells.last()) else {
            return Err(not_allowed(NotAllowed::NoLessons));
        };
        if !self.page.bells.iter().any(|bell| bell.position == self.page.slot) {
            return Err(not_allowed(NotAllowed::NoLessons));
        }
        if let Mark::Annul { key, why } = mark {
            if !self.live.contains_key(key) {
                return Err(Error::not_found("fact"));
            }
            return self.annul(key, why);
        }
        match self.page.mode {
            AttendanceMode::Day => self.mark_day(mark, DayBounds { start: first.start, end: last.end }, hex),
            AttendanceMode::Slot => self.mark_slot(mark),
        }
    }

    /// What is to be written, in the order of the keys.
    pub fn into_writes(self) -> impl Iterator<Item = DraftWrite> {
        let document = self.document;
        self.writes.into_iter().map(move |(key, fact)| DraftWrite {
            document,
            section: "attendance",
            key,
            fact,
        })
    }

    /// A version to put under a key: what stands there is copied, with fields that this version does not know, and
    /// corrected by the caller.
    fn version_of(&self, key: &str) -> Fact {
        let mut fact = Fact::new(self.page.id, self.page.capacity);
        if let Some(live) = self.live.get(key) {
            fact.fields = live.fields.clone();
            fact.fields.remove(RESOLVES);
        }
        fact
    }

    fn guard(&self, key: &str) -> Result<(), Error> {
        if self.seen.get(key).is_some_and(|decision| decision.conflict) { Err(in_conflict()) } else { Ok(()) }
    }

    fn put(&mut self, key: String, fact: Fact) -> Result<(), Error> {
        self.guard(&key)?;
        self.live.insert(key.clone(), fact.clone());
        self.writes.insert(key, fact);
        Ok(())
    }

    /// Annuls a live fact, if there is one, because what is written excludes it.
    fn annul(&mut self, key: &str, why: &str) -> Result<(), Error> {
        if self.live.remove(key).is_none() {
            return Ok(());
        }
        self.guard(key)?;
        match self.seen.get(key).and_then(KeyDecision::live) {
            Some(shown) => {
                let annulled = shown.fact.annulled_by(self.page.id, self.page.capacity, why);
                self.writes.insert(key.to_owned(), annulled);
            }
            // Written by a mark before this one of the same act.
            None => {
                self.writes.remove(key);
            }
        }
        Ok(())
    }

    fn mark_day(&mut self, mark: &Mark, bounds: DayBounds, hex: [u8; 8]) -> Result<(), Error> {
        let Page { date, slot, .. } = self.page;
        let (absence, entry, exit) =
            (format!("{date}/absence"), format!("{date}/entry"), format!("{date}/exit"));
        match mark {
            Mark::Absent => {
                self.day.record_absence().map_err(not_allowed)?;
                let fact = self.version_of(&absence).with("slot", slot);
                self.put(absence, fact)?;
                self.annul(&entry, "absent")?;
                self.annul(&exit, "absent")
            }
            Mark::Present { why } => {
                self.day.absent = false;
                self.day.entry = None;
                self.annul(&absence, why)?;
                self.annul(&entry, why)
            }
            Mark::Entry(time) => {
                self.day.record_entry(*time, bounds).map_err(not_allowed)?;
                let fact = self.version_of(&entry).with("slot", slot).with("time", *time);
                self.put(entry, fact)?;
                self.annul(&absence, "entry")
            }
            Mark::Exit { time, collected_by } => {
                self.day.record_exit(*time, bounds).map_err(not_allowed)?;
                let fact = self.version_of(&exit).with("slot", slot).with("time", *time);
                self.put(exit, fact.with_some("collected_by", collected_by.as_deref()))?;
                self.annul(&absence, "exit")
            }
            Mark::Out { kind, from, to } => {
                let out = OutOfClass { kind: *kind, from: *from, to: *to };
                self.day.record_out(out).map_err(not_allowed)?;
                let hex: String = hex.iter().map(|byte| format!("{byte:02x}")).collect();
                let fact = Fact::new(self.page.id, self.page.capacity)
                    .with("slot", slot)
                    .with("kind", kind.as_str())
                    .with_some("from", *from)
                    .with_some("to", *to);
                self.put(format!("{date}/out/{hex}"), fact)?;
                self.annul(&absence, "out of class")?;
                if out.is_full_day() {
                    self.annul(&entry, "out of class")?;
                    self.annul(&exit, "out of class")?;
                }
                Ok(())
            }
            Mark::Annul { .. } => Ok(()),
        }
    }

    fn mark_slot(&mut self, mark: &Mark) -> Result<(), Error> {
        let slot = self.page.slot;
        match mark {
            Mark::Absent => {
                let slot = self.slots.record_absence(slot).map_err(not_allowed)?;
                self.put_slot(slot, |fact| fact)
            }
            Mark::Present { why } => {
                let before = self.slots.states().get(&slot).copied();
                let slot = self.slots.record_presence(slot).map_err(not_allowed)?;
                if self.slots.states().get(&slot) == before.as_ref() {
                    return Ok(());
                }
                let why = Some(why.as_str()).filter(|why| !why.is_empty());
                self.put_slot(slot, |fact| fact.with_some("why", why))
            }
            Mark::Entry(time) => {
                let slot = self.slots.record_entry(*time).map_err(not_allowed)?;
                self.put_slot(slot, |fact| fact)
            }
            Mark::Exit { time, collected_by } => {
                let slot = self.slots.record_exit(*time).map_err(not_allowed)?;
                self.put_slot(slot, |fact| fact.with_some("collected_by", collected_by.as_deref()))
            }
            Mark::Out { kind, from, to } => {
                let out = OutOfClass { kind: *kind, from: *from, to: *to };
                for slot in self.slots.record_out(out).map_err(not_allowed)? {
                    self.put_slot(slot, |fact| {
                        fact.with("kind", kind.as_str()).with_some("from", *from).with_some("to", *to)
                    })?;
                }
                Ok(())
            }
            Mark::Annul { .. } => Ok(()),
        }
    }

    /// Writes a slot as its state now is. What the fact said before stays, except what its new state excludes.
    fn put_slot(&mut self, slot: u8, more: impl FnOnce(Fact) -> Fact) -> Result<(), Error> {
        let Some(state) = self.slots.states().get(&slot).copied() else { return Ok(()) };
        let key = format!("{}#{slot}", self.page.date);
        let mut fact = self.version_of(&key);
        let out = state.status == SlotStatus::Out;
        let gone = [
            ("why", true),
            ("entry", true),
            ("exit", true),
            ("from", true),
            ("to", true),
            ("kind", !out),
            ("collected_by", state.exit.is_none()),
            ("settles", state.status != SlotStatus::Absent),
        ];
        for (field, _) in gone.iter().filter(|(_, gone)| *gone) {
            fact.fields.remove(*field);
        }
        let fact = fact
            .with("status", state.status.as_str())
            .with_some("entry", state.entry)
            .with_some("exit", state.exit);
        self.put(key, more(fact))
    }
}
