//! The tokens that a session gives, how long they live, and what is in them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use registro_documents::bytes::sha256;
use registro_model::PersonId;
use serde_json::json;

use super::scope;
use super::sessions::Session;
use crate::clock::day_in_italy;
use crate::error::HubError;
use crate::identity::Identity;
use crate::identity::interaction::Method;
use crate::identity::people::Entitlement;

/// Type of an access token (RFC 9068 §2.1).
pub const ACCESS_TYPE: &str = "at+jwt";
/// How long an access token is good, in seconds. Source: docs/identity.md.
pub const ACCESS_SECONDS: i64 = 600;
/// How long an ID token is good, in seconds. Source: docs/identity.md.
const ID_SECONDS: i64 = 300;
const DAY_MS: i64 = 24 * 3_600_000;
/// How long a login of the staff holds without being used, in days, unless the school says less. Source: docs/identity.md.
const STAFF_DAYS: u16 = 7;
/// How long a login of parents and pupils holds without being used, in days. Source: docs/identity.md.
const FAMILY_DAYS: u16 = 30;
/// Who counts as staff: they see other people's children.
const STAFF: [&str; 4] = ["head", "office", "teacher", "support"];

/// What a person may do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Read and write.
    Register,
    /// Hand in what was written before the right ended.
    LatePush,
    /// Nothing.
    None,
}

impl Identity {
    /// What the person may do at an instant.
    pub fn right(&self, person: PersonId, now_ms: i64) -> Result<Right, HubError> {
        Ok(match self.entitlement(person, day_in_italy(now_ms))? {
            Entitlement::Entitled { .. } => Right::Register,
            Entitlement::PushOnly { .. } => Right::LatePush,
            Entitlement::Refused(_) => Right::None,
        })
    }

    /// What a session of that way may do at an instant. A session by the school's own credentials ends with them: after
    /// the school's last day the method is off (D.L. 76/2020 art. 24(4)), and what is not sent yet leaves with the next
    /// login by SPID or CIE.
    pub fn right_of_session(&self, person: PersonId, method: Method, now_ms: i64) -> Result<Right, HubError> {
        if method == Method::School && !self.credentials.is_allowed(day_in_italy(now_ms))? {
            return Ok(Right::None);
        }
        self.right(person, now_ms)
    }

    /// How long a refresh token of the person lives, in milliseconds.
    pub fn session_ms(&self, person: PersonId, now_ms: i64) -> Result<i64, HubError> {
        let roles = self.roles(person, day_in_italy(now_ms))?;
        let days = match roles.iter().any(|role| STAFF.contains(role)) {
            true => self.config.staff_session_days.unwrap_or(STAFF_DAYS),
            false => self.config.family_session_days.unwrap_or(FAMILY_DAYS),
        };
        Ok(i64::from(days) * DAY_MS)
    }

    /// An access token (RFC 9068), bound to the session's key.
    pub(super) fn access_token(
        &self,
        session: &Session,
        right: Right,
        now_ms: i64,
    ) -> Result<String, HubError> {
        let now = now_ms.div_euclid(1_000);
        let claims = json!({
            "iss": self.issuer.as_str(),
            "sub": session.person.to_string(),
            "aud": self.issuer.api(),
            "client_id": session.client,
            "iat": now,
            "exp": now + ACCESS_SECONDS,
            "jti": URL_SAFE_NO_PAD.encode(self.draw::<16>()),
            "scope": granted(&session.scope, right),
            "acr": session.level.acr(),
            "auth_time": session.authenticated.div_euclid(1_000),
            "sid": hex(&session.id.0),
            "cnf": { "jkt": URL_SAFE_NO_PAD.encode(session.thumbprint) },
        });
        self.keys.signing(now_ms)?.sign(ACCESS_TYPE, &claims)
    }

    /// An ID token (OpenID Connect Core §2). It is looked at once, right after the login.
    pub(super) fn id_token(
        &self,
        session: &Session,
        nonce: Option<&str>,
        access_token: &str,
        now_ms: i64,
    ) -> Result<String, HubError> {
        let now = now_ms.div_euclid(1_000);
        let hash = sha256(access_token.as_bytes());
        let (half, _) = hash.split_at(16);
        let mut claims = json!({
            "iss": self.issuer.as_str(),
            "sub": session.person.to_string(),
            "aud": session.client,
            "iat": now,
            "exp": now + ID_SECONDS,
            "auth_time": session.authenticated.div_euclid(1_000),
            "acr": session.level.acr(),
            "at_hash": URL_SAFE_NO_PAD.encode(half),
        });
        if let (Some(members), Some(nonce)) = (claims.as_object_mut(), nonce) {
            members.insert("nonce".to_owned(), json!(nonce));
        }
        self.keys.signing(now_ms)?.sign("JWT", &claims)
    }
}

/// The scope of a token: empty for whom may only hand in.
pub fn granted(asked: &str, right: Right) -> &str {
    match right {
        Right::Register => asked,
        Right::LatePush | Right::None => "",
    }
}

/// Whether a token lets its bearer read.
pub fn reads(scope_claim: &str) -> bool {
    scope::has(scope_claim, scope::REGISTER)
}

/// Bytes in hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
