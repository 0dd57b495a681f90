//! Errors of the authorization server as an app gets them (RFC 6749 §5.2): a code, and a sentence for the developer.
//! Apps never show the sentence; it says nothing of the person or the token.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::dpop::ProofError;
use super::form::BadParameters;
use crate::error::HubError;

/// An error of the back channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OAuthError {
    status: StatusCode,
    code: &'static str,
    description: &'static str,
}

macro_rules! errors {
    ($($(#[$doc:meta])* $name:ident $status:ident $code:literal;)*) => {
        impl OAuthError {
            $($(#[$doc])*
            pub const fn $name(description: &'static str) -> Self {
                Self { status: StatusCode::$status, code: $code, description }
            })*
        }
    };
}

errors! {
    /// A parameter is missing, repeated, too long or not understood.
    invalid_request BAD_REQUEST "invalid_request";
    /// The app is unknown, or did not show who it is.
    invalid_client UNAUTHORIZED "invalid_client";
    /// The code or refresh token is unknown, used, ended or another's: log in again.
    invalid_grant BAD_REQUEST "invalid_grant";
    /// The kind of grant is none that the hub has.
    unsupported_grant_type BAD_REQUEST "unsupported_grant_type";
    /// The kind of response is none that the hub has.
    unsupported_response_type BAD_REQUEST "unsupported_response_type";
    /// The scope is unknown or wider than granted.
    invalid_scope BAD_REQUEST "invalid_scope";
    /// The resource is none of the hub's (RFC 8707 §2).
    invalid_target BAD_REQUEST "invalid_target";
    /// A login without asking the person is not possible.
    login_required BAD_REQUEST "login_required";
    /// Request objects are not taken.
    request_not_supported BAD_REQUEST "request_not_supported";
    /// The proof of possession is missing or does not hold (RFC 9449 §5).
    invalid_dpop_proof BAD_REQUEST "invalid_dpop_proof";
    /// The proof must be made again with the nonce in `DPoP-Nonce` (RFC 9449 §8).
    use_dpop_nonce BAD_REQUEST "use_dpop_nonce";
    /// The hub failed.
    server_error INTERNAL_SERVER_ERROR "server_error";
    /// Too much is under way.
    temporarily_unavailable SERVICE_UNAVAILABLE "temporarily_unavailable";
}

impl OAuthError {
    /// The code.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// Everything waits.
    pub const BUSY: Self = Self::temporarily_unavailable("try again shortly");
}

impl From<BadParameters> for OAuthError {
    fn from(bad: BadParameters) -> Self {
        match bad {
            BadParameters::Repeated => Self::invalid_request("a parameter comes twice"),
            BadParameters::TooLarge => Self::invalid_request("too many parameters, or one is too long"),
        }
    }
}

impl From<ProofError> for OAuthError {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::Invalid => Self::invalid_dpop_proof("the proof does not hold"),
            ProofError::Nonce => Self::use_dpop_nonce("make the proof with the nonce of this answer"),
            ProofError::Busy => Self::BUSY,
        }
    }
}

impl From<HubError> for OAuthError {
    fn from(error: HubError) -> Self {
        match error {
            HubError::Busy | HubError::TooLarge(_) => Self::BUSY,
            error => {
                tracing::error!(%error, "the login failed inside the hub");
                Self::server_error("the service failed")
            }
        }
    }
}

impl From<rusqlite::Error> for OAuthError {
    fn from(error: rusqlite::Error) -> Self {
        HubError::from(error).into()
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.code, "error_description": self.description });
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}
