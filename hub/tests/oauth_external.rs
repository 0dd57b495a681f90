//! A provider outside in the place of the built-in authorization server: its tokens open the API, its rules do not.

#![allow(clippy::unwrap_used)] // also outside the test functions themselves

mod oauth_app;
mod sync_school;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::routing::get;
use axum::{Json, Router};
use oauth_app::*;
use registro_hub::Level;
use registro_hub::identity::config::IdentityConfig;
use registro_model::PersonId;
use serde_json::{Map, Value, json};
use sync_school::*;

/// A provider outside, with its key.
struct Provider {
    issuer: String,
    key: App,
    asked: Arc<AtomicUsize>,
}

const AUDIENCE: &str = "https://hub.registro.example/api";

impl Provider {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let key = App::new();
        let mut jwk = key.jwk();
        (jwk["kid"], jwk["alg"], jwk["use"]) = (json!("k1"), json!("ES256"), json!("sig"));
        let asked = Arc::new(AtomicUsize::new(0));
        let (document, count) =
            (json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/jwks") }), Arc::clone(&asked));
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(async move || Json(document)))
            .route(
                "/jwks",
                get(async move || {
                    count.fetch_add(1, Ordering::SeqCst);
                    Json(json!({ "keys": [jwk] }))
                }),
            );
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { issuer, key, asked }
    }

    fn config(&self, more: &str) -> IdentityConfig {
        let text = format!(
            "[external]\nissuer = '{}'\naudience = '{AUDIENCE}'\nperson_claim = 'sub'\nperson_is = 'hub-id'\n{more}",
            self.issuer
        );
        toml::from_str(&text).unwrap()
    }

    fn token(
        &self,
        stage: &Stage,
        app: &App,
        person: PersonId,
        change: impl FnOnce(&mut Map<String, Value>, &mut Map<String, Value>),
    ) -> String {
        use base64::Engine;
        let mut header = json!({ "typ": "at+jwt", "alg": "ES256", "kid": "k1" });
        let now = stage.now() / 1_000;
        let jkt = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(app.thumbprint());
        let mut claims = json!({
            "iss": self.issuer, "aud": [AUDIENCE, "other"], "sub": person.to_string(), "client_id": "app",
            "iat": now, "exp": now + 300, "jti": "j", "scope": "openid register", "acr": "urn:loa:substantial",
            "cnf": { "jkt": jkt },
        });
        change(header.as_object_mut().unwrap(), claims.as_object_mut().unwrap());
        self.key.sign(&header, &claims)
    }
}

fn set(map: &mut Map<String, Value>, name: &str, value: Value) {
    map.insert(name.to_owned(), value);
}

#[tokio::test(flavor = "multi_thread")]
async fn its_tokens_say_who_calls_and_the_hub_says_what_they_may() {
    let provider = Provider::start().await;
    let stage = Stage::with(provider.config("acr = { 'urn:loa:substantial' = 2 }")).await;
    let app = App::new();
    let token = provider.token(&stage, &app, MOTHER, |_, _| {});
    let session = app.session(&stage, &token).await;
    assert_eq!(session.status, 200, "{}", session.json());
    let session = session.json();
    assert_eq!(
        (&session["issuer"], &session["person"]),
        (&json!(provider.issuer), &json!(MOTHER.to_string()))
    );
    assert_eq!((&session["level"], &session["reads"]), (&json!(2), &json!(true)));
    // Its own words do not matter where the hub decides.
    let unread = provider.token(&stage, &app, MOTHER, |_, claims| set(claims, "scope", json!("openid")));
    assert_eq!(app.session(&stage, &unread).await.json()["reads"], false);
    let low = provider.token(&stage, &app, OFFICE, |_, claims| drop(claims.remove("acr")));
    assert_eq!(app.session(&stage, &low).await.json()["level"], 1);
    for nobody in [ESTRANGED, person(99)] {
        let token = provider.token(&stage, &app, nobody, |_, _| {});
        let answer = app.session(&stage, &token).await;
        assert_eq!((answer.status, &answer.json()["kind"]), (403, &json!("not-entitled")));
    }
    // A device is certified under the provider's name.
    let key = registro_documents::SigningKey::from_seed(&zeroize::Zeroizing::new([51; 32]));
    assert_eq!(app.enrol(&stage, &token, &key, "Telefono", |_| {}).await.status, 200);
    let wrong = app.enrol(&stage, &token, &key, "", |parts| parts.0 = stage.issuer.clone()).await;
    assert_eq!(wrong.status, 403);
    assert_eq!(provider.asked.load(Ordering::SeqCst), 1, "the keys are fetched once");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_token_is_refused() {
    let provider = Provider::start().await;
    let stage = Stage::with(provider.config("")).await;
    let app = App::new();
    let now = stage.now() / 1_000;
    type Spoil = Box<dyn FnOnce(&mut Map<String, Value>, &mut Map<String, Value>)>;
    let cases: Vec<(&str, Spoil)> = vec![
        ("typ", Box::new(|header, _| set(header, "typ", json!("JWT")))),
        ("no typ", Box::new(|header, _| drop(header.remove("typ")))),
        ("alg none", Box::new(|header, _| set(header, "alg", json!("none")))),
        ("alg HS256", Box::new(|header, _| set(header, "alg", json!("HS256")))),
        ("kid", Box::new(|header, _| set(header, "kid", json!("k2")))),
        ("no kid", Box::new(|header, _| drop(header.remove("kid")))),
        ("iss", Box::new(|_, claims| set(claims, "iss", json!("https://evil.example")))),
        ("aud", Box::new(|_, claims| set(claims, "aud", json!("https://other.example")))),
        ("no aud", Box::new(|_, claims| drop(claims.remove("aud")))),
        ("exp", Box::new(move |_, claims| set(claims, "exp", json!(now - 60)))),
        ("no exp", Box::new(|_, claims| drop(claims.remove("exp")))),
        ("nbf", Box::new(move |_, claims| set(claims, "nbf", json!(now + 61)))),
        ("no cnf", Box::new(|_, claims| drop(claims.remove("cnf")))),
        ("cnf of another key", Box::new(|_, claims| set(claims, "cnf", json!({ "jkt": "x" })))),
    ];
    for (name, spoil) in cases {
        let token = provider.token(&stage, &app, MOTHER, spoil);
        assert_eq!(app.session(&stage, &token).await.status, 401, "{name}");
    }
    let mut foreign = Provider::start().await;
    foreign.issuer.clone_from(&provider.issuer);
    let forged = foreign.token(&stage, &app, MOTHER, |_, _| {});
    assert_eq!(app.session(&stage, &forged).await.status, 401);
    let good = provider.token(&stage, &app, MOTHER, |_, _| {});
    assert_eq!(App::new().session(&stage, &good).await.status, 401, "another device's key");
    assert_eq!(app.session(&stage, &good).await.status, 200);
    assert_eq!(provider.asked.load(Ordering::SeqCst), 1, "strangers do not make the hub ask all the time");
    assert_eq!(app.session(&stage, &good).await.json()["level"], Level::L1.number());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_logs_in_at_the_hub_then() {
    let provider = Provider::start().await;
    let stage = Stage::with(provider.config("")).await;
    for path in [
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/oauth/jwks",
        "/oauth/authorize",
        "/login",
        "/profile",
        "/first-access",
    ] {
        assert_eq!(stage.get(path).await.status, 404, "{path}");
    }
    assert_eq!(App::new().push(&stage, &[]).await.status, 404);
}
