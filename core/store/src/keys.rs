//! Which key seals what. The per-user key (DBK) is 32 random bytes that the vault wraps; from it come, by HKDF, the
//! keys that wrap document keys, blind names on disk, seal the outbox and seal what the device remembers.

use ring::hkdf::{HKDF_SHA256, Salt};
use ring::hmac;
use zeroize::Zeroizing;

use crate::seal::{RawKey, SealingKey};

/// The keys of an open store.
pub struct Keys {
    index: hmac::Key,
    check: [u8; 16],
    /// Wraps document keys.
    pub wrap: SealingKey,
    /// Seals commands and refusals: they outlive the documents.
    pub outbox: SealingKey,
    /// Seals what the device remembers.
    pub meta: SealingKey,
}

impl Keys {
    /// Derives all keys from the per-user key.
    pub fn derive(dbk: &RawKey) -> Self {
        let mut check = [0; 16];
        check.copy_from_slice(derived(dbk, "check").get(..16).unwrap_or(&[0; 16]));
        Self {
            index: hmac::Key::new(hmac::HMAC_SHA256, derived(dbk, "index").as_slice()),
            check,
            wrap: SealingKey::new(&derived(dbk, "wrap"), 0, 0),
            outbox: SealingKey::new(&derived(dbk, "outbox"), 1, 0),
            meta: SealingKey::new(&derived(dbk, "meta"), 2, 0),
        }
    }

    /// Tells this per-user key from any other, and says nothing about it.
    pub fn check(&self) -> [u8; 16] {
        self.check
    }

    /// The keys whose seals are counted in the store: those that live as long as it does.
    pub fn counted(&self) -> [&SealingKey; 3] {
        [&self.wrap, &self.outbox, &self.meta]
    }

    /// The name of something on disk, which says nothing about it.
    pub fn blind(&self, table: &str, name: &[u8]) -> [u8; 16] {
        let mut context = hmac::Context::with_key(&self.index);
        context.update(&(table.len() as u32).to_be_bytes());
        context.update(table.as_bytes());
        context.update(name);
        let mut out = [0; 16];
        out.copy_from_slice(context.sign().as_ref().get(..16).unwrap_or(&[0; 16]));
        out
    }
}

fn derived(dbk: &RawKey, purpose: &str) -> RawKey {
    let mut out = Zeroizing::new([0; 32]);
    Salt::new(HKDF_SHA256, b"registro/store/1")
        .extract(dbk.as_slice())
        .expand(&[purpose.as_bytes()], HKDF_SHA256)
        .and_then(|okm| okm.fill(out.as_mut_slice()))
        .expect("32 bytes are within HKDF's limit");
    out
}
