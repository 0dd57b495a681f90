//! What a browser shows when a request for a login is wrong and there is no address to send it back to: an address out
//! of the request would make the hub send people anywhere (RFC 9700 §4.11).

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use crate::identity::pages::guard::guarded;
use crate::identity::pages::language::Language;
use crate::identity::pages::message::alone;

/// Why the login does not begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The request is unknown, was used, or is too old: begin again in the app.
    Request,
    /// Too much is under way, or the hub failed: try again shortly.
    Busy,
}

impl From<crate::error::HubError> for Refusal {
    fn from(_: crate::error::HubError) -> Self {
        Self::Busy
    }
}

/// The page.
pub fn refusal_page(refusal: Refusal, headers: &HeaderMap) -> Response {
    let language = Language::of(headers, None, None);
    let (status, title, text) = match refusal {
        Refusal::Request => (
            StatusCode::BAD_REQUEST,
            language.say("Richiesta non valida", "Request not valid"),
            language.say(
                "La richiesta di accesso non è valida o è scaduta. Torna nell’app e ricomincia.",
                "The request to log in is not valid or too old. Go back to the app and begin again.",
            ),
        ),
        Refusal::Busy => (
            StatusCode::SERVICE_UNAVAILABLE,
            language.say("Servizio occupato", "Service busy"),
            language.say("Riprova tra poco.", "Try again shortly."),
        ),
    };
    guarded(alone(language, status, title, text), &[])
}
