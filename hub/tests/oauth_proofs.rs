//! Proofs of possession, at the authorization server and at the API: each check of RFC 9449 §4.3 in turn.

#![allow(clippy::unwrap_used)] // also outside the test functions themselves

mod oauth_app;
mod sync_school;

use oauth_app::*;
use registro_hub::Level;
use registro_sync::http::Method;
use serde_json::{Map, Value, json};
use sync_school::*;

type Spoil = fn(&mut Map<String, Value>, &mut Map<String, Value>);

fn set(map: &mut Map<String, Value>, name: &str, value: Value) {
    map.insert(name.to_owned(), value);
}

/// What makes any proof wrong.
const WRONG: &[(&str, Spoil)] = &[
    ("typ", |header, _| set(header, "typ", json!("jwt"))),
    ("no typ", |header, _| drop(header.remove("typ"))),
    ("alg none", |header, _| set(header, "alg", json!("none"))),
    ("alg HS256", |header, _| set(header, "alg", json!("HS256"))),
    ("alg RS256", |header, _| set(header, "alg", json!("RS256"))),
    ("crit", |header, _| set(header, "crit", json!(["b64"]))),
    ("no jwk", |header, _| drop(header.remove("jwk"))),
    ("another jwk", |header, _| set(header, "jwk", App::new().jwk())),
    ("private jwk", |header, _| set(header["jwk"].as_object_mut().unwrap(), "d", json!("AAAA"))),
    ("symmetric jwk", |header, _| set(header, "jwk", json!({ "kty": "oct", "k": "AAAA" }))),
    ("no jti", |_, claims| drop(claims.remove("jti"))),
    ("empty jti", |_, claims| set(claims, "jti", json!(""))),
    ("long jti", |_, claims| set(claims, "jti", json!("x".repeat(200)))),
    ("htm", |_, claims| set(claims, "htm", json!("PUT"))),
    ("htm in lower case", |_, claims| set(claims, "htm", json!("get"))),
    ("no htm", |_, claims| drop(claims.remove("htm"))),
    ("htu", |_, claims| set(claims, "htu", json!("https://evil.example/v1/session"))),
    ("no htu", |_, claims| drop(claims.remove("htu"))),
    ("no iat", |_, claims| drop(claims.remove("iat"))),
    ("iat a text", |_, claims| set(claims, "iat", json!("now"))),
];

fn api(app: &App, stage: &Stage, token: &str, spoil: Spoil) -> String {
    app.proof_with(stage, "GET", "/v1/session", Some(token), spoil)
}

async fn call(stage: &Stage, authorization: &str, proofs: &[String]) -> Answer {
    let mut headers = vec![("authorization", authorization.to_owned())];
    headers.extend(proofs.iter().map(|proof| ("dpop", proof.clone())));
    stage.send(Method::Get, "/v1/session", headers, Vec::new()).await
}

