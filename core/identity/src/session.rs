//! A session at the hub.

use std::sync::Arc;

use registro_model::{PersonId, SchoolId};
use registro_sync::http::{Authorization, BearerToken, HttpError};

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
    pub token: BearerToken,
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

/// Where the façade gets what says who calls. Later logins (SPID, CIE, school credentials) implement it too.
pub trait SessionSource: Send + Sync {
    /// What says to the hub who calls.
    fn authorization(&self) -> Arc<dyn Authorization>;
}

impl SessionSource for Session {
    fn authorization(&self) -> Arc<dyn Authorization> {
        Arc::new(self.token.clone())
    }
}
