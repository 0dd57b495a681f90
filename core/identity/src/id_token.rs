//! What an ID token must say (OpenID Connect Core §3.1.3.7). Its signature has been verified by then.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Deserializer};

use crate::error::{LoginError, Unsafe};
use crate::level;

/// How far clocks may be apart, in seconds (our choice; SPID and CIE say no more).
const LEEWAY: i64 = 60;

/// What is expected of it.
pub struct Expected<'a> {
    /// Who issues it.
    pub issuer: &'a str,
    /// For whom.
    pub client: &'a str,
    /// The one of the request; absent at a refresh, which has none.
    pub nonce: Option<&'a str>,
    /// The access token that came with it.
    pub access_token: &'a str,
    /// The level that was asked for.
    pub acr: Option<&'a str>,
    /// How old the login may be, if that was asked for, in seconds.
    pub max_age: Option<u64>,
    /// The person, if they are known already.
    pub subject: Option<&'a str>,
    /// Unix seconds, corrected by the server's clock.
    pub now: i64,
}

/// What is kept of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The person, as this server names them.
    pub subject: String,
    /// The level reached.
    pub acr: Option<String>,
    /// When they showed who they are, Unix seconds.
    pub auth_time: Option<i64>,
}

#[derive(Deserialize)]
struct Raw {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    #[serde(deserialize_with = "instant")]
    exp: Option<i64>,
    #[serde(deserialize_with = "instant")]
    iat: Option<i64>,
    #[serde(default, deserialize_with = "instant")]
    nbf: Option<i64>,
    #[serde(default, deserialize_with = "instant")]
    auth_time: Option<i64>,
    nonce: Option<String>,
    acr: Option<String>,
    at_hash: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// A `NumericDate` may have a fraction (RFC 7519 §2).
fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let seconds = Option::<f64>::deserialize(deserializer)?;
    match seconds {
        None => Ok(None),
        // Beyond the year 9999 nobody means an instant.
        Some(seconds) if (0.0..253_402_300_800.0).contains(&seconds) => Ok(Some(seconds as i64)),
        Some(_) => Err(serde::de::Error::custom("not an instant")),
    }
}

