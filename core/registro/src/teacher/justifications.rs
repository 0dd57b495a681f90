//! Deciding justifications (*convalida*).

use std::collections::BTreeSet;

use registro_documents::Fact;
use registro_documents::merge::Shown;
use registro_model::justification::{Justification, Run, absence_runs};
use registro_model::school::{JustificationKind, School};
use registro_model::{ClassCode, CommandId, Date, PersonId};
use registro_sync::device::{Device, Draft, DraftWrite};

use super::Teacher;
use crate::error::Error;
use crate::provenance::Provenance;
use crate::read::{self, PupilRef, give};
use crate::record::{JustificationView, Record, decisions_of, justifications_of};

/// A justification that waits for a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingJustification {
    /// The pupil.
    pub pupil: PersonId,
    /// Name.
    pub name: String,
    /// The justification.
    pub justification: Justification,
    /// Its reason's code.
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

/// The justifications of a pupil that wait, each with what is to be decided of it.
///
/// One waits until somebody has decided about its shown version; and again when a day that it spans has become an
/// absence since, because a decision is about the days that its author saw.
pub(super) fn waiting(
    device: &mut Device,
    school: &School,
    pupil: &PupilRef,
) -> Result<Vec<(Justification, Shown, Vec<Run>)>, Error> {
    let justifications = justifications_of(device, pupil.record)?;
    if justifications.is_empty() {
        return Ok(Vec::new());
    }
    let decisions = decisions_of(device, pupil.record)?;
    let mut waiting = Vec::new();
    let mut record = None;
    for (justification, shown) in justifications {
        let decided: Vec<(Date, Date)> = decisions
            .iter()
            .filter(|(d, _, _)| d.key == justification.key && d.of == justification.v)
            .map(|(d, _, _)| (d.from, d.to))
            .collect();
        let covers = |from: Date, to: Date| decided.iter().any(|(f, t)| *f <= from && to <= *t);
        // The usual case, without a look at the days.
        if covers(justification.from, justification.to) {
            continue;
        }
        let record = match &mut record {
            Some(record) => record,
            none => none.insert(Record::read(device, pupil.pupil, pupil.record)?),
        };
        let mut runs = spanned(device, school, record, &justification)?;
        runs.retain(|run| !run.from().zip(run.to()).is_some_and(|(from, to)| covers(from, to)));
        if decided.is_empty() || !runs.is_empty() {
            waiting.push((justification, shown, runs));
        }
    }
    Ok(waiting)
}

fn pending_of(
    device: &mut Device,
    school: &School,
    pupil: &PupilRef,
) -> Result<Vec<PendingJustification>, Error> {
    let waiting = waiting(device, school, pupil)?;
    let directory = device.directory()?.0;
    Ok(waiting
        .into_iter()
        .map(|(justification, shown, runs)| {
            let view = JustificationView::new(justification, &shown, directory, school);
            PendingJustification {
                pupil: pupil.pupil,
                name: pupil.name.clone(),
                justification: view.justification,
                reason: view.reason,
                text: view.text,
                collected_by: view.collected_by,
                author: view.provenance.author,
                provenance: view.provenance,
                runs,
            }
        })
        .collect())
}

/// What a justification spans of what is to be justified. An absence that a late or an exit has replaced since is
/// still the absence that the family justified.
fn spanned(
    device: &mut Device,
    school: &School,
    record: &Record,
    justification: &Justification,
) -> Result<Vec<Run>, Error> {
    let days = record.days(device, school, justification.from, justification.to)?;
    if justification.kind != JustificationKind::Absence {
        let mut runs = record.runs(school, &days);
        runs.retain(|run| run.kind == justification.kind);
        return Ok(runs);
    }
    let absent: BTreeSet<Date> = days
        .iter()
        .filter(|(_, day)| day.absent || (day.late && !day.short_late) || day.left_early)
        .map(|(date, _)| *date)
        .collect();
    let site = absent.first().and_then(|date| record.class_on(*date)).map(|(_, site)| site);
    Ok(site.map(|site| absence_runs(school, site, &absent)).unwrap_or_default())
}

impl Teacher {
    /// Justifications of a class that wait for a decision, on the roster of that day.
    pub fn pending_justifications(
        &self,
        class: &ClassCode,
        date: Date,
    ) -> Result<Vec<PendingJustification>, Error> {
        let mut device = self.registro.device();
        let school = read::school(&mut device)?;
        let mut pending = Vec::new();
        for pupil in read::pupils(&device, class, date)? {
            if read::is_here(&device, pupil.record) {
                pending.extend(pending_of(&mut device, &school, &pupil)?);
            }
        }
        Ok(pending)
    }

    /// Approves a justification, or rejects it with a reason: one decision for each run that `pending` shows, about
    /// its days only, so that what is added to a run later is to be justified anew (A8). Rights are those of the
    /// class in which the pupil was on those days.
    ///
    /// # Errors
    /// `Rule` if there is nothing to approve (any more); `NotFound`, `NotAllowed`.
    pub fn decide(
        &self,
        class: &ClassCode,
        pending: &PendingJustification,
        rejected_because: Option<&str>,
    ) -> Result<CommandId, Error> {
        let mut device = self.registro.device();
        let record = Record::of(&device, pending.pupil)?;
        let justification = &pending.justification;
        let asked_in_advance = justification.kind == JustificationKind::Permit;
        if pending.runs.is_empty() && rejected_because.is_none() && !asked_in_advance {
            return Err(Error::rule(
                "In quei giorni non c'è più niente da giustificare.",
                "There is nothing left to justify on those days.",
            ));
        }
        let mut spans: Vec<(Date, Date)> =
            pending.runs.iter().filter_map(|run| Some((run.from()?, run.to()?))).collect();
        if spans.is_empty() {
            spans.push((justification.from, justification.to));
        }
        let last = spans.iter().map(|(_, to)| *to).max().unwrap_or(justification.to);
        let class = record.class_on(last).map_or(class, |(class, _)| class).clone();
        let capacity = self.capacity_in(&mut device, &class, last)?;
        let id = device.draw_command();
        let mut writes = Vec::new();
        for (from, to) in spans {
            let hex: String = device.draw::<8>().iter().map(|byte| format!("{byte:02x}")).collect();
            let fact = Fact::new(id, capacity)
                .with("kind", justification.kind.as_str())
                .with("reason", pending.reason.as_str())
                .with("of", justification.v)
                .with("key", justification.key.as_str())
                .with("from", from)
                .with("to", to)
                .with("approved", rejected_because.is_none())
                .with_some("why", rejected_because);
            writes.push(DraftWrite { document: record.document, section: "decisions", key: hex, fact });
        }
        give(&mut device, Draft { id, capacity, writes })
    }
}
