//! Applying a reply of the hub.

use std::collections::{BTreeMap, BTreeSet};

use registro_documents::{AcceptanceRecord, Certificate, CertificateId, SignedChange};
use registro_model::{CommandId, DocumentId};
use registro_store::DocumentPart;

use super::held::Held;
use super::outbox::Delivery;
use super::request::Asked;
use super::state::StoreOp;
use super::{Device, DeviceError};
use crate::messages::{Ack, Entry, Outcome, Reply};
use crate::notices::{Signed, Snapshot};
use crate::wire::encode;

/// What a reply changed, for the app's events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Applied {
    /// Documents whose view changed.
    pub documents: BTreeSet<DocumentId>,
    /// Commands that the hub confirmed.
    pub confirmed: Vec<CommandId>,
    /// Commands that were refused or are with the office.
    pub refused: Vec<CommandId>,
    /// Certificates of this person that this device had not heard of: another device of theirs logged in.
    pub new_devices: Vec<CertificateId>,
    /// Whether the device's documents may have grown or shrunk.
    pub scope_changed: bool,
    /// Whether to ask again at once.
    pub more: bool,
    /// The hub was too busy for something: ask again after so many seconds.
    pub retry_after_seconds: Option<u64>,
    /// The hub was restored from a backup: own work is offered again.
    pub diverged: bool,
}

impl Device {
    /// Applies a reply. It is applied whole or not at all; a reply to an older request is ignored.
    pub fn apply(&mut self, asked: &Asked, reply: Reply) -> Result<Applied, DeviceError> {
        if asked.cursor != self.state.cursor {
            return Ok(Applied { more: true, ..Applied::default() });
        }
        self.state.clock_offset = reply.time.saturating_sub(asked.at);
        let applied =
            if reply.diverged { self.apply_diverged(&reply) } else { self.apply_news(asked, reply) };
        match applied {
            Ok(applied) => Ok(applied),
            Err(error) => {
                self.reload()?;
                Err(error)
            }
        }
    }

