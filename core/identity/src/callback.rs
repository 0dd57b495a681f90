//! What the browser comes back with (RFC 6749 §4.1.2, RFC 9207).

use ring::digest::{SHA256, digest};
use url::Url;

use crate::error::{LoginError, Unsafe};
use crate::secret::Secret;

/// Longest address that is read (our choice: SPID's codes are a few hundred characters).
const MAX_LENGTH: usize = 32 * 1024;

/// The login that the browser should come back for.
pub struct Expected<'a> {
    /// Ties the answer to the request.
    pub state: &'a str,
    /// Who was asked.
    pub issuer: &'a str,
    /// Where the browser was to come back to.
    pub redirect: &'a str,
}

/// Why an answer gives no code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallbackError {
    /// It is not of this login: anybody can open such an address. The login stays open.
    NotOurs(Unsafe),
    /// It is of this login, which has ended with it.
    Ended(LoginError),
}

/// Reads the answer. Checks in turn: address, `state`, `iss`, repeated parameters, `error`, `code`. What
/// `error_description` says is never read.
pub fn read(callback: &str, expected: &Expected<'_>) -> Result<Secret, CallbackError> {
    if callback.len() > MAX_LENGTH {
        return Err(CallbackError::NotOurs(Unsafe::Callback));
    }
    let url = Url::parse(callback).map_err(|_| CallbackError::NotOurs(Unsafe::Callback))?;
    if without_query(&url) != Url::parse(expected.redirect).ok().as_ref().and_then(without_query) {
        return Err(CallbackError::NotOurs(Unsafe::Callback));
    }
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let one = |name: &str| -> Result<Option<&str>, Unsafe> {
        let mut values = pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let value = values.next();
        if values.next().is_some() { Err(Unsafe::Repeated) } else { Ok(value) }
    };
    let state = one("state").map_err(CallbackError::NotOurs)?;
    if !state.is_some_and(|state| same(state, expected.state)) {
        return Err(CallbackError::NotOurs(Unsafe::State));
    }
    let ended = |why: Unsafe| CallbackError::Ended(why.into());
    if one("iss").map_err(ended)? != Some(expected.issuer) {
        return Err(ended(Unsafe::Issuer));
    }
    if pairs.iter().any(|(name, _)| one(name).is_err()) {
        return Err(ended(Unsafe::Repeated));
    }
    match (one("error").map_err(ended)?, one("code").map_err(ended)?) {
        (Some(_), Some(_)) | (None, None) => Err(ended(Unsafe::Callback)),
        (Some(code), None) => Err(CallbackError::Ended(LoginError::from_code(code))),
        (None, Some("")) => Err(ended(Unsafe::Callback)),
        (None, Some(code)) => Ok(Secret::new(code)),
    }
}

/// The address without what the server adds; a fragment never reaches a server and says nothing.
fn without_query(url: &Url) -> Option<Url> {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    Some(url)
}

