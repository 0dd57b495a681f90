//! What the provider says of the person: the ID token and the userinfo, checked.
//!
//! Source: OpenID Connect Core §3.1.3.7 and §5.3; AgID, ID token and userinfo of SPID and CIE.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use serde::Deserialize;
use serde_json::Value;

use super::error::FederationError;
use super::jose::algorithm::SigningAlgorithm;
use super::jose::jwe::{self, DecryptionKey};
use super::jose::jwk::JwkSet;
use super::jose::{self, JoseError, encode, jws};
use super::time::{SKEW, Seconds, check_times};
use crate::caller::Level;

/// Whom the token was made for: a text, or a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn is_only(&self, client: &str) -> bool {
        match self {
            Self::One(one) => one == client,
            Self::Many(many) => many.len() == 1 && many.iter().all(|one| one == client),
        }
    }
}

#[derive(Deserialize)]
struct IdTokenClaims {
    iss: String,
    sub: String,
    aud: Audience,
    #[serde(default)]
    azp: Option<String>,
    iat: Seconds,
    exp: Seconds,
    #[serde(default)]
    nbf: Option<Seconds>,
    nonce: String,
    acr: String,
    at_hash: String,
}

/// What the tokens must agree with.
pub struct Expected<'a> {
    /// The provider.
    pub issuer: &'a str,
    /// The hub's name in the federation.
    pub client: &'a str,
    /// What this login sent along.
    pub nonce: &'a str,
    /// The token that came with the ID token.
    pub access_token: &'a str,
    /// How surely the person must be known.
    pub wanted: Level,
    /// The provider's keys.
    pub keys: &'a JwkSet,
    /// The hub's keys that others encrypt to.
    pub own_keys: &'a [DecryptionKey],
    /// Seconds.
    pub now: i64,
}

/// What an ID token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdToken {
    /// The provider's name for the person, another one for each client (*pairwise*): it links nothing but the
    /// messages of one login.
    pub subject: String,
    /// How surely.
    pub level: Level,
    /// The signed message.
    pub text: String,
}

/// Why an ID token is not good enough.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It is genuine, but vouches less surely than is wanted.
    #[error("the provider vouches less surely than wanted")]
    Level,
    /// Anything else.
    #[error(transparent)]
    Other(#[from] FederationError),
}

/// Takes the signed message out of an encrypted one; a message that is only signed stays.
fn opened(message: &str, keys: &[DecryptionKey], what: &'static str) -> Result<String, FederationError> {
    match jose::is_encrypted(message) {
        true => jwe::open(message, keys).map_err(FederationError::message(what)),
        false => Ok(message.to_owned()),
    }
}

/// Checks an ID token.
pub fn id_token(
    message: &str,
    algorithms: &[SigningAlgorithm],
    expected: &Expected<'_>,
) -> Result<IdToken, TokenError> {
    const WHAT: &str = "an ID token";
    let wrong = FederationError::message(WHAT);
    let rule = |broken: &'static str| Err(TokenError::Other(FederationError::Rule(broken)));
    let text = opened(message, expected.own_keys, WHAT)?;
    let read = jws::verify(&text, expected.keys, algorithms).map_err(&wrong)?;
    // A statement, a trust mark or an access token of the same signer is no ID token.
    if read.header.typ.is_some() && !read.header.is_type("JWT") {
        return Err(wrong(JoseError::Type).into());
    }
    let claims: IdTokenClaims = read.claims().map_err(&wrong)?;
    if claims.iss != expected.issuer {
        return rule("an ID token of another issuer");
    }
    if !claims.aud.is_only(expected.client) || claims.azp.is_some_and(|azp| azp != expected.client) {
        return rule("an ID token for another client");
    }
    check_times(claims.iat, claims.exp, expected.now)?;
    if claims.nbf.is_some_and(|nbf| nbf.0 > expected.now + SKEW) {
        return rule("an ID token that does not hold yet");
    }
    if verify_slices_are_equal(claims.nonce.as_bytes(), expected.nonce.as_bytes()).is_err() {
        return rule("an ID token of another login");
    }
    if claims.at_hash != half_hash(read.algorithm, expected.access_token) {
        return rule("an ID token of another access token");
    }
    if claims.sub.is_empty() {
        return rule("an ID token of nobody");
    }
    // A level that has no name here is none.
    let level = Level::of_acr(&claims.acr).ok_or(TokenError::Level)?;
    if level < expected.wanted {
        return Err(TokenError::Level);
    }
    Ok(IdToken { subject: claims.sub, level, text })
}

/// The left half of a token's hash (OpenID Connect Core §3.1.3.6).
pub fn half_hash(algorithm: SigningAlgorithm, token: &str) -> String {
    let hash = aws_lc_rs::digest::digest(algorithm.digest(), token.as_bytes());
    let (half, _) = hash.as_ref().split_at(hash.as_ref().len() / 2);
    encode(half)
}

#[derive(Deserialize)]
struct UserinfoClaims {
    sub: String,
    #[serde(default)]
    iss: Option<String>,
    #[serde(default)]
    aud: Option<Audience>,
    #[serde(default)]
    iat: Option<Seconds>,
    #[serde(default)]
    exp: Option<Seconds>,
    #[serde(default, rename = "https://attributes.eid.gov.it/fiscal_number")]
    fiscal_number: Option<Value>,
}

/// What the userinfo says. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Userinfo {
    /// The fiscal number with its prefix, if there is one.
    pub fiscal_number: Option<String>,
    /// The signed message.
    pub text: String,
}

impl std::fmt::Debug for Userinfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Userinfo(…)")
    }
}

/// Checks the userinfo of the one whom an ID token names. Members that the rules demand and some providers leave out
/// (`iss`, `aud`, `iat`, `exp`) are checked where they are.
pub fn userinfo(
    message: &str,
    algorithms: &[SigningAlgorithm],
    id_token: &IdToken,
    expected: &Expected<'_>,
) -> Result<Userinfo, FederationError> {
    const WHAT: &str = "the userinfo";
    let wrong = FederationError::message(WHAT);
    let text = opened(message.trim(), expected.own_keys, WHAT)?;
    let read = jws::verify(&text, expected.keys, algorithms).map_err(&wrong)?;
    if read.header.typ.is_some() && !read.header.is_type("JWT") {
        return Err(wrong(JoseError::Type));
    }
    let claims: UserinfoClaims = read.claims().map_err(&wrong)?;
    if claims.sub != id_token.subject {
        return Err(FederationError::Rule("the userinfo is about somebody else"));
    }
    if claims.iss.is_some_and(|iss| iss != expected.issuer)
        || claims.aud.is_some_and(|aud| !aud.is_only(expected.client))
    {
        return Err(FederationError::Rule("the userinfo is another issuer's or client's"));
    }
    if claims.iat.is_some_and(|iat| iat.0 > expected.now + SKEW)
        || claims.exp.is_some_and(|exp| exp.0 <= expected.now - SKEW)
    {
        return Err(FederationError::Rule("the userinfo does not hold at this time"));
    }
    let fiscal_number = match claims.fiscal_number {
        None => None,
        // Only of this form; a bare code, or one of another country, is no Italian fiscal number.
        Some(Value::String(number)) if number.starts_with("TINIT-") => Some(number),
        Some(_) => None,
    };
    Ok(Userinfo { fiscal_number, text })
}
