//! What people do on their devices: rolls, entries and exits, lessons, justifications, decisions, and what they
//! have no right to.

use registro_documents::{DocumentIdentity, Fact, Kind, Scalar, Subject};
use registro_hub::Hub;
use registro_model::school::AttendanceMode;
use registro_model::{Capacity, ClockTime, CommandId, DocumentId, PersonId};
use registro_sync::device::{Draft, DraftWrite};

use super::{Tablet, Violation, broken};
use crate::miniature::{GUARDIAN_OF_MOVED, MOVED, P1, P2, class};

/// Something that a person writes. Numbers are taken modulo what there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// An entry in a pupil's day: 0 absence, 1 entry, 2 exit, 3 out of class, 4 annuls what is seen.
    Mark {
        /// Which pupil.
        pupil: u8,
        /// Which day.
        day: u8,
        /// What.
        what: u8,
        /// Minutes after the start of the day, where there is a time.
        minute: u8,
    },
    /// A roll: the pupils of the bits are absent.
    Roll {
        /// Which day.
        day: u8,
        /// Which slot.
        slot: u8,
        /// Bits of the absent pupils.
        absent: u8,
    },
    /// A signature and a topic.
    Lesson {
        /// Which day.
        day: u8,
        /// Which slot.
        slot: u8,
        /// Which topic.
        topic: u8,
    },
    /// A justification, by a guardian or by anybody who has no right to.
    Justify {
        /// Which pupil.
        pupil: u8,
        /// Which day.
        day: u8,
    },
    /// A decision about the justifications of a pupil that the device sees.
    Decide {
        /// Which pupil.
        pupil: u8,
        /// Which of the justifications.
        which: u8,
        /// Approved or rejected.
        approved: bool,
    },
    /// A conflict in a pupil's record that the device sees: the one or the other value is written over both.
    Resolve {
        /// Which pupil.
        pupil: u8,
        /// Which of the conflicts, and which value.
        which: u8,
    },
    /// An absence is confirmed against a roll that had called the pupil present.
    Settle {
        /// Which pupil.
        pupil: u8,
        /// Which of the rolls.
        which: u8,
    },
    /// The same as a mark, in a capacity that is not the author's.
    Overreach {
        /// Which pupil.
        pupil: u8,
        /// Which day.
        day: u8,
        /// Which capacity.
        capacity: u8,
    },
}

const PUPILS: [PersonId; 3] = [P1, P2, MOVED];
/// Last Friday, today, tomorrow, and a day that is too far away.
const DAYS: [&str; 4] = ["2026-11-20", "2026-11-23", "2026-11-24", "2026-11-30"];

fn pick<T: Copy>(list: &[T], number: u8) -> Option<T> {
    list.get(usize::from(number) % list.len()).copied()
}

fn time(minute: u8) -> Result<ClockTime, Violation> {
    ClockTime::from_minutes(8 * 60 + 20 + u16::from(minute)).ok_or_else(|| "a time".to_owned())
}

impl Act {
    /// Writes on the device what this act says.
    pub fn play(&self, tablet: &mut Tablet, hub: &Hub) -> Result<(), Violation> {
        let id = tablet.device()?.draw_command();
        let (capacity, writes) = self.writes(tablet, hub, id)?;
        if writes.is_empty() {
            return Ok(());
        }
        let draft = Draft { id, capacity, writes };
        tablet.device()?.give(draft).map_err(|e| broken("a command cannot be given")(&e))?;
        tablet.given.insert(id, true);
        Ok(())
    }

    /// What a person of that capacity does instead: a guardian mostly justifies, and mostly their own child.
    fn fitting(self, person: PersonId, capacity: Capacity) -> Self {
        let child = if person == GUARDIAN_OF_MOVED { 2 } else { 0 };
        match self {
            Self::Mark { day, minute, .. } if capacity == Capacity::Guardian && minute > 0 => {
                Self::Justify { pupil: child, day }
            }
            Self::Roll { day, .. } | Self::Lesson { day, .. } if capacity == Capacity::Guardian => {
                Self::Justify { pupil: child, day }
            }
            Self::Decide { which, .. } if capacity == Capacity::Guardian => {
                Self::Justify { pupil: child, day: which }
            }
            // A substitute decides nothing and a teacher justifies nobody; now and then somebody tries.
            Self::Decide { pupil, which, approved: true } if capacity == Capacity::Substitute => {
                Self::Mark { pupil, day: 1, what: which, minute: 0 }
            }
            Self::Justify { pupil: pupil @ 1.., day } if capacity == Capacity::Lesson => {
                Self::Mark { pupil, day, what: 1, minute: 10 }
            }
            other => other,
        }
    }

