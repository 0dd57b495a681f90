//! Keys and secrets in the desktop's key ring (Keychain, Credential Manager, Linux kernel keys), for programs on a
//! command line. The private key lies in the ring as PKCS #8 and is in memory while it signs: a desktop has no key
//! store that signs for everybody. On Linux the ring is the kernel's and ends with the user's session: the person
//! then logs in again. (The Secret Service would outlive it, and bring a message bus along.)

use keyring::{Entry, Error};
use zeroize::Zeroizing;

use super::memory::{generate, pair, public, sign};
use super::{SecretStore, SigningKeys, StorageError};
use crate::jose::PublicJwk;

/// A key ring's entries of one program.
#[derive(Debug, Clone)]
pub struct KeyRing {
    service: String,
}

impl KeyRing {
    /// The entries of that program, by its name in reverse domain form.
    pub fn new(service: &str) -> Self {
        Self { service: service.to_owned() }
    }

    fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StorageError> {
        match self.entry(name)?.get_secret() {
            Ok(secret) => Ok(Some(Zeroizing::new(secret))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(failure(&error)),
        }
    }

    fn write(&self, name: &str, secret: &[u8]) -> Result<(), StorageError> {
        self.entry(name)?.set_secret(secret).map_err(|error| failure(&error))
    }

    fn remove(&self, name: &str) -> Result<(), StorageError> {
        match self.entry(name)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(failure(&error)),
        }
    }

    fn entry(&self, name: &str) -> Result<Entry, StorageError> {
        Entry::new(&self.service, name).map_err(|error| failure(&error))
    }

    /// Names of the secrets, one a line: a key ring does not list.
    fn names(&self) -> Result<Vec<String>, StorageError> {
        let names = self.read(NAMES)?.unwrap_or_default();
        Ok(String::from_utf8_lossy(&names).lines().map(str::to_owned).collect())
    }
}

const NAMES: &str = "names";

fn key(alias: &str) -> String {
    format!("key.{alias}")
}

fn secret(name: &str) -> String {
    format!("secret.{name}")
}

impl SigningKeys for KeyRing {
    fn create_key(&self, alias: &str, needs_unlock: bool) -> Result<PublicJwk, StorageError> {
        if needs_unlock {
            return Err(StorageError::Unavailable("the key ring asks nobody".to_owned()));
        }
        let pkcs8 = generate()?;
        let public = public(&pair(pkcs8.as_ref())?)?;
        self.write(&key(alias), pkcs8.as_ref())?;
        Ok(public)
    }

    fn public_jwk(&self, alias: &str) -> Result<PublicJwk, StorageError> {
        public(&pair(&self.read(&key(alias))?.ok_or(StorageError::Invalidated)?)?)
    }

    fn sign_es256(&self, alias: &str, data: &[u8]) -> Result<Vec<u8>, StorageError> {
        sign(&pair(&self.read(&key(alias))?.ok_or(StorageError::Invalidated)?)?, data)
    }

    fn delete(&self, alias: &str) -> Result<(), StorageError> {
        self.remove(&key(alias))
    }
}

impl SecretStore for KeyRing {
    /// A ring takes no empty secret, so that each has a byte in front.
    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        let mut names = self.names()?;
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
            self.write(NAMES, names.join("\n").as_bytes())?;
        }
        self.write(&secret(name), &Zeroizing::new([&[1], bytes].concat()))
    }

    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StorageError> {
        let Some(bytes) = self.read(&secret(name))? else { return Ok(None) };
        Ok(bytes.strip_prefix(&[1]).map(|bytes| Zeroizing::new(bytes.to_vec())))
    }

    fn delete(&self, name: &str) -> Result<(), StorageError> {
        self.remove(&secret(name))
    }

    fn delete_all(&self) -> Result<(), StorageError> {
        for name in self.names()? {
            self.remove(&secret(&name))?;
        }
        self.remove(NAMES)
    }
}

fn failure(error: &Error) -> StorageError {
    match error {
        Error::NoStorageAccess(_) => StorageError::Locked,
        Error::NoEntry => StorageError::Invalidated,
        Error::TooLong(..) => StorageError::Unavailable("too long for the key ring".to_owned()),
        // Its text may name the user.
        _ => StorageError::Unavailable("the key ring failed".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::any::Any;
    use std::collections::HashMap;
    use std::sync::{Arc, Mutex};

    use keyring::credential::{CredentialApi, CredentialBuilderApi};

    use super::*;
    use crate::storage::suite;

    /// A ring in memory: the crate's own mock forgets with each entry, and a test machine may have no ring.
    #[derive(Default)]
    struct Ring(Arc<Mutex<HashMap<String, Vec<u8>>>>);

    struct InRing(Arc<Mutex<HashMap<String, Vec<u8>>>>, String);

    impl CredentialBuilderApi for Ring {
        fn build(
            &self,
            _: Option<&str>,
            service: &str,
            user: &str,
        ) -> keyring::Result<Box<keyring::Credential>> {
            Ok(Box::new(InRing(Arc::clone(&self.0), format!("{service} {user}"))))
        }

        fn as_any(&self) -> &dyn Any {
            self
        }
    }

    impl CredentialApi for InRing {
        fn set_password(&self, password: &str) -> keyring::Result<()> {
            self.set_secret(password.as_bytes())
        }

        fn set_secret(&self, secret: &[u8]) -> keyring::Result<()> {
            assert!(!secret.is_empty(), "real rings refuse that");
            self.0.lock().unwrap().insert(self.1.clone(), secret.to_vec());
            Ok(())
        }

        fn get_password(&self) -> keyring::Result<String> {
            self.get_secret().map(|secret| String::from_utf8(secret).unwrap())
        }

        fn get_secret(&self) -> keyring::Result<Vec<u8>> {
            self.0.lock().unwrap().get(&self.1).cloned().ok_or(Error::NoEntry)
        }

        fn delete_credential(&self) -> keyring::Result<()> {
            self.0.lock().unwrap().remove(&self.1).map(drop).ok_or(Error::NoEntry)
        }

        fn as_any(&self) -> &dyn Any {
            self
        }
    }

    #[test]
    fn in_the_key_ring() {
        keyring::set_default_credential_builder(Box::new(Ring::default()));
        suite::signing_keys(&KeyRing::new("it.registro.test"));
        suite::secret_store(&KeyRing::new("it.registro.test"));
    }
}
