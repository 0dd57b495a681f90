//! Deciding justifications (*convalida*).

use registro_documents::Fact;
use registro_model::justification::Justification;
use registro_model::{Capacity, ClassCode, CommandId, Date, PersonId};
use registro_sync::device::{Device, Draft, DraftWrite};

use super::Teacher;
use crate::error::Error;
use crate::family::{decisions_of, justifications_of};
use crate::read::{self, PupilRef};

/// A justification that waits for a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingJustification {
    /// The pupil.
    pub pupil: PersonId,
    /// Name.
    pub name: String,
    /// The justification.
    pub justification: Justification,
    /// Its reason's code.
    pub reason: String,
    /// Its author.
    pub author: Option<PersonId>,
}

pub(super) fn pending_of(device: &Device, pupil: &PupilRef) -> Result<Vec<PendingJustification>, Error> {
    let decisions = decisions_of(device, pupil.record)?;
    Ok(justifications_of(device, pupil.record)?
        .into_iter()
        .filter(|(j, _)| !decisions.iter().any(|d| d.key == j.key && d.of == j.v))
        .map(|(justification, shown)| PendingJustification {
            pupil: pupil.pupil,
            name: pupil.name.clone(),
            justification,
            reason: shown.fact.text("reason").unwrap_or_default().to_owned(),
            author: shown.provenance.person,
        })
        .collect())
}

impl Teacher {
    /// Justifications of a class that wait for a decision, on the roster of that day.
    pub fn pending_justifications(
        &self,
        class: &ClassCode,
        date: Date,
    ) -> Result<Vec<PendingJustification>, Error> {
        let device = self.registro.device();
        let mut pending = Vec::new();
        for pupil in read::pupils(&device, class, date)? {
            if device.documents().any(|header| header.identity.id == pupil.record) {
                pending.extend(pending_of(&device, &pupil)?);
            }
        }
        Ok(pending)
    }

    /// Approves a justification, or rejects it with a reason.
    pub fn decide(
        &self,
        class: &ClassCode,
        pending: &PendingJustification,
        rejected_because: Option<&str>,
    ) -> Result<CommandId, Error> {
        let mut device = self.registro.device();
        let date: Date = pending.justification.to;
        let pupils = read::pupils(&device, class, date)?;
        let pupil = pupils
            .iter()
            .find(|p| p.pupil == pending.pupil)
            .ok_or_else(|| Error::not_found("pupil in class"))?;
        let id = device.draw_command();
        let hex: String = device.draw::<8>().iter().map(|byte| format!("{byte:02x}")).collect();
        let justification = &pending.justification;
        let fact = Fact::new(id, Capacity::Lesson)
            .with("kind", justification.kind.as_str())
            .with("reason", pending.reason.as_str())
            .with("of", justification.v)
            .with("key", justification.key.as_str())
            .with("from", justification.from)
            .with("to", justification.to)
            .with("approved", rejected_because.is_none())
            .with_some("why", rejected_because);
        let writes = vec![DraftWrite { document: pupil.record, section: "decisions", key: hex, fact }];
        drop(device);
        self.give(Draft { id, capacity: Capacity::Lesson, writes })
    }
}
