//! The secrets of one store among those of the app: names get the store's own beginning, so that two persons of a
//! shared tablet at one school never find each other's login.

use std::sync::Arc;

use registro_identity::{SecretStore, StorageError};
use zeroize::Zeroizing;

/// The secrets whose names begin with the store's name.
pub(crate) struct ScopedSecrets {
    inner: Arc<dyn SecretStore>,
    scope: String,
}

impl ScopedSecrets {
    /// `scope` says nothing about the person.
    pub(crate) fn new(inner: Arc<dyn SecretStore>, scope: &str) -> Self {
        Self { inner, scope: scope.to_owned() }
    }

    fn name(&self, name: &str) -> String {
        format!("{}/{name}", self.scope)
    }
}

impl SecretStore for ScopedSecrets {
    fn put(&self, name: &str, secret: &[u8]) -> Result<(), StorageError> {
        self.inner.put(&self.name(name), secret)
    }

    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StorageError> {
        self.inner.get(&self.name(name))
    }

    fn delete(&self, name: &str) -> Result<(), StorageError> {
        self.inner.delete(&self.name(name))
    }

    fn delete_all(&self) -> Result<(), StorageError> {
        // Of all stores: only an app that was installed anew asks for it, and it asks the platform's store itself.
        Err(StorageError::Unavailable("one store's secrets cannot be told from others'".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use registro_identity::storage::MemorySecrets;

    use super::*;

    #[test]
    fn stores_do_not_see_each_others_secrets() {
        let all: Arc<dyn SecretStore> = Arc::new(MemorySecrets::default());
        let one = ScopedSecrets::new(Arc::clone(&all), "one");
        let other = ScopedSecrets::new(all, "other");
        one.put("session", b"of one").unwrap();
        assert_eq!(other.get("session").unwrap(), None);
        other.put("session", b"of other").unwrap();
        other.delete("session").unwrap();
        assert_eq!(one.get("session").unwrap().unwrap().as_slice(), b"of one");
    }
}
