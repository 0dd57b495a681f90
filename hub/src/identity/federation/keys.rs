//! The hub's keys in the federation: those that sign statements about it, and those of logins, which sign requests
//! and open answers. They are never the same keys (AgID, keys of the federation and keys of OpenID Connect Core).
//!
//! All stand in one file of the data directory, `federation.keys`, newest first, readable by its owner only. To rotate
//! keys of logins, put a new one in front: both are published, the first signs, and answers for the other still open;
//! after the chains' lifetime (two days) take the old one out. A new federation key is registered with the anchors
//! first, out of band. `registro-hub federation keys --add …` does the first half.

use std::io::Write;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::jose::jwe::DecryptionKey;
use super::jose::jwk::JwkSet;
use super::jose::signer::{Signer, generate};
use super::jose::{self, JoseError};
use crate::error::HubError;

/// For what a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Purpose {
    /// Signs statements about the hub.
    Federation,
    /// Signs requests to providers.
    Signing,
    /// Opens providers' answers.
    Encryption,
}

/// The file: PKCS#8 in base64.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    federation: Vec<String>,
    signing: Vec<String>,
    encryption: Vec<String>,
}

impl Drop for Stored {
    fn drop(&mut self) {
        [&mut self.federation, &mut self.signing, &mut self.encryption]
            .into_iter()
            .flatten()
            .for_each(String::zeroize);
    }
}

/// The keys, ready for use.
#[derive(Debug)]
pub struct FederationKeys {
    federation: Vec<Signer>,
    signing: Vec<Signer>,
    encryption: Vec<DecryptionKey>,
}

const UNREADABLE: HubError = HubError::Stored("federation.keys does not read");

/// The file of a data directory.
fn path_in(data: &Path) -> PathBuf {
    data.join("federation.keys")
}

