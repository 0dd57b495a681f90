//! Judges a file of worked cases: `cargo run --release -p registro-model --example oracles -- FILE.json`.
//!
//! Prints each mismatch and a closing line; exits with 1 on any mismatch, with 2 if the file does not read.

#[path = "../tests/judge/mod.rs"]
mod judge;

use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: oracles FILE.json");
        return ExitCode::from(2);
    };
    let file = std::fs::read(&path).map_err(|error| error.to_string());
    let value = file.and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string()));
    let value: serde_json::Value = match value {
        Ok(value) => value,
        Err(error) => {
            eprintln!("{path}: {error}");
            return ExitCode::from(2);
        }
    };
    let verdict = judge::judge(&value);
    for mismatch in &verdict.mismatches {
        println!("{mismatch}");
    }
    println!(
        "{} judged, {} mismatched, {} not judged yet",
        verdict.judged,
        verdict.mismatches.len(),
        verdict.not_judged_yet
    );
    if verdict.mismatches.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
