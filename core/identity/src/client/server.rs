//! Requests to the authorization server. Every answer is capped, checked for status and type, and heard for its
//! nonce and its time; a request is repeated once if the server wants its nonce or its time in the proof, and never
//! otherwise.

use std::sync::Arc;

use oauth2::{HttpRequest, HttpResponse};
use registro_sync::http::{Incoming, Method, Outgoing, Transport};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;
use url::form_urlencoded::Serializer;

use super::options::{LoginOptions, Platform};
use super::proofs::{Proofs, Side};
use super::records::Pending;
use crate::error::{LoginError, Unsafe};
use crate::id_token::{self, Claims};
use crate::jose::{Jws, JwsError, KeySet};
use crate::metadata::{self, Metadata};
use crate::pkce;
use crate::secret::Secret;

/// Most bytes of an answer with tokens, and of one with metadata or keys (our choice).
const MAX_ANSWER: usize = 64 * 1024;
const MAX_DOCUMENT: usize = 256 * 1024;
/// How long metadata and keys are believed (our choice).
const CACHE_MS: i64 = 24 * 60 * 60 * 1_000;
/// Keys are not fetched again sooner because of a token that names another (our choice).
const REFETCH_MS: i64 = 30_000;

/// What is in a login besides its secrets.
#[derive(Default)]
pub(super) struct Asked<'a> {
    pub method: Option<&'a str>,
    pub language: Option<&'a str>,
    pub force: bool,
}

pub(super) struct Server {
    options: LoginOptions,
    transport: Transport,
    pub proofs: Proofs,
    metadata: Mutex<Option<(Arc<Metadata>, i64)>>,
    keys: Mutex<Option<(Arc<KeySet>, i64)>>,
}

#[derive(Deserialize)]
struct ErrorAnswer {
    error: String,
}

#[derive(Deserialize)]
struct Pushed {
    request_uri: String,
}

impl Server {
    pub fn new(options: LoginOptions, platform: Platform) -> Self {
        Self {
            options,
            transport: platform.transport,
            proofs: Proofs::new(platform.keys, platform.environment),
            metadata: Mutex::new(None),
            keys: Mutex::new(None),
        }
    }

    pub fn options(&self) -> &LoginOptions {
        &self.options
    }

    /// What the server says about itself.
    pub async fn metadata(&self) -> Result<Arc<Metadata>, LoginError> {
        let mut cached = self.metadata.lock().await;
        let now = self.proofs.environment().now();
        if let Some((metadata, fetched)) = &*cached
            && (*fetched..*fetched + CACHE_MS).contains(&now)
        {
            return Ok(Arc::clone(metadata));
        }
        let metadata = Arc::new(self.discover().await?);
        *cached = Some((Arc::clone(&metadata), now));
        Ok(metadata)
    }

    async fn discover(&self) -> Result<Metadata, LoginError> {
        let issuer = self.transport.address(&self.options.issuer)?;
        let expected = metadata::Expected {
            issuer: &self.options.issuer,
            endpoints: self.options.endpoints,
            algorithms: &self.options.algorithms,
            id_token: self.options.asks_for("openid"),
        };
        let mut refused = LoginError::from(Unsafe::Metadata);
        for location in metadata::locations(&issuer) {
            let answer = self.get(&location).await?;
            match document(answer) {
                Ok(document) => return Metadata::read(&document, &expected, &self.transport),
                // It may be in the other place; what is found is final.
                Err(Missing::NotThere) => {}
                Err(Missing::Refused(error)) => refused = error,
            }
        }
        Err(refused)
    }

    async fn get(&self, url: &str) -> Result<Incoming, LoginError> {
        let outgoing = Outgoing {
            method: Method::Get,
            url: url.to_owned(),
            headers: vec![("accept", "application/json".to_owned())],
            body: Vec::new(),
            limit: MAX_DOCUMENT,
        };
        let incoming = self.transport.send(outgoing).await?;
        self.proofs.saw(None, Side::Server, url, &incoming.headers);
        Ok(incoming)
    }

    /// Posts a form, with a proof by the key of that name.
    pub async fn post(
        &self,
        endpoint: &str,
        alias: Option<&str>,
        form: Vec<u8>,
    ) -> Result<Incoming, LoginError> {
        let mut repeated = false;
        loop {
            let mut headers = vec![
                ("accept", "application/json".to_owned()),
                ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ];
            if let Some(alias) = alias {
                let proof = self.proofs.proof(alias, Side::Server, Method::Post, endpoint, None).await?;
                headers.push(("dpop", proof));
            }
            let (url, body) = (endpoint.to_owned(), form.clone());
            let outgoing = Outgoing { method: Method::Post, url, headers, body, limit: MAX_ANSWER };
            let incoming = self.transport.send(outgoing).await?;
            let other_time = self.proofs.saw(alias, Side::Server, endpoint, &incoming.headers);
            let again = matches!(incoming.status, 400 | 401)
                && match code(&incoming.body).as_deref() {
                    Some("use_dpop_nonce") => incoming.headers.get("dpop-nonce").is_some(),
                    Some("invalid_dpop_proof") => other_time,
                    _ => false,
                };
            if !again || std::mem::replace(&mut repeated, true) {
                return Ok(incoming);
            }
        }
    }

    /// Pushes a request (RFC 9126) and gives the address that the browser opens.
    pub async fn push(
        &self,
        metadata: &Metadata,
        pending: &Pending,
        asked: &Asked<'_>,
    ) -> Result<Url, LoginError> {
        let form = self.request(pending, asked).into_bytes();
        let answer = self.post(&metadata.par_endpoint, Some(&pending.alias), form).await?;
        let pushed: Pushed = serde_json::from_slice(&json(answer, 201)?).map_err(|_| Unsafe::Answer)?;
        if pushed.request_uri.is_empty() {
            return Err(Unsafe::Answer.into());
        }
        let mut address = metadata.authorization_endpoint.clone();
        address
            .query_pairs_mut()
            .append_pair("client_id", &self.options.client_id)
            .append_pair("request_uri", &pushed.request_uri);
        Ok(address)
    }

