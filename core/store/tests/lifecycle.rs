//! Opening, the lock, suspending and resuming, keys that are gone.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use common::{PENDING, Sample, body, check, command, document, refuses_new};
use registro_store::{
    CONFIRMED, FileVault, KeyVault, MemoryVault, Store, StoreError, StoreOptions, VaultError,
};
use rusqlite::Connection;
use zeroize::Zeroizing;

#[test]
fn one_at_a_time_has_a_store_open() {
    let sample = Sample::used();
    let first = sample.open();
    assert!(matches!(sample.try_open(), Err(StoreError::InUse)));
    first.store.suspend().unwrap();
    let second = sample.open();
    assert!(matches!(first.store.resume(), Err(StoreError::InUse)));
    assert!(matches!(first.store.read(|r| r.commands()), Err(StoreError::Suspended)));
    drop(second);
    // The refusal left it suspended, not stuck.
    first.store.resume().unwrap();
    check(&first.store, "resumed");
}

#[test]
fn a_store_that_is_dropped_is_closed_when_the_lock_is_free() {
    let sample = Sample::new();
    for n in 0..50 {
        let store = sample.open().store;
        store.write(move |tx| tx.put_command(command(n), PENDING, &body(n))).unwrap();
        drop(store);
        assert!(!sample.path("db.sqlite-wal").exists(), "round {n}");
    }
}

#[test]
fn suspending_and_resuming_twice_is_as_once() {
    let sample = Sample::used();
    let store = sample.open().store;
    for _ in 0..3 {
        store.suspend().unwrap();
        store.suspend().unwrap();
        assert!(!sample.path("db.sqlite-wal").exists(), "everything is written back and closed");
        assert!(matches!(store.read(|r| r.commands()), Err(StoreError::Suspended)));
        assert!(matches!(store.write(|tx| tx.put_meta("sync", b"")), Err(StoreError::Suspended)));
        assert_eq!(store.resume().unwrap(), None);
        assert_eq!(store.resume().unwrap(), None);
        check(&store, "resumed");
    }
}

