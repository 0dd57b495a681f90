//! ID tokens and userinfo: what a hub believes of a login, and what it refuses.

#![allow(clippy::unwrap_used)] // also outside the test functions themselves

mod federation_world;

use federation_world::*;
use registro_hub::Level;
use registro_hub::identity::federation::error::FederationError;
use registro_hub::identity::federation::jose::algorithm::SigningAlgorithm;
use registro_hub::identity::federation::jose::jwe::DecryptionKey;
use registro_hub::identity::federation::jose::jwk::JwkSet;
use registro_hub::identity::federation::jose::{JoseError, encode, signer};
use registro_hub::identity::federation::tokens::{
    Expected, IdToken, TokenError, Userinfo, half_hash, id_token, userinfo,
};
use serde_json::{Value, json};

const PROVIDER: &str = "https://op.example/oidc";
const HUB: &str = "https://hub.example";
const NONCE: &str = "0123456789abcdef0123456789abcdef";
const ACCESS: &str = "access-token";
const NOW: i64 = 1_795_000_000;
const FISCAL: &str = "https://attributes.eid.gov.it/fiscal_number";

fn claims() -> Value {
    json!({
        "iss": PROVIDER, "sub": "pairwise", "aud": HUB, "acr": "https://www.spid.gov.it/SpidL2",
        "at_hash": at_hash(ACCESS), "iat": NOW, "nbf": NOW, "exp": NOW + 300, "jti": "1", "nonce": NONCE,
    })
}

fn expected<'a>(keys: &'a JwkSet, own_keys: &'a [DecryptionKey]) -> Expected<'a> {
    Expected {
        issuer: PROVIDER,
        client: HUB,
        nonce: NONCE,
        access_token: ACCESS,
        wanted: Level::L2,
        keys,
        own_keys,
        now: NOW,
    }
}

fn checked(text: &str) -> Result<IdToken, TokenError> {
    id_token(text, &SigningAlgorithm::ALL, &expected(&key(Who::ProviderCore).set(), &[]))
}

fn header() -> Value {
    json!({ "alg": "RS256" })
}

/// The honest token with one claim changed; `null` takes it away.
fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    claims
}

#[test]
fn an_honest_id_token_is_believed_in_all_the_forms_that_the_rules_allow() {
    let core = key(Who::ProviderCore);
    for (name, value) in [
        ("aud", json!([HUB])),
        ("azp", json!(HUB)),
        ("nbf", Value::Null),
        ("exp", json!(NOW as f64 + 300.5)),
        ("iat", json!(NOW + 59)),
        ("exp", json!(NOW + 1)),
        ("acr", json!("https://www.spid.gov.it/SpidL3")),
        ("unheard", json!({ "of": 1 })),
    ] {
        let mut claims = with(name, value.clone());
        if name == "iat" {
            claims["nbf"] = json!(NOW);
        }
        let read =
            checked(&core.sign(header(), &claims)).unwrap_or_else(|error| panic!("{name} {value}: {error}"));
        assert_eq!(read.subject, "pairwise");
    }
    assert_eq!(
        checked(&core.sign(json!({ "alg": "RS256", "typ": "JWT" }), &claims())).unwrap().level,
        Level::L2
    );
}

