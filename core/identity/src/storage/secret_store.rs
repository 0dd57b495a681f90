//! Small secrets, sealed by the platform.

use zeroize::Zeroizing;

use super::StorageError;

/// Secrets by name: logins under way, tokens, tokens to be given back. Names say nothing about a person.
///
/// A secret that was put must survive the end of the process, whole or not at all, and must not be part of a backup
/// of the device. See [`storage`](super) for the contract.
pub trait SecretStore: Send + Sync {
    /// Keeps a secret; one of that name is replaced.
    fn put(&self, name: &str, secret: &[u8]) -> Result<(), StorageError>;

    /// The secret of that name, if there is one.
    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StorageError>;

    /// Destroys a secret. Does nothing if there is none.
    fn delete(&self, name: &str) -> Result<(), StorageError>;

    /// Destroys all of them: the first run after an installation, because some platforms keep them.
    fn delete_all(&self) -> Result<(), StorageError>;
}
