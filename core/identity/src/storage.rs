//! Where a device keeps a login's secrets. Two traits that an app implements beside the store's `KeyVault`, with
//! implementations in memory and, behind the feature `desktop`, in the desktop's key ring.
//!
//! Contract of both (docs/identity.md): called on any thread, may block on hardware, never show a prompt: what waits for
//! the person answers [`StorageError::NeedsUser`], the app prompts, and tries again. They must not call back into the
//! register, which may hold a lock of its own.

#[cfg(feature = "desktop")]
pub mod desktop;
pub mod memory;
pub mod secret_store;
pub mod signing_keys;
#[cfg(test)]
mod suite;

pub use memory::{MemoryKeys, MemorySecrets};
pub use secret_store::SecretStore;
pub use signing_keys::SigningKeys;

/// Why a key store could not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// The person must show themselves first: the app prompts and tries again.
    #[error("the key store needs the person")]
    NeedsUser,
    /// The device is locked; try again when it is unlocked.
    #[error("the key store is locked")]
    Locked,
    /// The person gave up.
    #[error("the person gave up")]
    Cancelled,
    /// The key or the secret is gone, or was made useless (new biometrics, reset).
    #[error("the key is gone")]
    Invalidated,
    /// Anything else, in a fixed text without secrets.
    #[error("the key store is not available: {0}")]
    Unavailable(String),
}
