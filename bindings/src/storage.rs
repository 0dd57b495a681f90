//! Where the platform keeps a login's key and secrets.

use std::sync::Arc;

use registro::identity::jose::PublicJwk;
use registro::identity::storage::{self, MemoryKeys, MemorySecrets};
use zeroize::Zeroizing;

/// Why a key store could not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum StorageError {
    /// The person must show themselves first: the app prompts, and tries again.
    #[error("the key store needs the person")]
    NeedsUser,
    /// The device is locked: try again when it is unlocked.
    #[error("the key store is locked")]
    Locked,
    /// The person gave up.
    #[error("the person gave up")]
    Cancelled,
    /// The key or the secret is gone (new biometrics, a reset): log in again.
    #[error("the key is gone")]
    Invalidated,
    /// Anything else.
    #[error("the key store is not available")]
    Unavailable {
        /// A fixed text without secrets.
        reason: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for StorageError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        // The reason would carry the app's stack trace.
        Self::Unavailable {
            reason: "the app's key store failed in a way that it does not declare".to_owned(),
        }
    }
}

/// P-256 keys by name that sign and never leave the platform (Keystore, Secure Enclave). The login's tokens are bound
/// to them. An app implements it, or takes `memorySigningKeys` for tests.
///
/// It is called on any thread and may block on hardware. It never shows a prompt: it throws `NeedsUser`, the app prompts
/// and tries again. It must not call the register. It throws nothing but `StorageError`.
#[uniffi::export(rust, foreign)]
pub trait SigningKeys: Send + Sync {
    /// Makes a key; one of that name is replaced. `needs_unlock`: it works only while the person has unlocked it;
    /// otherwise after the first unlock of the device, so that background sync can sign. Gives the public key as the 65
    /// bytes `04 ‖ x ‖ y` (X9.63, uncompressed).
    fn create_key(&self, alias: String, needs_unlock: bool) -> Result<Vec<u8>, StorageError>;
    /// The public key in the same form. `Invalidated` if there is no such key.
    fn public_key(&self, alias: String) -> Result<Vec<u8>, StorageError>;
    /// Signs with ECDSA and SHA-256 (`SHA256withECDSA`). Gives the signature in DER, as platforms do. `Invalidated` if
    /// there is no such key.
    fn sign(&self, alias: String, data: Vec<u8>) -> Result<Vec<u8>, StorageError>;
    /// Destroys a key. Does nothing if there is none.
    fn delete_key(&self, alias: String) -> Result<(), StorageError>;
}

/// Small secrets by name, sealed by the platform: logins under way, tokens. An app implements it, or takes
/// `memorySecretStore` for tests.
///
/// What was put survives the end of the process, whole or not at all, and is in no backup of the device. The rules of
/// `SigningKeys` hold.
#[uniffi::export(rust, foreign)]
pub trait SecretStore: Send + Sync {
    /// Keeps a secret of at most 64 KB; one of that name is replaced.
    fn put(&self, name: String, secret: Vec<u8>) -> Result<(), StorageError>;
    /// The secret of that name, if there is one.
    fn get(&self, name: String) -> Result<Option<Vec<u8>>, StorageError>;
    /// Destroys a secret. Does nothing if there is none.
    fn delete(&self, name: String) -> Result<(), StorageError>;
    /// Destroys all of them: at the first run after an installation, because some platforms keep them.
    fn delete_all(&self) -> Result<(), StorageError>;
}

/// Keys that live as long as the object, for tests.
#[uniffi::export]
pub fn memory_signing_keys() -> Arc<dyn SigningKeys> {
    Arc::new(OwnKeys(MemoryKeys::default()))
}

/// Secrets that live as long as the object, for tests.
#[uniffi::export]
pub fn memory_secret_store() -> Arc<dyn SecretStore> {
    Arc::new(OwnSecrets(MemorySecrets::default()))
}

/// Keys of ours, as apps see them.
struct OwnKeys<K>(K);

impl<K: storage::SigningKeys> SigningKeys for OwnKeys<K> {
    fn create_key(&self, alias: String, needs_unlock: bool) -> Result<Vec<u8>, StorageError> {
        Ok(self.0.create_key(&alias, needs_unlock)?.point().to_vec())
    }

    fn public_key(&self, alias: String) -> Result<Vec<u8>, StorageError> {
        Ok(self.0.public_jwk(&alias)?.point().to_vec())
    }

