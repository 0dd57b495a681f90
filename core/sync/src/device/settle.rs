//! What became of own commands: acknowledgements, refusals, confirmations.

use std::collections::{BTreeMap, BTreeSet};

use registro_documents::{AcceptanceRecord, Envelope, Hash, genesis};
use registro_model::{CommandId, DocumentId};

use super::apply::Applied;
use super::outbox::{Delivery, OutboxEntry, Refusal};
use super::state::StoreOp;
use super::{Device, DeviceError};
use crate::messages::{Ack, BUSY_SECONDS, Code, Outcome};
use crate::wire::decode;

impl Device {
    pub(super) fn apply_ack(
        &mut self,
        ack: &Ack,
        touched: &mut BTreeSet<CommandId>,
        changed: &mut BTreeMap<DocumentId, BTreeSet<(String, String)>>,
        applied: &mut Applied,
    ) -> Result<(), DeviceError> {
        let Some(index) = self.pending.iter().position(|entry| entry.has(&ack.hash)) else { return Ok(()) };
        let rests_on_unknown = self.pending.get(index).is_some_and(|entry| self.rests_on_unknown(entry));
        let Some(entry) = self.pending.get_mut(index) else { return Ok(()) };
        let id = entry.command.id;
        match &ack.outcome {
            Outcome::Not { code, .. } if code.is_waiting() => self.waiting.insert(id),
            _ => self.waiting.remove(&id),
        };
        if matches!(ack.outcome, Outcome::Not { code: Code::Busy, .. }) {
            applied.retry_after_seconds = Some(BUSY_SECONDS);
        }
        match &ack.outcome {
            Outcome::Accepted(record) => {
                touched.insert(id);
                self.confirm_own(ack.hash, *record, changed)?;
            }
            Outcome::TakenOver(record) => {
                entry.taken_over = Some(*record);
                touched.insert(id);
                self.state.redo.insert(id);
            }
            // What rests on a change that a restored hub lacks, in a document that may not be read here any more,
            // would wait for ever: it is run again on what can be known. Where the document is held, its snapshot
            // tells what is missing.
            Outcome::Not { code: Code::Missing, .. } if rests_on_unknown => {
                touched.insert(id);
                self.state.redo.insert(id);
            }
            // Signed under a certificate that this device has renewed since.
            Outcome::Not { code: Code::Certificate, .. } => {
                let mut entry = entry.clone();
                if self.sign_again(&mut entry)?
                    && let Some(place) = self.pending.get_mut(index)
                {
                    *place = entry;
                    touched.insert(id);
                    self.waiting.remove(&id);
                }
            }
            // It waits for a login of a higher level outside the graph, so that what else was written goes through
            // (PROTOCOL §6, §8).
            Outcome::Not { code: Code::NeedsLevel, .. } if !entry.is_accepted() => {
                entry.aside = true;
                touched.insert(id);
                self.waiting.remove(&id);
            }
            Outcome::Not { code, .. } if code.is_waiting() => {}
            Outcome::Not { code: Code::Graph | Code::Duplicate, .. } => {
                // The author runs it again once synced to the end, unless another change of it was accepted.
                touched.insert(id);
                self.state.redo.insert(id);
            }
            // What was accepted meanwhile stays so: an accepted entry overrides any refusal.
            Outcome::Not { .. } if entry.is_accepted() => {}
            Outcome::Not { code, reason, cause } => {
                touched.insert(id);
                let causes = match &mut entry.delivery {
                    Delivery::Refused(refusal) | Delivery::WithOffice(refusal) => {
                        std::mem::take(&mut refusal.causes)
                    }
                    _ => Vec::new(),
                };
                let mut refusal = Refusal { code: *code, reason: *reason, causes };
                let changes = entry.changes.iter().map(|own| &own.signed.envelope);
                let document = changes.into_iter().find(|e| e.change == ack.hash).map(|e| e.document);
                if let (true, Some(document)) = (*cause, document)
                    && !refusal.causes.contains(&document)
                {
                    refusal.causes.push(document);
                }
                let first = entry.delivery == Delivery::Pending;
                entry.delivery = match code {
                    Code::Office => Delivery::WithOffice(refusal),
                    _ => Delivery::Refused(refusal),
                };
                if first {
                    applied.refused.push(id);
                }
            }
        }
        Ok(())
    }

