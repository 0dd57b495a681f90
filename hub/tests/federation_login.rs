//! Logins at a provider that sends what the honest one never sends.

#![allow(clippy::unwrap_used)] // also outside the test functions themselves

mod federation_hub;
mod federation_world;
mod sync_school;

use std::collections::BTreeSet;

use federation_hub::*;
use federation_world::*;
use registro_hub::Level;
use registro_hub::identity::federation::error::FederationError;
use registro_hub::identity::federation::jose::algorithm::SigningAlgorithm;
use registro_hub::identity::federation::jose::jwk::JwkSet;
use registro_hub::identity::federation::jose::{encode, jws};
use registro_hub::identity::federation::upstream::Upstream;
use registro_hub::identity::interaction::Method;
use serde_json::{Value, json};

fn header() -> Value {
    json!({ "alg": "RS256" })
}

fn core() -> &'static Key {
    key(Who::ProviderCore)
}

/// A mood in which the ID token is made so.
fn tokens(make: impl Fn(Value) -> String + Send + Sync + 'static) -> Mood {
    Mood { tokens: Some(Box::new(move |claims| token_answer(&make(claims)))), ..Mood::default() }
}

/// A mood in which one claim of the ID token is another.
fn claim(name: &'static str, value: Value) -> Mood {
    tokens(move |mut claims| {
        claims[name] = value.clone();
        core().sign(header(), &claims)
    })
}

fn raw_tokens(status: u16, body: impl Into<String>) -> Mood {
    let body = body.into();
    Mood { tokens: Some(Box::new(move |_| (status, body.clone()))), ..Mood::default() }
}

