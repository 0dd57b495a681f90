//! The only place where HTTP clients are made.
//!
//! TLS is rustls with ring and the web's roots, given ready-made: the platform verifier panics on Android. Requests
//! follow no redirect and use no proxy: a token goes to the address that was checked and nowhere else (RFC 9700
//! §4.11). Plain HTTP goes to this very device only, and only if the caller says that it is developing.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::pins::Pins;
use super::tls;

/// Longest wait for a connection (our choice).
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait for a whole answer (our choice).
const TIMEOUT: Duration = Duration::from_secs(30);

/// Why a request had no answer that can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The address is not one that the register talks to: `https://`, or loopback where that is allowed.
    #[error("the address is not https")]
    Address,
    /// No connection, or it broke. Trying again is harmless.
    #[error("the server cannot be reached")]
    Unreachable,
    /// No answer in time. Trying again is harmless.
    #[error("the server did not answer in time")]
    Timeout,
    /// The server's certificate is not valid today: most often it is this device's clock that is wrong.
    #[error("the server's certificate is not valid at this time")]
    WrongClock,
    /// Whoever answers cannot show that they are the server.
    #[error("the server is not trusted: {0}")]
    Untrusted(Untrusted),
    /// The answer is larger than it may be.
    #[error("the answer is too large")]
    TooLarge,
}

/// Why a server is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Untrusted {
    /// Its key is none of those that it may have ([`Pins`]).
    #[error("its key is not the expected one")]
    Pin,
    /// Nobody known vouches for its certificate.
    #[error("unknown issuer")]
    Issuer,
    /// Its certificate is somebody else's.
    #[error("certificate of another host")]
    Host,
    /// Anything else about its certificate.
    #[error("bad certificate")]
    Certificate,
    /// It does not speak TLS 1.2 or later.
    #[error("no acceptable TLS")]
    Protocol,
}

/// How to reach servers.
#[derive(Debug, Clone)]
pub struct TransportOptions {
    /// Allows plain HTTP to `127.0.0.1`, `[::1]` and `localhost`: for development and tests.
    pub loopback_http: bool,
    /// Roots trusted beside the web's, in DER: for tests, and for a school with a certificate authority of its own.
    pub extra_roots: Vec<Vec<u8>>,
    /// The keys that the server may have. Only for the school's hub, never for an identity provider, whose keys
    /// change without notice.
    pub pins: Option<Pins>,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest wait for a whole answer.
    pub timeout: Duration,
}

impl Default for TransportOptions {
    fn default() -> Self {
        Self {
            loopback_http: false,
            extra_roots: Vec::new(),
            pins: None,
            connect_timeout: CONNECT_TIMEOUT,
            timeout: TIMEOUT,
        }
    }
}

impl TransportOptions {
    /// The usual, and plain HTTP to loopback addresses.
    pub fn development() -> Self {
        Self { loopback_http: true, ..Self::default() }
    }
}

/// What is done with a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Read it.
    Get,
    /// Send something to it.
    Post,
}

impl Method {
    /// As it stands in a request and in a DPoP proof (`htm`).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// A request. It has no `Debug`: headers and body carry tokens.
#[derive(Clone)]
pub struct Outgoing {
    /// What is done.
    pub method: Method,
    /// To what.
    pub url: String,
    /// Header names in lower case, with their values.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty for a `GET`.
    pub body: Vec<u8>,
    /// Most bytes of an answer.
    pub limit: usize,
}

/// An answer, whatever its status. It has no `Debug`: its body may carry tokens.
#[derive(Clone)]
pub struct Incoming {
    /// Status code.
    pub status: u16,
    /// Headers.
    pub headers: Headers,
    /// The body, within the request's limit.
    pub body: Vec<u8>,
}

/// The headers of an answer. They have no `Debug`.
#[derive(Clone, Default)]
pub struct Headers(HeaderMap);

impl Headers {
    /// The value of a header that stands there once; nothing if it stands there twice, because then nobody can say
    /// which is meant.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.0.get_all(name).iter();
        let value = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(value)
    }

    /// All values of a header that may stand there several times.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.get_all(name).iter().filter_map(|value| value.to_str().ok())
    }

    /// Seconds that the server asks to be left alone (`Retry-After`, the form in seconds).
    pub fn retry_after(&self) -> Option<u64> {
        self.get("retry-after").and_then(|value| value.trim().parse().ok())
    }
}

/// Reaches servers. Clones share connections.
#[derive(Clone)]
pub struct Transport {
    client: reqwest::Client,
    loopback_http: bool,
}

