//! A code becomes a session (RFC 6749 §4.1.3): once, for the app that asked, with its verifier and its key.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use registro_documents::bytes::sha256;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use serde_json::{Value, json};

use super::failure::OAuthError;
use super::form::Parameters;
use super::jwk::PublicJwk;
use super::logins::authenticated;
use super::request::AuthorizationRequest;
use super::sessions::{self, NewSession};
use super::tokens::{ACCESS_SECONDS, Right, granted};
use super::{refreshing, scope};
use crate::caller::SessionId;
use crate::error::HubError;
use crate::identity::Identity;
use crate::identity::interaction::Authenticated;
use crate::identity::secret::hash_of;

/// A code that has just been used up.
struct Redeemed {
    request: AuthorizationRequest,
    who: Authenticated,
    session: SessionId,
}

/// Exchanges a code for tokens.
pub fn exchange(
    identity: &Identity,
    asked: &Parameters,
    key: &PublicJwk,
    now_ms: i64,
) -> Result<Value, OAuthError> {
    let code = asked.get("code").ok_or(OAuthError::invalid_request("a code is needed"))?;
    let verifier = asked.get("code_verifier").ok_or(OAuthError::invalid_grant("a verifier is needed"))?;
    let Redeemed { request, who, session } = redeem(identity, code, now_ms)?;
    // From here on the code is used up, whatever is wrong: nobody tries a stolen one twice.
    if asked.get("client_id") != Some(request.client.as_str())
        || asked.get("redirect_uri") != Some(request.redirect.as_str())
    {
        return Err(OAuthError::invalid_grant("the code is for another app or redirect_uri"));
    }
    if asked.get("resource").is_some_and(|resource| resource != identity.issuer.api()) {
        return Err(OAuthError::invalid_target("the resource is unknown"));
    }
    if !is_verifier(verifier, &request.challenge) {
        return Err(OAuthError::invalid_grant("the verifier is not that of the request"));
    }
    if key.thumbprint_text() != request.thumbprint {
        return Err(OAuthError::invalid_grant("the code is bound to another key"));
    }
    // What the person may do is looked up outside any transaction: it waits for the register.
    let right = identity.right_of_session(who.person, who.method, now_ms)?;
    if right == Right::None {
        return Err(OAuthError::invalid_grant("the person is not entitled"));
    }
    let lasts = match scope::has(&request.scope, scope::OFFLINE) {
        true => identity.session_ms(who.person, now_ms)?,
        false => ACCESS_SECONDS * 1_000,
    };
    let mut database = identity.store.lock()?;
    let transaction =
        Transaction::new(&mut database, TransactionBehavior::Immediate).map_err(HubError::from)?;
    if !is_still_redeemed_once(&transaction, code)? {
        return Err(OAuthError::invalid_grant("the code was used twice"));
    }
    let new = NewSession {
        client: &request.client,
        thumbprint: key.thumbprint(),
        scope: &request.scope,
        who,
        expires: now_ms + lasts,
    };
    sessions::begin(&transaction, session, &new, now_ms)?;
    let refresh = match scope::has(&request.scope, scope::OFFLINE) {
        true => Some(refreshing::issue(identity, &transaction, session, now_ms + lasts, now_ms)?),
        false => None,
    };
    let begun =
        sessions::find(&transaction, session)?.ok_or(HubError::Stored("a session that is missing"))?;
    transaction.commit().map_err(HubError::from)?;
    drop(database);
    let access = identity.access_token(&begun, right, now_ms)?;
    let mut answer = json!({
        "access_token": access,
        "token_type": "DPoP",
        "expires_in": ACCESS_SECONDS,
        "scope": granted(&begun.scope, right),
    });
    if let Some(members) = answer.as_object_mut() {
        if let Some(refresh) = refresh {
            members.insert("refresh_token".to_owned(), json!(refresh.reveal()));
        }
        if scope::has(&begun.scope, scope::OPENID) {
            let token = identity.id_token(&begun, request.nonce.as_deref(), &access, now_ms)?;
            members.insert("id_token".to_owned(), json!(token));
        }
    }
    Ok(answer)
}

/// Uses a code up. One that comes again was copied: what it began ends (RFC 6749 §4.1.2).
fn redeem(identity: &Identity, code: &str, now_ms: i64) -> Result<Redeemed, OAuthError> {
    let hash = hash_of(code);
    let session = SessionId(identity.draw());
    let mut database = identity.store.lock()?;
    let transaction =
        Transaction::new(&mut database, TransactionBehavior::Immediate).map_err(HubError::from)?;
    let found = transaction
        .prepare_cached(
            "SELECT request, expires, redeemed, session, person, level, method, authenticated FROM code
             WHERE hash = ?1",
        )?
        .query_row([hash], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, bool>(2)?,
                row.get::<_, Option<[u8; 16]>>(3)?,
                authenticated(row, 4)?,
            ))
        })
        .optional()?;
    let unknown = OAuthError::invalid_grant("the code is unknown, used or too old");
    let Some((request, expires, redeemed, began, who)) = found else { return Err(unknown) };
    if redeemed {
        // The session may be about to begin in another thread: without the code it does not.
        transaction.prepare_cached("DELETE FROM code WHERE hash = ?1")?.execute([hash])?;
        if let Some(began) = began {
            sessions::end(&transaction, SessionId(began), now_ms)?;
        }
        transaction.commit()?;
        tracing::warn!("a code came twice: the session that it began was ended");
        return Err(unknown);
    }
    transaction
        .prepare_cached("UPDATE code SET redeemed = 1, session = ?2 WHERE hash = ?1")?
        .execute(params![hash, session.0])?;
    transaction.commit()?;
    if expires <= now_ms {
        return Err(unknown);
    }
    let request = serde_json::from_str(&request).map_err(|_| HubError::Stored("a code's request"))?;
    let who = who.ok_or(HubError::Stored("a code of nobody"))?;
    Ok(Redeemed { request, who, session })
}

fn is_still_redeemed_once(database: &Connection, code: &str) -> Result<bool, HubError> {
    let found = database
        .prepare_cached("SELECT 1 FROM code WHERE hash = ?1 AND redeemed = 1")?
        .query_row([hash_of(code)], |_| Ok(()))
        .optional()?;
    Ok(found.is_some())
}

/// Whether the verifier is the one of the challenge (RFC 7636 §4.6).
fn is_verifier(verifier: &str, challenge: &str) -> bool {
    let well_formed = (43..=128).contains(&verifier.len())
        && verifier.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
    // Hashes may be compared in any time: how much of one is right tells nothing of the verifier.
    well_formed && URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes())) == challenge
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_is_that_of_rfc_7636() {
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(is_verifier("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", challenge));
        assert!(!is_verifier("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK", challenge));
        assert!(!is_verifier(challenge, challenge), "plain");
        let short = URL_SAFE_NO_PAD.encode(sha256(b"short"));
        assert!(!is_verifier("short", &short));
    }
}