    fn writes(
        &self,
        tablet: &mut Tablet,
        hub: &Hub,
        id: CommandId,
    ) -> Result<(Capacity, Vec<DraftWrite>), Violation> {
        let own = tablet.capacity;
        let mut pen = Pen { tablet, hub, id, capacity: own };
        let day = |number| pick(&DAYS, number).unwrap_or(DAYS[1]);
        let writes = match self.fitting(pen.tablet.person, own) {
            Self::Mark { pupil, day: date, what, minute } => pen.mark(pupil, day(date), what, minute)?,
            Self::Roll { day: date, slot, absent } => pen.roll(day(date), slot % 5 + 1, absent)?,
            Self::Lesson { day: date, slot, topic } => pen.lesson(day(date), slot % 5 + 1, topic)?,
            Self::Justify { pupil, day: date } => pen.justify(pupil, day(date))?,
            Self::Decide { pupil, which, approved } => pen.decide(pupil, which, approved)?,
            Self::Resolve { pupil, which } => pen.resolve(pupil, which)?,
            Self::Settle { pupil, which } => pen.settle(pupil, which)?,
            Self::Overreach { pupil, day: date, capacity } => {
                let all = [Capacity::Lesson, Capacity::Guardian, Capacity::Office, Capacity::Council];
                pen.capacity = pick(&all, capacity).unwrap_or(own);
                pen.mark(pupil, day(date), 0, 0)?
            }
        };
        Ok((pen.capacity, writes))
    }
}

struct Pen<'a> {
    tablet: &'a mut Tablet,
    hub: &'a Hub,
    id: CommandId,
    capacity: Capacity,
}

