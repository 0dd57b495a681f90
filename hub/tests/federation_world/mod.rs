//! A federation of a test's own: an anchor and a provider that say whatever a test makes them say.

#![allow(dead_code, clippy::unwrap_used)] // each test uses a part of it; also outside the test functions themselves

use std::sync::OnceLock;

use aws_lc_rs::cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{
    KeyPair, KeySize, OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, Pkcs1PublicEncryptingKey,
    PublicEncryptingKey,
};
use registro_hub::identity::federation::jose::jwk::{Jwk, JwkSet};
use registro_hub::identity::federation::jose::signer::public_jwk;
use registro_hub::identity::federation::jose::{decode, encode};
use serde_json::{Value, json};

/// Who holds which key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Anchor,
    Provider,
    ProviderCore,
    Stranger,
}

/// An RSA key of the test's.
pub struct Key {
    pkcs8: Vec<u8>,
}

/// The key of somebody.
pub fn key(who: Who) -> &'static Key {
    static KEYS: OnceLock<Vec<Key>> = OnceLock::new();
    let keys = KEYS.get_or_init(|| (0..4).map(|_| Key::new()).collect());
    &keys[who as usize]
}

impl Key {
    fn new() -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        Self { pkcs8: der.as_ref().to_vec() }
    }

    pub fn public(&self) -> Jwk {
        public_jwk(&self.pkcs8, "sig", None).unwrap()
    }

    pub fn kid(&self) -> String {
        self.public().kid.unwrap()
    }

    pub fn set(&self) -> JwkSet {
        JwkSet { keys: vec![self.public()] }
    }

    /// Signs with RS256, whatever the header says. A `kid` is put in if the header has none.
    pub fn sign(&self, header: Value, claims: &Value) -> String {
        self.sign_text(header, &claims.to_string())
    }

    pub fn sign_text(&self, mut header: Value, payload: &str) -> String {
        if header.get("kid").is_none() {
            header["kid"] = self.kid().into();
        }
        let signed = format!("{}.{}", encode(header.to_string()), encode(payload));
        let pair = ring::signature::RsaKeyPair::from_pkcs8(&self.pkcs8).unwrap();
        let mut signature = vec![0; pair.public().modulus_len()];
        let random = ring::rand::SystemRandom::new();
        pair.sign(&ring::signature::RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", encode(signature))
    }

    /// "Signs" with HS256 under the public key, which everybody knows.
    pub fn sign_with_public_key(&self, claims: &Value) -> String {
        let header = json!({ "alg": "HS256", "kid": self.kid() });
        let signed = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let secret = serde_json::to_vec(&self.public()).unwrap();
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &secret);
        format!("{signed}.{}", encode(ring::hmac::sign(&key, signed.as_bytes())))
    }
}

pub fn statement_header() -> Value {
    json!({ "alg": "RS256", "typ": "entity-statement+jwt" })
}

/// The claims of everybody in a federation.
#[derive(Clone)]
pub struct Claims {
    pub anchor: Value,
    pub subordinate: Value,
    pub provider: Value,
    /// What the anchor says of the hub, if it is asked.
    pub hub: Value,
}

pub fn trust_mark(anchor: &str, subject: &str, kind: &str, now: i64) -> Value {
    let claims = json!({ "iss": anchor, "sub": subject, "id": kind, "iat": now, "exp": now + 3600 });
    let text = key(Who::Anchor).sign(json!({ "alg": "RS256", "typ": "trust-mark+jwt" }), &claims);
    json!({ "id": kind, "trust_mark": text })
}

/// An honest federation.
pub fn claims(anchor: &str, provider: &str, hub: &str, now: i64) -> Claims {
    let mark = format!("{anchor}/mark/op");
    let hub_mark = format!("{anchor}/mark/rp");
    let keys = |who| serde_json::to_value(key(who).set()).unwrap();
    Claims {
        anchor: json!({
            "iss": anchor, "sub": anchor, "iat": now, "exp": now + 7200, "jwks": keys(Who::Anchor),
            "trust_mark_issuers": { &mark: [anchor], &hub_mark: [anchor] },
            "constraints": { "max_path_length": 1 },
            "metadata": { "federation_entity": {
                "federation_fetch_endpoint": format!("{anchor}/fetch"),
                "federation_list_endpoint": format!("{anchor}/list"),
            } },
        }),
        subordinate: json!({
            "iss": anchor, "sub": provider, "iat": now, "exp": now + 3600, "jwks": keys(Who::Provider),
            "metadata_policy": { "openid_provider": {
                "subject_types_supported": { "value": ["pairwise"] },
                "id_token_signing_alg_values_supported": { "subset_of": ["RS256", "RS512"] },
            } },
        }),
        provider: json!({
            "iss": provider, "sub": provider, "iat": now, "exp": now + 5400, "jwks": keys(Who::Provider),
            "authority_hints": [anchor],
            "trust_marks": [trust_mark(anchor, provider, &mark, now)],
            "metadata": {
                "federation_entity": { "organization_name": "Gestore inventato", "logo_uri": "https://op.example/l.svg" },
                "openid_provider": {
                    "issuer": provider,
                    "authorization_endpoint": format!("{provider}/authorize"),
                    "token_endpoint": format!("{provider}/token"),
                    "userinfo_endpoint": format!("{provider}/userinfo"),
                    "revocation_endpoint": format!("{provider}/revoke"),
                    "response_types_supported": ["code"],
                    "code_challenge_methods_supported": ["S256"],
                    "token_endpoint_auth_methods_supported": ["private_key_jwt"],
                    "client_registration_types_supported": ["automatic"],
                    "id_token_signing_alg_values_supported": ["RS256", "ES256"],
                    "jwks": keys(Who::ProviderCore),
                },
            },
        }),
        hub: json!({
            "iss": anchor, "sub": hub, "iat": now, "exp": now + 3600, "jwks": keys(Who::Stranger),
            "trust_marks": [trust_mark(anchor, hub, &hub_mark, now)],
        }),
    }
}

