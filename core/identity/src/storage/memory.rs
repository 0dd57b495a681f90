//! Keys and secrets in memory, for tests and for a login that nothing outlives.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ring::pkcs8::Document;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use zeroize::Zeroizing;

use super::{SecretStore, SigningKeys, StorageError};
use crate::jose::PublicJwk;

/// A new P-256 key in PKCS #8.
pub(super) fn generate() -> Result<Document, StorageError> {
    EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new())
        .map_err(|_| StorageError::Unavailable("no randomness".to_owned()))
}

/// Reads a key from PKCS #8.
pub(super) fn pair(pkcs8: &[u8]) -> Result<EcdsaKeyPair, StorageError> {
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8, &SystemRandom::new())
        .map_err(|_| StorageError::Invalidated)
}

/// Its public half.
pub(super) fn public(pair: &EcdsaKeyPair) -> Result<PublicJwk, StorageError> {
    PublicJwk::from_point(pair.public_key().as_ref()).ok_or(StorageError::Invalidated)
}

/// Signs with it.
pub(super) fn sign(pair: &EcdsaKeyPair, data: &[u8]) -> Result<Vec<u8>, StorageError> {
    let signature = pair.sign(&SystemRandom::new(), data);
    Ok(signature.map_err(|_| StorageError::Unavailable("signing failed".to_owned()))?.as_ref().to_vec())
}

/// Keys live as long as the object.
#[derive(Default)]
pub struct MemoryKeys {
    keys: Mutex<HashMap<String, EcdsaKeyPair>>,
}

impl MemoryKeys {
    fn keys(&self) -> MutexGuard<'_, HashMap<String, EcdsaKeyPair>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.keys().len()
    }
}

impl SigningKeys for MemoryKeys {
    fn create_key(&self, alias: &str, _: bool) -> Result<PublicJwk, StorageError> {
        let pair = pair(generate()?.as_ref())?;
        let public = public(&pair)?;
        self.keys().insert(alias.to_owned(), pair);
        Ok(public)
    }

    fn public_jwk(&self, alias: &str) -> Result<PublicJwk, StorageError> {
        public(self.keys().get(alias).ok_or(StorageError::Invalidated)?)
    }

    fn sign_es256(&self, alias: &str, data: &[u8]) -> Result<Vec<u8>, StorageError> {
        sign(self.keys().get(alias).ok_or(StorageError::Invalidated)?, data)
    }

    fn delete(&self, alias: &str) -> Result<(), StorageError> {
        self.keys().remove(alias);
        Ok(())
    }
}

/// Secrets live as long as the object.
#[derive(Default)]
pub struct MemorySecrets {
    secrets: Mutex<HashMap<String, Zeroizing<Vec<u8>>>>,
}

impl MemorySecrets {
    fn secrets(&self) -> MutexGuard<'_, HashMap<String, Zeroizing<Vec<u8>>>> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that is kept, for tests that look for what should not be there.
    pub fn everything(&self) -> Vec<(String, Zeroizing<Vec<u8>>)> {
        self.secrets().iter().map(|(name, secret)| (name.clone(), secret.clone())).collect()
    }
}

impl SecretStore for MemorySecrets {
    fn put(&self, name: &str, secret: &[u8]) -> Result<(), StorageError> {
        self.secrets().insert(name.to_owned(), Zeroizing::new(secret.to_vec()));
        Ok(())
    }

    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StorageError> {
        Ok(self.secrets().get(name).cloned())
    }

    fn delete(&self, name: &str) -> Result<(), StorageError> {
        self.secrets().remove(name);
        Ok(())
    }

    fn delete_all(&self) -> Result<(), StorageError> {
        self.secrets().clear();
        Ok(())
    }
}
