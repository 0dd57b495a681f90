//! What the hub says of itself: its entity configuration, and the answers of its resolve endpoint.
//!
//! Source: OpenID Federation 1.0 §3, §8.3 and §9; AgID, metadata of a relying party.

use serde_json::{Value, json};

use super::chain::Resolved;
use super::error::FederationError;
use super::jose::algorithm::{ContentEncryption, KeyEncryption, SigningAlgorithm};
use super::keys::FederationKeys;
use super::settings::FederationSettings;
use super::statement;
use super::trust_mark::TrustMark;

/// How long the hub's statements hold, in seconds. Whoever has a chain with one asks again after that (AgID asks for
/// a daily renewal; two days bridge a day on which the hub is off).
const HOLDS: i64 = 48 * 3600;

/// The hub as an entity.
#[derive(Debug, Clone)]
pub struct OwnEntity {
    /// Its name.
    pub name: String,
}

impl OwnEntity {
    /// The entity of a hub with this address.
    pub fn new(issuer: &str, settings: &FederationSettings) -> Self {
        let name = match &settings.ipa_code {
            Some(code) => format!("{issuer}/{code}"),
            None => issuer.to_owned(),
        };
        Self { name }
    }

    /// Where browsers come back from providers.
    pub fn redirect(&self) -> String {
        format!("{}/federation/callback", self.name)
    }

    /// What the hub says of itself, signed.
    pub fn configuration(
        &self,
        settings: &FederationSettings,
        keys: &FederationKeys,
        marks: &[TrustMark],
        now: i64,
    ) -> Result<String, FederationError> {
        let hints: Vec<&str> = settings.anchors.iter().map(|anchor| anchor.entity.as_str()).collect();
        // Under both names of the type, as the Italian rules and the final specification differ.
        let marks: Vec<Value> = marks
            .iter()
            .map(|mark| json!({ "id": mark.kind, "trust_mark_type": mark.kind, "trust_mark": mark.text }))
            .collect();
        let claims = json!({
            "iss": self.name,
            "sub": self.name,
            "iat": now,
            "exp": now + HOLDS,
            "jwks": keys.federation_public(),
            "authority_hints": hints,
            "trust_marks": marks,
            "metadata": {
                "federation_entity": {
                    "organization_name": settings.organization,
                    "homepage_uri": settings.homepage,
                    "policy_uri": settings.policy,
                    "logo_uri": settings.logo,
                    "contacts": settings.contacts,
                    "federation_resolve_endpoint": format!("{}/resolve", self.name),
                },
                "openid_relying_party": {
                    "application_type": "web",
                    "client_id": self.name,
                    "client_name": settings.organization,
                    "organization_name": settings.organization,
                    "contacts": settings.contacts,
                    "client_registration_types": ["automatic"],
                    "redirect_uris": [self.redirect()],
                    "response_types": ["code"],
                    "grant_types": ["authorization_code"],
                    "subject_type": "pairwise",
                    "token_endpoint_auth_method": "private_key_jwt",
                    "id_token_signed_response_alg": SigningAlgorithm::Rs256.name(),
                    "userinfo_signed_response_alg": SigningAlgorithm::Rs256.name(),
                    "userinfo_encrypted_response_alg": KeyEncryption::RsaOaep256.name(),
                    "userinfo_encrypted_response_enc": ContentEncryption::A256CbcHs512.name(),
                    "jwks": keys.core_public(),
                },
            },
        });
        keys.federation()?
            .sign(Some(statement::TYPE), &claims)
            .map_err(FederationError::message("the hub's entity configuration"))
    }

    /// What the hub knows of a provider, signed.
    pub fn resolve_answer(
        &self,
        keys: &FederationKeys,
        resolved: &Resolved,
        entity_type: &str,
        now: i64,
    ) -> Result<String, FederationError> {
        let marks: Vec<Value> = resolved
            .trust_marks
            .iter()
            .map(|mark| json!({ "id": mark.kind, "trust_mark_type": mark.kind, "trust_mark": mark.text }))
            .collect();
        let claims = json!({
            "iss": self.name,
            "sub": resolved.entity,
            "iat": now,
            "exp": resolved.expires,
            "metadata": { entity_type: resolved.metadata, "federation_entity": resolved.organization },
            "trust_marks": marks,
            "trust_chain": resolved.statements,
        });
        keys.federation()?
            .sign(Some("resolve-response+jwt"), &claims)
            .map_err(FederationError::message("the hub's resolve answer"))
    }
}
