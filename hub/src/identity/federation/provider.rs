//! An identity provider as its chain describes it (AgID, metadata of an OpenID provider; OpenID Connect Discovery §3).

use serde_json::{Map, Value};
use url::Url;

use super::chain::Resolved;
use super::error::FederationError;
use super::jose::algorithm::SigningAlgorithm;
use super::jose::jwk::JwkSet;
use super::settings::Scheme;

/// The entity type of identity providers.
pub const TYPE: &str = "openid_provider";

/// Where a provider's keys for tokens stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CoreKeys {
    /// In the metadata.
    Inline(JwkSet),
    /// At an address, signed with the provider's federation keys (`signed_jwks_uri`).
    Signed(String),
    /// At an address (`jwks_uri`).
    Plain(String),
}

/// What the hub needs to know of a provider.
#[derive(Debug, Clone)]
pub struct ProviderMetadata {
    /// Its name in the federation and as an issuer.
    pub issuer: String,
    /// Whose identities.
    pub scheme: Scheme,
    /// Where browsers are sent.
    pub authorization_endpoint: Url,
    /// Where a code becomes tokens.
    pub token_endpoint: String,
    /// Who it was.
    pub userinfo_endpoint: String,
    /// Where a token is given back.
    pub revocation_endpoint: Option<String>,
    /// Its keys for tokens.
    pub keys: CoreKeys,
    /// With what it may sign ID tokens.
    pub id_token_algorithms: Vec<SigningAlgorithm>,
    /// With what it may sign who it was.
    pub userinfo_algorithms: Vec<SigningAlgorithm>,
    /// Its name for people.
    pub name: String,
    /// Its logo.
    pub logo: Option<Url>,
}

impl ProviderMetadata {
    /// Reads the metadata of a chain. `is_address` says whether the hub talks to an address.
    pub fn read(
        resolved: &Resolved,
        scheme: Scheme,
        is_address: &dyn Fn(&str) -> bool,
    ) -> Result<Self, FederationError> {
        let metadata = &resolved.metadata;
        if text(metadata, "issuer") != Some(&resolved.entity) {
            return Err(FederationError::Rule("a provider's issuer is not its name"));
        }
        let address = |parameter: &str, missing: &'static str| {
            let found = text(metadata, parameter).filter(|address| is_address(address));
            found.map(str::to_owned).ok_or(FederationError::Rule(missing))
        };
        let demand = |parameter: &str, value: &str, missing: &'static str| match list(metadata, parameter) {
            Some(list) if !list.contains(&value) => Err(FederationError::Rule(missing)),
            _ => Ok(()),
        };
        demand("response_types_supported", "code", "a provider gives no codes")?;
        demand("code_challenge_methods_supported", "S256", "a provider knows no code challenge")?;
        demand(
            "token_endpoint_auth_methods_supported",
            "private_key_jwt",
            "a provider does not let the hub authenticate by its key",
        )?;
        demand("client_registration_types_supported", "automatic", "a provider wants to be asked first")?;
        let authorization =
            address("authorization_endpoint", "a provider has no usable authorization endpoint")?;
        let optional = |parameter: &str| text(metadata, parameter).filter(|address| is_address(address));
        let keys = match metadata.get("jwks") {
            Some(jwks) => CoreKeys::Inline(
                JwkSet::from_json(jwks).map_err(FederationError::message("a provider's keys"))?,
            ),
            None => match (optional("signed_jwks_uri"), optional("jwks_uri")) {
                (Some(address), _) => CoreKeys::Signed(address.to_owned()),
                (None, Some(address)) => CoreKeys::Plain(address.to_owned()),
                (None, None) => return Err(FederationError::Rule("a provider has no keys")),
            },
        };
        let name = ["organization_name", "op_name"]
            .iter()
            .find_map(|parameter| {
                text(&resolved.organization, parameter).or_else(|| text(metadata, parameter))
            })
            .unwrap_or(&resolved.entity);
        let logo = text(&resolved.organization, "logo_uri").or_else(|| text(metadata, "logo_uri"));
        Ok(Self {
            issuer: resolved.entity.clone(),
            scheme,
            authorization_endpoint: Url::parse(&authorization)
                .map_err(|_| FederationError::Rule("a provider has no usable authorization endpoint"))?,
            token_endpoint: address("token_endpoint", "a provider has no usable token endpoint")?,
            userinfo_endpoint: address("userinfo_endpoint", "a provider has no usable userinfo endpoint")?,
            revocation_endpoint: optional("revocation_endpoint").map(str::to_owned),
            keys,
            id_token_algorithms: algorithms(metadata, "id_token_signing_alg_values_supported"),
            userinfo_algorithms: algorithms(metadata, "userinfo_signing_alg_values_supported"),
            name: name.chars().take(100).collect(),
            logo: logo.and_then(|logo| Url::parse(logo).ok()).filter(|logo| logo.scheme() == "https"),
        })
    }
}

fn text<'a>(metadata: &'a Map<String, Value>, parameter: &str) -> Option<&'a str> {
    metadata.get(parameter)?.as_str()
}

fn list<'a>(metadata: &'a Map<String, Value>, parameter: &str) -> Option<Vec<&'a str>> {
    Some(metadata.get(parameter)?.as_array()?.iter().filter_map(Value::as_str).collect())
}

/// The algorithms that the provider names and the hub allows; all that the hub allows if it names none.
fn algorithms(metadata: &Map<String, Value>, parameter: &str) -> Vec<SigningAlgorithm> {
    match list(metadata, parameter) {
        Some(names) => names.into_iter().filter_map(SigningAlgorithm::named).collect(),
        None => SigningAlgorithm::ALL.to_vec(),
    }
}
