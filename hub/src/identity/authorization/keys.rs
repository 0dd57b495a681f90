//! The keys that sign tokens: P-256, in a file of the data directory that its owner alone reads.
//!
//! A new key is published before it signs, longer than clients keep the published set, and stays published as long as
//! anything that it signed is good. Old keys are replaced by themselves; `registro-hub keys rotate` does it at once.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::jwk::PublicJwk;
use super::jwt;
use crate::error::HubError;

const HOUR_MS: i64 = 3_600_000;
/// How long a key is published before it signs: apps keep the published set for 24 hours (docs/identity.md).
const PUBLISHED_AHEAD_MS: i64 = 25 * HOUR_MS;
/// How long a replaced key stays published: tokens live ten minutes; the rest is for clocks that go wrong.
const KEPT_MS: i64 = 24 * HOUR_MS;
/// How long a key signs. Our choice; no rule names a time.
const SIGNS_FOR_MS: i64 = 90 * 24 * HOUR_MS;

/// How a key is replaced by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// In order: the new key signs once every client can know it.
    InOrder,
    /// The old key is in wrong hands: nothing that it signed is good any more. Apps renew their tokens by themselves.
    Compromised,
}

/// The keys of a hub.
#[derive(Debug)]
pub struct KeyRing {
    file: PathBuf,
    held: RwLock<Held>,
}

#[derive(Debug)]
struct Held {
    keys: Vec<Arc<TokenKey>>,
    read: Option<Version>,
}

/// What tells one version of the file from the next. Clocks of file systems tick slowly: the time alone does not.
#[derive(Debug, PartialEq, Eq)]
struct Version {
    modified: Option<SystemTime>,
    length: u64,
    inode: u64,
}

/// One key.
pub struct TokenKey {
    id: String,
    public: PublicJwk,
    pair: EcdsaKeyPair,
    stored: Stored,
}

impl core::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("TokenKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A key as the file holds it, oldest first.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct Stored {
    pkcs8: String,
    signs_from: i64,
}

impl KeyRing {
    /// The keys of a data directory, the first one made if there is none.
    pub fn open(data: &Path, now_ms: i64) -> Result<Self, HubError> {
        let held = Held { keys: Vec::new(), read: None };
        let ring = Self { file: data.join("login.keys"), held: RwLock::new(held) };
        ring.change(now_ms, |_| Ok(()))?;
        Ok(ring)
    }

    /// Takes over what another process changed, makes the next key when it is time, takes away old ones.
    pub fn tend(&self, now_ms: i64) -> Result<(), HubError> {
        let changed = self.version() != self.held.read().map_err(|_| HubError::Poisoned)?.read;
        if changed || self.is_due(now_ms)? {
            self.change(now_ms, |_| Ok(()))?;
        }
        Ok(())
    }

    /// Makes a new key now.
    pub fn rotate(&self, rotation: Rotation, now_ms: i64) -> Result<(), HubError> {
        self.change(now_ms, |keys| {
            let signs_from = match rotation {
                Rotation::InOrder => now_ms + PUBLISHED_AHEAD_MS,
                Rotation::Compromised => {
                    keys.clear();
                    now_ms
                }
            };
            // A key that waits already is the next one: two would only put it off.
            if keys.last().is_none_or(|last| last.signs_from <= now_ms) {
                keys.push(new_key(signs_from)?);
            }
            Ok(())
        })
    }

    /// The key that signs now.
    pub fn signing(&self, now_ms: i64) -> Result<Arc<TokenKey>, HubError> {
        let held = self.held.read().map_err(|_| HubError::Poisoned)?;
        held.keys
            .iter()
            .rev()
            .find(|key| key.stored.signs_from <= now_ms)
            .or(held.keys.first())
            .cloned()
            .ok_or(HubError::Stored("no key that signs tokens"))
    }

