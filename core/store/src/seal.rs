//! The form of a sealed value: version (1) ‖ key id (4) ‖ nonce (12) ‖ ciphertext ‖ tag (16), AES-256-GCM.
//!
//! Nonces are random: a counter would repeat after a restore from a backup. What the value is (table, document,
//! row, format) is bound in, so that a row cannot be moved. Values are padded, so that sizes say little.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::error::StoreError;

/// A raw key.
pub type RawKey = Zeroizing<[u8; 32]>;

const VERSION: u8 = 1;
/// Of what is sealed; part of every value's place.
const FORMAT: u8 = 1;
const HEADER: usize = 1 + 4 + NONCE_LEN;
/// Most values sealed under one key with random nonces: the chance of a repeated nonce stays below 2^-41.
pub(crate) const MAX_SEALS: u64 = 1 << 28;
/// Seals counted at a time: a document's key bears a write in 262,144 sessions.
const BLOCK: u64 = 1024;
/// Left in a block for what is sealed beside it: the records of the second copy that say so.
const MARGIN: u64 = 16;

/// A random key.
pub fn random_key() -> Result<RawKey, StoreError> {
    let mut key = Zeroizing::new([0; 32]);
    fill(key.as_mut_slice())?;
    Ok(key)
}

/// Fills a buffer with random bytes.
pub fn fill(out: &mut [u8]) -> Result<(), StoreError> {
    SystemRandom::new().fill(out).map_err(|_| StoreError::Io(std::io::Error::other("no randomness")))
}

/// What a value is: bound into its seal. The format is that of the values, not the number of the schema: a
/// migration of tables leaves what is sealed as it is.
pub fn place(table: &str, document: &[u8], row: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    for part in [b"register/v1".as_slice(), table.as_bytes(), document, row, &[FORMAT]] {
        out.extend_from_slice(&(part.len() as u32).to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}

/// A key ready to seal and open, with the count of its seals. The count outlives the process in blocks: whoever
/// stores a block takes it beforehand ([`SealingKey::next_block`]), so that a crash loses none, and only uses up
/// what was left of it.
pub struct SealingKey {
    key: LessSafeKey,
    id: u32,
    used: AtomicU64,
    reserved: AtomicU64,
}

impl SealingKey {
    /// Prepares a raw key; `id` stands in every value that it seals, `used` is the count of its seals so far.
    pub fn new(raw: &RawKey, id: u32, used: u64) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, raw.as_slice()).expect("a key of 32 bytes is a key");
        Self { key: LessSafeKey::new(key), id, used: used.into(), reserved: used.into() }
    }

    /// What stands in every value that the key seals.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Seals so far, as far as this process knows.
    pub fn used(&self) -> u64 {
        self.used.load(Relaxed)
    }

    /// Hears of seals that are counted elsewhere.
    pub fn used_at_least(&self, count: u64) {
        self.used.fetch_max(count, Relaxed);
    }

    /// The count to be stored before the next seal, if it must be.
    pub fn next_block(&self) -> Option<u64> {
        let used = self.used();
        (used + MARGIN >= self.reserved.load(Relaxed)).then(|| used.saturating_add(BLOCK))
    }

    /// The count was stored, in a transaction that is still open.
    pub fn reserved(&self, count: u64) {
        self.reserved.fetch_max(count, Relaxed);
    }

    /// That transaction was rolled back: the next seal stores the count again.
    pub fn forget_block(&self) {
        self.reserved.store(0, Relaxed);
    }

    /// Seals a value in its place.
    ///
    /// # Errors
    /// [`StoreError::Exhausted`] after 2^28 seals.
    pub fn seal(&self, place: &[u8], value: &[u8]) -> Result<Vec<u8>, StoreError> {
        if self.used.fetch_add(1, Relaxed) >= MAX_SEALS {
            return Err(StoreError::Exhausted);
        }
        let mut nonce = [0; NONCE_LEN];
        fill(&mut nonce)?;
        let padded = padded_len(4 + value.len());
        let mut out = Vec::with_capacity(HEADER + padded + 16);
        out.push(VERSION);
        out.extend_from_slice(&self.id.to_be_bytes());
        out.extend_from_slice(&nonce);
        let mut body = Vec::with_capacity(padded + 16);
        body.extend_from_slice(&(value.len() as u32).to_be_bytes());
        body.extend_from_slice(value);
        body.resize(padded, 0);
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place), &mut body)
            .map_err(|_| StoreError::Sealed)?;
        out.append(&mut body);
        Ok(out)
    }

    /// Opens a value that was sealed in this place under this key.
    pub fn open(&self, place: &[u8], sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let (header, body) = sealed.split_at_checked(HEADER).ok_or(StoreError::Sealed)?;
        if header.first() != Some(&VERSION) || header.get(1..5) != Some(&self.id.to_be_bytes()) {
            return Err(StoreError::Sealed);
        }
        let nonce: [u8; NONCE_LEN] =
            header.get(5..).and_then(|n| n.try_into().ok()).ok_or(StoreError::Sealed)?;
        let mut body = body.to_vec();
        let opened = self
            .key
            .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(place), &mut body)
            .map_err(|_| StoreError::Sealed)?;
        let (length, rest) = opened.split_at_checked(4).ok_or(StoreError::Sealed)?;
        let length = u32::from_be_bytes(length.try_into().map_err(|_| StoreError::Sealed)?) as usize;
        rest.get(..length).map(<[u8]>::to_vec).ok_or(StoreError::Sealed)
    }
}

