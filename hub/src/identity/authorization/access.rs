//! Access tokens at the API: who calls, by a token and the proof that comes with it (RFC 9068 §4, RFC 9449 §7).

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use registro_documents::bytes::Parts;
use registro_model::PersonId;

use super::dpop::{Expected, ProofError};
use super::jwt::Unverified;
use super::keys::KeyRing;
use super::tokens::{self, ACCESS_TYPE, Right, hex};
use crate::caller::{AuthError, AuthorizeCaller, Authorized, Caller, Level, Presented, Proof, SessionId};
use crate::clock::day_in_italy;
use crate::error::HubError;
use crate::identity::Identity;
use crate::identity::interaction::Method;
use crate::identity::issuer::Issuer;

/// What an access token of ours says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// Whose.
    pub person: PersonId,
    /// The session that it is of.
    pub session: SessionId,
    /// The app.
    pub client: String,
    /// The level of the login.
    pub level: Level,
    /// What it lets its bearer do.
    pub scope: String,
    /// Thumbprint of the key that it is bound to, in base64url.
    pub thumbprint: String,
    /// When it was made, Unix seconds.
    pub issued: i64,
    /// When it ends, Unix seconds.
    pub expires: i64,
}

/// Reads an access token that this hub signed for its API and that has not ended. Whether its session lives is
/// another question.
pub fn read(keys: &KeyRing, issuer: &Issuer, token: &str, now_ms: i64) -> Option<AccessToken> {
    let unverified = Unverified::read(token, ACCESS_TYPE)?;
    let key = keys.public(unverified.header.get("kid")?.as_str()?)?;
    let claims = unverified.verify(&key)?;
    let (issued, expires) = (claims.int("iat")?, claims.int("exp")?);
    let good = claims.text("iss") == Some(issuer.as_str())
        && claims.is_for(&issuer.api())
        && now_ms.div_euclid(1_000) < expires;
    good.then(|| {
        Some(AccessToken {
            person: claims.text("sub")?.parse().ok()?,
            session: SessionId(crate::unhex(claims.text("sid")?)?),
            client: claims.text("client_id")?.to_owned(),
            level: Level::of_acr(claims.text("acr")?)?,
            scope: claims.text("scope")?.to_owned(),
            thumbprint: claims.thumbprint()?.to_owned(),
            issued,
            expires,
        })
    })?
}

/// Knows callers by the access tokens of this hub.
#[derive(Clone)]
pub struct TokenCallers(Arc<Identity>);

impl TokenCallers {
    /// Callers of this hub.
    pub fn new(identity: Arc<Identity>) -> Self {
        Self(identity)
    }
}

impl From<ProofError> for AuthError {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::Invalid => Self::Proof,
            ProofError::Nonce => Self::Nonce,
            ProofError::Busy => Self::Busy,
        }
    }
}

impl AuthorizeCaller for TokenCallers {
    fn authorize(&self, presented: &Presented<'_>, now_ms: i64) -> Result<Authorized, AuthError> {
        let identity = &self.0;
        let value = presented.authorization.ok_or(AuthError::Missing)?;
        let (scheme, token) = value.split_once(' ').ok_or(AuthError::Missing)?;
        // As `Bearer` a token that is bound to a key would count without it.
        if !scheme.eq_ignore_ascii_case("DPoP") {
            return Err(AuthError::Invalid);
        }
        let read = read(&identity.keys, &identity.issuer, token, now_ms).ok_or(AuthError::Invalid)?;
        let Proof::One(proof) = presented.proof else { return Err(AuthError::Proof) };
        let address = identity.issuer.at(presented.path);
        let expected = Expected { method: presented.method, address: &address, token: Some(token) };
        let key = identity.api_proofs.check(proof, &expected, now_ms)?;
        if read.thumbprint != key.thumbprint_text() {
            return Err(AuthError::Invalid);
        }
        let failed = |error: HubError| {
            tracing::error!(%error, "a session cannot be looked up");
            AuthError::Busy
        };
        let session = identity.session(read.session).map_err(failed)?;
        let session = session.filter(|session| session.is_live(now_ms) && session.person == read.person);
        let session = session.ok_or(AuthError::Invalid)?;
        if session.method == Method::School
            && !identity.credentials.is_allowed(day_in_italy(now_ms)).map_err(failed)?
        {
            // The way in which it began is off: another login, and what waits is sent.
            return Err(AuthError::Invalid);
        }
        let reads = match identity.right(read.person, now_ms).map_err(failed)? {
            Right::Register => tokens::reads(&read.scope),
            Right::LatePush => false,
            Right::None => return Err(AuthError::NotEntitled),
        };
        Ok(Authorized {
            caller: Caller { person: read.person, level: session.level.min(read.level), reads },
            session: Some(session.id),
            issuer: identity.issuer.as_str().to_owned(),
            subject: read.person.to_string(),
            thumbprint: URL_SAFE_NO_PAD.decode(&read.thumbprint).map_err(|_| AuthError::Invalid)?,
            nonce: enrolment_nonce(session.id),
        })
    }

    fn fresh_nonce(&self, now_ms: i64) -> Option<String> {
        Some(self.0.api_proofs.nonce(now_ms))
    }
}

/// What a device signs to have its key certified within a session: known to nobody before the login, and another one
/// after the next.
fn enrolment_nonce(session: SessionId) -> String {
    let text = Parts::new("registro/enrolment/1").part(&session.0).into_bytes();
    hex(&registro_documents::bytes::sha256(&text))
}