    /// The public key of that name, if it is published.
    pub fn public(&self, id: &str) -> Option<PublicJwk> {
        let held = self.held.read().ok()?;
        held.keys.iter().find(|key| key.id == id).map(|key| key.public.clone())
    }

    /// The published set (RFC 7517 §5).
    pub fn published(&self) -> Result<Value, HubError> {
        let held = self.held.read().map_err(|_| HubError::Poisoned)?;
        let keys: Vec<_> = held.keys.iter().map(|key| key.to_json()).collect();
        Ok(json!({ "keys": keys }))
    }

    fn version(&self) -> Option<Version> {
        let metadata = std::fs::metadata(&self.file).ok()?;
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
        #[cfg(not(unix))]
        let inode = 0;
        Some(Version { modified: metadata.modified().ok(), length: metadata.len(), inode })
    }

    fn is_due(&self, now_ms: i64) -> Result<bool, HubError> {
        let held = self.held.read().map_err(|_| HubError::Poisoned)?;
        let stored: Vec<_> = held.keys.iter().map(|key| key.stored.clone()).collect();
        Ok(next_is_due(&stored, now_ms) || kept(stored.clone(), now_ms).len() < stored.len())
    }

    /// Changes the file while no other process does, and takes it over.
    fn change(
        &self,
        now_ms: i64,
        change: impl FnOnce(&mut Vec<Stored>) -> Result<(), HubError>,
    ) -> Result<(), HubError> {
        let lock = File::create(self.file.with_extension("keys.lock"))?;
        lock.lock()?;
        let mut stored = self.load()?;
        let before = stored.clone();
        change(&mut stored)?;
        if stored.is_empty() {
            stored.push(new_key(now_ms)?);
        }
        if next_is_due(&stored, now_ms) {
            stored.push(new_key(now_ms + PUBLISHED_AHEAD_MS)?);
        }
        stored = kept(stored, now_ms);
        if stored != before {
            self.save(&stored)?;
        }
        let keys = stored.into_iter().map(TokenKey::of).collect::<Result<Vec<_>, _>>()?;
        let mut held = self.held.write().map_err(|_| HubError::Poisoned)?;
        *held = Held { keys, read: self.version() };
        Ok(())
    }

    fn load(&self) -> Result<Vec<Stored>, HubError> {
        let text = match std::fs::read(&self.file) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        // A file that does not read is never replaced: the operator looks at it.
        serde_json::from_slice(&text).map_err(|_| HubError::Stored("login.keys does not read"))
    }

    fn save(&self, keys: &[Stored]) -> Result<(), HubError> {
        let text =
            Zeroizing::new(serde_json::to_vec(keys).map_err(|_| HubError::Stored("keys that do not write"))?);
        crate::keys::write_secret(&self.file, &text)
    }
}

/// Whether the last key has signed so long that its successor must be published.
fn next_is_due(keys: &[Stored], now_ms: i64) -> bool {
    keys.last().is_some_and(|last| last.signs_from + SIGNS_FOR_MS - PUBLISHED_AHEAD_MS <= now_ms)
}

/// Without the keys whose successor has signed for so long that nothing of theirs is good.
fn kept(keys: Vec<Stored>, now_ms: i64) -> Vec<Stored> {
    let successors: Vec<_> = keys.iter().skip(1).map(|key| key.signs_from).collect();
    let mut successors = successors.into_iter();
    keys.into_iter()
        .filter(|_| successors.next().is_none_or(|signs_from| signs_from + KEPT_MS > now_ms))
        .collect()
}

fn new_key(signs_from: i64) -> Result<Stored, HubError> {
    let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
        .map_err(|_| HubError::Stored("a new key cannot be made"))?;
    Ok(Stored { pkcs8: STANDARD.encode(made.as_ref()), signs_from })
}

