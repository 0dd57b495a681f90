//! A document as this device holds it: the hub's snapshot, the accepted changes after it, and its own pending ones.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};
use registro_documents::gate::{self, Expectation, Verdict};
use registro_documents::merge::{Origin, Origins};
use registro_documents::{
    AcceptanceRecord, CertificateId, ChangeHash, Document, Hash, Kind, Records, SignedChange, genesis,
};
use registro_model::{CommandId, DocumentId, PersonId, Standing};
use registro_store::{DocumentPart, Store};

use super::DeviceError;
use super::outbox::OutboxEntry;
use super::state::{ACCEPTED, Header, StoreOp};
use crate::notices::Snapshot;
use crate::wire::{decode, encode};

/// An accepted change as the device keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(super) struct StoredChange {
    #[n(0)]
    pub record: AcceptanceRecord,
    #[n(1)]
    pub signed: SignedChange,
    /// Whose certificate signed it.
    #[n(2)]
    pub author: PersonId,
}

/// A document in memory, with who stands behind its changes.
#[derive(Clone)]
pub struct Held {
    id: DocumentId,
    document: Document,
    records: Records,
    authors: BTreeMap<[u8; 16], (PersonId, CertificateId)>,
    /// Actors of own changes, until the hub's word of one of their changes is here.
    own_authors: BTreeMap<[u8; 16], (PersonId, CertificateId)>,
    own: BTreeMap<Hash, Standing>,
}

impl Held {
    /// A document that nobody wrote to yet.
    pub(super) fn founded(id: DocumentId, kind: Kind) -> Self {
        Self {
            id,
            document: Document::founded(kind),
            records: Records::new(),
            authors: BTreeMap::new(),
            own_authors: BTreeMap::new(),
            own: BTreeMap::new(),
        }
    }

    /// A document as a snapshot of the hub gives it. The snapshot's signature has been checked.
    pub(super) fn from_snapshot(snapshot: &Snapshot, kind: Kind) -> Result<Self, DeviceError> {
        let mut held = Self::founded(snapshot.document, kind);
        if snapshot.bytes.is_empty() {
            return Ok(held);
        }
        let unreadable = DeviceError::Reply("a snapshot does not load");
        held.document = Document::load(&snapshot.bytes).map_err(|_| unreadable)?;
        if held.document.kind() != kind {
            return Err(DeviceError::Reply("a snapshot is of another kind"));
        }
        let mut heads: Vec<Hash> = held.document.heads().iter().map(|head| head.0).collect();
        heads.sort_unstable();
        if heads != snapshot.heads.iter().map(|head| head.0).collect::<Vec<_>>() {
            return Err(DeviceError::Reply("a snapshot has other heads"));
        }
        let genesis = genesis::hash(kind);
        let changes: Vec<Hash> =
            held.document.changes_in_order().filter(|hash| *hash != genesis).map(|hash| hash.0).collect();
        let records = snapshot
            .records
            .unpack(changes.len())
            .map_err(|_| DeviceError::Reply("a snapshot's records do not unpack"))?;
        held.records = changes.into_iter().zip(records).collect();
        let people: BTreeMap<_, _> =
            snapshot.records.certificates().iter().map(|c| (c.id(), c.person)).collect();
        let origins = snapshot
            .records
            .origins(snapshot.document)
            .map_err(|_| DeviceError::Reply("a snapshot's authors do not unpack"))?;
        for (actor, origin) in origins {
            if let Some(person) = people.get(&origin.certificate) {
                held.authors.insert(actor, (*person, origin.certificate));
            }
        }
        Ok(held)
    }

