//! Who calls: an access token becomes a person and the level of their login.

use registro_model::PersonId;

/// How surely the person was identified, in the levels of the Italian digital identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// One factor.
    L1,
    /// Two factors.
    L2,
    /// Two factors in hardware.
    L3,
}

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The person.
    pub person: PersonId,
    /// The level of their session.
    pub level: Level,
}

/// Why a caller is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// No token, or not in the form `Bearer …`.
    #[error("no access token")]
    Missing,
    /// The token is unknown or has ended: log in again.
    #[error("the access token is not valid")]
    Invalid,
}

/// Knows callers by their access token. Called from many threads.
pub trait AuthorizeCaller: Send + Sync {
    /// The caller behind the value of an `Authorization` header at an instant in Unix milliseconds.
    fn authorize(&self, authorization: &str, now_ms: i64) -> Result<Caller, AuthError>;

    /// The nonce that the caller's device signs to have its key certified: given out with the session.
    fn nonce(&self, authorization: &str, now_ms: i64) -> Result<String, AuthError>;
}

/// Knows nobody: the place of the real login until it exists.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

impl AuthorizeCaller for Nobody {
    fn authorize(&self, _: &str, _: i64) -> Result<Caller, AuthError> {
        Err(AuthError::Invalid)
    }

    fn nonce(&self, _: &str, _: i64) -> Result<String, AuthError> {
        Err(AuthError::Invalid)
    }
}
