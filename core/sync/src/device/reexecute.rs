//! Running commands again after a refusal, a reused sequence number or a restore: what was concurrent stays
//! concurrent. On plain current heads a put would silently supersede a colleague's fact.

use std::collections::BTreeSet;

use registro_documents::write::versions_of;
use registro_documents::{AcceptanceRecord, Epoch, Hash, genesis};
use registro_model::{CommandId, DocumentId};

use super::give::puts_of;
use super::held::automerge_hash;
use super::outbox::{Delivery, OutboxEntry};
use super::past::Past;
use super::state::StoreOp;
use super::{Device, DeviceError};

impl Device {
    /// Own changes have left the graph: everything pending that rests on them, batch mates included, is to be run
    /// again, and the documents that they were in are read anew, under a new epoch. Returns those documents.
    pub(super) fn drop_dependents(
        &mut self,
        mut dropped: BTreeSet<Hash>,
        mut documents: BTreeSet<DocumentId>,
    ) -> BTreeSet<DocumentId> {
        loop {
            let mut grown = false;
            for entry in &self.pending {
                let rests = self.state.redo.contains(&entry.command.id)
                    || entry.changes.iter().any(|c| c.deps.iter().any(|dep| dropped.contains(&dep.0)));
                if rests && !entry.is_accepted() {
                    self.state.redo.insert(entry.command.id);
                    for change in &entry.changes {
                        grown |= dropped.insert(change.signed.envelope.change);
                        documents.insert(change.signed.envelope.document);
                    }
                }
            }
            if !grown {
                break;
            }
        }
        for document in &documents {
            self.cache.remove(*document);
            self.end_epoch(*document);
        }
        documents
    }

    /// Ends the epoch under which this device writes in a document: the next write takes a new one. Says whether
    /// there was one.
    pub(super) fn end_epoch(&mut self, document: DocumentId) -> bool {
        let header = match self.headers.get_mut(&document) {
            Some(header) => Some(header),
            None => self.blind.get_mut(&document),
        };
        header.is_some_and(|header| header.epoch.take().is_some())
    }

    /// Runs the commands marked for it again, in their order. Returns the documents that changed.
    pub(super) fn reexecute(&mut self, ops: &mut Vec<StoreOp>) -> Result<BTreeSet<DocumentId>, DeviceError> {
        let mut renewed = BTreeSet::new();
        if self.state.redo.is_empty() {
            return Ok(renewed);
        }
        self.drop_dependents(BTreeSet::new(), BTreeSet::new());
        let redo = std::mem::take(&mut self.state.redo);
        let order: Vec<CommandId> = self.pending.iter().map(|entry| entry.command.id).collect();
        let (again, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.pending).into_iter().partition(|entry| redo.contains(&entry.command.id));
        self.pending = rest;
        let mut past = Past::of(self.commands()?);
        for change in again.iter().flat_map(|entry| &entry.changes) {
            past.left(change);
            renewed.insert(change.signed.envelope.document);
        }
        for document in &renewed {
            self.cache.remove(*document);
        }
        for entry in again {
            match self.run_again(&entry, &mut past) {
                Ok((entry, more)) => {
                    ops.extend(more);
                    renewed.extend(entry.command.documents());
                    self.pending.push(entry);
                }
                // One command must not hold up the others, nor what the hub says.
                Err(DeviceError::NotHeld(_) | DeviceError::Write(_) | DeviceError::OwnChange(_)) => {
                    self.set_aside(entry, ops);
                }
                Err(error) => return Err(error),
            }
        }
        self.pending.sort_by_key(|entry| order.iter().position(|id| *id == entry.command.id));
        self.refresh_whole(&renewed, ops)?;
        Ok(renewed)
    }

    /// Keeps a command that can neither be offered nor run, so that it holds up nothing else. What it put on
    /// documents in memory before it failed is forgotten.
    fn set_aside(&mut self, mut entry: OutboxEntry, ops: &mut Vec<StoreOp>) {
        for document in entry.command.documents() {
            self.cache.remove(document);
        }
        entry.aside = true;
        ops.push(entry.store_op());
        self.aside.push(entry);
    }

    /// What waits outside the graph is tried again with the next sync: after a login, which may be of a higher level.
    pub fn try_aside_again(&mut self) -> Result<(), DeviceError> {
        self.take_from_aside()
    }

    /// What was set aside is tried again.
    pub(super) fn take_from_aside(&mut self) -> Result<(), DeviceError> {
        if self.aside.is_empty() {
            return Ok(());
        }
        for mut entry in std::mem::take(&mut self.aside) {
            entry.aside = false;
            self.state.redo.insert(entry.command.id);
            self.pending.push(entry);
        }
        self.order_pending()
    }