impl Transport {
    /// A transport.
    ///
    /// # Errors
    /// [`TransportError::Untrusted`] if an extra root does not read.
    pub fn new(options: TransportOptions) -> Result<Self, TransportError> {
        let tls = tls::configuration(&options.extra_roots, options.pins)?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .timeout(options.timeout)
            .connect_timeout(options.connect_timeout)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|_| TransportError::Untrusted(Untrusted::Protocol))?;
        Ok(Self { client, loopback_http: options.loopback_http })
    }

    /// Whether plain HTTP to this very device is allowed.
    pub fn is_development(&self) -> bool {
        self.loopback_http
    }

    /// Reads an address that this transport would talk to.
    ///
    /// # Errors
    /// [`TransportError::Address`] if it is not one: neither https nor allowed loopback, or with a user name in it.
    pub fn address(&self, text: &str) -> Result<Url, TransportError> {
        let url = Url::parse(text).map_err(|_| TransportError::Address)?;
        let loopback = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        let allowed = match url.scheme() {
            "https" => url.host_str().is_some(),
            "http" => self.loopback_http && loopback,
            _ => false,
        };
        if allowed && url.username().is_empty() && url.password().is_none() {
            Ok(url)
        } else {
            Err(TransportError::Address)
        }
    }

    /// Sends a request and reads the answer, at most `limit` bytes of it.
    pub async fn send(&self, outgoing: Outgoing) -> Result<Incoming, TransportError> {
        let limit = outgoing.limit;
        let mut response = self.open(outgoing, None).await?;
        let announced = response.content_length();
        if announced.is_some_and(|length| usize::try_from(length).map_or(true, |length| length > limit)) {
            return Err(TransportError::TooLarge);
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| tls::failure(&error))? {
            if body.len() + chunk.len() > limit {
                return Err(TransportError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Incoming { status: response.status().as_u16(), headers: headers_of(&mut response), body })
    }

    /// Sends a request and leaves the body to be read as it comes.
    pub(crate) async fn open(
        &self,
        outgoing: Outgoing,
        timeout: Option<Duration>,
    ) -> Result<reqwest::Response, TransportError> {
        let url = self.address(&outgoing.url)?;
        let method = match outgoing.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
        };
        let mut headers = HeaderMap::new();
        for (name, value) in outgoing.headers {
            let mut value = HeaderValue::from_str(&value).map_err(|_| TransportError::Address)?;
            value.set_sensitive(true);
            headers.append(HeaderName::from_static(name), value);
        }
        let mut request = self.client.request(method, url).headers(headers);
        if outgoing.method == Method::Post {
            request = request.body(outgoing.body);
        }
        if let Some(timeout) = timeout {
            request = request.timeout(timeout);
        }
        request.send().await.map_err(|error| tls::failure(&error))
    }
}

/// Takes the headers out of an answer.
pub(crate) fn headers_of(response: &mut reqwest::Response) -> Headers {
    Headers(std::mem::take(response.headers_mut()))
}

/// Reads a failure of a body that is read as it comes.
pub(crate) fn failure(error: &reqwest::Error) -> TransportError {
    tls::failure(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_where_allowed_loopback_are_addresses() {
        let product = Transport::new(TransportOptions::default()).unwrap();
        let development = Transport::new(TransportOptions::development()).unwrap();
        assert!(product.address("https://registro.example.it/oauth").is_ok());
        for local in ["http://127.0.0.1:8010", "http://localhost/", "http://[::1]:1/x"] {
            assert!(product.address(local).is_err(), "{local}");
            assert!(development.address(local).is_ok(), "{local}");
        }
        for never in [
            "http://registro.example.it",
            "http://127.0.0.1.example.it",
            "http://127.0.0.2",
            "http://localhost.example.it",
            "https://who:secret@registro.example.it",
            "ftp://127.0.0.1",
            "file:///etc/hosts",
            "//registro.example.it",
            "",
        ] {
            assert_eq!(development.address(never), Err(TransportError::Address), "{never}");
        }
    }

    #[test]
    fn a_header_that_stands_there_twice_has_no_value() {
        let mut map = HeaderMap::new();
        map.append("dpop-nonce", HeaderValue::from_static("one"));
        assert_eq!(Headers(map.clone()).get("dpop-nonce"), Some("one"));
        map.append("dpop-nonce", HeaderValue::from_static("two"));
        assert_eq!(Headers(map.clone()).get("dpop-nonce"), None);
        assert_eq!(Headers(map).all("DPoP-Nonce").count(), 2);
    }
}
