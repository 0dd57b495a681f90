//! A PIN in front of a store: a lock of cryptography, and nothing that a person wrote is lost by it.

use registro_store::seal;
use registro_store::{KeyVault, MemoryVault, Pin, Store, StoreError, StoreOptions, VaultError};
use zeroize::Zeroizing;

fn pin(digits: &str) -> Pin {
    Pin::new(digits).unwrap()
}

fn options(directory: &tempfile::TempDir) -> StoreOptions {
    StoreOptions::new(directory.path().join("store"), "registro")
}

fn remember(store: &Store, text: &'static [u8]) {
    store.write(move |tx| tx.put_meta("text", text)).unwrap();
}

fn recall(store: &Store) -> Option<Vec<u8>> {
    store.read(|tx| tx.meta("text")).unwrap()
}

#[test]
fn vault_and_pin_open_the_store_together_and_neither_alone() {
    let directory = tempfile::tempdir().unwrap();
    let (options, vault) = (options(&directory), MemoryVault::default());
    let store = Store::open(options.clone(), &vault).unwrap().store;
    remember(&store, b"kept");
    assert!(!Store::has_pin(&options).unwrap());
    let before = Store::key_file(&options).unwrap().unwrap();
    store.set_pin(&vault, None, Some(&pin("135792"))).unwrap();
    drop(store);
    assert!(Store::has_pin(&options).unwrap());
    assert_eq!(Store::key_file(&options).unwrap().unwrap().store_id(), before.store_id());
    assert!(matches!(Store::open(options.clone(), &vault), Err(StoreError::NeedsPin)));
    // What the vault alone gives is no key, and what it gave before is gone with its name.
    let key = Store::key_file(&options).unwrap().unwrap();
    let sealed = vault.unwrap(&key.alias, &key.wrapped).unwrap();
    assert!(<[u8; 32]>::try_from(sealed.as_slice()).is_err());
    assert_eq!(vault.unwrap(&before.alias, &before.wrapped), Err(VaultError::Invalidated));
    let guess = seal::random_key().unwrap();
    assert!(Store::open_unlocked(options.clone(), guess).is_err());
    // The PIN with another vault.
    assert!(Store::open_with_pin(options.clone(), &MemoryVault::default(), &pin("135792")).is_err());
    let store = Store::open_with_pin(options, &vault, &pin("135792")).unwrap().store;
    assert_eq!(recall(&store), Some(b"kept".to_vec()));
}

#[test]
fn ten_wrong_tries_block_it_until_a_login_and_nothing_is_wiped() {
    let directory = tempfile::tempdir().unwrap();
    let (options, vault) = (options(&directory), MemoryVault::default());
    let store = Store::open(options.clone(), &vault).unwrap().store;
    remember(&store, b"kept");
    store.set_pin(&vault, None, Some(&pin("135792"))).unwrap();
    drop(store);
    let open =
        |digits| Store::open_with_pin(options.clone(), &vault, &pin(digits)).map(|opened| opened.store);
    assert!(matches!(open("975318"), Err(StoreError::WrongPin { left: 9 })));
    drop(open("135792").unwrap());
    for left in (0..10).rev() {
        assert!(matches!(open("975318"), Err(StoreError::WrongPin { left: found }) if found == left));
    }
    assert!(matches!(open("975318"), Err(StoreError::PinBlocked)));
    assert!(matches!(open("135792"), Err(StoreError::PinBlocked)), "the right one too");
    Store::allow_pin(&options).unwrap();
    assert_eq!(recall(&open("135792").unwrap()), Some(b"kept".to_vec()));
}

/// A vault that waits for the person.
struct Waiting;

impl KeyVault for Waiting {
    fn wrap(&self, _: &str, _: &[u8]) -> Result<Vec<u8>, VaultError> {
        Err(VaultError::Locked)
    }

    fn unwrap(&self, _: &str, _: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        Err(VaultError::NeedsUser)
    }

    fn destroy(&self, _: &str) -> Result<(), VaultError> {
        Err(VaultError::Locked)
    }
}

#[test]
fn a_vault_that_is_locked_uses_up_no_try() {
    let directory = tempfile::tempdir().unwrap();
    let (options, vault) = (options(&directory), MemoryVault::default());
    let store = Store::open(options.clone(), &vault).unwrap().store;
    store.set_pin(&vault, None, Some(&pin("135792"))).unwrap();
    drop(store);
    for _ in 0..12 {
        let waiting = Store::open_with_pin(options.clone(), &Waiting, &pin("135792"));
        assert!(matches!(waiting, Err(StoreError::NeedsUser)));
    }
    Store::open_with_pin(options, &vault, &pin("135792")).unwrap();
}

#[test]
fn a_pin_is_changed_and_taken_away_with_the_one_before() {
    let directory = tempfile::tempdir().unwrap();
    let (options, vault) = (options(&directory), MemoryVault::default());
    let (first, second) = (pin("135792"), pin("864203"));
    let store = Store::open(options.clone(), &vault).unwrap().store;
    remember(&store, b"kept");
    store.set_pin(&vault, None, Some(&first)).unwrap();
    assert!(matches!(store.set_pin(&vault, None, Some(&second)), Err(StoreError::NeedsPin)));
    assert!(matches!(store.set_pin(&vault, Some(&second), None), Err(StoreError::WrongPin { left: 9 })));
    store.set_pin(&vault, Some(&first), Some(&second)).unwrap();
    store.suspend().unwrap();
    assert!(matches!(store.set_pin(&vault, Some(&second), None), Err(StoreError::Suspended)));
    store.resume().unwrap();
    drop(store);
    assert!(matches!(
        Store::open_with_pin(options.clone(), &vault, &first),
        Err(StoreError::WrongPin { left: 9 })
    ));
    let store = Store::open_with_pin(options.clone(), &vault, &second).unwrap().store;
    store.set_pin(&vault, Some(&second), None).unwrap();
    drop(store);
    let store = Store::open(options, &vault).unwrap().store;
    assert_eq!(recall(&store), Some(b"kept".to_vec()));
}

#[test]
fn a_vault_that_fails_leaves_the_pin_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let (options, vault) = (options(&directory), MemoryVault::default());
    let store = Store::open(options.clone(), &vault).unwrap().store;
    assert!(store.set_pin(&Waiting, None, Some(&pin("135792"))).is_err());
    drop(store);
    Store::open(options, &vault).unwrap();
}