#[test]
fn an_id_token_with_a_wrong_claim_is_refused() {
    for (name, value) in [
        ("iss", json!("https://op.example")),
        ("iss", Value::Null),
        ("sub", json!("")),
        ("sub", Value::Null),
        ("aud", json!("https://other.example")),
        ("aud", json!([HUB, "https://other.example"])),
        ("aud", json!([])),
        ("aud", Value::Null),
        ("azp", json!("https://other.example")),
        ("exp", json!(NOW - 60)),
        ("exp", Value::Null),
        ("iat", json!(NOW + 61)),
        ("iat", Value::Null),
        ("nbf", json!(NOW + 61)),
        ("nonce", json!("fedcba9876543210fedcba9876543210")),
        ("nonce", json!("")),
        ("nonce", json!(NONCE.to_uppercase())),
        ("nonce", Value::Null),
        ("at_hash", json!(at_hash("another"))),
        ("at_hash", json!("")),
        ("at_hash", Value::Null),
        ("acr", Value::Null),
    ] {
        let outcome = checked(&key(Who::ProviderCore).sign(header(), &with(name, value.clone())));
        assert!(matches!(outcome, Err(TokenError::Other(_))), "{name} {value}: {outcome:?}");
    }
    for acr in
        ["https://www.spid.gov.it/SpidL1", "https://www.spid.gov.it/SpidL4", "SpidL3", "", "urn:mace:loa4"]
    {
        let outcome = checked(&key(Who::ProviderCore).sign(header(), &with("acr", json!(acr))));
        assert!(matches!(outcome, Err(TokenError::Level)), "{acr}: {outcome:?}");
    }
}

