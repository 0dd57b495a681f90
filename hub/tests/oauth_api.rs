//! What an access token opens: the session, the device's certificate, the list of sessions, the sync and its levels.

#![allow(clippy::unwrap_used)] // also outside the test functions themselves

mod oauth_app;
mod sync_school;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use oauth_app::*;
use registro_documents::bytes::sha256;
use registro_documents::{Certificate, Kind, SigningKey};
use registro_hub::Level;
use registro_hub::identity::authorization::keys::Rotation;
use registro_hub::identity::config::{IdentityConfig, ResourceServer};
use registro_model::Capacity;
use registro_sync::http::Method;
use registro_sync::{Code, Request};
use serde_json::{Value, json};
use sync_school::*;
use zeroize::Zeroizing;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&Zeroizing::new([seed; 32]))
}

async fn device_of(app: &App, stage: &Stage, tokens: &Tokens, seed: u8, label: &str) -> Device {
    let answer = app.enrol(stage, &tokens.access, &key(seed), label, |_| {}).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    let certificate: Certificate = minicbor::decode(&answer.body).unwrap();
    let caller = registro_hub::Caller::new(certificate.person, Level::L2);
    Device { key: key(seed), certificate, caller, epoch: [seed; 8], directory: 1 }
}

async fn sessions(app: &App, stage: &Stage, token: &str) -> Value {
    app.call(stage, Method::Get, "/v1/sessions", token, &Value::Null).await.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_devices_key_is_certified_for_this_login_alone() {
    let stage = Stage::new().await;
    let app = App::new();
    let tokens = app.tokens(&stage, TEACHER, Level::L2).await;
    let device = device_of(&app, &stage, &tokens, 51, "Tablet della 3A").await;
    assert_eq!(device.certificate.person, TEACHER);
    assert!(device.certificate.is_genuine(SCHOOL, stage.hub.hub.school_key()));
    // Each part of what is signed counts.
    type Spoil = fn(&mut (String, Vec<u8>, String));
    let spoils: [(&str, Spoil); 4] = [
        ("issuer", |parts| parts.0 = "development".to_owned()),
        ("thumbprint", |parts| parts.1 = vec![0; 32]),
        ("no thumbprint", |parts| parts.1.clear()),
        ("nonce", |parts| parts.2 = "another".to_owned()),
    ];
    for (name, spoil) in spoils {
        assert_eq!(app.enrol(&stage, &tokens.access, &key(52), "", spoil).await.status, 403, "{name}");
    }
    let long = "x".repeat(61);
    assert_eq!(app.enrol(&stage, &tokens.access, &key(52), &long, |_| {}).await.status, 413);
    // The key of one person is never another's.
    let others = app.tokens(&stage, SECOND, Level::L2).await;
    assert_eq!(app.enrol(&stage, &others.access, &key(51), "", |_| {}).await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_sees_their_sessions_and_signs_out_elsewhere() {
    let stage = Stage::new().await;
    let (tablet, phone, stranger) = (App::new(), App::new(), App::new());
    let on_tablet = tablet.tokens(&stage, TEACHER, Level::L2).await;
    device_of(&tablet, &stage, &on_tablet, 51, "Tablet della 3A").await;
    stage.pass(1_000);
    let on_phone = phone.tokens(&stage, TEACHER, Level::L1).await;
    let of_stranger = stranger.tokens(&stage, MOTHER, Level::L2).await;
    let listed = sessions(&phone, &stage, &on_phone.access).await;
    assert_eq!(listed.as_array().unwrap().len(), 2, "nobody else's");
    assert_eq!(
        (&listed[0]["this"], &listed[0]["level"], &listed[0]["method"]),
        (&json!(true), &json!(1), &json!("spid"))
    );
    assert_eq!((&listed[1]["this"], &listed[1]["device"]), (&json!(false), &json!("Tablet della 3A")));
    let end = |id: &Value| json!({ "id": id });
    let foreign = stranger
        .call(&stage, Method::Post, "/v1/sessions/end", &of_stranger.access, &end(&listed[1]["id"]))
        .await;
    assert_eq!(foreign.status, 404, "another person's session does not exist");
    let ended =
        phone.call(&stage, Method::Post, "/v1/sessions/end", &on_phone.access, &end(&listed[1]["id"])).await;
    assert_eq!(ended.json(), json!({ "ended": 1 }));
    assert_eq!(tablet.session(&stage, &on_tablet.access).await.status, 401);
    assert_eq!(tablet.refresh(&stage, &on_tablet.refresh).await.error().0, 400);
    assert_eq!(phone.session(&stage, &on_phone.access).await.status, 200);
    assert_eq!(sessions(&phone, &stage, &on_phone.access).await.as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_by_the_same_key_takes_the_place_of_the_one_before() {
    let stage = Stage::new().await;
    let (tablet, other) = (App::new(), App::new());
    let before = tablet.tokens(&stage, TEACHER, Level::L1).await;
    device_of(&tablet, &stage, &before, 51, "Tablet della 3A").await;
    let elsewhere = other.tokens(&stage, TEACHER, Level::L1).await;
    let others = tablet.tokens(&stage, SECOND, Level::L1).await;
    stage.pass(1_000);
    let raised = tablet.tokens(&stage, TEACHER, Level::L2).await;
    let listed = sessions(&tablet, &stage, &raised.access).await;
    assert_eq!(listed.as_array().unwrap().len(), 2, "one per device");
    assert_eq!((&listed[0]["level"], &listed[0]["device"]), (&json!(2), &json!("Tablet della 3A")));
    assert_eq!(tablet.session(&stage, &before.access).await.status, 401);
    assert_eq!(tablet.refresh(&stage, &before.refresh).await.error().0, 400);
    assert_eq!(other.session(&stage, &elsewhere.access).await.status, 200, "another device");
    assert_eq!(tablet.session(&stage, &others.access).await.status, 200, "another person");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_office_ends_anybodys_sessions_and_nobody_else_does() {
    let stage = Stage::new().await;
    let app = App::new();
    let teacher = app.tokens(&stage, TEACHER, Level::L2).await;
    let device = device_of(&app, &stage, &teacher, 51, "Tablet").await;
    let all_of_teacher = json!({ "person": TEACHER.to_string(), "lost": true });
    let end = async |tokens: &Tokens| {
        app.call(&stage, Method::Post, "/v1/sessions/end", &tokens.access, &all_of_teacher).await
    };
    for (person, level, status) in
        [(SECOND, Level::L2, 403), (MOTHER, Level::L3, 403), (OFFICE, Level::L1, 401)]
    {
        let tokens = app.tokens(&stage, person, level).await;
        let answer = end(&tokens).await;
        assert_eq!(answer.status, status, "{person:?}");
        if status == 401 {
            assert!(answer.challenge().contains("insufficient_user_authentication"));
            assert!(answer.challenge().contains(Level::L2.acr()));
            assert_eq!(answer.json()["next_step"], "step-up");
        }
    }
    let office = app.tokens(&stage, OFFICE, Level::L2).await;
    assert_eq!(end(&office).await.json(), json!({ "ended": 1 }));
    assert_eq!(app.session(&stage, &teacher.access).await.status, 401);
    // The lost device's work is kept for the office from now on; what it wrote is not lost.
    let id = record(&stage.hub.hub, P1);
    let batch = device.batch(1, Capacity::Lesson, &[absence(&state(&stage.hub.hub, id), id)]);
    let acks = device.push(&stage.hub.hub, vec![batch], stage.now());
    assert_eq!(code_of(&acks[0]), Some(Code::Refused));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_low_login_puts_aside_what_needs_a_high_one_and_the_rest_goes_through() {
    let stage = Stage::new().await;
    let hub = &stage.hub.hub;
    // Nobody writes marks yet: attendance stands in for them.
    hub.ask_two_factors_for(|kind, section| kind == Kind::PupilRecord && section == "attendance").unwrap();
    let app = App::new();
    let low = app.tokens(&stage, TEACHER, Level::L1).await;
    let device = device_of(&app, &stage, &low, 51, "Tablet").await;
    let (record_id, month_id) = (record(hub, P1), month(hub, "3A"));
    let (on_record, on_month) = (state(hub, record_id), state(hub, month_id));
    let high_work = device.batch(1, Capacity::Lesson, &[absence(&on_record, record_id)]);
    let topic = fact().with("topic", "Dante");
    let low_work = device.batch(
        2,
        Capacity::Lesson,
        &[Draft {
            id: month_id,
            on: &on_month,
            puts: vec![("topics", format!("2026-11-23#1/{TEACHER}"), topic)],
        }],
    );
    let end = hub.head().unwrap();
    let request = |push| Request { cursor: end, end, push, ..Request::default() };
    let reply = app.sync(&stage, &low.access, &request(vec![high_work.clone(), low_work])).await;
    assert_eq!(code_of(&reply.acks[0]), Some(Code::NeedsLevel));
    assert_eq!(code_of(&reply.acks[1]), None, "the rest goes through");
    // Nothing was stored: a colleague with two factors who carries it is answered alike.
    let colleague = App::new();
    let others = colleague.tokens(&stage, SECOND, Level::L2).await;
    let carried = colleague.sync(&stage, &others.access, &request(vec![high_work.clone()])).await;
    assert_eq!(code_of(&carried.acks[0]), Some(Code::NeedsLevel));
    assert!(carried.feed.iter().all(|entry| !matches!(entry, registro_sync::messages::Entry::Refused(_))));
    // After the author's login with two factors it is accepted.
    let high = app.tokens(&stage, TEACHER, Level::L2).await;
    let reply = app.sync(&stage, &high.access, &request(vec![high_work])).await;
    assert_eq!(code_of(&reply.acks[0]), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_right_has_ended_hands_in_what_was_written_and_reads_nothing() {
    let stage = Stage::of(IdentityConfig::default(), |registered| {
        let teacher = registered.directory.staff.get_mut(&TEACHER).unwrap();
        teacher.roles[0].1.to = Some(day("2026-11-23"));
        let classes = registered.directory.classes.values_mut();
        for assignment in classes.flat_map(|class| &mut class.assignments) {
            if assignment.teacher == TEACHER {
                assignment.span.to = Some(day("2026-11-23"));
            }
        }
    })
    .await;
    let hub = &stage.hub.hub;
    let app = App::new();
    let tokens = app.tokens(&stage, TEACHER, Level::L2).await;
    let device = device_of(&app, &stage, &tokens, 51, "Tablet").await;
    let id = record(hub, P1);
    let batch = device.batch(1, Capacity::Lesson, &[absence(&state(hub, id), id)]);
    stage.clock.set(at("2026-11-24T08:00"));
    let access = app.refresh(&stage, &tokens.refresh).await.text("access_token");
    let end = hub.head().unwrap();
    let request = Request { cursor: end, end, push: vec![batch], want: vec![id], ..Request::default() };
    let reply = app.sync(&stage, &access, &request).await;
    assert_eq!(code_of(&reply.acks[0]), None, "what was written before the end is taken");
    assert!(changes(&reply.feed).is_empty());
    assert!(reply.feed.iter().all(|entry| !matches!(entry, registro_sync::messages::Entry::Snapshot(_))));
    assert_eq!(reply.documents.map(|documents| documents.len()), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn access_tokens_end_in_time_with_their_key_and_elsewhere() {
    let stage = Stage::new().await;
    let app = App::new();
    let tokens = app.tokens(&stage, MOTHER, Level::L1).await;
    // Spoiled in every part, and of the wrong kind.
    let parts: Vec<_> = tokens.access.split('.').collect();
    let mut raised = claims(&tokens.access);
    raised["acr"] = json!(Level::L3.acr());
    let header = json!({ "typ": "at+jwt", "alg": "none" });
    let encode = |value: &Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    for bad in [
        format!("{}.{}.{}", parts[0], encode(&raised), parts[2]),
        format!("{}.{}.", encode(&header), encode(&raised)),
        format!("{}.{}.{}", encode(&header), encode(&raised), parts[2]),
        app.sign(&json!({ "typ": "at+jwt", "alg": "ES256", "kid": "x", "jwk": app.jwk() }), &raised),
        tokens.id.clone(),
        tokens.refresh.clone(),
        format!("{}x", tokens.access),
    ] {
        let answer = app.session(&stage, &bad).await;
        assert_eq!(answer.status, 401, "{bad}");
        assert!(answer.challenge().contains("invalid_token"), "{}", answer.challenge());
    }
    stage.pass(599_000);
    assert_eq!(app.session(&stage, &tokens.access).await.status, 200);
    stage.pass(1_000);
    let late = app.session(&stage, &tokens.access).await;
    assert!(late.status == 401 && late.challenge().contains("invalid_token"));
    // After a theft of the signing key nothing that it signed is good, and the session renews itself.
    let access = app.refresh(&stage, &tokens.refresh).await.text("access_token");
    assert_eq!(app.session(&stage, &access).await.status, 200);
    stage.identity.keys.rotate(Rotation::Compromised, stage.now()).unwrap();
    assert_eq!(app.session(&stage, &access).await.status, 401);
    let access = app.refresh(&stage, &tokens.refresh).await.text("access_token");
    assert_eq!(app.session(&stage, &access).await.status, 200);
    // Another hub's token opens nothing here.
    let other = Stage::new().await;
    let theirs = app.tokens(&other, MOTHER, Level::L1).await;
    assert_eq!(app.session(&stage, &theirs.access).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_schools_own_servers_learn_whether_a_token_is_good() {
    let secret = "a drawn secret of the canteen's server";
    let server = ResourceServer {
        id: "mensa".to_owned(),
        secret_sha256: sha256(secret.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    let config = IdentityConfig { resource_server: vec![server], ..IdentityConfig::default() };
    let stage = Stage::with(config).await;
    let app = App::new();
    let tokens = app.tokens(&stage, MOTHER, Level::L2).await;
    let ask = async |credentials: Option<&str>, token: &str| {
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
        headers.extend(credentials.map(|text| ("authorization", format!("Basic {}", STANDARD.encode(text)))));
        stage.send(Method::Post, "/oauth/introspect", headers, format!("token={token}").into_bytes()).await
    };
    for credentials in [None, Some("mensa:wrong"), Some("other:x"), Some("mensa"), Some("")] {
        let answer = ask(credentials, &tokens.access).await;
        assert_eq!(answer.error(), (401, "invalid_client".to_owned()), "{credentials:?}");
    }
    let good = format!("mensa:{secret}");
    let said = ask(Some(&good), &tokens.access).await.json();
    assert_eq!((&said["active"], &said["sub"]), (&json!(true), &json!(MOTHER.to_string())));
    assert_eq!((&said["acr"], &said["token_type"]), (&json!(Level::L2.acr()), &json!("DPoP")));
    assert!(said["cnf"]["jkt"].is_string());
    for token in [&tokens.refresh, &tokens.id, "nonsense"] {
        assert_eq!(ask(Some(&good), token).await.json(), json!({ "active": false }));
    }
    stage.identity.end_sessions(MOTHER, stage.now()).unwrap();
    assert_eq!(ask(Some(&good), &tokens.access).await.json(), json!({ "active": false }));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_tells_the_hubs_time_and_a_nonce() {
    let stage = Stage::new().await;
    for path in ["/v1/session", "/v1/nothing"] {
        let answer = stage.get(path).await;
        assert!(!answer.nonce().is_empty(), "{path}");
        assert_eq!(answer.headers.get("cache-control"), Some("no-store"));
        assert_eq!(answer.headers.get("date"), Some("Mon, 23 Nov 2026 06:30:05 GMT"));
    }
    let answer = stage.get("/v1/session").await;
    assert_eq!((answer.status, answer.challenge().as_str()), (401, r#"DPoP algs="ES256""#));
}
