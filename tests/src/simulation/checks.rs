//! What must hold when everybody has come to rest.

mod expected;
mod scope;
mod screens;

use std::collections::{BTreeMap, BTreeSet};

use registro_documents::gate::{self, Expectation, Verdict};
use registro_documents::merge::{Origin, Origins, Seen};
use registro_documents::view::{ViewPart, view};
use registro_documents::{CertificateId, Document, DocumentIdentity, Hash, SignedChange};
use registro_hub::Hub;
use registro_hub::documents::Loaded;
use registro_hub::log::RowKind;
use registro_hub::registry::Registered;
use registro_model::{CommandId, DocumentId, PersonId, Standing};
use registro_sync::device::Delivery;

use super::{Tablet, Violation, broken};
use expected::Model;
use screens::Screens;

/// What a run came to, for the test's own sanity: a simulation in which nothing happens proves nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Judged {
    /// Commands in the register.
    pub confirmed: usize,
    /// Commands that were refused or are with the office.
    pub refused: usize,
    /// Those that are with the office.
    pub with_office: usize,
    /// Commands that write what remained of a refused one.
    pub remainders: usize,
    /// Keys with more than one concurrent version.
    pub concurrent: usize,
    /// Pairs of a device and a document that were compared.
    pub compared: usize,
    /// Pairs of a device and what it shows of a child, that were compared.
    pub screens: usize,
}

impl Judged {
    /// Nothing yet.
    pub const NOTHING: Self = Self {
        confirmed: 0,
        refused: 0,
        with_office: 0,
        remainders: 0,
        concurrent: 0,
        compared: 0,
        screens: 0,
    };
}

impl std::ops::AddAssign for Judged {
    fn add_assign(&mut self, other: Self) {
        self.confirmed += other.confirmed;
        self.refused += other.refused;
        self.with_office += other.with_office;
        self.remainders += other.remainders;
        self.concurrent += other.concurrent;
        self.compared += other.compared;
        self.screens += other.screens;
    }
}

/// The hub's document with who stands behind it.
struct AtHub<'a> {
    loaded: &'a Loaded,
    authors: BTreeMap<[u8; 16], (PersonId, CertificateId)>,
}

impl Origins for AtHub<'_> {
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
    let seen = AtHub { loaded, authors };
    Ok(without_empty(view(&loaded.document, &seen)))
}

/// The register as the log alone says it.
struct Rebuilt {
    /// Every document, from its genesis.
    documents: BTreeMap<DocumentId, Document>,
    /// Where each change stands.
    positions: BTreeMap<(DocumentId, Hash), u64>,
    /// Whose commands are in it.
    commands: BTreeSet<(PersonId, CommandId)>,
}

/// Replays the log; no command may be in it twice.
fn rebuilt(hub: &Hub, identities: &[DocumentIdentity]) -> Result<Rebuilt, Violation> {
    let mut rebuilt = Rebuilt {
        documents: identities.iter().map(|i| (i.id, Document::founded(i.kind))).collect(),
        positions: BTreeMap::new(),
        commands: BTreeSet::new(),
    };
    let mut written = BTreeSet::new();
    let mut chains = BTreeMap::from([(0, [0; 32])]);
    let mut position = 0;
    loop {
        let rows = hub.log_rows(position, 500).map_err(|e| broken("the log")(&e))?;
        let Some(last) = rows.last() else { return Ok(rebuilt) };
        position = last.position;
        for row in &rows {
            // What a roll had seen is of the log before it.
            chains.insert(row.position, row.chain);
            if row.kind != RowKind::Change {
                continue;
            }
            let signed: SignedChange = minicbor::decode(&row.data).map_err(|e| broken("a row")(&e))?;
            if !written.insert((row.author, signed.envelope.command, row.document)) {
                return Err(format!("command {} is in the log twice", signed.envelope.command));
            }
            rebuilt.commands.insert((row.author, signed.envelope.command));
            rebuilt.positions.insert((row.document, row.hash), row.position);
            let document =
                rebuilt.documents.get_mut(&row.document).ok_or("a change of an unknown document")?;
            let expect = Expectation { accepted_by_hub: true, ..Expectation::default() };
            let verdict = gate::judge(document, &signed.chunk, &expect);
            match verdict.map_err(|r| format!("the log holds what the gate refuses: {}", r.reason))? {
                Verdict::Known(_) => return Err("a change is in the log twice".to_owned()),
                Verdict::Sound(judged) => {
                    let seen = judged.puts.iter().filter(|put| put.section == "rolls");
                    let lost = seen
                        .filter_map(|put| Seen::of(&put.fact))
                        .any(|seen| chains.get(&seen.position).is_none_or(|chain| chain != seen.chain));
                    if row.record().is_none_or(|record| record.seen_is_lost != lost) {
                        return Err("a roll is said to have seen another log than it had".to_owned());
                    }
                    gate::admit(document, judged).map_err(|r| format!("the log: {}", r.reason))?;
                }
            }
        }
    }
}

/// What happened at the school.
pub struct Past<'a> {
    /// Every state of the school's people.
    pub history: &'a [Registered],
    /// Whether the office admitted what was kept for it.
    pub admitted: bool,
    /// The hub's time, Unix milliseconds.
    pub now: i64,
}

