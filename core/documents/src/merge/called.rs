//! "Called present": a roll said, by silence, that a pupil was there whom another device had already entered as
//! absent. A report for staff, who hold roll and record; not a merge: the record decides.

use registro_model::{CommandId, Date, PersonId};

use super::Shown;
use crate::certificate::CertificateId;
use crate::fact::Fact;

/// A roll, as its fact in `ClassMonth` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roll {
    /// The day.
    pub date: Date,
    /// The slot.
    pub slot: u8,
    /// Who called it.
    pub author: PersonId,
    /// On which device.
    pub device: Option<CertificateId>,
    /// The command.
    pub v: CommandId,
    /// Position in the hub's log up to which its author's device had seen, 0 if it was written blind or the hub says
    /// that the chain is not its own.
    pub seen: u64,
    /// Unconfirmed commands that the device held.
    pub held: Vec<CommandId>,
}

impl Roll {
    /// Reads a roll's fact under its key `2026-11-23#1/<person>`. A `seen` of another chain than the hub's counts as
    /// 0: the hub's record says so. What is not accepted yet stands as its author's own device wrote it.
    pub fn read(key: &str, shown: &Shown) -> Option<Self> {
        let (day, author) = key.split_once('/')?;
        let (date, slot) = day.split_once('#')?;
        let seen = Seen::of(&shown.fact)?;
        let lost = shown.provenance.accepted.is_some_and(|record| record.seen_is_lost);
        Some(Self {
            date: registro_model::time::parse_date(date).ok()?,
            slot: slot.parse().ok()?,
            author: author.parse().ok()?,
            device: shown.provenance.device,
            v: shown.fact.v,
            seen: if lost { 0 } else { seen.position },
            held: seen.commands,
        })
    }
}

/// What a roll states that its author's device had seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen<'a> {
    /// Position in the hub's log; 0 if the roll was written blind.
    pub position: u64,
    /// The chain there.
    pub chain: &'a [u8],
    /// Unconfirmed commands that the device held.
    pub commands: Vec<CommandId>,
}

impl<'a> Seen<'a> {
    /// Reads it from a roll's fact.
    pub fn of(roll: &'a Fact) -> Option<Self> {
        use crate::fact::Scalar::{Bytes, Int};
        let map = roll.map("seen")?;
        match (map.get("position")?, map.get("chain")?, map.get("commands")?) {
            (Int(position), Bytes(chain), Bytes(commands)) => Some(Self {
                position: u64::try_from(*position).ok()?,
                chain,
                commands: commands.chunks_exact(8).filter_map(|id| CommandId::try_from(id).ok()).collect(),
            }),
            _ => None,
        }
    }
}

/// A pupil entered as absent whom a roll called present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalledPresent {
    /// The pupil.
    pub pupil: PersonId,
    /// The roll's day.
    pub date: Date,
    /// The roll's slot.
    pub slot: u8,
    /// Who called it.
    pub author: PersonId,
    /// The roll's command, which a settling fact names.
    pub roll: CommandId,
}

/// A pupil who joined the class after the roll's author had last heard of it: "not called", never present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotCalled {
    /// The pupil.
    pub pupil: PersonId,
}

/// Whether the pupil's enrolment in the class (a fact of the class's roster) was accepted after the roll's author had
/// last heard of the register: the roll's silence then says nothing of the pupil.
pub fn not_called(roll: &Roll, pupil: PersonId, enrolment: &Shown) -> Option<NotCalled> {
    let unseen = match enrolment.provenance.accepted {
        Some(record) => record.position > roll.seen && !roll.held.contains(&enrolment.fact.v),
        None => !roll.held.contains(&enrolment.fact.v),
    };
    unseen.then_some(NotCalled { pupil })
}

/// Whether a roll called the pupil present against the absence that shows.
///
/// `wrote` says whether the roll's own command ever wrote a fact of this pupil on that day (it then said so
/// itself); `later` the slots of the pupil's other live facts that day.
pub fn called_present(
    roll: &Roll,
    pupil: PersonId,
    absence: &Shown,
    wrote: impl FnOnce() -> bool,
    later: &[u8],
) -> Option<CalledPresent> {
    let slot = absence.fact.slot()?;
    let provenance = &absence.provenance;
    let position = provenance.accepted?.position;
    let settled = absence
        .fact
        .bytes("settles")
        .is_some_and(|rolls| rolls.chunks_exact(8).any(|roll_id| roll_id == roll.v.as_bytes()));
    let unseen = position > roll.seen && !roll.held.contains(&absence.fact.v);
    let other_device = provenance.device != roll.device || roll.device.is_none();
    let explained = later.iter().any(|fact_slot| *fact_slot >= slot);
    let contradicts = slot <= roll.slot && unseen && other_device && !explained && !settled;
    (contradicts && !wrote()).then_some(CalledPresent {
        pupil,
        date: roll.date,
        slot: roll.slot,
        author: roll.author,
        roll: roll.v,
    })
}
