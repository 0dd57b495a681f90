//! A login and what comes after it, at a server that does everything right.

mod common;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use common::http::Reply;
use common::{Device, Forge, Server, Wrong, begin, log_in};
use registro_identity::{BeginLogin, Level, LoginError, LoginMethod};
use registro_sync::http::HubClient;
use serde_json::json;

async fn call(server: &Server, keeper: &registro_identity::SessionKeeper) -> Vec<u8> {
    let hub = HubClient::for_development(&server.url).unwrap();
    hub.get("/api", Some(keeper)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_refreshes_calls_the_api_and_signs_out() {
    for (nonces, rotates) in [(false, true), (true, true), (true, false)] {
        let server = Server::start().await;
        {
            let mut state = server.state();
            (state.nonces, state.rotates) = (nonces, rotates);
        }
        let device = Device::default();
        let login = device.login(&server);
        let keeper = log_in(&login, &server, begin()).await.unwrap();
        assert_eq!(keeper.subject().as_deref(), Some("person-1"));
        assert_eq!(keeper.acr().as_deref(), Some(Level::L1.acr()));
        assert_eq!(call(&server, &keeper).await, br#"{"ok":true}"#);
        server.state().change_nonce();
        let before = keeper.access().await.unwrap();
        keeper.refresh().await.unwrap();
        assert_ne!(keeper.access().await.unwrap().token.reveal(), before.token.reveal());
        assert_eq!(call(&server, &keeper).await, br#"{"ok":true}"#);
        assert!(keeper.logout().await.unwrap());
        assert_eq!(server.state().revoked.len(), 1);
        assert_eq!(keeper.access().await.unwrap_err(), LoginError::SessionEnded);
        assert!(!device.sealed().contains("refresh-") && !device.sealed().contains("person-1"));
        assert_eq!(device.keys.count(), 0, "a new key after a logout");
        assert!(keeper.logout().await.unwrap(), "twice is harmless");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_is_a_fixed_list() {
    let server = Server::start().await;
    let device = Device::default();
    let asked = BeginLogin {
        acr: Some(Level::L2.acr().to_owned()),
        method: Some(LoginMethod::Cie),
        language: Some("it".to_owned()),
        ..begin()
    };
    device.login(&server).begin(asked).await.unwrap();
    let pushed = server.state().last_push.clone();
    let mut names: Vec<_> = pushed.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "acr_values",
            "client_id",
            "code_challenge",
            "code_challenge_method",
            "login_method",
            "nonce",
            "prompt",
            "redirect_uri",
            "response_type",
            "scope",
            "state",
            "ui_locales",
        ]
    );
    assert_eq!(pushed["scope"], "openid offline_access register");
    assert_eq!((pushed["prompt"].as_str(), pushed["login_method"].as_str()), ("consent", "cie"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_survives_the_end_of_the_process_and_a_reported_cancel() {
    let server = Server::start().await;
    let device = Device::default();
    let address = device.login(&server).begin(begin()).await.unwrap();
    let login = device.login(&server);
    login.abort().await.unwrap();
    assert!(login.pending().await.unwrap().unwrap().aborted);
    let login = device.login(&server);
    let keeper = login.complete(&server.approve(address.as_str())).await.unwrap();
    assert_eq!(login.pending().await.unwrap(), None);
    let id = keeper.id();
    drop((keeper, login));
    // Another process: the session is there without a connection.
    let login = device.login(&server);
    let keeper = login.session(&id).await.unwrap().unwrap();
    assert_eq!(call(&server, &keeper).await, br#"{"ok":true}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_ends_after_a_day_or_when_it_is_forgotten_or_refused() {
    let server = Server::start().await;
    let device = Device::default();
    let login = device.login(&server);
    let address = login.begin(begin()).await.unwrap();
    device.clock.ahead_ms.store(25 * 60 * 60 * 1_000, Ordering::SeqCst);
    assert_eq!(login.pending().await.unwrap(), None);
    let callback = server.approve(address.as_str());
    assert_eq!(login.complete(&callback).await.unwrap_err().code(), Some("state"));
    device.clock.ahead_ms.store(0, Ordering::SeqCst);

    let address = login.begin(begin()).await.unwrap();
    login.forget().await.unwrap();
    let callback = server.approve(address.as_str());
    assert_eq!(login.complete(&callback).await.unwrap_err().code(), Some("state"));

    let address = login.begin(begin()).await.unwrap();
    let refused = login.complete(&server.refuse(address.as_str())).await.unwrap_err();
    assert_eq!(refused, LoginError::Cancelled);
    assert_eq!(login.pending().await.unwrap(), None);
    assert_eq!(device.keys.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_callers_share_one_refresh() {
    let server = Server::start().await;
    let device = Device { seals_slowly: true, ..Device::default() };
    let keeper = log_in(&device.login(&server), &server, begin()).await.unwrap();
    device.clock.ahead_ms.store(3_600_000, Ordering::SeqCst);
    server.state().clock_ahead = 3_600;
    let tasks: Vec<_> = (0..20)
        .map(|number| {
            let keeper = keeper.clone();
            // Some before the refresh, some while it is under way, some while its tokens are sealed.
            let wait = std::time::Duration::from_millis(number * 5);
            tokio::spawn(async move {
                tokio::time::sleep(wait).await;
                keeper.access().await.unwrap().token.reveal().to_owned()
            })
        })
        .collect();
    let mut tokens = std::collections::BTreeSet::new();
    for task in tasks {
        tokens.insert(task.await.unwrap());
    }
    assert_eq!((tokens.len(), server.count("refresh_token")), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_goes_on_when_its_caller_goes_away() {
    let server = Server::start().await;
    let device = Device::default();
    let keeper = log_in(&device.login(&server), &server, begin()).await.unwrap();
    let before = keeper.access().await.unwrap();
    for _ in 0..3 {
        // Dropped at its first wait.
        let refresh = keeper.refresh();
        tokio::select! { biased; () = std::future::ready(()) => {}, _ = refresh => {} }
        let waiting = tokio::time::timeout(std::time::Duration::from_micros(50), keeper.refresh()).await;
        drop(waiting);
    }
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    keeper.refresh().await.unwrap();
    assert_ne!(keeper.access().await.unwrap().token.reveal(), before.token.reveal());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_the_api_refuses_is_renewed_once() {
    let server = Server::start().await;
    let device = Device::default();
    let keeper = log_in(&device.login(&server), &server, begin()).await.unwrap();
    server.state().end_access();
    assert_eq!(call(&server, &keeper).await, br#"{"ok":true}"#);
    assert_eq!(server.count("refresh_token"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ended_session_keeps_its_name_and_can_be_renewed_by_the_same_person_only() {
    let server = Server::start().await;
    let device = Device::default();
    let login = device.login(&server);
    let keeper = log_in(&login, &server, begin()).await.unwrap();
    let id = keeper.id();
    server.state().refresh.clear();
    assert_eq!(keeper.refresh().await.unwrap_err(), LoginError::SessionEnded);
    assert!(keeper.has_ended());
    assert!(login.accounts().await.unwrap()[0].ended);
    let again = BeginLogin { account: Some(id.clone()), ..begin() };
    server.state().subject = "person-2";
    let other = log_in(&login, &server, again.clone()).await.unwrap_err();
    assert_eq!(other.code(), Some("sub"));
    server.state().subject = "person-1";
    let renewed = log_in(&login, &server, again).await.unwrap();
    assert_eq!(renewed.id(), id);
    assert!(!keeper.has_ended(), "whoever holds the session goes on with it");
    assert_eq!(call(&server, &keeper).await, br#"{"ok":true}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_up_raises_the_session_that_others_hold() {
    let server = Server::start().await;
    let device = Device::default();
    let login = device.login(&server);
    let keeper = log_in(&login, &server, begin()).await.unwrap();
    let thumbprint = keeper.thumbprint().await.unwrap();
    let raise = BeginLogin { account: Some(keeper.id()), acr: Some(Level::L2.acr().to_owned()), ..begin() };
    let short = log_in(&login, &server, raise.clone()).await.unwrap_err();
    assert_eq!(short.kind(), "higher_level_needed", "the server ended below");
    assert_eq!(call(&server, &keeper).await, br#"{"ok":true}"#, "the session is as it was");
    server.state().acr = Some(Level::L3.acr());
    log_in(&login, &server, raise).await.unwrap();
    assert_eq!(keeper.acr().as_deref(), Some(Level::L3.acr()));
    assert_eq!(keeper.thumbprint().await.unwrap(), thumbprint, "one key per session");
    assert_eq!(call(&server, &keeper).await, br#"{"ok":true}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_under_way_does_not_undo_a_step_up() {
    let server = Server::start().await;
    let device = Device::default();
    let login = device.login(&server);
    for _ in 0..10 {
        server.state().acr = Some(Level::L1.acr());
        let keeper = log_in(&login, &server, begin()).await.unwrap();
        server.state().acr = Some(Level::L3.acr());
        let address = login
            .begin(BeginLogin {
                account: Some(keeper.id()),
                acr: Some(Level::L2.acr().to_owned()),
                ..begin()
            })
            .await
            .unwrap();
        let callback = server.approve(address.as_str());
        let slow = keeper.clone();
        let refresh = tokio::spawn(async move { slow.refresh().await });
        login.complete(&callback).await.unwrap();
        let _ = refresh.await.unwrap();
        assert_eq!(keeper.acr().as_deref(), Some(Level::L3.acr()));
        assert_eq!(call(&server, &keeper).await, br#"{"ok":true}"#);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_and_two_schools_on_one_device_never_mix() {
    let (one, other) = (Server::start().await, Server::start().await);
    one.state().nonces = true;
    let device = Device::default();
    let (at_one, at_other) = (device.login(&one), device.login(&other));
    let first = log_in(&at_one, &one, begin()).await.unwrap();
    one.state().subject = "person-2";
    let second = log_in(&at_one, &one, begin()).await.unwrap();
    let third = log_in(&at_other, &other, begin()).await.unwrap();
    assert_ne!(first.thumbprint().await.unwrap(), second.thumbprint().await.unwrap());
    assert_ne!(first.thumbprint().await.unwrap(), third.thumbprint().await.unwrap());
    assert_eq!(at_one.accounts().await.unwrap().len(), 2);
    for (server, keeper) in [(&one, &first), (&one, &second), (&other, &third)] {
        assert_eq!(call(server, keeper).await, br#"{"ok":true}"#);
    }
    assert!(second.logout().await.unwrap());
    assert_eq!(call(&one, &first).await, br#"{"ok":true}"#);
    assert_eq!(call(&other, &third).await, br#"{"ok":true}"#);
    // The same person again: the session keeps its name, and the tokens before go back.
    one.state().subject = "person-1";
    let again = log_in(&at_one, &one, begin()).await.unwrap();
    assert_eq!(again.id(), first.id());
    assert_eq!((at_one.accounts().await.unwrap().len(), one.state().refresh.len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_without_a_connection_is_told_later() {
    let server = Server::start().await;
    let device = Device::default();
    let keeper = log_in(&device.login(&server), &server, begin()).await.unwrap();
    server.state().wrong = vec![Wrong::Answer("/revoke", Reply::Stall)];
    assert!(!keeper.logout().await.unwrap());
    assert!(device.login(&server).accounts().await.unwrap().is_empty(), "wiped at once");
    server.state().wrong.clear();
    let login = device.login(&server);
    assert!(login.flush_revocations().await.unwrap());
    assert_eq!((server.state().revoked.len(), device.keys.count()), (1, 0));
    assert!(!device.sealed().contains("refresh-"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_ends_after_the_logout_is_given_back() {
    let server = Server::start().await;
    let device = Device::default();
    let login = device.login(&server);
    let keeper = log_in(&login, &server, begin()).await.unwrap();
    let slow = keeper.clone();
    let refresh = tokio::spawn(async move { slow.refresh().await });
    keeper.logout().await.unwrap();
    let _ = refresh.await.unwrap();
    login.flush_revocations().await.unwrap();
    assert!(server.state().refresh.is_empty(), "no token lives on");
    assert!(device.login(&server).accounts().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong_is_corrected_by_the_servers() {
    for off in [-3_000_000_i64, 3_000_000] {
        let server = Server::start().await;
        server.state().clock_ahead = off / 1_000;
        let device = Device::default();
        let keeper = log_in(&device.login(&server), &server, begin()).await.unwrap();
        assert_eq!(call(&server, &keeper).await, br#"{"ok":true}"#);
        keeper.refresh().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_the_server_has_changed_are_fetched_again_but_not_for_ever() {
    let server = Server::start().await;
    let device = Device::default();
    let login = device.login(&server);
    log_in(&login, &server, begin()).await.unwrap();
    server.state().change_key();
    device.clock.ahead_ms.store(31_000, Ordering::SeqCst);
    log_in(&login, &server, begin()).await.unwrap();
    assert_eq!(server.count("/jwks"), 2);
    server.state().wrong.push(Wrong::Forged(Forge::UnknownName));
    for _ in 0..3 {
        log_in(&login, &server, begin()).await.unwrap_err();
    }
    assert_eq!(server.count("/jwks"), 2, "a token with an odd name does not make a device fetch keys");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_refresh_tokens_or_revocation_serves_as_well() {
    let server = Server::start_wrong([Wrong::Metadata("revocation_endpoint", json!(null))]).await;
    server.state().gives_refresh = false;
    let device = Device::default();
    let keeper = log_in(&device.login(&server), &server, begin()).await.unwrap();
    assert!(!keeper.can_refresh());
    assert_eq!(call(&server, &keeper).await, br#"{"ok":true}"#);
    assert!(!keeper.logout().await.unwrap(), "nobody heard of it");
    assert_eq!(device.keys.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_could_not_be_redeemed_for_want_of_a_connection_is_ended_later() {
    let server = Server::start_wrong([Wrong::Answer("/token", Reply::Stall)]).await;
    let device = Device::default();
    let login = device.login(&server);
    let address = login.begin(begin()).await.unwrap();
    let callback = server.approve(address.as_str());
    assert_eq!(login.complete(&callback).await.unwrap_err(), LoginError::Offline);
    server.state().wrong.clear();
    login.complete(&callback).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_secret_shows() {
    let server = Server::start().await;
    let device = Arc::new(Device::default());
    let login = device.login(&server);
    let keeper = log_in(&login, &server, begin()).await.unwrap();
    let access = keeper.access().await.unwrap();
    let shown = format!("{keeper:?} {access:?} {:?} {:?}", login.accounts().await, login.pending().await);
    assert!(!shown.contains("access-") && !shown.contains("refresh-"), "{shown}");
}
