//! What became of what was written.

use std::collections::{BTreeMap, BTreeSet};

use registro_documents::{Kind, Subject, Write};
use registro_model::school::School;
use registro_model::time::parse_date;
use registro_model::{Capacity, ClassCode, CommandId, Date, DocumentId, PersonId};
use registro_sync::device::{Delivery, Device, OutboxEntry};

use crate::error::Error;
use crate::provenance::name_of;
use crate::says::{Says, says};

/// Delivery state of something written on this device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryState {
    /// Not confirmed by the hub yet.
    Pending,
    /// In the register.
    Confirmed {
        /// When the hub received it, Unix milliseconds.
        at: i64,
    },
    /// With the office, which decides.
    WithOffice {
        /// Why, in Italian.
        italian: String,
        /// Why, in English.
        english: String,
    },
    /// Refused.
    Refused {
        /// Stable name of the reason.
        reason: String,
        /// Why, in Italian.
        italian: String,
        /// Why, in English.
        english: String,
    },
}

/// Whom or what a fact is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// A pupil.
    Pupil {
        /// Who.
        pupil: PersonId,
        /// Their name, where it is known here.
        name: Option<String>,
    },
    /// A class.
    Class(ClassCode),
    /// Something else, or not known on this device any more.
    Other,
}

/// One fact of something written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenFact {
    /// The section of the register, such as `attendance`.
    pub section: String,
    /// Its key there.
    pub key: String,
    /// Whom it is about.
    pub about: About,
    /// The day that it is about; for justifications and decisions the last one.
    pub date: Option<Date>,
    /// Position of the hour that it is about, where it is about one.
    pub slot: Option<u8>,
    /// What it says.
    pub says: Says,
    /// Whether it is why all of it was refused or is with the office; several may be.
    pub is_cause: bool,
}

/// Something written on this device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its command.
    pub command: CommandId,
    /// When the device's clock said it was written, Unix seconds.
    pub claimed: i64,
    /// In what capacity.
    pub capacity: Capacity,
    /// What it wrote.
    pub facts: Vec<WrittenFact>,
    /// What became of it.
    pub delivery: DeliveryState,
    /// The command of which this writes the rest, after some of its facts were refused or are with the office.
    pub instead_of: Option<CommandId>,
}

impl From<&OutboxEntry> for DeliveryState {
    fn from(entry: &OutboxEntry) -> Self {
        match &entry.delivery {
            Delivery::Pending => match entry.changes.iter().map(|c| c.record).collect::<Option<Vec<_>>>() {
                Some(records) if !records.is_empty() => {
                    Self::Confirmed { at: records.iter().map(|r| r.received).max().unwrap_or(0) }
                }
                _ => Self::Pending,
            },
            Delivery::Confirmed { at } => Self::Confirmed { at: *at },
            Delivery::WithOffice(refusal) => Self::WithOffice {
                italian: refusal.reason.map_or("È in segreteria.", |reason| reason.italian()).to_owned(),
                english: refusal
                    .reason
                    .map_or("It is with the office.", |reason| reason.english())
                    .to_owned(),
            },
            Delivery::Refused(refusal) => Self::Refused {
                reason: refusal.reason.map_or(refusal.code.as_str(), |reason| reason.kind()).to_owned(),
                italian: refusal
                    .reason
                    .map_or("Non è stato accettato.", |reason| reason.italian())
                    .to_owned(),
                english: refusal.reason.map_or("It was not accepted.", |reason| reason.english()).to_owned(),
            },
        }
    }
}

/// Everything that was written on this device, in order.
pub(crate) fn written(device: &mut Device) -> Result<Vec<Written>, Error> {
    let entries = device.commands()?;
    let documents: BTreeSet<DocumentId> =
        entries.iter().flat_map(|entry| &entry.command.writes).map(|write| write.document).collect();
    let about = about(device, documents)?;
    let school = device.directory().map(|(_, school)| school.clone())?;
    Ok(entries
        .iter()
        .map(|entry| Written {
            command: entry.command.id,
            claimed: entry.command.claimed,
            capacity: entry.command.capacity,
            facts: entry.command.writes.iter().map(|write| fact(write, entry, &about, &school)).collect(),
            delivery: entry.into(),
            instead_of: entry.instead_of,
        })
        .collect())
}

fn fact(
    write: &Write,
    entry: &OutboxEntry,
    about: &BTreeMap<DocumentId, About>,
    school: &School,
) -> WrittenFact {
    let causes: &[DocumentId] = match &entry.delivery {
        Delivery::WithOffice(refusal) | Delivery::Refused(refusal) => &refusal.causes,
        Delivery::Pending | Delivery::Confirmed { .. } => &[],
    };
    let in_key = || write.key.split_once('#')?.1.split('/').next()?.parse().ok();
    WrittenFact {
        section: write.section.clone(),
        key: write.key.clone(),
        about: about.get(&write.document).cloned().unwrap_or(About::Other),
        date: write.key.get(..10).and_then(|day| parse_date(day).ok()).or_else(|| write.fact.date("to")),
        slot: write.fact.slot().or_else(in_key),
        says: says(&write.section, &write.key, &write.fact, school),
        is_cause: causes.contains(&write.document),
    }
}

/// What documents are about. Those that may not be read here, never or not any more, are found in the rosters,
/// which name every pupil's record and every month of every class.
fn about(device: &mut Device, documents: BTreeSet<DocumentId>) -> Result<BTreeMap<DocumentId, About>, Error> {
    let mut known: BTreeMap<DocumentId, Subject> = device
        .documents()
        .filter(|header| documents.contains(&header.identity.id))
        .map(|header| (header.identity.id, header.identity.subject.clone()))
        .collect();
    let mut names: BTreeMap<PersonId, String> = BTreeMap::new();
    let rosters: Vec<(DocumentId, ClassCode)> = device
        .documents()
        .filter(|header| header.identity.kind == Kind::ClassRoster)
        .filter_map(|header| Some((header.identity.id, header.identity.subject.class()?.clone())))
        .collect();
    for (roster, class) in rosters {
        if documents.iter().all(|document| known.contains_key(document)) {
            break;
        }
        let named = |key: &str, field: &str| -> Result<Vec<(String, DocumentId, Option<String>)>, Error> {
            let part = device.part(roster, key)?;
            Ok(part
                .keys
                .iter()
                .filter_map(|(key, decision)| {
                    let fact = &decision.live()?.fact;
                    let document = DocumentId::try_from(fact.bytes(field)?).ok()?;
                    Some((key.clone(), document, fact.text("name").map(str::to_owned)))
                })
                .filter(|(_, document, _)| documents.contains(document))
                .collect())
        };
        for (key, document, name) in named("pupils", "record")? {
            if let Ok(pupil) = key.parse::<PersonId>() {
                known.entry(document).or_insert(Subject::Person(pupil));
                names.extend(name.map(|name| (pupil, name)));
            }
        }
        for (month, document, _) in named("months", "document")? {
            known.entry(document).or_insert(Subject::Month(class.clone(), month));
        }
    }
    let directory = device.directory()?.0;
    Ok(known
        .into_iter()
        .map(|(document, subject)| {
            let about = match subject {
                Subject::Person(pupil) => {
                    let name = names.get(&pupil).cloned().or_else(|| name_of(directory, pupil));
                    About::Pupil { pupil, name }
                }
                Subject::Class(class) | Subject::Month(class, _) | Subject::Term(class, _) => {
                    About::Class(class)
                }
                Subject::School => About::Other,
            };
            (document, about)
        })
        .collect())
}