impl FederationKeys {
    /// The keys of a data directory, made at the first call.
    pub fn of_directory(data: &Path) -> Result<Self, HubError> {
        match std::fs::read(path_in(data)).map(Zeroizing::new) {
            Ok(text) => Self::ready(&serde_json::from_slice(&text).map_err(|_| UNREADABLE)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let key = || generate().map(|pkcs8| STANDARD.encode(pkcs8)).map_err(own);
                let stored =
                    Stored { federation: vec![key()?], signing: vec![key()?], encryption: vec![key()?] };
                let new = write_beside(data, &stored)?;
                // A link is made only where nothing is: of two processes that begin at once one keeps its keys.
                let linked = std::fs::hard_link(&new, path_in(data));
                std::fs::remove_file(&new)?;
                match linked {
                    Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                        Self::of_directory(data)
                    }
                    linked => {
                        linked?;
                        Self::ready(&stored)
                    }
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Adds a new key of a purpose behind the others: published, and not signing yet. A hub that runs sees it when it
    /// starts again.
    pub fn add(data: &Path, purpose: Purpose) -> Result<Self, HubError> {
        Self::change(data, purpose, |keys| {
            keys.push(STANDARD.encode(generate().map_err(own)?));
            Ok(())
        })
    }

    /// Puts the newest key of a purpose in front: it signs from the next start. Once everybody knows it: the anchors have
    /// registered a federation key, and providers have fetched the others (48 hours).
    pub fn promote(data: &Path, purpose: Purpose) -> Result<Self, HubError> {
        Self::change(data, purpose, |keys| {
            keys.rotate_right(1);
            Ok(())
        })
    }

    fn change(
        data: &Path,
        purpose: Purpose,
        change: impl FnOnce(&mut Vec<String>) -> Result<(), HubError>,
    ) -> Result<Self, HubError> {
        Self::of_directory(data)?;
        let text = Zeroizing::new(std::fs::read(path_in(data))?);
        let mut stored: Stored = serde_json::from_slice(&text).map_err(|_| UNREADABLE)?;
        let keys = match purpose {
            Purpose::Federation => &mut stored.federation,
            Purpose::Signing => &mut stored.signing,
            Purpose::Encryption => &mut stored.encryption,
        };
        change(keys)?;
        std::fs::rename(write_beside(data, &stored)?, path_in(data))?;
        Self::ready(&stored)
    }

    fn ready(stored: &Stored) -> Result<Self, HubError> {
        fn each<T>(keys: &[String], make: fn(&[u8]) -> Result<T, JoseError>) -> Result<Vec<T>, HubError> {
            if keys.is_empty() {
                return Err(UNREADABLE);
            }
            keys.iter()
                .map(|key| {
                    let pkcs8 = Zeroizing::new(STANDARD.decode(key).map_err(|_| UNREADABLE)?);
                    make(&pkcs8).map_err(|_| UNREADABLE)
                })
                .collect()
        }
        Ok(Self {
            federation: each(&stored.federation, Signer::from_pkcs8)?,
            signing: each(&stored.signing, Signer::from_pkcs8)?,
            encryption: each(&stored.encryption, DecryptionKey::from_pkcs8)?,
        })
    }

    /// The key that signs statements about the hub.
    pub fn federation(&self) -> Result<&Signer, HubError> {
        self.federation.first().ok_or(UNREADABLE)
    }

    /// The key that signs requests to providers.
    pub fn signing(&self) -> Result<&Signer, HubError> {
        self.signing.first().ok_or(UNREADABLE)
    }

    /// The keys that providers encrypt to.
    pub fn decryption(&self) -> &[DecryptionKey] {
        &self.encryption
    }

    /// The public keys that are registered with the anchors.
    pub fn federation_public(&self) -> JwkSet {
        JwkSet { keys: self.federation.iter().map(|key| key.public().clone()).collect() }
    }

    /// The public keys of logins.
    pub fn core_public(&self) -> JwkSet {
        let signing = self.signing.iter().map(|key| key.public().clone());
        JwkSet { keys: signing.chain(self.encryption.iter().map(|key| key.public().clone())).collect() }
    }
}

fn own(error: jose::JoseError) -> HubError {
    tracing::error!(%error, "no key can be made");
    HubError::Stored("a federation key that cannot be made")
}

/// Writes the file under a name of this process, whole and on the disk before it gets its own name.
fn write_beside(data: &Path, stored: &Stored) -> Result<PathBuf, HubError> {
    let text = Zeroizing::new(serde_json::to_vec_pretty(stored).map_err(|_| UNREADABLE)?);
    let path = data.join(format!("federation.keys.{}", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path)?;
    file.write_all(&text)?;
    file.sync_all()?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_differ_and_only_their_owner_reads_them() {
        let directory = tempfile::tempdir().unwrap();
        let first = FederationKeys::of_directory(directory.path()).unwrap();
        let second = FederationKeys::of_directory(directory.path()).unwrap();
        assert_eq!(first.federation_public(), second.federation_public());
        assert_eq!(first.core_public(), second.core_public());
        let federation = first.federation_public().keys.remove(0);
        assert!(first.core_public().keys.iter().all(|key| key.n != federation.n));
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(path_in(directory.path())).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let shown = format!("{first:?}");
        assert!(!shown.contains("pair") && !shown.contains("MII"), "{shown}");

        let added = FederationKeys::add(directory.path(), Purpose::Encryption).unwrap();
        assert_eq!(added.decryption().len(), 2);
        assert_eq!(added.core_public().keys.len(), 3);
        assert_eq!(added.decryption()[0].public(), first.decryption()[0].public());
        assert_eq!(added.federation_public(), first.federation_public());
        let promoted = FederationKeys::promote(directory.path(), Purpose::Encryption).unwrap();
        assert_eq!(promoted.decryption()[1].public(), first.decryption()[0].public());
    }

    #[test]
    fn a_damaged_file_is_an_error_and_stays_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        for damaged in [
            "",
            "{}",
            r#"{"federation":[],"signing":[],"encryption":[]}"#,
            r#"{"federation":["AA=="],"signing":["AA=="],"encryption":["AA=="]}"#,
        ] {
            std::fs::write(path_in(directory.path()), damaged).unwrap();
            assert!(FederationKeys::of_directory(directory.path()).is_err());
            assert_eq!(std::fs::read_to_string(path_in(directory.path())).unwrap(), damaged);
        }
    }
}
