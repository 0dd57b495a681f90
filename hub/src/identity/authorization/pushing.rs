//! `POST /oauth/par`: the app pushes what it asks for, before any browser sees a part of it (RFC 9126).

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Value, json};

use super::failure::OAuthError;
use super::form::Parameters;
use super::request::AuthorizationRequest;
use super::tables;
use crate::error::HubError;
use crate::identity::Identity;
use crate::identity::secret::hash_of;

/// What a request's name begins with (RFC 9126 §2.2).
const URN: &str = "urn:ietf:params:oauth:request_uri:";
/// How long a pushed request waits for its browser, in seconds. Source: docs/identity.md.
pub const WAITS_SECONDS: i64 = 60;
/// Requests that wait at once; with one more the oldest goes. A school's morning is some hundreds a minute.
const MAX_WAITING: i64 = 10_000;

/// Takes a request; gives what the app is told.
pub fn push(
    identity: &Identity,
    asked: &Parameters,
    proven: Option<String>,
    now_ms: i64,
) -> Result<Value, OAuthError> {
    let api = identity.issuer.api();
    let request = AuthorizationRequest::check(asked, proven, &identity.config.redirects, &api)?;
    let request =
        serde_json::to_string(&request).map_err(|_| OAuthError::server_error("the service failed"))?;
    let handle = identity.secret();
    let database = identity.store.lock()?;
    tables::make_room(&database, "pushed_request", "expires", MAX_WAITING)?;
    database
        .prepare_cached("INSERT INTO pushed_request (handle, request, expires) VALUES (?1, ?2, ?3)")?
        .execute(params![handle.hash(), request, now_ms + WAITS_SECONDS * 1_000])?;
    Ok(json!({ "request_uri": format!("{URN}{}", handle.reveal()), "expires_in": WAITS_SECONDS }))
}

/// Takes a pushed request out: it is used once. `None` if it is unknown, used, too old, or another app's.
pub fn take(
    database: &Connection,
    request_uri: &str,
    client: &str,
    now_ms: i64,
) -> Result<Option<AuthorizationRequest>, HubError> {
    let Some(handle) = request_uri.strip_prefix(URN) else { return Ok(None) };
    let found: Option<(String, i64)> = database
        .prepare_cached("DELETE FROM pushed_request WHERE handle = ?1 RETURNING request, expires")?
        .query_row([hash_of(handle)], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((request, _)) = found.filter(|(_, expires)| *expires > now_ms) else { return Ok(None) };
    let request: AuthorizationRequest =
        serde_json::from_str(&request).map_err(|_| HubError::Stored("a pushed request"))?;
    Ok((request.client == client).then_some(request))
}
