//! Signed and encrypted messages of the federation (JOSE), as far as SPID and CIE use them.
//!
//! Only what is on an allow list is ever computed: `none`, `RSA1_5` and `HS*` are no names of this module, so that no
//! configuration can bring them in (RFC 8725 §3.1; AgID, cryptographic algorithms of SPID and CIE OpenID Connect).
//! Keys come from metadata that was verified, never from a message's own header (`jwk`, `jku`, `x5c` are not read).
//!
//! | module | what |
//! |---|---|
//! | [`algorithm`] | the algorithms that exist here |
//! | [`jwk`] | public keys and sets of them (RFC 7517, 7638) |
//! | [`jws`] | reading signed messages (RFC 7515) |
//! | [`signer`] | signing our own |
//! | [`jwe`] | opening encrypted messages (RFC 7516) |

pub mod algorithm;
pub mod jwe;
pub mod jwk;
pub mod jws;
pub mod signer;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

/// Longest message that is looked at. The largest honest ones are a trust anchor's configuration and a resolved chain.
pub const MAX_MESSAGE: usize = 256 * 1024;
/// Longest header.
const MAX_HEADER: usize = 8 * 1024;

/// What is wrong with a message. Carries nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JoseError {
    /// Longer than [`MAX_MESSAGE`].
    #[error("the message is too long")]
    TooLarge,
    /// Not the compact serialization, or not base64url.
    #[error("the message is not in the compact form")]
    Form,
    /// The header does not read, or demands something that is not understood (`crit`, `zip`).
    #[error("the message's header is not usable")]
    Header,
    /// The algorithm is not allowed here.
    #[error("the message's algorithm is not allowed")]
    Algorithm,
    /// No key of that id, or more than one.
    #[error("the message's key is not known")]
    KeyUnknown,
    /// The key is for another purpose or algorithm, or too weak.
    #[error("the message's key does not fit")]
    KeyUnfit,
    /// The signature does not hold.
    #[error("the message's signature does not hold")]
    Signature,
    /// The message cannot be opened.
    #[error("the message cannot be opened")]
    Decryption,
    /// It is another kind of message (`typ`, `cty`).
    #[error("the message is of another kind")]
    Type,
    /// The content does not read.
    #[error("the message's content does not read")]
    Payload,
    /// A key of our own cannot be made or used.
    #[error("a key of the hub cannot be used")]
    OwnKey,
}

/// What a header says. Members that are not here do not matter, those that may bring keys least of all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Header {
    /// The algorithm, by name.
    pub alg: String,
    /// Which key.
    #[serde(default)]
    pub kid: Option<String>,
    /// What kind of message.
    #[serde(default)]
    pub typ: Option<String>,
    /// What kind of message is inside.
    #[serde(default)]
    pub cty: Option<String>,
    /// The content encryption, by name.
    #[serde(default)]
    pub enc: Option<String>,
    #[serde(default)]
    crit: Option<serde_json::Value>,
    #[serde(default)]
    zip: Option<serde_json::Value>,
}

impl Header {
    fn parse(encoded: &str) -> Result<Self, JoseError> {
        if encoded.len() > MAX_HEADER {
            return Err(JoseError::TooLarge);
        }
        let header: Self = serde_json::from_slice(&decode(encoded)?).map_err(|_| JoseError::Header)?;
        // No extension is understood here (RFC 7515 §4.1.11), and compression would undo the bounds on sizes.
        match header.crit.is_some() || header.zip.is_some() {
            true => Err(JoseError::Header),
            false => Ok(header),
        }
    }

    /// Whether `typ` is this one. Case does not matter, and `application/` may be left out (RFC 7515 §4.1.9).
    pub fn is_type(&self, wanted: &str) -> bool {
        is_media_type(self.typ.as_deref(), wanted)
    }
}

fn is_media_type(given: Option<&str>, wanted: &str) -> bool {
    given.is_some_and(|given| {
        let given = given.strip_prefix("application/").unwrap_or(given);
        given.eq_ignore_ascii_case(wanted)
    })
}

/// base64url without padding.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads base64url without padding.
pub fn decode(text: &str) -> Result<Vec<u8>, JoseError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| JoseError::Form)
}

/// The parts of a message in the compact form.
fn parts<const N: usize>(message: &str) -> Result<[&str; N], JoseError> {
    if message.len() > MAX_MESSAGE {
        return Err(JoseError::TooLarge);
    }
    let parts: Vec<&str> = message.split('.').take(N + 1).collect();
    parts.try_into().map_err(|_| JoseError::Form)
}

/// Whether a message is encrypted: five parts instead of three (RFC 7516 §9).
pub fn is_encrypted(message: &str) -> bool {
    message.split('.').take(6).count() == 5
}
