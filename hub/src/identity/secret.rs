//! Secrets that the login hands out: cookies, codes, tokens. The database keeps their hashes, so that a copy of it
//! logs nobody in.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use registro_documents::bytes::sha256;
use zeroize::Zeroizing;

/// A secret as it is handed out: 256 random bits in base64url. `Debug` does not show it.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The secret of these random bytes.
    pub fn of(bytes: &[u8; 32]) -> Self {
        Self(Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The text, for the one who shall have it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the database keeps of it.
    pub fn hash(&self) -> [u8; 32] {
        hash_of(&self.0)
    }
}

impl core::fmt::Debug for Secret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What the database keeps of a secret that somebody presents. With 256 random bits a plain hash is enough: there is
/// nothing to guess.
pub fn hash_of(presented: &str) -> [u8; 32] {
    sha256(presented.as_bytes())
}
