//! A hub restored from a backup: its log is not the one that this device knows. The device keeps outbox and
//! envelopes, forgets the records, wants every document, and offers what the snapshots lack.

use registro_store::DocumentPart;

use super::apply::Applied;
use super::outbox::{Delivery, OutboxEntry};
use super::state::StoreOp;
use super::{Device, DeviceError};
use crate::messages::Reply;
use crate::wire::{decode, encode};

impl Device {
    /// Own commands that were acknowledged, or are with the office, are pending again.
    pub(super) fn apply_diverged(&mut self, reply: &Reply) -> Result<Applied, DeviceError> {
        let mut ops = Vec::new();
        self.state.cursor = reply.end;
        self.state.end = reply.end;
        self.state.scope = [0; 32];
        self.state.started = true;
        self.state.offering = true;
        for header in self.headers.values_mut() {
            header.wanted = true;
            ops.push(StoreOp::PutPart(header.identity.id, DocumentPart::Header, encode(&*header)));
        }
        let stored = self.store.read(|r| r.commands())?;
        let mut pending = Vec::new();
        for command in stored {
            let mut entry: OutboxEntry = decode(&command.body)?;
            if matches!(entry.delivery, Delivery::Refused(_)) {
                continue;
            }
            // What left the graph, or was taken over from a copy of this store, has no change to offer again.
            if matches!(entry.delivery, Delivery::WithOffice(_)) || entry.changes.is_empty() {
                self.state.redo.insert(entry.command.id);
            }
            entry.delivery = Delivery::Pending;
            entry.taken_over = None;
            if std::mem::take(&mut entry.aside) {
                self.state.redo.insert(entry.command.id);
            }
            for change in &mut entry.changes {
                change.record = None;
            }
            ops.push(entry.store_op());
            pending.push(entry);
        }
        self.pending = pending;
        self.aside.clear();
        self.waiting.clear();
        self.order_pending()?;
        self.cache.clear();
        self.directory = None;
        ops.push(StoreOp::PutMeta("sync".to_owned(), encode(&self.state)));
        self.commit(ops)?;
        Ok(Applied { more: true, diverged: true, ..Applied::default() })
    }
}