    /// What is asked for, as a form.
    fn request(&self, pending: &Pending, asked: &Asked<'_>) -> String {
        let mut form = Serializer::new(String::new());
        form.append_pair("client_id", &self.options.client_id)
            .append_pair("response_type", "code")
            .append_pair("redirect_uri", &pending.redirect)
            .append_pair("scope", &self.options.scope)
            .append_pair("state", pending.state.reveal())
            .append_pair("code_challenge", &pkce::challenge(pending.verifier.reveal()))
            .append_pair("code_challenge_method", "S256");
        let max_age = pending.max_age.map(|seconds| seconds.to_string());
        // OpenID Connect Core §11: a refresh token is for who was asked.
        let prompt = match (asked.force, self.options.asks_for("offline_access")) {
            (true, true) => Some("login consent"),
            (true, false) => Some("login"),
            (false, true) => Some("consent"),
            (false, false) => None,
        };
        let optional = [
            ("nonce", self.options.asks_for("openid").then(|| pending.nonce.reveal())),
            ("resource", self.options.resource.as_deref()),
            ("acr_values", pending.acr.as_deref()),
            ("max_age", max_age.as_deref()),
            ("prompt", prompt),
            ("login_method", asked.method),
            ("ui_locales", asked.language),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                form.append_pair(name, value);
            }
        }
        form.finish()
    }

    /// Carries a request of the `oauth2` crate to the token endpoint.
    pub async fn carry(&self, request: HttpRequest, alias: &str) -> Result<HttpResponse, LoginError> {
        let endpoint = request.uri().to_string();
        let answer = self.post(&endpoint, Some(alias), request.into_body()).await?;
        Ok(HttpResponse::new(json(answer, 200)?))
    }

    /// Gives a token back (RFC 7009). Says whether the server took it.
    pub async fn revoke(
        &self,
        endpoint: &str,
        alias: Option<&str>,
        token: &Secret,
        is_refresh: bool,
    ) -> Result<bool, LoginError> {
        let hint = if is_refresh { "refresh_token" } else { "access_token" };
        let form = Serializer::new(String::new())
            .append_pair("token", token.reveal())
            .append_pair("token_type_hint", hint)
            .append_pair("client_id", &self.options.client_id)
            .finish();
        let answer = self.post(endpoint, alias, form.into_bytes()).await?;
        match answer.status {
            200..=299 => Ok(true),
            429 | 500.. => Err(LoginError::HubUnavailable { retry_after: answer.headers.retry_after() }),
            _ => Ok(false),
        }
    }

    /// Verifies an ID token and checks what it says.
    pub async fn check_id_token(
        &self,
        metadata: &Metadata,
        token: &Secret,
        expected: id_token::Expected<'_>,
    ) -> Result<Claims, LoginError> {
        let jws = Jws::read(token.reveal(), &metadata.algorithms)?;
        let uri = metadata.jwks_uri.as_deref().ok_or(Unsafe::Unsupported)?;
        let keys = self.key_set(uri, CACHE_MS).await?;
        let payload = match jws.verify(&keys) {
            // The server may have changed its keys.
            Err(JwsError::UnknownKey) => {
                let again = self.key_set(uri, REFETCH_MS).await?;
                jws.verify(&again)?
            }
            verified => verified?,
        };
        id_token::check(payload, &expected)
    }

    /// The server's keys, fetched again if they are older than that.
    async fn key_set(&self, uri: &str, believed_ms: i64) -> Result<Arc<KeySet>, LoginError> {
        let mut cached = self.keys.lock().await;
        let now = self.proofs.environment().now();
        if let Some((keys, fetched)) = &*cached
            && (*fetched..*fetched + believed_ms).contains(&now)
        {
            return Ok(Arc::clone(keys));
        }
        let answer = self.get(uri).await?;
        let keys = KeySet::read(&json(answer, 200)?).ok_or(Unsafe::Answer)?;
        let keys = Arc::new(keys);
        *cached = Some((Arc::clone(&keys), now));
        Ok(keys)
    }
}

/// Why there is no document where one was looked for.
enum Missing {
    NotThere,
    Refused(LoginError),
}

fn document(answer: Incoming) -> Result<Vec<u8>, Missing> {
    match answer.status {
        400..=428 | 430..=499 => Err(Missing::NotThere),
        _ => json(answer, 200).map_err(Missing::Refused),
    }
}

/// The body of an answer of that status, if it says that it is JSON.
fn json(answer: Incoming, status: u16) -> Result<Vec<u8>, LoginError> {
    match answer.status {
        found if found == status => {}
        429 | 500.. => {
            return Err(LoginError::HubUnavailable { retry_after: answer.headers.retry_after() });
        }
        400..=499 => return Err(LoginError::from_code(&code(&answer.body).unwrap_or_default())),
        // Another success, or a redirect that a token must not follow.
        _ => return Err(Unsafe::Answer.into()),
    }
    let kind = answer.headers.get("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    // `application/json`, and for keys also `application/jwk-set+json` (RFC 7517 §8.5.2).
    let is_json = kind == "application/json" || kind.starts_with("application/") && kind.ends_with("+json");
    if is_json { Ok(answer.body) } else { Err(Unsafe::Answer.into()) }
}

fn code(body: &[u8]) -> Option<String> {
    serde_json::from_slice(body).ok().map(|answer: ErrorAnswer| answer.error)
}
