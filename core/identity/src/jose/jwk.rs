//! The public half of a P-256 key that the platform holds.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};

/// A public P-256 key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicJwk {
    x: [u8; 32],
    y: [u8; 32],
}

impl PublicJwk {
    /// From an uncompressed point, `04 ‖ x ‖ y` (SEC 1 §2.3.3), as key stores give it. Nothing if it is none.
    pub fn from_point(point: &[u8]) -> Option<Self> {
        let (x, y) = point.strip_prefix(&[4])?.split_at_checked(32)?;
        Some(Self { x: x.try_into().ok()?, y: y.try_into().ok()? })
    }

    /// The uncompressed point.
    pub fn point(&self) -> Vec<u8> {
        [&[4], self.x.as_slice(), &self.y].concat()
    }

    /// As a JWK with the required members only, in lexicographic order and without spaces: what a proof carries and
    /// what the thumbprint is taken of (RFC 7638 §3.2).
    pub fn json(&self) -> String {
        let (x, y) = (URL_SAFE_NO_PAD.encode(self.x), URL_SAFE_NO_PAD.encode(self.y));
        format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#)
    }

    /// The thumbprint (RFC 7638 §3).
    pub fn thumbprint(&self) -> [u8; 32] {
        let mut thumbprint = [0; 32];
        thumbprint.copy_from_slice(digest(&SHA256, self.json().as_bytes()).as_ref());
        thumbprint
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example key of RFC 9449 §4.1 and the thumbprint that §6.1 gives for it.
    #[test]
    fn the_thumbprint_is_that_of_rfc_9449() {
        let decode = |text| URL_SAFE_NO_PAD.decode(text).unwrap();
        let x = decode("l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs");
        let y = decode("9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA");
        let jwk = PublicJwk::from_point(&[vec![4], x, y].concat()).unwrap();
        assert_eq!(URL_SAFE_NO_PAD.encode(jwk.thumbprint()), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
        assert_eq!(PublicJwk::from_point(&jwk.point()), Some(jwk));
    }

    #[test]
    fn what_is_no_uncompressed_point_is_no_key() {
        for length in [0, 1, 33, 64, 66, 97] {
            assert_eq!(PublicJwk::from_point(&vec![4; length]), None, "{length}");
        }
        assert_eq!(PublicJwk::from_point(&[2; 65]), None);
    }
}
