//! Providers, fetched and kept: how long, how often, with which keys.

#![allow(clippy::unwrap_used)] // also outside the test functions themselves

mod federation_hub;
mod federation_world;
mod sync_school;

use std::sync::Arc;

use federation_hub::*;
use federation_world::*;
use registro_hub::identity::federation::error::FederationError;
use registro_hub::identity::federation::fetch::Fetcher;
use registro_hub::identity::federation::resolver::{Pinned, Resolver};
use registro_hub::identity::federation::settings::{AnchorSettings, Scheme};
use registro_sync::http::{Transport, TransportOptions};
use serde_json::{Value, json};

const HUB: &str = "http://127.0.0.1:9/hub";

fn resolver(anchor: &str, pinned: Who, providers: &[&str]) -> Resolver {
    let settings = AnchorSettings {
        scheme: Scheme::Spid,
        entity: anchor.to_owned(),
        keys: "unused".into(),
        registry: None,
        providers: providers.iter().map(|name| (*name).to_owned()).collect(),
    };
    let fetcher = Fetcher::new(Transport::new(TransportOptions::development()).unwrap());
    Resolver::new(HUB.to_owned(), vec![Pinned { settings, keys: key(pinned).set() }], fetcher)
}

fn op<'a>(claims: &'a mut Claims, parameter: &str) -> &'a mut Value {
    &mut claims.provider["metadata"]["openid_provider"][parameter]
}

#[tokio::test]
async fn a_provider_is_fetched_again_shortly_before_its_chain_ends_and_serves_until_then() {
    let fake = Fake::start(HUB).await;
    let resolver = resolver(&fake.anchor, Who::Anchor, &[]);
    let now = now();
    let first = resolver.provider(&fake.provider, now).await.unwrap();
    assert!(Arc::ptr_eq(&first, &resolver.provider(&fake.provider, now + 600).await.unwrap()), "kept");
    let end = first.resolved.expires;
    assert!(resolver.known(&fake.provider, end - 1).is_some());
    assert!(resolver.known(&fake.provider, end).is_none());
    let late = end - 200;
    *fake.claims.lock().unwrap() = claims(&fake.anchor, &fake.provider, HUB, late);
    let second = resolver.provider(&fake.provider, late).await.unwrap();
    assert_eq!(second.resolved.expires, late + 3600);
    // What the federation says then does not hold any more.
    let later = late + 3700;
    assert!(matches!(resolver.provider(&fake.provider, later).await, Err(FederationError::Rule(_))));
    *fake.claims.lock().unwrap() = claims(&fake.anchor, &fake.provider, HUB, later);
    let soon = resolver.provider(&fake.provider, later + 5).await;
    assert!(matches!(soon, Err(FederationError::Status { status: 503, .. })), "not again within seconds");
    assert!(resolver.provider(&fake.provider, later + 11).await.is_ok());
}

#[tokio::test]
async fn a_federation_that_cannot_be_reached_leaves_what_still_holds() {
    let fake = Fake::start(HUB).await;
    let resolver = resolver(&fake.anchor, Who::Anchor, &[]);
    let now = now();
    let known = resolver.provider(&fake.provider, now).await.unwrap();
    *fake.claims.lock().unwrap() = claims(&fake.anchor, &fake.provider, HUB, now);
    // The anchor now points to a place where nobody answers.
    fake.claims.lock().unwrap().anchor["metadata"]["federation_entity"]["federation_fetch_endpoint"] =
        json!("http://127.0.0.1:9/fetch");
    assert!(!resolver.refresh(now + 10).await.is_empty());
    let late = now + 3600 - 200;
    assert!(Arc::ptr_eq(&known, &resolver.provider(&fake.provider, late).await.unwrap()));
    assert!(resolver.provider(&fake.provider, now + 3601).await.is_err());
}

#[tokio::test]
async fn new_keys_are_looked_for_when_a_token_names_one_but_not_all_the_time() {
    let fake = Fake::start(HUB).await;
    let resolver = resolver(&fake.anchor, Who::Anchor, &[]);
    let now = now();
    let old = resolver.provider(&fake.provider, now).await.unwrap();
    *op(&mut fake.claims.lock().unwrap(), "jwks") = serde_json::to_value(key(Who::Stranger).set()).unwrap();
    let soon = resolver.provider_with_new_keys(&old, now + 5).await.unwrap();
    assert!(Arc::ptr_eq(&soon, &old), "within seconds nothing is fetched");
    let new = resolver.provider_with_new_keys(&old, now + 11).await.unwrap();
    assert_eq!(new.keys, key(Who::Stranger).set());
    let again = resolver.provider_with_new_keys(&old, now + 12).await.unwrap();
    assert!(Arc::ptr_eq(&again, &new), "who asks with old ones gets what another fetched");
}

