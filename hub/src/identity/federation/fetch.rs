//! Fetching from the federation. Sizes and times are bounded by the transport, redirects are not followed.

use registro_sync::http::{Incoming, Method, Outgoing, Transport, TransportError};

use super::error::FederationError;

/// Most bytes of a statement or a list.
const LIMIT: usize = super::jose::MAX_MESSAGE;

/// Talks to anchors and providers.
#[derive(Clone)]
pub struct Fetcher {
    transport: Transport,
}

impl Fetcher {
    /// Over this transport.
    pub fn new(transport: Transport) -> Self {
        Self { transport }
    }

    /// Whether the hub would talk to an address.
    pub fn is_address(&self, text: &str) -> bool {
        self.transport.address(text).is_ok()
    }

    /// Gets a text. `what` says in errors what it was.
    pub async fn get(&self, what: &'static str, url: String) -> Result<String, FederationError> {
        let incoming = self.send(what, Method::Get, url, Vec::new(), Vec::new()).await?;
        text(what, incoming)
    }

    /// Gets a text with an access token.
    pub async fn get_with(
        &self,
        what: &'static str,
        url: String,
        token: &str,
    ) -> Result<String, FederationError> {
        let headers = vec![("authorization", format!("Bearer {token}"))];
        let incoming = self.send(what, Method::Get, url, headers, Vec::new()).await?;
        text(what, incoming)
    }

    /// Posts a form. Gives the answer whatever its status.
    pub async fn post(
        &self,
        what: &'static str,
        url: String,
        form: Vec<u8>,
    ) -> Result<Incoming, FederationError> {
        let headers = vec![
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ("accept", "application/json".to_owned()),
        ];
        self.send(what, Method::Post, url, headers, form).await
    }

    async fn send(
        &self,
        what: &'static str,
        method: Method,
        url: String,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    ) -> Result<Incoming, FederationError> {
        let outgoing = Outgoing { method, url, headers, body, limit: LIMIT };
        self.transport
            .send(outgoing)
            .await
            .map_err(|why: TransportError| FederationError::Transport { what, why })
    }
}

fn text(what: &'static str, incoming: Incoming) -> Result<String, FederationError> {
    if incoming.status != 200 {
        return Err(FederationError::Status { what, status: incoming.status });
    }
    String::from_utf8(incoming.body)
        .map(|text| text.trim().to_owned())
        .map_err(|_| FederationError::Rule("an answer is no text"))
}
