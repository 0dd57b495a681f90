//! Conflicts: two or more live values of one fact, which somebody sees and resolves.

use registro_model::{ClassCode, CommandId, DocumentId, PersonId};

use super::Teacher;
use crate::error::RegistroError;
use crate::provenance::{Provenance, Says};
use crate::values::IsoDate;
use crate::work::{blocking, reading};

/// One of the values of a conflict.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ConflictValue {
    /// Its version: hand it to `resolve`.
    pub version: CommandId,
    /// What it says.
    pub says: Says,
    /// Who wrote it, on which device, when.
    pub provenance: Provenance,
}

/// Two or more values of one fact, of which one shows until somebody resolves it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ConflictView {
    /// The section: `attendance`, `lessons` or `topics`.
    pub section: String,
    /// The pupil, in `attendance`.
    pub pupil: Option<PersonId>,
    /// Name of the pupil, or of the teacher who signed.
    pub name: String,
    /// The document.
    pub document: DocumentId,
    /// The key in its section.
    pub key: String,
    /// The values, the one that shows first.
    pub values: Vec<ConflictValue>,
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

    /// Resolves a conflict that `conflicts` gave: the chosen value is written again over all that it shows. Until then
    /// nothing is written over them: such a call fails with `Rule`.
    ///
    /// # Errors
    /// `Rule` if other values stand there now (list them again); `NotFound` if the chosen one is not among them;
    /// `NotAllowed`, `Suspended`, `Storage`.
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
}

impl From<registro::teacher::ConflictView> for ConflictView {
    fn from(conflict: registro::teacher::ConflictView) -> Self {
        let value = |value: registro::teacher::ConflictValue| ConflictValue {
            version: value.v,
            says: value.says.into(),
            provenance: value.provenance.into(),
        };
        Self {
            section: conflict.section,
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
            says: value.says.into(),
            provenance: value.provenance.into(),
        };
        Self {
            section: conflict.section,
            pupil: conflict.pupil,
            name: conflict.name,
            document: conflict.document,
            key: conflict.key,
            values: conflict.values.into_iter().map(value).collect(),
        }
    }
}
