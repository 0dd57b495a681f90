//! The school: sites, year, terms, calendar, bell slots, subjects and settings.

use crate::ids::{SiteCode, SubjectCode};
use crate::time::{ClockTime, Date, Span};

/// A school year (*anno scolastico*): 1 September to 31 August, lessons in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchoolYear {
    /// As people write it: `2026/2027`.
    pub label: String,
    /// First and last day of the year, both included.
    pub start: Date,
    /// Last day of the year.
    pub end: Date,
    /// First day of lessons.
    pub lessons_from: Date,
    /// Last day of lessons, included.
    pub lessons_to: Date,
}

/// A term (*periodo*: trimestre, quadrimestre, pentamestre). Terms are ordered and disjoint; gaps are allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Code of the term's council: `P`.
    pub code: String,
    /// Position in the year, from 1.
    pub position: u8,
    /// As people say it.
    pub label: String,
    /// First day, included.
    pub start: Date,
    /// Last day, included.
    pub end: Date,
    /// Whether its council is the final one.
    pub is_final: bool,
}

/// Why a day has no lessons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DayStatus {
    /// Lesson day (*SD*).
    Lesson,
    /// No lessons for another reason (*ND*).
    NoLesson,
    /// School holiday (*HD*).
    Holiday,
    /// National day or patron (*NW*); wins over every other status.
    NonWorking,
}

/// One day without lessons, at one site or at all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedDay {
    /// The day.
    pub date: Date,
    /// The site it concerns; all sites if absent.
    pub site: Option<SiteCode>,
    /// Why; never [`DayStatus::Lesson`].
    pub status: DayStatus,
}

/// A site (*sede, plesso*).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The school's code for it.
    pub code: SiteCode,
    /// Its name.
    pub name: String,
}

/// A slot of the day (*scansione oraria*) at one site and weekday.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BellSlot {
    /// The site.
    pub site: SiteCode,
    /// 1 Monday … 7 Sunday.
    pub weekday: u8,
    /// Position in the day, from 1.
    pub position: u8,
    /// Start, wall-clock.
    pub start: ClockTime,
    /// End, wall-clock, after the start.
    pub end: ClockTime,
    /// Length in half units: 2 is one hour unit. Unit minutes = slot minutes × 2 ÷ half units, so 50-minute
    /// units exist.
    pub half_units: u8,
}

/// What kind of subject it is (*tipo materia*).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubjectKind {
    /// An ordinary subject.
    Normal,
    /// Catholic religion and its alternative (*IRC*).
    Religion,
    /// Learning support (*sostegno*).
    LearningSupport,
    /// Behaviour (*comportamento*).
    Behaviour,
    /// Civics (*educazione civica*).
    Civics,
    /// Substitution (*supplenza*).
    Substitution,
}

/// How a subject is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evaluation {
    /// By marks.
    Numeric,
    /// By judgements.
    Judgement,
    /// Not at all.
    None,
}

/// A subject (*materia*).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchoolSubject {
    /// The school's code.
    pub code: SubjectCode,
    /// Full name.
    pub name: String,
    /// Short name for lists.
    pub short_name: String,
    /// Its kind.
    pub kind: SubjectKind,
    /// How it is evaluated.
    pub evaluation: Evaluation,
    /// Whether its marks count in the mean. Religion never does (D.Lgs 297/1994 art. 309).
    pub in_mean: bool,
    /// Order in lists.
    pub order: u16,
}

/// How attendance is taken (setting `attendance_mode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum AttendanceMode {
    /// One state per day, with entry and exit times (*giornaliera*).
    #[default]
    Day,
    /// One state per slot; absence, late and exit of the day are derived (*oraria*).
    Slot,
}

/// Kinds of justification (*libretto web*).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

impl JustificationKind {
    /// The name that keys and facts use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Absence => "absence",
            Self::Entry => "entry",
            Self::Exit => "exit",
            Self::Permit => "permit",
        }
    }
}

/// The school's settings that rules depend on, with their defaults and ranges. Out-of-range values are brought
/// to the nearest bound by the import, with a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `attendance_mode`.
    pub attendance_mode: AttendanceMode,
    /// `short_late_min`: minutes after the first start up to which an entry is a short late. 0–60, default 10.
    pub short_late_min: u16,
    /// `justify_guardian`: guardians may justify online. Default on.
    pub justify_guardian: bool,
    /// `justify_adult_pupil`: pupils of 18 or more may. Default on.
    pub justify_adult_pupil: bool,
    /// `justify_kinds`: what may be justified online. Default all.
    pub justify_kinds: Vec<JustificationKind>,
    /// `justify_reasons`.
    pub justify_reasons: Vec<String>,
    /// `year_weeks`: weeks that annual hours are computed with. 30–36, default 33.
    pub year_weeks: u16,
    /// `absence_warn_pct`: colour only. 1–100, default 20.
    pub absence_warn_pct: u8,
    /// `absence_danger_pct`: colour only. 1–100, default 25.
    pub absence_danger_pct: u8,
    /// `late_push_days`: work of someone whose right has ended goes to the office after so many days. 0–60, default 14.
    pub late_push_days: u16,
    /// `weekly_closed_days`: 1 Monday … 7 Sunday. Default Sunday.
    pub weekly_closed_days: Vec<u8>,
}

impl Default for Settings {
    fn default() -> Self {
        use JustificationKind::{Absence, Entry, Exit, Permit};
        Self {
            attendance_mode: AttendanceMode::Day,
            short_late_min: 10,
            justify_guardian: true,
            justify_adult_pupil: true,
            justify_kinds: vec![Absence, Entry, Exit, Permit],
            justify_reasons: ["health", "family", "transport", "sport", "other"].map(str::to_owned).to_vec(),
            year_weeks: 33,
            absence_warn_pct: 20,
            absence_danger_pct: 25,
            late_push_days: 14,
            weekly_closed_days: vec![7],
        }
    }
}

/// What everyone in the school knows: year, terms, calendar, bell, subjects, settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct School {
    /// Ministry code (*codice meccanografico*), 10 characters.
    pub code: String,
    /// Name.
    pub name: String,
    /// The year.
    pub year: SchoolYear,
    /// Terms in order.
    pub terms: Vec<Term>,
    /// Sites.
    pub sites: Vec<Site>,
    /// Days without lessons, beyond the weekly ones.
    pub closed_days: Vec<ClosedDay>,
    /// Bell slots of all sites and weekdays.
    pub slots: Vec<BellSlot>,
    /// Subjects.
    pub subjects: Vec<SchoolSubject>,
    /// Settings.
    pub settings: Settings,
}

impl SchoolYear {
    /// Whether the day lies within the year.
    pub fn contains(&self, date: Date) -> bool {
        Span { from: self.start, to: Some(self.end) }.contains(date)
    }
}
