//! Pupils called present against an absence, which somebody settles.

use registro_model::{ClassCode, CommandId, PersonId};

use super::Teacher;
use crate::error::RegistroError;
use crate::provenance::Provenance;
use crate::values::IsoDate;
use crate::work::{blocking, reading};

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
    /// Where that roll comes from.
    pub roll_provenance: Provenance,
    /// Where the absence comes from that stands against it.
    pub absence_provenance: Provenance,
}

#[uniffi::export]
impl Teacher {
    /// Pupils of a class entered as absent on a day whom a roll called present.
    ///
    /// # Errors
    /// `NotFound` if the class is not known here, or its rolls may not be read or are not here yet; `Suspended`,
    /// `Storage`.
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
    /// `Rule` if another absence stands there now (list them again); `NotFound` if there is none any more;
    /// `NotAllowed`, `Suspended`, `Storage`.
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

impl From<registro::teacher::CalledPresentView> for CalledPresentView {
    fn from(report: registro::teacher::CalledPresentView) -> Self {
        Self {
            pupil: report.pupil,
            name: report.name,
            slot: report.slot,
            author: report.author,
            roll: report.roll,
            roll_provenance: report.roll_provenance.into(),
            absence_provenance: report.absence_provenance.into(),
        }
    }
}

impl From<CalledPresentView> for registro::teacher::CalledPresentView {
    fn from(report: CalledPresentView) -> Self {
        Self {
            pupil: report.pupil,
            name: report.name,
            slot: report.slot,
            author: report.author,
            roll: report.roll,
            roll_provenance: report.roll_provenance.into(),
            absence_provenance: report.absence_provenance.into(),
        }
    }
}
