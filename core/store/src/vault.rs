//! The vault: where the platform keeps the key that wraps the per-user key.

mod file;
mod memory;

pub use file::FileVault;
pub use memory::MemoryVault;

use zeroize::Zeroizing;

/// Why a vault could not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The person must show themselves first: the app prompts and hands the released key to the store.
    #[error("the vault needs the person")]
    NeedsUser,
    /// The device is locked; try again when it is unlocked.
    #[error("the vault is locked")]
    Locked,
    /// The platform's key is gone (new biometrics, reset): the store cannot be opened with it any more.
    #[error("the vault's key is gone")]
    Invalidated,
    /// Anything else, in a fixed text without secrets.
    #[error("the vault is not available: {0}")]
    Unavailable(String),
}

/// Wraps secrets under a key that never leaves the platform. Implemented by the app.
///
/// Called on any thread; may block on hardware; never shows a prompt (`unwrap` answers
/// [`VaultError::NeedsUser`] instead); must not call back into the register. The store holds no lock during a
/// call.
pub trait KeyVault: Send + Sync {
    /// Wraps a secret under the key named `alias`, making the key if it does not exist.
    fn wrap(&self, alias: &str, secret: &[u8]) -> Result<Vec<u8>, VaultError>;
    /// Unwraps what `wrap` made.
    fn unwrap(&self, alias: &str, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError>;
    /// Destroys the key. What it wrapped is lost. Does nothing if there is none.
    fn destroy(&self, alias: &str) -> Result<(), VaultError>;
}
