//! Who may depend on whom: strictly downward, and the gate is the only door to Automerge.

use std::path::Path;

use crate::command::Done;
use crate::metadata::{self, Metadata};
use crate::workspace;

/// Each crate with the crates of the workspace that it may use, its tests included.
const BELOW: &[(&str, &[&str])] = &[
    ("registro-model", &[]),
    ("registro-documents", &["registro-model"]),
    ("registro-store", &["registro-model", "registro-documents"]),
    ("registro-sync", &["registro-model", "registro-documents", "registro-store"]),
    ("registro-identity", &["registro-model", "registro-documents", "registro-store", "registro-sync"]),
    (
        "registro",
        &["registro-model", "registro-documents", "registro-store", "registro-sync", "registro-identity"],
    ),
    // Never the façade, never the device's store. Identity is for its tests: they log in as a device does.
    ("registro-hub", &["registro-model", "registro-documents", "registro-sync", "registro-identity"]),
    (
        "registro-ffi",
        &[
            "registro",
            "registro-model",
            "registro-documents",
            "registro-store",
            "registro-sync",
            "registro-identity",
        ],
    ),
    ("registro-bindgen", &[]),
    ("xtask", &[]),
];

/// Crates that may use everything: they check what crosses.
const ABOVE_ALL: &[&str] = &["registro-tests"];

/// Dependencies from elsewhere that only some crates may name.
const KEPT_TO: &[(&str, &[&str])] = &[
    ("uniffi", &["registro-ffi", "registro-bindgen"]),
    ("automerge", &["registro-documents"]),
    ("rusqlite", &["registro-store", "registro-hub"]),
    ("reqwest", &["registro-sync"]),
    ("axum", &["registro-hub"]),
    ("tokio", &["registro-sync", "registro-identity", "registro", "registro-hub", "registro-ffi"]),
];

/// What no device may be built from: the server's and the test bench's.
const NOT_ON_A_DEVICE: &[&str] = &["axum", "aws-lc-rs", "registro-hub", "openssl-sys", "cargo_metadata"];

/// Calls that hand foreign bytes to Automerge.
const DOORS: &[&str] =
    &["apply_changes", "load_incremental", "Automerge::load", "AutoCommit", "load_with_options"];
/// The crate whose gate guards them.
const GATEKEEPER: &str = "core/documents/";

/// Measures Automerge alone beside the gate, on bytes of its own.
const BESIDE_THE_GATE: &str = "tests/examples/bench/";

/// Checks the workspace.
pub fn run() -> Done {
    let metadata = metadata::everything()?;
    let mut problems = edges(&metadata);
    problems.extend(on_a_device(&metadata));
    let mut files = 0;
    for folder in ["core", "hub", "bindings", "tests", "xtask"] {
        doors(&workspace::root().join(folder), &mut files, &mut problems)?;
    }
    if problems.is_empty() {
        println!("{} crates and {files} files: layering holds", BELOW.len() + ABOVE_ALL.len());
        return Ok(());
    }
    Err(format!("against the layering of ARCHITECTURE.md:\n  {}", problems.join("\n  ")))
}

fn edges(metadata: &Metadata) -> Vec<String> {
    let mut problems = Vec::new();
    let own: Vec<_> = metadata.packages().filter(|package| !package.foreign).collect();
    for package in &own {
        if ABOVE_ALL.contains(&package.name) {
            continue;
        }
        let Some((_, below)) = BELOW.iter().find(|(name, _)| *name == package.name) else {
            problems.push(format!("{} has no place in the layers: give it one", package.name));
            continue;
        };
        for (name, for_tests) in &package.dependencies {
            let inside = own.iter().any(|other| other.name == *name);
            if inside && !below.contains(name) {
                problems.push(format!("{} uses {name}, which is not below it", package.name));
            }
            if package.name == "registro-hub" && *name == "registro-identity" && !for_tests {
                problems.push("registro-hub uses registro-identity outside its tests".to_owned());
            }
            if let Some((_, who)) = KEPT_TO.iter().find(|(kept, _)| kept == name)
                && !for_tests
                && !who.contains(&package.name)
            {
                problems.push(format!("{} uses {name}, which is kept to {}", package.name, who.join(", ")));
            }
        }
    }
    problems
}

