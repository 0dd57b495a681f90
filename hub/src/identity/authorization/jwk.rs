//! Public keys on P-256 as JSON Web Keys (RFC 7517), and their thumbprints (RFC 7638).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use registro_documents::bytes::sha256;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Map, Value, json};

/// Members that only private and symmetric keys have (RFC 7518 §6).
const SECRET_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A public key on P-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicJwk {
    /// 0x04, then both coordinates (SEC 1 §2.3.3).
    point: [u8; 65],
}

impl PublicJwk {
    /// The key of an uncompressed point.
    pub fn of_point(point: &[u8]) -> Option<Self> {
        let point: [u8; 65] = point.try_into().ok()?;
        (point.first() == Some(&4)).then_some(Self { point })
    }

    /// Reads a key. One with a private member is refused: whoever sends it has given it away.
    pub fn read(object: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| object.get(name).and_then(Value::as_str);
        let is_secret = SECRET_MEMBERS.iter().any(|member| object.contains_key(*member));
        if is_secret || text("kty") != Some("EC") || text("crv") != Some("P-256") {
            return None;
        }
        let mut point = vec![4];
        for name in ["x", "y"] {
            let coordinate = URL_SAFE_NO_PAD.decode(text(name)?).ok()?;
            // Always as long as the field, leading zeros included (RFC 7518 §6.2.1.2).
            if coordinate.len() != 32 {
                return None;
            }
            point.extend_from_slice(&coordinate);
        }
        Self::of_point(&point)
    }

    fn coordinates(&self) -> (String, String) {
        let (x, y) = self.point.split_at(33);
        (URL_SAFE_NO_PAD.encode(x.get(1..).unwrap_or_default()), URL_SAFE_NO_PAD.encode(y))
    }

    /// The key as it is published, without a name.
    pub fn to_json(&self) -> Value {
        let (x, y) = self.coordinates();
        json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y })
    }

    /// SHA-256 of the required members in alphabetical order (RFC 7638 §3).
    pub fn thumbprint(&self) -> [u8; 32] {
        let (x, y) = self.coordinates();
        sha256(format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#).as_bytes())
    }

    /// The thumbprint as it stands in tokens.
    pub fn thumbprint_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.thumbprint())
    }

    /// Whether the signature over the text is the key's. A point that is not on the curve signs nothing.
    pub fn verify(&self, text: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.point).verify(text, signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: Value) -> Option<PublicJwk> {
        PublicJwk::read(value.as_object().unwrap())
    }

    /// The key of RFC 9449 §4.1, whose thumbprint stands in §6.1.
    fn example() -> Value {
        json!({
            "kty": "EC", "crv": "P-256",
            "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
            "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"
        })
    }

    #[test]
    fn the_thumbprint_is_that_of_rfc_9449() {
        let key = read(example()).unwrap();
        assert_eq!(key.thumbprint_text(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
        assert_eq!(read(key.to_json()), Some(key));
    }

    #[test]
    fn other_kinds_of_keys_and_private_ones_are_refused() {
        for (member, value) in [
            ("kty", json!("RSA")),
            ("crv", json!("P-384")),
            ("d", json!("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI")),
            ("k", json!("c2VjcmV0")),
            ("x", json!("l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs=")),
            ("y", json!("9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRA")),
            ("y", json!(7)),
        ] {
            let mut key = example();
            key[member] = value;
            assert_eq!(read(key), None, "{member}");
        }
    }
}
