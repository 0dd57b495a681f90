//! Trust marks: an accreditor's signed word that an entity meets its rules.
//!
//! Source: OpenID Federation 1.0 §7; AgID, trust marks. The member with the mark's type is `id` in the Italian rules,
//! `trust_mark_id` in drafts and `trust_mark_type` in the final specification: all are read, and all that are there
//! must agree.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::error::FederationError;
use super::jose::algorithm::SigningAlgorithm;
use super::jose::jwk::JwkSet;
use super::jose::{JoseError, jws};
use super::statement::Claims as Anchor;
use super::time::{SKEW, Seconds};

/// Most marks of an entity that are looked at (our choice).
const MAX_MARKS: usize = 10;
/// The kind of message; older marks have none.
const TYPE: &str = "trust-mark+jwt";

/// A mark that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustMark {
    /// Its type.
    pub kind: String,
    /// Who issued it.
    pub issuer: String,
    /// As it came.
    pub text: String,
    /// Until when it holds, in seconds.
    pub expires: Option<i64>,
}

#[derive(Deserialize)]
struct Typed {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    trust_mark_id: Option<String>,
    #[serde(default)]
    trust_mark_type: Option<String>,
}

impl Typed {
    fn kind(self) -> Result<String, FederationError> {
        let mut names = [self.id, self.trust_mark_id, self.trust_mark_type].into_iter().flatten();
        let first = names.next().ok_or(FederationError::Rule("a trust mark has no type"))?;
        match names.all(|name| name == first) {
            true => Ok(first),
            false => Err(FederationError::Rule("a trust mark has two types")),
        }
    }
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    iat: Seconds,
    #[serde(default)]
    exp: Option<Seconds>,
    #[serde(flatten)]
    typed: Typed,
}

/// The marks of an entity that hold. Others are left out, because a mark that is not ours to believe is no reason to
/// distrust the entity; who demands a mark looks for it here.
pub fn verified(
    marks: &[Value],
    subject: &str,
    anchor: &Anchor,
    issuer_keys: &BTreeMap<String, JwkSet>,
    now: i64,
) -> Vec<TrustMark> {
    let mark = |mark: &Value| verify(mark, subject, anchor, issuer_keys, now).ok();
    marks.iter().take(MAX_MARKS).filter_map(mark).collect()
}

/// Verifies one element of `trust_marks`. `issuer_keys` are the federation keys of the issuers, by name, from
/// statements that were verified.
pub fn verify(
    mark: &Value,
    subject: &str,
    anchor: &Anchor,
    issuer_keys: &BTreeMap<String, JwkSet>,
    now: i64,
) -> Result<TrustMark, FederationError> {
    let wrong = FederationError::message("a trust mark");
    let kind = Typed::deserialize(mark).map_err(|_| wrong(JoseError::Payload))?.kind()?;
    let text = mark.get("trust_mark").and_then(Value::as_str).ok_or_else(|| wrong(JoseError::Payload))?;
    let issuer = jws::unverified::<Claims>(text).map_err(&wrong)?.iss;
    // Who issues is allowed by the anchor, type by type; of a type that it does not list, only the anchor itself.
    let allowed = match anchor.trust_mark_issuers.get(&kind) {
        Some(issuers) => issuers.contains(&issuer),
        None => issuer == anchor.sub,
    };
    if !allowed || anchor.trust_mark_owners.contains_key(&kind) {
        return Err(FederationError::Rule("a trust mark's issuer is not allowed"));
    }
    let keys = issuer_keys.get(&issuer).ok_or_else(|| wrong(JoseError::KeyUnknown))?;
    let read = jws::verify(text, keys, &SigningAlgorithm::ALL).map_err(&wrong)?;
    if read.header.typ.is_some() && !read.header.is_type(TYPE) && !read.header.is_type("JWT") {
        return Err(wrong(JoseError::Type));
    }
    let claims: Claims = read.claims().map_err(&wrong)?;
    if claims.sub != subject {
        return Err(FederationError::Rule("a trust mark was issued to somebody else"));
    }
    if claims.iat.0 > now + SKEW || claims.exp.is_some_and(|exp| exp.0 <= now) {
        return Err(FederationError::Rule("a trust mark does not hold at this time"));
    }
    if claims.typed.kind()? != kind {
        return Err(FederationError::Rule("a trust mark has two types"));
    }
    Ok(TrustMark { kind, issuer, text: text.to_owned(), expires: claims.exp.map(|exp| exp.0) })
}
