//! What no honest server sends: each lie by name, and what becomes of it.

mod common;

use common::http::Reply;
use common::{Device, Forge, Server, Wrong, begin, log_in};
use registro_identity::{BeginLogin, Environment, Level, LoginError, LoginNext, SystemEnvironment};
use serde_json::{Value, json};

/// Kind and code of the error that a lie ends in.
type End = (&'static str, Option<&'static str>);

fn now() -> i64 {
    SystemEnvironment.now() / 1_000
}

/// A whole login at a server that gets this wrong, with a level asked for.
async fn refused(wrong: Wrong) -> (LoginError, Server, Device) {
    let server = Server::start_wrong([wrong]).await;
    let device = Device::default();
    let asked = BeginLogin { acr: Some(Level::L1.acr().to_owned()), ..begin() };
    let refused = log_in(&device.login(&server), &server, asked).await;
    (refused.expect_err("a lie"), server, device)
}

fn html(status: u16) -> Reply {
    Reply::typed(status, "text/html", "<!doctype html><title>Benvenuti</title>")
}

fn redirect() -> Reply {
    Reply::json(302, &json!({})).with("location", "http://127.0.0.1:1/elsewhere")
}

#[tokio::test(flavor = "multi_thread")]
async fn lies_are_told_apart_and_leave_nothing_behind() {
    let unsafe_ = |code: &'static str| ("unsafe_response", Some(code));
    let misconfigured = |code: &'static str| ("misconfigured", Some(code));
    let large = Reply::typed(200, "application/json", format!("{{\"x\":\"{}\"}}", "x".repeat(300_000)));
    let discovery = "/.well-known/openid-configuration";
    let push = "pushed_authorization_request_endpoint";
    #[rustfmt::skip]
    let cases: Vec<(&str, Wrong, End)> = vec![
        // Metadata.
        ("another issuer", Wrong::Metadata("issuer", json!("https://evil.example")), unsafe_("metadata")),
        ("no PAR", Wrong::Metadata(push, Value::Null), unsafe_("unsupported_server")),
        ("plain PKCE", Wrong::Metadata("code_challenge_methods_supported", json!(["plain"])), unsafe_("unsupported_server")),
        ("no DPoP", Wrong::Metadata("dpop_signing_alg_values_supported", Value::Null), unsafe_("unsupported_server")),
        ("no iss", Wrong::Metadata("authorization_response_iss_parameter_supported", json!(false)), unsafe_("unsupported_server")),
        ("ID tokens by HS256 only", Wrong::Metadata("id_token_signing_alg_values_supported", json!(["HS256", "none"])), unsafe_("unsupported_server")),
        ("token endpoint on another origin", Wrong::Metadata("token_endpoint", json!("http://127.0.0.1:1/token")), unsafe_("endpoint")),
        ("token endpoint over plain http", Wrong::Metadata("token_endpoint", json!("http://evil.example/token")), unsafe_("endpoint")),
        ("HTML for metadata", Wrong::Answer(discovery, html(200)), unsafe_("answer")),
        ("a redirect for metadata", Wrong::Answer(discovery, redirect()), unsafe_("answer")),
        ("a list for metadata", Wrong::Answer(discovery, Reply::json(200, &json!([]))), unsafe_("metadata")),
        ("too much metadata", Wrong::Answer(discovery, large.clone()), unsafe_("too_large")),
        ("endless metadata", Wrong::Answer(discovery, Reply::Endless), unsafe_("too_large")),
        ("metadata that never end", Wrong::Answer(discovery, Reply::Stall), ("offline", None)),
        // Pushed request.
        ("200 for a pushed request", Wrong::Answer("/par", Reply::json(200, &json!({"request_uri": "urn:x", "expires_in": 60}))), unsafe_("answer")),
        ("no request_uri", Wrong::Answer("/par", Reply::json(201, &json!({"expires_in": 60}))), unsafe_("answer")),
        ("HTML for a pushed request", Wrong::Answer("/par", html(201)), unsafe_("answer")),
        ("a redirect for a pushed request", Wrong::Answer("/par", redirect()), unsafe_("answer")),
        ("the app is unknown", Wrong::Answer("/par", Reply::json(401, &json!({"error": "invalid_client"}))), misconfigured("invalid_client")),
        ("the scope is unknown", Wrong::Answer("/par", Reply::json(400, &json!({"error": "invalid_scope", "error_description": "canary"}))), misconfigured("invalid_scope")),
        ("an error of its own", Wrong::Answer("/par", Reply::json(400, &json!({"error": "canary"}))), misconfigured("other")),
        ("a stale nonce for ever", Wrong::Answer("/par", Reply::json(400, &json!({"error": "use_dpop_nonce"})).with("dpop-nonce", "stale")), misconfigured("use_dpop_nonce")),
        ("too busy", Wrong::Answer("/par", Reply::json(503, &json!({})).with("retry-after", "7")), ("hub_unavailable", None)),
        ("it fails", Wrong::Answer("/par", html(500)), ("hub_unavailable", None)),
        // What the browser comes back with.
        ("mixed-up state", Wrong::Callback("state=", "state=x"), unsafe_("state")),
        ("no state", Wrong::Callback("state=", "estate="), unsafe_("state")),
        ("state twice", Wrong::Callback("&state=", "&state=x&state="), unsafe_("repeated_parameter")),
        ("wrong iss", Wrong::Callback("iss=", "iss=https%3A%2F%2Fevil.example%2F"), unsafe_("iss")),
        ("no iss", Wrong::Callback("iss=", "miss="), unsafe_("iss")),
        ("iss twice", Wrong::Callback("&iss=", "&iss=x&iss="), unsafe_("repeated_parameter")),
        ("code twice", Wrong::Callback("code=", "code=x&code="), unsafe_("repeated_parameter")),
        ("code and error", Wrong::Callback("code=", "error=access_denied&code="), unsafe_("callback")),
        ("neither", Wrong::Callback("code=", "mode="), unsafe_("callback")),
        ("another address", Wrong::Callback("it.registro.app:/callback", "it.registro.app:/other"), unsafe_("callback")),
        // Token endpoint.
        ("a bearer token", Wrong::Token("token_type", json!("Bearer")), unsafe_("token_type")),
        ("a token of no type", Wrong::Token("token_type", Value::Null), unsafe_("answer")),
        ("no access token", Wrong::Token("access_token", Value::Null), unsafe_("answer")),
        ("an empty access token", Wrong::Token("access_token", json!("")), unsafe_("answer")),
        ("no ID token", Wrong::Token("id_token", Value::Null), unsafe_("id_token")),
        ("an ID token that is none", Wrong::Token("id_token", json!("a.b")), unsafe_("id_token")),
        ("HTML for tokens", Wrong::Answer("/token", html(200)), unsafe_("answer")),
        ("HTML and an error for tokens", Wrong::Answer("/token", html(404)), misconfigured("other")),
        ("a redirect for tokens", Wrong::Answer("/token", redirect()), unsafe_("answer")),
        ("201 for tokens", Wrong::Answer("/token", Reply::json(201, &json!({}))), unsafe_("answer")),
        ("too many tokens", Wrong::Answer("/token", large.clone()), unsafe_("too_large")),
        ("endless tokens", Wrong::Answer("/token", Reply::Endless), unsafe_("too_large")),
        ("tokens that never end", Wrong::Answer("/token", Reply::Stall), ("offline", None)),
        ("the code was used", Wrong::Answer("/token", Reply::json(400, &json!({"error": "invalid_grant"}))), ("session_ended", None)),
        // Keys.
        ("HTML for keys", Wrong::Answer("/jwks", html(200)), unsafe_("answer")),
        ("keys that are none", Wrong::Answer("/jwks", Reply::json(200, &json!({"keys": "none"}))), unsafe_("answer")),
        ("no keys", Wrong::Answer("/jwks", Reply::json(200, &json!({"keys": []}))), unsafe_("id_token_kid")),
        ("endless keys", Wrong::Answer("/jwks", Reply::Endless), unsafe_("too_large")),
        // ID token: its signature.
        ("alg none", Wrong::Forged(Forge::Unsigned), unsafe_("id_token_alg")),
        ("HS256 with the public key", Wrong::Forged(Forge::PublicKeyAsSecret), unsafe_("id_token_alg")),
        ("another algorithm", Wrong::Forged(Forge::OtherAlgorithm), unsafe_("id_token_alg")),
        ("swapped key", Wrong::Forged(Forge::SwappedKey), unsafe_("id_token_signature")),
        ("unknown key", Wrong::Forged(Forge::UnknownName), unsafe_("id_token_kid")),
        ("altered", Wrong::Forged(Forge::Altered), unsafe_("id_token_signature")),
        ("critical", Wrong::Forged(Forge::Critical), unsafe_("id_token")),
        // ID token: what it says.
        ("ID token of another issuer", Wrong::Claim("iss", json!("https://evil.example")), unsafe_("iss")),
        ("for another app", Wrong::Claim("aud", json!("another")), unsafe_("id_token_aud")),
        ("for several, and nobody asked", Wrong::Claim("aud", json!(["it.registro.app", "another"])), unsafe_("id_token_aud")),
        ("asked by another", Wrong::Claim("azp", json!("another")), unsafe_("id_token_aud")),
        ("expired", Wrong::Claim("exp", json!(now() - 120)), unsafe_("id_token_exp")),
        ("from the future", Wrong::Claim("iat", json!(now() + 300)), unsafe_("id_token_iat")),
        ("not yet valid", Wrong::Claim("nbf", json!(now() + 300)), unsafe_("id_token_iat")),
        ("wrong nonce", Wrong::Claim("nonce", json!("other")), unsafe_("id_token_nonce")),
        ("no nonce", Wrong::Claim("nonce", Value::Null), unsafe_("id_token_nonce")),
        ("wrong at_hash", Wrong::Claim("at_hash", json!("AAAAAAAAAAAAAAAAAAAAAA")), unsafe_("id_token_at_hash")),
        ("nobody", Wrong::Claim("sub", json!("")), unsafe_("sub")),
        ("acr downgrade", Wrong::Claim("acr", json!("https://www.spid.gov.it/SpidL0")), ("higher_level_needed", None)),
        ("acr left out", Wrong::Claim("acr", Value::Null), ("higher_level_needed", None)),
    ];
    let mut wrong_ends = Vec::new();
    for (name, wrong, expected) in cases {
        let (error, server, device) = refused(wrong).await;
        let login = device.login(&server);
        // What the browser may still come back for keeps its key; everything else leaves none.
        let open = login.pending().await.unwrap().is_some();
        let checks = [
            ((error.kind(), error.code()) == expected, "kind and code"),
            (!format!("{error:?} {error}").contains("canary"), "what a server wrote shows"),
            (expected.0 != "unsafe_response" || error.next_step() == LoginNext::Stop, "next step"),
            (login.accounts().await.unwrap().is_empty(), "a session"),
            (!device.sealed().contains("access-"), "a token is kept"),
            // Of an answer that does not read as tokens nobody can say what to give back.
            (
                server.state().refresh.is_empty() || matches!(error.code(), Some("token_type" | "answer")),
                "a token was not given back",
            ),
            (device.keys.count() == usize::from(open), "a key is left"),
        ];
        let failed = checks.iter().filter(|(good, _)| !good);
        wrong_ends.extend(failed.map(|(_, what)| format!("{name}: {what}: {error:?}")));
    }
    assert!(wrong_ends.is_empty(), "{wrong_ends:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_keeps_asking_for_nonces_is_asked_twice() {
    let reply = Reply::json(400, &json!({ "error": "use_dpop_nonce" })).with("dpop-nonce", "stale");
    let (_, server, _) = refused(Wrong::Answer("/par", reply)).await;
    assert_eq!(server.count("/par"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_not_of_the_open_login_leaves_it_open() {
    let server = Server::start().await;
    let device = Device::default();
    let login = device.login(&server);
    let address = login.begin(begin()).await.unwrap();
    let good = server.approve(address.as_str());
    for other in [
        good.replace("state=", "state=x"),
        good.replace("it.registro.app:/callback", "https://evil.example/callback"),
        "it.registro.app:/callback".to_owned(),
    ] {
        let error = login.complete(&other).await.unwrap_err();
        assert_eq!(error.kind(), "unsafe_response", "{other}");
    }
    login.complete(&good).await.unwrap();
    let again = login.complete(&good).await.unwrap_err();
    assert_eq!(again.code(), Some("state"), "an answer works once");
    assert_eq!(server.count("authorization_code"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_for_one_server_does_not_end_the_login_at_another() {
    let (honest, evil) = (Server::start().await, Server::start().await);
    let device = Device::default();
    let (at_honest, at_evil) = (device.login(&honest), device.login(&evil));
    let address = at_honest.begin(begin()).await.unwrap();
    at_evil.begin(begin()).await.unwrap();
    // The code of the honest server, brought to the login at the evil one (RFC 9207 §1).
    let callback = honest.approve(address.as_str());
    assert_eq!(at_evil.complete(&callback).await.unwrap_err().code(), Some("state"));
    assert_eq!(evil.count("authorization_code"), 0, "the code was not sent there");
    at_honest.complete(&callback).await.unwrap();
}
