//! What an app asked for, checked: it travels from the pushed request through the login into the code.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use url::Url;

use super::failure::OAuthError;
use super::form::Parameters;
use super::{clients, scope};
use crate::caller::Level;
use crate::identity::interaction::Method;

/// Longest `state` and `nonce`; ours have 43 characters.
const MAX_OPAQUE: usize = 512;

/// An authorization request that has passed every check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    /// The app.
    pub client: String,
    /// Where the browser goes afterwards, one of the app's registered addresses.
    pub redirect: String,
    /// What is asked for, known words only.
    pub scope: String,
    /// Given back unchanged (RFC 6749 §10.12).
    pub state: Option<String>,
    /// Put into the ID token unchanged (OpenID Connect Core §3.1.2.1).
    pub nonce: Option<String>,
    /// SHA-256 of the verifier in base64url (RFC 7636 §4.2).
    pub challenge: String,
    /// Thumbprint of the key that the code is bound to, in base64url (RFC 9449 §10).
    pub thumbprint: String,
    /// The least level that will do.
    pub wanted: Level,
    /// The way that the person already chose in the app.
    pub method: Option<Method>,
    /// `it` or `en`, if the app said so.
    pub language: Option<String>,
}

impl AuthorizationRequest {
    /// Checks what an app pushed. `proven`: thumbprint of the key of the proof that came with it. `claimed`: the
    /// school's app links; `api`: the one resource.
    pub fn check(
        asked: &Parameters,
        proven: Option<String>,
        claimed: &[Url],
        api: &str,
    ) -> Result<Self, OAuthError> {
        let client = asked.get("client_id").filter(|client| clients::is_known(client));
        let client = client.ok_or(OAuthError::invalid_client("the app is unknown"))?;
        if asked.get("request").is_some() {
            return Err(OAuthError::request_not_supported("request objects are not taken"));
        }
        if asked.get("request_uri").is_some() {
            return Err(OAuthError::invalid_request("a pushed request names no other (RFC 9126 §2.1)"));
        }
        let redirect = asked.get("redirect_uri").filter(|redirect| clients::may_return_to(redirect, claimed));
        let redirect = redirect.ok_or(OAuthError::invalid_request("the redirect_uri is not registered"))?;
        if asked.get("response_type") != Some("code") {
            return Err(OAuthError::unsupported_response_type("the response_type is code"));
        }
        if asked.get("response_mode").is_some_and(|mode| mode != "query") {
            return Err(OAuthError::invalid_request("the response_mode is query"));
        }
        if asked.get("prompt").is_some_and(|prompt| prompt.split(' ').any(|word| word == "none")) {
            return Err(OAuthError::login_required("the person is always asked"));
        }
        if asked.get("resource").is_some_and(|resource| resource != api) {
            return Err(OAuthError::invalid_target("the resource is unknown"));
        }
        Ok(Self {
            client: client.to_owned(),
            redirect: redirect.to_owned(),
            scope: scope::read(asked.get("scope"))?,
            state: asked.at_most("state", MAX_OPAQUE)?.map(str::to_owned),
            nonce: asked.at_most("nonce", MAX_OPAQUE)?.map(str::to_owned),
            challenge: challenge(asked)?,
            thumbprint: thumbprint(asked, proven)?,
            wanted: wanted(asked.get("acr_values"))?,
            method: method(asked.get("login_method"))?,
            language: asked.get("ui_locales").and_then(language).map(str::to_owned),
        })
    }
}

/// PKCE with S256 and nothing else (RFC 9700 §2.1.1).
fn challenge(asked: &Parameters) -> Result<String, OAuthError> {
    if asked.get("code_challenge_method") != Some("S256") {
        return Err(OAuthError::invalid_request("the code_challenge_method is S256"));
    }
    asked
        .get("code_challenge")
        .filter(|challenge| is_hash(challenge))
        .map(str::to_owned)
        .ok_or(OAuthError::invalid_request("a code_challenge is needed: SHA-256 in base64url"))
}

/// The key that the code is bound to: that of the proof, or the one named; if both are there they agree
/// (RFC 9449 §10.1).
fn thumbprint(asked: &Parameters, proven: Option<String>) -> Result<String, OAuthError> {
    match (proven, asked.get("dpop_jkt")) {
        (Some(proven), Some(named)) if proven != named => {
            Err(OAuthError::invalid_dpop_proof("dpop_jkt is not the key of the proof"))
        }
        (Some(proven), _) => Ok(proven),
        (None, Some(named)) if is_hash(named) => Ok(named.to_owned()),
        (None, _) => Err(OAuthError::invalid_dpop_proof("a proof is needed, or dpop_jkt")),
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == 43 && URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == 32)
}