/// Compares hashes: the time that it takes says nothing about where two values differ.
fn same(one: &str, other: &str) -> bool {
    digest(&SHA256, one.as_bytes()).as_ref() == digest(&SHA256, other.as_bytes()).as_ref()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ISS: &str = "iss=https%3A%2F%2Fhub.example.it";

    fn expected() -> Expected<'static> {
        Expected {
            state: "Zm9vYmFy-state",
            issuer: "https://hub.example.it",
            redirect: "it.registro.app:/callback",
        }
    }

    fn code(query: &str) -> Result<String, CallbackError> {
        read(&format!("it.registro.app:/callback?{query}"), &expected()).map(|code| code.reveal().to_owned())
    }

    fn ended(why: impl Into<LoginError>) -> Result<String, CallbackError> {
        Err(CallbackError::Ended(why.into()))
    }

    #[test]
    fn a_good_answer_gives_its_code() {
        let query = format!("code=abc%2Fdef&state=Zm9vYmFy-state&{ISS}&session_state=x#_=_");
        assert_eq!(code(&query), Ok("abc/def".to_owned()));
    }

    #[test]
    fn an_answer_that_is_not_of_this_login_leaves_it_open() {
        for query in [
            String::new(),
            format!("code=abc&{ISS}"),
            format!("code=abc&state=&{ISS}"),
            format!("code=abc&state=Zm9vYmFy-statE&{ISS}"),
            format!("code=abc&state=Zm9vYmFy-state2&{ISS}"),
        ] {
            assert_eq!(code(&query), Err(CallbackError::NotOurs(Unsafe::State)), "{query}");
        }
        let twice = format!("code=abc&state=Zm9vYmFy-state&state=Zm9vYmFy-state&{ISS}");
        assert_eq!(code(&twice), Err(CallbackError::NotOurs(Unsafe::Repeated)));
        for other in [
            "it.registro.app:/elsewhere",
            "https://app.registro.example/callback",
            "it.evil.app:/callback",
            "not an address",
        ] {
            let callback = format!("{other}?code=abc&state=Zm9vYmFy-state&{ISS}");
            let refused = read(&callback, &expected()).map(|_| ());
            assert_eq!(refused, Err(CallbackError::NotOurs(Unsafe::Callback)), "{other}");
        }
    }

    #[test]
    fn the_issuer_is_checked_in_success_and_in_error() {
        for end in ["code=abc", "error=access_denied"] {
            for iss in
                ["", "&iss=", "&iss=https%3A%2F%2Fevil.example", "&iss=https%3A%2F%2Fhub.example.it%2F"]
            {
                let query = format!("{end}&state=Zm9vYmFy-state{iss}");
                assert_eq!(code(&query), ended(Unsafe::Issuer), "{query}");
            }
        }
    }

    #[test]
    fn repeated_parameters_end_the_login_whichever_they_are() {
        for query in ["code=a&code=b", "code=a&code=a", "code=a&x=1&x=2", "error=a&error=b"] {
            let query = format!("{query}&state=Zm9vYmFy-state&{ISS}");
            assert_eq!(code(&query), ended(Unsafe::Repeated), "{query}");
        }
        assert_eq!(code(&format!("code=a&state=Zm9vYmFy-state&{ISS}&{ISS}")), ended(Unsafe::Repeated));
    }

    #[test]
    fn errors_are_told_apart_and_their_texts_are_not_read() {
        let error =
            |code_: &str| code(&format!("error={code_}&error_description=canary&state=Zm9vYmFy-state&{ISS}"));
        assert_eq!(error("access_denied"), ended(LoginError::Cancelled));
        assert_eq!(error("temporarily_unavailable"), ended(LoginError::HubUnavailable { retry_after: None }));
        assert_eq!(error("invalid_scope"), ended(LoginError::Misconfigured("invalid_scope")));
        assert_eq!(error("canary"), ended(LoginError::Misconfigured("other")));
        for neither in ["", "code=", "code=a&error=access_denied"] {
            let query = format!("{neither}&state=Zm9vYmFy-state&{ISS}");
            assert_eq!(code(&query), ended(Unsafe::Callback), "{query}");
        }
    }

    proptest! {
        /// No change of one character makes an answer of another login, or of another server, pass.
        #[test]
        fn mutated_answers_pass_only_with_state_and_issuer_intact(index: usize, letter in "[ -~]") {
            let good = format!("it.registro.app:/callback?code=abc&state=Zm9vYmFy-state&{ISS}");
            let index = index % good.len();
            let mutated = format!("{}{letter}{}", &good[..index], &good[index + 1..]);
            if read(&mutated, &expected()).is_ok() {
                let url = Url::parse(&mutated).unwrap();
                let pairs: std::collections::HashMap<_, _> = url.query_pairs().collect();
                prop_assert_eq!(&pairs["state"], "Zm9vYmFy-state");
                prop_assert_eq!(&pairs["iss"], "https://hub.example.it");
            }
        }

        #[test]
        fn noise_is_refused(text in ".{0,300}") {
            prop_assert!(read(&text, &expected()).is_err());
        }
    }
}
