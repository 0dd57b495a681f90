//! The register as a family uses it.

use registro_model::justification as model;
use registro_model::school::JustificationKind as ModelKind;
use registro_model::validity::AbsenceLevel as ModelLevel;
use registro_model::{ClassCode, CommandId, PersonId};

use crate::attendance::{PupilDay, ShownFact};
use crate::error::RegistroError;
use crate::provenance::Provenance;
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

/// A justification (*giustificazione*).
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct JustificationView {
    /// Its key in the pupil's record.
    pub key: String,
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
    /// Who wrote it, on which device, when.
    pub provenance: Provenance,
}

/// A decision about a justification (*convalida*).
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct DecisionView {
    /// First day that it is about.
    pub from: IsoDate,
    /// Last day, included.
    pub to: IsoDate,
    /// Approved or rejected.
    pub approved: bool,
    /// Why it was rejected.
    pub why: Option<String>,
    /// Who decided, on which device, when.
    pub provenance: Provenance,
}

/// Something to justify, and its state.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct AbsenceView {
    /// What is to be justified.
    pub run: Run,
    /// Its state.
    pub state: RunState,
    /// What the register says of its days, and where that comes from.
    pub facts: Vec<ShownFact>,
    /// Justifications of its days.
    pub justifications: Vec<JustificationView>,
    /// Decisions about its days.
    pub decisions: Vec<DecisionView>,
}

/// A waiver (*deroga*) of the class council.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct WaiverView {
    /// Its reason.
    pub reason: String,
    /// Who wrote it, when.
    pub provenance: Provenance,
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
    /// The pupil's own annual hours on that day; 0 if they are not known.
    pub annual_hours: u32,
    /// Least hours of presence.
    pub least_presence: u32,
    /// Most hours of absence.
    pub most_absence: u32,
    /// Hours of absence, those at a previous school included.
    pub absence: u32,
    /// Of these, hours at a previous school.
    pub previous_hours: u32,
    /// Whether the absence is within a quarter of the annual hours.
    pub within_limit: bool,
    /// Whether the pupil may be assessed: within the limit, or with a waiver (*deroga*) of the class council.
    pub may_be_assessed: bool,
    /// The colour.
    pub level: AbsenceLevel,
    /// Waivers of the class council.
    pub waivers: Vec<WaiverView>,
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
    /// `NotAllowed` if the child is in no class on that day; `NotFound` if what it rests on is not on this device, or not yet (sync): that is not "present"; `Suspended`,
    /// `Storage`.
    pub fn day(&self, pupil: PersonId, date: IsoDate) -> Result<PupilDay, RegistroError> {
        Ok(reading(|| self.inner.day(pupil, date))?.into())
    }

    /// A child's absences, lates and early exits up to a day, with the state of their justification, oldest first.
    ///
    /// # Errors
    /// `NotFound` if what it rests on is not on this device, or not yet (sync): that is not "present"; `Suspended`,
    /// `Storage`.
    pub fn absences(&self, pupil: PersonId, until: IsoDate) -> Result<Vec<AbsenceView>, RegistroError> {
        let absences = reading(|| self.inner.absences(pupil, until))?;
        Ok(absences.into_iter().map(AbsenceView::from).collect())
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
    /// `NotFound` if what it rests on is not on this device, or not yet (sync): that is not "present"; `Suspended`,
    /// `Storage`.
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

impl From<registro::family::AbsenceView> for AbsenceView {
    fn from(absence: registro::family::AbsenceView) -> Self {
        Self {
            run: absence.run.into(),
            state: absence.state.into(),
            facts: absence.facts.into_iter().map(ShownFact::from).collect(),
            justifications: absence.justifications.into_iter().map(JustificationView::from).collect(),
            decisions: absence.decisions.into_iter().map(DecisionView::from).collect(),
        }
    }
}

impl From<registro::family::JustificationView> for JustificationView {
    fn from(view: registro::family::JustificationView) -> Self {
        let model::Justification { key, kind, from, to, .. } = view.justification;
        Self {
            key,
            kind: kind.into(),
            from,
            to,
            reason: view.reason,
            text: view.text,
            collected_by: view.collected_by,
            provenance: view.provenance.into(),
        }
    }
}

impl From<registro::family::DecisionView> for DecisionView {
    fn from(view: registro::family::DecisionView) -> Self {
        let model::Decision { from, to, approved, why, .. } = view.decision;
        Self { from, to, approved, why, provenance: view.provenance.into() }
    }
}

impl From<registro::family::HoursView> for HoursView {
    fn from(hours: registro::family::HoursView) -> Self {
        let waiver = |waiver: registro::family::WaiverView| WaiverView {
            reason: waiver.reason,
            provenance: waiver.provenance.into(),
        };
        Self {
            annual_hours: hours.annual_hours,
            least_presence: hours.least_presence,
            most_absence: hours.most_absence,
            absence: hours.absence,
            previous_hours: hours.previous_hours,
            within_limit: hours.within_limit,
            may_be_assessed: hours.may_be_assessed,
            level: match hours.level {
                ModelLevel::Fine => AbsenceLevel::Fine,
                ModelLevel::Warning => AbsenceLevel::Warning,
                ModelLevel::Danger => AbsenceLevel::Danger,
            },
            waivers: hours.waivers.into_iter().map(waiver).collect(),
        }
    }
}
