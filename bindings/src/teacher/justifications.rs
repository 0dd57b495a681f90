//! Deciding justifications (*convalida*).

use registro_model::justification::Justification;
use registro_model::{ClassCode, CommandId, PersonId};

use super::Teacher;
use crate::error::RegistroError;
use crate::family::{JustificationKind, Run};
use crate::provenance::Provenance;
use crate::values::IsoDate;
use crate::work::{blocking, reading};

/// A justification that waits for a decision.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PendingJustification {
    /// The pupil.
    pub pupil: PersonId,
    /// Name.
    pub name: String,
    /// Its key in the pupil's record.
    pub key: String,
    /// The version of it that is shown.
    pub version: CommandId,
    /// What it justifies.
    pub kind: JustificationKind,
    /// First day.
    pub from: IsoDate,
    /// Last day, included.
    pub to: IsoDate,
    /// Its reason: a code of the school's list.
    pub reason: String,
    /// What its author added.
    pub text: Option<String>,
    /// Who collects the pupil, where it says so.
    pub collected_by: Option<String>,
    /// Its author.
    pub author: Option<PersonId>,
    /// Who wrote it, on which device, when.
    pub provenance: Provenance,
    /// What it would justify, as far as it spans it: the decision is about these days and no others.
    pub runs: Vec<Run>,
}

#[uniffi::export]
impl Teacher {
    /// Justifications of a class that wait for a decision, of the pupils who are in it on that day.
    ///
    /// # Errors
    /// `NotFound` if the class is not known here; `Suspended`, `Storage`.
    pub fn pending_justifications(
        &self,
        class_code: ClassCode,
        date: IsoDate,
    ) -> Result<Vec<PendingJustification>, RegistroError> {
        let pending = reading(|| self.inner.pending_justifications(&class_code, date))?;
        Ok(pending.into_iter().map(PendingJustification::from).collect())
    }

    /// Approves a justification, or rejects it with a reason. Hand in what `pendingJustifications` gave: the decision is
    /// about the days that it shows, and rights are those of the class in which the pupil was on those days.
    ///
    /// # Errors
    /// `Rule` if there is nothing to approve (any more); `NotFound`, `NotAllowed`, `Suspended`, `Storage`.
    pub async fn decide(
        &self,
        class_code: ClassCode,
        pending: PendingJustification,
        rejected_because: Option<String>,
    ) -> Result<CommandId, RegistroError> {
        let teacher = self.inner.clone();
        blocking(move || teacher.decide(&class_code, &pending.into(), rejected_because.as_deref())).await
    }
}

impl From<registro::teacher::PendingJustification> for PendingJustification {
    fn from(pending: registro::teacher::PendingJustification) -> Self {
        let Justification { key, v, kind, from, to } = pending.justification;
        Self {
            pupil: pending.pupil,
            name: pending.name,
            key,
            version: v,
            kind: kind.into(),
            from,
            to,
            reason: pending.reason,
            text: pending.text,
            collected_by: pending.collected_by,
            author: pending.author,
            provenance: pending.provenance.into(),
            runs: pending.runs.into_iter().map(Run::from).collect(),
        }
    }
}

impl From<PendingJustification> for registro::teacher::PendingJustification {
    fn from(pending: PendingJustification) -> Self {
        Self {
            pupil: pending.pupil,
            name: pending.name,
            justification: Justification {
                key: pending.key,
                v: pending.version,
                kind: pending.kind.into(),
                from: pending.from,
                to: pending.to,
            },
            reason: pending.reason,
            text: pending.text,
            collected_by: pending.collected_by,
            author: pending.author,
            provenance: pending.provenance.into(),
            runs: pending.runs.into_iter().map(Into::into).collect(),
        }
    }
}
