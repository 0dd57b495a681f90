//! The authorization server, from the pushed request to the tokens: what it says of itself, what it refuses, and what
//! is in the tokens.

#![allow(clippy::unwrap_used)] // also outside the test functions themselves

mod oauth_app;
mod sync_school;

use oauth_app::*;
use registro_hub::Level;
use registro_hub::identity::authorization::logins::CODE_MS;
use registro_hub::identity::config::IdentityConfig;
use registro_hub::identity::interaction::{Authenticated, INTERACTION_SECONDS, Method as Way, Purpose};
use registro_sync::http::Method;
use serde_json::json;
use sync_school::*;

#[tokio::test(flavor = "multi_thread")]
async fn the_hub_says_what_it_is_at_both_well_known_addresses() {
    let stage = Stage::new().await;
    let document = stage.get("/.well-known/openid-configuration").await.json();
    assert_eq!(document, stage.get("/.well-known/oauth-authorization-server").await.json());
    assert_eq!(document["issuer"], stage.issuer);
    assert_eq!(document["require_pushed_authorization_requests"], true);
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    assert_eq!(document["dpop_signing_alg_values_supported"], json!(["ES256"]));
    assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
    for (name, value) in document.as_object().unwrap() {
        if name.ends_with("_endpoint") || name == "jwks_uri" {
            assert!(value.as_str().unwrap().starts_with(&stage.issuer), "{name}");
        }
    }
    let keys = stage.get("/oauth/jwks").await.json();
    let key = &keys["keys"][0];
    assert_eq!((&key["alg"], &key["use"], &key["crv"]), (&json!("ES256"), &json!("sig"), &json!("P-256")));
    assert!(key.get("d").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_gives_tokens_that_say_who_how_and_for_whom() {
    let stage = Stage::new().await;
    let app = App::new();
    let cookie = app.begin(&stage, &[("acr_values", Level::L2.acr()), ("ui_locales", "en")]).await;
    let shown = stage.identity.interactions.open(&cookie, stage.now()).unwrap().unwrap();
    assert_eq!((shown.wanted, shown.language, shown.authenticated), (Level::L2, Some("en"), None));
    assert_eq!(shown.purpose, Purpose::App { name: "Registro".to_owned() });
    let back = stage.log_in(&cookie, MOTHER, Level::L2);
    assert!(back.as_str().starts_with("http://127.0.0.1:4000/callback?"));
    assert_eq!(query(&back, "iss").as_deref(), Some(stage.issuer.as_str()));
    assert_eq!(query(&back, "state").as_deref(), Some(STATE));
    let answer = app.exchange(&stage, &query(&back, "code").unwrap(), &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    assert_eq!(answer.headers.get("cache-control"), Some("no-store"));
    assert_eq!((answer.text("token_type"), answer.text("scope")), ("DPoP".to_owned(), SCOPE.to_owned()));
    let seconds = stage.now() / 1_000;
    let id = claims(&answer.text("id_token"));
    assert_eq!(id["iss"], stage.issuer);
    assert_eq!(id["sub"], MOTHER.to_string());
    assert_eq!(id["aud"], "it.registro.app");
    assert_eq!(id["nonce"], NONCE);
    assert_eq!(id["acr"], Level::L2.acr());
    assert_eq!((id["iat"].as_i64(), id["exp"].as_i64()), (Some(seconds), Some(seconds + 300)));
    assert_eq!(id["auth_time"], seconds);
    let access = claims(&answer.text("access_token"));
    assert_eq!(access["aud"], format!("{}/v1", stage.issuer));
    assert_eq!(access["exp"], seconds + 600);
    assert_eq!((&access["sub"], &access["acr"]), (&id["sub"], &id["acr"]));
    assert_eq!(access["client_id"], "it.registro.app");
    let session = app.session(&stage, &answer.text("access_token")).await;
    assert_eq!(session.status, 200);
    let session = session.json();
    assert_eq!((&session["name"], &session["level"]), (&json!("Madre Alfa"), &json!(2)));
    assert_eq!((&session["person"], &session["roles"]), (&id["sub"], &json!(["guardian"])));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_offline_access_there_is_no_refresh_token_and_without_openid_no_id_token() {
    let stage = Stage::new().await;
    let app = App::new();
    let code = app.code(&stage, MOTHER, Level::L1, &[("scope", "register")]).await;
    let answer = app.exchange(&stage, &code, &[]).await.json();
    assert!(answer["access_token"].is_string());
    assert!(answer.get("refresh_token").is_none() && answer.get("id_token").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pushed_request_that_is_wrong_is_refused() {
    let stage = Stage::new().await;
    let app = App::new();
    for (name, value, status, code) in [
        ("client_id", "another.app", 401, "invalid_client"),
        ("redirect_uri", "https://evil.example/callback", 400, "invalid_request"),
        ("redirect_uri", "http://localhost:4000/callback", 400, "invalid_request"),
        ("code_challenge_method", "plain", 400, "invalid_request"),
        ("code_challenge", "", 400, "invalid_request"),
        ("response_type", "token", 400, "unsupported_response_type"),
        ("scope", "openid everything", 400, "invalid_scope"),
        ("resource", "https://evil.example/v1", 400, "invalid_target"),
        ("prompt", "none", 400, "login_required"),
        ("request_uri", "urn:ietf:params:oauth:request_uri:x", 400, "invalid_request"),
    ] {
        let answer = app.push(&stage, &[(name, value)]).await;
        assert_eq!(answer.error(), (status, code.to_owned()), "{name}={value}");
        assert!(!answer.nonce().is_empty(), "every answer carries a nonce");
    }
    // A parameter that comes twice.
    let twice = [("client_id", "it.registro.app"), ("client_id", "it.registro.app")];
    let answer = stage.post("/oauth/par", &twice, None).await;
    assert_eq!(answer.error(), (400, "invalid_request".to_owned()));
    // No proof and no key named.
    let answer = stage.post("/oauth/par", &twice[..1], None).await;
    assert_eq!(answer.status, 400);
    // A body that is no form, and one that is too large.
    let json = vec![("content-type", "application/json".to_owned())];
    assert_eq!(stage.send(Method::Post, "/oauth/par", json, b"{}".to_vec()).await.status, 400);
    let form = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
    assert_eq!(stage.send(Method::Post, "/oauth/par", form, vec![b'a'; 20_000]).await.status, 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_with_a_bad_request_sees_a_page_and_is_sent_nowhere() {
    let stage = Stage::new().await;
    let app = App::new();
    let used = app.push(&stage, &[]).await.text("request_uri");
    assert_eq!(stage.get(&authorize(&used)).await.status, 303);
    let old = app.push(&stage, &[]).await.text("request_uri");
    let of_other = app.push(&stage, &[]).await.text("request_uri");
    let good = app.push(&stage, &[]).await.text("request_uri");
    let other = authorize(&of_other).replace("it.registro.app", "another.app");
    assert_eq!(stage.get(&other).await.status, 400);
    let twice = format!("{}&client_id=it.registro.app", authorize(&good));
    assert_eq!(stage.get(&twice).await.status, 400);
    stage.pass(60_000);
    let open = "/oauth/authorize?client_id=it.registro.app&response_type=code&redirect_uri=https%3A%2F%2Fevil.example";
    for path in [
        authorize(&used),
        authorize(&old),
        authorize("urn:x"),
        open.to_owned(),
        "/oauth/authorize".to_owned(),
    ] {
        let answer = stage.get(&path).await;
        assert_eq!(answer.status, 400, "{path}");
        assert!(answer.headers.get("location").is_none() && answer.headers.get("set-cookie").is_none());
        assert!(!String::from_utf8(answer.body).unwrap().contains("evil"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_bound_to_its_browser_ends_once_and_in_time() {
    let stage = Stage::new().await;
    let app = App::new();
    let interactions = &stage.identity.interactions;
    let cookie = app.begin(&stage, &[("acr_values", Level::L2.acr())]).await;
    let id = interactions.open(&cookie, stage.now()).unwrap().unwrap().id;
    assert!(interactions.open("another", stage.now()).unwrap().is_none());
    let who = |person, level| Authenticated { person, level, method: Way::Cie, at: stage.now() };
    // Nobody is let in before somebody showed who they are, at the level that is wanted, and then it is that person.
    assert!(interactions.approve(id, stage.now()).is_err());
    let cookie = app.begin(&stage, &[("acr_values", Level::L2.acr())]).await;
    let id = interactions.open(&cookie, stage.now()).unwrap().unwrap().id;
    assert!(interactions.authenticate(id, who(MOTHER, Level::L1), stage.now()).is_err());
    interactions.authenticate(id, who(MOTHER, Level::L2), stage.now()).unwrap();
    assert!(interactions.authenticate(id, who(TEACHER, Level::L2), stage.now()).is_err());
    interactions.approve(id, stage.now()).unwrap();
    assert!(interactions.approve(id, stage.now()).is_err(), "once");
    assert!(interactions.open(&cookie, stage.now()).unwrap().is_none());
    // Giving up is an answer to the app.
    let cookie = app.begin(&stage, &[]).await;
    let id = interactions.open(&cookie, stage.now()).unwrap().unwrap().id;
    let back = interactions.cancel(id, stage.now()).unwrap();
    assert_eq!(query(&back, "error").as_deref(), Some("access_denied"));
    assert_eq!(query(&back, "iss").as_deref(), Some(stage.issuer.as_str()));
    assert_eq!((query(&back, "state").as_deref(), query(&back, "code")), (Some(STATE), None));
    // In time.
    let cookie = app.begin(&stage, &[]).await;
    stage.pass(INTERACTION_SECONDS * 1_000);
    assert!(interactions.open(&cookie, stage.now()).unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hubs_own_pages_have_a_session_of_their_own() {
    let stage = Stage::new().await;
    let interactions = &stage.identity.interactions;
    let (id, _) = interactions.begin_profile(stage.now()).unwrap();
    let who = Authenticated { person: MOTHER, level: Level::L1, method: Way::School, at: stage.now() };
    interactions.authenticate(id, who, stage.now()).unwrap();
    let (next, cookie) = interactions.approve(id, stage.now()).unwrap();
    let cookie = cookie.unwrap();
    assert_eq!(next.as_str(), format!("{}/profile", stage.issuer));
    assert_eq!(interactions.profile(cookie.reveal(), stage.now()).unwrap(), Some(who));
    assert_eq!(interactions.profile("another", stage.now()).unwrap(), None);
    stage.identity.end_sessions(MOTHER, stage.now()).unwrap();
    assert_eq!(interactions.profile(cookie.reveal(), stage.now()).unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_for_its_app_its_verifier_and_its_key_and_is_tried_once() {
    let stage = Stage::new().await;
    let app = App::new();
    for change in [
        ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK"),
        ("redirect_uri", "http://127.0.0.1:4001/callback"),
        ("redirect_uri", ""),
    ] {
        let code = app.code(&stage, MOTHER, Level::L1, &[]).await;
        assert_eq!(app.exchange(&stage, &code, &[change]).await.error(), (400, "invalid_grant".to_owned()));
        let again = app.exchange(&stage, &code, &[]).await;
        assert_eq!(again.error(), (400, "invalid_grant".to_owned()), "after {change:?} the code is used up");
    }
    let code = app.code(&stage, MOTHER, Level::L1, &[]).await;
    let thief = App::new();
    assert_eq!(thief.exchange(&stage, &code, &[]).await.error(), (400, "invalid_grant".to_owned()));
    let code = app.code(&stage, MOTHER, Level::L1, &[]).await;
    stage.pass(CODE_MS);
    assert_eq!(app.exchange(&stage, &code, &[]).await.error(), (400, "invalid_grant".to_owned()));
    for (change, status, error) in [
        (("client_id", "another.app"), 401, "invalid_client"),
        (("grant_type", "password"), 400, "unsupported_grant_type"),
        (("grant_type", ""), 400, "invalid_request"),
        (("code", ""), 400, "invalid_request"),
        (("code", "guessed"), 400, "invalid_grant"),
        (("code_verifier", ""), 400, "invalid_grant"),
    ] {
        let answer = app.exchange(&stage, "unknown", &[change]).await;
        assert_eq!(answer.error(), (status, error.to_owned()), "{change:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_comes_twice_ends_the_session_that_it_began() {
    let stage = Stage::new().await;
    let app = App::new();
    let code = app.code(&stage, MOTHER, Level::L1, &[]).await;
    let tokens = app.exchange(&stage, &code, &[]).await;
    let (access, refresh) = (tokens.text("access_token"), tokens.text("refresh_token"));
    assert_eq!(app.session(&stage, &access).await.status, 200);
    assert_eq!(app.exchange(&stage, &code, &[]).await.error(), (400, "invalid_grant".to_owned()));
    assert_eq!(app.session(&stage, &access).await.status, 401);
    assert_eq!(app.refresh(&stage, &refresh).await.error(), (400, "invalid_grant".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_bring_a_code_at_once_nobody_stays_logged_in() {
    let stage = Stage::new().await;
    let app = App::new();
    for _ in 0..20 {
        let code = app.code(&stage, MOTHER, Level::L1, &[]).await;
        let both = tokio::join!(app.exchange(&stage, &code, &[]), app.exchange(&stage, &code, &[]));
        let got: Vec<_> = [both.0, both.1].into_iter().filter(|answer| answer.status == 200).collect();
        assert!(got.len() <= 1);
        for answer in got {
            assert_eq!(app.session(&stage, &answer.text("access_token")).await.status, 401);
        }
        assert!(stage.identity.sessions_of(MOTHER, stage.now()).unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_holds_no_account_gets_no_tokens() {
    let stage = Stage::new().await;
    let app = App::new();
    for person in [ESTRANGED, person(99)] {
        let code = app.code(&stage, person, Level::L2, &[]).await;
        assert_eq!(app.exchange(&stage, &code, &[]).await.error(), (400, "invalid_grant".to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_holds_no_secret_that_was_handed_out() {
    let stage = Stage::new().await;
    let app = App::new();
    let request_uri = app.push(&stage, &[]).await.text("request_uri");
    let cookie = app.begin(&stage, &[]).await;
    let waiting = app.code(&stage, MOTHER, Level::L1, &[]).await;
    let tokens = app.tokens(&stage, MOTHER, Level::L1).await;
    let database = stage.identity.store.lock().unwrap();
    database.pragma_update(None, "wal_checkpoint", "TRUNCATE").unwrap();
    let bytes = std::fs::read(stage.data.path().join("identity.sqlite")).unwrap();
    let holds = |secret: &str| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
    assert!(holds(REDIRECT), "what is asked for stands there");
    for secret in [
        request_uri.rsplit(':').next().unwrap(),
        &cookie,
        &waiting,
        &tokens.access,
        &tokens.refresh,
        &tokens.id,
    ] {
        assert!(!holds(secret));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_link_of_the_school_is_another_address_to_go_back_to() {
    let claimed = "https://app.registro.example/callback";
    let config = IdentityConfig { redirects: vec![claimed.parse().unwrap()], ..IdentityConfig::default() };
    let stage = Stage::with(config).await;
    let app = App::new();
    let cookie = app.begin(&stage, &[("redirect_uri", claimed)]).await;
    let back = stage.log_in(&cookie, MOTHER, Level::L1);
    assert!(back.as_str().starts_with("https://app.registro.example/callback?code="));
    let cookie = app.begin(&stage, &[("redirect_uri", "it.registro.app:/callback")]).await;
    let back = stage.log_in(&cookie, MOTHER, Level::L1);
    assert!(back.as_str().starts_with("it.registro.app:/callback?code="), "{back}");
}
