//! Calling the roll (*appello*).

use registro_model::{ClassCode, ClockTime, CommandId, PersonId};

use super::Teacher;
use crate::error::RegistroError;
use crate::values::IsoDate;
use crate::work::blocking;

/// A pupil and a time.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct TimedPupil {
    /// The pupil.
    pub pupil: PersonId,
    /// The time.
    pub time: ClockTime,
}

/// A roll: who is not there, or not on time. Everybody else is present.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct RollCall {
    /// Absent pupils.
    pub absent: Vec<PersonId>,
    /// Pupils who came late, and when.
    #[uniffi(default = [])]
    pub late: Vec<TimedPupil>,
    /// Pupils who left, and when. One who came late may also have left.
    #[uniffi(default = [])]
    pub left: Vec<TimedPupil>,
}

#[uniffi::export]
impl Teacher {
    /// Calls the roll of a class in an hour: one command, durable when this returns, with or without a connection.
    ///
    /// It is the bulk act at the beginning: once a late or an exit of that day is seen in the class (per hour: of that
    /// hour), it fails with `Rule`, and what changes is entered pupil by pupil. A roll that is silent about a pupil with a
    /// conflict is called as ever; one that would write over it fails with `Rule` until it is resolved.
    ///
    /// # Errors
    /// `NotFound` if the class or a pupil is not known here; `Rule`, with the pupil in the failure where it is about
    /// one; `NotAllowed`, `Suspended`, `Storage`.
    pub async fn call_roll(
        &self,
        class_code: ClassCode,
        date: IsoDate,
        slot: u8,
        roll: RollCall,
    ) -> Result<CommandId, RegistroError> {
        let teacher = self.inner.clone();
        blocking(move || teacher.call_roll(&class_code, date, slot, &roll.into())).await
    }
}

impl From<RollCall> for registro::teacher::RollCall {
    fn from(roll: RollCall) -> Self {
        let pairs = |timed: Vec<TimedPupil>| timed.into_iter().map(|t| (t.pupil, t.time)).collect();
        Self { absent: roll.absent, late: pairs(roll.late), left: pairs(roll.left) }
    }
}
