//! What devices hand in that they cannot push any more: because the device was revoked, or its person's right ended
//! long ago. Nothing that anybody wrote is lost with them; the office looks at it (PROTOCOL §8).
//!
//! It comes sealed to the school: X25519 with a key drawn for this one message, HKDF-SHA256, AES-256-GCM. The hub
//! keeps it as it comes, and its key opens it on the office's word only (`registro-hub outbox open`).

use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use registro_documents::bytes::Parts;
use registro_model::SchoolId;
use zeroize::Zeroizing;

use crate::error::HubError;
use crate::keys::secret_file;
use crate::random::Random;

/// Most bytes that a device hands in within 24 hours. Source: PROTOCOL §8.
pub const MAX_BYTES_A_DAY: usize = 1_000_000;
/// Bytes of the key that was drawn for a message; they stand before what is sealed.
const DRAWN: usize = 32;

/// The key that opens what was handed in.
pub struct OutboxKey(PrivateKey);

impl core::fmt::Debug for OutboxKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("OutboxKey(…)")
    }
}

impl OutboxKey {
    /// The key of a data directory (`outbox.key`, its owner's alone), made if there is none.
    pub fn in_directory(data: &Path, random: &mut dyn Random) -> Result<Self, HubError> {
        let seed = secret_file(&data.join("outbox.key"), &mut |seed| random.fill(seed.as_mut_slice()))?;
        PrivateKey::from_private_key(&X25519, seed.as_slice())
            .map(Self)
            .map_err(|_| HubError::Stored("outbox.key does not read"))
    }

    /// What devices seal to.
    pub fn public(&self) -> Result<[u8; 32], HubError> {
        let public = self.0.compute_public_key().ok();
        public
            .and_then(|public| public.as_ref().try_into().ok())
            .ok_or(HubError::Stored("outbox.key does not read"))
    }

    /// Opens what was sealed; `None` if it was not sealed to this key, or was changed.
    pub fn open(&self, school: SchoolId, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (drawn, cipher) = sealed.split_at_checked(DRAWN)?;
        let salt = [drawn, self.public().ok()?.as_slice()].concat();
        let info = sealing_info(school);
        let key = agree(&self.0, UnparsedPublicKey::new(&X25519, drawn), (), |shared| {
            let mut key = Zeroizing::new([0; 32]);
            Salt::new(HKDF_SHA256, &salt)
                .extract(shared)
                .expand(&[&info], HKDF_SHA256)
                .and_then(|okm| okm.fill(key.as_mut_slice()))
                .map_err(drop)?;
            Ok(key)
        });
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.ok()?.as_slice()).ok()?);
        let mut plain = Zeroizing::new(cipher.to_vec());
        // The key is of this one message: any nonce is fresh.
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        let length = key.open_in_place(nonce, Aad::empty(), &mut plain).ok()?.len();
        plain.truncate(length);
        Some(plain)
    }
}

/// What keys of sealed messages are derived for.
pub fn sealing_info(school: SchoolId) -> Vec<u8> {
    Parts::new("registro/outbox-seal/1").part(school.as_bytes()).into_bytes()
}

/// What a device signs when it hands something in without a token.
pub fn handing_in_text(school: SchoolId, certificate: &[u8; 32], sealed: &[u8]) -> Vec<u8> {
    Parts::new("registro/outbox/1").part(school.as_bytes()).part(certificate).part(sealed).into_bytes()
}
