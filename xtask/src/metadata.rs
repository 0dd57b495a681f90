//! What cargo knows of the workspace and of everything that it depends on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::Value;

use crate::command::{cargo, output};

/// The answer of `cargo metadata`.
pub struct Metadata(Value);

/// One crate.
pub struct Package<'a> {
    /// Cargo's id.
    pub id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its version.
    pub version: &'a str,
    /// The licence that it states.
    pub licence: Option<&'a str>,
    /// Whether it comes from a registry or a repository, not from this workspace.
    pub foreign: bool,
    /// Names of what it names as dependencies; for tests and examples alone, if `true`.
    pub dependencies: Vec<(&'a str, bool)>,
}

/// The workspace's own crates.
pub fn workspace_only() -> Result<Metadata, String> {
    read(&["--no-deps"])
}

/// Everything, with every feature.
pub fn everything() -> Result<Metadata, String> {
    read(&["--all-features"])
}

fn read(arguments: &[&str]) -> Result<Metadata, String> {
    let mut command = cargo("metadata");
    let text = output(command.args(["--format-version", "1"]).args(arguments))?;
    serde_json::from_str(&text).map(Metadata).map_err(|error| format!("cargo metadata: {error}"))
}

impl Metadata {
    #[cfg(test)]
    pub fn from_json(value: Value) -> Self {
        Self(value)
    }

    /// Where cargo builds.
    pub fn target_directory(&self) -> Result<PathBuf, String> {
        let folder = self.0.get("target_directory").and_then(Value::as_str);
        folder.map(PathBuf::from).ok_or_else(|| "cargo metadata names no target directory".to_owned())
    }

    /// The folders in which the crates of registries and repositories stand.
    pub fn folders_of_foreign_packages(&self) -> impl Iterator<Item = PathBuf> {
        let foreign =
            list(&self.0, "packages").filter(|one| one.get("source").is_some_and(|source| !source.is_null()));
        foreign.filter_map(|package| {
            PathBuf::from(text(package, "manifest_path")).ancestors().nth(2).map(PathBuf::from)
        })
    }

    /// All crates.
    pub fn packages(&self) -> impl Iterator<Item = Package<'_>> {
        list(&self.0, "packages").map(|package| Package {
            id: text(package, "id"),
            name: text(package, "name"),
            version: text(package, "version"),
            licence: package.get("license").and_then(Value::as_str),
            foreign: package.get("source").is_some_and(|source| !source.is_null()),
            dependencies: list(package, "dependencies")
                .map(|dependency| {
                    let kind = dependency.get("kind").and_then(Value::as_str);
                    (text(dependency, "name"), kind == Some("dev"))
                })
                .collect(),
        })
    }

    /// Which crate is in the end built or tested with which: pairs of ids. What is optional and not asked for is not
    /// there.
    pub fn edges(&self) -> impl Iterator<Item = (&str, &str)> {
        let nodes = self.0.get("resolve").into_iter().flat_map(|resolve| list(resolve, "nodes"));
        nodes.flat_map(|node| list(node, "deps").map(|edge| (text(node, "id"), text(edge, "pkg"))))
    }

    /// Ids of everything that a crate is built from, itself included, its tests' dependencies not.
    pub fn reached_from(&self, id: &str) -> BTreeSet<&str> {
        let nodes: BTreeMap<&str, &Value> = self
            .0
            .get("resolve")
            .map(|resolve| list(resolve, "nodes").map(|node| (text(node, "id"), node)).collect())
            .unwrap_or_default();
        let mut reached = BTreeSet::new();
        let mut open: Vec<&str> = nodes.get_key_value(id).map(|(id, _)| *id).into_iter().collect();
        while let Some(id) = open.pop() {
            if !reached.insert(id) {
                continue;
            }
            let Some(node) = nodes.get(id) else { continue };
            let built_with = list(node, "deps").filter(|edge| {
                list(edge, "dep_kinds").any(|kind| kind.get("kind").and_then(Value::as_str) != Some("dev"))
            });
            open.extend(built_with.map(|edge| text(edge, "pkg")));
        }
        reached
    }
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
