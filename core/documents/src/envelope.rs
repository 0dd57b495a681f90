//! Envelopes: who signs a change, in what capacity, as part of which command and batch.

use minicbor::{Decode, Encode};
use registro_model::{Capacity, CommandId, DocumentId, SchoolId};

use crate::bytes::{Parts, sha256};
use crate::certificate::{Certificate, CertificateId, Epoch};
use crate::device_key::{Signature, SigningKey, verify};

/// Hash of a change, as Automerge computes it.
pub type Hash = [u8; 32];

/// What the author's device signs about one change.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Envelope {
    /// The school.
    #[n(0)]
    pub school: SchoolId,
    /// The document that the change belongs to.
    #[n(1)]
    pub document: DocumentId,
    /// The change.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub change: Hash,
    /// The certificate of the signing key.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub certificate: CertificateId,
    /// The capacity of every fact of the change.
    #[n(4)]
    pub capacity: Capacity,
    /// The command that the change is part of; `v` of every fact.
    #[n(5)]
    pub command: CommandId,
    /// The epoch of the actor.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub epoch: Epoch,
    /// Digest of the batch, see [`batch_digest`].
    #[cbor(n(7), with = "minicbor::bytes")]
    pub batch: Hash,
    /// Version of the directory that the author's device knew; 0 if none.
    #[n(8)]
    pub directory: u64,
    /// Ed25519 signature of all the above.
    #[cbor(n(9), with = "minicbor::bytes")]
    pub signature: Signature,
}

impl Envelope {
    /// Fills in the signature.
    #[must_use]
    pub fn signed(mut self, key: &SigningKey) -> Self {
        self.signature = key.sign(&self.signed_bytes());
        self
    }

    /// Whether the certificate's key signed this, for this school.
    pub fn is_signed_by(&self, certificate: &Certificate) -> bool {
        self.school == certificate.school
            && self.certificate == certificate.id()
            && verify(&certificate.key, &self.signed_bytes(), &self.signature)
    }

    fn signed_bytes(&self) -> Vec<u8> {
        Parts::new("registro/change/1")
            .part(self.school.as_bytes())
            .part(self.document.as_bytes())
            .part(&self.change)
            .part(&self.certificate)
            .part(self.capacity.as_str().as_bytes())
            .part(self.command.as_bytes())
            .part(&self.epoch)
            .part(&self.batch)
            .int(self.directory)
            .into_bytes()
    }
}

/// A signed change on its way: envelope and raw chunk.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SignedChange {
    /// Who signs it.
    #[n(0)]
    pub envelope: Envelope,
    /// The raw, uncompressed change chunk.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub chunk: Vec<u8>,
}

/// All changes of one command: accepted whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Batch {
    /// Random bytes that keep readers of one document from learning what else was written. They travel with a
    /// pushed batch, never in the feed.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub salt: [u8; 16],
    /// At most one change per document.
    #[n(1)]
    pub changes: Vec<SignedChange>,
}

impl Batch {
    /// Most changes in a batch: a roll call of a large class with every pupil absent, and its class month.
    pub const MAX_CHANGES: usize = 256;

    /// Whether the batch is complete: every envelope carries the digest of exactly these changes, one command,
    /// one certificate, one capacity, no document twice.
    pub fn is_complete(&self) -> bool {
        let Some(first) = self.changes.first() else { return false };
        let mut items: Vec<_> =
            self.changes.iter().map(|c| (c.envelope.document, c.envelope.change)).collect();
        items.sort_unstable();
        let distinct = items.windows(2).all(|pair| pair.first().map(|p| p.0) != pair.last().map(|p| p.0));
        let digest = batch_digest(&self.salt, &items);
        distinct
            && self.changes.len() <= Self::MAX_CHANGES
            && self.changes.iter().all(|c| {
                c.envelope.batch == digest
                    && c.envelope.command == first.envelope.command
                    && c.envelope.certificate == first.envelope.certificate
                    && c.envelope.capacity == first.envelope.capacity
                    && c.envelope.school == first.envelope.school
            })
    }
}

/// SHA-256(16 random bytes ‖ sorted (document, change hash)).
pub fn batch_digest(salt: &[u8; 16], items: &[(DocumentId, Hash)]) -> Hash {
    let mut sorted = items.to_vec();
    sorted.sort_unstable();
    let mut text = salt.to_vec();
    for (document, hash) in sorted {
        text.extend_from_slice(document.as_bytes());
        text.extend_from_slice(&hash);
    }
    sha256(&text)
}

#[cfg(test)]
mod tests {
    use registro_model::PersonId;
    use zeroize::Zeroizing;

    use super::*;

    fn sample() -> (SigningKey, Certificate, Batch) {
        let school_key = SigningKey::from_seed(&Zeroizing::new([1; 32]));
        let device = SigningKey::from_seed(&Zeroizing::new([2; 32]));
        let school = SchoolId([3; 16]);
        let certificate =
            Certificate::issue(&school_key, school, PersonId([4; 16]), *device.public(), 0, 100);
        let items = [(DocumentId([5; 16]), [6; 32]), (DocumentId([7; 16]), [8; 32])];
        let digest = batch_digest(&[9; 16], &items);
        let changes = items
            .iter()
            .map(|(document, change)| SignedChange {
                envelope: Envelope {
                    school,
                    document: *document,
                    change: *change,
                    certificate: certificate.id(),
                    capacity: Capacity::Lesson,
                    command: CommandId([1; 8]),
                    epoch: [2; 8],
                    batch: digest,
                    directory: 7,
                    signature: [0; 64],
                }
                .signed(&device),
                chunk: vec![],
            })
            .collect();
        (school_key, certificate, Batch { salt: [9; 16], changes })
    }

    #[test]
    fn a_torn_batch_is_not_complete() {
        let (_, _, mut batch) = sample();
        assert!(batch.is_complete());
        batch.changes.pop();
        assert!(!batch.is_complete());
    }

    #[test]
    fn every_signed_field_counts() {
        let (school_key, certificate, batch) = sample();
        assert!(certificate.is_genuine(SchoolId([3; 16]), school_key.public()));
        let good = &batch.changes[0].envelope;
        assert!(good.is_signed_by(&certificate));
        let forgeries: [fn(&mut Envelope); 6] = [
            |e| e.document = DocumentId([0; 16]),
            |e| e.change = [0; 32],
            |e| e.capacity = Capacity::Office,
            |e| e.command = CommandId([0; 8]),
            |e| e.epoch = [0; 8],
            |e| e.directory = 8,
        ];
        for forge in forgeries {
            let mut envelope = good.clone();
            forge(&mut envelope);
            assert!(!envelope.is_signed_by(&certificate));
        }
        let mut other = certificate.clone();
        other.person = PersonId([0; 16]);
        assert!(!other.is_genuine(SchoolId([3; 16]), school_key.public()));
    }
}
