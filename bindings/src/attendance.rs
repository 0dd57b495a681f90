//! A pupil's day as screens show it.

use registro_model::ClockTime;
use registro_model::attendance::{OutKind as ModelOutKind, SlotStatus as ModelStatus};

use crate::provenance::{Provenance, Says};

/// Why a pupil is out of class for the school (*fuori classe*): such a pupil is not absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum OutKind {
    /// Work placement (*PCTO*).
    Placement,
    /// Mobility abroad.
    Mobility,
    /// Elsewhere in the school.
    InSchool,
    /// Outside, for the school.
    External,
}

/// A time out of class.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct OutOfClass {
    /// Why.
    pub kind: OutKind,
    /// From; the whole day if neither end is given.
    pub from: Option<ClockTime>,
    /// To.
    pub to: Option<ClockTime>,
}

/// State of a pupil in an hour, in a school that calls the roll per hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum SlotStatus {
    /// Present.
    Present,
    /// Absent.
    Absent,
    /// Out of class for the school.
    Out,
}

/// What is written of an hour, in a school that calls the roll per hour.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SlotView {
    /// Position of the hour.
    pub slot: u8,
    /// State.
    pub status: SlotStatus,
    /// Time at which the pupil came within it.
    pub entry: Option<ClockTime>,
    /// Time at which the pupil left within it.
    pub exit: Option<ClockTime>,
}

/// A fact behind what a screen shows.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ShownFact {
    /// Its key in the section of attendance: hand it to `annul`.
    pub key: String,
    /// What it says.
    pub says: Says,
    /// Where it comes from.
    pub provenance: Provenance,
}

/// A pupil's day, decided between all who wrote about it. Present is the default.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PupilDay {
    /// Absent (*assente*); in a school that calls the roll per hour: in every hour of which something is known.
    pub absent: bool,
    /// Time of entry, if late and known.
    pub entry: Option<ClockTime>,
    /// Whether the pupil was late (*ritardo*).
    pub late: bool,
    /// Whether the late is a short one (*ritardo breve*), which needs no justification.
    pub short_late: bool,
    /// Time of exit, if early and known.
    pub exit: Option<ClockTime>,
    /// Whether the pupil left early (*uscita anticipata*).
    pub left_early: bool,
    /// Who collected the pupil, if it was entered.
    pub collected_by: Option<String>,
    /// Times out of class.
    pub outs: Vec<OutOfClass>,
    /// Positions of the hours in which the pupil is absent, in a school that calls the roll per hour.
    pub absent_slots: Vec<u8>,
    /// What is written of each hour, in a school that calls the roll per hour.
    pub slots: Vec<SlotView>,
    /// Keys with a conflict to resolve: `conflicts` has their values.
    pub conflicts: Vec<String>,
    /// Whether facts contradict each other and both stay.
    pub contradiction: bool,
    /// Whether something shown is not confirmed by the hub yet.
    pub pending: bool,
    /// The facts that show, each with where it comes from.
    pub facts: Vec<ShownFact>,
}

impl From<registro::PupilDay> for PupilDay {
    fn from(day: registro::PupilDay) -> Self {
        Self {
            absent: day.absent,
            entry: day.entry,
            late: day.late,
            short_late: day.short_late,
            exit: day.exit,
            left_early: day.left_early,
            collected_by: day.collected_by,
            outs: day.outs.into_iter().map(OutOfClass::from).collect(),
            absent_slots: day.absent_slots,
            slots: day.slots.into_iter().map(SlotView::from).collect(),
            conflicts: day.conflicts,
            contradiction: day.contradiction,
            pending: day.pending,
            facts: day.facts.into_iter().map(ShownFact::from).collect(),
        }
    }
}

impl From<registro::SlotView> for SlotView {
    fn from(view: registro::SlotView) -> Self {
        let status = match view.status {
            ModelStatus::Present => SlotStatus::Present,
            ModelStatus::Absent => SlotStatus::Absent,
            ModelStatus::Out => SlotStatus::Out,
        };
        Self { slot: view.slot, status, entry: view.entry, exit: view.exit }
    }
}

impl From<registro::ShownFact> for ShownFact {
    fn from(fact: registro::ShownFact) -> Self {
        Self { key: fact.key, says: fact.says.into(), provenance: fact.provenance.into() }
    }
}

impl From<registro::OutView> for OutOfClass {
    fn from(out: registro::OutView) -> Self {
        let named = ModelOutKind::ALL.into_iter().find(|kind| kind.as_str() == out.kind);
        Self { kind: named.map_or(OutKind::InSchool, OutKind::from), from: out.from, to: out.to }
    }
}

impl From<ModelOutKind> for OutKind {
    fn from(kind: ModelOutKind) -> Self {
        match kind {
            ModelOutKind::Placement => Self::Placement,
            ModelOutKind::Mobility => Self::Mobility,
            ModelOutKind::InSchool => Self::InSchool,
            ModelOutKind::External => Self::External,
        }
    }
}

impl From<OutKind> for ModelOutKind {
    fn from(kind: OutKind) -> Self {
        match kind {
            OutKind::Placement => Self::Placement,
            OutKind::Mobility => Self::Mobility,
            OutKind::InSchool => Self::InSchool,
            OutKind::External => Self::External,
        }
    }
}
