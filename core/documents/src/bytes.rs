//! The forms of signed and hashed texts: every part length-prefixed with 4 bytes, integers 8 bytes, big-endian.

use ring::digest::{SHA256, digest};

/// Builds a text to sign or hash out of length-prefixed parts.
#[derive(Debug, Default)]
pub struct Parts(Vec<u8>);

impl Parts {
    /// Starts a text with its domain, which keeps signatures of one kind from being taken for another.
    pub fn new(domain: &str) -> Self {
        Self::default().part(domain.as_bytes())
    }

    /// Adds a part.
    #[must_use]
    pub fn part(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    /// Adds an integer as a part.
    #[must_use]
    pub fn int(self, int: u64) -> Self {
        self.part(&int.to_be_bytes())
    }

    /// The whole text.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}
