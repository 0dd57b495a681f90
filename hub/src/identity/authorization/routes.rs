//! The addresses of the authorization server. What they do waits for a database, so it is done on threads that may
//! block, and only so much of it at once.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{map_response, map_response_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};

use super::dpop::Expected;
use super::failure::OAuthError;
use super::form::Parameters;
use super::jwk::PublicJwk;
use super::refusal_page::{Refusal, refusal_page};
use super::{clients, granting, introspecting, metadata, pushing, refreshing, revoking};
use crate::error::HubError;
use crate::identity::Identity;
use crate::identity::cookies::Cookie;
use crate::identity::interaction::INTERACTION_SECONDS;
use crate::identity::secret::Secret;
use crate::server::called::{Header, only};

/// Largest body: a form of some parameters.
const MAX_BODY: usize = 16 * 1024;
/// How long clients may keep metadata and keys: shorter than a key is published before it signs.
const CACHED: HeaderValue = HeaderValue::from_static("public, max-age=300");

type App = State<Arc<Identity>>;

/// The routes.
pub fn routes(identity: &Arc<Identity>) -> Router<Arc<Identity>> {
    let back_channel = Router::new()
        .route("/oauth/par", post(push))
        .route("/oauth/token", post(token))
        .route("/oauth/revoke", post(revoke))
        .route("/oauth/introspect", post(introspect))
        .layer(map_response_with_state(Arc::clone(identity), tell_nonce));
    Router::new()
        .merge(back_channel)
        .route("/oauth/authorize", get(authorize))
        .layer(map_response(keep_private))
        .route("/oauth/jwks", get(keys))
        .route("/.well-known/openid-configuration", get(discover))
        .route("/.well-known/oauth-authorization-server", get(discover))
        .layer(DefaultBodyLimit::max(MAX_BODY))
}

async fn discover(State(identity): App) -> Response {
    ([(header::CACHE_CONTROL, CACHED)], Json(metadata::document(&identity.issuer))).into_response()
}

async fn keys(State(identity): App) -> Result<Response, OAuthError> {
    Ok(([(header::CACHE_CONTROL, CACHED)], Json(identity.keys.published()?)).into_response())
}

async fn push(State(identity): App, headers: HeaderMap, body: Bytes) -> Result<Response, OAuthError> {
    let asked = form(&headers, &body)?;
    let key = proven(&identity, &headers, "/oauth/par")?;
    let thumbprint = key.map(|key| key.thumbprint_text());
    let now = identity.now();
    let pushed = identity.work(move |identity| pushing::push(identity, &asked, thumbprint, now)).await?;
    Ok((StatusCode::CREATED, Json(pushed)).into_response())
}

async fn token(State(identity): App, headers: HeaderMap, body: Bytes) -> Result<Response, OAuthError> {
    let asked = form(&headers, &body)?;
    if !asked.get("client_id").is_some_and(clients::is_known) {
        return Err(OAuthError::invalid_client("the app is unknown"));
    }
    let exchange = match asked.get("grant_type") {
        Some("authorization_code") => granting::exchange,
        Some("refresh_token") => refreshing::refresh,
        Some(_) => return Err(OAuthError::unsupported_grant_type("authorization_code or refresh_token")),
        None => return Err(OAuthError::invalid_request("a grant_type is needed")),
    };
    // Before the code or token is touched: an app that is sent back for a nonce comes again with the same one.
    let key = proven(&identity, &headers, "/oauth/token")?;
    let key = key.ok_or(OAuthError::invalid_dpop_proof("a proof is needed"))?;
    let now = identity.now();
    let answer = identity.work(move |identity| exchange(identity, &asked, &key, now)).await?;
    Ok(Json(answer).into_response())
}

async fn revoke(State(identity): App, headers: HeaderMap, body: Bytes) -> Result<StatusCode, OAuthError> {
    let asked = form(&headers, &body)?;
    let now = identity.now();
    identity.work(move |identity| revoking::revoke(identity, &asked, now)).await?;
    Ok(StatusCode::OK)
}

