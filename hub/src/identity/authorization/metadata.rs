//! What the hub says of itself (RFC 8414, OpenID Connect Discovery §3).

use serde_json::{Value, json};

use super::scope;
use crate::caller::Level;
use crate::identity::issuer::Issuer;

/// The document that stands at both well-known addresses.
pub fn document(issuer: &Issuer) -> Value {
    let acrs: Vec<_> = Level::ALL.into_iter().map(Level::acr).collect();
    json!({
        "issuer": issuer.as_str(),
        "authorization_endpoint": issuer.at("/oauth/authorize"),
        "token_endpoint": issuer.at("/oauth/token"),
        "pushed_authorization_request_endpoint": issuer.at("/oauth/par"),
        "require_pushed_authorization_requests": true,
        "revocation_endpoint": issuer.at("/oauth/revoke"),
        "introspection_endpoint": issuer.at("/oauth/introspect"),
        "jwks_uri": issuer.at("/oauth/jwks"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic"],
        "dpop_signing_alg_values_supported": ["ES256"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "authorization_response_iss_parameter_supported": true,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "claims_parameter_supported": false,
        "subject_types_supported": ["public"],
        "scopes_supported": scope::ALL,
        "acr_values_supported": acrs,
        "claims_supported": ["sub", "acr", "auth_time"],
        "ui_locales_supported": ["it", "en"],
    })
}
