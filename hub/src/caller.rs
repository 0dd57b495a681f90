//! Who calls: what a request shows becomes a person, the level of their login, and what they may do now.

use registro_model::PersonId;
use serde::{Deserialize, Serialize};

/// How surely the person was identified, in the levels of the Italian digital identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Level {
    /// One factor.
    L1,
    /// Two factors.
    L2,
    /// Two factors in hardware.
    L3,
}

impl Level {
    /// All levels.
    pub const ALL: [Self; 3] = [Self::L1, Self::L2, Self::L3];

    /// As tokens and requests say it (`acr`). Source: AgID, SPID technical rules; CIE uses the same three.
    pub fn acr(self) -> &'static str {
        match self {
            Self::L1 => "https://www.spid.gov.it/SpidL1",
            Self::L2 => "https://www.spid.gov.it/SpidL2",
            Self::L3 => "https://www.spid.gov.it/SpidL3",
        }
    }

    /// The level that an `acr` names, letter by letter.
    pub fn of_acr(acr: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.acr() == acr)
    }

    /// 1 to 3.
    pub fn number(self) -> u8 {
        match self {
            Self::L1 => 1,
            Self::L2 => 2,
            Self::L3 => 3,
        }
    }

    /// The level of a number.
    pub fn of_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|level| i64::from(level.number()) == number)
    }
}

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The person.
    pub person: PersonId,
    /// The level of their session.
    pub level: Level,
    /// Whether they may read now. Who may not, because their right has ended, can still hand in what they wrote
    /// before (`late_push_days`).
    pub reads: bool,
}

impl Caller {
    /// A person who may read, at a level.
    pub fn new(person: PersonId, level: Level) -> Self {
        Self { person, level, reads: true }
    }
}

/// The id of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId(pub [u8; 16]);

/// A caller who was let in, and what their session binds the device's certificate to (PROTOCOL §4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorized {
    /// Who calls.
    pub caller: Caller,
    /// Their session; none in the development login and with an external provider.
    pub session: Option<SessionId>,
    /// Who vouches for them: the issuer of the token.
    pub issuer: String,
    /// What the issuer calls the person (`sub`): the hub's own id, or a name of the provider outside.
    pub subject: String,
    /// Thumbprint of the key that the token is bound to (RFC 7638, 32 bytes); empty in the development login.
    pub thumbprint: Vec<u8>,
    /// What the device signs to have its key certified: given out with the session.
    pub nonce: String,
}

impl Authorized {
    /// The caller, if their session is as sure as this.
    ///
    /// # Errors
    /// [`AuthError::Level`] asks for a login at that level (RFC 9470); [`AuthError::NotEntitled`] if they may only
    /// hand in what they wrote before.
    pub fn at_least(&self, level: Level) -> Result<Caller, AuthError> {
        if !self.caller.reads {
            return Err(AuthError::NotEntitled);
        }
        match self.caller.level >= level {
            true => Ok(self.caller),
            false => Err(AuthError::Level(level)),
        }
    }
}

/// What a request shows of who calls.
#[derive(Debug, Clone, Copy)]
pub struct Presented<'a> {
    /// The value of the `Authorization` header; none if it is missing or comes more than once.
    pub authorization: Option<&'a str>,
    /// The value of the `DPoP` header.
    pub proof: Proof<'a>,
    /// The request's method.
    pub method: &'a str,
    /// The path that the request asks for, without its query.
    pub path: &'a str,
}

/// The `DPoP` header of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof<'a> {
    /// There is none.
    Absent,
    /// There is one.
    One(&'a str),
    /// There are several, or what is there is not text: refused (RFC 9449 §4.3, check 1).
    Unreadable,
}

/// Why a caller is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// No token, or not in a form that the hub takes.
    #[error("no access token")]
    Missing,
    /// The token is unknown or has ended: log in again, or refresh.
    #[error("the access token is not valid")]
    Invalid,
    /// The proof of possession does not hold.
    #[error("the proof of possession does not hold")]
    Proof,
    /// The proof must be made again with the nonce that the answer carries.
    #[error("the proof needs a fresh nonce")]
    Nonce,
    /// The token is good, but its person may not do this any more.
    #[error("the person has no right to call any more")]
    NotEntitled,
    /// The session is not sure enough for this: log in at that level.
    #[error("a login at a higher level is needed")]
    Level(Level),
    /// Too much is under way, or the database failed: try again.
    #[error("the caller cannot be looked up now")]
    Busy,
}

/// Knows callers by what their requests show. Called from many threads.
pub trait AuthorizeCaller: Send + Sync {
    /// The caller of a request at an instant in Unix milliseconds.
    fn authorize(&self, presented: &Presented<'_>, now_ms: i64) -> Result<Authorized, AuthError>;

    /// The nonce that the next proof shall carry, for the header `DPoP-Nonce` of every answer (RFC 9449 §8.2).
    fn fresh_nonce(&self, _now_ms: i64) -> Option<String> {
        None
    }
}

/// Knows nobody: for a hub without any login.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

impl AuthorizeCaller for Nobody {
    fn authorize(&self, _: &Presented<'_>, _: i64) -> Result<Authorized, AuthError> {
        Err(AuthError::Invalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_compared_as_numbers_and_known_by_their_exact_name() {
        assert!(Level::L1 < Level::L2 && Level::L2 < Level::L3);
        for level in Level::ALL {
            assert_eq!(Level::of_acr(level.acr()), Some(level));
            assert_eq!(Level::of_number(i64::from(level.number())), Some(level));
        }
        assert_eq!(Level::of_acr("https://www.spid.gov.it/spidl2"), None);
        assert_eq!(Level::of_number(4), None);
    }
}
