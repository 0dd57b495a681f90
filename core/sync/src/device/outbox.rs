//! The outbox: every command of this device with what became of it. Nothing that a person wrote is ever purged.

use minicbor::{Decode, Encode};
use registro_documents::policy::Reason;
use registro_documents::{AcceptanceRecord, Batch, Command, SignedChange};
use registro_model::{DocumentId, Standing};

use crate::messages::Code;
use crate::notices::HashBytes;

/// Store state of a command that is still offered to the hub.
pub(super) const PENDING: u8 = 0;
/// Store state of a confirmed command.
pub(super) const CONFIRMED: u8 = 1;
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
    /// The documents whose change was the cause.
    #[n(2)]
    pub causes: Vec<DocumentId>,
}

impl OutboxEntry {
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

    pub(super) fn state(&self) -> u8 {
        match self.delivery {
            Delivery::Pending => PENDING,
            Delivery::Confirmed { .. } => CONFIRMED,
            Delivery::WithOffice(_) | Delivery::Refused(_) => REFUSED,
        }
    }
}
