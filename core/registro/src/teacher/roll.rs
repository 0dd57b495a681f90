//! Calling the roll (*appello*).

use registro_documents::{Fact, Scalar};
use registro_model::{ClassCode, ClockTime, CommandId, Date, PersonId};
use registro_sync::device::{Draft, DraftWrite};

use super::Teacher;
use crate::attendance::Mark;
use crate::error::Error;
use crate::read;

/// A roll: who is not there, or not on time. Everybody else is present.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RollCall {
    /// Absent pupils.
    pub absent: Vec<PersonId>,
    /// Pupils who came late, with the time.
    pub late: Vec<(PersonId, ClockTime)>,
    /// Pupils who left, with the time.
    pub left: Vec<(PersonId, ClockTime)>,
}

/// Most unconfirmed commands that a roll names as held.
const MAX_HELD: usize = 64;

impl Teacher {
    /// Calls the roll of a class in a slot: one command, durable when this returns, with or without a connection.
    ///
    /// # Errors
    /// `NotFound` if the class or a pupil is not known here; `Rule`, `NotAllowed`.
    pub fn call_roll(
        &self,
        class: &ClassCode,
        date: Date,
        slot: u8,
        roll: &RollCall,
    ) -> Result<CommandId, Error> {
        let person = self.registro.person()?;
        let capacity = self.capacity(class, date)?;
        let id = self.registro.device().draw_command();
        let marks = roll
            .absent
            .iter()
            .map(|pupil| (*pupil, Mark::Absent))
            .chain(roll.late.iter().map(|(pupil, time)| (*pupil, Mark::Entry(*time))))
            .chain(
                roll.left
                    .iter()
                    .map(|(pupil, time)| (*pupil, Mark::Exit { time: *time, collected_by: None })),
            );
        let mut writes = Vec::new();
        for (pupil, mark) in marks {
            writes.extend(self.writes_of(class, pupil, date, slot, &mark, id, capacity)?);
        }
        let mut device = self.registro.device();
        let document = read::month_document(&mut device, class, date)?;
        // Written blind, the author had seen nothing.
        let seen =
            if device.is_blind(document) { registro_sync::Cursor::default() } else { device.state().cursor };
        let held: Vec<u8> =
            device.pending().iter().rev().take(MAX_HELD).flat_map(|entry| entry.command.id.0).collect();
        let position = i64::try_from(seen.position).unwrap_or(i64::MAX);
        let fact = Fact::new(id, capacity).with_map(
            "seen",
            [
                ("position".to_owned(), Scalar::Int(position)),
                ("chain".to_owned(), Scalar::Bytes(seen.chain.to_vec())),
                ("commands".to_owned(), Scalar::Bytes(held)),
            ],
        );
        writes.push(DraftWrite { document, section: "rolls", key: format!("{date}#{slot}/{person}"), fact });
        drop(device);
        self.give(Draft { id, capacity, writes })
    }
}