#[test]
fn suspending_under_load_ends_soon_and_keeps_what_was_acknowledged() {
    let sample = Sample::used();
    let store = sample.open().store;
    let end = AtomicBool::new(false);
    let acknowledged = AtomicU64::new(0);
    let longest = std::thread::scope(|scope| {
        for worker in 0..2_u64 {
            let (store, end, acknowledged) = (&store, &end, &acknowledged);
            scope.spawn(move || {
                for n in 1_000 * (worker + 1).. {
                    match store.write(move |tx| tx.put_command(command(n), CONFIRMED, &body(n % 7))) {
                        Ok(()) => drop(acknowledged.fetch_add(1, Ordering::Relaxed)),
                        Err(StoreError::Suspended) => std::thread::sleep(Duration::from_millis(1)),
                        Err(error) => panic!("{error}"),
                    }
                    if end.load(Ordering::Relaxed) {
                        return;
                    }
                }
            });
        }
        for _ in 0..4 {
            let (store, end) = (&store, &end);
            scope.spawn(move || {
                while !end.load(Ordering::Relaxed) {
                    // Long in SQLite: only an interrupt ends it in time.
                    let read = store.read(|r| {
                        for _ in 0..300 {
                            r.commands()?;
                        }
                        Ok(())
                    });
                    match read {
                        Ok(()) | Err(StoreError::Suspended) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
        let mut longest = Duration::ZERO;
        for _ in 0..8 {
            std::thread::sleep(Duration::from_millis(40));
            let start = Instant::now();
            std::thread::scope(|both| {
                both.spawn(|| store.suspend().unwrap());
                both.spawn(|| store.suspend().unwrap());
            });
            longest = longest.max(start.elapsed());
            assert!(!sample.path("db.sqlite-wal").exists());
            store.resume().unwrap();
        }
        end.store(true, Ordering::Relaxed);
        longest
    });
    assert!(longest < Duration::from_secs(4), "suspending took {longest:?}");
    let written = store.read(|r| r.commands()).unwrap();
    let written = written.iter().filter(|stored| u64::from_be_bytes(stored.id.0) >= 1_000).count();
    assert_eq!(written as u64, acknowledged.load(Ordering::Relaxed));
}

#[test]
fn readers_that_cannot_be_opened_leave_room_for_others() {
    let sample = Sample::used();
    let store = sample.open().store;
    let (file, away) = (sample.path("db.sqlite"), sample.path("away"));
    std::fs::rename(&file, &away).unwrap();
    std::fs::create_dir(&file).unwrap();
    for _ in 0..10 {
        assert!(store.read(|r| r.commands()).is_err());
    }
    std::fs::remove_dir(&file).unwrap();
    std::fs::rename(&away, &file).unwrap();
    check(&store, "after failures");
}

#[test]
fn no_more_readers_than_were_asked_for_and_all_have_their_turn() {
    let sample = Sample::used();
    let mut options = sample.options();
    options.readers = 2;
    let store = Store::open(options, &*sample.vault).unwrap().store;
    let (now, most, turns) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let read = store.read(|r| {
                        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        let commands = r.commands();
                        std::thread::sleep(Duration::from_millis(2));
                        now.fetch_sub(1, Ordering::SeqCst);
                        commands
                    });
                    read.unwrap();
                    turns.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!((most.into_inner(), turns.into_inner()), (2, 30));
}

#[test]
fn a_panic_in_a_read_or_a_write_ends_that_one_only() {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    let sample = Sample::used();
    let store = sample.open().store;
    for _ in 0..5 {
        let read =
            catch_unwind(AssertUnwindSafe(|| store.read(|_| -> Result<(), _> { panic!("in a read") })));
        assert!(read.is_err());
        let written = store.write(|tx| -> Result<(), _> {
            tx.delete_document(document(0))?;
            panic!("in a write")
        });
        assert!(matches!(written, Err(StoreError::Ended)));
    }
    check(&store, "after panics");
    assert!(store.read(|r| r.documents()).unwrap().contains(&document(0)), "rolled back");
    let start = Instant::now();
    store.suspend().unwrap();
    assert!(start.elapsed() < Duration::from_secs(1), "no reader is waited for");
}

#[test]
fn a_newer_file_is_refused_and_left_alone() {
    let sample = Sample::used();
    let version = |number: i64| {
        let connection = Connection::open(sample.path("db.sqlite")).unwrap();
        connection.pragma_update(None, "user_version", number).unwrap();
    };
    version(2);
    let before = std::fs::read(sample.path("db.sqlite")).unwrap();
    assert!(matches!(sample.try_open(), Err(StoreError::Newer { found: 2 })));
    assert_eq!(std::fs::read(sample.path("db.sqlite")).unwrap(), before);
    version(1);
    check(&sample.open().store, "its own version again");
}

#[test]
fn a_lost_key_is_an_error_and_overwrites_nothing() {
    let sample = Sample::used();
    let everything = || -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<_> = std::fs::read_dir(sample.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|e| (e.file_name().into_string().unwrap(), std::fs::read(e.path()).unwrap()))
            .collect();
        files.sort();
        files
    };
    let before = everything();
    // Another device's vault: it has no such key.
    let refused = refuses_new(&MemoryVault::default(), sample.folder.path());
    assert!(matches!(refused, StoreError::Vault(VaultError::Invalidated)));
    // A key, but not this store's.
    let other = Store::open_unlocked(sample.options(), Zeroizing::new([9; 32]));
    assert!(matches!(other, Err(StoreError::Vault(VaultError::Invalidated))));
    assert_eq!(everything(), before);
    // The key file is gone, or unreadable.
    for damage in [None, Some(b"damaged".as_slice())] {
        let copy = sample.copied();
        for name in ["key.wrapped", "key.wrapped.copy"] {
            match damage {
                None => std::fs::remove_file(copy.path(name)).unwrap(),
                Some(bytes) => std::fs::write(copy.path(name), bytes).unwrap(),
            }
        }
        let database = std::fs::read(copy.path("db.sqlite")).unwrap();
        let refused = copy.try_open().expect_err("it must not open");
        match damage {
            None => assert!(matches!(refused, StoreError::Vault(VaultError::Invalidated))),
            Some(_) => assert!(matches!(refused, StoreError::KeyFile)),
        }
        assert_eq!(std::fs::read(copy.path("db.sqlite")).unwrap(), database);
        std::fs::remove_file(copy.path("db.sqlite")).unwrap();
        assert!(copy.try_open().is_err(), "the outbox alone is worth its key, too");
    }
    check(&sample.open().store, "with its key");
}

struct Prompting(MemoryVault);

impl KeyVault for Prompting {
    fn wrap(&self, alias: &str, secret: &[u8]) -> Result<Vec<u8>, VaultError> {
        self.0.wrap(alias, secret)
    }

    fn unwrap(&self, _: &str, _: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        Err(VaultError::NeedsUser)
    }

    fn destroy(&self, alias: &str) -> Result<(), VaultError> {
        self.0.destroy(alias)
    }
}

#[test]
fn a_vault_that_prompts_is_opened_with_the_key_that_it_releases() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Prompting(MemoryVault::default());
    let options = || StoreOptions::new(folder.path(), "test");
    let opened = Store::open(options(), &vault).unwrap();
    opened.store.write(|tx| tx.put_kept_meta("account", b"mine")).unwrap();
    drop(opened);
    assert!(matches!(Store::open(options(), &vault), Err(StoreError::NeedsUser)));
    let key = Store::key_file(&options()).unwrap().expect("a key file");
    let released = vault.0.unwrap(&key.alias, &key.wrapped).unwrap();
    let dbk = Zeroizing::new(released.as_slice().try_into().unwrap());
    let opened = Store::open_unlocked(options(), dbk).unwrap();
    assert_eq!(opened.store.read(|r| r.meta("account")).unwrap().as_deref(), Some(b"mine".as_slice()));
}

#[test]
fn each_store_has_a_key_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let vault = FileVault::new(folder.path().join("vault"));
    let open = |name: &str| Store::open(StoreOptions::new(folder.path().join(name), "registro"), &vault);
    let alias = |name: &str| {
        let options = StoreOptions::new(folder.path().join(name), "registro");
        Store::key_file(&options).unwrap().expect("a key file").alias
    };
    drop(open("teacher").unwrap());
    drop(open("parent").unwrap());
    assert_ne!(alias("teacher"), alias("parent"));
    assert!(alias("teacher").starts_with("registro."));
    vault.destroy(&alias("teacher")).unwrap();
    assert!(matches!(open("teacher"), Err(StoreError::Vault(VaultError::Invalidated))));
    drop(open("parent").unwrap());
}

#[test]
fn seals_are_counted_over_sessions_and_a_damaged_file() {
    let sample = Sample::new();
    let used = || -> i64 {
        let connection = Connection::open(sample.path("db.sqlite")).unwrap();
        connection.query_row("SELECT used FROM seals WHERE key = 1", [], |row| row.get(0)).unwrap()
    };
    let session = |writes: u64| {
        let store = sample.open().store;
        for n in 0..writes {
            store.write(move |tx| tx.put_command(command(n % 5), PENDING, &[1])).unwrap();
        }
    };
    let mut before = 0;
    for _ in 0..3 {
        session(1);
        assert!(used() > before);
        before = used();
    }
    session(1_100);
    assert!(used() >= before + 1_100);
    before = used();
    std::fs::write(sample.path("db.sqlite"), [7; 8192]).unwrap();
    session(1);
    assert!(used() > before, "the new file goes on where the damaged one was");
}

#[test]
fn the_second_copy_does_not_grow_with_what_is_settled() {
    let sample = Sample::new();
    let store = sample.open().store;
    for n in 0..300 {
        store.write(move |tx| tx.put_command(command(n), PENDING, &[n as u8; 3_000])).unwrap();
        store.write(move |tx| tx.put_command(command(n), CONFIRMED, &[n as u8; 3_000])).unwrap();
    }
    let length = || std::fs::metadata(sample.path("outbox.copy")).unwrap().len();
    assert!(length() < 300_000, "{} bytes for nothing unsettled", length());
    for n in 0..200 {
        store.write(move |tx| tx.put_command(command(1_000 + n), PENDING, &[n as u8; 3_000])).unwrap();
    }
    assert!(length() > 600_000, "what is unsettled stays");
    drop(store);
    std::fs::remove_file(sample.path("db.sqlite")).unwrap();
    assert_eq!(sample.open().salvage.map(|report| report.salvaged), Some(200));
}
