//! What the school signs: snapshots, refusals, revocations, restores, checkpoints.

use minicbor::{Decode, Encode};
use registro_documents::bytes::{Parts, sha256};
use registro_documents::device_key::{PublicKey, Signature, SigningKey, verify};
use registro_documents::policy::Reason;
use registro_documents::{CertificateId, Hash, PackedRecords};
use registro_model::{CommandId, DocumentId, PersonId, SchoolId};

use crate::messages::{Code, Cursor};

/// A document folded by the hub, with its records. It is checked before it is loaded.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Snapshot {
    /// The document.
    #[n(0)]
    pub document: DocumentId,
    /// Its generation.
    #[n(1)]
    pub generation: u32,
    /// Where in the log it was made, with the chain there.
    #[n(2)]
    pub at: Cursor,
    /// Heads of the document, sorted.
    #[n(3)]
    pub heads: Vec<HashBytes>,
    /// The saved document; empty for a document that nobody wrote to, which is its genesis.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
    /// Records and authors.
    #[n(5)]
    pub records: PackedRecords,
    /// The school's signature.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub signature: Signature,
}

/// A hash on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct HashBytes(#[cbor(with = "minicbor::bytes")] pub Hash);

/// A notice to an author: a change of theirs is not in the register.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Refused {
    /// Position of the notice in the log.
    #[n(0)]
    pub position: u64,
    /// The document.
    #[n(1)]
    pub document: DocumentId,
    /// The change.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub change: Hash,
    /// Its author.
    #[n(3)]
    pub person: PersonId,
    /// Its command.
    #[n(4)]
    pub command: CommandId,
    /// What became of it.
    #[n(5)]
    pub code: Code,
    /// Why, where policy or office decided.
    #[n(6)]
    pub reason: Option<Reason>,
    /// Whether this change is the cause, or a batch mate of it.
    #[n(7)]
    pub cause: bool,
    /// When the hub received it, Unix milliseconds.
    #[n(8)]
    pub received: i64,
    /// The school's signature.
    #[cbor(n(9), with = "minicbor::bytes")]
    pub signature: Signature,
}

/// A device whose changes are refused from its receipt on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Revoked {
    /// Position of the notice in the log.
    #[n(0)]
    pub position: u64,
    /// The device's certificate.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub certificate: CertificateId,
    /// Since when, Unix milliseconds.
    #[n(2)]
    pub received: i64,
    /// The school's signature.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub signature: Signature,
}

/// The hub was restored from a backup: what follows was not in the log before.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Restored {
    /// Position of the notice in the log.
    #[n(0)]
    pub position: u64,
    /// When, Unix milliseconds.
    #[n(1)]
    pub received: i64,
    /// The school's signature.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub signature: Signature,
}

/// The chain at a position, stated daily, by which devices can show that a log was rewritten.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Checkpoint {
    /// Position and chain.
    #[n(0)]
    pub at: Cursor,
    /// When, Unix milliseconds.
    #[n(1)]
    pub time: i64,
    /// The school's signature.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub signature: Signature,
}

/// A text that the school signs.
pub trait Signed {
    /// The text, which names the school and the kind of notice.
    fn signed_bytes(&self, school: SchoolId) -> Vec<u8>;
    /// Where the signature stands.
    fn signature(&self) -> &Signature;
    /// Sets the signature.
    fn set_signature(&mut self, signature: Signature);

    /// Whether the school signed it.
    fn is_signed_by(&self, school: SchoolId, key: &PublicKey) -> bool {
        verify(key, &self.signed_bytes(school), self.signature())
    }

    /// Signs it.
    #[must_use]
    fn signed(mut self, school: SchoolId, key: &SigningKey) -> Self
    where
        Self: Sized,
    {
        self.set_signature(key.sign(&self.signed_bytes(school)));
        self
    }
}

macro_rules! signed {
    ($type:ty, $domain:literal, |$notice:ident, $parts:ident| $text:expr) => {
        impl Signed for $type {
            fn signed_bytes(&self, school: SchoolId) -> Vec<u8> {
                let $notice = self;
                let $parts = Parts::new($domain).part(school.as_bytes());
                $text.into_bytes()
            }

            fn signature(&self) -> &Signature {
                &self.signature
            }

            fn set_signature(&mut self, signature: Signature) {
                self.signature = signature;
            }
        }
    };
}

signed!(Snapshot, "registro/snapshot/1", |s, parts| parts
    .part(s.document.as_bytes())
    .int(u64::from(s.generation))
    .int(s.at.position)
    .part(&s.at.chain)
    .part(&s.heads.iter().flat_map(|head| head.0).collect::<Vec<u8>>())
    .part(&sha256(&s.bytes))
    .part(&s.records.digest()));

signed!(Refused, "registro/refused/1", |r, parts| parts
    .int(r.position)
    .part(r.document.as_bytes())
    .part(&r.change)
    .part(r.person.as_bytes())
    .part(r.command.as_bytes())
    .part(r.code.as_str().as_bytes())
    .part(r.reason.map_or("", Reason::kind).as_bytes())
    .int(u64::from(r.cause))
    .part(&r.received.to_be_bytes()));

signed!(Revoked, "registro/revoked/1", |r, parts| parts
    .int(r.position)
    .part(&r.certificate)
    .part(&r.received.to_be_bytes()));

signed!(Restored, "registro/restored/1", |r, parts| parts.int(r.position).part(&r.received.to_be_bytes()));

signed!(Checkpoint, "registro/checkpoint/1", |c, parts| parts
    .int(c.at.position)
    .part(&c.at.chain)
    .part(&c.time.to_be_bytes()));