    fn apply_news(&mut self, asked: &Asked, reply: Reply) -> Result<Applied, DeviceError> {
        let mut applied = Applied::default();
        let mut ops = Vec::new();
        let mut changed: BTreeMap<DocumentId, BTreeSet<(String, String)>> = BTreeMap::new();
        let mut whole: BTreeSet<DocumentId> = BTreeSet::new();

        if let Some(listed) = &reply.documents {
            self.apply_scope(listed, &mut ops)?;
            applied.scope_changed = true;
        }
        self.state.scope = reply.scope;

        let mut touched: BTreeSet<CommandId> = BTreeSet::new();
        for ack in &reply.acks {
            self.apply_ack(ack, &mut touched, &mut changed, &mut applied)?;
        }
        let certificates = self.apply_certificates(&reply.feed, &mut ops, &mut applied)?;
        for entry in &reply.feed {
            match entry {
                Entry::Certificate(_) => {}
                Entry::Snapshot(snapshot) => {
                    if self.apply_snapshot(snapshot, asked, &mut ops)? {
                        whole.insert(snapshot.document);
                    }
                }
                Entry::Change { record, change } => {
                    self.apply_change(change, *record, &certificates, &mut touched, &mut changed, &mut ops)?;
                }
                Entry::Refused(notice) => {
                    let account = self.account_or_error()?;
                    if !notice.is_signed_by(account.school, &account.school_key) {
                        return Err(DeviceError::Reply("a refusal is not signed by the school"));
                    }
                    if notice.person == account.person {
                        let outcome =
                            Outcome::Not { code: notice.code, reason: notice.reason, cause: notice.cause };
                        let ack = Ack { hash: notice.change, outcome };
                        self.apply_ack(&ack, &mut touched, &mut changed, &mut applied)?;
                    }
                }
                Entry::Revoked(notice) => {
                    let account = self.account_or_error()?;
                    if !notice.is_signed_by(account.school, &account.school_key) {
                        return Err(DeviceError::Reply("a revocation is not signed by the school"));
                    }
                    if !self.state.revoked.iter().any(|known| known.certificate == notice.certificate) {
                        self.state.revoked.push(notice.clone());
                    }
                }
                Entry::Restored(notice) => {
                    let account = self.account_or_error()?;
                    if !notice.is_signed_by(account.school, &account.school_key) {
                        return Err(DeviceError::Reply("a restore is not signed by the school"));
                    }
                }
                Entry::Checkpoint(checkpoint) => {
                    let account = self.account_or_error()?;
                    if !checkpoint.is_signed_by(account.school, &account.school_key) {
                        return Err(DeviceError::Reply("a checkpoint is not signed by the school"));
                    }
                }
            }
        }

        // A new device takes the hub's end as its cursor and everything by want.
        self.state.cursor = if self.state.started { reply.cursor } else { reply.end };
        self.state.started = true;
        self.state.end = reply.end;
        self.state.directory = reply.directory;

        whole.extend(self.settle_outbox(&touched, &mut ops, &mut applied)?);
        // First what the hub said, with the views that are stale now; then the views. A crash in between is mended
        // when the store is opened.
        self.state.stale.extend(whole.iter().chain(changed.keys()).copied());
        ops.push(StoreOp::PutMeta("sync".to_owned(), encode(&self.state)));
        self.commit(ops)?;

        let mut ops = Vec::new();
        self.refresh_whole(&whole, &mut ops)?;
        for (document, keys) in changed {
            if self.headers.contains_key(&document) && !whole.contains(&document) {
                ops.extend(self.refresh_ops(document, &keys)?);
                applied.documents.insert(document);
            }
        }
        applied.documents.extend(whole);
        self.state.stale.clear();
        ops.push(StoreOp::PutMeta("sync".to_owned(), encode(&self.state)));
        self.commit(ops)?;

        let wanting = self.headers.values().any(|header| header.wanted);
        if !reply.more && !wanting {
            let mut ops = Vec::new();
            let redone = self.reexecute(&mut ops)?;
            applied.documents.extend(redone);
            self.state.offering = false;
            ops.push(StoreOp::PutMeta("sync".to_owned(), encode(&self.state)));
            self.commit(ops)?;
        }
        self.cache.trim();
        applied.more = reply.more || wanting || self.offers_news();
        Ok(applied)
    }

    /// Takes the certificates of a reply, which its changes need.
    fn apply_certificates(
        &mut self,
        feed: &[Entry],
        ops: &mut Vec<StoreOp>,
        applied: &mut Applied,
    ) -> Result<BTreeMap<CertificateId, Certificate>, DeviceError> {
        let account = self.account_or_error()?;
        let (school, school_key, person, own) =
            (account.school, account.school_key, account.person, account.certificate.id());
        let mut certificates = BTreeMap::from([(own, account.certificate.clone())]);
        for entry in feed {
            let Entry::Certificate(certificate) = entry else { continue };
            if !certificate.is_genuine(school, &school_key) {
                return Err(DeviceError::Reply("a certificate is not the school's"));
            }
            let id = certificate.id();
            let name = certificate_key(&id);
            if self.store.read(|r| r.meta(&name))?.is_none() {
                ops.push(StoreOp::PutMeta(name, encode(certificate)));
                if certificate.person == person && id != own {
                    applied.new_devices.push(id);
                }
            }
            certificates.insert(id, certificate.clone());
        }
        Ok(certificates)
    }

    fn certificate(
        &self,
        id: &CertificateId,
        known: &BTreeMap<CertificateId, Certificate>,
    ) -> Result<Option<Certificate>, DeviceError> {
        if let Some(certificate) = known.get(id) {
            return Ok(Some(certificate.clone()));
        }
        let bytes = self.store.read(|r| r.meta(&certificate_key(id)))?;
        bytes.map(|bytes| crate::wire::decode(&bytes)).transpose()
    }

