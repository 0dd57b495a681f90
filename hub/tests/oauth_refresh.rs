//! Refresh tokens: bound to the device's key, replaced in time, and no reply that gets lost logs anybody out.

#![allow(clippy::unwrap_used)] // also outside the test functions themselves

mod oauth_app;
mod sync_school;

use oauth_app::*;
use registro_hub::Level;
use registro_hub::identity::config::IdentityConfig;
use registro_sync::http::Method;
use serde_json::{Value, json};
use sync_school::*;

const REFUSED: (u16, &str) = (400, "invalid_grant");

async fn refused(app: &App, stage: &Stage, token: &str) {
    let (status, error) = app.refresh(stage, token).await.error();
    assert_eq!((status, error.as_str()), REFUSED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_kept_until_70_percent_of_its_life_and_then_replaced() {
    let stage = Stage::new().await;
    let app = App::new();
    let tokens = app.tokens(&stage, MOTHER, Level::L1).await;
    // A family's token lives thirty days.
    stage.pass(21 * DAY_MS - 1_000);
    let answer = app.refresh(&stage, &tokens.refresh).await;
    assert_eq!((answer.status, answer.text("refresh_token")), (200, tokens.refresh.clone()));
    assert_eq!(answer.text("scope"), SCOPE);
    assert_eq!(app.session(&stage, &answer.text("access_token")).await.status, 200);
    stage.pass(2_000);
    let answer = app.refresh(&stage, &tokens.refresh).await;
    let successor = answer.text("refresh_token");
    assert_ne!(successor, tokens.refresh);
    // Its life begins anew.
    stage.pass(20 * DAY_MS);
    assert_eq!(app.refresh(&stage, &successor).await.text("refresh_token"), successor);
    stage.pass(10 * DAY_MS);
    refused(&app, &stage, &successor).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_is_no_logout_and_a_copied_token_is() {
    let stage = Stage::new().await;
    let app = App::new();
    let tokens = app.tokens(&stage, MOTHER, Level::L1).await;
    stage.pass(22 * DAY_MS);
    // Three replies get lost one after the other; the fourth arrives.
    let mut lost = Vec::new();
    for _ in 0..3 {
        lost.push(app.refresh(&stage, &tokens.refresh).await.text("refresh_token"));
    }
    let arrived = app.refresh(&stage, &tokens.refresh).await.text("refresh_token");
    assert_eq!(app.refresh(&stage, &arrived).await.status, 200);
    // From its first use on it is the only one. The one before comes back out of a copy: the session ends.
    refused(&app, &stage, &tokens.refresh).await;
    refused(&app, &stage, &arrived).await;
    for token in lost {
        refused(&app, &stage, &token).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_was_lost_may_still_turn_up_if_no_other_was_used() {
    let stage = Stage::new().await;
    let app = App::new();
    let tokens = app.tokens(&stage, MOTHER, Level::L1).await;
    stage.pass(22 * DAY_MS);
    let first = app.refresh(&stage, &tokens.refresh).await.text("refresh_token");
    let _second = app.refresh(&stage, &tokens.refresh).await.text("refresh_token");
    assert_eq!(app.refresh(&stage, &first).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_token_without_the_key_is_worth_nothing_and_changes_nothing() {
    let stage = Stage::new().await;
    let (app, thief) = (App::new(), App::new());
    let tokens = app.tokens(&stage, MOTHER, Level::L1).await;
    refused(&thief, &stage, &tokens.refresh).await;
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "it.registro.app"),
        ("refresh_token", tokens.refresh.as_str()),
    ];
    let unproven = stage.post("/oauth/token", &form, None).await;
    assert_eq!(unproven.error(), (400, "invalid_dpop_proof".to_owned()));
    assert_eq!(app.refresh(&stage, &tokens.refresh).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_may_be_narrowed_and_never_widened() {
    let stage = Stage::new().await;
    let app = App::new();
    let code = app.code(&stage, MOTHER, Level::L1, &[("scope", "offline_access register")]).await;
    let refresh = app.exchange(&stage, &code, &[]).await.text("refresh_token");
    let ask = async |scope: &str| {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", "it.registro.app"),
            ("refresh_token", refresh.as_str()),
            ("scope", scope),
        ];
        stage.post("/oauth/token", &form, Some(app.proof(&stage, "POST", "/oauth/token", None))).await
    };
    assert_eq!(ask("openid register").await.error(), (400, "invalid_scope".to_owned()));
    assert_eq!(ask("offline_access").await.text("scope"), "offline_access");
    assert_eq!(ask("register").await.text("scope"), "register");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_teachers_login_lasts_a_week_or_what_the_school_says() {
    for (days, config) in [
        (7, IdentityConfig::default()),
        (1, IdentityConfig { staff_session_days: Some(1), ..IdentityConfig::default() }),
    ] {
        let stage = Stage::with(config).await;
        let app = App::new();
        let tokens = app.tokens(&stage, TEACHER, Level::L2).await;
        stage.pass(days * DAY_MS);
        refused(&app, &stage, &tokens.refresh).await;
        let tokens = app.tokens(&stage, TEACHER, Level::L2).await;
        stage.pass(days * DAY_MS - 1_000);
        assert_eq!(app.refresh(&stage, &tokens.refresh).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_right_has_ended_hands_in_for_two_weeks_and_then_nothing() {
    let stage = Stage::of(IdentityConfig::default(), |registered| {
        let supply = registered.directory.staff.get_mut(&SUPPLY).unwrap();
        supply.roles[0].1.to = Some(day("2026-11-25"));
    })
    .await;
    let app = App::new();
    let tokens = app.tokens(&stage, SUPPLY, Level::L2).await;
    assert_eq!(app.session(&stage, &tokens.access).await.json()["reads"], true);
    stage.clock.set(at("2026-11-26T08:00"));
    let answer = app.refresh(&stage, &tokens.refresh).await;
    assert_eq!((answer.status, answer.text("scope")), (200, String::new()));
    let access = answer.text("access_token");
    let late = app.session(&stage, &access).await;
    assert_eq!((late.status, &late.json()["reads"]), (200, &json!(false)));
    let kept = app.call(&stage, Method::Get, "/v1/office/kept", &access, &Value::Null).await;
    assert_eq!(kept.json()["kind"], "not-entitled");
    // A new login is for handing in as well.
    let again = app.tokens(&stage, SUPPLY, Level::L2).await;
    assert_eq!(claims(&again.access)["scope"], "");
    stage.clock.set(at("2026-12-09T23:59"));
    let tokens = app.tokens(&stage, SUPPLY, Level::L2).await;
    stage.clock.set(at("2026-12-10T00:00"));
    let answer = app.session(&stage, &tokens.access).await;
    assert_eq!((answer.status, &answer.json()["kind"]), (403, &json!("not-entitled")));
    refused(&app, &stage, &tokens.refresh).await;
    assert_eq!(app.session(&stage, &tokens.access).await.status, 401, "the session has ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_ends_the_session_and_is_answered_alike_for_every_token() {
    let stage = Stage::new().await;
    let app = App::new();
    let revoke = async |token: &str| {
        stage.post("/oauth/revoke", &[("client_id", "it.registro.app"), ("token", token)], None).await.status
    };
    let tokens = app.tokens(&stage, MOTHER, Level::L1).await;
    assert_eq!(revoke(&tokens.refresh).await, 200);
    refused(&app, &stage, &tokens.refresh).await;
    assert_eq!(app.session(&stage, &tokens.access).await.status, 401);
    let tokens = app.tokens(&stage, MOTHER, Level::L1).await;
    assert_eq!(revoke(&tokens.access).await, 200, "an access token ends its session too");
    refused(&app, &stage, &tokens.refresh).await;
    assert_eq!(revoke(&tokens.refresh).await, 200, "again");
    assert_eq!(revoke("nonsense").await, 200);
    let nobodys = [("client_id", "another.app"), ("token", "x")];
    assert_eq!(stage.post("/oauth/revoke", &nobodys, None).await.error().0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_too_many_sessions_the_one_used_longest_ago_ends() {
    let stage = Stage::new().await;
    let (app, other) = (App::new(), App::new());
    let first = app.tokens(&stage, MOTHER, Level::L1).await;
    let second = other.tokens(&stage, MOTHER, Level::L1).await;
    stage.pass(1_000);
    assert_eq!(app.refresh(&stage, &first.refresh).await.status, 200);
    for _ in 0..31 {
        App::new().tokens(&stage, MOTHER, Level::L1).await;
    }
    assert_eq!(app.session(&stage, &first.access).await.status, 200);
    assert_eq!(other.session(&stage, &second.access).await.status, 401);
}