    fn sign(&self, alias: String, data: Vec<u8>) -> Result<Vec<u8>, StorageError> {
        Ok(self.0.sign_es256(&alias, &data)?)
    }

    fn delete_key(&self, alias: String) -> Result<(), StorageError> {
        Ok(self.0.delete(&alias)?)
    }
}

/// Secrets of ours, as apps see them.
struct OwnSecrets<S>(S);

impl<S: storage::SecretStore> SecretStore for OwnSecrets<S> {
    fn put(&self, name: String, secret: Vec<u8>) -> Result<(), StorageError> {
        Ok(self.0.put(&name, &Zeroizing::new(secret))?)
    }

    fn get(&self, name: String) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self.0.get(&name)?.map(|secret| secret.to_vec()))
    }

    fn delete(&self, name: String) -> Result<(), StorageError> {
        Ok(self.0.delete(&name)?)
    }

    fn delete_all(&self) -> Result<(), StorageError> {
        Ok(self.0.delete_all()?)
    }
}

/// Keys of the app's, as the login sees them.
pub(crate) struct PlatformKeys(pub Arc<dyn SigningKeys>);

/// A public key as an app gives it.
fn jwk(point: &[u8]) -> Result<PublicJwk, storage::StorageError> {
    let wrong =
        || storage::StorageError::Unavailable("the app's public key is not 65 bytes of X9.63".to_owned());
    PublicJwk::from_point(point).ok_or_else(wrong)
}

impl storage::SigningKeys for PlatformKeys {
    fn create_key(&self, alias: &str, needs_unlock: bool) -> Result<PublicJwk, storage::StorageError> {
        jwk(&self.0.create_key(alias.to_owned(), needs_unlock)?)
    }

    fn public_jwk(&self, alias: &str) -> Result<PublicJwk, storage::StorageError> {
        jwk(&self.0.public_key(alias.to_owned())?)
    }

    fn sign_es256(&self, alias: &str, data: &[u8]) -> Result<Vec<u8>, storage::StorageError> {
        Ok(self.0.sign(alias.to_owned(), data.to_vec())?)
    }

    fn delete(&self, alias: &str) -> Result<(), storage::StorageError> {
        Ok(self.0.delete_key(alias.to_owned())?)
    }
}

/// Secrets of the app's, as the login sees them.
pub(crate) struct PlatformSecrets(pub Arc<dyn SecretStore>);

impl storage::SecretStore for PlatformSecrets {
    fn put(&self, name: &str, secret: &[u8]) -> Result<(), storage::StorageError> {
        Ok(self.0.put(name.to_owned(), secret.to_vec())?)
    }

    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, storage::StorageError> {
        Ok(self.0.get(name.to_owned())?.map(Zeroizing::new))
    }

    fn delete(&self, name: &str) -> Result<(), storage::StorageError> {
        Ok(self.0.delete(name.to_owned())?)
    }

    fn delete_all(&self) -> Result<(), storage::StorageError> {
        Ok(self.0.delete_all()?)
    }
}

impl From<StorageError> for storage::StorageError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::NeedsUser => Self::NeedsUser,
            StorageError::Locked => Self::Locked,
            StorageError::Cancelled => Self::Cancelled,
            StorageError::Invalidated => Self::Invalidated,
            StorageError::Unavailable { reason } => Self::Unavailable(reason),
        }
    }
}

impl From<storage::StorageError> for StorageError {
    fn from(error: storage::StorageError) -> Self {
        use storage::StorageError as Theirs;
        match error {
            Theirs::NeedsUser => Self::NeedsUser,
            Theirs::Locked => Self::Locked,
            Theirs::Cancelled => Self::Cancelled,
            Theirs::Invalidated => Self::Invalidated,
            Theirs::Unavailable(reason) => Self::Unavailable { reason },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_the_apps_that_is_no_point_is_refused() {
        assert!(jwk(&[4; 64]).is_err());
        let keys = memory_signing_keys();
        let point = keys.create_key("a".to_owned(), false).unwrap();
        assert_eq!(point.len(), 65);
        assert_eq!(jwk(&point).unwrap().point(), point.as_slice());
        keys.delete_key("a".to_owned()).unwrap();
        assert_eq!(keys.sign("a".to_owned(), vec![1]), Err(StorageError::Invalidated));
    }
}
