//! Pupils called present against an absence, which somebody settles.

use std::collections::BTreeMap;

use registro_documents::Fact;
use registro_documents::fact::RESOLVES;
use registro_documents::merge::{KeyDecision, Shown, called_present, decide_day};
use registro_model::school::AttendanceMode;
use registro_model::{ClassCode, CommandId, Date, PersonId};
use registro_sync::device::{Draft, DraftWrite};

use super::Teacher;
use super::conflicts::changed;
use crate::attendance::in_conflict;
use crate::error::Error;
use crate::provenance::Provenance;
use crate::read::{self, give, month_of};
use crate::record::Record;
use crate::rolls;

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
    /// Where that roll comes from.
    pub roll_provenance: Provenance,
    /// Where the absence comes from that stands against it.
    pub absence_provenance: Provenance,
}

impl Teacher {
    /// Pupils of a class entered as absent on a day whom a roll called present.
    ///
    /// # Errors
    /// `NotFound` if the class is not known here, or its month may not be read or has not been fetched yet.
    pub fn called_present(&self, class: &ClassCode, date: Date) -> Result<Vec<CalledPresentView>, Error> {
        let mut device = self.registro.device();
        let school = read::school(&mut device)?;
        let mode = school.settings.attendance_mode;
        let month = read::month(&device, class, date).here().ok_or_else(|| Error::not_found("month"))?;
        let called = rolls::rolls(&device, month, date)?;
        let mut reports = Vec::new();
        for pupil in read::pupils(&device, class, date)? {
            if !read::is_here(&device, pupil.record) {
                continue;
            }
            let keys = device.part(pupil.record, &format!("attendance/{}", month_of(date)))?.keys;
            for called in &called {
                let Some((key, absence, later)) = absence(mode, date, called.roll.slot, &keys) else {
                    continue;
                };
                if called.may_miss(pupil.enrolled_at) {
                    // Whom the roll's author had not heard of was not called, present or not.
                    let record = Record::read(&device, pupil.pupil, pupil.record)?;
                    if called.misses(&mut device, &record)? {
                        continue;
                    }
                }
                let held = device.held(pupil.record)?;
                let wrote = || {
                    let Some(device) = called.roll.device else { return false };
                    let of_day = |key: &&String| key.starts_with(&date.to_string());
                    keys.keys()
                        .filter(of_day)
                        .any(|key| held.ever_wrote("attendance", key, called.roll.v, &device))
                };
                let report = called_present(&called.roll, pupil.pupil, &absence, wrote, &later);
                if let Some(report) = report {
                    let directory = device.directory()?.0;
                    reports.push(CalledPresentView {
                        pupil: pupil.pupil,
                        name: pupil.name.clone(),
                        slot: report.slot,
                        author: report.author,
                        roll: report.roll,
                        roll_provenance: Provenance::of(&called.key, &called.shown, directory, &school),
                        absence_provenance: Provenance::of(&key, &absence, directory, &school),
                    });
                }
            }
        }
        Ok(reports)
    }

    /// Settles a report: the pupil was present (the absence is annulled), or was not (the absence is written again
    /// and names the roll).
    ///
    /// # Errors
    /// `Rule` if another absence stands there now than the report shows; `NotFound` if there is none any more;
    /// `NotAllowed`.
    pub fn settle_called_present(
        &self,
        class: &ClassCode,
        report: &CalledPresentView,
        date: Date,
        was_present: bool,
    ) -> Result<CommandId, Error> {
        let mut device = self.registro.device();
        let capacity = self.capacity_in(&mut device, class, date)?;
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
        let decision = decided.get(&key).ok_or_else(|| Error::not_found("absence"))?;
        let fact = &decision.live().ok_or_else(|| Error::not_found("absence"))?.fact;
        if decision.conflict {
            return Err(in_conflict());
        }
        if fact.v != report.absence_provenance.version {
            return Err(changed());
        }
        let id = device.draw_command();
        let mut fact = match (was_present, mode) {
            (true, AttendanceMode::Day) => fact.annulled_by(id, capacity, "called present"),
            (true, AttendanceMode::Slot) => {
                Fact::new(id, capacity).with("status", "present").with("why", "called present")
            }
            (false, _) => {
                let mut settled = fact.bytes("settles").unwrap_or_default().to_vec();
                settled.extend_from_slice(report.roll.as_bytes());
                fact.clone().with("settles", settled)
            }
        };
        fact.v = id;
        fact.capacity = capacity;
        fact.fields.remove(RESOLVES);
        let writes = vec![DraftWrite { document: pupil.record, section: "attendance", key, fact }];
        give(&mut device, Draft { id, capacity, writes })
    }
}

/// The absence that shows against a roll of a slot, with its key, and the slots of the day's other facts.
fn absence(
    mode: AttendanceMode,
    date: Date,
    slot: u8,
    keys: &BTreeMap<String, KeyDecision>,
) -> Option<(String, Shown, Vec<u8>)> {
    match mode {
        AttendanceMode::Day => {
            let day = decide_day(&date.to_string(), keys);
            let later = [day.entry, day.exit]
                .into_iter()
                .flatten()
                .chain(day.outs.iter().map(|(_, shown)| *shown))
                .filter_map(|shown| shown.fact.slot())
                .collect();
            Some((format!("{date}/absence"), day.absence?.clone(), later))
        }
        AttendanceMode::Slot => {
            let key = format!("{date}#{slot}");
            let mut shown = keys.get(&key)?.live()?.clone();
            if shown.fact.text("status") != Some("absent") {
                return None;
            }
            // Slot facts have their slot in the key.
            shown.fact = shown.fact.with("slot", slot);
            Some((key, shown, Vec::new()))
        }
    }
}
