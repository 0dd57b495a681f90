//! Signs proofs with the platform's keys. Nonces are remembered by key, server and side, so that those of two
//! sessions, or of the authorization server and the API behind it, never mix (RFC 9449 §8.2).

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use registro_sync::http::{Headers, Method};
use url::Url;

use super::blocking;
use crate::dpop::{self, Proof};
use crate::environment::{Environment, random_text};
use crate::error::{LoginError, Unsafe};
use crate::jose::PublicJwk;
use crate::storage::SigningKeys;

/// Longest nonce that is remembered.
const MAX_NONCE: usize = 1_024;
/// A clock that is wrong by less is right: servers tell whole seconds, and answers take their time.
const TOLERATED_MS: i64 = 3_000;

/// To whom a proof goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Side {
    /// The authorization server.
    Server,
    /// The API.
    Api,
}

type NonceKey = (String, Side, String);

pub(super) struct Proofs {
    keys: Arc<dyn SigningKeys>,
    environment: Arc<dyn Environment>,
    nonces: Mutex<HashMap<NonceKey, String>>,
    /// The server's clock minus the device's, milliseconds.
    offset: AtomicI64,
}

impl Proofs {
    pub fn new(keys: Arc<dyn SigningKeys>, environment: Arc<dyn Environment>) -> Self {
        Self { keys, environment, nonces: Mutex::default(), offset: AtomicI64::new(0) }
    }

    pub fn environment(&self) -> &dyn Environment {
        self.environment.as_ref()
    }

    /// The time by the server's clock, Unix milliseconds.
    pub fn now(&self) -> i64 {
        self.environment.now().saturating_add(self.offset.load(Ordering::Relaxed))
    }

    pub async fn create(&self, alias: &str) -> Result<PublicJwk, LoginError> {
        let (keys, alias) = (Arc::clone(&self.keys), alias.to_owned());
        // Sync in the background cannot ask the person: the key works after the first unlock of the device.
        blocking(move || keys.create_key(&alias, false)).await
    }

    pub async fn public(&self, alias: &str) -> Result<PublicJwk, LoginError> {
        let (keys, alias) = (Arc::clone(&self.keys), alias.to_owned());
        blocking(move || keys.public_jwk(&alias)).await
    }

    pub async fn delete(&self, alias: &str) -> Result<(), LoginError> {
        let (keys, alias) = (Arc::clone(&self.keys), alias.to_owned());
        blocking(move || keys.delete(&alias)).await
    }

    /// A proof for one request.
    pub async fn proof(
        &self,
        alias: &str,
        side: Side,
        method: Method,
        url: &str,
        access_token: Option<&str>,
    ) -> Result<String, LoginError> {
        let key = self.public(alias).await?;
        let nonce = {
            let nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
            nonces.get(&name(alias, side, url)).cloned()
        };
        let text = Proof {
            key: &key,
            id: &random_text::<16>(self.environment()),
            method,
            url,
            issued_at: self.now().div_euclid(1_000),
            nonce: nonce.as_deref(),
            access_token,
        }
        .signing_input();
        let (keys, alias, data) = (Arc::clone(&self.keys), alias.to_owned(), text.clone());
        let signature = blocking(move || keys.sign_es256(&alias, data.as_bytes())).await?;
        dpop::complete(&text, &signature).ok_or(LoginError::Storage)
    }

    /// Hears an answer: the nonce for the next proof, and what time it is there. Says whether that was news: a proof
    /// by the time before may have been refused for it.
    pub fn saw(&self, alias: Option<&str>, side: Side, url: &str, headers: &Headers) -> bool {
        if let (Some(alias), Some(nonce)) = (alias, headers.get("dpop-nonce"))
            && nonce.len() <= MAX_NONCE
        {
            let mut nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
            nonces.insert(name(alias, side, url), nonce.to_owned());
        }
        let date = headers.get("date").and_then(|date| chrono::DateTime::parse_from_rfc2822(date).ok());
        let Some(date) = date else { return false };
        let offset = date.timestamp_millis().saturating_sub(self.environment.now());
        let offset = if offset.abs() < TOLERATED_MS { 0 } else { offset };
        let before = self.offset.swap(offset, Ordering::Relaxed);
        offset.abs_diff(before) > TOLERATED_MS.unsigned_abs()
    }

    /// The key is no more: nor are its nonces.
    pub fn forget(&self, alias: &str) {
        let mut nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        nonces.retain(|(known, _, _), _| known != alias);
    }
}

fn name(alias: &str, side: Side, url: &str) -> NonceKey {
    let origin = Url::parse(url).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    (alias.to_owned(), side, origin)
}

impl From<crate::jose::JwsError> for LoginError {
    fn from(error: crate::jose::JwsError) -> Self {
        use crate::jose::JwsError;
        let why = match error {
            JwsError::Form | JwsError::Critical => Unsafe::IdToken,
            JwsError::Algorithm => Unsafe::Algorithm,
            JwsError::UnknownKey => Unsafe::UnknownKey,
            JwsError::Signature => Unsafe::Signature,
        };
        why.into()
    }
}
