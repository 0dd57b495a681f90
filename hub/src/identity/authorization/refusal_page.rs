//! What a browser shows when a request for a login is wrong and there is no address to send it back to: an address out
//! of the request would make the hub send people anywhere (RFC 9700 §4.11).

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

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
pub fn refusal_page(refusal: Refusal, _headers: &HeaderMap) -> Response {
    let (status, italian, english) = match refusal {
        Refusal::Request => (
            StatusCode::BAD_REQUEST,
            "La richiesta di accesso non è valida o è scaduta. Torna nell'app e ricomincia.",
            "The request to log in is not valid or too old. Go back to the app and begin again.",
        ),
        Refusal::Busy => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Il servizio è occupato. Riprova tra poco.",
            "The service is busy. Try again shortly.",
        ),
    };
    let page = format!(
        "<!doctype html><html lang=\"it\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Registro</title>\
         <h1>Registro</h1><p>{italian}</p><p lang=\"en\">{english}</p></html>"
    );
    let mut response = (status, Html(page)).into_response();
    let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'");
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}
