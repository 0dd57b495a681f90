//! Proofs of possession (RFC 9449): the caller signs each request with the key that the token is bound to.
//!
//! A proof is good if its clock is right, or if it carries a nonce that the hub gave out just now: a tablet with a wrong
//! clock asks once more and gets in. A proof is good once.

mod nonces;
mod replay;

use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use registro_documents::bytes::{Parts, sha256};
use url::Url;

use super::jwk::PublicJwk;
use super::jwt::Unverified;
use nonces::Nonces;
use replay::Seen;

/// How far the clock of a proof without a nonce may be off, in milliseconds. Source: docs/identity.md; RFC 9449 §11.1.
const WINDOW_MS: i64 = 60_000;
/// Longest `jti`; ours have 22 characters.
const MAX_JTI: usize = 128;

/// Why a proof is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofError {
    /// It does not hold.
    Invalid,
    /// It must be made again with a fresh nonce.
    Nonce,
    /// Too many proofs are remembered: try again shortly.
    Busy,
}

/// What a proof must be for.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The request's method.
    pub method: &'a str,
    /// The request's public address without query and fragment.
    pub address: &'a str,
    /// The access token that comes with it, at the API.
    pub token: Option<&'a str>,
}

/// Looks at the proofs of one server. The authorization server and the API have one each: their nonces differ, and a
/// flood of strangers at the one does not fill the memory of the other.
pub struct Guard {
    nonces: Nonces,
    seen: Mutex<Seen>,
    started_ms: i64,
}

impl Guard {
    /// A guard that begins now, with a key of its own for nonces.
    pub fn new(key: &[u8; 32], now_ms: i64) -> Self {
        Self { nonces: Nonces::new(key), seen: Mutex::new(Seen::default()), started_ms: now_ms }
    }

    /// A nonce for the next proof.
    pub fn nonce(&self, now_ms: i64) -> String {
        self.nonces.issue(now_ms)
    }

    /// The key that made the proof, if it is good. The numbers are those of the checks in RFC 9449 §4.3.
    pub fn check(&self, proof: &str, expected: &Expected<'_>, now_ms: i64) -> Result<PublicJwk, ProofError> {
        let invalid = || ProofError::Invalid;
        // 2, 4, 5: one token, its type, its algorithm.
        let unverified = Unverified::read(proof, "dpop+jwt").ok_or_else(invalid)?;
        // 7: a public key.
        let key = unverified.header.get("jwk").and_then(|jwk| jwk.as_object()).ok_or_else(invalid)?;
        let key = PublicJwk::read(key).ok_or_else(invalid)?;
        // 6: the signature.
        let claims = unverified.verify(&key).ok_or_else(invalid)?;
        // 3: what must be there.
        let id = claims.text("jti").filter(|id| !id.is_empty() && id.len() <= MAX_JTI).ok_or_else(invalid)?;
        let at = claims.int("iat").and_then(|at| at.checked_mul(1_000)).ok_or_else(invalid)?;
        // 8, 9: for this request.
        let address = claims.text("htu").ok_or_else(invalid)?;
        if claims.text("htm") != Some(expected.method) || !is_address(address, expected.address) {
            return Err(ProofError::Invalid);
        }
        // 12: with this token.
        if let Some(token) = expected.token
            && claims.text("ath") != Some(URL_SAFE_NO_PAD.encode(sha256(token.as_bytes())).as_str())
        {
            return Err(ProofError::Invalid);
        }
        // 10, 11: now.
        let good_until = match claims.has("nonce") {
            true => claims.text("nonce").and_then(|nonce| self.nonces.good_until(nonce, now_ms)),
            // What this hub saw before it started, it has forgotten: such a proof may come a second time.
            false => (at > self.started_ms && now_ms.abs_diff(at) <= WINDOW_MS.unsigned_abs())
                .then(|| at.saturating_add(WINDOW_MS)),
        };
        let good_until = good_until.ok_or(ProofError::Nonce)?;
        // Once. Last, so that what fails otherwise takes no room.
        let name = Parts::new("registro/proof/1").part(&key.thumbprint()).part(id.as_bytes()).into_bytes();
        let mut seen = self.seen.lock().map_err(|_| ProofError::Busy)?;
        seen.note(sha256(&name), good_until, now_ms)?;
        Ok(key)
    }
}

/// Whether an address names the same place, whatever its query and fragment.
fn is_address(stated: &str, expected: &str) -> bool {
    let (Ok(mut stated), Ok(expected)) = (Url::parse(stated), Url::parse(expected)) else { return false };
    stated.set_query(None);
    stated.set_fragment(None);
    stated == expected
}
