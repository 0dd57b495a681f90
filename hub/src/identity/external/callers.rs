//! Who calls, by an external provider's access tokens (RFC 9068 §4, RFC 9449 §7). What the person may do is the hub's
//! own question, as always.

use std::sync::Arc;

use registro_documents::bytes::{Parts, sha256};
use registro_model::PersonId;
use registro_sync::http::{Transport, TransportOptions};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::keys::ProviderKeys;
use super::settings::{ExternalSettings, PersonIs};
use crate::caller::{AuthError, AuthorizeCaller, Authorized, Caller, Presented, Proof};
use crate::error::HubError;
use crate::identity::Identity;
use crate::identity::authorization::dpop::Expected;
use crate::identity::authorization::jwt::MAX_TOKEN_BYTES;
use crate::identity::authorization::scope;
use crate::identity::authorization::tokens::{Right, hex};
use crate::identity::federation::jose::algorithm::SigningAlgorithm;
use crate::identity::federation::jose::jws;
use crate::identity::issuer::Issuer;

/// What a provider may sign with: what the app takes as well (docs/identity.md).
const ALGORITHMS: [SigningAlgorithm; 3] =
    [SigningAlgorithm::Es256, SigningAlgorithm::Ps256, SigningAlgorithm::Rs256];
/// How far the provider's clock may be off, in seconds. Source: docs/identity.md.
const SKEW_SECONDS: i64 = 60;

/// Knows callers by the access tokens of an external provider.
pub struct ExternalCallers {
    identity: Arc<Identity>,
    settings: ExternalSettings,
    issuer: String,
    audience: String,
    keys: ProviderKeys,
}

/// What a token says.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: i64,
    #[serde(default)]
    nbf: Option<i64>,
    cnf: Confirmation,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    acr: Option<String>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Deserialize)]
struct Confirmation {
    jkt: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn has(&self, audience: &str) -> bool {
        match self {
            Self::One(one) => one == audience,
            Self::Several(several) => several.iter().any(|one| one == audience),
        }
    }
}

impl ExternalCallers {
    /// Callers of the provider that the settings name.
    ///
    /// # Errors
    /// [`HubError::Settings`] if no connection to it can be made.
    pub fn new(identity: Arc<Identity>, settings: ExternalSettings) -> Result<Self, HubError> {
        let named = Issuer::new(&settings.issuer)?;
        let options = match named.is_secure() {
            true => TransportOptions::default(),
            false => TransportOptions::development(),
        };
        let transport = Transport::new(options).map_err(|error| HubError::Settings(error.to_string()))?;
        let issuer = named.as_str().to_owned();
        let audience = settings.audience.clone().unwrap_or_else(|| identity.issuer.api());
        Ok(Self { keys: ProviderKeys::new(issuer.clone(), transport), identity, settings, issuer, audience })
    }

    /// What a token of the provider's for this hub says, if it is good now.
    fn read(&self, token: &str, now_ms: i64) -> Option<Claims> {
        if token.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let kid = kid_of(token)?;
        let verified = jws::verify(token, &self.keys.with(&kid, now_ms), &ALGORITHMS).ok()?;
        // Another kind of token of the same provider is none for an API (RFC 9068 §4).
        if !verified.header.is_type("at+jwt") {
            return None;
        }
        let claims: Claims = verified.claims().ok()?;
        let now = now_ms.div_euclid(1_000);
        let in_time = now < claims.exp.saturating_add(SKEW_SECONDS)
            && claims.nbf.is_none_or(|from| from.saturating_sub(SKEW_SECONDS) <= now);
        (in_time && claims.iss == self.issuer && claims.aud.has(&self.audience)).then_some(claims)
    }

    /// Whom the token names.
    fn person(&self, claims: &Claims) -> Result<Option<PersonId>, HubError> {
        let named = match self.settings.person_claim.as_str() {
            "sub" => Some(claims.sub.as_str()),
            claim => claims.others.get(claim).and_then(Value::as_str),
        };
        match (named, self.settings.person_is) {
            (Some(number), PersonIs::FiscalNumber) => self.identity.person_by_fiscal_number(number),
            (Some(id), PersonIs::HubId) => Ok(id.parse().ok()),
            (None, _) => Ok(None),
        }
    }

    /// What a device signs to have its key certified: known to nobody but the hub before it asks, and the same as long
    /// as its key at the provider is.
    fn enrolment_nonce(&self, person: PersonId, thumbprint: &[u8]) -> String {
        let text = Parts::new("registro/external-enrolment/1")
            .part(self.issuer.as_bytes())
            .part(person.as_bytes())
            .part(thumbprint)
            .into_bytes();
        hex(&sha256(&self.identity.hub.signing_key().sign(&text)))
    }
}

impl AuthorizeCaller for ExternalCallers {
    fn authorize(&self, presented: &Presented<'_>, now_ms: i64) -> Result<Authorized, AuthError> {
        let identity = &self.identity;
        let value = presented.authorization.ok_or(AuthError::Missing)?;
        let (scheme, token) = value.split_once(' ').ok_or(AuthError::Missing)?;
        if !scheme.eq_ignore_ascii_case("DPoP") {
            return Err(AuthError::Invalid);
        }
        let claims = self.read(token, now_ms).ok_or(AuthError::Invalid)?;
        let Proof::One(proof) = presented.proof else { return Err(AuthError::Proof) };
        let address = identity.issuer.at(presented.path);
        let expected = Expected { method: presented.method, address: &address, token: Some(token) };
        let key = identity.api_proofs.check(proof, &expected, now_ms)?;
        if claims.cnf.jkt != key.thumbprint_text() {
            return Err(AuthError::Invalid);
        }
        let failed = |error: HubError| {
            tracing::error!(%error, "a caller cannot be looked up");
            AuthError::Busy
        };
        // The token is good and its person is none of this school's: no new login helps.
        let person = self.person(&claims).map_err(failed)?.ok_or(AuthError::NotEntitled)?;
        let reads = match identity.right(person, now_ms).map_err(failed)? {
            Right::Register => scope::has(&claims.scope, &self.settings.scope),
            Right::LatePush => false,
            Right::None => return Err(AuthError::NotEntitled),
        };
        let thumbprint = key.thumbprint().to_vec();
        Ok(Authorized {
            caller: Caller { person, level: self.settings.level(claims.acr.as_deref()), reads },
            session: None,
            issuer: self.issuer.clone(),
            subject: claims.sub,
            nonce: self.enrolment_nonce(person, &thumbprint),
            thumbprint,
        })
    }

    fn fresh_nonce(&self, now_ms: i64) -> Option<String> {
        Some(self.identity.api_proofs.nonce(now_ms))
    }
}

/// The key that a token names, before it is verified: to find the key, and for nothing else.
fn kid_of(token: &str) -> Option<String> {
    let header = crate::identity::federation::jose::decode(token.split('.').next()?).ok()?;
    let header: Value = serde_json::from_slice(&header).ok()?;
    Some(header.get("kid")?.as_str()?.to_owned())
}
