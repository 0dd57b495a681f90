//! A refresh token becomes new tokens (RFC 6749 §6).
//!
//! Refresh tokens are bound to the device's key, and replaced at 70 % of their life. A reply that gets lost, or a phone
//! that is suspended in between, must not log anybody out: a token that was replaced stays good for its key until a
//! successor is first used. From then on it was copied, if it comes again, and the session ends.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use serde_json::{Value, json};

use super::failure::OAuthError;
use super::form::Parameters;
use super::jwk::PublicJwk;
use super::sessions::{self, Session};
use super::tokens::{ACCESS_SECONDS, Right, granted};
use crate::caller::SessionId;
use crate::error::HubError;
use crate::identity::Identity;
use crate::identity::secret::{Secret, hash_of};

/// The share of its life after which a token is replaced, in percent. Source: docs/identity.md.
const REPLACED_AT_PERCENT: i64 = 70;
/// Successors that nobody has used yet: replies of one device that got lost one after the other.
const MAX_UNUSED: i64 = 8;

/// A token that somebody presents.
struct Presented {
    session: Session,
    issued: i64,
    expires: i64,
    superseded: bool,
}

/// Makes a refresh token of a session.
pub fn issue(
    identity: &Identity,
    database: &Connection,
    session: SessionId,
    expires: i64,
    now_ms: i64,
) -> Result<Secret, HubError> {
    let token = identity.secret();
    database
        .prepare_cached("INSERT INTO refresh_token (hash, session, issued, expires) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![token.hash(), session.0, now_ms, expires])?;
    Ok(token)
}

/// Exchanges a refresh token for new tokens.
pub fn refresh(
    identity: &Identity,
    asked: &Parameters,
    key: &PublicJwk,
    now_ms: i64,
) -> Result<Value, OAuthError> {
    let token = asked.get("refresh_token").ok_or(OAuthError::invalid_request("a refresh_token is needed"))?;
    if asked.get("resource").is_some_and(|resource| resource != identity.issuer.api()) {
        return Err(OAuthError::invalid_target("the resource is unknown"));
    }
    let hash = hash_of(token);
    let (person, method) = {
        let database = identity.store.lock()?;
        let session = good(&database, &hash, asked, key, now_ms)?.session;
        (session.person, session.method)
    };
    // What the person may do is looked up outside any transaction: it waits for the register.
    let right = identity.right_of_session(person, method, now_ms)?;
    let lasts = identity.session_ms(person, now_ms)?;

    let mut database = identity.store.lock()?;
    let transaction =
        Transaction::new(&mut database, TransactionBehavior::Immediate).map_err(HubError::from)?;
    let presented = good(&transaction, &hash, asked, key, now_ms)?;
    let id = presented.session.id;
    if presented.superseded {
        sessions::end(&transaction, id, now_ms)?;
        transaction.commit()?;
        tracing::warn!("a refresh token came after its successor: the session was ended");
        return Err(ended());
    }
    if right == Right::None {
        sessions::end(&transaction, id, now_ms)?;
        transaction.commit()?;
        return Err(ended());
    }
    let scope = narrowed(asked.get("scope"), &presented.session.scope)?;
    note_use(&transaction, id, &hash)?;
    let life = presented.expires - presented.issued;
    let successor = match (now_ms - presented.issued) * 100 >= life * REPLACED_AT_PERCENT {
        true => {
            forget_unused(&transaction, id, &hash)?;
            Some(issue(identity, &transaction, id, now_ms + lasts, now_ms)?)
        }
        false => None,
    };
    let expires = if successor.is_some() { now_ms + lasts } else { presented.expires };
    sessions::touch(&transaction, id, expires, now_ms)?;
    transaction.commit().map_err(HubError::from)?;
    drop(database);
    let session = Session { scope, ..presented.session };
    Ok(json!({
        "access_token": identity.access_token(&session, right, now_ms)?,
        "token_type": "DPoP",
        "expires_in": ACCESS_SECONDS,
        "scope": granted(&session.scope, right),
        "refresh_token": successor.as_ref().map_or(token, Secret::reveal),
    }))
}

fn ended() -> OAuthError {
    OAuthError::invalid_grant("the refresh token is unknown or has ended")
}

/// The presented token, if its session lives and both app and key are its own. A stranger who has the token but not
/// the key learns nothing and changes nothing.
fn good(
    database: &Connection,
    hash: &[u8; 32],
    asked: &Parameters,
    key: &PublicJwk,
    now_ms: i64,
) -> Result<Presented, OAuthError> {
    let found = database
        .prepare_cached(
            "SELECT session, issued, expires, superseded FROM refresh_token WHERE hash = ?1 AND expires > ?2",
        )?
        .query_row(params![hash, now_ms], |row| {
            Ok((SessionId(row.get(0)?), row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    let Some((session, issued, expires, superseded)) = found else { return Err(ended()) };
    let session = sessions::find(database, session)?.filter(|session| session.is_live(now_ms));
    let session = session.ok_or(ended())?;
    let is_its_key = session.thumbprint == key.thumbprint();
    match is_its_key && asked.get("client_id") == Some(session.client.as_str()) {
        true => Ok(Presented { session, issued, expires, superseded }),
        false => Err(ended()),
    }
}

/// The first use of a token ends all others of its session: those before it, and those whose reply got lost.
fn note_use(database: &Connection, session: SessionId, hash: &[u8; 32]) -> Result<(), HubError> {
    let first = database
        .prepare_cached("UPDATE refresh_token SET used = 1 WHERE hash = ?1 AND used = 0")?
        .execute([hash])?;
    if first > 0 {
        database
            .prepare_cached("UPDATE refresh_token SET superseded = 1 WHERE session = ?1 AND hash <> ?2")?
            .execute(params![session.0, hash])?;
    }
    Ok(())
}

/// Keeps the successors whose replies got lost few, the youngest of them.
fn forget_unused(database: &Connection, session: SessionId, hash: &[u8; 32]) -> Result<(), HubError> {
    database
        .prepare_cached(
            "DELETE FROM refresh_token WHERE hash IN (
                 SELECT hash FROM refresh_token
                 WHERE session = ?1 AND hash <> ?2 AND used = 0 AND superseded = 0
                 ORDER BY issued DESC LIMIT -1 OFFSET ?3)",
        )?
        .execute(params![session.0, hash, MAX_UNUSED - 1])?;
    Ok(())
}

/// The scope that is asked for now, never wider than what was allowed (RFC 6749 §6).
fn narrowed(asked: Option<&str>, allowed: &str) -> Result<String, OAuthError> {
    let Some(asked) = asked else { return Ok(allowed.to_owned()) };
    let asked = super::scope::read(Some(asked))?;
    match asked.split(' ').all(|word| word.is_empty() || super::scope::has(allowed, word)) {
        true => Ok(asked),
        false => Err(OAuthError::invalid_scope("wider than what was allowed")),
    }
}
