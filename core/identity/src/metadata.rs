//! What an authorization server says about itself (RFC 8414, OpenID Connect Discovery 1.0), checked before anything
//! is sent to it. A server that lacks what a safe login needs is not used; nothing is ever downgraded.

use registro_sync::http::Transport;
use serde::Deserialize;
use url::Url;

use crate::error::{LoginError, Unsafe};
use crate::jose::Algorithm;

/// Where a server's endpoints may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoints {
    /// On the issuer's own origin: the school's hub.
    OnIssuer,
    /// Anywhere that the transport talks to: other providers spread them over hosts.
    Anywhere,
}

/// What is expected of a server.
pub struct Expected<'a> {
    /// Who it is.
    pub issuer: &'a str,
    /// Where its endpoints may be.
    pub endpoints: Endpoints,
    /// Signatures of ID tokens that are accepted.
    pub algorithms: &'a [Algorithm],
    /// Whether an ID token is asked for.
    pub id_token: bool,
}

/// A server that a login can be tried at.
#[derive(Debug, Clone)]
pub struct Metadata {
    /// Who it is.
    pub issuer: String,
    /// Where the browser goes.
    pub authorization_endpoint: Url,
    /// Where requests are pushed to (RFC 9126).
    pub par_endpoint: String,
    /// Where codes and refresh tokens are redeemed.
    pub token_endpoint: String,
    /// Where tokens are given back (RFC 7009), if it does that.
    pub revocation_endpoint: Option<String>,
    /// Where its keys are.
    pub jwks_uri: Option<String>,
    /// Signatures of ID tokens: those that it offers and that are accepted.
    pub algorithms: Vec<Algorithm>,
    /// The levels that it says it knows; may be empty.
    pub acr_values: Vec<String>,
}

/// Members as they stand there. A member that is there twice makes the document unreadable.
#[derive(Deserialize)]
struct Raw {
    issuer: String,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    pushed_authorization_request_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
    jwks_uri: Option<String>,
    #[serde(default)]
    code_challenge_methods_supported: Vec<String>,
    #[serde(default)]
    dpop_signing_alg_values_supported: Vec<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    id_token_signing_alg_values_supported: Option<Vec<String>>,
    #[serde(default)]
    acr_values_supported: Option<Vec<String>>,
}

/// Where the metadata may be, in the order in which it is looked for: behind the issuer (OpenID Connect Discovery
/// §4), and between its host and its path (RFC 8414 §3.1).
pub fn locations(issuer: &Url) -> Vec<String> {
    let path = issuer.path().trim_end_matches('/');
    let mut base = issuer.clone();
    base.set_query(None);
    base.set_fragment(None);
    base.set_path("");
    let base = base.as_str().trim_end_matches('/');
    let mut locations = vec![
        format!("{base}{path}/.well-known/openid-configuration"),
        format!("{base}/.well-known/oauth-authorization-server{path}"),
    ];
    if !path.is_empty() {
        locations.push(format!("{base}/.well-known/openid-configuration{path}"));
        locations.push(format!("{base}{path}/.well-known/oauth-authorization-server"));
    }
    locations
}