fn on_a_device(metadata: &Metadata) -> Vec<String> {
    let Some(library) = metadata.packages().find(|package| package.name == "registro-ffi") else {
        return vec!["registro-ffi, which devices get, is not in the workspace".to_owned()];
    };
    let reached = metadata.reached_from(library.id);
    metadata
        .packages()
        .filter(|package| reached.contains(package.id) && NOT_ON_A_DEVICE.contains(&package.name))
        .map(|package| format!("a device would be built from {} {}", package.name, package.version))
        .collect()
}

fn doors(folder: &Path, files: &mut usize, problems: &mut Vec<String>) -> Done {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let shown = path.strip_prefix(workspace::root()).unwrap_or(&path).display().to_string();
        let hidden = ["target", "node_modules"].iter().any(|name| path.ends_with(name));
        // This file names the doors without going through them.
        let measured = shown.starts_with(BESIDE_THE_GATE);
        if hidden || measured || shown.starts_with(GATEKEEPER) || shown == "xtask/src/layering.rs" {
            continue;
        }
        if path.is_dir() {
            doors(&path, files, problems)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            *files += 1;
            problems.extend(doors_in(&shown, &workspace::read(&path)?));
        }
    }
    Ok(())
}

fn doors_in(file: &str, text: &str) -> Vec<String> {
    let code = text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    code.flat_map(|(index, line)| {
        let opened = DOORS.iter().filter(move |door| line.contains(*door));
        opened.map(move |door| format!("{file}:{}: {door} outside the gate", index + 1))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn package(name: &str, uses: &[(&str, Value)]) -> Value {
        let dependencies: Vec<Value> =
            uses.iter().map(|(name, kind)| json!({ "name": name, "kind": kind })).collect();
        json!({ "id": name, "name": name, "version": "0.1.0", "source": null, "dependencies": dependencies })
    }

    #[test]
    fn a_crate_that_uses_what_is_above_it_is_named() {
        let metadata = Metadata::from_json(json!({ "packages": [
            package("registro-model", &[("registro-store", Value::Null)]),
            package("registro-store", &[("registro-model", Value::Null)]),
            package("registro-hub", &[("registro-identity", json!("dev"))]),
            package("registro-identity", &[("uniffi", Value::Null), ("tokio", Value::Null)]),
            package("registro-new", &[]),
        ] }));
        assert_eq!(
            edges(&metadata),
            [
                "registro-model uses registro-store, which is not below it",
                "registro-identity uses uniffi, which is kept to registro-ffi, registro-bindgen",
                "registro-new has no place in the layers: give it one",
            ]
        );
    }

    #[test]
    fn what_a_device_must_not_hold_is_found_through_others_but_not_through_tests() {
        let node = |id: &str, to: &str, kind: Value| json!({ "id": id, "deps": [{ "pkg": to, "dep_kinds": [{ "kind": kind }] }] });
        let packages = || ["registro-ffi", "registro", "axum"].map(|name| package(name, &[]));
        let through = |kind: Value| {
            on_a_device(&Metadata::from_json(json!({
                "packages": packages(),
                "resolve": { "nodes": [
                    node("registro-ffi", "registro", Value::Null),
                    node("registro", "axum", kind),
                    { "id": "axum", "deps": [] },
                ] },
            })))
        };
        assert_eq!(through(Value::Null), ["a device would be built from axum 0.1.0"]);
        assert!(through(json!("dev")).is_empty());
    }

    #[test]
    fn a_door_beside_the_gate_is_named_by_its_line() {
        let text = "// apply_changes is described here\nlet x = 1;\n    doc.apply_changes(changes);\n";
        assert_eq!(doors_in("hub/src/a.rs", text), ["hub/src/a.rs:3: apply_changes outside the gate"]);
    }
}
