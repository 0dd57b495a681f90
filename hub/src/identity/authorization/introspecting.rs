//! `POST /oauth/introspect`: the school's own servers ask whether an access token is good (RFC 7662).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use registro_documents::bytes::sha256;
use serde_json::{Value, json};

use super::access;
use super::failure::OAuthError;
use super::form::Parameters;
use super::tokens::Right;
use crate::identity::Identity;

/// Whether the caller is a server that the school has set up (HTTP Basic, RFC 6749 §2.3.1).
pub fn is_resource_server(identity: &Identity, authorization: Option<&str>) -> bool {
    let Some((scheme, credentials)) = authorization.and_then(|value| value.split_once(' ')) else {
        return false;
    };
    let decoded = STANDARD.decode(credentials.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let Some((id, secret)) = decoded.as_deref().and_then(|text| text.split_once(':')) else { return false };
    let hash = sha256(secret.as_bytes());
    scheme.eq_ignore_ascii_case("Basic")
        && identity.config.resource_server.iter().any(|server| {
            // Hashes may be compared in any time: how much of one is right tells nothing of a drawn secret.
            server.id == id && crate::unhex::<32>(&server.secret_sha256) == Some(hash)
        })
}

/// What is known of an access token. Of one that is not good: nothing (RFC 7662 §2.2). The server that asks checks the
/// proof that came with it itself.
pub fn introspect(identity: &Identity, asked: &Parameters, now_ms: i64) -> Result<Value, OAuthError> {
    let token = asked.get("token").ok_or(OAuthError::invalid_request("a token is needed"))?;
    let inactive = json!({ "active": false });
    let Some(token) = access::read(&identity.keys, &identity.issuer, token, now_ms) else {
        return Ok(inactive);
    };
    let session = identity.session(token.session)?.filter(|session| session.is_live(now_ms));
    let Some(session) = session else { return Ok(inactive) };
    let right = identity.right_of_session(token.person, session.method, now_ms)?;
    if right == Right::None {
        return Ok(inactive);
    }
    Ok(json!({
        "active": true,
        "iss": identity.issuer.as_str(),
        "aud": identity.issuer.api(),
        "sub": token.person.to_string(),
        "client_id": token.client,
        "scope": super::tokens::granted(&token.scope, right),
        "acr": token.level.acr(),
        "token_type": "DPoP",
        "iat": token.issued,
        "exp": token.expires,
        "cnf": { "jkt": token.thumbprint },
    }))
}
