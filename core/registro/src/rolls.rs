//! Rolls (*appelli*) of a class and day: who called, and whom a roll's silence says nothing about.

use std::collections::BTreeSet;

use registro_documents::merge::{Roll, Shown, not_called};
use registro_model::{ClassCode, Date, DocumentId};
use registro_sync::device::Device;

use crate::error::Error;
use crate::read::{self, month_of};
use crate::record::Record;

/// A roll with its key and where it comes from.
pub(crate) struct Called {
    pub key: String,
    pub roll: Roll,
    pub shown: Shown,
    /// Whether it is the one that shows of its author's rolls of the hour.
    pub shows: bool,
}

impl Called {
    /// Position up to which its author had heard of the class. A roll that was written blind names none: its author
    /// held the class's list all the same, at the latest as it was when the hub received the roll.
    fn heard(&self) -> u64 {
        let received = self.shown.provenance.accepted.map_or(u64::MAX, |record| record.position);
        if self.roll.seen == 0 { received } else { self.roll.seen }
    }

    /// Whether a pupil joined the class after its author had last heard of it: "not called", never present.
    pub fn misses(&self, device: &mut Device, record: &Record) -> Result<bool, Error> {
        // Almost nobody joins during the year: the document is read only for those who may have.
        let stands = record.profile_on("class", self.roll.date);
        let position = stands.and_then(|(_, shown)| shown.provenance.accepted).map(|record| record.position);
        if position.is_none_or(|position| position <= self.heard()) {
            return Ok(false);
        }
        let Some((mut enrolment, first)) = record.enrolled_at(device, self.roll.date)? else {
            return Ok(false);
        };
        if let Some(accepted) = &mut enrolment.provenance.accepted {
            accepted.position = first;
        }
        let roll = Roll { seen: self.heard(), ..self.roll.clone() };
        Ok(not_called(&roll, record.pupil, &enrolment).is_some())
    }

    /// Whether it may miss a pupil whose enrolment stands at a position: a quick test before [`Called::misses`].
    pub fn may_miss(&self, enrolled_at: u64) -> bool {
        enrolled_at > self.heard()
    }
}

/// The live rolls of a class's month on a day.
pub(crate) fn rolls(device: &Device, month: DocumentId, date: Date) -> Result<Vec<Called>, Error> {
    let prefix = format!("{date}#");
    let part = device.part(month, &format!("rolls/{}", month_of(date)))?;
    let mut rolls = Vec::new();
    for (key, decision) in part.keys.iter().filter(|(key, _)| key.starts_with(&prefix)) {
        for (index, shown) in decision.live_values().enumerate() {
            if let Some(roll) = Roll::read(key, shown) {
                rolls.push(Called { key: key.clone(), roll, shown: shown.clone(), shows: index == 0 });
            }
        }
    }
    rolls.sort_by_key(|called| (called.roll.slot, called.roll.author));
    Ok(rolls)
}

/// The slots of a day in which some roll of the class called a pupil: there, silence means present.
///
/// # Errors
/// `NotFound` if the class's month has not been fetched yet.
pub(crate) fn slots_that_called(
    device: &mut Device,
    class: &ClassCode,
    date: Date,
    record: &Record,
) -> Result<BTreeSet<u8>, Error> {
    let month = match read::month(device, class, date) {
        read::Held::Here(month) => month,
        read::Held::Wanted => return Err(Error::not_found("month")),
        read::Held::Unreadable => return Ok(BTreeSet::new()),
    };
    let mut slots = BTreeSet::new();
    for called in rolls(device, month, date)? {
        if !slots.contains(&called.roll.slot) && !called.misses(device, record)? {
            slots.insert(called.roll.slot);
        }
    }
    Ok(slots)
}