impl Pen<'_> {
    fn fact(&self) -> Fact {
        Fact::new(self.id, self.capacity)
    }

    /// A document by what it is about; a device that may not read it writes blind.
    fn document(&mut self, kind: Kind, subject: Subject) -> Result<DocumentId, Violation> {
        let id = self.hub.find(kind, &subject).map_err(|e| broken("the hub")(&e))?;
        let id = id.ok_or_else(|| "a document of the school is missing".to_owned())?;
        let year = "2026/2027".to_owned();
        let identity = DocumentIdentity { id, kind, subject, year, generation: 0 };
        self.tablet.device()?.know(identity).map_err(|e| broken("a device")(&e))?;
        Ok(id)
    }

    fn record(&mut self, pupil: u8) -> Result<DocumentId, Violation> {
        let pupil = pick(&PUPILS, pupil).unwrap_or(P1);
        self.document(Kind::PupilRecord, Subject::Person(pupil))
    }

    fn month(&mut self) -> Result<DocumentId, Violation> {
        self.document(Kind::ClassMonth, Subject::Month(class("3A"), "2026-11".to_owned()))
    }

    fn hex(&mut self) -> Result<String, Violation> {
        let bytes: [u8; 8] = self.tablet.device()?.draw();
        Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    fn put(document: DocumentId, section: &'static str, key: String, fact: Fact) -> DraftWrite {
        DraftWrite { document, section, key, fact }
    }

    /// Annuls what the device sees under these keys, as a fact that excludes them does.
    fn annul(
        &mut self,
        document: DocumentId,
        keys: &[String],
        writes: &mut Vec<DraftWrite>,
    ) -> Result<(), Violation> {
        for key in keys {
            let held = self.tablet.device()?.held(document).map_err(|e| broken("a document")(&e))?;
            let decision = registro_documents::view::decide(held.document(), "attendance", key, held);
            if let Some(shown) = decision.as_ref().and_then(registro_documents::merge::KeyDecision::live) {
                let fact = shown.fact.annulled_by(self.id, self.capacity, "excluded");
                writes.push(Self::put(document, "attendance", key.clone(), fact));
            }
        }
        Ok(())
    }

    fn mark(&mut self, pupil: u8, date: &str, what: u8, minute: u8) -> Result<Vec<DraftWrite>, Violation> {
        if self.tablet.mode == AttendanceMode::Slot {
            return self.mark_slot(pupil, date, what, minute);
        }
        let document = self.record(pupil)?;
        let key = |name: &str| format!("{date}/{name}");
        let (absence, entry, exit) = (key("absence"), key("entry"), key("exit"));
        let mut writes = Vec::new();
        let put = |key: String, fact: Fact| Self::put(document, "attendance", key, fact);
        match what % 5 {
            0 => {
                writes.push(put(absence, self.fact().with("slot", 1u8)));
                self.annul(document, &[entry, exit], &mut writes)?;
            }
            1 => {
                writes.push(put(entry, self.fact().with("slot", 1u8).with("time", time(minute % 60)?)));
                self.annul(document, &[absence], &mut writes)?;
            }
            2 => {
                let fact = self.fact().with("slot", 4u8).with("time", time(180 + minute % 60)?);
                writes.push(put(exit, fact));
                self.annul(document, &[absence], &mut writes)?;
            }
            3 => {
                let hex = self.hex()?;
                let fact = self.fact().with("slot", 1u8).with("kind", "in-school");
                writes.push(put(key(&format!("out/{hex}")), fact));
                self.annul(document, &[absence, entry, exit], &mut writes)?;
            }
            _ => self.annul(document, &[absence, entry, exit], &mut writes)?,
        }
        Ok(writes)
    }

    /// The same in a school that keeps attendance per hour: one fact says it all.
    fn mark_slot(
        &mut self,
        pupil: u8,
        date: &str,
        what: u8,
        minute: u8,
    ) -> Result<Vec<DraftWrite>, Violation> {
        let document = self.record(pupil)?;
        let key = format!("{date}#{}", minute / 10 % 2 + 1);
        let fact = match what % 5 {
            0 => self.fact().with("status", "absent"),
            1 => self.fact().with("status", "present").with("entry", time(minute % 60)?),
            2 => self.fact().with("status", "present").with("exit", time(minute % 60)?),
            3 => self.fact().with("status", "out"),
            _ => {
                let mut writes = Vec::new();
                self.annul(document, &[key], &mut writes)?;
                return Ok(writes);
            }
        };
        Ok(vec![Self::put(document, "attendance", key, fact)])
    }

    fn resolve(&mut self, pupil: u8, which: u8) -> Result<Vec<DraftWrite>, Violation> {
        let document = self.record(pupil)?;
        let held = self.tablet.device()?.held(document).map_err(|e| broken("a document")(&e))?;
        let mut conflicts = Vec::new();
        for key in held.document().keys("attendance") {
            let decision = registro_documents::view::decide(held.document(), "attendance", &key, held);
            conflicts.extend(decision.filter(|decision| decision.conflict).map(|decision| (key, decision)));
        }
        let Some((key, decision)) = conflicts.get(usize::from(which) % conflicts.len().max(1)) else {
            return Ok(Vec::new());
        };
        let values: Vec<_> = decision.live_values().map(|shown| shown.fact.clone()).collect();
        let Some(value) = values.get(usize::from(which / 2) % values.len().max(1)) else {
            return Ok(Vec::new());
        };
        let (key, fact) = (key.clone(), self.again(value));
        Ok(vec![Self::put(document, "attendance", key, fact)])
    }

    fn settle(&mut self, pupil: u8, which: u8) -> Result<Vec<DraftWrite>, Violation> {
        let (document, month) = (self.record(pupil)?, self.month()?);
        let held = self.tablet.device()?.held(month).map_err(|e| broken("a document")(&e))?;
        let rolls: Vec<_> = held
            .document()
            .keys("rolls")
            .into_iter()
            .flat_map(|key| {
                held.document().versions("rolls", &key).into_iter().map(move |v| (key.clone(), v))
            })
            .collect();
        let Some((roll_key, roll)) = rolls.get(usize::from(which) % rolls.len().max(1)) else {
            return Ok(Vec::new());
        };
        let key = match self.tablet.mode {
            AttendanceMode::Day => format!("{}/absence", roll_key.split('#').next().unwrap_or_default()),
            AttendanceMode::Slot => roll_key.split('/').next().unwrap_or_default().to_owned(),
        };
        let settled = roll.fact.v.as_bytes().to_vec();
        let held = self.tablet.device()?.held(document).map_err(|e| broken("a document")(&e))?;
        let decision = registro_documents::view::decide(held.document(), "attendance", &key, held);
        let Some(shown) = decision.as_ref().and_then(registro_documents::merge::KeyDecision::live) else {
            return Ok(Vec::new());
        };
        let fact = self.again(&shown.fact).with("settles", settled);
        Ok(vec![Self::put(document, "attendance", key, fact)])
    }

    /// A fact written again by this command.
    fn again(&self, fact: &Fact) -> Fact {
        let mut fact = fact.clone();
        fact.v = self.id;
        fact.capacity = self.capacity;
        fact.fields.remove(registro_documents::fact::RESOLVES);
        fact
    }

    fn roll(&mut self, date: &str, slot: u8, absent: u8) -> Result<Vec<DraftWrite>, Violation> {
        let month = self.month()?;
        let person = self.tablet.person;
        let device = self.tablet.device()?;
        let seen =
            if device.is_blind(month) { registro_sync::Cursor::default() } else { device.state().cursor };
        let held: Vec<u8> =
            device.pending().iter().rev().take(64).flat_map(|entry| entry.command.id.0).collect();
        let fact = self.fact().with_map(
            "seen",
            [
                ("position".to_owned(), Scalar::Int(i64::try_from(seen.position).unwrap_or(i64::MAX))),
                ("chain".to_owned(), Scalar::Bytes(seen.chain.to_vec())),
                ("commands".to_owned(), Scalar::Bytes(held)),
            ],
        );
        let mut writes = vec![Self::put(month, "rolls", format!("{date}#{slot}/{person}"), fact)];
        for pupil in (0..PUPILS.len() as u8).filter(|pupil| absent & (1 << pupil) != 0) {
            writes.extend(self.mark(pupil, date, 0, 0)?);
        }
        Ok(writes)
    }

    fn lesson(&mut self, date: &str, slot: u8, topic: u8) -> Result<Vec<DraftWrite>, Violation> {
        let month = self.month()?;
        let key = format!("{date}#{slot}/{}", self.tablet.person);
        let kind = if self.capacity == Capacity::Substitute { "substitution" } else { "lesson" };
        let lesson = self.fact().with("subject", "ITA").with("kind", kind);
        let topic = self.fact().with("topic", format!("Argomento {topic}"));
        Ok(vec![Self::put(month, "lessons", key.clone(), lesson), Self::put(month, "topics", key, topic)])
    }

    fn justify(&mut self, pupil: u8, date: &str) -> Result<Vec<DraftWrite>, Violation> {
        let document = self.record(pupil)?;
        let key = format!("absence/{date}/{}", self.hex()?);
        let fact = self.fact().with("to", date).with("reason", "health");
        Ok(vec![Self::put(document, "justifications", key, fact)])
    }

    fn decide(&mut self, pupil: u8, which: u8, approved: bool) -> Result<Vec<DraftWrite>, Violation> {
        let document = self.record(pupil)?;
        let held = self.tablet.device()?.held(document).map_err(|e| broken("a document")(&e))?;
        let keys = held.document().keys("justifications");
        let Some(key) = keys.get(usize::from(which) % keys.len().max(1)) else { return Ok(Vec::new()) };
        let decision = registro_documents::view::decide(held.document(), "justifications", key, held);
        let Some(shown) = decision.map(|decision| decision.shown) else { return Ok(Vec::new()) };
        let date = key.split('/').nth(1).unwrap_or(DAYS[1]).to_owned();
        let fact = self
            .fact()
            .with("kind", "absence")
            .with("reason", "health")
            .with("of", shown.fact.v)
            .with("key", key.as_str())
            .with("from", date.as_str())
            .with("to", date)
            .with("approved", approved);
        Ok(vec![Self::put(document, "decisions", self.hex()?, fact)])
    }
}
