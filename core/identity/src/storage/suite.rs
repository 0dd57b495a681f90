//! What every implementation must do.

use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};

use super::{MemoryKeys, MemorySecrets, SecretStore, SigningKeys, StorageError};

pub(super) fn signing_keys(keys: &dyn SigningKeys) {
    assert_eq!(keys.public_jwk("none"), Err(StorageError::Invalidated));
    assert_eq!(keys.sign_es256("none", b"text"), Err(StorageError::Invalidated));
    keys.delete("none").unwrap();
    let one = keys.create_key("one", false).unwrap();
    let other = keys.create_key("other", false).unwrap();
    assert_ne!(one, other);
    assert_eq!(keys.public_jwk("one").unwrap(), one);
    for length in [0, 1, 100, 10_000] {
        let text = vec![7; length];
        let signature = keys.sign_es256("one", &text).unwrap();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, one.point()).verify(&text, &signature).unwrap();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, other.point()).verify(&text, &signature).unwrap_err();
    }
    let replaced = keys.create_key("one", false).unwrap();
    assert_ne!(replaced, one);
    assert_eq!(keys.public_jwk("one").unwrap(), replaced);
    keys.delete("one").unwrap();
    assert_eq!(keys.public_jwk("one"), Err(StorageError::Invalidated));
    assert_eq!(keys.public_jwk("other").unwrap(), other, "only the one of that name is destroyed");
    keys.delete("other").unwrap();
}

pub(super) fn secret_store(secrets: &dyn SecretStore) {
    assert_eq!(secrets.get("none").unwrap(), None);
    secrets.delete("none").unwrap();
    let noise: Vec<u8> = (0..3_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for secret in [&b""[..], b"short", &[0, 0xff, b'\n'], &noise] {
        secrets.put("one", secret).unwrap();
        assert_eq!(secrets.get("one").unwrap().unwrap().as_slice(), secret);
    }
    secrets.put("other", b"kept").unwrap();
    secrets.delete("one").unwrap();
    assert_eq!(secrets.get("one").unwrap(), None);
    assert_eq!(secrets.get("other").unwrap().unwrap().as_slice(), b"kept");
    secrets.put("one", b"again").unwrap();
    secrets.delete_all().unwrap();
    assert_eq!(secrets.get("one").unwrap(), None);
    assert_eq!(secrets.get("other").unwrap(), None);
}

#[test]
fn in_memory() {
    signing_keys(&MemoryKeys::default());
    secret_store(&MemorySecrets::default());
}
