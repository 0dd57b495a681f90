//! Certificates: the school says that a device key is a person's. No roles stand in it: those are dated facts of
//! the directory. It proves authorship of changes, never a request.

use minicbor::{Decode, Encode};
use registro_model::{DocumentId, PersonId, SchoolId};

use crate::bytes::{Parts, sha256};
use crate::device_key::{PublicKey, Signature, SigningKey, verify};

/// Id of a certificate: SHA-256 of what the school signed.
pub type CertificateId = [u8; 32];

/// Eight random bytes that make a device's actor ids in a document fresh again.
pub type Epoch = [u8; 8];

/// A certified device key.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Certificate {
    /// Version of this form: 1.
    #[n(0)]
    pub version: u8,
    /// The school.
    #[n(1)]
    pub school: SchoolId,
    /// Whose key it is. The school's own id for the hub itself.
    #[n(2)]
    pub person: PersonId,
    /// The device's public key.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub key: PublicKey,
    /// First second of validity, Unix time.
    #[n(4)]
    pub not_before: i64,
    /// Last second of validity: 31 October following the school year.
    #[n(5)]
    pub not_after: i64,
    /// The school's signature.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub signature: Signature,
}

impl Certificate {
    /// Issues a certificate. The caller has verified that the device holds the key.
    pub fn issue(
        school_key: &SigningKey,
        school: SchoolId,
        person: PersonId,
        key: PublicKey,
        not_before: i64,
        not_after: i64,
    ) -> Self {
        let mut certificate =
            Self { version: 1, school, person, key, not_before, not_after, signature: [0; 64] };
        certificate.signature = school_key.sign(&certificate.signed_bytes());
        certificate
    }

    fn signed_bytes(&self) -> Vec<u8> {
        Parts::new("registro/certificate/1")
            .int(u64::from(self.version))
            .part(self.school.as_bytes())
            .part(self.person.as_bytes())
            .part(&self.key)
            .part(&self.not_before.to_be_bytes())
            .part(&self.not_after.to_be_bytes())
            .into_bytes()
    }

    /// The certificate's id.
    pub fn id(&self) -> CertificateId {
        sha256(&self.signed_bytes())
    }

    /// Whether the school issued it. Says nothing about its dates.
    pub fn is_genuine(&self, school: SchoolId, school_key: &PublicKey) -> bool {
        self.version == 1
            && self.school == school
            && verify(school_key, &self.signed_bytes(), &self.signature)
    }

    /// Whether the time lies within its dates.
    pub fn is_valid_at(&self, seconds: i64) -> bool {
        (self.not_before..=self.not_after).contains(&seconds)
    }

    /// The Automerge actor under which this device writes in a document during an epoch.
    pub fn actor(&self, document: DocumentId, epoch: Epoch) -> [u8; 16] {
        actor(&self.key, document, epoch)
    }
}

/// First 16 bytes of SHA-256(device key ‖ document ‖ epoch): whoever verifies recomputes it.
pub fn actor(key: &PublicKey, document: DocumentId, epoch: Epoch) -> [u8; 16] {
    let hash = sha256(&[key.as_slice(), document.as_bytes(), &epoch].concat());
    let mut out = [0; 16];
    out.copy_from_slice(hash.get(..16).unwrap_or(&[0; 16]));
    out
}
