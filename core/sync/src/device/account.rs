//! Who this store belongs to.

use minicbor::{Decode, Encode};
use registro_documents::device_key::PublicKey;
use registro_documents::{Certificate, SigningKey};
use registro_model::{PersonId, SchoolId};
use zeroize::{Zeroize, Zeroizing};

/// A person's account at a school on this device: its key and the certificate for it.
#[derive(Clone, Encode, Decode)]
#[cbor(array)]
pub struct Account {
    /// The school.
    #[n(0)]
    pub school: SchoolId,
    /// The school's public key.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub school_key: PublicKey,
    /// The person.
    #[n(2)]
    pub person: PersonId,
    /// Seed of the device's signing key.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub seed: [u8; 32],
    /// The certificate of that key.
    #[n(4)]
    pub certificate: Certificate,
}

impl Account {
    /// The device's signing key.
    pub fn key(&self) -> SigningKey {
        SigningKey::from_seed(&Zeroizing::new(self.seed))
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.seed.zeroize();
    }
}

impl core::fmt::Debug for Account {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Account")
            .field("school", &self.school)
            .field("person", &self.person)
            .finish_non_exhaustive()
    }
}
