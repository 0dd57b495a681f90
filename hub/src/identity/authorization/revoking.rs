//! `POST /oauth/revoke`: the app signs out (RFC 7009). The answer is 200 whatever the token was.

use rusqlite::{OptionalExtension, params};

use super::failure::OAuthError;
use super::form::Parameters;
use super::{access, clients, sessions};
use crate::caller::SessionId;
use crate::identity::Identity;
use crate::identity::secret::hash_of;

/// Ends the session that a token is of. An access token ends it too: there is no other way to take one back, because
/// the API looks at the session.
pub fn revoke(identity: &Identity, asked: &Parameters, now_ms: i64) -> Result<(), OAuthError> {
    if !asked.get("client_id").is_some_and(clients::is_known) {
        return Err(OAuthError::invalid_client("the app is unknown"));
    }
    let token = asked.get("token").ok_or(OAuthError::invalid_request("a token is needed"))?;
    let database = identity.store.lock()?;
    let of_refresh: Option<[u8; 16]> = database
        .prepare_cached("SELECT session FROM refresh_token WHERE hash = ?1")?
        .query_row(params![hash_of(token)], |row| row.get(0))
        .optional()?;
    let session = match of_refresh {
        Some(id) => Some(SessionId(id)),
        None => access::read(&identity.keys, &identity.issuer, token, now_ms).map(|token| token.session),
    };
    if let Some(session) = session {
        sessions::end(&database, session, now_ms)?;
    }
    Ok(())
}