    /// Reads a document from the store and puts this device's pending changes on it. Returns also the commands
    /// whose changes do not fit any more.
    pub(super) fn load(
        store: &Store,
        header: &Header,
        pending: &[OutboxEntry],
    ) -> Result<(Self, BTreeSet<CommandId>), DeviceError> {
        let id = header.identity.id;
        let (snapshot, changes) =
            store.read(|r| Ok((r.document_part(id, DocumentPart::HubSnapshot)?, r.changes(id)?)))?;
        let mut held = match snapshot {
            Some(bytes) => Self::from_snapshot(&decode::<Snapshot>(&bytes)?, header.identity.kind)?,
            None => Self::founded(id, header.identity.kind),
        };
        for change in changes.into_iter().filter(|change| change.state == ACCEPTED) {
            let stored: StoredChange = decode(&change.body)?;
            let author = (stored.author, stored.signed.envelope.certificate);
            // Its actor was recomputed when it came.
            held.accept(&stored.signed, stored.record, author, None)
                .map_err(|_| DeviceError::Stored("an accepted change does not apply"))?;
        }
        let misfits = held.add_pending(pending);
        Ok((held, misfits))
    }

    /// Puts pending changes on the document, in order; returns the commands whose changes do not fit.
    pub(super) fn add_pending(&mut self, pending: &[OutboxEntry]) -> BTreeSet<CommandId> {
        let mut misfits = BTreeSet::new();
        let id = self.id;
        for entry in pending {
            for change in entry.changes.iter().filter(|c| c.signed.envelope.document == id) {
                if self.document.contains(&automerge_hash(change.signed.envelope.change)) {
                    continue;
                }
                if self.put(&change.signed, None, false).is_err() {
                    misfits.insert(entry.command.id);
                    continue;
                }
                match change.record {
                    Some(record) => self.records.insert(change.signed.envelope.change, record).map(drop),
                    None => self.own.insert(change.signed.envelope.change, entry.standing).map(drop),
                };
            }
        }
        misfits
    }

    /// Puts an accepted change on the document, under the actor that its author's certificate gives. Returns the keys
    /// that it wrote; empty if it was there already.
    pub(super) fn accept(
        &mut self,
        signed: &SignedChange,
        record: AcceptanceRecord,
        author: (PersonId, CertificateId),
        actor: Option<[u8; 16]>,
    ) -> Result<BTreeSet<(String, String)>, gate::Refusal> {
        let hash = signed.envelope.change;
        let keys = if self.document.contains(&automerge_hash(hash)) {
            self.keys_of(hash)
        } else {
            self.put(signed, actor, true)?
        };
        self.own.remove(&hash);
        self.records.insert(hash, record);
        // An envelope signed again under a newer certificate of the same key does not displace the first: the hub
        // holds it so, too.
        if let Some(info) = self.document.change_info(&automerge_hash(hash)) {
            let actor = info.actor;
            self.authors.entry(actor).or_insert(author);
        }
        Ok(keys)
    }

    fn put(
        &mut self,
        signed: &SignedChange,
        actor: Option<[u8; 16]>,
        accepted_by_hub: bool,
    ) -> Result<BTreeSet<(String, String)>, gate::Refusal> {
        let envelope = &signed.envelope;
        let expectation = Expectation {
            hash: Some(envelope.change),
            actor,
            command: Some(envelope.command),
            capacity: Some(envelope.capacity),
            accepted_by_hub,
        };
        match gate::judge(&self.document, &signed.chunk, &expectation)? {
            Verdict::Known(_) => Ok(BTreeSet::new()),
            Verdict::Sound(judged) => {
                let keys = judged.puts.iter().map(|put| (put.section.to_string(), put.key.clone())).collect();
                gate::admit(&mut self.document, judged)?;
                Ok(keys)
            }
        }
    }

    /// Marks an own change as accepted; returns the keys that it wrote.
    pub(super) fn confirm(&mut self, hash: Hash, record: AcceptanceRecord) -> BTreeSet<(String, String)> {
        self.own.remove(&hash);
        self.records.insert(hash, record);
        self.keys_of(hash)
    }