/// How a message is encrypted to the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealing {
    Oaep,
    /// Forbidden.
    Rsa15,
}

/// Encrypts a signed message to a key of the hub's.
pub fn seal(to: &Jwk, sealing: Sealing, text: &str) -> String {
    let content_key = [7; 64];
    let der = subject_public_key_info(to);
    let public = PublicEncryptingKey::from_der(&der).unwrap();
    let mut encrypted = vec![0; public.key_size_bytes()];
    match sealing {
        Sealing::Oaep => {
            let public = OaepPublicEncryptingKey::new(public).unwrap();
            public.encrypt(&OAEP_SHA1_MGF1SHA1, &content_key, &mut encrypted, None).unwrap();
        }
        Sealing::Rsa15 => {
            let public = Pkcs1PublicEncryptingKey::new(public).unwrap();
            public.encrypt(&content_key, &mut encrypted).unwrap();
        }
    }
    let alg = if sealing == Sealing::Oaep { "RSA-OAEP" } else { "RSA1_5" };
    let header = json!({ "alg": alg, "enc": "A256CBC-HS512", "cty": "JWT", "kid": to.kid });
    let head = encode(header.to_string());
    let vector = [9; 16];
    let mut content = text.as_bytes().to_vec();
    let cipher = UnboundCipherKey::new(&AES_256, &content_key[32..]).unwrap();
    PaddedBlockEncryptingKey::cbc_pkcs7(cipher)
        .unwrap()
        .less_safe_encrypt(&mut content, EncryptionContext::Iv128(FixedLength::from(&vector)))
        .unwrap();
    let mac = ring::hmac::Key::new(ring::hmac::HMAC_SHA512, &content_key[..32]);
    let bits = (head.len() as u64 * 8).to_be_bytes();
    let tag = ring::hmac::sign(&mac, &[head.as_bytes(), &vector, &content, &bits].concat());
    format!(
        "{head}.{}.{}.{}.{}",
        encode(encrypted),
        encode(vector),
        encode(content),
        encode(&tag.as_ref()[..32])
    )
}

/// An RSA key of its numbers as SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).
fn subject_public_key_info(key: &Jwk) -> Vec<u8> {
    fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut out = vec![tag];
        match content.len() {
            short @ 0..128 => out.push(short as u8),
            long => out.extend([0x82, (long >> 8) as u8, long as u8]),
        }
        out.extend(content);
        out
    }
    let integer = |number: &Option<String>| {
        let number = decode(number.as_deref().unwrap()).unwrap();
        tagged(2, &[&[0], number.as_slice()].concat()[usize::from(number[0] < 128)..])
    };
    let numbers = tagged(0x30, &[integer(&key.n), integer(&key.e)].concat());
    // rsaEncryption, NULL
    let algorithm = tagged(0x30, &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0]);
    let info = tagged(0x30, &[algorithm, tagged(3, &[&[0], numbers.as_slice()].concat())].concat());
    let key: PublicKeyX509Der<'_> = PublicEncryptingKey::from_der(&info).unwrap().as_der().unwrap();
    key.as_ref().to_vec()
}

/// The left half of the SHA-256 of an access token.
pub fn at_hash(token: &str) -> String {
    encode(&ring::digest::digest(&ring::digest::SHA256, token.as_bytes()).as_ref()[..16])
}

/// Follows a path of members and indices into a value.
pub fn at<'a>(value: &'a mut Value, path: &str) -> &'a mut Value {
    path.split('/').filter(|part| !part.is_empty()).fold(value, |value, part| match part.parse::<usize>() {
        Ok(index) => &mut value[index],
        Err(_) => &mut value[part],
    })
}
