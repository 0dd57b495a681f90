//! What a phone's platform lends to the login, on a machine that has none: keys and secrets as plain files. They
//! outlive a process, which is what tests need of them, and protect nothing.

use std::path::{Path, PathBuf};

use registro::identity::jose::PublicJwk;
use registro::identity::{Environment, SecretStore, SigningKeys, StorageError, SystemEnvironment};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use zeroize::Zeroizing;

use crate::clock::SharedClock;

/// Secrets, a file each.
#[derive(Debug, Clone)]
pub struct FileSecrets(PathBuf);

/// Keys, a file each.
#[derive(Debug, Clone)]
pub struct FileKeys(FileSecrets);

fn failed(_: std::io::Error) -> StorageError {
    StorageError::Unavailable("a file".to_owned())
}

impl FileSecrets {
    /// In a folder of their own, which is made.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn new(folder: &Path) -> std::io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self(folder.to_owned()))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name.bytes().map(|byte| format!("{byte:02x}")).collect::<String>())
    }
}

impl SecretStore for FileSecrets {
    fn put(&self, name: &str, secret: &[u8]) -> Result<(), StorageError> {
        let (file, half) = (self.file(name), self.0.join("half"));
        std::fs::write(&half, secret).map_err(failed)?;
        std::fs::rename(half, file).map_err(failed)
    }

    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StorageError> {
        match std::fs::read(self.file(name)) {
            Ok(secret) => Ok(Some(Zeroizing::new(secret))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    fn delete(&self, name: &str) -> Result<(), StorageError> {
        match std::fs::remove_file(self.file(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(error)),
            _ => Ok(()),
        }
    }

    fn delete_all(&self) -> Result<(), StorageError> {
        std::fs::remove_dir_all(&self.0).map_err(failed)?;
        std::fs::create_dir_all(&self.0).map_err(failed)
    }
}

impl FileKeys {
    /// In a folder of their own, which is made.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn new(folder: &Path) -> std::io::Result<Self> {
        FileSecrets::new(folder).map(Self)
    }

    fn pair(&self, alias: &str) -> Result<EcdsaKeyPair, StorageError> {
        let pkcs8 = self.0.get(alias)?.ok_or(StorageError::Invalidated)?;
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &pkcs8, &SystemRandom::new())
            .map_err(|_| StorageError::Invalidated)
    }
}

impl SigningKeys for FileKeys {
    fn create_key(&self, alias: &str, _: bool) -> Result<PublicJwk, StorageError> {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new())
            .map_err(|_| StorageError::Unavailable("no randomness".to_owned()))?;
        self.0.put(alias, pkcs8.as_ref())?;
        self.public_jwk(alias)
    }

    fn public_jwk(&self, alias: &str) -> Result<PublicJwk, StorageError> {
        PublicJwk::from_point(self.pair(alias)?.public_key().as_ref()).ok_or(StorageError::Invalidated)
    }

    fn sign_es256(&self, alias: &str, data: &[u8]) -> Result<Vec<u8>, StorageError> {
        let signature = self.pair(alias)?.sign(&SystemRandom::new(), data);
        Ok(signature.map_err(|_| StorageError::Unavailable("signing".to_owned()))?.as_ref().to_vec())
    }

    fn delete(&self, alias: &str) -> Result<(), StorageError> {
        self.0.delete(alias)
    }
}

/// The login's clock is the test's, its randomness the system's.
#[derive(Debug, Clone)]
pub struct LoginClock(pub SharedClock);

impl Environment for LoginClock {
    fn now(&self) -> i64 {
        self.0.now()
    }

    fn random(&self, out: &mut [u8]) {
        SystemEnvironment.random(out);
    }
}