async fn introspect(State(identity): App, headers: HeaderMap, body: Bytes) -> Result<Response, OAuthError> {
    let authorization = match only(&headers, header::AUTHORIZATION.as_str()) {
        Header::One(value) => Some(value),
        Header::Absent | Header::Unreadable => None,
    };
    if !introspecting::is_resource_server(&identity, authorization.as_deref()) {
        let challenge = [(header::WWW_AUTHENTICATE, r#"Basic realm="introspection""#)];
        return Ok((challenge, OAuthError::invalid_client("only the school's own servers")).into_response());
    }
    let asked = form(&headers, &body)?;
    let now = identity.now();
    let answer = identity.work(move |identity| introspecting::introspect(identity, &asked, now)).await?;
    Ok(Json(answer).into_response())
}

/// The browser brings a request that the app pushed: the login begins.
async fn authorize(State(identity): App, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let now = identity.now();
    let begun = Arc::clone(&identity).work(move |identity| begin(identity, query.as_deref(), now)).await;
    let cookie =
        begun.map(|cookie| Cookie::Login.set(&identity.issuer, cookie.reveal(), INTERACTION_SECONDS));
    match cookie {
        Ok(Some(cookie)) => {
            ([(header::SET_COOKIE, cookie)], Redirect::to(&identity.issuer.at("/login"))).into_response()
        }
        Ok(None) => refusal_page(Refusal::Busy, &headers),
        Err(refusal) => refusal_page(refusal, &headers),
    }
}

fn begin(identity: &Identity, query: Option<&str>, now_ms: i64) -> Result<Secret, Refusal> {
    let asked = Parameters::read(query.unwrap_or_default().as_bytes()).map_err(|_| Refusal::Request)?;
    let (Some(client), Some(request_uri)) = (asked.get("client_id"), asked.get("request_uri")) else {
        return Err(Refusal::Request);
    };
    let begin = || -> Result<Option<Secret>, HubError> {
        let mut database = identity.store.lock()?;
        let transaction = database.transaction()?;
        // Taken out even if the login then cannot begin: a request is used once (RFC 9126 §4).
        let request = pushing::take(&transaction, request_uri, client, now_ms)?;
        let cookie = match &request {
            Some(request) => Some(identity.logins.begin_app(&transaction, request, now_ms)?),
            None => None,
        };
        transaction.commit()?;
        Ok(cookie)
    };
    match begin() {
        Ok(Some(cookie)) => Ok(cookie),
        Ok(None) => Err(Refusal::Request),
        Err(error) => {
            tracing::error!(%error, "a login cannot begin");
            Err(Refusal::Busy)
        }
    }
}

/// The parameters of a form.
fn form(headers: &HeaderMap, body: &[u8]) -> Result<Parameters, OAuthError> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    match kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        true => Ok(Parameters::read(body)?),
        false => Err(OAuthError::invalid_request("the body is a form")),
    }
}

/// The key of the proof that came with a request, if one came.
fn proven(identity: &Identity, headers: &HeaderMap, path: &str) -> Result<Option<PublicJwk>, OAuthError> {
    let address = identity.issuer.at(path);
    match only(headers, "DPoP") {
        Header::Absent => Ok(None),
        Header::One(proof) => {
            let expected = Expected { method: "POST", address: &address, token: None };
            Ok(Some(identity.server_proofs.check(&proof, &expected, identity.now())?))
        }
        Header::Unreadable => Err(OAuthError::invalid_dpop_proof("one proof, not several")),
    }
}

/// Every answer carries the nonce for the next proof (RFC 9449 §8.2).
async fn tell_nonce(State(identity): App, mut response: Response) -> Response {
    if let Ok(nonce) = HeaderValue::from_str(&identity.server_proofs.nonce(identity.now())) {
        response.headers_mut().insert("DPoP-Nonce", nonce);
    }
    response
}

/// No answer with a code or a token in it is kept on the way (RFC 6749 §5.1).
async fn keep_private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
