//! Conflicts: two or more live values of one fact, which somebody sees and resolves.

use std::collections::BTreeSet;

use registro_documents::fact::RESOLVES;
use registro_documents::merge::{KeyDecision, Shown};
use registro_model::{ClassCode, CommandId, Date, DocumentId, PersonId};
use registro_sync::device::{Device, Draft, DraftWrite};

use super::Teacher;
use crate::error::Error;
use crate::provenance::{Provenance, name_of};
use crate::read::{self, give, month_of};
use crate::says::{Says, says};

/// Two or more values of one fact, of which one shows until somebody resolves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictView {
    /// The section: `attendance`, `lessons` or `topics`.
    pub section: String,
    /// The pupil, in `attendance`.
    pub pupil: Option<PersonId>,
    /// Name of the pupil, or of the teacher who signed.
    pub name: String,
    /// The document.
    pub document: DocumentId,
    /// The key in its section.
    pub key: String,
    /// The values, the one that shows first.
    pub values: Vec<ConflictValue>,
}

/// One of the values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictValue {
    /// Its version.
    pub v: CommandId,
    /// What it says.
    pub says: Says,
    /// Who wrote it, on which device, when.
    pub provenance: Provenance,
}

const ATTENDANCE: &str = "attendance";
/// Sections of a class's month that have conflicts, when one person signs on two devices.
const OF_MONTH: [&str; 2] = ["lessons", "topics"];

/// The values that a call was shown are not the ones that stand there now.
pub(super) fn changed() -> Error {
    Error::rule(
        "Nel frattempo le registrazioni sono cambiate: guardale di nuovo prima di scegliere.",
        "The entries have changed in the meantime: look at them again before you choose.",
    )
}

impl Teacher {
    /// The conflicts of a class on a day.
    pub fn conflicts(&self, class: &ClassCode, date: Date) -> Result<Vec<ConflictView>, Error> {
        let mut device = self.registro.device();
        let prefix = date.to_string();
        let mut found = Vec::new();
        for pupil in read::pupils(&device, class, date)? {
            if read::is_here(&device, pupil.record) {
                let part = device.part(pupil.record, &format!("{ATTENDANCE}/{}", month_of(date)))?;
                let of = (ATTENDANCE, pupil.record, Some(pupil.pupil), pupil.name);
                found.extend(part.keys.into_iter().map(|(key, decision)| (of.clone(), key, decision)));
            }
        }
        if let Some(month) = read::month(&device, class, date).here() {
            for section in OF_MONTH {
                let part = device.part(month, &format!("{section}/{}", month_of(date)))?;
                let of = (section, month, None, String::new());
                found.extend(part.keys.into_iter().map(|(key, decision)| (of.clone(), key, decision)));
            }
        }
        found.retain(|(_, key, decision)| key.starts_with(&prefix) && decision.conflict);
        let (directory, school) = device.directory()?;
        Ok(found
            .into_iter()
            .map(|((section, document, pupil, name), key, decision)| {
                let signer = || name_of(directory, key.split_once('/')?.1.parse().ok()?);
                let value = |shown: &Shown| ConflictValue {
                    v: shown.fact.v,
                    says: says(section, &key, &shown.fact, school),
                    provenance: Provenance::of(&key, shown, directory, school),
                };
                ConflictView {
                    section: section.to_owned(),
                    pupil,
                    name: if pupil.is_some() { name } else { signer().unwrap_or_default() },
                    document,
                    values: decision.live_values().map(value).collect(),
                    key,
                }
            })
            .collect())
    }

    /// Resolves a conflict: the chosen value is written again over all that were shown.
    ///
    /// # Errors
    /// `Rule` if other values stand there now than `conflict` shows: list them again; `NotFound` if the chosen one
    /// is not among them; `NotAllowed`.
    pub fn resolve(
        &self,
        class: &ClassCode,
        conflict: &ConflictView,
        chosen: CommandId,
        date: Date,
    ) -> Result<CommandId, Error> {
        let mut device = self.registro.device();
        let capacity = self.capacity_in(&mut device, class, date)?;
        let section = [ATTENDANCE]
            .into_iter()
            .chain(OF_MONTH)
            .find(|section| *section == conflict.section)
            .ok_or_else(|| Error::not_found("section"))?;
        let decision = decision(&mut device, conflict.document, section, &conflict.key)?;
        let live: BTreeSet<CommandId> = decision.live_values().map(|shown| shown.fact.v).collect();
        let shown: BTreeSet<CommandId> = conflict.values.iter().map(|value| value.v).collect();
        if live != shown || !decision.conflict {
            return Err(changed());
        }
        let mut fact = decision
            .live_values()
            .find(|shown| shown.fact.v == chosen)
            .map(|shown| shown.fact.clone())
            .ok_or_else(|| Error::not_found("value of the conflict"))?;
        let id = device.draw_command();
        fact.v = id;
        fact.capacity = capacity;
        fact.fields.remove(RESOLVES);
        let key = conflict.key.clone();
        let writes = vec![DraftWrite { document: conflict.document, section, key, fact }];
        give(&mut device, Draft { id, capacity, writes })
    }
}

/// What is decided under a key now.
fn decision(
    device: &mut Device,
    document: DocumentId,
    section: &str,
    key: &str,
) -> Result<KeyDecision, Error> {
    let decided = read::decided(device, document, section, [key.to_owned()])?;
    decided.into_values().next().ok_or_else(changed)
}
