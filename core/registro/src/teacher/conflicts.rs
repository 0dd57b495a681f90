//! Conflicts, which somebody resolves, and pupils called present against an absence, which somebody settles.

use std::collections::BTreeSet;

use registro_documents::merge::{Roll, Shown, called_present};
use registro_model::school::AttendanceMode;
use registro_model::{ClassCode, CommandId, Date, DocumentId, PersonId};
use registro_sync::device::{Draft, DraftWrite};

use super::Teacher;
use crate::attendance::describe;
use crate::error::Error;
use crate::read::{self, month_of};

/// Two or more values of one fact, of which one shows until somebody resolves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictView {
    /// The pupil.
    pub pupil: PersonId,
    /// Name.
    pub name: String,
    /// The document.
    pub document: DocumentId,
    /// The key in section `attendance`.
    pub key: String,
    /// The values, the one that shows first.
    pub values: Vec<ConflictValue>,
}

/// One of the values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictValue {
    /// Its version.
    pub v: CommandId,
    /// Who wrote it.
    pub author: Option<PersonId>,
    /// When the author's device said it was, Unix seconds.
    pub claimed: i64,
    /// When the hub received it, Unix milliseconds.
    pub received: Option<i64>,
    /// What it says.
    pub says: String,
}

/// A pupil entered as absent whom somebody's roll called present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalledPresentView {
    /// The pupil.
    pub pupil: PersonId,
    /// Name.
    pub name: String,
    /// The slot of that roll.
    pub slot: u8,
    /// Who called it.
    pub author: PersonId,
    /// The roll's command.
    pub roll: CommandId,
}

impl Teacher {
    /// The conflicts of a class on a day.
    pub fn conflicts(&self, class: &ClassCode, date: Date) -> Result<Vec<ConflictView>, Error> {
        let device = self.registro.device();
        let prefix = date.to_string();
        let mut conflicts = Vec::new();
        for pupil in read::pupils(&device, class, date)? {
            if !device.documents().any(|header| header.identity.id == pupil.record) {
                continue;
            }
            let part = device.part(pupil.record, &format!("attendance/{}", month_of(date)))?;
            for (key, decision) in part.keys.iter().filter(|(k, d)| k.starts_with(&prefix) && d.conflict) {
                let value = |shown: &Shown| ConflictValue {
                    v: shown.fact.v,
                    author: shown.provenance.person,
                    claimed: shown.provenance.claimed,
                    received: shown.provenance.accepted.map(|record| record.received),
                    says: describe(&shown.fact),
                };
                conflicts.push(ConflictView {
                    pupil: pupil.pupil,
                    name: pupil.name.clone(),
                    document: pupil.record,
                    key: key.clone(),
                    values: decision.live_values().map(value).collect(),
                });
            }
        }
        Ok(conflicts)
    }

    /// Resolves a conflict: the chosen value is written again over all of them.
    pub fn resolve(
        &self,
        class: &ClassCode,
        conflict: &ConflictView,
        chosen: CommandId,
        date: Date,
    ) -> Result<CommandId, Error> {
        let capacity = self.capacity(class, date)?;
        let mut device = self.registro.device();
        let versions = device.held(conflict.document)?.document().versions("attendance", &conflict.key);
        let mut fact = versions
            .into_iter()
            .map(|version| version.fact)
            .find(|fact| fact.v == chosen)
            .ok_or_else(|| Error::not_found("value of the conflict"))?;
        let id = device.draw_command();
        fact.v = id;
        fact.capacity = capacity;
        fact.fields.remove(registro_documents::fact::RESOLVES);
        let key = conflict.key.clone();
        let writes = vec![DraftWrite { document: conflict.document, section: "attendance", key, fact }];
        drop(device);
        self.give(Draft { id, capacity, writes })
    }