#[test]
fn an_id_token_that_is_not_signed_by_the_providers_key_for_it_is_refused() {
    let core = key(Who::ProviderCore);
    let unsigned = |alg: &str| {
        format!(
            "{}.{}.",
            encode(json!({ "alg": alg, "kid": core.kid() }).to_string()),
            encode(claims().to_string())
        )
    };
    let why = |outcome: Result<IdToken, TokenError>| match outcome {
        Err(TokenError::Other(FederationError::Message { why, .. })) => why,
        other => panic!("{other:?}"),
    };
    let swapped = json!({ "alg": "RS256", "kid": key(Who::Provider).kid() });
    for (text, expected) in [
        (unsigned("none"), JoseError::Algorithm),
        (unsigned("NONE"), JoseError::Algorithm),
        (unsigned("RS256"), JoseError::Signature),
        (core.sign_with_public_key(&claims()), JoseError::Algorithm),
        (core.sign(json!({ "alg": "RS512" }), &claims()), JoseError::Signature),
        (core.sign(json!({ "alg": "ES256" }), &claims()), JoseError::KeyUnfit),
        (core.sign(swapped, &claims()), JoseError::KeyUnknown),
        (key(Who::Provider).sign(header(), &claims()), JoseError::KeyUnknown),
        (
            key(Who::Stranger).sign(json!({ "alg": "RS256", "kid": core.kid() }), &claims()),
            JoseError::Signature,
        ),
        (core.sign(statement_header(), &claims()), JoseError::Type),
        (core.sign(json!({ "alg": "RS256", "typ": "at+jwt" }), &claims()), JoseError::Type),
        (core.sign(header(), &json!([1])), JoseError::Payload),
        (core.sign(header(), &json!("text")), JoseError::Payload),
        ("a.b.c".to_owned(), JoseError::Form),
        (String::new(), JoseError::Form),
        ("x".repeat(300_000), JoseError::TooLarge),
    ] {
        let shown: String = text.chars().take(60).collect();
        assert_eq!(why(checked(&text)), expected, "{shown}");
    }
    let narrow =
        id_token(&core.sign(header(), &claims()), &[SigningAlgorithm::Rs512], &expected(&core.set(), &[]));
    assert_eq!(why(narrow), JoseError::Algorithm, "not what the provider may sign with");
    // A claim that is there twice: nobody can say which is meant.
    let twice = format!(r#"{{"nonce":"x",{}"#, &claims().to_string()[1..]);
    assert_eq!(why(checked(&core.sign_text(header(), &twice))), JoseError::Payload);
}

#[test]
fn a_hash_goes_with_the_algorithm_of_the_token() {
    // OpenID Connect Core, appendix A.3: an access token and its hash under RS256.
    assert_eq!(
        half_hash(SigningAlgorithm::Rs256, "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"),
        "77QmUPtjPfzWtF2AnpK9RQ"
    );
    assert_eq!(half_hash(SigningAlgorithm::Rs512, "x").len(), 43);
}

fn read_userinfo(text: &str, own_keys: &[DecryptionKey]) -> Result<Userinfo, FederationError> {
    let token = IdToken { subject: "pairwise".to_owned(), level: Level::L2, text: String::new() };
    userinfo(text, &SigningAlgorithm::ALL, &token, &expected(&key(Who::ProviderCore).set(), own_keys))
}

#[test]
fn userinfo_is_believed_only_of_the_one_whom_the_id_token_names() {
    let core = key(Who::ProviderCore);
    let full = || {
        json!({ "iss": PROVIDER, "aud": HUB, "sub": "pairwise", "iat": NOW, "exp": NOW + 300,
            FISCAL: "TINIT-RSSMRA80A01H501U" })
    };
    let number =
        |claims: &Value| read_userinfo(&core.sign(header(), claims), &[]).map(|read| read.fiscal_number);
    assert_eq!(number(&full()).unwrap().unwrap(), "TINIT-RSSMRA80A01H501U");
    let bare = json!({ "sub": "pairwise", FISCAL: "TINIT-RSSMRA80A01H501U" });
    assert!(number(&bare).unwrap().is_some(), "as AgID's own implementation writes it");
    for (name, value) in [
        ("sub", json!("other")),
        ("sub", Value::Null),
        ("iss", json!("https://other.example")),
        ("aud", json!("https://other.example")),
        ("aud", json!([HUB, "https://other.example"])),
        ("iat", json!(NOW + 100)),
        ("exp", json!(NOW - 100)),
    ] {
        let mut claims = full();
        match &value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
        assert!(number(&claims).is_err(), "{name} {value}");
    }
    for value in [
        json!("RSSMRA80A01H501U"),
        json!("TINDE-123"),
        json!(7),
        json!(["TINIT-RSSMRA80A01H501U"]),
        json!(""),
    ] {
        let mut claims = full();
        claims[FISCAL] = value.clone();
        assert_eq!(number(&claims).unwrap(), None, "{value}");
    }
    for text in [
        key(Who::Stranger).sign(json!({ "alg": "RS256", "kid": core.kid() }), &full()),
        core.sign_with_public_key(&full()),
        core.sign(json!({ "alg": "none" }), &full()),
        core.sign(statement_header(), &full()),
        full().to_string(),
    ] {
        assert!(matches!(read_userinfo(&text, &[]), Err(FederationError::Message { .. })));
    }
    assert!(!format!("{:?}", read_userinfo(&core.sign(header(), &full()), &[]).unwrap()).contains("RSSMRA"));
}

#[test]
fn sealed_userinfo_opens_and_what_is_inside_is_checked_like_anything_else() {
    let own = [DecryptionKey::from_pkcs8(&signer::generate().unwrap()).unwrap()];
    let core = key(Who::ProviderCore);
    let claims = json!({ "sub": "pairwise", FISCAL: "TINIT-RSSMRA80A01H501U" });
    let signed = core.sign(header(), &claims);
    let to = own[0].public();
    let read = read_userinfo(&seal(to, Sealing::Oaep, &signed), &own).unwrap();
    assert_eq!(read.fiscal_number.unwrap(), "TINIT-RSSMRA80A01H501U");
    assert_eq!(read.text, signed);
    let why = |text: &str, keys: &[DecryptionKey]| match read_userinfo(text, keys) {
        Err(FederationError::Message { why, .. }) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(why(&seal(to, Sealing::Rsa15, &signed), &own), JoseError::Algorithm);
    assert_eq!(why(&seal(to, Sealing::Oaep, &signed), &[]), JoseError::KeyUnknown);
    assert_eq!(
        why(&seal(to, Sealing::Oaep, &claims.to_string()), &own),
        JoseError::Form,
        "nothing signed inside"
    );
    let nested = seal(to, Sealing::Oaep, &seal(to, Sealing::Oaep, &signed));
    assert_eq!(why(&nested, &own), JoseError::Form, "sealed twice");
    assert_eq!(
        why(&seal(to, Sealing::Oaep, &core.sign_with_public_key(&claims)), &own),
        JoseError::Algorithm
    );
}
