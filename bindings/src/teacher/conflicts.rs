//! Conflicts, which somebody resolves, and pupils called present against an absence, which somebody settles.

use registro_model::{ClassCode, CommandId, DocumentId, PersonId};

use super::Teacher;
use crate::error::RegistroError;
use crate::values::IsoDate;
use crate::work::{blocking, reading};

/// One of the values of a conflict.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ConflictValue {
    /// Its version: hand it to `resolve`.
    pub version: CommandId,
    /// Who wrote it.
    pub author: Option<PersonId>,
    /// When the author's device said it was, Unix seconds. Evidence of nothing.
    pub claimed: i64,
    /// When the hub received it, Unix milliseconds; nothing if it has not yet.
    pub received: Option<i64>,
    /// What it says, for developers: words of the register's facts.
    pub says: String,
}

/// Two or more values of one fact, of which one shows until somebody resolves it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ConflictView {
    /// The pupil.
    pub pupil: PersonId,
    /// Name.
    pub name: String,
    /// The document.
    pub document: DocumentId,
    /// The key in its section of attendance.
    pub key: String,
    /// The values, the one that shows first.
    pub values: Vec<ConflictValue>,
}

/// A pupil entered as absent whom somebody's roll called present.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct CalledPresentView {
    /// The pupil.
    pub pupil: PersonId,
    /// Name.
    pub name: String,
    /// Position of the hour of that roll.
    pub slot: u8,
    /// Who called it.
    pub author: PersonId,
    /// That roll.
    pub roll: CommandId,
}

#[uniffi::export]
impl Teacher {
    /// The conflicts of a class on a day.
    ///
    /// # Errors
    /// `NotFound` if the class is not known here; `Suspended`, `Storage`.
    pub fn conflicts(
        &self,
        class_code: ClassCode,
        date: IsoDate,
    ) -> Result<Vec<ConflictView>, RegistroError> {
        let conflicts = reading(|| self.inner.conflicts(&class_code, date))?;
        Ok(conflicts.into_iter().map(ConflictView::from).collect())
    }

    /// Resolves a conflict that `conflicts` gave: the chosen value is written again over all of them.
    ///
    /// # Errors
    /// `NotFound` if the value is not among them any more; `NotAllowed`, `Suspended`, `Storage`.
    pub async fn resolve(
        &self,
        class_code: ClassCode,
        conflict: ConflictView,
        chosen: CommandId,
        date: IsoDate,
    ) -> Result<CommandId, RegistroError> {
        let teacher = self.inner.clone();
        blocking(move || teacher.resolve(&class_code, &conflict.into(), chosen, date)).await
    }

    /// Pupils of a class entered as absent on a day whom a roll called present.
    ///
    /// # Errors
    /// `NotFound` if the class is not known here; `Suspended`, `Storage`.
    pub fn called_present(
        &self,
        class_code: ClassCode,
        date: IsoDate,
    ) -> Result<Vec<CalledPresentView>, RegistroError> {
        let reports = reading(|| self.inner.called_present(&class_code, date))?;
        Ok(reports.into_iter().map(CalledPresentView::from).collect())
    }

    /// Settles a report that `calledPresent` gave: the pupil was present (the absence is annulled), or was not (the
    /// absence stands).
    ///
    /// # Errors
    /// `NotFound` if the absence is not there any more; `NotAllowed`, `Suspended`, `Storage`.
    pub async fn settle_called_present(
        &self,
        class_code: ClassCode,
        report: CalledPresentView,
        date: IsoDate,
        was_present: bool,
    ) -> Result<CommandId, RegistroError> {
        let teacher = self.inner.clone();
        let settle = move || teacher.settle_called_present(&class_code, &report.into(), date, was_present);
        blocking(settle).await
    }
}

impl From<registro::teacher::ConflictView> for ConflictView {
    fn from(conflict: registro::teacher::ConflictView) -> Self {
        let value = |value: registro::teacher::ConflictValue| ConflictValue {
            version: value.v,
            author: value.author,
            claimed: value.claimed,
            received: value.received,
            says: value.says,
        };
        Self {
            pupil: conflict.pupil,
            name: conflict.name,
            document: conflict.document,
            key: conflict.key,
            values: conflict.values.into_iter().map(value).collect(),
        }
    }
}

impl From<ConflictView> for registro::teacher::ConflictView {
    fn from(conflict: ConflictView) -> Self {
        let value = |value: ConflictValue| registro::teacher::ConflictValue {
            v: value.version,
            author: value.author,
            claimed: value.claimed,
            received: value.received,
            says: value.says,
        };
        Self {
            pupil: conflict.pupil,
            name: conflict.name,
            document: conflict.document,
            key: conflict.key,
            values: conflict.values.into_iter().map(value).collect(),
        }
    }
}

impl From<registro::teacher::CalledPresentView> for CalledPresentView {
    fn from(report: registro::teacher::CalledPresentView) -> Self {
        let registro::teacher::CalledPresentView { pupil, name, slot, author, roll } = report;
        Self { pupil, name, slot, author, roll }
    }
}

impl From<CalledPresentView> for registro::teacher::CalledPresentView {
    fn from(report: CalledPresentView) -> Self {
        let CalledPresentView { pupil, name, slot, author, roll } = report;
        Self { pupil, name, slot, author, roll }
    }
}