    /// Puts an own change, just written, on the document.
    pub(super) fn put_own(
        &mut self,
        signed: &SignedChange,
        standing: Standing,
        author: (PersonId, CertificateId),
    ) -> Result<BTreeSet<(String, String)>, gate::Refusal> {
        let keys = self.put(signed, None, false)?;
        let hash = signed.envelope.change;
        self.own.insert(hash, standing);
        if let Some(info) = self.document.change_info(&automerge_hash(hash)) {
            let actor = info.actor;
            self.know_own_author(actor, author);
        }
        Ok(keys)
    }

    /// The keys that a change wrote.
    fn keys_of(&self, hash: Hash) -> BTreeSet<(String, String)> {
        self.document.keys_written_by(&automerge_hash(hash)).into_iter().collect()
    }

    /// The document's id.
    pub fn id(&self) -> DocumentId {
        self.id
    }

    /// The document.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// The hub's record of a change.
    pub fn record(&self, hash: &Hash) -> Option<&AcceptanceRecord> {
        self.records.get(hash)
    }

    /// Whether the document holds a change.
    pub fn contains(&self, hash: Hash) -> bool {
        self.document.contains(&automerge_hash(hash))
    }

    /// Who stands behind an actor is also known for own changes that were read from the outbox.
    pub(super) fn know_own_author(&mut self, actor: [u8; 16], author: (PersonId, CertificateId)) {
        self.own_authors.entry(actor).or_insert(author);
    }

    /// Whether some change of this device in the document wrote this version of a fact, shown now or not.
    pub fn ever_wrote(&self, section: &str, key: &str, v: CommandId, device: &CertificateId) -> bool {
        self.writer_of(section, key, v, |author| author.1 == *device).is_some()
    }

    /// The change that wrote this version of a fact, shown now or not, if it is one of this person's: a command is
    /// known as (person, id), whatever certificate its device had.
    pub(super) fn change_of(
        &self,
        section: &str,
        key: &str,
        v: CommandId,
        person: PersonId,
    ) -> Option<ChangeHash> {
        self.writer_of(section, key, v, |author| author.0 == person)
    }

    fn writer_of(
        &self,
        section: &str,
        key: &str,
        v: CommandId,
        is_author: impl Fn(&(PersonId, CertificateId)) -> bool,
    ) -> Option<ChangeHash> {
        let by = |actor: &[u8; 16]| Origins::author(self, actor).is_some_and(|author| is_author(&author));
        let shown = self.document.versions(section, key);
        if let Some(version) = shown.iter().find(|version| version.fact.v == v && by(&version.op.actor)) {
            return Some(version.change);
        }
        let wrote = |hash: &ChangeHash| {
            let by_author = self.document.change_info(hash).is_some_and(|info| by(&info.actor));
            let written = || self.document.versions_at(section, key, &[*hash]);
            by_author && written().iter().any(|version| version.fact.v == v && version.change == *hash)
        };
        self.document.changes_in_order().find(wrote)
    }

    pub(super) fn stored_change_op(
        &self,
        record: AcceptanceRecord,
        signed: &SignedChange,
        author: PersonId,
    ) -> StoreOp {
        let stored = StoredChange { record, signed: signed.clone(), author };
        StoreOp::PutChange(self.id, signed.envelope.change, encode(&stored))
    }
}

pub(super) fn automerge_hash(hash: Hash) -> registro_documents::ChangeHash {
    registro_documents::ChangeHash(hash)
}

impl Origins for Held {
    fn origin(&self, change: &Hash) -> Origin {
        match (self.records.get(change), self.own.get(change)) {
            (Some(record), _) => Origin::Accepted(*record),
            (None, Some(standing)) => Origin::Own(*standing),
            (None, None) => Origin::Unconfirmed(Standing::Pupil),
        }
    }

    fn author(&self, actor: &[u8; 16]) -> Option<(PersonId, CertificateId)> {
        self.authors.get(actor).or_else(|| self.own_authors.get(actor)).copied()
    }
}
