//! The trust chain of an entity: what it says of itself, what the anchor says of it, and what the anchor says of
//! itself, which begins with keys that the school received out of band.
//!
//! Source: OpenID Federation 1.0 §4 and §10; in SPID and CIE there is no intermediate (AgID, trust chain).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::error::FederationError;
use super::jose::jwk::JwkSet;
use super::policy;
use super::statement::Statement;
use super::trust_mark::{self, TrustMark};

/// An entity that a chain vouches for.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// Its name.
    pub entity: String,
    /// The anchor's name.
    pub anchor: String,
    /// Its metadata of one type, after the anchor's policy.
    pub metadata: Map<String, Value>,
    /// Its metadata as a member of the federation, after the anchor's policy: name and logo.
    pub organization: Map<String, Value>,
    /// Its federation keys, as the anchor vouches for them.
    pub keys: JwkSet,
    /// Its trust marks that hold.
    pub trust_marks: Vec<TrustMark>,
    /// The statements: the entity's own, the anchor's of it, the anchor's own.
    pub statements: [String; 3],
    /// Until when the chain holds, in seconds: the earliest end of its statements.
    pub expires: i64,
}

/// Reads what an anchor says of itself. `pinned` are its keys as they were received out of band.
pub fn read_anchor(
    text: &str,
    entity: &str,
    pinned: &JwkSet,
    now: i64,
) -> Result<Statement, FederationError> {
    Statement::configuration(text, entity, pinned, now)
}

/// Reads what the anchor says of a subordinate.
pub fn read_subordinate(
    text: &str,
    subject: &str,
    anchor: &Statement,
    now: i64,
) -> Result<Statement, FederationError> {
    let statement = Statement::read(text, &anchor.keys, now)?;
    if statement.claims.iss != anchor.claims.sub {
        return Err(FederationError::Rule("a statement is not the anchor's"));
    }
    if statement.claims.sub != subject {
        return Err(FederationError::Rule("the anchor's statement is about another entity"));
    }
    Ok(statement)
}

/// Puts a chain together and checks it. `mark_issuers` are the keys of issuers of trust marks other than the anchor.
pub fn resolve(
    configuration: &str,
    subordinate: &Statement,
    anchor: &Statement,
    entity_type: &str,
    mark_issuers: &BTreeMap<String, JwkSet>,
    now: i64,
) -> Result<Resolved, FederationError> {
    let entity = &subordinate.claims.sub;
    // Its keys are those that the anchor vouches for, not those that it names itself.
    let own = Statement::configuration(configuration, entity, &subordinate.keys, now)?;
    if !own.claims.authority_hints.contains(&anchor.claims.sub) {
        return Err(FederationError::Rule("the entity does not name the anchor as its superior"));
    }
    for constraints in [&anchor.claims.constraints, &subordinate.claims.constraints].into_iter().flatten() {
        constraints.check(entity, entity_type)?;
    }
    let metadata = |kind: &str| narrowed(&own, subordinate, kind);
    let mut issuers = mark_issuers.clone();
    issuers.insert(anchor.claims.sub.clone(), anchor.keys.clone());
    let marks = trust_mark::verified(&own.claims.trust_marks, entity, &anchor.claims, &issuers, now);
    let expires = own.claims.exp.min(subordinate.claims.exp).min(anchor.claims.exp).0;
    Ok(Resolved {
        entity: entity.clone(),
        anchor: anchor.claims.sub.clone(),
        metadata: metadata(entity_type)?.ok_or(FederationError::Rule("an entity is not of that type"))?,
        organization: metadata("federation_entity")?.unwrap_or_default(),
        keys: subordinate.keys.clone(),
        trust_marks: marks,
        statements: [own.text, subordinate.text.clone(), anchor.text.clone()],
        expires,
    })
}

/// What an entity says of itself in one of its types: first what its superior says instead (§6.1.4.2), then the
/// superior's policy.
fn narrowed(
    own: &Statement,
    subordinate: &Statement,
    entity_type: &str,
) -> Result<Option<Map<String, Value>>, FederationError> {
    let Some(said) = own.claims.metadata.get(entity_type) else { return Ok(None) };
    let mut metadata = said.clone();
    if let Some(instead) = subordinate.claims.metadata.get(entity_type) {
        metadata.extend(instead.clone());
    }
    let policy = subordinate.claims.metadata_policy.get(entity_type);
    let critical = &subordinate.claims.metadata_policy_crit;
    let none = Map::new();
    Ok(Some(policy::apply(&metadata, policy.unwrap_or(&none), critical)?))
}
