//! The office's commands for SPID and CIE.

#![allow(clippy::unwrap_used)] // also outside the test functions themselves

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use registro_hub::SystemRandomness;
use registro_hub::clock::parse_instant;
use registro_hub::identity::Randomness;
use registro_hub::identity::federation::journal::{Event, Journal, key_path};
use registro_hub::identity::store::IdentityStore;
use serde_json::{Value, json};

fn federation(data: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_registro-hub"));
    command.arg("federation").args(arguments).arg("--data").arg(data).output().unwrap()
}

fn keys(data: &Path, arguments: &[&str]) -> Vec<Value> {
    let output = federation(data, &[&["keys"], arguments].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let set: Value = serde_json::from_slice(&output.stdout).unwrap();
    set["keys"].as_array().unwrap().clone()
}

#[test]
fn keys_to_register_are_printed_without_anything_secret_and_stay() {
    let data = tempfile::tempdir().unwrap();
    let first = keys(data.path(), &[]);
    assert_eq!(first.len(), 1);
    let mut members: Vec<&str> = first[0].as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["alg", "e", "kid", "kty", "n", "use"]);
    assert_eq!(keys(data.path(), &[]), first);
    assert_eq!(keys(data.path(), &["--add", "signing"]), first, "another purpose");
    let added = keys(data.path(), &["--add", "federation"]);
    assert_eq!(added.len(), 2);
    assert_eq!(added[0], first[0], "a new one is published, and does not sign yet");
    let promoted = keys(data.path(), &["--promote", "federation"]);
    assert_eq!(promoted[1], first[0], "the one before stays");
}

#[test]
fn the_log_of_some_days_is_printed_to_who_has_its_key() {
    let data = tempfile::tempdir().unwrap();
    let store = Arc::new(IdentityStore::open(data.path()).unwrap());
    let random = Randomness::new(Box::new(SystemRandomness::new()));
    let key = key_path(data.path(), None);
    let journal = Journal::open(store, &key, random).unwrap();
    for (day, at) in [
        (24, "2026-11-24T23:59:59+01:00"),
        (25, "2026-11-25T00:00:00+01:00"),
        (26, "2026-11-26T00:00:00+01:00"),
    ] {
        journal.write([day; 8], Event::Outcome, &json!({ "day": day }), parse_instant(at).unwrap()).unwrap();
    }
    let log = |from: &str, to: &str| federation(data.path(), &["log", "--from", from, "--to", to]);
    let output = log("2026-11-25", "2026-11-25");
    assert!(output.status.success());
    let lines: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        lines,
        [
            json!({ "at": "2026-11-24T23:00:00.000Z", "transaction": "19".repeat(8), "event": "outcome", "content": { "day": 25 } })
        ]
    );
    assert_eq!(log("2026-11-01", "2026-11-30").stdout.iter().filter(|byte| **byte == b'\n').count(), 3);

    std::fs::write(&key, [0; 32]).unwrap();
    assert!(!log("2026-11-25", "2026-11-25").status.success(), "another key");
    std::fs::remove_file(&key).unwrap();
    assert!(!log("2026-11-25", "2026-11-25").status.success(), "no key");
    assert!(!key.exists(), "and none is made");
}
