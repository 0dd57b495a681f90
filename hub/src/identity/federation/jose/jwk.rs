//! Public keys and sets of them (RFC 7517), and a key's thumbprint (RFC 7638).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::algorithm::{Curve, SigningAlgorithm, Verification};
use super::{JoseError, decode, encode};

/// Most keys of a set that are looked at. Honest sets hold a current and a coming key.
const MAX_KEYS: usize = 32;

/// A public key as it is written. A private one does not read: who publishes it has lost it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    /// `RSA` or `EC`.
    pub kty: String,
    /// Its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// `sig` or `enc`.
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
    /// The one algorithm that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// RSA: the modulus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    /// RSA: the exponent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
    /// EC: the curve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crv: Option<String>,
    /// EC: a coordinate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    /// EC: the other one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
}

impl Jwk {
    /// An RSA key of its numbers. Its id is its thumbprint.
    pub fn rsa(modulus: &[u8], exponent: &[u8], usage: &str, alg: Option<&str>) -> Self {
        let mut key = Self {
            kty: "RSA".to_owned(),
            kid: None,
            usage: Some(usage.to_owned()),
            alg: alg.map(str::to_owned),
            n: Some(encode(modulus)),
            e: Some(encode(exponent)),
            crv: None,
            x: None,
            y: None,
        };
        key.kid = key.thumbprint();
        key
    }

    /// The thumbprint with SHA-256, base64url (RFC 7638). `None` for a kind of key that is not known.
    pub fn thumbprint(&self) -> Option<String> {
        // The members in lexical order and nothing else; values are base64url and need no escaping.
        let text = match self.kty.as_str() {
            "RSA" => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, self.e.as_ref()?, self.n.as_ref()?),
            "EC" => format!(
                r#"{{"crv":"{}","kty":"EC","x":"{}","y":"{}"}}"#,
                self.crv.as_ref()?,
                self.x.as_ref()?,
                self.y.as_ref()?
            ),
            _ => return None,
        };
        Some(encode(ring::digest::digest(&ring::digest::SHA256, text.as_bytes())))
    }

    /// Verifies a signature.
    pub fn verify(
        &self,
        algorithm: SigningAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), JoseError> {
        if self.usage.as_deref().is_some_and(|usage| usage != "sig")
            || self.alg.as_deref().is_some_and(|alg| alg != algorithm.name())
        {
            return Err(JoseError::KeyUnfit);
        }
        let part = |part: &Option<String>| decode(part.as_deref().ok_or(JoseError::KeyUnfit)?);
        match (algorithm.verification(), self.kty.as_str()) {
            (Verification::Rsa(parameters), "RSA") => {
                let (n, e) = (part(&self.n)?, part(&self.e)?);
                // The library refuses keys below 2048 bits; say so, instead of blaming the signature.
                if n.len() < 2048 / 8 {
                    return Err(JoseError::KeyUnfit);
                }
                aws_lc_rs::signature::RsaPublicKeyComponents { n, e }.verify(parameters, message, signature)
            }
            (Verification::Ec(parameters, curve), "EC") => {
                if self.crv.as_deref().and_then(Curve::named) != Some(curve) {
                    return Err(JoseError::KeyUnfit);
                }
                let (x, y) = (part(&self.x)?, part(&self.y)?);
                if x.len() != curve.coordinate() || y.len() != curve.coordinate() {
                    return Err(JoseError::KeyUnfit);
                }
                // An uncompressed point (SEC 1 §2.3.3).
                let point = [&[4], x.as_slice(), y.as_slice()].concat();
                aws_lc_rs::signature::UnparsedPublicKey::new(parameters, point).verify(message, signature)
            }
            _ => return Err(JoseError::KeyUnfit),
        }
        .map_err(|_| JoseError::Signature)
    }
}

/// A set of public keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct JwkSet {
    /// The keys.
    pub keys: Vec<Jwk>,
}

impl JwkSet {
    /// Reads a set. Keys that are not understood are left out, as RFC 7517 §5 says; so is a key with private
    /// members.
    pub fn from_json(value: &Value) -> Result<Self, JoseError> {
        let keys = value.get("keys").and_then(Value::as_array).ok_or(JoseError::KeyUnknown)?;
        if keys.len() > MAX_KEYS {
            return Err(JoseError::TooLarge);
        }
        let is_public = |key: &&Value| ["d", "p", "q", "k"].iter().all(|member| key.get(member).is_none());
        let keys = keys.iter().filter(is_public).filter_map(|key| Jwk::deserialize(key).ok()).collect();
        Ok(Self { keys })
    }

    /// The key of an id. An id that two keys share names neither.
    pub fn find(&self, kid: &str) -> Result<&Jwk, JoseError> {
        let mut found = self.keys.iter().filter(|key| key.kid.as_deref() == Some(kid));
        match (found.next(), found.next()) {
            (Some(key), None) => Ok(key),
            _ => Err(JoseError::KeyUnknown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_is_the_one_of_rfc_7638() {
        let key: Jwk = serde_json::from_value(serde_json::json!({
            "kty": "RSA",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
            "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"
        }))
        .unwrap();
        assert_eq!(key.thumbprint().unwrap(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn unknown_and_private_keys_are_left_out_and_shared_ids_name_nothing() {
        let set = JwkSet::from_json(&serde_json::json!({ "keys": [
            { "kty": "RSA", "kid": "a", "n": "AQAB", "e": "AQAB" },
            { "kty": "RSA", "kid": "b", "n": "AQAB", "e": "AQAB", "d": "AQAB" },
            { "kty": "EC", "kid": "c", "crv": "P-256", "x": "AA", "y": "AA" },
            { "kty": "EC", "kid": "c", "crv": "P-256", "x": "AA", "y": "AA" },
            { "kid": "d" }, 7
        ] }))
        .unwrap();
        assert_eq!(set.keys.len(), 3);
        assert!(set.find("a").is_ok());
        for kid in ["b", "c", "d", ""] {
            assert_eq!(set.find(kid), Err(JoseError::KeyUnknown), "{kid}");
        }
        assert_eq!(
            set.find("a").unwrap().verify(SigningAlgorithm::Rs256, b"", b""),
            Err(JoseError::KeyUnfit),
            "a short key"
        );
        let many = serde_json::json!({ "keys": vec![serde_json::json!({}); 33] });
        assert_eq!(JwkSet::from_json(&many), Err(JoseError::TooLarge));
    }
}
