//! Signed tokens (RFC 7515, RFC 7519) with the one algorithm that the hub speaks, ES256. There is nothing to
//! negotiate, so `none`, HMAC with a public key, and every other confusion of algorithms have no place to begin.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::jwk::PublicJwk;

/// Longest token that is looked at. Ours have some 700 bytes, proofs some 500.
pub const MAX_TOKEN_BYTES: usize = 4_096;

/// A token whose signature nobody has looked at yet.
#[derive(Debug)]
pub struct Unverified<'a> {
    /// Its header.
    pub header: Map<String, Value>,
    claims: Map<String, Value>,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Unverified<'a> {
    /// Reads a token of this type (`typ`, RFC 8725 §3.11): three parts, ES256, no critical extension.
    pub fn read(token: &'a str, typ: &str) -> Option<Self> {
        if token.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let object = |part: &str| match serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()? {
            Value::Object(object) => Some(object),
            _ => None,
        };
        let (header, claims) = (object(header)?, object(claims)?);
        let is = |name: &str, value: &str| header.get(name).and_then(Value::as_str) == Some(value);
        if !is("alg", "ES256") || !is("typ", typ) || header.contains_key("crit") {
            return None;
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).ok().filter(|bytes| bytes.len() == 64)?;
        Some(Self { header, claims, signed, signature })
    }

    /// Its claims, if the key signed it.
    pub fn verify(self, key: &PublicJwk) -> Option<Claims> {
        key.verify(self.signed.as_bytes(), &self.signature).then_some(Claims(self.claims))
    }
}

/// What a verified token says.
#[derive(Debug)]
pub struct Claims(Map<String, Value>);

impl Claims {
    /// A text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A whole number.
    pub fn int(&self, name: &str) -> Option<i64> {
        self.0.get(name)?.as_i64()
    }

    /// Whether the claim is there, in whatever form.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A value.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Whether the audience is this one alone or among others (RFC 7519 §4.1.3).
    pub fn is_for(&self, audience: &str) -> bool {
        match self.0.get("aud") {
            Some(Value::String(one)) => one == audience,
            Some(Value::Array(several)) => several.iter().any(|one| one.as_str() == Some(audience)),
            _ => false,
        }
    }

    /// The thumbprint of the key that the token is bound to (RFC 9449 §6.1).
    pub fn thumbprint(&self) -> Option<&str> {
        self.0.get("cnf")?.get("jkt")?.as_str()
    }
}

/// What is signed: header and claims.
pub fn signing_input(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

/// A signed token.
pub fn assemble(signing_input: &str, signature: &[u8]) -> String {
    format!("{signing_input}.{}", URL_SAFE_NO_PAD.encode(signature))
}
