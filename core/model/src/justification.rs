//! Justifications (*libretto web*): runs of absence and what became of them. Runs and states are derived.

use std::collections::BTreeSet;

use crate::ids::{CommandId, SiteCode};
use crate::school::{JustificationKind, School};
use crate::time::Date;

/// A run of absences (A6): consecutive lesson days within one term, or a single entry or exit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// What is to be justified.
    pub kind: JustificationKind,
    /// Its days, in order.
    pub days: Vec<Date>,
}

impl Run {
    /// First day.
    pub fn from(&self) -> Option<Date> {
        self.days.first().copied()
    }

    /// Last day.
    pub fn to(&self) -> Option<Date> {
        self.days.last().copied()
    }
}

/// A live justification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Justification {
    /// Key in the pupil's record.
    pub key: String,
    /// Its version.
    pub v: CommandId,
    /// What it justifies.
    pub kind: JustificationKind,
    /// First day.
    pub from: Date,
    /// Last day, included.
    pub to: Date,
}

/// A live decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Key of the justification that it decides.
    pub key: String,
    /// Version of it that its author saw.
    pub of: CommandId,
    /// What it decides.
    pub kind: JustificationKind,
    /// First day of the run that its author saw.
    pub from: Date,
    /// Last day, included.
    pub to: Date,
    /// Approved or rejected.
    pub approved: bool,
    /// Why it was rejected.
    pub why: Option<String>,
}

/// State of a run (A7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunState {
    /// Nobody has justified it, or a longer run reopened it (A8).
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

/// Groups days of absence into runs (A6): consecutive lesson days of the site within one term. A day on which the
/// school turned out to be closed needs no justification: it is in no run and parts none.
pub fn absence_runs(school: &School, site: &SiteCode, absent: &BTreeSet<Date>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for day in absent.iter().filter(|day| school.is_lesson_day(site, **day)) {
        let follows = runs.last().and_then(Run::to).is_some_and(|last| {
            school.next_lesson_day(site, last) == Some(*day)
                && school.term_of(last).map(|t| &t.code) == school.term_of(*day).map(|t| &t.code)
        });
        match runs.last_mut() {
            Some(run) if follows => run.days.push(*day),
            _ => runs.push(Run { kind: JustificationKind::Absence, days: vec![*day] }),
        }
    }
    runs
}

/// The state of a run: requested if one live justification spans it all, approved or rejected if one live decision
/// does. A longer run than the one decided is open again by itself. A decision about an older version of the
/// justification does not count for the newer one, which is a new request.
pub fn run_state(run: &Run, justifications: &[Justification], decisions: &[Decision]) -> RunState {
    let (Some(from), Some(to)) = (run.from(), run.to()) else { return RunState::Open };
    let spans =
        |kind: JustificationKind, first: Date, last: Date| kind == run.kind && first <= from && to <= last;
    let approved = decisions.iter().any(|d| d.approved && spans(d.kind, d.from, d.to));
    if approved {
        return RunState::Approved;
    }
    let request = justifications
        .iter()
        .filter(|j| spans(j.kind, j.from, j.to))
        .find(|j| !decisions.iter().any(|d| d.key == j.key && d.of == j.v && spans(d.kind, d.from, d.to)));
    if let Some(request) = request {
        return RunState::Requested { key: request.key.clone() };
    }
    let rejected = decisions.iter().find(|d| !d.approved && spans(d.kind, d.from, d.to));
    match rejected {
        Some(decision) => RunState::Rejected { why: decision.why.clone().unwrap_or_default() },
        None => RunState::Open,
    }
}

