//! A session at the hub.

use registro_model::{PersonId, SchoolId};
use registro_sync::http::HttpError;
use zeroize::Zeroizing;

/// An access token. It never appears in `Debug`.
#[derive(Clone)]
pub struct Token(Zeroizing<String>);

impl Token {
    /// Wraps a token.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The token, to be sent to the hub and nowhere else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl core::fmt::Debug for Token {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Who is logged in, at which school.
#[derive(Debug, Clone)]
pub struct Session {
    /// The school.
    pub school: SchoolId,
    /// The school's public key.
    pub school_key: [u8; 32],
    /// The person.
    pub person: PersonId,
    /// The person's name, for the screen.
    pub name: String,
    /// The token of the session.
    pub token: Token,
    /// The hub's nonce for the proof that this device holds its key.
    pub nonce: String,
}

/// Why nobody is logged in.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The hub was not reached or refused.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The hub's answer is not of the expected form.
    #[error("the hub's answer does not read")]
    Answer,
    /// The certificate is not the school's, or not for this key.
    #[error("the hub's certificate does not verify")]
    Certificate,
}

/// Where the façade gets a session's token. Later logins (SPID, CIE, school credentials) implement it too.
pub trait SessionSource: Send + Sync {
    /// The token to send now.
    fn token(&self) -> Token;
}

impl SessionSource for Session {
    fn token(&self) -> Token {
        self.token.clone()
    }
}