    /// Replaces a document by the hub's snapshot of it. Own pending changes are put on it again.
    fn apply_snapshot(
        &mut self,
        snapshot: &Snapshot,
        asked: &Asked,
        ops: &mut Vec<StoreOp>,
    ) -> Result<bool, DeviceError> {
        let id = snapshot.document;
        if !asked.want.contains(&id) || !self.headers.contains_key(&id) {
            return Ok(false);
        }
        let account = self.account_or_error()?;
        if !snapshot.is_signed_by(account.school, &account.school_key) {
            return Err(DeviceError::Reply("a snapshot is not signed by the school"));
        }
        if !snapshot.records.certificates().iter().all(|c| c.is_genuine(account.school, &account.school_key))
        {
            return Err(DeviceError::Reply("a certificate is not the school's"));
        }
        let Some(header) = self.headers.get_mut(&id) else { return Ok(false) };
        header.wanted = false;
        let mut held = Held::from_snapshot(snapshot, header.identity.kind)?;
        let misfits = held.add_pending(&self.pending);
        self.state.redo.extend(misfits);
        self.know_own_actors(&mut held);
        for change in self.store.read(|r| r.changes(id))? {
            ops.push(StoreOp::DeleteChange(id, change.hash));
        }
        ops.push(StoreOp::PutPart(id, DocumentPart::HubSnapshot, encode(snapshot)));
        ops.push(self.header_op(id));
        // Own changes that the snapshot holds are accepted, whatever became of their acknowledgement.
        let known: Vec<_> = self
            .pending
            .iter()
            .flat_map(|entry| &entry.changes)
            .map(|change| change.signed.envelope.change)
            .filter_map(|hash| held.record(&hash).map(|record| (hash, *record)))
            .collect();
        for change in self.pending.iter_mut().flat_map(|entry| &mut entry.changes) {
            if let Some((_, record)) = known.iter().find(|(hash, _)| *hash == change.signed.envelope.change) {
                change.record = Some(*record);
            }
        }
        self.cache.insert(id, held);
        Ok(true)
    }

    fn apply_change(
        &mut self,
        change: &SignedChange,
        record: AcceptanceRecord,
        certificates: &BTreeMap<CertificateId, Certificate>,
        touched: &mut BTreeSet<CommandId>,
        changed: &mut BTreeMap<DocumentId, BTreeSet<(String, String)>>,
        ops: &mut Vec<StoreOp>,
    ) -> Result<(), DeviceError> {
        let envelope = &change.envelope;
        let id = envelope.document;
        self.reopen_admitted(envelope)?;
        if let Some(entry) = self.pending.iter_mut().find(|entry| entry.has(&envelope.change)) {
            touched.insert(entry.command.id);
            // An accepted entry overrides any refusal.
            if entry.refusal().is_some() {
                entry.delivery = Delivery::Pending;
            }
            self.confirm_own(envelope.change, record, changed)?;
        }
        if self.headers.get(&id).is_none_or(|header| header.wanted) {
            return Ok(());
        }
        let certificate = self
            .certificate(&envelope.certificate, certificates)?
            .ok_or(DeviceError::Reply("a change's certificate is missing"))?;
        if !envelope.is_signed_by(&certificate) {
            return Err(DeviceError::Reply("a change is not signed by its author"));
        }
        let held = self.hold(id)?;
        let author = (certificate.person, certificate.id());
        let op = held.stored_change_op(record, change, certificate.person);
        let actor = certificate.actor(envelope.document, envelope.epoch);
        match held.accept(change, record, author, Some(actor)) {
            Ok(keys) => {
                changed.entry(id).or_default().extend(keys);
                ops.push(op);
            }
            Err(_) => {
                // An own pending change stands in the way (a store restored from a copy), or something is missing:
                // the document is fetched again, and own commands are put on it anew.
                if let Some(header) = self.headers.get_mut(&id) {
                    header.wanted = true;
                }
                let op = self.header_op(id);
                ops.push(op);
            }
        }
        Ok(())
    }
}

fn certificate_key(id: &CertificateId) -> String {
    let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("certificate/{hex}")
}