/// Steps of 64 bytes below 1 KB, of 512 above.
fn padded_len(length: usize) -> usize {
    length.next_multiple_of(if length < 1024 { 64 } else { 512 })
}

/// Seals a secret under a key that wraps one secret only, as a vault's does.
pub fn wrap(key: &RawKey, place: &[u8], secret: &[u8]) -> Result<Vec<u8>, StoreError> {
    SealingKey::new(key, 0, 0).seal(place, secret)
}

/// Opens what [`wrap`] sealed.
pub fn unwrap(key: &RawKey, place: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    SealingKey::new(key, 0, 0).open(place, wrapped).map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_opens_only_whole_and_in_its_place() {
        let key = SealingKey::new(&random_key().unwrap(), 7, 0);
        let here = place("views", b"doc", b"row");
        let sealed = key.seal(&here, b"Rossi Anna").unwrap();
        assert_eq!(key.open(&here, &sealed).unwrap(), b"Rossi Anna");
        assert!(key.open(&place("views", b"doc", b"rox"), &sealed).is_err());
        assert!(key.open(&place("views", b"do", b"crow"), &sealed).is_err());
        for index in 0..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[index] ^= 1;
            assert!(key.open(&here, &flipped).is_err(), "byte {index}");
        }
        assert!(SealingKey::new(&random_key().unwrap(), 7, 0).open(&here, &sealed).is_err());
    }

    #[test]
    fn a_key_seals_no_more_than_its_count() {
        let key = SealingKey::new(&random_key().unwrap(), 0, MAX_SEALS - 1);
        assert!(key.seal(b"", b"last").is_ok());
        assert!(matches!(key.seal(b"", b"one more"), Err(StoreError::Exhausted)));
    }

    #[test]
    fn the_count_is_stored_a_block_ahead() {
        let key = SealingKey::new(&random_key().unwrap(), 0, 5);
        assert_eq!(key.next_block(), Some(5 + BLOCK));
        key.reserved(5 + BLOCK);
        key.seal(b"", b"").unwrap();
        assert_eq!(key.next_block(), None);
        key.forget_block();
        assert_eq!(key.next_block(), Some(6 + BLOCK));
    }

    #[test]
    fn sizes_say_little() {
        let key = SealingKey::new(&random_key().unwrap(), 0, 0);
        let len = |n: usize| key.seal(b"", &vec![1; n]).unwrap().len();
        assert_eq!(len(0), len(60));
        assert_ne!(len(60), len(61));
        assert_eq!(len(1021), len(1500));
    }
}
