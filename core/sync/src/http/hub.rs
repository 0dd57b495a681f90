//! The client of a school's hub.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use super::authorization::Authorization;
use super::challenge::Challenge;
use super::transport::{
    self, Headers, Method, Outgoing, Transport, TransportError, TransportOptions, Untrusted, headers_of,
};
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
    /// The hub's certificate is not valid today: most often it is this device's clock that is wrong.
    #[error("the hub's certificate is not valid at this time")]
    WrongClock,
    /// Whoever answers cannot show that they are the hub.
    #[error("the hub is not trusted: {0}")]
    Untrusted(Untrusted),
    /// The session does not hold any more.
    #[error("the hub does not know the session")]
    Unauthorized,
    /// The hub wants a login of a higher level for this (RFC 9470).
    #[error("the hub wants a login of a higher level")]
    HigherLevel {
        /// Levels that would do, in the hub's order of preference.
        acr_values: Vec<String>,
        /// How old the login may be, in seconds.
        max_age: Option<u64>,
    },
    /// The caller may not do this.
    #[error("the hub does not allow it")]
    Forbidden,
    /// The session cannot say who calls; nothing was sent.
    #[error("nothing was sent: {0}")]
    Session(SessionFailure),
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

/// Why a session cannot say who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum SessionFailure {
    /// It ended: log in again.
    #[error("the session has ended")]
    Ended,
    /// Its key needs the person, or an unlocked device.
    #[error("the session's key is locked")]
    Locked,
    /// Its key is gone: log in again.
    #[error("the session's key is gone")]
    KeyLost,
    /// The device's key store fails.
    #[error("the key store is not available")]
    Storage,
    /// The authorization server gave an answer that is not safe to use; the code names the check.
    #[error("unsafe answer of the authorization server: {0}")]
    Unsafe(&'static str),
    /// The authorization server refuses this app; the code says how.
    #[error("the authorization server refuses this app: {0}")]
    Misconfigured(&'static str),
}

impl From<TransportError> for HttpError {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Address => Self::Address,
            TransportError::Unreachable => Self::Unreachable,
            TransportError::Timeout => Self::Timeout,
            TransportError::WrongClock => Self::WrongClock,
            TransportError::Untrusted(why) => Self::Untrusted(why),
            TransportError::TooLarge => Self::TooLarge,
        }
    }
}

/// A client of one hub.
#[derive(Clone)]
pub struct HubClient {
    base: String,
    /// Where it is dialled instead, behind a relay.
    relay: Option<String>,
    transport: Transport,
}

/// How often a busy hub is asked again within one request.
const MAX_WAITS: usize = 2;
/// Longest time that is waited for a busy hub; who is told to wait longer is told [`HttpError::Busy`].
const LONGEST_WAIT_SECONDS: u64 = 10;
/// How long news are waited for before the connection is made anew.
const LONGEST_SILENCE: Duration = Duration::from_secs(600);

impl HubClient {
    /// A client of the hub at this address, `https://…`.
    pub fn new(base: &str) -> Result<Self, HttpError> {
        Self::over(Transport::new(TransportOptions::default())?, base)
    }

    /// The same, and the address may be `http://` to this very device: for development and tests.
    pub fn for_development(base: &str) -> Result<Self, HttpError> {
        Self::over(Transport::new(TransportOptions::development())?, base)
    }

    /// A client of the hub at this address, over a transport of the caller's: with pins, roots or timeouts.
    pub fn over(transport: Transport, base: &str) -> Result<Self, HttpError> {
        let base = base.trim_end_matches('/').to_owned();
        transport.address(&base)?;
        Ok(Self { base, relay: None, transport })
    }

    /// The same hub, dialled at another address: a relay that stands for the network, in tests and simulations.
    /// Proofs go on naming the hub.
    pub fn through(mut self, relay: &str) -> Result<Self, HttpError> {
        let relay = relay.trim_end_matches('/').to_owned();
        self.transport.address(&relay)?;
        self.relay = Some(relay);
        Ok(self)
    }

