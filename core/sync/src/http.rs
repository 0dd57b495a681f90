//! The transport: HTTPS to the hub, with caps and timeouts on everything that is read.
//!
//! TLS is rustls with ring and the web's roots, given ready-made: the platform verifier panics on Android. Plain
//! HTTP is allowed to loopback addresses only, for development and tests.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use crate::messages::{MAX_MESSAGE_BYTES, Reply, Request};
use crate::wire::{self, WireError};

/// Why a request had no usable answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The address is not one that the register talks to.
    #[error("the hub's address is not https")]
    Address,
    /// No connection, or it broke. Trying again is harmless.
    #[error("the hub cannot be reached")]
    Unreachable,
    /// No answer in time. Trying again is harmless.
    #[error("the hub did not answer in time")]
    Timeout,
    /// The session does not hold any more.
    #[error("the hub does not know the session")]
    Unauthorized,
    /// Too busy: try again after so many seconds.
    #[error("the hub is busy")]
    Busy(u64),
    /// Any other refusal.
    #[error("the hub refused with status {0}")]
    Status(u16),
    /// The answer is larger than it may be.
    #[error("the hub's answer is too large")]
    TooLarge,
    /// The answer does not decode.
    #[error(transparent)]
    Wire(#[from] WireError),
}

/// A client of one hub.
#[derive(Clone)]
pub struct HubClient {
    base: String,
    client: reqwest::Client,
}

/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How often a busy hub is asked again within one request.
const MAX_WAITS: usize = 2;
/// Longest time that is waited for a busy hub; who is told to wait longer is told [`HttpError::Busy`].
const LONGEST_WAIT_SECONDS: u64 = 10;
/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

impl HubClient {
    /// A client of the hub at this address: `https://…`, or `http://` to a loopback address.
    pub fn new(base: &str) -> Result<Self, HttpError> {
        let base = base.trim_end_matches('/').to_owned();
        let url = reqwest::Url::parse(&base).map_err(|_| HttpError::Address)?;
        let loopback = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        if url.scheme() != "https" && !(url.scheme() == "http" && loopback) {
            return Err(HttpError::Address);
        }
        let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let tls =
            rustls::ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
                .with_safe_default_protocol_versions()
                .map_err(|_| HttpError::Address)?
                .with_root_certificates(roots)
                .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|_| HttpError::Address)?;
        Ok(Self { base, client })
    }

    /// The hub's address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Posts a body and reads the answer, at most [`MAX_MESSAGE_BYTES`] of it.
    pub async fn post(
        &self,
        path: &str,
        token: Option<&str>,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<Vec<u8>, HttpError> {
        let mut request = self
            .client
            .post(format!("{}{path}", self.base))
            .header(reqwest::header::CONTENT_TYPE, content_type)
            .body(body);
        if content_type == "application/cbor" {
            request = request.header(reqwest::header::CONTENT_ENCODING, "gzip");
        }
        if let Some(token) = token {
            request = request.header(reqwest::header::AUTHORIZATION, format!("Bearer {token}"));
        }
        read(request.send().await.map_err(failure)?).await
    }

    /// Gets a resource.
    pub async fn get(&self, path: &str, token: Option<&str>) -> Result<Vec<u8>, HttpError> {
        let mut request = self.client.get(format!("{}{path}", self.base));
        if let Some(token) = token {
            request = request.header(reqwest::header::AUTHORIZATION, format!("Bearer {token}"));
        }
        read(request.send().await.map_err(failure)?).await
    }

    /// One sync request. A hub that is busy is asked again after the time that it names, if that is short.
    pub async fn sync(&self, token: &str, request: &Request) -> Result<Reply, HttpError> {
        let packed = wire::pack(request);
        let mut waits = 0;
        loop {
            let answer = self.post("/v1/sync", Some(token), "application/cbor", packed.clone()).await;
            match answer {
                Err(HttpError::Busy(seconds)) if waits < MAX_WAITS && seconds <= LONGEST_WAIT_SECONDS => {
                    waits += 1;
                    tokio::time::sleep(Duration::from_secs(seconds) + jitter()).await;
                }
                answer => return Ok(wire::unpack(&answer?)?),
            }
        }
    }

    /// Waits for a poke of the hub; returns when there is news, or with an error when the connection ends.
    pub async fn wait_for_news(&self, token: &str) -> Result<(), HttpError> {
        let mut response = self
            .client
            .get(format!("{}/v1/events", self.base))
            .header(reqwest::header::AUTHORIZATION, format!("Bearer {token}"))
            .timeout(Duration::from_secs(600))
            .send()
            .await
            .map_err(failure)?;
        check(&response)?;
        while let Some(chunk) = response.chunk().await.map_err(failure)? {
            if chunk.windows(4).any(|window| window == b"news") {
                return Ok(());
            }
        }
        Err(HttpError::Unreachable)
    }
}

/// Up to a second, so that a class of tablets that was told to wait does not come back at once.
fn jitter() -> Duration {
    // The standard library draws fresh keys for every map: randomness enough to spread callers.
    let draw = BuildHasher::build_hasher(&RandomState::new()).finish();
    Duration::from_millis(draw % 1_000)
}

fn failure(error: reqwest::Error) -> HttpError {
    if error.is_timeout() { HttpError::Timeout } else { HttpError::Unreachable }
}

fn check(response: &reqwest::Response) -> Result<(), HttpError> {
    let status = response.status().as_u16();
    match status {
        200..=299 => Ok(()),
        401 => Err(HttpError::Unauthorized),
        429 | 503 => {
            let after = response.headers().get(reqwest::header::RETRY_AFTER);
            let seconds = after.and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok()).unwrap_or(5);
            Err(HttpError::Busy(seconds))
        }
        _ => Err(HttpError::Status(status)),
    }
}

async fn read(mut response: reqwest::Response) -> Result<Vec<u8>, HttpError> {
    check(&response)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failure)? {
        if body.len() + chunk.len() > MAX_MESSAGE_BYTES {
            return Err(HttpError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
