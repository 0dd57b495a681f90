//! The register as a family uses it.

use registro_model::justification as model;
use registro_model::school::JustificationKind as ModelKind;
use registro_model::validity::{AbsenceLevel as ModelLevel, YearValidity};
use registro_model::{ClassCode, CommandId, PersonId};

use crate::attendance::PupilDay;
use crate::error::RegistroError;
use crate::values::IsoDate;
use crate::work::{blocking, reading};

/// A child.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Child {
    /// The pupil.
    pub pupil: PersonId,
    /// Name.
    pub name: String,
    /// Class on that day.
    pub class_code: Option<ClassCode>,
    /// Whether this guardian may justify.
    pub may_justify: bool,
}

/// What is justified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum JustificationKind {
    /// Absence (*assenza*).
    Absence,
    /// Late entry (*ritardo*).
    Entry,
    /// Early exit (*uscita anticipata*).
    Exit,
    /// Permission asked in advance (*permesso*).
    Permit,
}

/// Something to justify: consecutive lesson days of absence within one term, or a single entry or exit.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Run {
    /// What is to be justified.
    pub kind: JustificationKind,
    /// Its days, in order.
    pub days: Vec<IsoDate>,
}

/// What became of something to justify.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum RunState {
    /// Nobody has justified it, or it has become longer since.
    Open,
    /// Justified, not decided.
    Requested {
        /// Key of the justification.
        key: String,
    },
    /// Approved.
    Approved,
    /// Rejected.
    Rejected {
        /// Why.
        why: String,
    },
}

/// Something to justify, and its state.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct AbsenceView {
    /// What is to be justified.
    pub run: Run,
    /// Its state.
    pub state: RunState,
}

/// How near the year's limit of absence a pupil is: a colour, nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum AbsenceLevel {
    /// Below the warning.
    Fine,
    /// From the school's warning on (school setting).
    Warning,
    /// From the school's second warning on (school setting).
    Danger,
}

/// A pupil's hours of absence against the limit for a valid year (*validità dell'anno*, DPR 122/2009 art. 14 c. 7).
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct HoursView {
    /// Least hours of presence.
    pub least_presence: u32,
    /// Most hours of absence.
    pub most_absence: u32,
    /// Hours of absence, those at a previous school included.
    pub absence: u32,
    /// Whether the absence is within a quarter of the annual hours.
    pub within_limit: bool,
    /// Whether the pupil may be assessed: within the limit, or with a waiver (*deroga*) of the class council.
    pub may_be_assessed: bool,
    /// The colour.
    pub level: AbsenceLevel,
}

/// The register as a family uses it.
#[derive(uniffi::Object)]
pub struct Family {
    inner: registro::Family,
}

impl Family {
    pub(crate) fn of(registro: &registro::Registro) -> Self {
        Self { inner: registro.family() }
    }
}

#[uniffi::export]
impl Family {
    /// The children of whom this person is a guardian on a day, by name. Each once.
    ///
    /// # Errors
    /// `NotLoggedIn`, `Suspended`, `Storage`.
    pub fn children(&self, today: IsoDate) -> Result<Vec<Child>, RegistroError> {
        Ok(reading(|| self.inner.children(today))?.into_iter().map(Child::from).collect())
    }

    /// A child's day.
    ///
    /// # Errors
    /// `NotFound` if the child's record is not on this device; `Suspended`, `Storage`.
    pub fn day(&self, pupil: PersonId, date: IsoDate) -> Result<PupilDay, RegistroError> {
        Ok(reading(|| self.inner.day(pupil, date))?.into())
    }

    /// A child's absences, lates and early exits up to a day, with the state of their justification, oldest first.
    ///
    /// # Errors
    /// `NotFound` if the child's record is not on this device; `Suspended`, `Storage`.
    pub fn absences(&self, pupil: PersonId, until: IsoDate) -> Result<Vec<AbsenceView>, RegistroError> {
        let absences = reading(|| self.inner.absences(pupil, until))?;
        Ok(absences
            .into_iter()
            .map(|absence| AbsenceView { run: absence.run.into(), state: absence.state.into() })
            .collect())
    }

    /// Justifies (*giustifica*) what `absences` listed. Durable when it returns, with or without a connection.
    /// `reason` is a code of the school's list, `text` what the family adds.
    ///
    /// # Errors
    /// `NotFound`, `NotAllowed`, `Suspended`, `Storage`.
    pub async fn justify(
        &self,
        pupil: PersonId,
        run: Run,
        reason: String,
        text: Option<String>,
    ) -> Result<CommandId, RegistroError> {
        let family = self.inner.clone();
        blocking(move || family.justify(pupil, &run.into(), &reason, text.as_deref())).await
    }

    /// A child's hours of absence up to a day against the year's limit.
    ///
    /// # Errors
    /// `NotFound` if the child's record is not on this device; `Suspended`, `Storage`.
    pub fn hours(&self, pupil: PersonId, until: IsoDate) -> Result<HoursView, RegistroError> {
        Ok(reading(|| self.inner.hours(pupil, until))?.into())
    }
}

impl From<registro::family::Child> for Child {
    fn from(child: registro::family::Child) -> Self {
        Self { pupil: child.pupil, name: child.name, class_code: child.class, may_justify: child.may_justify }
    }
}

impl From<ModelKind> for JustificationKind {
    fn from(kind: ModelKind) -> Self {
        match kind {
            ModelKind::Absence => Self::Absence,
            ModelKind::Entry => Self::Entry,
            ModelKind::Exit => Self::Exit,
            ModelKind::Permit => Self::Permit,
        }
    }
}

impl From<JustificationKind> for ModelKind {
    fn from(kind: JustificationKind) -> Self {
        match kind {
            JustificationKind::Absence => Self::Absence,
            JustificationKind::Entry => Self::Entry,
            JustificationKind::Exit => Self::Exit,
            JustificationKind::Permit => Self::Permit,
        }
    }
}

impl From<model::Run> for Run {
    fn from(run: model::Run) -> Self {
        Self { kind: run.kind.into(), days: run.days }
    }
}

impl From<Run> for model::Run {
    fn from(run: Run) -> Self {
        Self { kind: run.kind.into(), days: run.days }
    }
}

impl From<model::RunState> for RunState {
    fn from(state: model::RunState) -> Self {
        match state {
            model::RunState::Open => Self::Open,
            model::RunState::Requested { key } => Self::Requested { key },
            model::RunState::Approved => Self::Approved,
            model::RunState::Rejected { why } => Self::Rejected { why },
        }
    }
}

impl From<YearValidity> for HoursView {
    fn from(hours: YearValidity) -> Self {
        Self {
            least_presence: hours.least_presence,
            most_absence: hours.most_absence,
            absence: hours.absence,
            within_limit: hours.within_limit,
            may_be_assessed: hours.may_be_assessed,
            level: match hours.level {
                ModelLevel::Fine => AbsenceLevel::Fine,
                ModelLevel::Warning => AbsenceLevel::Warning,
                ModelLevel::Danger => AbsenceLevel::Danger,
            },
        }
    }
}
