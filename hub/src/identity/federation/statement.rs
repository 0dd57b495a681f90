//! Entity statements: what an entity says of itself (its *entity configuration*), or its superior of it.
//!
//! Source: OpenID Federation 1.0 §3; AgID, entity statements of SPID and CIE.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::FederationError;
use super::jose::algorithm::SigningAlgorithm;
use super::jose::jwk::JwkSet;
use super::jose::jws;
use super::time::{Seconds, check_times};

/// The kind of message (`typ`), which keeps a statement from being taken for a token or a trust mark.
pub const TYPE: &str = "entity-statement+jwt";
/// Most superiors that an entity may name (our choice; in SPID and CIE there is one per federation).
const MAX_HINTS: usize = 10;

/// What a statement says, as far as it matters here.
#[derive(Debug, Clone, Deserialize)]
pub struct Claims {
    /// Who says it.
    pub iss: String,
    /// Of whom.
    pub sub: String,
    /// When it was made.
    pub iat: Seconds,
    /// Until when it holds.
    pub exp: Seconds,
    /// The federation keys of the one it is about.
    #[serde(default)]
    pub jwks: Value,
    /// Whom the entity names as its superiors.
    #[serde(default)]
    pub authority_hints: Vec<String>,
    /// Metadata by entity type.
    #[serde(default)]
    pub metadata: BTreeMap<String, Map<String, Value>>,
    /// The policy on metadata, by entity type.
    #[serde(default)]
    pub metadata_policy: BTreeMap<String, Map<String, Value>>,
    /// Operators of the policy that must be understood.
    #[serde(default)]
    pub metadata_policy_crit: Vec<String>,
    /// Limits on chains.
    #[serde(default)]
    pub constraints: Option<Constraints>,
    /// Claims that must be understood.
    #[serde(default)]
    pub crit: Vec<String>,
    /// Trust marks.
    #[serde(default)]
    pub trust_marks: Vec<Value>,
    /// Who may issue trust marks, by type. Said by an anchor of itself.
    #[serde(default)]
    pub trust_mark_issuers: BTreeMap<String, Vec<String>>,
    /// Types of trust marks that have an owner who delegates. Said by an anchor of itself.
    #[serde(default)]
    pub trust_mark_owners: BTreeMap<String, Value>,
}

/// Limits on chains (OpenID Federation 1.0 §6.2). Constraints that are not known are ignored.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Constraints {
    /// Most intermediates between the one who says so and the entity at the end. There is none in SPID and CIE, so
    /// that every number that reads is kept.
    #[serde(default)]
    pub max_path_length: Option<u32>,
    /// Of which types an entity may be, besides `federation_entity`.
    #[serde(default)]
    pub allowed_entity_types: Option<Vec<String>>,
    /// On which hosts an entity may be.
    #[serde(default)]
    pub naming_constraints: Option<NamingConstraints>,
}

/// On which hosts an entity may be: as in RFC 5280 §4.2.1.10 a name that begins with a dot stands for the hosts below.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct NamingConstraints {
    /// One of these, if there are any.
    #[serde(default)]
    pub permitted: Option<Vec<String>>,
    /// None of these.
    #[serde(default)]
    pub excluded: Vec<String>,
}

/// A statement whose signature, kind and times hold.
#[derive(Debug, Clone)]
pub struct Statement {
    /// As it came.
    pub text: String,
    /// What it says.
    pub claims: Claims,
    /// The keys that it vouches for.
    pub keys: JwkSet,
}

impl Statement {
    /// Reads a statement that one of these keys signed. `now` in seconds.
    pub fn read(text: &str, keys: &JwkSet, now: i64) -> Result<Self, FederationError> {
        let wrong = FederationError::message("an entity statement");
        let read = jws::verify(text, keys, &SigningAlgorithm::ALL).map_err(&wrong)?;
        if !read.header.is_type(TYPE) {
            return Err(wrong(super::jose::JoseError::Type));
        }
        let claims: Claims = read.claims().map_err(&wrong)?;
        check_times(claims.iat, claims.exp, now)?;
        if !claims.crit.is_empty() {
            return Err(FederationError::Rule("a statement has a critical claim that is not understood"));
        }
        if claims.authority_hints.len() > MAX_HINTS {
            return Err(FederationError::Rule("an entity names too many superiors"));
        }
        let keys = JwkSet::from_json(&claims.jwks).map_err(&wrong)?;
        Ok(Self { text: text.to_owned(), claims, keys })
    }

