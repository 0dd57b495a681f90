//! The key of the credentials, in a file beside the database: who steals the database alone can neither try codes
//! against it nor read what is sealed in it.

use std::path::Path;

use ring::{aead, digest, hkdf, hmac};
use zeroize::Zeroizing;

use crate::error::HubError;
use crate::identity::Randomness;
use crate::keys::secret_file;

/// Keys for keyed hashes and sealing. `Debug` shows nothing.
pub struct CredentialKeys {
    mac: hmac::Key,
    sealing: aead::LessSafeKey,
}

impl core::fmt::Debug for CredentialKeys {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("CredentialKeys(…)")
    }
}

impl CredentialKeys {
    /// The keys of a data directory, made at the first call.
    pub fn in_directory(data: &Path, random: &Randomness) -> Result<Self, HubError> {
        Self::of(&*secret_file(&data.join("credentials.key"), &mut |bytes| *bytes = random.draw())?)
    }

    /// The keys of a seed.
    pub fn of(seed: &[u8; 32]) -> Result<Self, HubError> {
        let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, b"registro/credentials/1").extract(seed);
        let derive = |purpose: &[u8]| {
            let mut key = Zeroizing::new([0; digest::SHA256_OUTPUT_LEN]);
            extracted
                .expand(&[purpose], hkdf::HKDF_SHA256)
                .and_then(|derived| derived.fill(key.as_mut_slice()))
                .map_err(|_| HubError::Stored("the key of the credentials"))?;
            Ok::<_, HubError>(key)
        };
        let sealing = aead::UnboundKey::new(&aead::AES_256_GCM, derive(b"seal")?.as_slice())
            .map_err(|_| HubError::Stored("the key of the credentials"))?;
        Ok(Self {
            mac: hmac::Key::new(hmac::HMAC_SHA256, derive(b"mac")?.as_slice()),
            sealing: aead::LessSafeKey::new(sealing),
        })
    }

    /// A keyed hash. `purpose` keeps what is one thing from being taken for another.
    pub fn mac(&self, purpose: &'static str, text: &[u8]) -> [u8; 32] {
        let tag = hmac::sign(&self.mac, &labelled(purpose, text));
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        bytes
    }

    /// Whether a keyed hash is that of the text, in constant time.
    pub fn is_mac(&self, purpose: &'static str, text: &[u8], mac: &[u8]) -> bool {
        hmac::verify(&self.mac, &labelled(purpose, text), mac).is_ok()
    }

    /// Seals: nonce, then AES-256-GCM. Random nonces are safe far beyond what a school seals (NIST SP 800-38D §8.3:
    /// 2³² under one key).
    pub fn seal(
        &self,
        purpose: &'static str,
        bytes: &[u8],
        random: &Randomness,
    ) -> Result<Vec<u8>, HubError> {
        let nonce: [u8; aead::NONCE_LEN] = random.draw();
        let mut sealed = bytes.to_vec();
        let mut out = nonce.to_vec();
        self.sealing
            .seal_in_place_append_tag(
                aead::Nonce::assume_unique_for_key(nonce),
                aead::Aad::from(purpose.as_bytes()),
                &mut sealed,
            )
            .map_err(|_| HubError::TooLarge("sealed text"))?;
        out.append(&mut sealed);
        Ok(out)
    }

    /// Opens what was sealed for the same purpose.
    pub fn open(&self, purpose: &'static str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, HubError> {
        let wrong = HubError::Stored("sealed text that another key sealed");
        let Some((nonce, body)) = sealed.split_at_checked(aead::NONCE_LEN) else { return Err(wrong) };
        let Ok(nonce) = aead::Nonce::try_assume_unique_for_key(nonce) else { return Err(wrong) };
        let mut body = Zeroizing::new(body.to_vec());
        match self.sealing.open_in_place(nonce, aead::Aad::from(purpose.as_bytes()), &mut body) {
            Ok(plain) => Ok(Zeroizing::new(plain.to_vec())),
            Err(_) => Err(wrong),
        }
    }
}

fn labelled(purpose: &str, text: &[u8]) -> Vec<u8> {
    [purpose.as_bytes(), &[0], text].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandomness;

    #[test]
    fn sealed_text_opens_for_its_purpose_only_and_a_changed_one_never() {
        let random = Randomness::new(Box::new(SystemRandomness::new()));
        let keys = CredentialKeys::of(&[7; 32]).unwrap();
        let sealed = keys.seal("a", b"secret", &random).unwrap();
        assert_eq!(keys.open("a", &sealed).unwrap().as_slice(), b"secret");
        assert!(keys.open("b", &sealed).is_err() && keys.open("a", &sealed[..10]).is_err());
        let mut changed = sealed.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert!(keys.open("a", &changed).is_err());
        assert!(CredentialKeys::of(&[8; 32]).unwrap().open("a", &sealed).is_err());
    }

    #[test]
    fn a_keyed_hash_is_of_one_key_and_one_purpose() {
        let keys = CredentialKeys::of(&[7; 32]).unwrap();
        let mac = keys.mac("a", b"text");
        assert!(keys.is_mac("a", b"text", &mac));
        assert!(!keys.is_mac("b", b"text", &mac) && !keys.is_mac("a", b"texT", &mac));
        assert_ne!(CredentialKeys::of(&[8; 32]).unwrap().mac("a", b"text"), mac);
    }
}
