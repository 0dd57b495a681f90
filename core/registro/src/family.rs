//! The register as a family uses it.

use registro_documents::Fact;
use registro_model::directory::GuardianRights;
use registro_model::justification::{Run, RunState, covered_by_absence, run_state};
use registro_model::school::JustificationKind;
use registro_model::{Capacity, ClassCode, CommandId, Date, PersonId};
use registro_sync::device::{Draft, DraftWrite};

use crate::attendance::{PupilDay, ShownFact};
use crate::error::{Error, ErrorKind};
use crate::hours;
use crate::read;
use crate::record::{Record, decisions_of, justifications_of, only_decisions};
use crate::registro::Registro;

pub use crate::hours::{HoursView, WaiverView};
pub use crate::record::{DecisionView, JustificationView};

/// The register as a family uses it. What is not on this device yet is `NotFound`, never shown as "present".
#[derive(Clone)]
pub struct Family {
    registro: Registro,
}

/// A child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    /// The pupil.
    pub pupil: PersonId,
    /// Name.
    pub name: String,
    /// Class today.
    pub class: Option<ClassCode>,
    /// Whether this guardian may justify.
    pub may_justify: bool,
}

/// Something to justify, and its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbsenceView {
    /// The run.
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

impl Family {
    pub(crate) fn new(registro: Registro) -> Self {
        Self { registro }
    }

    /// The children of whom this person is a guardian on a day, by name. Each once.
    pub fn children(&self, today: Date) -> Result<Vec<Child>, Error> {
        let person = self.registro.person()?;
        let mut device = self.registro.device();
        let (directory, _) = device.directory()?;
        let mut children: Vec<Child> = directory
            .guardians
            .iter()
            .filter_map(|(pupil, guardians)| {
                let own = guardians.iter().find(|g| g.guardian == person && g.span.contains(today))?;
                let entry = directory.pupils.get(pupil)?;
                Some(Child {
                    pupil: *pupil,
                    name: entry.name.clone(),
                    class: entry.classes.iter().find(|(_, s)| s.contains(today)).map(|(c, _)| c.clone()),
                    may_justify: own.rights == GuardianRights::Complete,
                })
            })
            .collect();
        children.sort_by(|a, b| (&a.name, a.pupil).cmp(&(&b.name, b.pupil)));
        Ok(children)
    }

    /// A child's day.
    pub fn day(&self, pupil: PersonId, date: Date) -> Result<PupilDay, Error> {
        let mut device = self.registro.device();
        let school = read::school(&mut device)?;
        Record::of(&device, pupil)?.day(&mut device, &school, date)
    }

    /// A child's absences, lates and exits up to a day, with the state of their justification, oldest first.
    pub fn absences(&self, pupil: PersonId, until: Date) -> Result<Vec<AbsenceView>, Error> {
        let mut device = self.registro.device();
        let school = read::school(&mut device)?;
        let record = Record::of(&device, pupil)?;
        let justified = justifications_of(&device, record.document)?;
        let decided = decisions_of(&device, record.document)?;
        let days = record.days(&mut device, &school, school.year.start, until)?;
        let runs = record.runs(&school, &days);
        let justifications: Vec<_> =
            justified.iter().map(|(justification, _)| justification.clone()).collect();
        let decisions = only_decisions(&decided);
        let directory = device.directory()?.0;
        let view = |run: Run| {
            let covered = run.kind != JustificationKind::Absence
                && run.days.iter().all(|day| covered_by_absence(*day, &decisions));
            let state =
                if covered { RunState::Approved } else { run_state(&run, &justifications, &decisions) };
            let touches = |kind: JustificationKind, from: Date, to: Date| {
                kind == run.kind && run.days.iter().any(|day| from <= *day && *day <= to)
            };
            AbsenceView {
                facts: days
                    .iter()
                    .filter(|(date, _)| run.days.contains(date))
                    .flat_map(|(_, day)| day.facts.iter().cloned())
                    .collect(),
                justifications: justified
                    .iter()
                    .filter(|(j, _)| touches(j.kind, j.from, j.to))
                    .map(|(j, shown)| JustificationView::new(j.clone(), shown, directory, &school))
                    .collect(),
                decisions: decided
                    .iter()
                    .filter(|(d, _, _)| touches(d.kind, d.from, d.to))
                    .map(|(d, key, shown)| DecisionView::new(d.clone(), key, shown, directory, &school))
                    .collect(),
                run,
                state,
            }
        };
        Ok(runs.into_iter().map(view).collect())
    }

    /// Justifies a run (*giustifica*): one command.
    pub fn justify(
        &self,
        pupil: PersonId,
        run: &Run,
        reason: &str,
        text: Option<&str>,
    ) -> Result<CommandId, Error> {
        let (Some(from), Some(to)) = (run.from(), run.to()) else { return Err(Error::not_found("run")) };
        let mut device = self.registro.device();
        let person = device.account().map(|account| account.person);
        let person = person.ok_or_else(|| Error::new(ErrorKind::NotLoggedIn, "no account"))?;
        let record = Record::of(&device, pupil)?;
        let capacity = if person == pupil { Capacity::Pupil } else { Capacity::Guardian };
        let id = device.draw_command();
        let hex: String = device.draw::<8>().iter().map(|byte| format!("{byte:02x}")).collect();
        let fact = Fact::new(id, capacity).with("to", to).with("reason", reason).with_some("text", text);
        let key = format!("{}/{from}/{hex}", run.kind.as_str());
        let writes = vec![DraftWrite { document: record.document, section: "justifications", key, fact }];
        read::give(&mut device, Draft { id, capacity, writes })
    }

    /// A child's hours of absence up to a day against the year's limit.
    pub fn hours(&self, pupil: PersonId, until: Date) -> Result<HoursView, Error> {
        let mut device = self.registro.device();
        let record = Record::of(&device, pupil)?;
        hours::hours(&mut device, &record, until)
    }
}
