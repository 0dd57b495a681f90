//! Writing blind: a substitute's tablet knows the class's roster but may read neither the pupils' records nor the
//! class's months. It writes on the genesis, then on its own last change; the merge treats that as concurrent.

use registro_documents::DocumentIdentity;

use super::held::Held;
use super::outbox::{CONFIRMED, PENDING};
use super::state::{Header, StoreOp};
use super::{Device, DeviceError};
use crate::wire::{decode, encode};

impl Device {
    /// Lets the device write in a document that it may not read. Does nothing if it may.
    pub fn know(&mut self, identity: DocumentIdentity) -> Result<(), DeviceError> {
        let id = identity.id;
        if self.headers.contains_key(&id) || self.blind.contains_key(&id) {
            return Ok(());
        }
        self.blind.insert(id, Header { identity, until: None, wanted: false, epoch: None });
        let op = self.blind_op();
        self.commit(vec![op])
    }

    /// Whether the document is written blind.
    pub fn is_blind(&self, document: registro_model::DocumentId) -> bool {
        !self.headers.contains_key(&document) && self.blind.contains_key(&document)
    }

    pub(super) fn blind_op(&self) -> StoreOp {
        StoreOp::PutMeta("blind".to_owned(), encode(&self.blind.values().cloned().collect::<Vec<_>>()))
    }

    /// The genesis with this device's own changes: pending ones, and those of the year that the hub confirmed.
    pub(super) fn load_blind(&mut self, header: &Header) -> Result<Held, DeviceError> {
        let confirmed = self.store.read(|r| r.commands_in_state(CONFIRMED))?;
        let mut held = Held::founded(header.identity.id, header.identity.kind);
        self.know_own_actors(&mut held);
        let entries = confirmed.iter().map(|command| decode(&command.body)).collect::<Result<Vec<_>, _>>()?;
        // A confirmed change that rests on others' changes cannot be put here; what follows it is concurrent.
        held.add_pending(&entries);
        let misfits = held.add_pending(&self.pending);
        self.state.redo.extend(misfits);
        debug_assert_eq!(PENDING, 0);
        Ok(held)
    }

    /// Tells a document which of its actors are this device's: under the epochs that it wrote there.
    pub(super) fn know_own_actors(&self, held: &mut Held) {
        let Some(account) = &self.account else { return };
        for envelope in self.pending.iter().flat_map(|e| &e.changes).map(|c| &c.signed.envelope) {
            if envelope.document == held.id() {
                let author = (account.person, envelope.certificate);
                held.know_own_author(account.certificate.actor(envelope.document, envelope.epoch), author);
            }
        }
    }
}