/// Whether an approved absence covers a day: it then covers the entry or exit that replaced it.
pub fn covered_by_absence(day: Date, decisions: &[Decision]) -> bool {
    decisions
        .iter()
        .any(|d| d.approved && d.kind == JustificationKind::Absence && d.from <= day && day <= d.to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::school::{SchoolYear, Settings, Term};

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn school(closed: &[u8]) -> School {
        School {
            code: "QZIS00100X".into(),
            name: "Prova".into(),
            year: SchoolYear {
                label: "2026/2027".into(),
                start: date("2026-09-01"),
                end: date("2027-08-31"),
                lessons_from: date("2026-09-14"),
                lessons_to: date("2027-06-08"),
            },
            terms: vec![
                Term {
                    code: "P".into(),
                    position: 1,
                    label: "1".into(),
                    start: date("2026-09-14"),
                    end: date("2026-12-22"),
                    is_final: false,
                },
                Term {
                    code: "F".into(),
                    position: 2,
                    label: "2".into(),
                    start: date("2026-12-23"),
                    end: date("2027-06-08"),
                    is_final: true,
                },
            ],
            sites: vec![],
            closed_days: vec![],
            slots: vec![],
            subjects: vec![],
            settings: Settings { weekly_closed_days: closed.to_vec(), ..Settings::default() },
        }
    }

    fn runs(closed: &[u8], days: &[&str]) -> usize {
        let days = days.iter().map(|day| date(day)).collect();
        absence_runs(&school(closed), &SiteCode::new("C").unwrap(), &days).len()
    }

    #[test]
    fn friday_and_monday_are_one_run_in_a_five_day_week_and_two_in_a_six_day_week() {
        assert_eq!(runs(&[6, 7], &["2026-11-20", "2026-11-23"]), 1);
        assert_eq!(runs(&[7], &["2026-11-20", "2026-11-23"]), 2);
    }

    #[test]
    fn a_run_does_not_cross_terms() {
        assert_eq!(runs(&[7], &["2026-12-22", "2026-12-23"]), 2);
    }

    #[test]
    fn a_new_adjacent_absence_reopens_the_whole_run() {
        let of = CommandId([1; 8]);
        let justification = Justification {
            key: "absence/2026-11-23/0000000000000000".into(),
            v: of,
            kind: JustificationKind::Absence,
            from: date("2026-11-23"),
            to: date("2026-11-24"),
        };
        let decision = Decision {
            key: justification.key.clone(),
            of,
            kind: JustificationKind::Absence,
            from: date("2026-11-23"),
            to: date("2026-11-24"),
            approved: true,
            why: None,
        };
        let run = |days: &[&str]| Run {
            kind: JustificationKind::Absence,
            days: days.iter().map(|d| date(d)).collect(),
        };
        let (justifications, decisions) = ([justification], [decision]);
        let two = run(&["2026-11-23", "2026-11-24"]);
        assert_eq!(
            run_state(&two, &justifications, &[]),
            RunState::Requested { key: justifications[0].key.clone() }
        );
        assert_eq!(run_state(&two, &justifications, &decisions), RunState::Approved);
        let three = run(&["2026-11-23", "2026-11-24", "2026-11-25"]);
        assert_eq!(run_state(&three, &justifications, &decisions), RunState::Open);
        assert!(covered_by_absence(date("2026-11-24"), &decisions));
    }

    #[test]
    fn an_edit_that_the_decision_did_not_see_is_a_new_request() {
        let day = date("2026-11-23");
        let run = Run { kind: JustificationKind::Absence, days: vec![day] };
        let edited = Justification {
            key: "k".into(),
            v: CommandId([2; 8]),
            kind: JustificationKind::Absence,
            from: day,
            to: day,
        };
        let rejected = Decision {
            key: "k".into(),
            of: CommandId([1; 8]),
            kind: JustificationKind::Absence,
            from: day,
            to: day,
            approved: false,
            why: Some("manca la firma".into()),
        };
        assert_eq!(
            run_state(&run, std::slice::from_ref(&edited), std::slice::from_ref(&rejected)),
            RunState::Requested { key: "k".into() }
        );
        let seen = Justification { v: CommandId([1; 8]), ..edited };
        assert_eq!(
            run_state(&run, &[seen], &[rejected]),
            RunState::Rejected { why: "manca la firma".into() }
        );
    }
}
