//! The office's commands on a data directory, as processes.

#![allow(clippy::unwrap_used)] // also outside the test functions themselves

use std::path::Path;
use std::process::{Command, Output};

const HUB: &str = env!("CARGO_BIN_EXE_registro-hub");

fn hub(arguments: &[&str], data: &Path) -> Output {
    Command::new(HUB).args(arguments).arg("--data").arg(data).output().unwrap()
}

fn said(arguments: &[&str], data: &Path) -> String {
    let output = hub(arguments, data);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The sample school in the year that it is today, so that its people are in service.
fn imported(data: &Path) {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/istituto");
    said(&["import", sample.to_str().unwrap()], data);
}

#[test]
fn the_head_sets_the_last_day_and_turns_the_method_off() {
    let data = tempfile::tempdir().unwrap();
    assert!(!hub(&["credentials", "until"], data.path()).status.success(), "no school yet");
    imported(data.path());
    assert!(said(&["credentials", "until"], data.path()).contains("non sono attive"));
    assert!(said(&["credentials", "until", "2027-02-01"], data.path()).contains("fino al 01/02/2027"));
    assert!(said(&["credentials", "until"], data.path()).contains("fino al 01/02/2027"));
    assert!(said(&["credentials", "until", "--off"], data.path()).contains("non sono attive"));
    assert!(!hub(&["credentials", "until", "2027-13-01"], data.path()).status.success());
}

#[test]
fn a_class_is_printed_as_a_table_or_as_letters() {
    let data = tempfile::tempdir().unwrap();
    imported(data.path());
    let table = said(&["credentials", "issue", "--class", "1A"], data.path());
    let mut lines = table.lines();
    assert_eq!(lines.next().unwrap(), "nome;nome_utente;codice;scade;esito");
    // Whatever the day on which the test runs, nobody is left out without a reason.
    assert!(lines.all(|line| line.ends_with(";emesse")
        || line.ends_with("a scuola oggi")
        || line.ends_with("nella scuola")));
    let folder = data.path().join("lettere");
    let letters = ["credentials", "issue", "--person", "D001", "--letters", folder.to_str().unwrap()];
    let refused = hub(&letters, data.path());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("public_url"));
    let with_address = [&letters[..], &["--public-url", "https://hub.scuola.example"]].concat();
    said(&with_address, data.path());
    // Letters of another time stand beside them: each may be the only copy of its codes.
    said(&with_address, data.path());
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 2, "{files:?}");
    for file in files {
        let page = std::fs::read_to_string(file).unwrap();
        assert!(page.contains("https://hub.scuola.example/first-access"));
    }
    for wrong in [&["--class", "9Z"][..], &["--person", "X"], &["--fiscal", "D001"], &[]] {
        assert!(
            !hub(&[&["credentials", "issue"], wrong].concat(), data.path()).status.success(),
            "{wrong:?}"
        );
    }
    let mail = hub(
        &["credentials", "issue", "--person", "D001", "--mail", "--public-url", "https://h.example"],
        data.path(),
    );
    assert!(String::from_utf8_lossy(&mail.stderr).contains("mail"));
}

#[test]
fn leavers_are_listed_on_any_day_before_anything_happens() {
    let data = tempfile::tempdir().unwrap();
    imported(data.path());
    let on = |day: &str| {
        let text = said(&["leavers", "--dry-run", "--json", "--on", day], data.path());
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["leavers"].as_array().unwrap().clone()
    };
    assert_eq!(on("2026-11-23").len(), 0);
    let (last, first) = (on("2027-08-31"), on("2027-09-01"));
    // The supply teachers of the sample leave during the year, pupils and their parents at its end.
    assert!(last.len() < first.len(), "{} {}", last.len(), first.len());
    assert!(
        first
            .iter()
            .any(|leaver| leaver["last_day"] == "2027-08-31" && leaver["hands_in_until"] == "2027-09-14")
    );
    assert!(first.len() < 40, "only who left: {}", first.len());
    assert!(
        !hub(&["leavers", "--on", "2027-09-01"], data.path()).status.success(),
        "a day is for looking only"
    );
    assert!(said(&["leavers"], data.path()).contains("revocati"));
}
