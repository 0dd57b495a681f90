//! Where a fact comes from: person, device, claimed time, hub time, and how much it weighs.

use minicbor::{Decode, Encode};
use registro_model::{PersonId, Standing};

use crate::certificate::CertificateId;
use crate::document::{Document, Version};
use crate::envelope::Hash;
use crate::fact::Fact;
use crate::record::AcceptanceRecord;

/// What is known about a change besides its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The hub accepted it.
    Accepted(AcceptanceRecord),
    /// Written on this device, not accepted yet. The device's own policy result stands in for the hub's.
    Own(Standing),
    /// Another device's, not accepted yet.
    Unconfirmed(Standing),
}

/// Who and what stands behind the changes of one document.
pub trait Origins {
    /// What is known about a change.
    fn origin(&self, change: &Hash) -> Origin;
    /// The person and the certificate behind an actor of the document.
    fn author(&self, actor: &[u8; 16]) -> Option<(PersonId, CertificateId)>;
}

/// Where a version of a fact comes from.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Provenance {
    /// The change that wrote it.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub change: Hash,
    /// Who wrote it; absent if the author's certificate is not known here.
    #[n(1)]
    pub person: Option<PersonId>,
    /// The certificate of the device that wrote it.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub device: Option<CertificateId>,
    /// When the author's device said it was, Unix seconds. Informative only.
    #[n(3)]
    pub claimed: i64,
    /// The hub's record; absent while it is pending.
    #[n(4)]
    pub accepted: Option<AcceptanceRecord>,
    /// How much it weighs: the hub's word, or provisionally this device's.
    #[n(5)]
    pub standing: Standing,
    /// Whether it counts like an accepted one: accepted, or this device's own.
    #[n(6)]
    pub counts: bool,
}

/// A version of a fact with its provenance.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Shown {
    /// The fact.
    #[n(0)]
    pub fact: Fact,
    /// Where it comes from.
    #[n(1)]
    pub provenance: Provenance,
}

impl Shown {
    /// A version of a document, with its provenance.
    pub fn new(document: &Document, version: Version, origins: &dyn Origins) -> Self {
        let change = version.change.0;
        let author = origins.author(&version.op.actor);
        let (accepted, standing, counts) = match origins.origin(&change) {
            Origin::Accepted(record) => (Some(record), record.standing, true),
            Origin::Own(standing) => (None, standing, true),
            Origin::Unconfirmed(standing) => (None, standing, false),
        };
        let claimed = document.change_info(&version.change).map_or(0, |info| info.time);
        Self {
            fact: version.fact,
            provenance: Provenance {
                change,
                person: author.map(|a| a.0),
                device: author.map(|a| a.1),
                claimed,
                accepted,
                standing,
                counts,
            },
        }
    }
}