    /// Reads what an entity says of itself: signed by one of `keys`, which come from elsewhere, and by one of those
    /// that it names itself.
    pub fn configuration(text: &str, entity: &str, keys: &JwkSet, now: i64) -> Result<Self, FederationError> {
        let statement = Self::read(text, keys, now)?;
        if statement.claims.iss != entity || statement.claims.sub != entity {
            return Err(FederationError::Rule("an entity configuration is another entity's"));
        }
        jws::verify(text, &statement.keys, &SigningAlgorithm::ALL)
            .map_err(FederationError::message("an entity configuration by its own keys"))?;
        Ok(statement)
    }

    /// An address in the metadata.
    pub fn address(&self, entity_type: &str, parameter: &str) -> Option<&str> {
        self.claims.metadata.get(entity_type)?.get(parameter)?.as_str()
    }
}

impl Constraints {
    /// Whether an entity of a type may be in a chain without intermediates.
    pub fn check(&self, entity: &str, entity_type: &str) -> Result<(), FederationError> {
        if self.allowed_entity_types.as_ref().is_some_and(|types| {
            entity_type != "federation_entity" && !types.iter().any(|t| t == entity_type)
        }) {
            return Err(FederationError::Rule("the anchor allows no entity of this type there"));
        }
        let Some(naming) = &self.naming_constraints else { return Ok(()) };
        let url =
            url::Url::parse(entity).map_err(|_| FederationError::Rule("an entity's name is no address"))?;
        let host = url.host_str().unwrap_or_default();
        let is_under = |name: &String| match name.strip_prefix('.') {
            Some(parent) => {
                host.strip_suffix(parent).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
            }
            None => host == name,
        };
        if naming.excluded.iter().any(is_under)
            || naming.permitted.as_ref().is_some_and(|names| !names.iter().any(is_under))
        {
            return Err(FederationError::Rule("the anchor allows no entity on this host"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_constrained_as_names_of_certificates_are() {
        let check = |permitted: Option<&[&str]>, excluded: &[&str], entity: &str| {
            let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
            let naming = NamingConstraints { permitted: permitted.map(names), excluded: names(excluded) };
            let constraints = Constraints { naming_constraints: Some(naming), ..Constraints::default() };
            constraints.check(entity, "openid_provider").is_ok()
        };
        assert!(check(Some(&[".gov.example"]), &[], "https://op.gov.example/oidc"));
        assert!(!check(Some(&[".gov.example"]), &[], "https://gov.example"));
        assert!(!check(Some(&[".gov.example"]), &[], "https://evilgov.example"));
        assert!(check(Some(&["op.example"]), &[], "https://op.example"));
        assert!(!check(Some(&["op.example"]), &[], "https://a.op.example"));
        assert!(!check(Some(&[]), &[], "https://op.example"));
        assert!(!check(None, &[".op.example"], "https://a.op.example"));
        assert!(check(None, &[".op.example"], "https://op.example"));
    }

    #[test]
    fn types_are_constrained() {
        let constraints: Constraints =
            serde_json::from_str(r#"{ "max_path_length": 1, "allowed_entity_types": ["openid_provider"] }"#)
                .unwrap();
        assert!(constraints.check("https://a.example", "openid_provider").is_ok());
        assert!(constraints.check("https://a.example", "openid_relying_party").is_err());
        assert!(constraints.check("https://a.example", "federation_entity").is_ok());
        assert!(serde_json::from_str::<Constraints>(r#"{ "max_path_length": -1 }"#).is_err());
    }
}
