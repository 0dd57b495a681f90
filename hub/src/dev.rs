//! The development issuer (`--dev-login`): a token per sample person, without proof of who is there. A school's hub
//! does not have it. Its tokens carry what they say under the school's signature, so that they outlive a restart.

use std::sync::Arc;

use registro_documents::bytes::Parts;
use registro_documents::device_key::verify;
use registro_model::{Date, PersonId};

use crate::caller::{AuthError, AuthorizeCaller, Authorized, Caller, Level, Presented};
use crate::error::HubError;
use crate::hub::Hub;

/// What stands in the place of the issuer when a device proves its key.
pub const ISSUER: &str = "development";

/// Hands out tokens and knows them again.
#[derive(Debug, Clone)]
pub struct DevIssuer(Arc<Hub>);

/// A session that was handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevSession {
    /// The access token.
    pub token: String,
    /// The person.
    pub person: PersonId,
    /// The person's name.
    pub name: String,
    /// What the person is today: `head`, `office`, `teacher`, `support`, `guardian`, `pupil`.
    pub roles: Vec<&'static str>,
    /// What the device signs to have its key certified.
    pub nonce: String,
}

impl DevIssuer {
    /// An issuer for a hub.
    pub fn new(hub: Arc<Hub>) -> Self {
        Self(hub)
    }

    /// Logs in by source code (staff code, pupil number, fiscal code) or by person id.
    pub fn log_in(&self, who: &str, nonce: [u8; 16], today: Date) -> Result<DevSession, HubError> {
        let person = match self.0.person_by_code(who)? {
            Some(person) => person,
            None => who.parse().map_err(|_| HubError::Unknown("person"))?,
        };
        let registered = self.0.registered()?;
        let name = registered.name_of(person).ok_or(HubError::Unknown("person"))?.to_owned();
        let nonce: String = nonce.iter().map(|byte| format!("{byte:02x}")).collect();
        let signature = self.0.signing_key().sign(&self.text(person, &nonce));
        let signature: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(DevSession {
            token: format!("dev.{person}.{nonce}.{signature}"),
            person,
            name,
            roles: registered.roles_of(person, today),
            nonce,
        })
    }

    fn text(&self, person: PersonId, nonce: &str) -> Vec<u8> {
        Parts::new("registro/development-session/1")
            .part(self.0.school_id().as_bytes())
            .part(person.as_bytes())
            .part(nonce.as_bytes())
            .into_bytes()
    }

    fn open(&self, authorization: &str) -> Result<(PersonId, String), AuthError> {
        let token = authorization.strip_prefix("Bearer ").ok_or(AuthError::Missing)?;
        let mut parts = token.split('.');
        let (Some("dev"), Some(person), Some(nonce), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(AuthError::Invalid);
        };
        let person = person.parse().map_err(|_| AuthError::Invalid)?;
        let signature = crate::unhex::<64>(signature).ok_or(AuthError::Invalid)?;
        match verify(self.0.school_key(), &self.text(person, nonce), &signature) {
            true => Ok((person, nonce.to_owned())),
            false => Err(AuthError::Invalid),
        }
    }
}

impl AuthorizeCaller for DevIssuer {
    fn authorize(&self, presented: &Presented<'_>, _: i64) -> Result<Authorized, AuthError> {
        let (person, nonce) = self.open(presented.authorization.ok_or(AuthError::Missing)?)?;
        Ok(authorized(person, nonce))
    }
}

/// The development login beside the real one: a token that begins with `dev.` is the former's.
pub struct SideBySide {
    /// The development login.
    pub development: DevIssuer,
    /// The real one.
    pub login: Arc<dyn AuthorizeCaller>,
}

impl AuthorizeCaller for SideBySide {
    fn authorize(&self, presented: &Presented<'_>, now_ms: i64) -> Result<Authorized, AuthError> {
        match presented.authorization.is_some_and(|value| value.starts_with("Bearer dev.")) {
            true => self.development.authorize(presented, now_ms),
            false => self.login.authorize(presented, now_ms),
        }
    }

    fn fresh_nonce(&self, now_ms: i64) -> Option<String> {
        self.login.fresh_nonce(now_ms)
    }
}

/// Whom the development login lets in.
pub fn authorized(person: PersonId, nonce: String) -> Authorized {
    Authorized {
        caller: Caller::new(person, Level::L2),
        session: None,
        issuer: ISSUER.to_owned(),
        subject: person.to_string(),
        thumbprint: Vec::new(),
        nonce,
    }
}