impl Metadata {
    /// Reads and checks a document.
    ///
    /// # Errors
    /// [`Unsafe::Metadata`] if it does not read or is another issuer's, letter by letter (RFC 8414 §3.3);
    /// [`Unsafe::Unsupported`] if something is missing; [`Unsafe::Endpoint`] if an address is not where it may be.
    pub fn read(json: &[u8], expected: &Expected<'_>, transport: &Transport) -> Result<Self, LoginError> {
        let raw: Raw = serde_json::from_slice(json).map_err(|_| Unsafe::Metadata)?;
        if raw.issuer != expected.issuer {
            return Err(Unsafe::Metadata.into());
        }
        let origin = transport.address(expected.issuer)?.origin();
        let endpoint = |text: &str| -> Result<Url, LoginError> {
            let url = transport.address(text)?;
            let allowed = expected.endpoints == Endpoints::Anywhere || url.origin() == origin;
            // RFC 6749 §3.1 and §3.2: an endpoint has no fragment.
            if allowed && url.fragment().is_none() { Ok(url) } else { Err(Unsafe::Endpoint.into()) }
        };
        let needed =
            |text: Option<String>| -> Result<Url, LoginError> { endpoint(&text.ok_or(Unsafe::Unsupported)?) };
        let has = |list: &[String], name: &str| list.iter().any(|listed| listed == name);
        let supported = has(&raw.code_challenge_methods_supported, "S256")
            && has(&raw.dpop_signing_alg_values_supported, "ES256")
            && raw.authorization_response_iss_parameter_supported;
        if !supported {
            return Err(Unsafe::Unsupported.into());
        }
        let offered = raw.id_token_signing_alg_values_supported;
        // A server that says nothing about ID tokens may still issue them: then only the list of ours counts.
        let algorithms = expected
            .algorithms
            .iter()
            .copied()
            .filter(|algorithm| offered.as_ref().is_none_or(|offered| has(offered, algorithm.name())));
        let algorithms: Vec<_> = algorithms.collect();
        let jwks_uri = raw.jwks_uri.map(|uri| endpoint(&uri)).transpose()?;
        if expected.id_token && (algorithms.is_empty() || jwks_uri.is_none()) {
            return Err(Unsafe::Unsupported.into());
        }
        Ok(Self {
            authorization_endpoint: needed(raw.authorization_endpoint)?,
            par_endpoint: needed(raw.pushed_authorization_request_endpoint)?.into(),
            token_endpoint: needed(raw.token_endpoint)?.into(),
            revocation_endpoint: raw.revocation_endpoint.map(|e| endpoint(&e)).transpose()?.map(String::from),
            jwks_uri: jwks_uri.map(String::from),
            issuer: raw.issuer,
            algorithms,
            acr_values: raw.acr_values_supported.unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use registro_sync::http::TransportOptions;
    use serde_json::{Value, json};

    use super::*;

    const ISSUER: &str = "https://hub.example.it";

    fn document() -> Value {
        json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://hub.example.it/oauth/authorize?theme=school",
            "token_endpoint": "https://hub.example.it/oauth/token",
            "pushed_authorization_request_endpoint": "https://hub.example.it/oauth/par",
            "revocation_endpoint": "https://hub.example.it/oauth/revoke",
            "jwks_uri": "https://hub.example.it/oauth/jwks",
            "code_challenge_methods_supported": ["plain", "S256"],
            "dpop_signing_alg_values_supported": ["RS256", "ES256"],
            "authorization_response_iss_parameter_supported": true,
            "id_token_signing_alg_values_supported": ["none", "HS256", "RS256", "ES256"],
            "something_new": {"of": ["a", "later", "standard"]},
        })
    }

    fn read(document: &[u8], endpoints: Endpoints) -> Result<Metadata, LoginError> {
        let transport = Transport::new(TransportOptions::default()).unwrap();
        let expected = Expected { issuer: ISSUER, endpoints, algorithms: &Algorithm::ALL, id_token: true };
        Metadata::read(document, &expected, &transport)
    }

    fn changed(change: impl Fn(&mut Value)) -> Result<Metadata, LoginError> {
        let mut document = document();
        change(&mut document);
        read(document.to_string().as_bytes(), Endpoints::OnIssuer)
    }

    #[test]
    fn algorithms_are_what_both_sides_know() {
        let metadata = changed(|_| {}).unwrap();
        assert_eq!(metadata.algorithms, [Algorithm::Es256, Algorithm::Rs256]);
        let silent =
            changed(|d| _ = d.as_object_mut().unwrap().remove("id_token_signing_alg_values_supported"));
        assert_eq!(silent.unwrap().algorithms, Algorithm::ALL);
    }

    #[test]
    fn a_server_without_what_a_safe_login_needs_is_not_used() {
        let absent = |name: &str| {
            changed(|document| {
                document.as_object_mut().unwrap().remove(name);
            })
        };
        for name in [
            "authorization_endpoint",
            "token_endpoint",
            "pushed_authorization_request_endpoint",
            "jwks_uri",
            "code_challenge_methods_supported",
            "dpop_signing_alg_values_supported",
            "authorization_response_iss_parameter_supported",
        ] {
            assert_eq!(absent(name).unwrap_err(), Unsafe::Unsupported.into(), "{name}");
        }
        assert!(absent("revocation_endpoint").unwrap().revocation_endpoint.is_none());
        let unsupported: [(&str, Value); 4] = [
            ("code_challenge_methods_supported", json!(["plain"])),
            ("dpop_signing_alg_values_supported", json!(["RS256"])),
            ("authorization_response_iss_parameter_supported", json!(false)),
            ("id_token_signing_alg_values_supported", json!(["none", "HS256"])),
        ];
        for (name, value) in unsupported {
            assert_eq!(
                changed(|d| d[name] = value.clone()).unwrap_err(),
                Unsafe::Unsupported.into(),
                "{name}"
            );
        }
    }

    #[test]
    fn the_issuer_is_the_one_that_was_asked_letter_by_letter() {
        for other in ["https://hub.example.it/", "https://HUB.example.it", "https://evil.example", ""] {
            assert_eq!(changed(|d| d["issuer"] = other.into()).unwrap_err(), Unsafe::Metadata.into());
        }
    }

    #[test]
    fn endpoints_are_where_they_may_be() {
        let elsewhere = "https://login.elsewhere.example/token";
        assert_eq!(changed(|d| d["token_endpoint"] = elsewhere.into()).unwrap_err(), Unsafe::Endpoint.into());
        let mut document = document();
        document["token_endpoint"] = elsewhere.into();
        let spread = read(document.to_string().as_bytes(), Endpoints::Anywhere).unwrap();
        assert_eq!(spread.token_endpoint, elsewhere);
        for never in
            ["http://hub.example.it/token", "http://127.0.0.1/token", "javascript:alert(1)", "/token"]
        {
            document["token_endpoint"] = never.into();
            let refused = read(document.to_string().as_bytes(), Endpoints::Anywhere);
            assert_eq!(refused.unwrap_err(), Unsafe::Endpoint.into(), "{never}");
        }
    }

    #[test]
    fn a_member_that_is_there_twice_makes_it_unreadable() {
        let text = document().to_string();
        let twice = text.replacen('{', r#"{"issuer":"https://evil.example","#, 1);
        assert_eq!(read(twice.as_bytes(), Endpoints::OnIssuer).unwrap_err(), Unsafe::Metadata.into());
    }

    #[test]
    fn it_is_looked_for_where_either_standard_says() {
        let locations = |issuer| super::locations(&Url::parse(issuer).unwrap());
        assert_eq!(
            locations("https://hub.example.it"),
            [
                "https://hub.example.it/.well-known/openid-configuration",
                "https://hub.example.it/.well-known/oauth-authorization-server",
            ]
        );
        assert_eq!(
            locations("https://id.example/tenant/"),
            [
                "https://id.example/tenant/.well-known/openid-configuration",
                "https://id.example/.well-known/oauth-authorization-server/tenant",
                "https://id.example/.well-known/openid-configuration/tenant",
                "https://id.example/tenant/.well-known/oauth-authorization-server",
            ]
        );
    }

    proptest! {
        /// Whatever is changed in a good document, reading it ends, and what it gives is of the right issuer.
        #[test]
        fn mutated_documents_never_pass_for_another_issuers(index: usize, byte: u8) {
            let mut text = document().to_string().into_bytes();
            let index = index % text.len();
            text[index] = byte;
            if let Ok(metadata) = read(&text, Endpoints::OnIssuer) {
                prop_assert_eq!(metadata.issuer, ISSUER);
                prop_assert!(metadata.token_endpoint.starts_with("https://hub.example.it/"));
            }
        }

        #[test]
        fn noise_is_no_metadata(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(read(&bytes, Endpoints::OnIssuer).is_err());
        }
    }
}