    /// Pupils of a class entered as absent on a day whom a roll called present.
    pub fn called_present(&self, class: &ClassCode, date: Date) -> Result<Vec<CalledPresentView>, Error> {
        let mut device = self.registro.device();
        let mode = read::school(&mut device)?.settings.attendance_mode;
        let month = read::month_document(&mut device, class, date)?;
        let rolls: Vec<Roll> = device
            .part(month, &format!("rolls/{}", month_of(date)))?
            .keys
            .iter()
            .filter(|(key, _)| key.starts_with(&date.to_string()))
            .flat_map(|(key, decision)| decision.live_values().map(move |shown| (key, shown)))
            .filter_map(|(key, shown)| Roll::read(key, shown))
            .collect();
        let mut reports = Vec::new();
        for pupil in read::pupils(&device, class, date)? {
            if !device.documents().any(|header| header.identity.id == pupil.record) {
                continue;
            }
            let part = device.part(pupil.record, &format!("attendance/{}", month_of(date)))?;
            let keys: BTreeSet<&String> =
                part.keys.keys().filter(|k| k.starts_with(&date.to_string())).collect();
            for roll in &rolls {
                let (absence, later) = match mode {
                    AttendanceMode::Day => {
                        let day = registro_documents::merge::decide_day(&date.to_string(), &part.keys);
                        let later: Vec<u8> = [day.entry, day.exit]
                            .into_iter()
                            .flatten()
                            .chain(day.outs.iter().map(|(_, shown)| *shown))
                            .filter_map(|shown| shown.fact.slot())
                            .collect();
                        (day.absence.cloned(), later)
                    }
                    AttendanceMode::Slot => {
                        let decision = part.keys.get(&format!("{date}#{}", roll.slot));
                        let absent = decision
                            .and_then(registro_documents::merge::KeyDecision::live)
                            .filter(|shown| shown.fact.text("status") == Some("absent"))
                            .cloned()
                            .map(|mut shown| {
                                // Slot facts have their slot in the key.
                                shown.fact = shown.fact.with("slot", roll.slot);
                                shown
                            });
                        (absent, Vec::new())
                    }
                };
                let Some(absence) = absence else { continue };
                let held = device.held(pupil.record)?;
                let wrote = || {
                    let Some(device) = roll.device else { return false };
                    keys.iter().any(|key| held.ever_wrote("attendance", key, roll.v, &device))
                };
                if let Some(report) = called_present(roll, pupil.pupil, &absence, wrote, &later) {
                    reports.push(CalledPresentView {
                        pupil: pupil.pupil,
                        name: pupil.name.clone(),
                        slot: report.slot,
                        author: report.author,
                        roll: report.roll,
                    });
                }
            }
        }
        Ok(reports)
    }

    /// Settles a report: the pupil was present (the absence is annulled), or was not (the absence is written again
    /// and names the roll).
    pub fn settle_called_present(
        &self,
        class: &ClassCode,
        report: &CalledPresentView,
        date: Date,
        was_present: bool,
    ) -> Result<CommandId, Error> {
        let capacity = self.capacity(class, date)?;
        let mut device = self.registro.device();
        let mode = read::school(&mut device)?.settings.attendance_mode;
        let pupils = read::pupils(&device, class, date)?;
        let pupil = pupils
            .iter()
            .find(|p| p.pupil == report.pupil)
            .ok_or_else(|| Error::not_found("pupil in class"))?;
        let key = match mode {
            AttendanceMode::Day => format!("{date}/absence"),
            AttendanceMode::Slot => format!("{date}#{}", report.slot),
        };
        let decided = read::decided(&mut device, pupil.record, "attendance", [key.clone()])?;
        let shown = decided.get(&key).and_then(registro_documents::merge::KeyDecision::live);
        let fact = &shown.ok_or_else(|| Error::not_found("absence"))?.fact;
        let id = device.draw_command();
        let mut fact = match (was_present, mode) {
            (true, AttendanceMode::Day) => fact.annulled_by(id, capacity, "called present"),
            (true, AttendanceMode::Slot) => {
                registro_documents::Fact::new(id, capacity).with("status", "present")
            }
            (false, _) => {
                let mut settled = fact.bytes("settles").unwrap_or_default().to_vec();
                settled.extend_from_slice(report.roll.as_bytes());
                fact.clone().with("settles", settled)
            }
        };
        fact.v = id;
        fact.capacity = capacity;
        fact.fields.remove(registro_documents::fact::RESOLVES);
        let writes = vec![DraftWrite { document: pupil.record, section: "attendance", key, fact }];
        drop(device);
        self.give(Draft { id, capacity, writes })
    }
}
