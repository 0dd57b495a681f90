//! A signed message in the compact form (RFC 7515 §3.1). Nothing of it is used before its signature has verified.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::key_set::KeySet;

/// Longest message that is read (our choice; SPID's longest are below 8 KB).
const MAX_LENGTH: usize = 64 * 1024;

/// Signatures that are accepted. There is no `none`, no `HS*` and no RSA below 2048 bits to be talked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256 (RFC 7518 §3.4).
    Es256,
    /// RSA-PSS with SHA-256 (RFC 7518 §3.5).
    Ps256,
    /// RSA PKCS #1 v1.5 with SHA-256 (RFC 7518 §3.3).
    Rs256,
}

impl Algorithm {
    /// All of them, the ones to prefer first.
    pub const ALL: [Self; 3] = [Self::Es256, Self::Ps256, Self::Rs256];

    /// Its name in JOSE.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Ps256 => "PS256",
            Self::Rs256 => "RS256",
        }
    }

    /// The algorithm of that name, letter by letter.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }
}

/// Why a message is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// It does not read.
    #[error("the message does not read")]
    Form,
    /// Its algorithm is not among those agreed on.
    #[error("the algorithm is not allowed")]
    Algorithm,
    /// It says that something must be understood that we do not know (RFC 7515 §4.1.11).
    #[error("a critical header is not understood")]
    Critical,
    /// The key that it names is not among the server's: they may have changed.
    #[error("the key is not known")]
    UnknownKey,
    /// The signature is not the key's.
    #[error("the signature does not verify")]
    Signature,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<serde_json::Value>,
}