#[tokio::test]
async fn keys_stand_in_the_metadata_or_at_an_address_and_signed_ones_are_signed_by_the_right_key() {
    let fake = Fake::start(HUB).await;
    let now = now();
    let keys = async || {
        let resolver = resolver(&fake.anchor, Who::Anchor, &[]);
        resolver.provider(&fake.provider, now).await.map(|provider| provider.keys.clone())
    };
    op(&mut fake.claims.lock().unwrap(), "jwks_uri")
        .clone_from(&json!(format!("{}/jwks.json", fake.provider)));
    assert_eq!(keys().await.unwrap(), key(Who::ProviderCore).set(), "those in the metadata go first");
    let metadata = |change: &dyn Fn(&mut serde_json::Map<String, Value>)| {
        let mut claims = fake.claims.lock().unwrap();
        change(claims.provider["metadata"]["openid_provider"].as_object_mut().unwrap());
    };
    metadata(&|metadata| drop(metadata.remove("jwks")));
    assert_eq!(keys().await.unwrap(), key(Who::Stranger).set());
    let signed = json!(format!("{}/jwks.jose", fake.provider));
    metadata(&|metadata| drop(metadata.insert("signed_jwks_uri".to_owned(), signed.clone())));
    assert_eq!(keys().await.unwrap(), key(Who::Stranger).set());
    *fake.signs_keys.lock().unwrap() = false;
    assert!(matches!(keys().await, Err(FederationError::Message { .. })), "not by a key of logins");
}

#[tokio::test]
async fn an_anchor_is_believed_only_by_the_keys_that_were_received_out_of_band() {
    let fake = Fake::start(HUB).await;
    let stranger = resolver(&fake.anchor, Who::Stranger, &[&fake.provider]);
    assert!(matches!(stranger.provider(&fake.provider, now()).await, Err(FederationError::Message { .. })));
    assert_eq!(stranger.providers(), []);
    // The school's choice among the providers.
    let none = resolver(&fake.anchor, Who::Anchor, &["https://other.example"]);
    assert!(matches!(none.provider(&fake.provider, now()).await, Err(FederationError::UnknownProvider)));
}

#[tokio::test]
async fn who_is_in_the_register_and_not_in_the_federation_is_not_offered() {
    let fake = Fake::start(HUB).await;
    let settings = AnchorSettings {
        scheme: Scheme::Spid,
        entity: fake.anchor.clone(),
        keys: "unused".into(),
        registry: Some(format!("{}/registry", fake.anchor).parse().unwrap()),
        providers: Vec::new(),
    };
    let fetcher = Fetcher::new(Transport::new(TransportOptions::development()).unwrap());
    let resolver =
        Resolver::new(HUB.to_owned(), vec![Pinned { settings, keys: key(Who::Anchor).set() }], fetcher);
    let offered = |resolver: &Resolver| {
        resolver.providers().into_iter().map(|provider| (provider.id, provider.name)).collect::<Vec<_>>()
    };
    let named = vec![(fake.provider.clone(), "Nel registro".to_owned())];
    assert_eq!(resolver.refresh(now()).await.len(), 1);
    assert_eq!(offered(&resolver), named);
    // What breaks is not offered until it is mended.
    fake.claims.lock().unwrap().provider["authority_hints"] = json!([]);
    assert_eq!(resolver.refresh(now()).await.len(), 2);
    assert_eq!(offered(&resolver), []);
    fake.claims.lock().unwrap().provider["authority_hints"] = json!([fake.anchor]);
    resolver.refresh(now()).await;
    assert_eq!(offered(&resolver), named);
}

#[tokio::test]
async fn who_is_put_out_of_the_federation_is_not_used_however_long_the_chain_holds() {
    let fake = Fake::start(HUB).await;
    let resolver = resolver(&fake.anchor, Who::Anchor, &[]);
    let now = now();
    resolver.provider(&fake.provider, now).await.unwrap();
    // The anchor does not vouch for it any more.
    let vouched = fake.claims.lock().unwrap().subordinate.clone();
    fake.claims.lock().unwrap().subordinate["jwks"] = serde_json::to_value(key(Who::Stranger).set()).unwrap();
    assert_eq!(resolver.refresh(now).await.len(), 1);
    assert!(resolver.known(&fake.provider, now).is_none());
    assert!(resolver.provider(&fake.provider, now).await.is_err());
    fake.claims.lock().unwrap().subordinate = vouched;
    assert!(resolver.refresh(now).await.is_empty());
    assert!(resolver.known(&fake.provider, now).is_some());
    // The anchor does not list it any more.
    *fake.lists.lock().unwrap() = false;
    assert!(resolver.refresh(now).await.is_empty());
    let outcome = resolver.provider(&fake.provider, now + 60).await;
    assert!(matches!(outcome, Err(FederationError::UnknownProvider)), "{outcome:?}");
}
