//! Keys that sign and never leave the platform.

use super::StorageError;
use crate::jose::PublicJwk;

/// P-256 keys by name. P-256 because Secure Enclave and StrongBox have it.
///
/// See [`storage`](super) for the contract.
pub trait SigningKeys: Send + Sync {
    /// Makes a key. One of that name is replaced.
    ///
    /// `needs_unlock`: the key works only while the person has unlocked it; otherwise it works after the first unlock
    /// of the device, so that sync in the background can sign.
    fn create_key(&self, alias: &str, needs_unlock: bool) -> Result<PublicJwk, StorageError>;

    /// The public half.
    ///
    /// # Errors
    /// [`StorageError::Invalidated`] if there is no such key.
    fn public_jwk(&self, alias: &str) -> Result<PublicJwk, StorageError>;

    /// Signs with ECDSA and SHA-256. Gives the signature in DER, as platforms do.
    ///
    /// # Errors
    /// [`StorageError::Invalidated`] if there is no such key.
    fn sign_es256(&self, alias: &str, data: &[u8]) -> Result<Vec<u8>, StorageError>;

    /// Destroys a key. Does nothing if there is none.
    fn delete(&self, alias: &str) -> Result<(), StorageError>;
}