/// A message that was read and not verified yet.
pub struct Jws<'a> {
    signed: &'a str,
    algorithm: Algorithm,
    kid: Option<String>,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> Jws<'a> {
    /// Reads a message.
    pub fn read(text: &'a str, allowed: &[Algorithm]) -> Result<Self, JwsError> {
        if text.len() > MAX_LENGTH {
            return Err(JwsError::Form);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(JwsError::Form)?;
        let (header, payload) = signed.split_once('.').ok_or(JwsError::Form)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| JwsError::Form);
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| JwsError::Form)?;
        let algorithm = Algorithm::from_name(&header.alg).ok_or(JwsError::Algorithm)?;
        if !allowed.contains(&algorithm) {
            return Err(JwsError::Algorithm);
        }
        if header.crit.is_some() {
            return Err(JwsError::Critical);
        }
        Ok(Self {
            signed,
            algorithm,
            kid: header.kid,
            payload: decode(payload)?,
            signature: decode(signature)?,
        })
    }

    /// Verifies it with the server's keys and gives its payload.
    ///
    /// # Errors
    /// [`JwsError::UnknownKey`] if none of the keys is the one that it names; it may help to fetch them again.
    /// [`JwsError::Signature`] if one is, and did not sign this.
    pub fn verify(&self, keys: &KeySet) -> Result<&[u8], JwsError> {
        let mut known = false;
        for key in keys.candidates(self.kid.as_deref(), self.algorithm) {
            known = true;
            if key.verifies(self.algorithm, self.signed.as_bytes(), &self.signature) {
                return Ok(&self.payload);
            }
        }
        Err(if known { JwsError::Signature } else { JwsError::UnknownKey })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
    use serde_json::{Value, json};

    use super::*;
    use crate::jose::PublicJwk;

    struct Signer {
        key: EcdsaKeyPair,
        jwk: Value,
    }

    impl Signer {
        fn new(kid: Option<&str>) -> Self {
            let random = SystemRandom::new();
            let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
            let key =
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
            let json = PublicJwk::from_point(key.public_key().as_ref()).unwrap().json();
            let mut jwk: Value = serde_json::from_str(&json).unwrap();
            if let Some(kid) = kid {
                jwk["kid"] = kid.into();
            }
            Self { key, jwk }
        }

        fn sign(&self, header: &Value) -> String {
            let part = |text: String| URL_SAFE_NO_PAD.encode(text);
            let signed = format!("{}.{}", part(header.to_string()), part(r#"{"sub":"p1"}"#.to_owned()));
            let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
            format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
        }
    }

    fn keys(jwks: &[&Value]) -> KeySet {
        KeySet::read(json!({ "keys": jwks }).to_string().as_bytes()).unwrap()
    }

    fn verified(token: &str, keys: &KeySet) -> Result<Vec<u8>, JwsError> {
        Jws::read(token, &Algorithm::ALL)?.verify(keys).map(<[u8]>::to_vec)
    }

    #[test]
    fn a_message_names_its_key_or_there_is_only_one_of_its_kind() {
        let (one, other) = (Signer::new(Some("one")), Signer::new(Some("other")));
        let both = keys(&[&one.jwk, &other.jwk]);
        let named = one.sign(&json!({ "alg": "ES256", "kid": "one" }));
        assert!(verified(&named, &both).is_ok());
        assert_eq!(verified(&named, &keys(&[&other.jwk])), Err(JwsError::UnknownKey));
        let swapped = one.sign(&json!({ "alg": "ES256", "kid": "other" }));
        assert_eq!(verified(&swapped, &both), Err(JwsError::Signature));
        let nameless = one.sign(&json!({ "alg": "ES256" }));
        assert_eq!(verified(&nameless, &both), Err(JwsError::UnknownKey), "to try both would be to guess");
        assert!(verified(&nameless, &keys(&[&one.jwk])).is_ok());
    }

    #[test]
    fn keys_for_other_purposes_do_not_verify() {
        let one = Signer::new(Some("one"));
        let token = one.sign(&json!({ "alg": "ES256", "kid": "one" }));
        for (name, value) in [
            ("use", json!("enc")),
            ("key_ops", json!(["sign"])),
            ("alg", json!("ES384")),
            ("kty", json!("oct")),
            ("crv", json!("P-384")),
            ("x", json!("AAAA")),
            ("kid", json!(7)),
        ] {
            let mut jwk = one.jwk.clone();
            jwk[name] = value.clone();
            assert_eq!(verified(&token, &keys(&[&jwk])), Err(JwsError::UnknownKey), "{name} {value}");
        }
        let mut good = one.jwk.clone();
        (good["use"], good["alg"], good["key_ops"]) = ("sig".into(), "ES256".into(), json!(["verify"]));
        assert!(verified(&token, &keys(&[&good])).is_ok());
    }

    #[test]
    fn only_what_was_agreed_on_is_read() {
        let one = Signer::new(Some("one"));
        for (header, why) in [
            (json!({ "alg": "none" }), JwsError::Algorithm),
            (json!({ "alg": "es256" }), JwsError::Algorithm),
            (json!({ "alg": "HS256" }), JwsError::Algorithm),
            (json!({ "alg": "ES256", "crit": ["exp"] }), JwsError::Critical),
            (json!({ "kid": "one" }), JwsError::Form),
            (json!([]), JwsError::Form),
        ] {
            assert_eq!(verified(&one.sign(&header), &keys(&[&one.jwk])), Err(why), "{header}");
        }
        let token = one.sign(&json!({ "alg": "ES256", "kid": "one" }));
        assert!(matches!(Jws::read(&token, &[Algorithm::Rs256]), Err(JwsError::Algorithm)));
        for odd in
            ["", ".", "..", "a.b", "a.b.c", &format!("{token}."), &format!("{token}="), &"x".repeat(70_000)]
        {
            assert!(Jws::read(odd, &Algorithm::ALL).is_err());
        }
    }

    proptest! {
        #[test]
        fn whatever_is_changed_the_signature_does_not_verify(index: usize, letter in "[A-Za-z0-9_.-]") {
            let one = Signer::new(Some("one"));
            let token = one.sign(&json!({ "alg": "ES256", "kid": "one" }));
            let index = index % token.len();
            let changed = format!("{}{letter}{}", &token[..index], &token[index + 1..]);
            prop_assume!(changed != token);
            prop_assert!(verified(&changed, &keys(&[&one.jwk])).is_err());
        }

        #[test]
        fn noise_is_no_key_set_and_no_message(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = KeySet::read(&bytes);
            prop_assert!(Jws::read(&String::from_utf8_lossy(&bytes), &Algorithm::ALL).is_err());
        }
    }
}
