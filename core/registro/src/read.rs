//! Documents by what they are about, the facts that several roles show, and the one place where drafts are given.

use std::collections::BTreeMap;

use registro_documents::merge::KeyDecision;
use registro_documents::view::decide;
use registro_documents::{DocumentIdentity, Kind, Subject};
use registro_model::school::School;
use registro_model::{ClassCode, CommandId, Date, DocumentId, PersonId};
use registro_sync::device::{Device, Draft};

use crate::error::Error;

/// A pupil of a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PupilRef {
    pub pupil: PersonId,
    pub name: String,
    pub record: DocumentId,
    /// Position in the hub's log of the enrolment as it stands.
    pub enrolled_at: u64,
}

/// Whether a document is on this device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    /// It is here.
    Here(DocumentId),
    /// This person may read it, and it has not been fetched yet: nothing is known of what it says.
    Wanted,
    /// This person may not read it.
    Unreadable,
}

impl Held {
    /// The document, if it is here.
    pub fn here(self) -> Option<DocumentId> {
        match self {
            Self::Here(document) => Some(document),
            Self::Wanted | Self::Unreadable => None,
        }
    }
}

/// Whether the document about something is on this device.
pub(crate) fn held(device: &Device, kind: Kind, subject: &Subject) -> Held {
    let header =
        device.documents().find(|header| header.identity.kind == kind && header.identity.subject == *subject);
    match header {
        Some(header) if header.wanted => Held::Wanted,
        Some(header) => Held::Here(header.identity.id),
        None => Held::Unreadable,
    }
}

/// Whether the class's document of a date's month is on this device.
pub(crate) fn month(device: &Device, class: &ClassCode, date: Date) -> Held {
    held(device, Kind::ClassMonth, &Subject::Month(class.clone(), month_of(date)))
}

/// Whether a pupil's record is on this device.
pub(crate) fn is_here(device: &Device, document: DocumentId) -> bool {
    device.documents().any(|header| header.identity.id == document && !header.wanted)
}

pub(crate) fn month_of(date: Date) -> String {
    date.format("%Y-%m").to_string()
}

pub(crate) fn find(device: &Device, kind: Kind, subject: &Subject) -> Option<DocumentId> {
    device.find(|identity| identity.kind == kind && identity.subject == *subject)
}

pub(crate) fn school(device: &mut Device) -> Result<School, Error> {
    Ok(device.directory()?.1.clone())
}

pub(crate) fn roster(device: &Device, class: &ClassCode) -> Result<DocumentId, Error> {
    find(device, Kind::ClassRoster, &Subject::Class(class.clone())).ok_or_else(|| Error::not_found("class"))
}

/// The pupils of a class on a day, by name.
pub(crate) fn pupils(device: &Device, class: &ClassCode, date: Date) -> Result<Vec<PupilRef>, Error> {
    let roster = roster(device, class)?;
    let names = device.part(roster, "pupils")?;
    let enrolments = device.part(roster, "enrolments")?;
    let mut found = Vec::new();
    for (key, decision) in &names.keys {
        let (Ok(pupil), Some(shown)) = (key.parse::<PersonId>(), decision.live()) else { continue };
        let prefix = format!("{key}/");
        let enrolled = enrolments
            .keys
            .range(prefix.clone()..)
            .take_while(|(key, _)| key.starts_with(&prefix))
            .filter_map(|(key, decision)| Some((key.strip_prefix(&prefix)?, decision.live()?)))
            .find(|(from, shown)| {
                let from = registro_model::time::parse_date(from);
                from.is_ok_and(|from| from <= date) && shown.fact.date("to").is_none_or(|to| date <= to)
            })
            .map(|(_, shown)| shown.provenance.accepted.map_or(0, |record| record.position));
        let record = shown.fact.bytes("record").and_then(|id| DocumentId::try_from(id).ok());
        if let (Some(enrolled_at), Some(record)) = (enrolled, record) {
            let name = shown.fact.text("name").unwrap_or_default().to_owned();
            found.push(PupilRef { pupil, name, record, enrolled_at });
        }
    }
    found.sort_by(|a, b| (&a.name, a.pupil).cmp(&(&b.name, b.pupil)));
    Ok(found)
}

/// The class's document of a month, readable here or not.
pub(crate) fn month_document(
    device: &mut Device,
    class: &ClassCode,
    date: Date,
) -> Result<DocumentId, Error> {
    let month = month_of(date);
    let subject = Subject::Month(class.clone(), month.clone());
    if let Some(id) = find(device, Kind::ClassMonth, &subject) {
        return Ok(id);
    }
    let roster = roster(device, class)?;
    let months = device.part(roster, "months")?;
    let id = months
        .keys
        .get(&month)
        .and_then(KeyDecision::live)
        .and_then(|shown| shown.fact.bytes("document"))
        .and_then(|id| DocumentId::try_from(id).ok())
        .ok_or_else(|| Error::not_found("month"))?;
    know(device, roster, id, Kind::ClassMonth, subject)?;
    Ok(id)
}

/// A pupil's record, readable here or not.
pub(crate) fn record(device: &mut Device, class: &ClassCode, pupil: &PupilRef) -> Result<DocumentId, Error> {
    let roster = roster(device, class)?;
    know(device, roster, pupil.record, Kind::PupilRecord, Subject::Person(pupil.pupil))?;
    Ok(pupil.record)
}

fn know(
    device: &mut Device,
    roster: DocumentId,
    id: DocumentId,
    kind: Kind,
    subject: Subject,
) -> Result<(), Error> {
    let year = device
        .documents()
        .find(|header| header.identity.id == roster)
        .map(|header| header.identity.year.clone())
        .unwrap_or_default();
    Ok(device.know(DocumentIdentity { id, kind, subject, year, generation: 0 })?)
}

/// What is decided under some keys, from the document itself: it holds own work that no view shows yet.
pub(crate) fn decided(
    device: &mut Device,
    document: DocumentId,
    section: &str,
    keys: impl IntoIterator<Item = String>,
) -> Result<BTreeMap<String, KeyDecision>, Error> {
    let held = device.held(document)?;
    Ok(keys
        .into_iter()
        .filter_map(|key| decide(held.document(), section, &key, held).map(|decision| (key, decision)))
        .collect())
}

/// The keys of a section that begin with a prefix.
pub(crate) fn keys_of(
    device: &mut Device,
    document: DocumentId,
    section: &str,
    prefix: &str,
) -> Result<Vec<String>, Error> {
    let keys = device.held(document)?.document().keys(section);
    Ok(keys.into_iter().filter(|key| key.starts_with(prefix)).collect())
}

/// Writes a draft if this device's policy does not refuse it. The device is held from what its author was shown until
/// here, so that nothing slips in between.
pub(crate) fn give(device: &mut Device, draft: Draft) -> Result<CommandId, Error> {
    if let Some(reason) = device.refusal(&draft)? {
        return Err(Error::refused(reason));
    }
    Ok(device.give(draft)?)
}
