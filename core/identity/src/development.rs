//! The login of a development hub (`--dev-login`): a token per sample person, without proof of who is there. A
//! school's hub does not have it.

use registro_sync::http::{BearerToken, HubClient};
use serde::Deserialize;

use crate::session::{IdentityError, Session};

#[derive(Deserialize)]
struct Answer {
    token: String,
    person: String,
    name: String,
    school: String,
    school_key: String,
    nonce: String,
}

/// Logs in as a person of the imported school: staff code, pupil number, or a guardian's fiscal code.
pub async fn log_in(hub: &HubClient, person: &str) -> Result<Session, IdentityError> {
    let body = serde_json::json!({ "person": person }).to_string().into_bytes();
    let answer = hub.post("/dev/login", None, "application/json", body).await?;
    let answer: Answer = serde_json::from_slice(&answer).map_err(|_| IdentityError::Answer)?;
    let key = answer.school_key.as_bytes();
    let mut school_key = [0; 32];
    if key.len() != 64 {
        return Err(IdentityError::Answer);
    }
    for (byte, digits) in school_key.iter_mut().zip(key.chunks_exact(2)) {
        let digits = core::str::from_utf8(digits).map_err(|_| IdentityError::Answer)?;
        *byte = u8::from_str_radix(digits, 16).map_err(|_| IdentityError::Answer)?;
    }
    Ok(Session {
        school: answer.school.parse().map_err(|_| IdentityError::Answer)?,
        school_key,
        person: answer.person.parse().map_err(|_| IdentityError::Answer)?,
        name: answer.name,
        token: BearerToken::new(answer.token),
        nonce: answer.nonce,
    })
}
