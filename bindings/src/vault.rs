//! Where the platform keeps the key of the store.

use std::sync::Arc;

use registro_store::{FileVault, MemoryVault};
use zeroize::Zeroizing;

/// Why a vault could not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum VaultError {
    /// The person must show themselves first. The app prompts, and opens again.
    #[error("the vault needs the person")]
    NeedsUser,
    /// The device is locked: try again when it is unlocked.
    #[error("the vault is locked")]
    Locked,
    /// The platform's key is gone (new biometrics, a reset): the store cannot be opened with it any more.
    #[error("the vault's key is gone")]
    Invalidated,
    /// Anything else.
    #[error("the vault is not available")]
    Unavailable {
        /// A fixed text without secrets.
        reason: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for VaultError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        // The reason would carry the app's stack trace.
        Self::Unavailable { reason: "the app's vault failed in a way that it does not declare".to_owned() }
    }
}

/// Wraps secrets under a key that never leaves the platform (Keystore, Keychain). An app implements it, or takes
/// `fileVault`.
///
/// It is called on any thread and may block on hardware. It never shows a prompt: it throws `NeedsUser`, the app
/// prompts and opens again. It must not call the register. It throws nothing but `VaultError`.
#[uniffi::export(rust, foreign)]
pub trait KeyVault: Send + Sync {
    /// Wraps a secret of at most 64 bytes under the key named `alias`, making the key if it does not exist.
    fn wrap(&self, alias: String, secret: Vec<u8>) -> Result<Vec<u8>, VaultError>;
    /// Unwraps what `wrap` made under that alias.
    fn unwrap(&self, alias: String, wrapped: Vec<u8>) -> Result<Vec<u8>, VaultError>;
    /// Destroys the key named `alias`; what it wrapped is lost. Does nothing if there is none.
    fn forget(&self, alias: String) -> Result<(), VaultError>;
}

/// A vault of key files in a folder, readable by their owner only, for desktops and tests. It protects a copied
/// store, not a stolen home folder.
#[uniffi::export]
pub fn file_vault(directory: String) -> Arc<dyn KeyVault> {
    Arc::new(Own(FileVault::new(directory)))
}

/// A vault whose keys live as long as the object, for tests: a store that was opened with it opens with the same
/// object only.
#[uniffi::export]
pub fn memory_vault() -> Arc<dyn KeyVault> {
    Arc::new(Own(MemoryVault::default()))
}

/// A vault of ours, as apps see it.
struct Own<V>(V);

impl<V: registro_store::KeyVault> KeyVault for Own<V> {
    fn wrap(&self, alias: String, secret: Vec<u8>) -> Result<Vec<u8>, VaultError> {
        Ok(self.0.wrap(&alias, &Zeroizing::new(secret))?)
    }

    fn unwrap(&self, alias: String, wrapped: Vec<u8>) -> Result<Vec<u8>, VaultError> {
        Ok(self.0.unwrap(&alias, &wrapped)?.to_vec())
    }

    fn forget(&self, alias: String) -> Result<(), VaultError> {
        Ok(self.0.destroy(&alias)?)
    }
}

/// A vault of the app's, as the store sees it.
pub(crate) struct Platform(pub Arc<dyn KeyVault>);

impl registro_store::KeyVault for Platform {
    fn wrap(&self, alias: &str, secret: &[u8]) -> Result<Vec<u8>, registro_store::VaultError> {
        Ok(self.0.wrap(alias.to_owned(), secret.to_vec())?)
    }

    fn unwrap(&self, alias: &str, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, registro_store::VaultError> {
        Ok(Zeroizing::new(self.0.unwrap(alias.to_owned(), wrapped.to_vec())?))
    }

    fn destroy(&self, alias: &str) -> Result<(), registro_store::VaultError> {
        Ok(self.0.forget(alias.to_owned())?)
    }
}

impl From<VaultError> for registro_store::VaultError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::NeedsUser => Self::NeedsUser,
            VaultError::Locked => Self::Locked,
            VaultError::Invalidated => Self::Invalidated,
            VaultError::Unavailable { reason } => Self::Unavailable(reason),
        }
    }
}

impl From<registro_store::VaultError> for VaultError {
    fn from(error: registro_store::VaultError) -> Self {
        use registro_store::VaultError as Theirs;
        match error {
            Theirs::NeedsUser => Self::NeedsUser,
            Theirs::Locked => Self::Locked,
            Theirs::Invalidated => Self::Invalidated,
            Theirs::Unavailable(reason) => Self::Unavailable { reason },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_vault_wrapped_it_unwraps_until_it_forgets() {
        let vault = memory_vault();
        let wrapped = vault.wrap("a".to_owned(), vec![7; 32]).unwrap();
        assert_ne!(wrapped, vec![7; 32]);
        assert_eq!(vault.unwrap("a".to_owned(), wrapped.clone()).unwrap(), vec![7; 32]);
        vault.forget("a".to_owned()).unwrap();
        assert_eq!(vault.unwrap("a".to_owned(), wrapped), Err(VaultError::Invalidated));
    }
}
