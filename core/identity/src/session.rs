//! A session at the hub: who is logged in, at which school, in which roles.

use std::sync::Arc;

use registro_model::{PersonId, SchoolId};
use registro_sync::http::{Authorization, HttpError, HubClient};
use serde::Deserialize;

use crate::client::SessionKeeper;
use crate::error::LoginError;
use crate::level::Level;

/// Who is logged in, at which school, as the hub says.
#[derive(Clone)]
pub struct Session {
    /// The hub's name, as the device key signs it.
    pub issuer: String,
    /// The school.
    pub school: SchoolId,
    /// The school's public key.
    pub school_key: [u8; 32],
    /// The school's name, for the screen.
    pub school_name: String,
    /// The person.
    pub person: PersonId,
    /// The person's name, for the screen.
    pub name: String,
    /// What the person is today: `head`, `office`, `teacher`, `support`, `guardian`, `pupil`.
    pub roles: Vec<String>,
    /// How surely they showed who they are.
    pub level: Option<Level>,
    /// Thumbprint of the key that the session is bound to; empty in the login of a development hub.
    pub thumbprint: Vec<u8>,
    /// The hub's nonce for the proof that this device holds its key.
    pub nonce: String,
    /// What says to the hub who calls.
    pub authorization: Arc<dyn Authorization>,
}

impl core::fmt::Debug for Session {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // The name and the nonce are nobody's business.
        f.debug_struct("Session").field("school", &self.school).finish_non_exhaustive()
    }
}

/// Why nobody is logged in.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The login or the session failed.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// The hub's answer is not of the expected form.
    #[error("the hub's answer does not read")]
    Answer,
    /// The certificate is not the school's, or not for this key.
    #[error("the hub's certificate does not verify")]
    Certificate,
}

impl From<HttpError> for IdentityError {
    fn from(error: HttpError) -> Self {
        Self::Login(error.into())
    }
}

/// What `GET /v1/session` and the development login answer.
#[derive(Deserialize)]
pub(crate) struct Answer {
    #[serde(default)]
    pub issuer: String,
    pub school: String,
    pub school_key: String,
    #[serde(default)]
    pub school_name: String,
    pub person: String,
    /// What the issuer calls the person; the hub's own id if it does not say.
    #[serde(default)]
    pub subject: Option<String>,
    pub name: Option<String>,
    #[serde(default)]
    pub roles: Vec<String>,
    #[serde(default)]
    pub level: u8,
    pub nonce: String,
}

impl Answer {
    pub(crate) fn into_session(
        self,
        thumbprint: Vec<u8>,
        authorization: Arc<dyn Authorization>,
    ) -> Result<Session, IdentityError> {
        Ok(Session {
            issuer: self.issuer,
            school: self.school.parse().map_err(|_| IdentityError::Answer)?,
            school_key: key(&self.school_key).ok_or(IdentityError::Answer)?,
            school_name: self.school_name,
            person: self.person.parse().map_err(|_| IdentityError::Answer)?,
            name: self.name.unwrap_or_default(),
            roles: self.roles,
            level: Level::from_number(self.level),
            thumbprint,
            nonce: self.nonce,
            authorization,
        })
    }
}

/// 32 bytes in hexadecimal.
fn key(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut key = [0; 32];
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        let pair = core::str::from_utf8(pair).ok().filter(|pair| !pair.starts_with('+'))?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(key)
}

impl Session {
    /// Asks the hub who this is.
    ///
    /// # Errors
    /// Those of a request; [`IdentityError::Answer`] if the hub names another person than the ID token did, or is
    /// another than the one where the person logged in.
    pub async fn of(hub: &HubClient, keeper: &SessionKeeper) -> Result<Self, IdentityError> {
        let answer = hub.get("/v1/session", Some(keeper)).await?;
        let answer: Answer = serde_json::from_slice(&answer).map_err(|_| IdentityError::Answer)?;
        let called = answer.subject.as_ref().unwrap_or(&answer.person);
        let same_person = keeper.subject().is_none_or(|subject| subject == *called);
        if !same_person || answer.issuer.is_empty() {
            return Err(IdentityError::Answer);
        }
        let thumbprint = keeper.thumbprint().await?.to_vec();
        answer.into_session(thumbprint, Arc::new(keeper.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_64_hexadecimal_digits() {
        assert_eq!(key(&"0a".repeat(32)), Some([10; 32]));
        for wrong in ["", "0a", &"0g".repeat(32), &"+a".repeat(32), &"0a".repeat(33), &"è".repeat(32)] {
            assert_eq!(key(wrong), None, "{wrong}");
        }
    }
}