    /// The hub's address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// How it is reached.
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Posts a body and reads the answer, at most [`MAX_MESSAGE_BYTES`] of it.
    pub async fn post(
        &self,
        path: &str,
        authorization: Option<&dyn Authorization>,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<Vec<u8>, HttpError> {
        let mut headers = vec![("content-type", content_type.to_owned())];
        if content_type == "application/cbor" {
            headers.push(("content-encoding", "gzip".to_owned()));
        }
        self.ask(self.outgoing(Method::Post, path, headers, body), authorization).await
    }

    /// Gets a resource.
    pub async fn get(
        &self,
        path: &str,
        authorization: Option<&dyn Authorization>,
    ) -> Result<Vec<u8>, HttpError> {
        self.ask(self.outgoing(Method::Get, path, Vec::new(), Vec::new()), authorization).await
    }

    fn outgoing(
        &self,
        method: Method,
        path: &str,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    ) -> Outgoing {
        Outgoing { method, url: format!("{}{path}", self.base), headers, body, limit: MAX_MESSAGE_BYTES }
    }

    async fn authorized(
        &self,
        outgoing: &Outgoing,
        authorization: &dyn Authorization,
    ) -> Result<Outgoing, HttpError> {
        let mut request = outgoing.clone();
        request.headers.extend(authorization.headers(request.method, &request.url).await?);
        Ok(self.dialled(request))
    }

    fn dialled(&self, mut outgoing: Outgoing) -> Outgoing {
        if let Some(relay) = &self.relay {
            outgoing.url = outgoing.url.replacen(&self.base, relay, 1);
        }
        outgoing
    }

    /// Asks; once more if the hub wants another proof, once more if the token had run out.
    async fn ask(
        &self,
        outgoing: Outgoing,
        authorization: Option<&dyn Authorization>,
    ) -> Result<Vec<u8>, HttpError> {
        let Some(authorization) = authorization else {
            let incoming = self.transport.send(self.dialled(outgoing)).await?;
            check(incoming.status, &incoming.headers)?;
            return Ok(incoming.body);
        };
        let mut once = Once::default();
        loop {
            let incoming = self.transport.send(self.authorized(&outgoing, authorization).await?).await?;
            authorization.saw(&outgoing.url, &incoming.headers);
            match check(incoming.status, &incoming.headers) {
                Ok(()) => return Ok(incoming.body),
                Err(error) => once.more(error, &incoming.headers, authorization).await?,
            }
        }
    }

    /// One sync request. A hub that is busy is asked again after the time that it names, if that is short.
    pub async fn sync(
        &self,
        authorization: &dyn Authorization,
        request: &Request,
    ) -> Result<Reply, HttpError> {
        let packed = wire::pack(request);
        let mut waits = 0;
        loop {
            let answer = self.post("/v1/sync", Some(authorization), "application/cbor", packed.clone()).await;
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
    pub async fn wait_for_news(&self, authorization: &dyn Authorization) -> Result<(), HttpError> {
        let outgoing = self.outgoing(Method::Get, "/v1/events", Vec::new(), Vec::new());
        let mut once = Once::default();
        loop {
            let request = self.authorized(&outgoing, authorization).await?;
            let mut response = self.transport.open(request, Some(LONGEST_SILENCE)).await?;
            let (status, headers) = (response.status().as_u16(), headers_of(&mut response));
            authorization.saw(&outgoing.url, &headers);
            if let Err(error) = check(status, &headers) {
                once.more(error, &headers, authorization).await?;
                continue;
            }
            while let Some(chunk) =
                response.chunk().await.map_err(|error| HttpError::from(transport::failure(&error)))?
            {
                if chunk.windows(4).any(|window| window == b"news") {
                    return Ok(());
                }
            }
            return Err(HttpError::Unreachable);
        }
    }
}

/// What has been tried again already: each reason counts once, so that no server keeps a device asking.
#[derive(Default)]
struct Once {
    proof: bool,
    token: bool,
}

impl Once {
    /// Whether the request is worth another try; gives the error if it is not.
    async fn more(
        &mut self,
        error: HttpError,
        headers: &Headers,
        authorization: &dyn Authorization,
    ) -> Result<(), HttpError> {
        if error != HttpError::Unauthorized {
            return Err(error);
        }
        let again = match Challenge::read(headers) {
            Challenge::Proof => !std::mem::replace(&mut self.proof, true),
            Challenge::Token => !std::mem::replace(&mut self.token, true) && authorization.refused().await?,
            Challenge::HigherLevel { .. } | Challenge::Other => false,
        };
        if again { Ok(()) } else { Err(error) }
    }
}

/// Up to a second, so that a class of tablets that was told to wait does not come back at once.
fn jitter() -> Duration {
    // The standard library draws fresh keys for every map: randomness enough to spread callers.
    let draw = BuildHasher::build_hasher(&RandomState::new()).finish();
    Duration::from_millis(draw % 1_000)
}

fn check(status: u16, headers: &Headers) -> Result<(), HttpError> {
    match status {
        200..=299 => Ok(()),
        401 => Err(match Challenge::read(headers) {
            Challenge::HigherLevel { acr_values, max_age } => HttpError::HigherLevel { acr_values, max_age },
            _ => HttpError::Unauthorized,
        }),
        403 => Err(HttpError::Forbidden),
        429 | 503 => Err(HttpError::Busy(headers.retry_after().unwrap_or(5))),
        _ => Err(HttpError::Status(status)),
    }
}
