//! The addresses of the federation.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use super::error::{FederationError, Reason};
use super::relying_party::RelyingParty;
use super::upstream::{Identified, Upstream};
use crate::error::HubError;
use crate::identity::Identity;
use crate::identity::cookies::Cookie;
use crate::identity::interaction::Authenticated;
use crate::server::failure::Failure;

type AppState = State<Arc<Identity>>;
/// The code in the address, if the hub's name has one.
type Code = Option<Path<String>>;

/// The addresses, at the hub's root and below the school's code.
pub fn routes() -> Router<Arc<Identity>> {
    Router::new()
        .route("/.well-known/openid-federation", get(configuration))
        .route("/{code}/.well-known/openid-federation", get(configuration))
        .route("/resolve", get(resolve))
        .route("/{code}/resolve", get(resolve))
        .route("/federation/callback", get(callback))
        .route("/{code}/federation/callback", get(callback))
}

/// The relying party, if the school takes part in a federation, and under this name.
fn party(identity: &Identity, code: &Code) -> Result<Arc<RelyingParty>, Failure> {
    let party = identity.federation.clone().ok_or(Failure::not_found())?;
    match party.ipa_code() == code.as_ref().map(|Path(code)| code.as_str()) {
        true => Ok(party),
        false => Err(Failure::not_found()),
    }
}

fn failure(error: FederationError) -> Failure {
    tracing::error!(%error, "the hub cannot speak for itself in the federation");
    Failure::internal()
}

fn signed(media_type: &'static str, text: String) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(media_type))], text).into_response()
}

async fn configuration(State(identity): AppState, code: Code) -> Result<Response, Failure> {
    let text = party(&identity, &code)?.configuration().map_err(failure)?;
    Ok(signed("application/entity-statement+jwt", text))
}

#[derive(Deserialize)]
struct ResolveQuery {
    sub: Option<String>,
    #[serde(alias = "anchor")]
    trust_anchor: Option<String>,
}

/// OpenID Federation 1.0 §8.3; the Italian rules call the anchor `anchor`.
async fn resolve(
    State(identity): AppState,
    code: Code,
    Query(query): Query<ResolveQuery>,
) -> Result<Response, Failure> {
    let party = party(&identity, &code)?;
    let refuse = |status: StatusCode, error: &str| {
        (status, axum::Json(serde_json::json!({ "error": error }))).into_response()
    };
    let (Some(sub), Some(anchor)) = (query.sub, query.trust_anchor) else {
        return Ok(refuse(StatusCode::BAD_REQUEST, "invalid_request"));
    };
    Ok(match party.resolve(&sub, &anchor).map_err(failure)? {
        Some(text) => signed("application/resolve-response+jwt", text),
        None => refuse(StatusCode::NOT_FOUND, "not_found"),
    })
}

/// The browser comes back from a provider.
async fn callback(
    State(identity): AppState,
    code: Code,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let party = party(&identity, &code)?;
    let browser = match Cookie::Login.read(&identity.issuer, &headers) {
        Some(cookie) => {
            let (identity, cookie) = (Arc::clone(&identity), cookie.to_owned());
            identity.work(move |identity| identity.interactions.open(&cookie, identity.now())).await?
        }
        None => None,
    };
    let browser = browser.map(|interaction| interaction.id);
    // In a task of its own: a browser that goes away must not leave a token out and a login out of the log.
    let task = tokio::spawn({
        let identity = Arc::clone(&identity);
        async move {
            let identified = party.complete(query.unwrap_or_default(), browser).await?;
            identity
                .work(move |identity| Ok::<_, HubError>(admit(identity, &identified)))
                .await
                .map_err(fail)?
        }
    });
    let outcome = task.await.map_err(|_| Failure::internal())?;
    let next = match outcome {
        Ok(()) => identity.issuer.at("/login/done"),
        Err(reason) => identity.issuer.at(&format!("/login/failed?reason={}", reason.word())),
    };
    let next = HeaderValue::from_str(&next).map_err(|_| Failure::internal())?;
    Ok((
        StatusCode::SEE_OTHER,
        [
            (header::LOCATION, next),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            // The address of this page has the code in it.
            (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        ],
    )
        .into_response())
}

/// Finds the person whom the provider vouches for, and notes it. Whether they may log in the next page says.
fn admit(identity: &Identity, identified: &Identified) -> Result<(), Reason> {
    let person = identity
        .person_by_fiscal_number(&identified.fiscal_number)
        .map_err(fail)?
        .ok_or(Reason::UnknownPerson)?;
    let now = identity.now();
    let who = Authenticated { person, level: identified.level, method: identified.method, at: now };
    match identity.interactions.authenticate(identified.interaction, who, now) {
        Ok(()) => Ok(()),
        Err(HubError::Forbidden(_) | HubError::Unknown(_)) => Err(Reason::Expired),
        Err(error) => Err(fail(error)),
    }
}

fn fail(error: HubError) -> Reason {
    tracing::error!(%error, "a login cannot be noted");
    Reason::Unavailable
}
