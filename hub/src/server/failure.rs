//! Errors as the caller gets them: a stable kind, a sentence for the person, what to do next.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::caller::{AuthError, Level};
use crate::error::HubError;

/// An error of the HTTP interface.
#[derive(Debug, Clone)]
pub struct Failure {
    status: StatusCode,
    body: Body,
    retry_after: Option<u64>,
    /// The value of `WWW-Authenticate`.
    challenge: Option<&'static str>,
}

#[derive(Debug, Clone, Serialize)]
struct Body {
    kind: &'static str,
    sentence_it: &'static str,
    sentence_en: &'static str,
    next_step: &'static str,
}

macro_rules! failures {
    ($($(#[$doc:meta])* $name:ident $status:ident $kind:literal $italian:literal $english:literal $next:literal;)*) => {
        impl Failure {
            $($(#[$doc])*
            pub const fn $name() -> Self {
                Self {
                    status: StatusCode::$status,
                    body: Body { kind: $kind, sentence_it: $italian, sentence_en: $english, next_step: $next },
                    retry_after: None,
                    challenge: None,
                }
            })*
        }
    };
}

failures! {
    /// No such address.
    not_found NOT_FOUND "not-found" "Non trovato." "Not found." "check-address";
    /// The token is missing or not valid.
    unauthorized UNAUTHORIZED "unauthorized" "La sessione non è valida: accedi di nuovo." "The session is not valid: log in again." "log-in";
    /// The session is not sure enough.
    higher_level_needed UNAUTHORIZED "higher-level-needed" "Serve un accesso più sicuro." "A safer login is needed." "step-up";
    /// The person has no right to read any more.
    not_entitled FORBIDDEN "not-entitled" "Utenza non abilitata: contatta la scuola." "This account is not enabled: contact the school." "contact-school";
    /// Not allowed to this caller.
    forbidden FORBIDDEN "forbidden" "Operazione non consentita." "This is not allowed." "none";
    /// The body does not read.
    unreadable BAD_REQUEST "unreadable" "La richiesta non è leggibile." "The request cannot be read." "update-app";
    /// The body or a list in it is too large.
    too_large PAYLOAD_TOO_LARGE "too-large" "La richiesta è troppo grande." "The request is too large." "send-less";
    /// Too many callers wait.
    busy_now SERVICE_UNAVAILABLE "busy" "Il servizio è occupato: riprova tra poco." "The service is busy: try again shortly." "retry";
    /// The caller asks too often.
    too_often_now TOO_MANY_REQUESTS "too-often" "Troppe richieste: riprova tra poco." "Too many requests: try again shortly." "retry";
    /// There is no such thing.
    unknown NOT_FOUND "unknown" "Non esiste." "There is no such thing." "check-input";
    /// The hub failed.
    internal INTERNAL_SERVER_ERROR "internal" "Errore del servizio." "The service failed." "retry-later";
}

impl Failure {
    /// Too many callers wait: try again in two seconds.
    pub const fn busy() -> Self {
        Self { retry_after: Some(2), ..Self::busy_now() }
    }

    /// The caller asks too often: try again after so many seconds.
    pub const fn too_often(seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..Self::too_often_now() }
    }
}

impl From<AuthError> for Failure {
    fn from(error: AuthError) -> Self {
        let challenged = |failure: Self, challenge| Self { challenge: Some(challenge), ..failure };
        match error {
            AuthError::Missing => challenged(Self::unauthorized(), r#"DPoP algs="ES256""#),
            AuthError::Invalid => {
                challenged(Self::unauthorized(), r#"DPoP error="invalid_token", algs="ES256""#)
            }
            AuthError::Proof => {
                challenged(Self::unauthorized(), r#"DPoP error="invalid_dpop_proof", algs="ES256""#)
            }
            AuthError::Nonce => {
                challenged(Self::unauthorized(), r#"DPoP error="use_dpop_nonce", algs="ES256""#)
            }
            AuthError::Level(level) => challenged(Self::higher_level_needed(), step_up(level)),
            AuthError::NotEntitled => Self::not_entitled(),
            AuthError::Busy => Self::busy(),
        }
    }
}

/// The challenge that asks for a login at a level. Source: RFC 9470 §3.
const fn step_up(level: Level) -> &'static str {
    match level {
        Level::L1 => {
            r#"DPoP error="insufficient_user_authentication", acr_values="https://www.spid.gov.it/SpidL1""#
        }
        Level::L2 => {
            r#"DPoP error="insufficient_user_authentication", acr_values="https://www.spid.gov.it/SpidL2""#
        }
        Level::L3 => {
            r#"DPoP error="insufficient_user_authentication", acr_values="https://www.spid.gov.it/SpidL3""#
        }
    }
}

impl From<HubError> for Failure {
    fn from(error: HubError) -> Self {
        match error {
            HubError::Busy => Self::busy(),
            HubError::TooLarge(_) => Self::too_large(),
            HubError::Unknown(_) => Self::unknown(),
            HubError::Forbidden(_) => Self::forbidden(),
            error => {
                tracing::error!(%error, "a request failed inside the hub");
                Self::internal()
            }
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        if let Some(seconds) = self.retry_after
            && let Ok(value) = seconds.to_string().parse()
        {
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
        if let Some(challenge) = self.challenge {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}
