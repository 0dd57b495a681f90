//! The login of a development hub (`--dev-login`): a token per sample person, without proof of who is there. A
//! school's hub does not have it.

use std::sync::Arc;

use registro_sync::http::{BearerToken, HubClient};
use serde::Deserialize;

use crate::session::{Answer, IdentityError, Session};

/// What stands in the place of the issuer.
const DEVELOPMENT: &str = "development";

/// A session that a development hub handed out, with its token.
#[derive(Debug, Clone)]
pub struct DevelopmentSession {
    /// The token.
    pub token: BearerToken,
    /// Who it is.
    pub session: Session,
}

impl core::ops::Deref for DevelopmentSession {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

#[derive(Deserialize)]
struct Issued {
    token: String,
    #[serde(flatten)]
    who: Answer,
}

/// Logs in as a person of the imported school: staff code, pupil number, or a guardian's fiscal code.
pub async fn log_in(hub: &HubClient, person: &str) -> Result<DevelopmentSession, IdentityError> {
    let body = serde_json::json!({ "person": person }).to_string().into_bytes();
    let answer = hub.post("/dev/login", None, "application/json", body).await?;
    let issued: Issued = serde_json::from_slice(&answer).map_err(|_| IdentityError::Answer)?;
    let token = BearerToken::new(issued.token);
    let who = Answer { issuer: DEVELOPMENT.to_owned(), ..issued.who };
    let session = who.into_session(Vec::new(), Arc::new(token.clone()))?;
    Ok(DevelopmentSession { token, session })
}
