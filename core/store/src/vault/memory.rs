//! A vault in memory, for tests and simulations.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use zeroize::Zeroizing;

use super::{KeyVault, VaultError};
use crate::seal;

/// Keys live as long as the object.
#[derive(Default)]
pub struct MemoryVault {
    keys: Mutex<HashMap<String, Zeroizing<[u8; 32]>>>,
}

impl KeyVault for MemoryVault {
    fn wrap(&self, alias: &str, secret: &[u8]) -> Result<Vec<u8>, VaultError> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let key = match keys.get(alias) {
            Some(key) => key.clone(),
            None => {
                let key = seal::random_key().map_err(|_| unavailable())?;
                keys.insert(alias.to_owned(), key.clone());
                key
            }
        };
        seal::wrap(&key, alias.as_bytes(), secret).map_err(|_| unavailable())
    }

    fn unwrap(&self, alias: &str, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let key = self.keys.lock().unwrap_or_else(PoisonError::into_inner).get(alias).cloned();
        let key = key.ok_or(VaultError::Invalidated)?;
        seal::unwrap(&key, alias.as_bytes(), wrapped).map_err(|_| VaultError::Invalidated)
    }

    fn destroy(&self, alias: &str) -> Result<(), VaultError> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).remove(alias);
        Ok(())
    }
}

fn unavailable() -> VaultError {
    VaultError::Unavailable("sealing failed".to_owned())
}
