//! What must hold when everybody has come to rest.

use std::collections::{BTreeMap, BTreeSet};

use registro_documents::gate::{self, Expectation, Verdict};
use registro_documents::merge::{Origin, Origins};
use registro_documents::view::{ViewPart, view};
use registro_documents::{CertificateId, ChangeHash, Document, DocumentIdentity, Hash, SignedChange};
use registro_hub::Hub;
use registro_hub::documents::Loaded;
use registro_hub::log::RowKind;
use registro_model::{DocumentId, PersonId, Standing};
use registro_sync::device::Delivery;
use registro_sync::messages::Code;

use super::{Tablet, Violation, broken};

/// What a run came to, for the test's own sanity: a simulation in which nothing happens proves nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Judged {
    /// Commands in the register.
    pub confirmed: usize,
    /// Commands that were refused or are with the office.
    pub refused: usize,
    /// Keys with more than one concurrent version.
    pub concurrent: usize,
    /// Pairs of a device and a document that were compared.
    pub compared: usize,
}

/// The hub's document with who stands behind it.
struct Seen<'a> {
    loaded: &'a Loaded,
    authors: BTreeMap<[u8; 16], (PersonId, CertificateId)>,
}

impl Origins for Seen<'_> {
    fn origin(&self, change: &Hash) -> Origin {
        match self.loaded.records.get(change) {
            Some(record) => Origin::Accepted(*record),
            None => Origin::Unconfirmed(Standing::Pupil),
        }
    }

    fn author(&self, actor: &[u8; 16]) -> Option<(PersonId, CertificateId)> {
        self.authors.get(actor).copied()
    }
}

fn heads(document: &Document) -> BTreeSet<Hash> {
    document.heads().iter().map(|head| head.0).collect()
}

type View = BTreeMap<String, ViewPart>;

fn without_empty(mut view: View) -> View {
    view.retain(|_, part| !part.keys.is_empty());
    view
}

fn hub_view(hub: &Hub, loaded: &Loaded) -> Result<View, Violation> {
    let mut authors = BTreeMap::new();
    for (actor, origin) in &loaded.origins {
        let certificate = hub.certificate(&origin.certificate).map_err(|e| broken("the hub")(&e))?;
        let person = certificate.ok_or_else(|| "an author without certificate".to_owned())?.person;
        authors.insert(*actor, (person, origin.certificate));
    }
    let seen = Seen { loaded, authors };
    Ok(without_empty(view(&loaded.document, &seen)))
}

/// Every document from its genesis, by the log alone; and that no command was accepted twice.
fn rebuilt(hub: &Hub, identities: &[DocumentIdentity]) -> Result<BTreeMap<DocumentId, Document>, Violation> {
    let mut documents: BTreeMap<_, _> =
        identities.iter().map(|identity| (identity.id, Document::founded(identity.kind))).collect();
    let mut commands = BTreeSet::new();
    let mut position = 0;
    loop {
        let rows = hub.log_rows(position, 500).map_err(|e| broken("the log")(&e))?;
        let Some(last) = rows.last() else { return Ok(documents) };
        position = last.position;
        for row in rows.iter().filter(|row| row.kind == RowKind::Change) {
            let signed: SignedChange = minicbor::decode(&row.data).map_err(|e| broken("a row")(&e))?;
            if !commands.insert((row.author, signed.envelope.command, row.document)) {
                return Err(format!("command {} is in the log twice", signed.envelope.command));
            }
            let document = documents.get_mut(&row.document).ok_or("a change of an unknown document")?;
            let expect = Expectation { accepted_by_hub: true, ..Expectation::default() };
            let verdict = gate::judge(document, &signed.chunk, &expect);
            match verdict.map_err(|r| format!("the log holds what the gate refuses: {}", r.reason))? {
                Verdict::Known(_) => return Err("a change is in the log twice".to_owned()),
                Verdict::Sound(judged) => {
                    gate::admit(document, judged).map_err(|r| format!("the log: {}", r.reason))?;
                }
            }
        }
    }
}

