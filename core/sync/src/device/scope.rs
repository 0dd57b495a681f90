//! The documents that the caller may read: what is gone is purged, what is new is asked for.

use std::collections::BTreeSet;

use registro_model::DocumentId;
use registro_store::DocumentPart;

use super::outbox::OutboxEntry;
use super::state::{Header, StoreOp};
use super::{Device, DeviceError};
use crate::messages::Listed;
use crate::wire::encode;

impl Device {
    /// Purges what may not be read any more and asks for what is new. Commands stay.
    pub(super) fn apply_scope(
        &mut self,
        listed: &[Listed],
        ops: &mut Vec<StoreOp>,
    ) -> Result<(), DeviceError> {
        let now: BTreeSet<_> = listed.iter().map(|entry| entry.identity.id).collect();
        let gone: Vec<_> = self.headers.keys().copied().filter(|id| !now.contains(id)).collect();
        let named = if gone.is_empty() { BTreeSet::new() } else { self.named_documents()? };
        for id in gone {
            ops.push(StoreOp::DeleteDocument(id));
            self.cache.remove(id);
            if let Some(header) = self.headers.remove(&id)
                && named.contains(&id)
            {
                self.blind.insert(id, Header { wanted: false, epoch: None, ..header });
            }
            self.directory = None;
        }
        for entry in listed {
            let id = entry.identity.id;
            match self.headers.get_mut(&id) {
                None => {
                    let epoch = self.blind.remove(&id).and_then(|header| header.epoch);
                    // Nobody wrote to it: it is its genesis, nothing is to be asked for.
                    let wanted = entry.last_position > 0 || epoch.is_some();
                    let header = Header {
                        identity: entry.identity.clone(),
                        until: entry.until.clone(),
                        wanted,
                        epoch,
                    };
                    ops.push(StoreOp::CreateDocument(id));
                    ops.push(StoreOp::PutPart(id, DocumentPart::Header, encode(&header)));
                    self.cache.remove(id);
                    self.headers.insert(id, header);
                    self.directory = None;
                }
                Some(header) => {
                    let later = match (&header.until, &entry.until) {
                        (Some(_), None) => true,
                        (Some(held), Some(now)) => now > held,
                        (None, _) => false,
                    };
                    if header.until != entry.until || header.identity != entry.identity {
                        header.until = entry.until.clone();
                        header.identity = entry.identity.clone();
                        header.wanted |= later;
                        let op = self.header_op(id);
                        ops.push(op);
                    }
                }
            }
        }
        ops.push(self.blind_op());
        self.take_from_aside()
    }

    /// The documents that any own command names, whatever became of it: a hub that is restored may ask for each of
    /// them again, and then the device must know at least what they are.
    fn named_documents(&self) -> Result<BTreeSet<DocumentId>, DeviceError> {
        let stored = self.commands()?;
        Ok(stored.iter().chain(&self.pending).flat_map(OutboxEntry::documents).collect())
    }
}
