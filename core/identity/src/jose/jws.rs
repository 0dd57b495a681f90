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