/// Judges hub and devices.
pub fn judge(hub: &Hub, tablets: &mut [Tablet]) -> Result<Judged, Violation> {
    let mut judged = Judged::default();
    let identities = hub.documents().map_err(|e| broken("the hub")(&e))?;
    let rebuilt = rebuilt(hub, &identities)?;
    let mut views = BTreeMap::new();
    let mut documents = BTreeMap::new();
    for identity in &identities {
        let loaded = hub.document(identity.id).map_err(|e| broken("the hub")(&e))?;
        let from_log = rebuilt.get(&identity.id).ok_or("a document is not in the log")?;
        if heads(from_log) != heads(&loaded.document) {
            return Err(format!("{} {} is not what its log says", identity.kind, identity.subject));
        }
        let view = hub_view(hub, &loaded)?;
        judged.concurrent +=
            view.values().flat_map(|part| part.keys.values()).filter(|key| !key.others.is_empty()).count();
        views.insert(identity.id, view);
        documents.insert(identity.id, loaded.document);
    }
    for (index, tablet) in tablets.iter_mut().enumerate() {
        commands(index, tablet, &documents, &mut judged)?;
        same_views(index, tablet, &documents, &views, &mut judged)?;
    }
    Ok(judged)
}

/// Everything that was given is confirmed, or its author was told why not.
fn commands(
    index: usize,
    tablet: &mut Tablet,
    documents: &BTreeMap<DocumentId, Document>,
    judged: &mut Judged,
) -> Result<(), Violation> {
    let entries = tablet.device()?.commands().map_err(|e| broken("a device")(&e))?;
    let known: BTreeSet<_> = entries.iter().map(|entry| entry.command.id).collect();
    if let Some(lost) = tablet.given.keys().find(|id| !known.contains(id)) {
        return Err(format!("device {index} does not know its command {lost} any more"));
    }
    for entry in entries {
        let id = entry.command.id;
        match &entry.delivery {
            Delivery::Pending => return Err(format!("device {index}: command {id} is still pending")),
            Delivery::Confirmed { .. } => {
                judged.confirmed += 1;
                for change in &entry.changes {
                    let envelope = &change.signed.envelope;
                    let document = documents.get(&envelope.document).ok_or("an unknown document")?;
                    if !document.contains(&ChangeHash(envelope.change)) {
                        return Err(format!("device {index}: command {id} was confirmed and is lost"));
                    }
                }
            }
            Delivery::Refused(refusal) | Delivery::WithOffice(refusal) => {
                judged.refused += 1;
                if matches!(refusal.code, Code::Bounds | Code::Form) {
                    return Err(format!("device {index}: the honest command {id} was refused for its form"));
                }
            }
        }
    }
    Ok(())
}

/// Every document of a device shows what the hub's shows.
fn same_views(
    index: usize,
    tablet: &mut Tablet,
    documents: &BTreeMap<DocumentId, Document>,
    views: &BTreeMap<DocumentId, View>,
    judged: &mut Judged,
) -> Result<(), Violation> {
    let device = tablet.device()?;
    let held: Vec<_> = device.documents().map(|header| header.identity.clone()).collect();
    for identity in held {
        let name = format!("device {index}: {} {}", identity.kind, identity.subject);
        let hub_document = documents.get(&identity.id).ok_or_else(|| format!("{name}: not the hub's"))?;
        let held = device.held(identity.id).map_err(|e| broken(&name)(&e))?;
        if heads(held.document()) != heads(hub_document) {
            return Err(format!("{name}: another history than the hub's"));
        }
        let from_document = without_empty(view(held.document(), held));
        let expected = views.get(&identity.id).ok_or_else(|| format!("{name}: no view"))?;
        if from_document != *expected {
            return Err(format!(
                "{name}: decides otherwise than the hub\n{}",
                difference(expected, &from_document)
            ));
        }
        let mut shown = View::new();
        for part in expected.keys() {
            let read = device.part(identity.id, part).map_err(|e| broken(&name)(&e))?;
            shown.insert(part.clone(), read);
        }
        if shown != *expected {
            return Err(format!(
                "{name}: shows something else than it holds\n{}",
                difference(expected, &shown)
            ));
        }
        judged.compared += 1;
    }
    Ok(())
}

fn difference(expected: &View, found: &View) -> String {
    let parts: BTreeSet<_> = expected.keys().chain(found.keys()).collect();
    let empty = ViewPart::default();
    for part in parts {
        let (e, f) = (expected.get(part).unwrap_or(&empty), found.get(part).unwrap_or(&empty));
        let keys: BTreeSet<_> = e.keys.keys().chain(f.keys.keys()).collect();
        for key in keys {
            if e.keys.get(key) != f.keys.get(key) {
                return format!("{part} {key}\nhub:    {:?}\ndevice: {:?}", e.keys.get(key), f.keys.get(key));
            }
        }
    }
    String::new()
}
