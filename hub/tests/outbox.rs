//! What a device hands in that it cannot push any more: kept for the office, whoever the device is by then.

#![allow(clippy::unwrap_used)] // also outside the test functions themselves

mod oauth_app;
mod sync_school;

use oauth_app::*;
use registro_documents::SigningKey;
use registro_hub::outbox::{MAX_BYTES_A_DAY, OutboxKey, handing_in_text, sealing_info};
use registro_hub::server::outbox_route::HandingIn;
use registro_hub::{Level, SystemRandomness};
use registro_sync::http::Method;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::SystemRandom;
use sync_school::*;
use zeroize::Zeroizing;

/// Seals as a device does, with its library.
fn seal(to: &[u8; 32], text: &[u8]) -> Vec<u8> {
    let drawn = EphemeralPrivateKey::generate(&X25519, &SystemRandom::new()).unwrap();
    let public = drawn.compute_public_key().unwrap();
    let salt = [public.as_ref(), to].concat();
    let key = agree_ephemeral(drawn, &UnparsedPublicKey::new(&X25519, to), |shared| {
        let mut key = [0; 32];
        let derived = Salt::new(HKDF_SHA256, &salt).extract(shared);
        derived.expand(&[&sealing_info(SCHOOL)], HKDF_SHA256).unwrap().fill(&mut key).unwrap();
        key
    });
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key.unwrap()).unwrap());
    let mut sealed = text.to_vec();
    let nonce = Nonce::assume_unique_for_key([0; 12]);
    key.seal_in_place_append_tag(nonce, Aad::empty(), &mut sealed).unwrap();
    [public.as_ref(), &sealed].concat()
}

fn key() -> SigningKey {
    SigningKey::from_seed(&Zeroizing::new([51; 32]))
}

async fn hand_in(stage: &Stage, handing: &HandingIn, headers: Vec<(&'static str, String)>) -> u16 {
    let body = minicbor::to_vec(handing).unwrap();
    stage.send(Method::Post, "/v1/outbox", headers, body).await.status
}

fn signed(certificate: [u8; 32], sealed: &[u8]) -> HandingIn {
    let signature = key().sign(&handing_in_text(SCHOOL, &certificate, sealed));
    HandingIn { sealed: sealed.to_vec(), certificate: Some(certificate), signature: Some(signature) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_device_of_a_person_who_left_still_hands_in_what_it_holds() {
    let stage = Stage::new().await;
    let app = App::new();
    let tokens = app.tokens(&stage, TEACHER, Level::L2).await;
    assert_eq!(app.enrol(&stage, &tokens.access, &key(), "Tablet", |_| {}).await.status, 200);
    let session = app.session(&stage, &tokens.access).await.json();
    assert_eq!(session["outbox_key"].as_str().unwrap().len(), 64);
    let to = stage.identity.outbox_key;
    let certificate = stage.identity.sessions_of(TEACHER, stage.now()).unwrap()[0].certificate.unwrap();
    // Revoked, signed out, and years later.
    stage.hub.hub.revoke(&certificate, stage.now()).unwrap();
    stage.identity.end_sessions(TEACHER, stage.now()).unwrap();
    stage.clock.set(at("2029-11-05T08:00"));
    let sealed = seal(&to, b"what was written on the last day");
    assert_eq!(hand_in(&stage, &signed(certificate, &sealed), Vec::new()).await, 200);
    assert_eq!(hand_in(&stage, &signed(certificate, &sealed), Vec::new()).await, 200, "again");
    let kept = stage.hub.hub.handed_in().unwrap();
    assert_eq!((kept.len(), kept[0].person, kept[0].bytes), (1, TEACHER, sealed.len()), "once");
    // The hub's key opens it, and only unchanged.
    let opener = OutboxKey::in_directory(stage.data.path(), &mut SystemRandomness::new()).unwrap();
    let bytes = stage.hub.hub.handed_in_bytes(kept[0].id).unwrap().unwrap();
    assert_eq!(opener.open(SCHOOL, &bytes).unwrap().as_slice(), b"what was written on the last day");
    for at in [0, 31, 32, bytes.len() - 1] {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(opener.open(SCHOOL, &changed).is_none(), "{at}");
    }
    assert!(opener.open(registro_model::SchoolId([1; 16]), &bytes).is_none());
    assert!(opener.open(SCHOOL, &bytes[..20]).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_hand_in_nothing_and_nobody_too_much() {
    let stage = Stage::new().await;
    let app = App::new();
    let tokens = app.tokens(&stage, TEACHER, Level::L1).await;
    assert_eq!(app.enrol(&stage, &tokens.access, &key(), "Tablet", |_| {}).await.status, 200);
    let certificate = stage.identity.sessions_of(TEACHER, stage.now()).unwrap()[0].certificate.unwrap();
    let sealed = vec![7; 1_000];
    let good = signed(certificate, &sealed);
    for (name, handing, status) in [
        ("other bytes", HandingIn { sealed: vec![8; 1_000], ..good.clone() }, 403),
        ("another certificate", HandingIn { certificate: Some([1; 32]), ..good.clone() }, 403),
        ("no signature", HandingIn { signature: None, ..good.clone() }, 401),
        ("no certificate", HandingIn { certificate: None, ..good.clone() }, 401),
        ("too much", signed(certificate, &vec![7; MAX_BYTES_A_DAY + 1]), 413),
    ] {
        assert_eq!(hand_in(&stage, &handing, Vec::new()).await, status, "{name}");
    }
    let bad_token = vec![("authorization", "DPoP x".to_owned())];
    assert_eq!(hand_in(&stage, &good, bad_token).await, 401, "a bad token is no reason to believe the rest");
    assert_eq!(stage.send(Method::Post, "/v1/outbox", Vec::new(), b"rubbish".to_vec()).await.status, 400);
    assert!(stage.hub.hub.handed_in().unwrap().is_empty());
    // With a token no signature is needed; a day's allowance is one for both ways.
    let proof = app.proof(&stage, "POST", "/v1/outbox", Some(&tokens.access));
    let headers = vec![("authorization", format!("DPoP {}", tokens.access)), ("dpop", proof)];
    let plain = HandingIn { sealed: vec![9; MAX_BYTES_A_DAY - 1_000], certificate: None, signature: None };
    assert_eq!(hand_in(&stage, &plain, headers).await, 200);
    assert_eq!(hand_in(&stage, &good, Vec::new()).await, 200);
    assert_eq!(hand_in(&stage, &signed(certificate, b"one more"), Vec::new()).await, 413);
    stage.pass(DAY_MS + 1);
    assert_eq!(hand_in(&stage, &signed(certificate, b"one more"), Vec::new()).await, 200);
}
