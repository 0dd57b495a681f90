//! A vault in a folder, for desktops and tests: one key file per alias, readable by its owner only. It protects a
//! copied database, not a stolen home directory.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::{KeyVault, VaultError};
use crate::{files, seal};

/// Keys in files of a folder.
pub struct FileVault {
    directory: PathBuf,
}

impl FileVault {
    /// A vault in that folder, which is made when it is needed.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    fn path(&self, alias: &str) -> PathBuf {
        let name: String = alias.bytes().map(|byte| format!("{byte:02x}")).collect();
        self.directory.join(format!("{name}.key"))
    }

    fn read(&self, alias: &str) -> Result<Option<Zeroizing<[u8; 32]>>, VaultError> {
        match fs::read(self.path(alias)) {
            Ok(bytes) => {
                let bytes = Zeroizing::new(bytes);
                let key = bytes.as_slice().try_into().map_err(|_| VaultError::Invalidated)?;
                Ok(Some(Zeroizing::new(key)))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(VaultError::Unavailable(error.kind().to_string())),
        }
    }

    /// Makes a key. A power cut leaves the whole key or none: a short one would lock the store for ever.
    fn create(&self, alias: &str) -> Result<Zeroizing<[u8; 32]>, VaultError> {
        let unavailable = |error: std::io::Error| VaultError::Unavailable(error.kind().to_string());
        fs::create_dir_all(&self.directory).map_err(unavailable)?;
        let key = seal::random_key().map_err(|_| VaultError::Unavailable("no randomness".to_owned()))?;
        let path = self.path(alias);
        let new = path.with_extension("key.new");
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&new).map_err(unavailable)?;
        file.write_all(key.as_slice()).and_then(|()| file.sync_all()).map_err(unavailable)?;
        drop(file);
        fs::rename(&new, &path).and_then(|()| files::sync_parent(&path)).map_err(unavailable)?;
        Ok(key)
    }
}

impl KeyVault for FileVault {
    fn wrap(&self, alias: &str, secret: &[u8]) -> Result<Vec<u8>, VaultError> {
        let key = match self.read(alias)? {
            Some(key) => key,
            None => self.create(alias)?,
        };
        seal::wrap(&key, alias.as_bytes(), secret)
            .map_err(|_| VaultError::Unavailable("sealing failed".to_owned()))
    }

    fn unwrap(&self, alias: &str, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let key = self.read(alias)?.ok_or(VaultError::Invalidated)?;
        seal::unwrap(&key, alias.as_bytes(), wrapped).map_err(|_| VaultError::Invalidated)
    }

    fn destroy(&self, alias: &str) -> Result<(), VaultError> {
        match fs::remove_file(self.path(alias)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(VaultError::Unavailable(error.kind().to_string())),
            Ok(()) => files::sync_directory(&self.directory)
                .map_err(|error| VaultError::Unavailable(error.kind().to_string())),
        }
    }
}