async fn push(stage: &Stage, proof: String) -> Answer {
    stage.post("/oauth/par", &[("client_id", "it.registro.app")], Some(proof)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_proof_is_refused_at_the_api_with_a_challenge_and_a_nonce() {
    let stage = Stage::new().await;
    let app = App::new();
    let Tokens { access, .. } = app.tokens(&stage, MOTHER, Level::L1).await;
    let authorization = format!("DPoP {access}");
    let good = call(&stage, &authorization, &[api(&app, &stage, &access, |_, _| {})]).await;
    assert_eq!(good.status, 200);
    let only_here: [(&str, Spoil); 3] = [
        ("no ath", |_, claims| drop(claims.remove("ath"))),
        ("ath of another token", |_, claims| {
            set(claims, "ath", json!("fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"))
        }),
        ("htu of another path", |_, claims| {
            let other = claims["htu"].as_str().unwrap().replace("session", "sync");
            set(claims, "htu", json!(other))
        }),
    ];
    for (name, spoil) in WRONG.iter().chain(&only_here) {
        let answer = call(&stage, &authorization, &[api(&app, &stage, &access, *spoil)]).await;
        assert_eq!(answer.status, 401, "{name}");
        assert!(
            answer.challenge().contains(r#"error="invalid_dpop_proof""#),
            "{name}: {}",
            answer.challenge()
        );
        assert!(!answer.nonce().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_proof_is_refused_at_the_authorization_server() {
    let stage = Stage::new().await;
    let app = App::new();
    for (name, spoil) in WRONG {
        let answer = push(&stage, app.proof_with(&stage, "POST", "/oauth/par", None, *spoil)).await;
        assert_eq!(answer.error(), (400, "invalid_dpop_proof".to_owned()), "{name}");
    }
    for damaged in ["", "a", "a.b.c", "....", &"x".repeat(5_000)] {
        assert_eq!(push(&stage, damaged.to_owned()).await.error().0, 400, "{damaged}");
    }
    // A proof of another endpoint.
    let answer = push(&stage, app.proof(&stage, "POST", "/oauth/token", None)).await;
    assert_eq!(answer.error(), (400, "invalid_dpop_proof".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_counts_once_with_one_key_and_alone() {
    let stage = Stage::new().await;
    let (app, thief) = (App::new(), App::new());
    let Tokens { access, .. } = app.tokens(&stage, MOTHER, Level::L1).await;
    let authorization = format!("DPoP {access}");
    let proof = api(&app, &stage, &access, |_, _| {});
    assert_eq!(call(&stage, &authorization, std::slice::from_ref(&proof)).await.status, 200);
    let replayed = call(&stage, &authorization, &[proof]).await;
    assert!(replayed.status == 401 && replayed.challenge().contains("invalid_dpop_proof"));
    let of_thief = api(&thief, &stage, &access, |_, _| {});
    let stolen = call(&stage, &authorization, &[of_thief]).await;
    assert!(stolen.status == 401 && stolen.challenge().contains("invalid_token"));
    let two = [api(&app, &stage, &access, |_, _| {}), api(&app, &stage, &access, |_, _| {})];
    assert!(call(&stage, &authorization, &two).await.challenge().contains("invalid_dpop_proof"));
    assert!(call(&stage, &authorization, &[]).await.challenge().contains("invalid_dpop_proof"));
    // As a bearer token it is worth nothing.
    let proof = [api(&app, &stage, &access, |_, _| {})];
    assert_eq!(call(&stage, &format!("Bearer {access}"), &proof).await.status, 401);
    assert_eq!(call(&stage, &format!("Bearer {access}"), &[]).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_in_the_address_of_a_proof_does_not_count() {
    let stage = Stage::new().await;
    let app = App::new();
    let Tokens { access, .. } = app.tokens(&stage, MOTHER, Level::L1).await;
    let proof = api(&app, &stage, &access, |_, claims| {
        let with_query = format!("{}?a=b#c", claims["htu"].as_str().unwrap());
        set(claims, "htu", json!(with_query));
    });
    assert_eq!(call(&stage, &format!("DPoP {access}"), &[proof]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_clock_gets_in_with_a_fresh_nonce_and_only_with_one() {
    let stage = Stage::new().await;
    stage.pass(120_000);
    let app = App::new();
    let Tokens { access, .. } = app.tokens(&stage, MOTHER, Level::L1).await;
    let authorization = format!("DPoP {access}");
    let at_time = |seconds: i64, nonce: Option<String>| {
        app.proof_with(&stage, "GET", "/v1/session", Some(&access), |_, claims| {
            set(claims, "iat", json!(stage.now() / 1_000 + seconds));
            if let Some(nonce) = nonce {
                set(claims, "nonce", json!(nonce));
            }
        })
    };
    // The last one is as late as a number can say.
    for seconds in [-3_600, -62, 62, 86_400 * 365, (i64::MAX - stage.now()) / 1_000] {
        let answer = call(&stage, &authorization, &[at_time(seconds, None)]).await;
        assert_eq!(answer.status, 401, "{seconds}");
        assert!(answer.challenge().contains(r#"error="use_dpop_nonce""#), "{seconds}");
        let again = call(&stage, &authorization, &[at_time(seconds, Some(answer.nonce()))]).await;
        assert_eq!(again.status, 200, "{seconds}");
    }
    for seconds in [-58, 58] {
        assert_eq!(call(&stage, &authorization, &[at_time(seconds, None)]).await.status, 200, "{seconds}");
    }
    // A proof with a good clock and a nonce that is not the hub's, or of the other server, is asked for again.
    let of_server = stage.post("/oauth/par", &[], None).await.nonce();
    for nonce in [of_server, "guessed".to_owned(), String::new()] {
        let answer = call(&stage, &authorization, &[at_time(0, Some(nonce))]).await;
        assert!(answer.status == 401 && answer.challenge().contains("use_dpop_nonce"));
    }
    let nonce = call(&stage, &authorization, &[at_time(0, None)]).await.nonce();
    stage.pass(300_001);
    let stale = call(&stage, &authorization, &[at_time(0, Some(nonce))]).await;
    assert!(stale.challenge().contains("use_dpop_nonce"), "{}", stale.challenge());
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_authorization_server_a_nonce_is_asked_for_with_400_and_the_code_stays_good() {
    let stage = Stage::new().await;
    let app = App::new();
    let code = app.code(&stage, MOTHER, Level::L1, &[]).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "it.registro.app"),
        ("code", code.as_str()),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let late = |nonce: Option<String>| {
        app.proof_with(&stage, "POST", "/oauth/token", None, |_, claims| {
            set(claims, "iat", json!(1_000_000));
            if let Some(nonce) = nonce {
                set(claims, "nonce", json!(nonce));
            }
        })
    };
    let asked = stage.post("/oauth/token", &form, Some(late(None))).await;
    assert_eq!(asked.error(), (400, "use_dpop_nonce".to_owned()));
    let answer = stage.post("/oauth/token", &form, Some(late(Some(asked.nonce())))).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_from_before_the_hub_started_is_asked_for_again() {
    let stage = Stage::new().await;
    let app = App::new();
    let Tokens { access, .. } = app.tokens(&stage, MOTHER, Level::L1).await;
    let proof = api(&app, &stage, &access, |_, claims| {
        set(claims, "iat", json!(morning() / 1_000));
    });
    let answer = call(&stage, &format!("DPoP {access}"), &[proof]).await;
    assert!(
        answer.challenge().contains("use_dpop_nonce"),
        "it may have been seen by the hub before its restart"
    );
}
