//! The provider's keys, as it publishes them: fetched when they are first needed, once a day, and when a token names
//! one that is not known, but then not too often.

use std::sync::Mutex;

use registro_sync::http::{Method, Outgoing, Transport};
use serde_json::Value;
use tokio::runtime::Handle;

use crate::identity::federation::jose::jwk::JwkSet;

/// How long keys are kept, in milliseconds.
const KEPT_MS: i64 = 24 * 3_600_000;
/// Shortest time between two fetches, in milliseconds: a stranger's tokens must not make the hub ask all the time.
const PAUSE_MS: i64 = 60_000;
/// Most bytes of a document.
const LIMIT: usize = 256 * 1_024;
/// Where a provider says where its keys are (OpenID Connect Discovery §4, RFC 8414 §3).
const WELL_KNOWN: [&str; 2] =
    ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"];

/// The keys of one provider.
pub struct ProviderKeys {
    issuer: String,
    transport: Transport,
    known: Mutex<Known>,
    fetching: Mutex<()>,
}

#[derive(Default)]
struct Known {
    keys: JwkSet,
    fetched_ms: Option<i64>,
    tried_ms: Option<i64>,
}

impl ProviderKeys {
    /// The keys of the provider with this issuer.
    pub fn new(issuer: String, transport: Transport) -> Self {
        Self { issuer, transport, known: Mutex::default(), fetching: Mutex::default() }
    }

    /// The keys among which one of this name should be. Call it on a thread that may block.
    pub fn with(&self, kid: &str, now_ms: i64) -> JwkSet {
        if self.is_due(kid, now_ms) {
            // One fetch at a time; the others see what is known.
            if let Ok(_fetching) = self.fetching.try_lock() {
                let fetched = Handle::try_current().ok().and_then(|handle| handle.block_on(self.fetch()));
                if let Ok(mut known) = self.known.lock() {
                    known.tried_ms = Some(now_ms);
                    if let Some(keys) = fetched {
                        known.keys = keys;
                        known.fetched_ms = Some(now_ms);
                    } else {
                        tracing::warn!("the external provider's keys cannot be fetched");
                    }
                }
            }
        }
        self.known.lock().map(|known| known.keys.clone()).unwrap_or_default()
    }

    fn is_due(&self, kid: &str, now_ms: i64) -> bool {
        let Ok(known) = self.known.lock() else { return false };
        let since = |then: Option<i64>| then.map_or(i64::MAX, |then| (now_ms - then).abs());
        let wanted = since(known.fetched_ms) > KEPT_MS || known.keys.find(kid).is_err();
        wanted && since(known.tried_ms) >= PAUSE_MS
    }

    async fn fetch(&self) -> Option<JwkSet> {
        for path in WELL_KNOWN {
            let Some(document) = self.get(format!("{}{path}", self.issuer)).await else { continue };
            // Whoever answers must be who was asked (RFC 8414 §3.3).
            if document.get("issuer").and_then(Value::as_str) != Some(self.issuer.as_str()) {
                return None;
            }
            let keys = self.get(document.get("jwks_uri")?.as_str()?.to_owned()).await?;
            return JwkSet::from_json(&keys).ok();
        }
        None
    }

    async fn get(&self, url: String) -> Option<Value> {
        let headers = vec![("accept", "application/json".to_owned())];
        let outgoing = Outgoing { method: Method::Get, url, headers, body: Vec::new(), limit: LIMIT };
        let incoming = self.transport.send(outgoing).await.ok().filter(|incoming| incoming.status == 200)?;
        serde_json::from_slice(&incoming.body).ok()
    }
}
