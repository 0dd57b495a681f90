//! What the hub sends to a provider: the signed request of a login, and the assertion that it is the hub who asks.
//!
//! Source: AgID, authorization request and token endpoint; RFC 9101; OpenID Connect Core §9 (`private_key_jwt`).

use ring::digest::{SHA256, digest};
use serde_json::json;
use url::Url;

use super::error::FederationError;
use super::jose::encode;
use super::jose::signer::Signer;
use super::provider::ProviderMetadata;
use super::settings::Scheme;
use crate::caller::Level;

/// The claim that links a login to a person.
pub const FISCAL_NUMBER: &str = "https://attributes.eid.gov.it/fiscal_number";

/// How long a request and an assertion hold, in seconds (our choice; the person has ten minutes at the provider, who
/// reads the request when the browser arrives).
const REQUEST_SECONDS: i64 = 180;
const ASSERTION_SECONDS: i64 = 60;

/// Secrets of one login at a provider. `Debug` does not show them.
#[derive(Clone, PartialEq, Eq)]
pub struct Secrets {
    /// Goes there and back through the browser.
    pub state: String,
    /// Goes there through the browser and comes back in the ID token.
    pub nonce: String,
    /// Never leaves the hub but for the token endpoint (RFC 7636).
    pub verifier: String,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}

impl Secrets {
    /// Of 96 random bytes. In hexadecimal digits: the rules ask for at least 32 letters or digits, and base64url has
    /// others.
    pub fn of(random: &[u8; 96]) -> Self {
        let (state, rest) = random.split_at(32);
        let (nonce, verifier) = rest.split_at(32);
        Self { state: hex(state), nonce: hex(nonce), verifier: hex(verifier) }
    }

    /// What is shown of the verifier before the code is there (S256).
    pub fn challenge(&self) -> String {
        encode(digest(&SHA256, self.verifier.as_bytes()))
    }
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A login as it is asked for.
#[derive(Debug)]
pub struct LoginRequest<'a> {
    /// The hub's name in the federation.
    pub client: &'a str,
    /// Where the browser comes back.
    pub redirect: &'a str,
    /// The provider.
    pub provider: &'a ProviderMetadata,
    /// How surely.
    pub wanted: Level,
    /// In which language, if it is not Italian.
    pub language: Option<&'a str>,
    /// Its secrets.
    pub secrets: &'a Secrets,
    /// Seconds.
    pub now: i64,
}

impl LoginRequest<'_> {
    /// The signed request.
    pub fn sign(&self, signer: &Signer) -> Result<String, FederationError> {
        // Only what links the login to a person is asked for, and no lasting access: the session is the school's.
        let essential = json!({ FISCAL_NUMBER: { "essential": true } });
        let claims = match self.provider.scheme {
            Scheme::Spid => json!({ "userinfo": essential }),
            Scheme::Cie => json!({ "id_token": essential, "userinfo": essential }),
        };
        let mut object = json!({
            "client_id": self.client,
            "iss": self.client,
            "aud": self.provider.issuer,
            "response_type": "code",
            "scope": "openid",
            "redirect_uri": self.redirect,
            "state": self.secrets.state,
            "nonce": self.secrets.nonce,
            "code_challenge": self.secrets.challenge(),
            "code_challenge_method": "S256",
            // On a shared device the provider must not answer with who was there before.
            "prompt": "consent login",
            // One level: below it the hub refuses, above it the provider may go by itself.
            "acr_values": self.wanted.acr(),
            "claims": claims,
            "iat": self.now,
            "exp": self.now + REQUEST_SECONDS,
        });
        if let (Some(language), Some(object)) = (self.language, object.as_object_mut()) {
            object.insert("ui_locales".to_owned(), language.into());
        }
        signer.sign(None, &object).map_err(FederationError::message("the hub's request"))
    }

    /// Where the browser goes: outside the signed request stands what OAuth demands, with the same values.
    pub fn url(&self, signed: &str) -> Url {
        let mut url = self.provider.authorization_endpoint.clone();
        url.query_pairs_mut()
            .append_pair("client_id", self.client)
            .append_pair("response_type", "code")
            .append_pair("scope", "openid")
            .append_pair("code_challenge", &self.secrets.challenge())
            .append_pair("code_challenge_method", "S256")
            .append_pair("request", signed);
        url
    }
}

/// Shows at an endpoint that it is the hub who asks. `id` is used once.
pub fn assertion(
    signer: &Signer,
    client: &str,
    endpoint: &str,
    id: &str,
    now: i64,
) -> Result<String, FederationError> {
    let claims = json!({
        "iss": client, "sub": client, "aud": endpoint, "jti": id, "iat": now, "exp": now + ASSERTION_SECONDS,
    });
    signer.sign(None, &claims).map_err(FederationError::message("the hub's assertion"))
}

/// A form with the assertion in it (RFC 7523 §2.2).
pub fn form(client: &str, assertion: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("client_id", client)
        .append_pair("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        .append_pair("client_assertion", assertion)
        .extend_pairs(fields);
    form.finish().into_bytes()
}
