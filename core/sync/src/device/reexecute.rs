//! Running commands again after a refusal, a reused sequence number or a restore: what was concurrent stays
//! concurrent. On plain current heads a put would silently supersede a colleague's fact.

use std::collections::{BTreeMap, BTreeSet};

use registro_documents::write::versions_of;
use registro_documents::{Epoch, Hash, genesis};
use registro_model::{CommandId, DocumentId};

use super::give::puts_of;
use super::held::automerge_hash;
use super::outbox::OutboxEntry;
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
            self.renew(*document);
        }
        documents
    }

    /// Forgets a document in memory and the epoch under which this device writes in it.
    fn renew(&mut self, document: DocumentId) {
        self.cache.remove(document);
        let header = match self.headers.get_mut(&document) {
            Some(header) => Some(header),
            None => self.blind.get_mut(&document),
        };
        if let Some(header) = header {
            header.epoch = None;
        }
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
        // Where each change that left stood, so that what rested on it finds its place.
        let mut places: BTreeMap<Hash, Place> = BTreeMap::new();
        for change in again.iter().flat_map(|entry| &entry.changes) {
            let deps = change.deps.iter().map(|dep| dep.0).collect();
            places.insert(change.signed.envelope.change, Place { deps, now: None });
            renewed.insert(change.signed.envelope.document);
        }
        for refused in self.commands()?.into_iter().filter(|entry| entry.state() == super::outbox::REFUSED) {
            for change in &refused.changes {
                let deps = change.deps.iter().map(|dep| dep.0).collect();
                places.entry(change.signed.envelope.change).or_insert(Place { deps, now: None });
            }
        }
        for document in &renewed {
            self.cache.remove(*document);
        }
        for entry in again {
            let entry = self.run_again(entry, &mut places, ops)?;
            self.pending.push(entry);
        }
        self.pending.sort_by_key(|entry| order.iter().position(|id| *id == entry.command.id));
        self.refresh_whole(&renewed, ops)?;
        Ok(renewed)
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
        entry: OutboxEntry,
        places: &mut BTreeMap<Hash, Place>,
        ops: &mut Vec<StoreOp>,
    ) -> Result<OutboxEntry, DeviceError> {
        let account = self.account_or_error()?;
        let device = account.certificate.id();
        // Another change of this command may have been accepted: a restored store runs nothing twice.
        let mut accepted = true;
        for write in &entry.command.writes {
            let there = self.headers.contains_key(&write.document)
                && self.hold(write.document)?.ever_wrote(&write.section, &write.key, write.fact.v, &device);
            accepted &= there;
        }
        if accepted && !entry.command.writes.is_empty() {
            return self.taken_over(entry, ops);
        }
        let mut made = Vec::new();
        let mut replaced = Vec::new();
        for document in entry.command.documents() {
            let old = entry.changes.iter().find(|change| change.signed.envelope.document == document);
            let deps: Vec<Hash> = old.map(|c| c.deps.iter().map(|dep| dep.0).collect()).unwrap_or_default();
            let kind = self.identity(document)?.kind;
            let root = genesis::hash(kind).0;
            let epoch = self.epoch(document)?;
            let own = self.account_or_error()?.certificate.actor(document, epoch);
            let held = self.hold(document)?;
            let mut heads = BTreeSet::new();
            for dep in &deps {
                resolve(*dep, places, &|hash| held.contains(hash), &mut heads);
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
                versions_of(&held.document().versions_at(&write.section, &write.key, &at)) == write.saw
            });
            let change = if sees_the_same {
                self.make(document, entry.command.claimed, &puts, Some(&heads), None)?
            } else {
                // It would replace what its author never saw: it is written beside it, under an epoch of its own.
                let epoch: Epoch = self.draw();
                self.make(document, entry.command.claimed, &puts, Some(&[root]), Some(epoch))?
            };
            if let Some(old) = old {
                replaced.push((old.signed.envelope.change, change.hash));
            }
            made.push(change);
        }
        let (entry, more) = self.sign_and_put(entry.command, entry.standing, made)?;
        ops.extend(more);
        for (old, new) in replaced {
            if let Some(place) = places.get_mut(&old) {
                place.now = Some(new);
            }
        }
        Ok(entry)
    }

    /// The hub has another change of the same command: it counts, this one is dropped.
    fn taken_over(
        &mut self,
        mut entry: OutboxEntry,
        ops: &mut Vec<StoreOp>,
    ) -> Result<OutboxEntry, DeviceError> {
        let command: CommandId = entry.command.id;
        let at = self.now() + self.state.clock_offset;
        entry.delivery = super::outbox::Delivery::Confirmed { at };
        entry.changes.clear();
        ops.push(StoreOp::PutCommand(command, entry.state(), crate::wire::encode(&entry)));
        Ok(entry)
    }
}

/// Where a change that left the graph stood, and what it became.
struct Place {
    deps: Vec<Hash>,
    now: Option<Hash>,
}

/// What a dependency is in the rebuilt document: itself, what it became, or what it rested on. Unknown ones (of a
/// hub that was restored) fall away.
fn resolve(
    hash: Hash,
    places: &BTreeMap<Hash, Place>,
    contains: &dyn Fn(Hash) -> bool,
    heads: &mut BTreeSet<Hash>,
) {
    let mut open = vec![hash];
    let mut seen = BTreeSet::new();
    while let Some(hash) = open.pop() {
        if !seen.insert(hash) {
            continue;
        }
        match places.get(&hash) {
            Some(Place { now: Some(now), .. }) if contains(*now) => {
                heads.insert(*now);
            }
            _ if contains(hash) => {
                heads.insert(hash);
            }
            Some(place) => open.extend(place.deps.iter().copied()),
            None => {}
        }
    }
}
