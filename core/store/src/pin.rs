//! A PIN per person: the per-user key is sealed under it before the vault wraps it, so that neither the vault nor the
//! PIN alone opens the store. It is a lock of cryptography; there is no flag to be turned over (MASVS-AUTH-2).
//!
//! A PIN of six digits would be guessed in hours by whoever has the vault's key at hand, which is why the vault stays
//! in front of it. On the device itself ten wrong tries in a row block it until the person has logged in online; a
//! try is counted before it is made, so that ending the process does not give it back. Nothing is ever wiped.

use std::num::NonZeroU32;
use std::path::Path;

use ring::pbkdf2::{PBKDF2_HMAC_SHA256, derive};
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::files;
use crate::seal::{self, RawKey};

/// Fewest and most digits. Source: docs/identity.md (six), our choice (the rest).
const DIGITS: std::ops::RangeInclusive<usize> = 6..=12;
/// Source: OWASP Password Storage Cheat Sheet, PBKDF2-HMAC-SHA256.
const ITERATIONS: u32 = 600_000;
/// Wrong tries in a row that block it. Source: docs/identity.md.
pub const MAX_TRIES: u8 = 10;
const TRIES: &str = "pin.tries";

/// A PIN. It never appears in `Debug`.
#[derive(Clone)]
pub struct Pin(Zeroizing<String>);

/// Why something is no PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PinError {
    /// It has not 6 to 12 digits, or something else than digits.
    #[error("a PIN has 6 to 12 digits")]
    Digits,
    /// One digit only, or digits in a row: what others would try first.
    #[error("the PIN is too simple")]
    Simple,
}

impl Pin {
    /// Takes what a person chose.
    pub fn new(digits: &str) -> Result<Self, PinError> {
        let bytes = digits.as_bytes();
        if !DIGITS.contains(&bytes.len()) || !bytes.iter().all(u8::is_ascii_digit) {
            return Err(PinError::Digits);
        }
        let step = |by: i16| {
            bytes.windows(2).all(|pair| matches!(pair, [a, b] if i16::from(*b) - i16::from(*a) == by))
        };
        if [0, 1, -1].into_iter().any(step) {
            return Err(PinError::Simple);
        }
        Ok(Self(Zeroizing::new(digits.to_owned())))
    }
}

impl core::fmt::Debug for Pin {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Pin(…)")
    }
}

/// How a store's PIN becomes a key. Not secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinParameters {
    salt: [u8; 16],
    iterations: NonZeroU32,
}

impl PinParameters {
    pub(crate) fn draw() -> Result<Self, StoreError> {
        let mut salt = [0; 16];
        seal::fill(&mut salt)?;
        Ok(Self { salt, iterations: NonZeroU32::new(ITERATIONS).unwrap_or(NonZeroU32::MIN) })
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        [self.salt.as_slice(), &self.iterations.get().to_be_bytes()].concat()
    }

    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (salt, iterations) = bytes.split_at_checked(16)?;
        let iterations = NonZeroU32::new(u32::from_be_bytes(iterations.try_into().ok()?))?;
        Some(Self { salt: salt.try_into().ok()?, iterations })
    }

    fn key(&self, pin: &Pin) -> RawKey {
        let mut key = Zeroizing::new([0; 32]);
        derive(PBKDF2_HMAC_SHA256, self.iterations, &self.salt, pin.0.as_bytes(), key.as_mut_slice());
        key
    }

    /// Seals the per-user key under a PIN; the vault wraps what comes out.
    pub(crate) fn seal(
        &self,
        pin: &Pin,
        alias: &str,
        dbk: &RawKey,
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        seal::wrap(&self.key(pin), &place(alias), dbk.as_slice()).map(Zeroizing::new)
    }

    /// Opens it. Nothing if the PIN is another.
    pub(crate) fn open(&self, pin: &Pin, alias: &str, sealed: &[u8]) -> Option<RawKey> {
        let opened = seal::unwrap(&self.key(pin), &place(alias), sealed).ok()?;
        Some(Zeroizing::new(opened.as_slice().try_into().ok()?))
    }
}

fn place(alias: &str) -> Vec<u8> {
    seal::place("pin", b"", alias.as_bytes())
}

/// Counts a try. Whoever calls this has the store's lock.
///
/// # Errors
/// [`StoreError::PinBlocked`] if there have been too many: the try may not be made.
pub(crate) fn count_try(directory: &Path) -> Result<u8, StoreError> {
    let tries = match files::read_if_there(&directory.join(TRIES))?.as_deref() {
        None => 0,
        Some([tries]) => *tries,
        // Somebody wrote into it: as many as there may be.
        Some(_) => MAX_TRIES,
    };
    if tries >= MAX_TRIES {
        return Err(StoreError::PinBlocked);
    }
    files::replace(&directory.join(TRIES), &[tries + 1])?;
    Ok(MAX_TRIES - tries - 1)
}

/// The right PIN, or an online login: the count begins anew.
pub(crate) fn forget_tries(directory: &Path) -> Result<(), StoreError> {
    match std::fs::remove_file(directory.join(TRIES)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(files::sync_directory(directory)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_has_six_digits_that_nobody_tries_first() {
        for good in ["135792", "002468", "112233", "987651", "123456789013"] {
            assert!(Pin::new(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("", PinError::Digits),
            ("13579", PinError::Digits),
            ("1357924680135", PinError::Digits),
            ("13579a", PinError::Digits),
            ("١٣٥٧٩٢", PinError::Digits),
            ("000000", PinError::Simple),
            ("123456", PinError::Simple),
            ("876543", PinError::Simple),
        ] {
            assert_eq!(Pin::new(bad).map(drop), Err(why), "{bad}");
        }
        assert!(!format!("{:?}", Pin::new("135792")).contains("135792"));
    }

    #[test]
    fn a_count_that_somebody_wrote_into_is_full() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(TRIES), b"no count").unwrap();
        assert!(matches!(count_try(directory.path()), Err(StoreError::PinBlocked)));
        std::fs::write(directory.path().join(TRIES), b"").unwrap();
        assert!(matches!(count_try(directory.path()), Err(StoreError::PinBlocked)));
        forget_tries(directory.path()).unwrap();
        assert_eq!(count_try(directory.path()).unwrap(), MAX_TRIES - 1);
    }
}