/// Checks the payload of an ID token.
///
/// # Errors
/// [`LoginError::HigherLevelNeeded`] if everything is in order but the level; otherwise [`LoginError::UnsafeResponse`].
pub fn check(payload: &[u8], expected: &Expected<'_>) -> Result<Claims, LoginError> {
    let raw: Raw = serde_json::from_slice(payload).map_err(|_| Unsafe::IdToken)?;
    if raw.iss != expected.issuer {
        return Err(Unsafe::Issuer.into());
    }
    let for_us = match &raw.aud {
        Audience::One(one) => one == expected.client,
        // Where it is for several, it says which of them asked.
        Audience::Several(several) => {
            several.iter().any(|one| one == expected.client) && (several.len() == 1 || raw.azp.is_some())
        }
    };
    if !for_us || raw.azp.is_some_and(|party| party != expected.client) {
        return Err(Unsafe::Audience.into());
    }
    let (Some(exp), Some(iat)) = (raw.exp, raw.iat) else { return Err(Unsafe::IdToken.into()) };
    if expected.now >= exp + LEEWAY {
        return Err(Unsafe::Expired.into());
    }
    let latest = expected.now + LEEWAY;
    if iat > latest || raw.nbf.is_some_and(|nbf| nbf > latest) {
        return Err(Unsafe::NotYetValid.into());
    }
    if expected.nonce.is_some() && raw.nonce.as_deref() != expected.nonce {
        return Err(Unsafe::Nonce.into());
    }
    let hash = digest(&SHA256, expected.access_token.as_bytes());
    let half = hash.as_ref().get(..16).map(|half| URL_SAFE_NO_PAD.encode(half));
    if raw.at_hash.is_some() && raw.at_hash != half {
        return Err(Unsafe::AccessTokenHash.into());
    }
    if raw.sub.is_empty() || expected.subject.is_some_and(|subject| subject != raw.sub) {
        return Err(Unsafe::Subject.into());
    }
    if let Some(max_age) = expected.max_age {
        let oldest = expected.now - i64::try_from(max_age).unwrap_or(i64::MAX / 2) - LEEWAY;
        if !raw.auth_time.is_some_and(|at| at >= oldest && at <= latest) {
            return Err(Unsafe::AuthenticationTime.into());
        }
    }
    if let Some(wanted) = expected.acr
        && !level::reaches(raw.acr.as_deref(), wanted)
    {
        return Err(LoginError::HigherLevelNeeded { acr_values: vec![wanted.to_owned()] });
    }
    Ok(Claims { subject: raw.sub, acr: raw.acr, auth_time: raw.auth_time })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::level::Level;

    const NOW: i64 = 1_790_000_000;

    fn payload() -> Value {
        json!({
            "iss": "https://hub.example.it", "sub": "p1", "aud": "it.registro.app", "exp": NOW + 300, "iat": NOW,
            "nonce": "n", "acr": Level::L2.acr(), "auth_time": NOW - 10,
        })
    }

    fn expected() -> Expected<'static> {
        Expected {
            issuer: "https://hub.example.it",
            client: "it.registro.app",
            nonce: Some("n"),
            // The access token of OpenID Connect Core, appendix A.3, whose `at_hash` is known.
            access_token: "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y",
            acr: Some(Level::L2.acr()),
            max_age: Some(600),
            subject: None,
            now: NOW,
        }
    }

    fn with(name: &str, value: Value) -> Result<Claims, LoginError> {
        let mut payload = payload();
        payload[name] = value;
        check(payload.to_string().as_bytes(), &expected())
    }

    #[test]
    fn what_real_servers_send_is_accepted() {
        assert_eq!(with("x", json!([1])).unwrap().acr.as_deref(), Some(Level::L2.acr()));
        assert!(with("aud", json!(["it.registro.app"])).is_ok());
        assert!(with("iat", json!(NOW as f64 + 0.25)).is_ok());
        assert!(with("at_hash", json!("77QmUPtjPfzWtF2AnpK9RQ")).is_ok());
        assert!(with("acr", json!(Level::L3.acr())).is_ok());
        assert!(with("nbf", json!(NOW + 60)).is_ok() && with("exp", json!(NOW - 59)).is_ok());
    }

    #[test]
    fn each_check_refuses_what_it_is_for() {
        let cases: [(&str, Value, Unsafe); 24] = [
            ("iss", json!("https://hub.example.it/"), Unsafe::Issuer),
            ("iss", json!("https://evil.example"), Unsafe::Issuer),
            ("aud", json!("another"), Unsafe::Audience),
            ("aud", json!([]), Unsafe::Audience),
            ("aud", json!(["it.registro.app", "another"]), Unsafe::Audience),
            ("azp", json!("another"), Unsafe::Audience),
            ("exp", json!(NOW - 60), Unsafe::Expired),
            ("exp", json!(null), Unsafe::IdToken),
            ("exp", json!("1790000300"), Unsafe::IdToken),
            ("exp", json!(1e300), Unsafe::IdToken),
            ("exp", json!(-1), Unsafe::IdToken),
            ("iat", json!(NOW + 61), Unsafe::NotYetValid),
            ("iat", json!(null), Unsafe::IdToken),
            ("nbf", json!(NOW + 61), Unsafe::NotYetValid),
            ("nonce", json!("m"), Unsafe::Nonce),
            ("nonce", json!(null), Unsafe::Nonce),
            ("at_hash", json!("77QmUPtjPfzWtF2AnpK9RA"), Unsafe::AccessTokenHash),
            ("at_hash", json!(""), Unsafe::AccessTokenHash),
            ("sub", json!(""), Unsafe::Subject),
            ("sub", json!(7), Unsafe::IdToken),
            ("auth_time", json!(null), Unsafe::AuthenticationTime),
            ("auth_time", json!(NOW - 661), Unsafe::AuthenticationTime),
            ("auth_time", json!(NOW + 61), Unsafe::AuthenticationTime),
            ("aud", json!({"it.registro.app": 1}), Unsafe::IdToken),
        ];
        for (name, value, why) in cases {
            assert_eq!(with(name, value.clone()), Err(why.into()), "{name} {value}");
        }
        let mut other = expected();
        other.subject = Some("p2");
        assert_eq!(check(payload().to_string().as_bytes(), &other), Err(Unsafe::Subject.into()));
    }

    #[test]
    fn a_login_below_the_level_asked_for_is_told_apart_from_an_unsafe_one() {
        for low in [json!(Level::L1.acr()), json!(null), json!("urn:other"), json!("0")] {
            let refused = with("acr", low.clone());
            assert!(matches!(refused, Err(LoginError::HigherLevelNeeded { .. })), "{low}");
        }
        let mut unasked = expected();
        unasked.acr = None;
        let mut payload = payload();
        payload["acr"] = json!(null);
        assert_eq!(check(payload.to_string().as_bytes(), &unasked).unwrap().acr, None);
    }

    #[test]
    fn a_claim_that_is_there_twice_makes_it_unreadable() {
        let twice = payload().to_string().replacen('{', r#"{"sub":"p9","#, 1);
        assert_eq!(check(twice.as_bytes(), &expected()), Err(Unsafe::IdToken.into()));
    }

    proptest! {
        /// Whatever else is changed in a good token, it is for us, of this server, and of this login.
        #[test]
        fn mutated_claims_pass_only_with_what_binds_them_intact(index: usize, byte: u8) {
            let mut text = payload().to_string().into_bytes();
            let index = index % text.len();
            text[index] = byte;
            if check(&text, &expected()).is_ok() {
                let read: Value = serde_json::from_slice(&text).unwrap();
                prop_assert_eq!(&read["iss"], "https://hub.example.it");
                prop_assert_eq!(&read["aud"], "it.registro.app");
                prop_assert_eq!(&read["nonce"], "n");
            }
        }
    }
}