/// Judges hub and devices.
pub fn judge(hub: &Hub, tablets: &mut [Tablet], past: &Past<'_>) -> Result<Judged, Violation> {
    let mut judged = Judged::default();
    let identities = hub.documents().map_err(|e| broken("the hub")(&e))?;
    let rebuilt = rebuilt(hub, &identities)?;
    let mut views = BTreeMap::new();
    for identity in &identities {
        let loaded = hub.document(identity.id).map_err(|e| broken("the hub")(&e))?;
        let from_log = rebuilt.documents.get(&identity.id).ok_or("a document is not in the log")?;
        if heads(from_log) != heads(&loaded.document) {
            return Err(format!("{} {} is not what its log says", identity.kind, identity.subject));
        }
        let view = hub_view(hub, &loaded)?;
        judged.concurrent +=
            view.values().flat_map(|part| part.keys.values()).filter(|key| !key.others.is_empty()).count();
        views.insert(identity.id, view);
    }
    let model = Model::new(&identities, past);
    let mut screens = Screens::new();
    for (index, tablet) in tablets.iter_mut().enumerate() {
        let name = format!("device {index}");
        commands(&name, tablet, &rebuilt, &model, &mut judged)?;
        let scope = scope::held_as_the_hub_says(&name, tablet, hub, past.now)?;
        for listed in &scope {
            let name = format!("{name}: {} {}", listed.identity.kind, listed.identity.subject);
            match listed.until {
                None => same_view(&name, tablet, listed.identity.id, &rebuilt, &views)?,
                Some(_) => scope::held_as_of_its_last_day(&name, tablet, listed, &rebuilt)?,
            }
            judged.compared += 1;
        }
        judged.screens += screens::agree(index, tablet, past.now, &mut screens)?;
    }
    Ok(judged)
}

/// Everything that was given is in the register, or its author was told why not, and rightly so.
fn commands(
    name: &str,
    tablet: &mut Tablet,
    rebuilt: &Rebuilt,
    model: &Model<'_>,
    judged: &mut Judged,
) -> Result<(), Violation> {
    let person = tablet.person;
    let entries = tablet.device()?.commands().map_err(|e| broken("a device")(&e))?;
    let known: BTreeSet<_> = entries.iter().map(|entry| entry.command.id).collect();
    if let Some(lost) = tablet.given.keys().find(|id| !known.contains(id)) {
        return Err(format!("{name} does not know its command {lost} any more"));
    }
    let replaced: BTreeSet<_> = entries.iter().filter_map(|entry| entry.instead_of).collect();
    for entry in entries {
        let id = entry.command.id;
        let in_register = rebuilt.commands.contains(&(person, id));
        match &entry.delivery {
            Delivery::Pending => return Err(format!("{name}: command {id} is still pending")),
            Delivery::Confirmed { .. } => {
                judged.confirmed += 1;
                let lost =
                    entry.changes.iter().map(|change| &change.signed.envelope).any(|envelope| {
                        !rebuilt.positions.contains_key(&(envelope.document, envelope.change))
                    });
                if lost || !in_register {
                    return Err(format!("{name}: command {id} was confirmed and is lost"));
                }
                if !model.may_be_accepted(person, &entry.command) {
                    return Err(format!("{name}: command {id} was accepted against all rules"));
                }
            }
            Delivery::Refused(refusal) | Delivery::WithOffice(refusal) => {
                judged.refused += 1;
                judged.with_office += usize::from(matches!(entry.delivery, Delivery::WithOffice(_)));
                let remains = entry.command.documents().iter().any(|id| !refusal.causes.contains(id));
                if remains != replaced.contains(&id) {
                    return Err(format!("{name}: what remains of command {id} was not written once"));
                }
                if in_register {
                    return Err(format!("{name}: command {id} was refused and is in the register"));
                }
                if !model.may_be_refused(person, &entry.command, refusal) {
                    return Err(format!("{name}: the honest command {id} was turned away: {refusal:?}"));
                }
            }
        }
        judged.remainders += usize::from(entry.instead_of.is_some());
    }
    Ok(())
}

/// A document of a device shows what the hub's shows.
fn same_view(
    name: &str,
    tablet: &mut Tablet,
    id: DocumentId,
    rebuilt: &Rebuilt,
    views: &BTreeMap<DocumentId, View>,
) -> Result<(), Violation> {
    let device = tablet.device()?;
    let hub_document = rebuilt.documents.get(&id).ok_or_else(|| format!("{name}: not the hub's"))?;
    let held = device.held(id).map_err(|e| broken(name)(&e))?;
    if heads(held.document()) != heads(hub_document) {
        return Err(format!("{name}: another history than the hub's"));
    }
    let from_document = without_empty(view(held.document(), held));
    let expected = views.get(&id).ok_or_else(|| format!("{name}: no view"))?;
    if from_document != *expected {
        return Err(format!(
            "{name}: decides otherwise than the hub\n{}",
            difference(expected, &from_document)
        ));
    }
    let mut shown = View::new();
    for part in expected.keys() {
        shown.insert(part.clone(), device.part(id, part).map_err(|e| broken(name)(&e))?);
    }
    if shown != *expected {
        return Err(format!("{name}: shows something else than it holds\n{}", difference(expected, &shown)));
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
