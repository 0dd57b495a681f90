//! What may be depended on: licences and bans of `deny.toml`, without the tool that the file is written for.

use std::collections::BTreeSet;

use crate::command::Done;
use crate::metadata::{self, Metadata};
use crate::workspace;

/// What `deny.toml` says.
struct Policy {
    licences: BTreeSet<String>,
    /// A crate, and who alone may depend on it.
    bans: Vec<(String, Vec<String>)>,
}

/// Checks everything that any crate of the workspace depends on.
pub fn run() -> Done {
    let policy = Policy::parse(&workspace::read(&workspace::root().join("deny.toml"))?)?;
    let metadata = metadata::everything()?;
    let foreign = metadata.packages().filter(|package| package.foreign).count();
    let problems = policy.problems(&metadata);
    if problems.is_empty() {
        println!("{foreign} dependencies: licences and bans hold");
        return Ok(());
    }
    Err(format!("against deny.toml:\n  {}", problems.join("\n  ")))
}

impl Policy {
    fn parse(text: &str) -> Result<Self, String> {
        let file: toml::Table = text.parse().map_err(|error| format!("deny.toml: {error}"))?;
        let strings = |value: Option<&toml::Value>| -> Vec<String> {
            let list = value.and_then(toml::Value::as_array).into_iter().flatten();
            list.filter_map(toml::Value::as_str).map(str::to_owned).collect()
        };
        let section = |name: &str| file.get(name).and_then(toml::Value::as_table);
        let licences: BTreeSet<String> =
            strings(section("licenses").and_then(|table| table.get("allow"))).into_iter().collect();
        let denied = section("bans").and_then(|table| table.get("deny")).and_then(toml::Value::as_array);
        let bans: Vec<_> = denied
            .into_iter()
            .flatten()
            .filter_map(|ban| Some((ban.get("crate")?.as_str()?.to_owned(), strings(ban.get("wrappers")))))
            .collect();
        if licences.is_empty() || bans.is_empty() {
            return Err("deny.toml names no licences or no bans".to_owned());
        }
        Ok(Self { licences, bans })
    }

    fn problems(&self, metadata: &Metadata) -> Vec<String> {
        let mut problems = Vec::new();
        for package in metadata.packages() {
            if package.foreign {
                match package.licence {
                    Some(licence) if self.allows(licence) => {}
                    Some(licence) => {
                        problems.push(format!("{} {}: {licence}", package.name, package.version))
                    }
                    None => problems.push(format!("{} {}: no licence", package.name, package.version)),
                }
            }
            for (banned, wrappers) in &self.bans {
                let depends = package.dependencies.iter().any(|(name, _)| name == banned);
                let in_graph = metadata.packages().any(|other| other.name == banned);
                if depends && in_graph && !wrappers.iter().any(|wrapper| wrapper == package.name) {
                    problems.push(format!("{} depends on {banned}", package.name));
                }
            }
        }
        problems
    }

    /// Whether an SPDX expression can be met with the allowed licences.
    fn allows(&self, expression: &str) -> bool {
        // The old way of writing "or".
        let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        let mut at = 0;
        let met = self.either(&words, &mut at);
        met && at == words.len()
    }

    fn either(&self, words: &[&str], at: &mut usize) -> bool {
        let mut met = self.both(words, at);
        while words.get(*at) == Some(&"OR") {
            *at += 1;
            met |= self.both(words, at);
        }
        met
    }

    fn both(&self, words: &[&str], at: &mut usize) -> bool {
        let mut met = self.one(words, at);
        while words.get(*at) == Some(&"AND") {
            *at += 1;
            met &= self.one(words, at);
        }
        met
    }

    fn one(&self, words: &[&str], at: &mut usize) -> bool {
        let Some(word) = words.get(*at) else { return false };
        *at += 1;
        if *word == "(" {
            let met = self.either(words, at);
            let closed = words.get(*at) == Some(&")");
            *at += 1;
            return met && closed;
        }
        if words.get(*at) != Some(&"WITH") {
            return self.licences.contains(*word);
        }
        let exception = words.get(*at + 1).copied().unwrap_or_default();
        *at += 2;
        self.licences.contains(&format!("{word} WITH {exception}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn policy() -> Policy {
        Policy::parse(
            r#"
            [licenses]
            allow = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"]
            [bans]
            deny = [{ crate = "openssl-sys" }, { crate = "aws-lc-rs", wrappers = ["registro-hub"] }]
            "#,
        )
        .unwrap()
    }

    #[test]
    fn one_of_two_licences_is_enough_and_both_of_two_are_needed() {
        let policy = policy();
        for allowed in [
            "MIT",
            "GPL-3.0 OR MIT",
            "MIT/GPL-3.0",
            "MIT AND (GPL-3.0 OR Apache-2.0)",
            "Apache-2.0 WITH LLVM-exception",
        ] {
            assert!(policy.allows(allowed), "{allowed}");
        }
        for refused in ["GPL-3.0", "MIT AND GPL-3.0", "MIT WITH GPL-exception", "", "(MIT", "MIT MIT"] {
            assert!(!policy.allows(refused), "{refused}");
        }
    }

    #[test]
    fn a_banned_crate_is_named_with_who_wants_it() {
        let package = |name: &str, wants: &str| {
            json!({ "id": name, "name": name, "version": "1.0.0", "license": "MIT", "source": null,
                    "dependencies": [{ "name": wants, "kind": null }] })
        };
        let metadata = Metadata::from_json(json!({ "packages": [
            package("registro-hub", "aws-lc-rs"),
            package("registro", "aws-lc-rs"),
            package("aws-lc-rs", "cfg-if"),
        ] }));
        assert_eq!(policy().problems(&metadata), ["registro depends on aws-lc-rs"]);
    }

    #[test]
    fn a_file_without_rules_is_an_error() {
        assert!(Policy::parse("[licenses]\nallow = []").is_err());
    }
}
