//! The outbox: every command of this device with what became of it. Nothing that a person wrote is ever purged.

use minicbor::{Decode, Encode};
use registro_documents::policy::Reason;
use registro_documents::{AcceptanceRecord, Batch, Command, Hash, SignedChange};
use registro_model::{CommandId, DocumentId, Standing};

use super::state::StoreOp;
use crate::messages::Code;
use crate::notices::HashBytes;
use crate::wire::encode;

/// Store state of a command that is still offered to the hub.
pub(super) const PENDING: u8 = 0;
/// Store state of a confirmed command.
pub(super) const CONFIRMED: u8 = registro_store::CONFIRMED;
/// Store state of a command that is not in the register: refused, or with the office.
pub(super) const REFUSED: u8 = 2;

/// A command and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct OutboxEntry {
    /// The command, as it was given.
    #[n(0)]
    pub command: Command,
    /// What became of it.
    #[n(1)]
    pub delivery: Delivery,
    /// What the device's own policy says that it weighs, until the hub says so.
    #[n(2)]
    pub standing: Standing,
    /// Random bytes of the batch digest.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub salt: [u8; 16],
    /// The changes that it became.
    #[n(4)]
    pub changes: Vec<OwnChange>,
    /// The command that was refused, or is with the office, for other items: this one is what remains of it.
    #[n(5)]
    pub instead_of: Option<CommandId>,
    /// The hub's record of another change of this command, which counts; this device's own are to be dropped.
    #[n(6)]
    pub taken_over: Option<AcceptanceRecord>,
    /// It can neither be offered nor run again with what this device holds. It is kept, and tried again when the
    /// device may read other documents or is opened again.
    #[n(7)]
    pub aside: bool,
}

/// A change of a command, with what a re-execution needs.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct OwnChange {
    /// The signed change.
    #[n(0)]
    pub signed: SignedChange,
    /// What it was written on.
    #[n(1)]
    pub deps: Vec<HashBytes>,
    /// The hub's record.
    #[n(2)]
    pub record: Option<AcceptanceRecord>,
}

/// Delivery state of something written.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Delivery {
    /// Not confirmed by the hub yet.
    #[n(0)]
    Pending,
    /// In the register since.
    #[n(1)]
    Confirmed {
        /// When the hub received it, Unix milliseconds.
        #[n(0)]
        at: i64,
    },
    /// With the office, which decides.
    #[n(2)]
    WithOffice(#[n(0)] Refusal),
    /// Refused.
    #[n(3)]
    Refused(#[n(0)] Refusal),
}

/// Why something is not in the register.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Refusal {
    /// What the hub answered.
    #[n(0)]
    pub code: Code,
    /// Why, where policy or office decided.
    #[n(1)]
    pub reason: Option<Reason>,
    /// The documents whose change was the cause. If they are not all of the command's, the device has drawn another
    /// command that writes the rest ([`OutboxEntry::instead_of`]).
    #[n(2)]
    pub causes: Vec<DocumentId>,
}

impl OutboxEntry {
    /// A command that has become no change yet.
    pub(super) fn drawn(command: Command, standing: Standing) -> Self {
        Self {
            command,
            delivery: Delivery::Pending,
            standing,
            salt: [0; 16],
            changes: Vec::new(),
            instead_of: None,
            taken_over: None,
            aside: false,
        }
    }

    /// What keeps it out of the register, if anything does.
    pub fn refusal(&self) -> Option<&Refusal> {
        match &self.delivery {
            Delivery::WithOffice(refusal) | Delivery::Refused(refusal) => Some(refusal),
            Delivery::Pending | Delivery::Confirmed { .. } => None,
        }
    }

    /// Whether one of its changes is this one.
    pub fn has(&self, change: &Hash) -> bool {
        self.changes.iter().any(|own| own.signed.envelope.change == *change)
    }

    /// Its change in a document.
    pub fn change_in(&self, document: DocumentId) -> Option<&OwnChange> {
        self.changes.iter().find(|own| own.signed.envelope.document == document)
    }

    /// The documents that it names, in its command or its changes.
    pub(super) fn documents(&self) -> impl Iterator<Item = DocumentId> {
        let written = self.command.writes.iter().map(|write| write.document);
        written.chain(self.changes.iter().map(|own| own.signed.envelope.document))
    }

    /// The whole batch, as it is pushed.
    pub fn batch(&self) -> Batch {
        Batch { salt: self.salt, changes: self.changes.iter().map(|change| change.signed.clone()).collect() }
    }

    /// Whether the hub has accepted every change.
    pub fn is_accepted(&self) -> bool {
        !self.changes.is_empty() && self.changes.iter().all(|change| change.record.is_some())
    }

    /// Position of the last of its changes, once accepted.
    pub fn position(&self) -> Option<u64> {
        self.changes
            .iter()
            .map(|change| change.record.map(|record| record.position))
            .collect::<Option<Vec<_>>>()?
            .into_iter()
            .max()
    }

    /// The operation that stores it.
    pub(super) fn store_op(&self) -> StoreOp {
        StoreOp::PutCommand(self.command.id, self.state(), encode(self))
    }

    fn state(&self) -> u8 {
        match self.delivery {
            Delivery::Pending => PENDING,
            Delivery::Confirmed { .. } => CONFIRMED,
            Delivery::WithOffice(_) | Delivery::Refused(_) => REFUSED,
        }
    }
}
