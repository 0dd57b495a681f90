//! What lies on the disk says nothing, and what was erased is gone from it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::path::Path;

use common::{PENDING, Sample, command};
use registro_model::DocumentId;
use registro_store::{DocumentPart, KeyVault, Store};
use rusqlite::Connection;

/// Invented; long enough to be found by chance in no file.
const CANARIES: [&str; 5] = [
    "Canarina Prova-Segreta",
    "Assente per influenza",
    "registro@canarini.example",
    "section/marks",
    "RSSCNR10A01H501X",
];

/// Like nothing else in the files.
fn document(n: u8) -> DocumentId {
    let bytes: Vec<u8> = (0..16_u8).map(|i| (i + 3).wrapping_mul(73) ^ n.wrapping_mul(29)).collect();
    DocumentId::try_from(bytes.as_slice()).unwrap()
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            out.extend(files(&entry.path()));
        } else {
            out.push((entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()));
        }
    }
    out
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

fn assert_clean(sample: &Sample, secrets: &[Vec<u8>], expected: &[&str]) {
    let files = files(sample.folder.path());
    for name in expected {
        assert!(files.iter().any(|(found, bytes)| found == name && !bytes.is_empty()), "no {name} to search");
    }
    for (name, bytes) in &files {
        for secret in secrets {
            assert!(!holds(bytes, secret), "{name} holds {:?}", String::from_utf8_lossy(secret));
        }
    }
}

fn write_canaries(store: &Store) {
    for n in 0..20_u8 {
        store
            .write(move |tx| {
                let id = document(n);
                tx.create_document(id)?;
                for canary in CANARIES {
                    // Long values overflow their page, short ones stand beside others.
                    let long = canary.repeat(1 + usize::from(n) * 30);
                    tx.put_document_part(id, DocumentPart::HubSnapshot, long.as_bytes())?;
                    tx.put_change(id, &[n; 32], 1, long.as_bytes())?;
                    tx.put_view(id, canary, canary.as_bytes())?;
                    tx.put_meta(canary, canary.as_bytes())?;
                    tx.put_kept_meta("account", canary.as_bytes())?;
                    tx.put_command(command(n.into()), PENDING, long.as_bytes())?;
                }
                Ok(())
            })
            .unwrap();
    }
}

#[test]
fn no_name_key_or_document_id_lies_on_the_disk_in_the_clear() {
    let sample = Sample::new();
    let store = sample.open().store;
    let key = Store::key_file(&sample.options()).unwrap().expect("a key file");
    let dbk = sample.vault.unwrap(&key.alias, &key.wrapped).unwrap();
    let mut secrets: Vec<Vec<u8>> = CANARIES.iter().map(|canary| canary.as_bytes().to_vec()).collect();
    secrets.push(dbk.to_vec());
    secrets.extend((1..20).map(|n| document(n).as_bytes().to_vec()));
    write_canaries(&store);
    let open = ["db.sqlite", "db.sqlite-wal", "db.sqlite-shm", "outbox.copy", "key.wrapped"];
    assert_clean(&sample, &secrets, &open);
    store.write(|tx| tx.delete_document(document(3))).unwrap();
    store.suspend().unwrap();
    assert_clean(&sample, &secrets, &["db.sqlite", "outbox.copy"]);
    drop(store);
    let mut bytes = std::fs::read(sample.path("db.sqlite")).unwrap();
    bytes[..100].fill(1);
    std::fs::write(sample.path("db.sqlite"), bytes).unwrap();
    assert!(sample.open().salvage.is_some());
    assert_clean(&sample, &secrets, &["db.sqlite", "outbox.copy", "key.wrapped"]);
}

#[test]
fn the_search_finds_what_is_there() {
    let sample = Sample::new();
    std::fs::write(sample.path("leak"), b"... Assente per influenza ...").unwrap();
    let files = files(sample.folder.path());
    assert!(files.iter().any(|(_, bytes)| holds(bytes, CANARIES[1].as_bytes())));
}

fn wrapped_key(sample: &Sample) -> Vec<u8> {
    let connection = Connection::open(sample.path("db.sqlite")).unwrap();
    connection.query_row("SELECT key FROM documents", [], |row| row.get(0)).unwrap()
}

fn lies_on_the_disk(sample: &Sample, key: &[u8]) -> bool {
    files(sample.folder.path()).iter().any(|(_, bytes)| holds(bytes, key))
}

#[test]
fn an_erased_documents_key_is_in_no_file_any_more() {
    let sample = Sample::new();
    let store = sample.open().store;
    store.write(|tx| tx.create_document(document(1))).unwrap();
    let key = wrapped_key(&sample);
    assert!(lies_on_the_disk(&sample, &key));
    store.write(|tx| tx.delete_document(document(1))).unwrap();
    assert!(!lies_on_the_disk(&sample, &key), "when the erasure returns");
}

#[test]
fn a_reader_in_the_way_delays_an_erasure_and_does_not_prevent_it() {
    let sample = Sample::new();
    let store = sample.open().store;
    store.write(|tx| tx.create_document(document(1))).unwrap();
    let key = wrapped_key(&sample);
    store
        .read(|r| {
            r.documents()?;
            // The writer does not wait for this reader.
            store.write(|tx| tx.delete_document(document(1)))?;
            assert!(lies_on_the_disk(&sample, &key), "this reader may still need it");
            Ok(())
        })
        .unwrap();
    let gone = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        !lies_on_the_disk(&sample, &key)
    });
    assert!(gone, "after the reader has gone");
}

#[test]
fn an_erasure_cut_off_by_a_crash_is_finished_at_the_next_opening() {
    let sample = Sample::new();
    let store = sample.open().store;
    store.write(|tx| tx.create_document(document(1))).unwrap();
    let key = wrapped_key(&sample);
    let crashed = store
        .read(|r| {
            r.documents()?;
            store.write(|tx| tx.delete_document(document(1)))?;
            Ok(sample.copied())
        })
        .unwrap();
    assert!(lies_on_the_disk(&crashed, &key));
    let _open = crashed.open();
    assert!(!lies_on_the_disk(&crashed, &key));
}