    /// The whole views of documents whose own changes were replaced.
    pub(super) fn refresh_whole(
        &mut self,
        documents: &BTreeSet<DocumentId>,
        ops: &mut Vec<StoreOp>,
    ) -> Result<(), DeviceError> {
        for document in documents {
            if self.headers.contains_key(document) {
                let held = self.hold(*document)?;
                let parts = registro_documents::view::view(held.document(), held);
                ops.push(StoreOp::DeleteViews(*document));
                ops.extend(self.view_ops(*document, parts));
                ops.push(self.header_op(*document));
                self.forget_directory_if(*document);
            }
        }
        Ok(())
    }

    fn run_again(
        &mut self,
        entry: &OutboxEntry,
        past: &mut Past,
    ) -> Result<(OutboxEntry, Vec<StoreOp>), DeviceError> {
        // Another change of this command may have been accepted: a restored store runs nothing twice.
        if let Some(record) = entry.taken_over.or(self.accepted_elsewhere(entry, past)?) {
            return Ok(self.take_over(entry, record));
        }
        let mut made = Vec::new();
        let mut replaced = Vec::new();
        for document in entry.command.documents() {
            let old = past.origin(entry, document);
            let deps = old.as_ref().map(|old| old.deps.clone()).unwrap_or_default();
            let kind = self.identity(document)?.kind;
            let root = genesis::hash(kind).0;
            let epoch = self.epoch(document)?;
            let own = self.account_or_error()?.certificate.actor(document, epoch);
            let held = self.hold(document)?;
            let mut heads = BTreeSet::new();
            for dep in &deps {
                past.resolve(*dep, &|hash| held.contains(hash), &mut heads);
            }
            // An actor's changes follow one another.
            if let Some(last) = held.document().last_of(&own) {
                heads.insert(last.hash.0);
            }
            if heads.is_empty() {
                heads.insert(root);
            }
            let heads: Vec<Hash> = heads.into_iter().collect();
            let puts = puts_of(&entry.command, document);
            let at: Vec<_> = heads.iter().copied().map(automerge_hash).collect();
            let sees_the_same = entry.command.writes_in(document).all(|write| {
                versions_of(&held.document().versions_at(&write.section, &write.key, &at))
                    == past.renamed(&write.saw)
            });
            let change = if sees_the_same {
                self.make(document, entry.command.claimed, &puts, Some(&heads), None)?
            } else {
                // It would replace what its author never saw: it is written beside it, under an epoch of its own.
                let epoch: Epoch = self.draw();
                self.make(document, entry.command.claimed, &puts, Some(&[root]), Some(epoch))?
            };
            if let Some(old) = old {
                replaced.push((old.change, change.hash));
            }
            made.push(change);
        }
        let (entry, ops) = self.sign_and_put(entry.clone(), made)?;
        self.waiting.remove(&entry.command.id);
        for (old, new) in replaced {
            past.became(old, new);
        }
        Ok((entry, ops))
    }

    /// The hub's record of another change of this command, if documents held here show that it was accepted. What
    /// rested on this device's own finds its place on that one.
    fn accepted_elsewhere(
        &mut self,
        entry: &OutboxEntry,
        past: &mut Past,
    ) -> Result<Option<AcceptanceRecord>, DeviceError> {
        let person = self.account_or_error()?.person;
        let mut records = Vec::new();
        let mut everywhere = !entry.command.writes.is_empty();
        for write in &entry.command.writes {
            if !self.headers.contains_key(&write.document) {
                everywhere = false;
                continue;
            }
            let held = self.hold(write.document)?;
            let Some(change) = held.change_of(&write.section, &write.key, write.fact.v, person) else {
                everywhere = false;
                continue;
            };
            records.extend(held.record(&change.0));
            if let Some(own) = entry.change_in(write.document) {
                past.became(own.signed.envelope.change, change.0);
            }
        }
        // A change without record is this device's own, which is not what is looked for.
        let last = records.into_iter().max_by_key(|record: &AcceptanceRecord| record.position);
        Ok(last.filter(|_| everywhere))
    }

    /// The hub has another change of the same command: it counts, this one is dropped.
    fn take_over(&mut self, entry: &OutboxEntry, record: AcceptanceRecord) -> (OutboxEntry, Vec<StoreOp>) {
        let mut entry = entry.clone();
        entry.delivery = Delivery::Confirmed { at: record.received };
        entry.taken_over = Some(record);
        entry.changes.clear();
        let op = entry.store_op();
        (entry, vec![op])
    }
}