/// The least of the levels that will do. Unknown ones are refused, so that nobody believes to have asked for more.
fn wanted(acr_values: Option<&str>) -> Result<Level, OAuthError> {
    let mut wanted = None;
    for acr in acr_values.unwrap_or_default().split(' ').filter(|acr| !acr.is_empty()) {
        let level = Level::of_acr(acr).ok_or(OAuthError::invalid_request("an acr_values is unknown"))?;
        wanted = Some(wanted.map_or(level, |least: Level| least.min(level)));
    }
    Ok(wanted.unwrap_or(Level::L1))
}

fn method(named: Option<&str>) -> Result<Option<Method>, OAuthError> {
    named
        .map(|named| {
            let known = Method::ALL.into_iter().find(|method| method.as_str() == named);
            known.ok_or(OAuthError::invalid_request("the login_method is unknown"))
        })
        .transpose()
}

/// The first language that the pages speak (OpenID Connect Core §3.1.2.1).
fn language(locales: &str) -> Option<&'static str> {
    locales.split(' ').find_map(|locale| {
        let primary = locale.split('-').next().unwrap_or_default();
        ["it", "en"].into_iter().find(|known| primary.eq_ignore_ascii_case(known))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    const GOOD: [(&str, &str); 9] = [
        ("client_id", "it.registro.app"),
        ("redirect_uri", "http://127.0.0.1:4000/callback"),
        ("response_type", "code"),
        ("scope", "openid offline_access register"),
        ("state", "s"),
        ("nonce", "n"),
        ("code_challenge", HASH),
        ("code_challenge_method", "S256"),
        ("prompt", "consent"),
    ];

    fn check(change: &[(&str, &str)]) -> Result<AuthorizationRequest, &'static str> {
        let changed = |name: &str| change.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in GOOD {
            form.append_pair(name, changed(name).unwrap_or(value));
        }
        for (name, value) in change.iter().filter(|(name, _)| GOOD.iter().all(|(known, _)| known != name)) {
            form.append_pair(name, value);
        }
        let asked = Parameters::read(form.finish().as_bytes()).unwrap();
        AuthorizationRequest::check(&asked, Some(HASH.to_owned()), &[], "https://hub.example/v1")
            .map_err(|error| error.code())
    }

    #[test]
    fn a_good_request_passes_and_every_change_that_matters_is_refused() {
        assert_eq!(check(&[]).unwrap().wanted, Level::L1);
        let long = "x".repeat(513);
        for (name, value, code) in [
            ("client_id", "other.app", "invalid_client"),
            ("client_id", "", "invalid_client"),
            ("redirect_uri", "http://127.0.0.1:4000/other", "invalid_request"),
            ("redirect_uri", "", "invalid_request"),
            ("response_type", "token", "unsupported_response_type"),
            ("response_type", "code id_token", "unsupported_response_type"),
            ("response_mode", "fragment", "invalid_request"),
            ("scope", "openid profile", "invalid_scope"),
            ("state", &long, "invalid_request"),
            ("nonce", &long, "invalid_request"),
            ("code_challenge", "", "invalid_request"),
            ("code_challenge", "short", "invalid_request"),
            ("code_challenge_method", "plain", "invalid_request"),
            ("code_challenge_method", "", "invalid_request"),
            ("prompt", "none", "login_required"),
            ("resource", "https://other.example/v1", "invalid_target"),
            ("request", "eyJ", "request_not_supported"),
            ("request_uri", "urn:x", "invalid_request"),
            ("dpop_jkt", "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I", "invalid_dpop_proof"),
            ("acr_values", "https://www.spid.gov.it/SpidL4", "invalid_request"),
            ("login_method", "saml", "invalid_request"),
        ] {
            assert_eq!(check(&[(name, value)]), Err(code), "{name}={value}");
        }
    }

    #[test]
    fn the_least_of_the_levels_that_will_do_is_wanted() {
        let wanted = |values: &str| check(&[("acr_values", values)]).unwrap().wanted;
        assert_eq!(wanted(Level::L3.acr()), Level::L3);
        assert_eq!(wanted(&format!("{} {}", Level::L3.acr(), Level::L2.acr())), Level::L2);
    }

    #[test]
    fn the_app_may_name_language_and_way() {
        let request = check(&[("ui_locales", "de en-GB it"), ("login_method", "cie")]).unwrap();
        assert_eq!((request.language.as_deref(), request.method), (Some("en"), Some(Method::Cie)));
    }
}
