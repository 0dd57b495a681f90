//! How many devices a person may have, and a lost one that a restored register has forgotten.

#![allow(clippy::unwrap_used)] // also outside the test functions themselves

mod sync_school;

use registro_documents::SigningKey;
use registro_hub::hub::devices::proof_text;
use registro_hub::{HubError, dev};
use registro_sync::Request;
use sync_school::*;
use zeroize::Zeroizing;

#[test]
fn a_person_has_fifty_devices_at_most_and_a_revoked_one_makes_room() {
    let hub = hub();
    let first = device(&hub, TEACHER, 1);
    for seed in 2..=50 {
        device(&hub, TEACHER, seed);
    }
    let more = SigningKey::from_seed(&Zeroizing::new([51; 32]));
    let proof = more.sign(&proof_text(dev::ISSUER, SCHOOL, TEACHER, b"", b"nonce"));
    let ask = || hub.certify(&dev::authorized(TEACHER, "nonce".to_owned()), more.public(), &proof, morning());
    assert!(matches!(ask(), Err(HubError::Forbidden(_))));
    device(&hub, SECOND, 52);
    device(&hub, TEACHER, 1);
    hub.revoke(&first.certificate.id(), morning()).unwrap();
    ask().unwrap();
}

#[test]
fn a_lost_device_that_a_restored_register_forgot_is_revoked_before_it_comes_back() {
    let (before, restored) = (hub(), hub());
    let lost = device(&before, TEACHER, 1);
    assert!(restored.revoke(&lost.certificate.id(), morning()).is_err(), "it does not know it");
    restored.revoke_certified(&lost.certificate.id(), TEACHER, morning()).unwrap();
    let bring = Request { certificates: vec![lost.certificate.clone()], ..Request::default() };
    restored.sync(&lost.caller, &bring, morning()).unwrap();
    let key = &lost.key;
    let proof = key.sign(&proof_text(dev::ISSUER, SCHOOL, TEACHER, b"", b"nonce"));
    let again =
        restored.certify(&dev::authorized(TEACHER, "nonce".to_owned()), key.public(), &proof, morning());
    assert!(matches!(again, Err(HubError::Forbidden(_))));
    let other = device(&restored, TEACHER, 2);
    assert!(restored.revoke_certified(&other.certificate.id(), SECOND, morning()).is_err(), "not theirs");
}