    /// Notes the hub's record of an own change.
    pub(super) fn confirm_own(
        &mut self,
        hash: Hash,
        record: AcceptanceRecord,
        changed: &mut BTreeMap<DocumentId, BTreeSet<(String, String)>>,
    ) -> Result<(), DeviceError> {
        let mut document = None;
        for change in self.pending.iter_mut().flat_map(|entry| &mut entry.changes) {
            if change.signed.envelope.change == hash && change.record != Some(record) {
                change.record = Some(record);
                document = Some(change.signed.envelope.document);
            }
        }
        if let Some(document) = document
            && self.headers.contains_key(&document)
        {
            let held = self.hold(document)?;
            if held.contains(hash) {
                let keys = held.confirm(hash, record);
                changed.entry(document).or_default().extend(keys);
            }
        }
        Ok(())
    }

    /// Whether a command has changes, in documents that may not be read here, that rest on others' changes.
    fn rests_on_unknown(&self, entry: &OutboxEntry) -> bool {
        entry.changes.iter().any(|own| {
            let document = own.signed.envelope.document;
            let Some(header) = self.blind.get(&document) else { return false };
            let root = genesis::hash(header.identity.kind).0;
            let known = |dep: &Hash| *dep == root || self.pending.iter().any(|entry| entry.has(dep));
            !self.headers.contains_key(&document) && own.deps.iter().any(|dep| !known(&dep.0))
        })
    }

    /// A change of this device stands in the feed though its command is not offered any more: the office admitted
    /// it. An accepted entry overrides any refusal: the command is offered again, and is acknowledged with its
    /// records.
    pub(super) fn reopen_admitted(&mut self, envelope: &Envelope) -> Result<(), DeviceError> {
        let own = self.account_or_error()?.certificate.id();
        if envelope.certificate != own || self.pending.iter().any(|entry| entry.has(&envelope.change)) {
            return Ok(());
        }
        let stored = self.store.read(|r| r.command(envelope.command))?;
        let Some(stored) = stored else { return Ok(()) };
        let mut entry: OutboxEntry = decode(&stored.body)?;
        if entry.refusal().is_some() && entry.has(&envelope.change) {
            entry.delivery = Delivery::Pending;
            self.pending.push(entry);
            self.order_pending()?;
        }
        Ok(())
    }

    /// Writes what became of commands; those whose position the cursor has passed leave the push. Returns the
    /// documents that own changes have left: their whole views are to be made again.
    pub(super) fn settle_outbox(
        &mut self,
        touched: &BTreeSet<CommandId>,
        ops: &mut Vec<StoreOp>,
        applied: &mut Applied,
    ) -> Result<BTreeSet<DocumentId>, DeviceError> {
        let cursor = self.state.cursor.position;
        for entry in &mut self.pending {
            let passed = entry.position().is_some_and(|position| position <= cursor);
            if passed && entry.delivery == Delivery::Pending {
                let at = entry.changes.iter().filter_map(|c| c.record).map(|r| r.received).max().unwrap_or(0);
                entry.delivery = Delivery::Confirmed { at };
                applied.confirmed.push(entry.command.id);
                ops.push(entry.store_op());
            } else if touched.contains(&entry.command.id) {
                ops.push(entry.store_op());
            }
        }
        let left: Vec<OutboxEntry> =
            self.pending.iter().filter(|entry| entry.refusal().is_some() || entry.aside).cloned().collect();
        // What rests on a change that left is run again.
        let dropped: BTreeSet<Hash> =
            left.iter().flat_map(|e| &e.changes).map(|c| c.signed.envelope.change).collect();
        let mut renewed = BTreeSet::new();
        if !dropped.is_empty() {
            let documents: BTreeSet<_> =
                left.iter().flat_map(|e| &e.changes).map(|c| c.signed.envelope.document).collect();
            renewed = self.drop_dependents(dropped, documents);
            // The epochs of those documents are over, also if a crash comes now.
            let headers: Vec<_> = renewed.iter().map(|document| self.header_op(*document)).collect();
            ops.extend(headers);
        }
        for refused in left.iter().filter(|entry| !entry.aside) {
            if let Some(remainder) = self.remainder_of(refused)? {
                ops.push(remainder.store_op());
                let place = self.pending.iter().position(|entry| entry.command.id == refused.command.id);
                self.state.redo.insert(remainder.command.id);
                self.pending.insert(place.unwrap_or(self.pending.len()), remainder);
            }
        }
        self.pending.retain(|entry| entry.delivery == Delivery::Pending);
        let (aside, pending) = std::mem::take(&mut self.pending).into_iter().partition(|entry| entry.aside);
        self.pending = pending;
        self.aside.extend::<Vec<_>>(aside);
        self.state.redo.retain(|id| self.pending.iter().any(|entry| entry.command.id == *id));
        self.waiting.retain(|id| self.pending.iter().any(|entry| entry.command.id == *id));
        Ok(renewed)
    }
}
