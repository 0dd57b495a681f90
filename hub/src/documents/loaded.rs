//! A document in memory, with its acceptance records and the certificates behind its actors.

use std::collections::{BTreeMap, HashMap};

use registro_documents::gate::{self, Expectation, Verdict};
use registro_documents::record::ActorOrigin;
use registro_documents::{
    Certificate, CertificateId, Document, DocumentIdentity, Records, SignedChange, genesis,
};
use registro_model::PersonId;
use registro_sync::notices::Snapshot;

use crate::error::HubError;
use crate::log::read::LogRow;

/// Certificates known to the hub.
pub type Certificates = HashMap<CertificateId, Certificate>;

/// A document in memory.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What it is.
    pub identity: DocumentIdentity,
    /// Its content.
    pub document: Document,
    /// The records of its changes.
    pub records: Records,
    /// Who stands behind its actors.
    pub origins: BTreeMap<[u8; 16], ActorOrigin>,
    /// How many changes came after its stored snapshot.
    pub tail: usize,
}

impl Loaded {
    /// A document that nobody wrote to.
    pub fn founded(identity: DocumentIdentity) -> Self {
        let document = Document::founded(identity.kind);
        Self { identity, document, records: Records::new(), origins: BTreeMap::new(), tail: 0 }
    }

    /// A document as a stored snapshot has it.
    pub fn from_snapshot(identity: DocumentIdentity, snapshot: &Snapshot) -> Result<Self, HubError> {
        let mut loaded = Self::founded(identity);
        if snapshot.bytes.is_empty() {
            return Ok(loaded);
        }
        loaded.document =
            Document::load(&snapshot.bytes).map_err(|_| HubError::Stored("a snapshot that does not load"))?;
        let genesis = genesis::hash(loaded.identity.kind);
        let hashes: Vec<_> = loaded.document.changes_in_order().filter(|hash| *hash != genesis).collect();
        let records = snapshot
            .records
            .unpack(hashes.len())
            .map_err(|_| HubError::Stored("a snapshot's records that do not unpack"))?;
        loaded.records = hashes.iter().map(|hash| hash.0).zip(records).collect();
        loaded.origins = snapshot
            .records
            .origins(loaded.identity.id)
            .map_err(|_| HubError::Stored("a snapshot's authors that do not unpack"))?;
        Ok(loaded)
    }

    /// Puts an accepted change of the log on the document.
    pub fn replay(&mut self, row: &LogRow, certificates: &Certificates) -> Result<(), HubError> {
        let signed: SignedChange =
            minicbor::decode(&row.data).map_err(|_| HubError::Stored("a change that does not decode"))?;
        let certificate = certificates
            .get(&signed.envelope.certificate)
            .ok_or(HubError::Stored("a change whose certificate is missing"))?;
        // The chain covers the hash alone: a chunk that was exchanged in the table is found out here.
        let expect = Expectation {
            hash: Some(row.hash),
            actor: Some(certificate.actor(signed.envelope.document, signed.envelope.epoch)),
            accepted_by_hub: true,
            ..Expectation::default()
        };
        let verdict = gate::judge(&self.document, &signed.chunk, &expect)
            .map_err(|_| HubError::Stored("an accepted change that the gate refuses"))?;
        if let Verdict::Sound(judged) = verdict {
            gate::admit(&mut self.document, judged)
                .map_err(|_| HubError::Stored("an accepted change that does not apply"))?;
        }
        let record = row.record().ok_or(HubError::Stored("a change without standing"))?;
        self.records.insert(row.hash, record);
        self.note_origin(certificate, &signed);
        self.tail += 1;
        Ok(())
    }

    /// Notes who stands behind a change's actor.
    pub fn note_origin(&mut self, certificate: &Certificate, signed: &SignedChange) {
        let envelope = &signed.envelope;
        let origin = ActorOrigin { certificate: envelope.certificate, epoch: envelope.epoch };
        // An envelope signed again under a newer certificate of the same key does not displace the first.
        self.origins.entry(certificate.actor(envelope.document, envelope.epoch)).or_insert(origin);
    }

    /// The person behind an actor.
    pub fn author(&self, actor: &[u8; 16], certificates: &Certificates) -> Option<PersonId> {
        Some(certificates.get(&self.origins.get(actor)?.certificate)?.person)
    }
}