fn userinfo(
    make: impl Fn(Value, &registro_hub::identity::federation::jose::jwk::Jwk) -> (u16, String)
    + Send
    + Sync
    + 'static,
) -> Mood {
    Mood { userinfo: Some(Box::new(move |(claims, to)| make(claims, &to))), ..Mood::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_provider_logs_a_person_in_and_everything_sent_to_it_is_as_the_rules_say() {
    let world = World::spid().await;
    assert!(world.party().refresh().await);
    let login = world.begin(Level::L2).await;

    // What the browser takes along.
    let own = read(&String::from_utf8(world.get("/.well-known/openid-federation", None).await.body).unwrap());
    let core_keys = JwkSet::from_json(&own["metadata"]["openid_relying_party"]["jwks"]).unwrap();
    let request = jws::verify(&login.request, &core_keys, &[SigningAlgorithm::Rs256]).unwrap();
    let request: Value = request.claims().unwrap();
    for (name, value) in [
        ("client_id", json!(world.name)),
        ("iss", json!(world.name)),
        ("aud", json!(world.fake.provider)),
        ("response_type", json!("code")),
        ("scope", json!("openid")),
        ("redirect_uri", json!(format!("{}/federation/callback", world.name))),
        ("code_challenge_method", json!("S256")),
        ("prompt", json!("consent login")),
        ("acr_values", json!("https://www.spid.gov.it/SpidL2")),
        ("claims", json!({ "userinfo": { FISCAL_NUMBER: { "essential": true } } })),
    ] {
        assert_eq!(request[name], value, "{name}");
    }
    for secret in ["state", "nonce"] {
        let text = request[secret].as_str().unwrap();
        assert!(text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{secret}");
    }
    let lifetime = request["exp"].as_i64().unwrap() - request["iat"].as_i64().unwrap();
    assert!((1..=300).contains(&lifetime) && (request["iat"].as_i64().unwrap() - now()).abs() < 10);
    assert!(request.get("sub").is_none(), "or it could be used as an assertion");
    for (name, value) in &login.query {
        if name != "request" {
            assert_eq!(request[name], json!(value), "outside as inside: {name}");
        }
    }

    // There and back.
    let parameters = [("state", login.state.as_str()), ("code", "the-code"), ("iss", &world.fake.provider)];
    assert_eq!(world.back(Some(&login.cookie), &parameters).await, "/login/done");
    let who = world.who(login.id).unwrap();
    assert_eq!((who.person, who.level, who.method), (sync_school::TEACHER, Level::L2, Method::Spid));

    // What the hub took to the provider.
    let seen = world.fake.seen.lock().unwrap().clone();
    let field = |path: &str, name: &str| {
        let seen = seen.iter().find(|seen| seen.path == path).unwrap();
        seen.form.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    assert_eq!(field("token", "grant_type"), "authorization_code");
    assert_eq!(field("token", "code"), "the-code");
    assert_eq!(field("token", "redirect_uri"), request["redirect_uri"].as_str().unwrap());
    let challenge =
        encode(ring::digest::digest(&ring::digest::SHA256, field("token", "code_verifier").as_bytes()));
    assert_eq!(request["code_challenge"], json!(challenge));
    let mut ids = BTreeSet::new();
    for (path, endpoint) in [("token", "token"), ("revoke", "revoke")] {
        assert_eq!(field(path, "client_id"), world.name);
        assert_eq!(
            field(path, "client_assertion_type"),
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        );
        let text = field(path, "client_assertion");
        let assertion: Value =
            jws::verify(&text, &core_keys, &[SigningAlgorithm::Rs256]).unwrap().claims().unwrap();
        assert_eq!(assertion["aud"], json!(format!("{}/{endpoint}", world.fake.provider)));
        assert_eq!((&assertion["iss"], &assertion["sub"]), (&json!(world.name), &json!(world.name)));
        assert!(assertion["exp"].as_i64().unwrap() <= now() + 60);
        assert!(ids.insert(assertion["jti"].as_str().unwrap().to_owned()), "each assertion is used once");
    }
    assert_eq!(field("revoke", "token"), ACCESS_TOKEN, "the hub keeps nothing");
    let userinfo = seen.iter().find(|seen| seen.path == "userinfo").unwrap();
    assert_eq!(userinfo.authorization.as_deref(), Some(format!("Bearer {ACCESS_TOKEN}").as_str()));

    // The same answer again.
    assert_eq!(world.back(Some(&login.cookie), &parameters).await, "failed: expired");
    assert_eq!(world.fake.was_asked("token"), 1);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_hold_logs_nobody_in() {
    let world = World::spid().await;
    let unsigned = |claims: &Value| {
        format!(
            "{}.{}.",
            encode(json!({ "alg": "none", "kid": core().kid() }).to_string()),
            encode(claims.to_string())
        )
    };
    let cases: Vec<(&str, Mood, &str)> = vec![
        ("alg none", tokens(move |claims| unsigned(&claims)), "unsafe"),
        ("HS256 with the public key", tokens(|claims| core().sign_with_public_key(&claims)), "unsafe"),
        (
            "swapped kid",
            tokens(|claims| core().sign(json!({ "alg": "RS256", "kid": key(Who::Provider).kid() }), &claims)),
            "unsafe",
        ),
        ("federation key", tokens(|claims| key(Who::Provider).sign(header(), &claims)), "unsafe"),
        (
            "stranger",
            tokens(|claims| key(Who::Stranger).sign(json!({ "alg": "RS256", "kid": core().kid() }), &claims)),
            "unsafe",
        ),
        (
            "an algorithm that the policy takes away",
            tokens(|claims| core().sign(json!({ "alg": "PS256" }), &claims)),
            "unsafe",
        ),
        ("a statement", tokens(|claims| core().sign(statement_header(), &claims)), "unsafe"),
        ("wrong at_hash", claim("at_hash", json!(at_hash("other"))), "unsafe"),
        ("no at_hash", claim("at_hash", Value::Null), "unsafe"),
        ("another nonce", claim("nonce", json!("0".repeat(64))), "unsafe"),
        ("another issuer", claim("iss", json!("https://other.example")), "unsafe"),
        ("another audience", claim("aud", json!("https://other.example")), "unsafe"),
        ("two audiences", claim("aud", json!([world.name, "https://other.example"])), "unsafe"),
        ("expired", claim("exp", json!(now() - 100)), "unsafe"),
        ("acr downgrade", claim("acr", json!("https://www.spid.gov.it/SpidL1")), "level"),
        ("acr unheard of", claim("acr", json!("https://www.spid.gov.it/SpidL9")), "level"),
        ("no acr", claim("acr", Value::Null), "unsafe"),
        ("no tokens", raw_tokens(200, "{}"), "unsafe"),
        ("HTML", raw_tokens(200, "<html>"), "unsafe"),
        (
            "another type of token",
            raw_tokens(
                200,
                json!({ "access_token": "a", "token_type": "mac", "id_token": "a.b.c" }).to_string(),
            ),
            "unsafe",
        ),
        (
            "a token that breaks headers",
            raw_tokens(
                200,
                json!({ "access_token": "a\r\nb: c", "token_type": "Bearer", "id_token": "a.b.c" })
                    .to_string(),
            ),
            "unsafe",
        ),
        ("oversized", raw_tokens(200, "x".repeat(300 * 1024)), "unsafe"),
        ("a redirect", raw_tokens(302, ""), "unsafe"),
        (
            "invalid_grant",
            raw_tokens(400, json!({ "error": "invalid_grant", "error_description": "<b>" }).to_string()),
            "unsafe",
        ),
        (
            "invalid_client",
            raw_tokens(401, json!({ "error": "invalid_client" }).to_string()),
            "misconfigured",
        ),
        ("out of order", raw_tokens(503, ""), "unavailable"),
        (
            "somebody else's userinfo",
            userinfo(|mut claims, to| {
                claims["sub"] = json!("other");
                userinfo_answer(&claims, to)
            }),
            "unsafe",
        ),
        (
            "userinfo under RSA1_5",
            userinfo(|claims, to| (200, seal(to, Sealing::Rsa15, &core().sign(header(), &claims)))),
            "unsafe",
        ),
        (
            "userinfo under HS256",
            userinfo(|claims, to| (200, seal(to, Sealing::Oaep, &core().sign_with_public_key(&claims)))),
            "unsafe",
        ),
        (
            "userinfo unsigned",
            userinfo(|claims, to| (200, seal(to, Sealing::Oaep, &claims.to_string()))),
            "unsafe",
        ),
        ("userinfo in the open", userinfo(|claims, _| (200, claims.to_string())), "unsafe"),
        ("userinfo oversized", userinfo(|_, _| (200, "x".repeat(300 * 1024))), "unsafe"),
        ("userinfo refused", userinfo(|_, _| (403, String::new())), "unsafe"),
        (
            "no fiscal number",
            userinfo(|mut claims, to| {
                claims.as_object_mut().unwrap().remove(FISCAL_NUMBER);
                userinfo_answer(&claims, to)
            }),
            "unknown-person",
        ),
        (
            "a bare code",
            userinfo(|mut claims, to| {
                claims[FISCAL_NUMBER] = json!(KNOWN);
                userinfo_answer(&claims, to)
            }),
            "unknown-person",
        ),
        (
            "somebody unknown",
            userinfo(|mut claims, to| {
                claims[FISCAL_NUMBER] = json!("TINIT-NRELCU14C15L219N");
                userinfo_answer(&claims, to)
            }),
            "unknown-person",
        ),
    ];
    for (name, mood, reason) in cases {
        world.fake.be(mood);
        let login = world.begin(Level::L2).await;
        let parameters = [("state", login.state.as_str()), ("code", "c"), ("iss", &world.fake.provider)];
        assert_eq!(world.back(Some(&login.cookie), &parameters).await, format!("failed: {reason}"), "{name}");
        assert_eq!(world.who(login.id), None, "{name}");
    }
    world.fake.be(Mood::default());
    assert_eq!(world.log_in().await, "/login/done", "and then an honest one");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_used_once_in_the_browser_that_asked_and_only_from_the_provider_that_was_asked() {
    let world = World::of("cie", |_| {}).await;
    let provider = world.fake.provider.clone();
    let login = world.begin(Level::L1).await;
    let other = world.begin(Level::L1).await;
    let good = [("state", other.state.as_str()), ("code", "c"), ("iss", &provider)];
    assert_eq!(world.back(None, &good).await, "failed: expired", "no cookie");
    assert_eq!(world.back(Some(&other.cookie), &good).await, "failed: expired", "used up by that");
    assert_eq!(
        world.back(Some(&other.cookie), &[("state", &login.state), ("code", "c"), ("iss", &provider)]).await,
        "failed: expired",
        "another browser"
    );
    assert_eq!(world.fake.was_asked("token"), 0);
    for (parameters, reason) in [
        (vec![("code", "c"), ("iss", provider.as_str())], "expired"),
        (vec![("state", "unknown"), ("code", "c"), ("iss", provider.as_str())], "expired"),
        (vec![("state", "STATE"), ("state", "STATE"), ("code", "c"), ("iss", provider.as_str())], "expired"),
        (vec![("state", "STATE"), ("code", "c")], "unsafe"),
        (vec![("state", "STATE"), ("code", "c"), ("iss", world.fake.anchor.as_str())], "unsafe"),
        (vec![("state", "STATE"), ("error", "access_denied"), ("iss", provider.as_str())], "cancelled"),
        (vec![("state", "STATE"), ("error", "access_denied")], "unsafe"),
        (vec![("state", "STATE"), ("error", "<script>"), ("iss", provider.as_str())], "misconfigured"),
        (
            vec![("state", "STATE"), ("error", "temporarily_unavailable"), ("iss", provider.as_str())],
            "unavailable",
        ),
    ] {
        let login = world.begin(Level::L1).await;
        let parameters: Vec<_> = parameters
            .iter()
            .map(|(name, value)| (*name, if *value == "STATE" { login.state.as_str() } else { *value }))
            .collect();
        let page = world.back(Some(&login.cookie), &parameters).await;
        assert_eq!(page, format!("failed: {reason}"), "{parameters:?}");
    }
    assert_eq!(world.fake.was_asked("token"), 0, "no code went to the provider");
    assert_eq!(world.log_in().await, "/login/done");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_whose_chain_does_not_hold_is_not_used() {
    for (name, break_it) in [
        (
            "expired",
            (|fake: &Fake| fake.claims.lock().unwrap().provider["exp"] = json!(now() - 100)) as fn(&Fake),
        ),
        ("another anchor's", |fake| {
            fake.claims.lock().unwrap().provider["authority_hints"] = json!(["https://other.example"])
        }),
        ("the policy forbids it", |fake| {
            fake.claims.lock().unwrap().subordinate["metadata_policy"]["openid_provider"]["token_endpoint"] =
                json!({ "one_of": ["https://other.example"] });
        }),
        ("keys that the anchor does not know", |fake| {
            fake.claims.lock().unwrap().subordinate["jwks"] =
                serde_json::to_value(key(Who::Stranger).set()).unwrap();
        }),
        ("an anchor that expired", |fake| fake.claims.lock().unwrap().anchor["exp"] = json!(now() - 100)),
        ("an endpoint that is not https", |fake| {
            fake.claims.lock().unwrap().provider["metadata"]["openid_provider"]["authorization_endpoint"] =
                json!("http://op.example/authorize");
        }),
        ("an oversized configuration", |fake| {
            fake.claims.lock().unwrap().provider["metadata"]["x"] = json!({ "y": "z".repeat(300 * 1024) });
        }),
    ] {
        let world = World::of("spid", break_it).await;
        assert!(!world.party().refresh().await, "{name}");
        let (id, _) = world.identity.interactions.begin_profile(world.identity.now()).unwrap();
        assert!(world.party().begin(&world.fake.provider, Level::L2, id, None).await.is_err(), "{name}");
        assert_eq!(world.party().providers(), [], "{name}");
        world.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_can_send_the_hub_to_an_address_of_their_choice() {
    let world = World::spid().await;
    let (id, _) = world.identity.interactions.begin_profile(world.identity.now()).unwrap();
    for provider in ["https://evil.example", &world.name, &world.fake.anchor, "", "http://127.0.0.1:1"] {
        let outcome = world.party().begin(provider, Level::L2, id, None).await;
        assert!(matches!(outcome, Err(FederationError::UnknownProvider)), "{provider}: {outcome:?}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_a_provider_changes_are_fetched_once() {
    let world = World::spid().await;
    assert_eq!(world.log_in().await, "/login/done");
    // The provider signs with another key, which it does not publish: the hub looks once, not at every login.
    world.fake.be(tokens(|claims| key(Who::Stranger).sign(header(), &claims)));
    assert_eq!(world.log_in().await, "failed: unsafe");
    world.fake.claims.lock().unwrap().provider["metadata"]["openid_provider"]["jwks"] =
        json!({ "keys": [core().public(), key(Who::Stranger).public()] });
    assert_eq!(world.log_in().await, "failed: unsafe", "not again within seconds");
    assert!(world.party().refresh().await);
    assert_eq!(world.log_in().await, "/login/done", "published, and fetched");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hub_shows_only_marks_of_its_own() {
    let marks = async |world: &World| {
        world.party().refresh().await;
        let configuration = world.get("/.well-known/openid-federation", None).await;
        assert_eq!(configuration.headers.get("content-type"), Some("application/entity-statement+jwt"));
        let own = read(&String::from_utf8(configuration.body).unwrap());
        assert_eq!((&own["iss"], &own["sub"]), (&json!(world.name), &json!(world.name)));
        assert_eq!(own["authority_hints"], json!([world.fake.anchor]));
        let federation = own["jwks"]["keys"][0]["n"].clone();
        let core = own["metadata"]["openid_relying_party"]["jwks"]["keys"].as_array().unwrap();
        assert!(core.iter().all(|key| key["n"] != federation), "other keys than those of logins");
        own["trust_marks"].as_array().unwrap().len()
    };
    let world = World::spid().await;
    assert_eq!(marks(&world).await, 1);
    world.stop().await;
    let foreign = World::of("spid", |fake| {
        let mark =
            trust_mark(&fake.anchor, "https://other.example", &format!("{}/mark/rp", fake.anchor), now());
        fake.claims.lock().unwrap().hub["trust_marks"] = json!([mark]);
    });
    let foreign = foreign.await;
    assert_eq!(marks(&foreign).await, 0, "somebody else's");
    foreign.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_transaction_log_keeps_what_passed_and_no_token_that_is_worth_something() {
    use registro_hub::identity::Randomness;
    use registro_hub::identity::federation::journal::{Journal, key_path};
    let world = World::spid().await;
    assert_eq!(world.log_in().await, "/login/done");
    world.fake.be(claim("acr", json!("https://www.spid.gov.it/SpidL1")));
    assert_eq!(world.log_in().await, "failed: level");
    let random = Randomness::new(Box::new(registro_hub::SystemRandomness::new()));
    let key = key_path(world.data.path(), None);
    let journal = Journal::open(std::sync::Arc::clone(&world.identity.store), &key, random).unwrap();
    let mut log = Vec::new();
    journal
        .read(0, i64::MAX, &mut |entry| {
            log.push((entry.kind, entry.content));
            Ok(())
        })
        .unwrap();
    let kinds: Vec<&str> = log.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "chain",
            "request",
            "answer",
            "tokens",
            "userinfo",
            "revocation",
            "outcome",
            "request",
            "answer",
            "tokens",
            "revocation",
            "outcome"
        ]
    );
    let outcomes: Vec<&Value> =
        log.iter().filter(|(kind, _)| kind == "outcome").map(|(_, content)| &content["outcome"]).collect();
    assert_eq!(outcomes, [&json!("identified"), &json!("level")]);
    assert!(log.iter().all(|(_, content)| !content.to_string().contains(ACCESS_TOKEN)));
    assert!(
        log[4].1["userinfo"]
            .as_str()
            .is_some_and(|text| read(text)[FISCAL_NUMBER] == json!(format!("TINIT-{KNOWN}")))
    );
    // In the files there is none of it in the open.
    for file in std::fs::read_dir(world.data.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for canary in [KNOWN, ACCESS_TOKEN, "pairwise"] {
            assert!(!bytes.windows(canary.len()).any(|window| window == canary.as_bytes()), "{canary}");
        }
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_federation_there_is_nothing_at_its_addresses_and_a_code_has_its_own() {
    let world = World::spid().await;
    for path in ["/S1/.well-known/openid-federation", "/S1/federation/callback", "/S1/resolve"] {
        assert_eq!(world.get(path, None).await.status, 404, "{path}");
    }
    assert_eq!(world.get("/resolve", None).await.status, 400);
    world.stop().await;

    let world = World::named("spid", Some("istsc_qzis00100x"), |_| {}).await;
    assert!(world.party().refresh().await);
    for path in ["/.well-known/openid-federation", "/federation/callback", "/resolve", "/other/resolve"] {
        assert_eq!(world.get(path, None).await.status, 404, "{path}");
    }
    let own = world.get("/istsc_qzis00100x/.well-known/openid-federation", None).await;
    let own = read(&String::from_utf8(own.body).unwrap());
    let name = format!("{}/istsc_qzis00100x", world.name);
    assert_eq!(own["sub"], json!(name));
    let metadata = &own["metadata"]["openid_relying_party"];
    assert_eq!(metadata["redirect_uris"], json!([format!("{name}/federation/callback")]));
    assert_eq!(world.log_in().await, "/login/done", "below its code");
    world.stop().await;
}
