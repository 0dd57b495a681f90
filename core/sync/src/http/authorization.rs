//! What is sent to the hub to say who calls.

use std::future::Future;
use std::pin::Pin;

use zeroize::Zeroizing;

use super::hub::HttpError;
use super::transport::{Headers, Method};

/// An answer that comes later.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Says who calls. A session implements it; the hub's client asks it for each request.
pub trait Authorization: Send + Sync {
    /// The headers for a request: a token, and the proof that it was not stolen. May fetch a new token first, and
    /// may wait for hardware that signs.
    ///
    /// # Errors
    /// Those of fetching a token; [`HttpError::Session`] if the session cannot say who calls.
    fn headers<'a>(
        &'a self,
        method: Method,
        url: &'a str,
    ) -> Later<'a, Result<Vec<(&'static str, String)>, HttpError>>;

    /// Hears the headers of every answer: servers hand out nonces and the time in them.
    fn saw(&self, url: &str, headers: &Headers) {
        let _ = (url, headers);
    }

    /// The token was refused (401 `invalid_token`). Says whether the request is worth trying once more.
    fn refused(&self) -> Later<'_, Result<bool, HttpError>> {
        Box::pin(std::future::ready(Ok(false)))
    }
}

/// A bearer token, as a development hub hands it out. It never appears in `Debug`.
#[derive(Clone)]
pub struct BearerToken(Zeroizing<String>);

impl BearerToken {
    /// Wraps a token.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The token, to be sent to the hub and nowhere else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl core::fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("BearerToken(…)")
    }
}

impl Authorization for BearerToken {
    fn headers<'a>(
        &'a self,
        _: Method,
        _: &'a str,
    ) -> Later<'a, Result<Vec<(&'static str, String)>, HttpError>> {
        Box::pin(std::future::ready(Ok(vec![("authorization", format!("Bearer {}", self.reveal()))])))
    }
}