impl TokenKey {
    fn of(stored: Stored) -> Result<Arc<Self>, HubError> {
        let damaged = || HubError::Stored("a key that signs tokens does not read");
        let pkcs8 = Zeroizing::new(STANDARD.decode(stored.pkcs8.as_bytes()).map_err(|_| damaged())?);
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8, &SystemRandom::new())
            .map_err(|_| damaged())?;
        let public = PublicJwk::of_point(pair.public_key().as_ref()).ok_or_else(damaged)?;
        Ok(Arc::new(Self { id: public.thumbprint_text(), public, pair, stored }))
    }

    /// A signed token of this type.
    pub fn sign(&self, typ: &str, claims: &Value) -> Result<String, HubError> {
        let header = json!({ "typ": typ, "alg": "ES256", "kid": self.id });
        let text = jwt::signing_input(&header, claims);
        let signature = self
            .pair
            .sign(&SystemRandom::new(), text.as_bytes())
            .map_err(|_| HubError::Stored("the key does not sign"))?;
        Ok(jwt::assemble(&text, signature.as_ref()))
    }

    fn to_json(&self) -> Value {
        let mut key = self.public.to_json();
        if let Some(members) = key.as_object_mut() {
            members.insert("kid".to_owned(), json!(self.id));
            members.insert("alg".to_owned(), json!("ES256"));
            members.insert("use".to_owned(), json!("sig"));
        }
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_000_000_000;

    fn ids(ring: &KeyRing) -> Vec<String> {
        let published = ring.published().unwrap();
        published["keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key["kid"].as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn a_new_key_is_published_before_it_signs_and_an_old_one_stays_while_its_tokens_live() {
        let data = tempfile::tempdir().unwrap();
        let ring = KeyRing::open(data.path(), NOW).unwrap();
        let first = ring.signing(NOW).unwrap().id.clone();
        let late = NOW + SIGNS_FOR_MS - PUBLISHED_AHEAD_MS;
        ring.tend(late - 1).unwrap();
        assert_eq!(ids(&ring), std::slice::from_ref(&first));
        ring.tend(late).unwrap();
        assert_eq!(ids(&ring).len(), 2);
        assert_eq!(ring.signing(late + PUBLISHED_AHEAD_MS - 1).unwrap().id, first);
        let then = late + PUBLISHED_AHEAD_MS;
        let second = ring.signing(then).unwrap().id.clone();
        assert_ne!(second, first);
        ring.tend(then + KEPT_MS - 1).unwrap();
        assert!(ring.public(&first).is_some());
        ring.tend(then + KEPT_MS).unwrap();
        assert_eq!(ids(&ring), [second]);
    }

    #[test]
    fn a_rotation_by_another_process_is_taken_over() {
        let data = tempfile::tempdir().unwrap();
        let serving = KeyRing::open(data.path(), NOW).unwrap();
        let other = KeyRing::open(data.path(), NOW).unwrap();
        assert_eq!(ids(&serving), ids(&other));
        let first = ids(&serving);
        other.rotate(Rotation::InOrder, NOW).unwrap();
        other.rotate(Rotation::InOrder, NOW).unwrap();
        serving.tend(NOW).unwrap();
        assert_eq!(ids(&serving).len(), 2, "asking twice makes one successor");
        assert_eq!(serving.signing(NOW).unwrap().id, first[0]);
        other.rotate(Rotation::Compromised, NOW).unwrap();
        serving.tend(NOW).unwrap();
        assert_eq!(ids(&serving), ids(&other));
        assert!(serving.public(&first[0]).is_none(), "what the old key signed is good no more");
        assert_eq!(serving.signing(NOW).unwrap().id, ids(&serving)[0]);
    }

    #[test]
    fn the_file_is_its_owners_alone_and_one_that_does_not_read_is_left_alone() {
        let data = tempfile::tempdir().unwrap();
        KeyRing::open(data.path(), NOW).unwrap();
        let file = data.path().join("login.keys");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        std::fs::write(&file, "{").unwrap();
        assert!(matches!(KeyRing::open(data.path(), NOW), Err(HubError::Stored(_))));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "{");
    }
}
