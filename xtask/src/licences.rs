//! What may be depended on: licences and bans of `deny.toml`, without the tool that the file is written for.

use std::collections::{BTreeMap, BTreeSet};

use crate::command::Done;
use crate::metadata::{self, Metadata};
use crate::workspace;

/// What `deny.toml` says.
struct Policy {
    licences: BTreeSet<String>,
    /// A crate, and licences that it alone may have.
    exceptions: Vec<(String, Vec<String>)>,
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
        let of_crates = |section_name: &str, list: &str, about: &str| -> Vec<(String, Vec<String>)> {
            let entries =
                section(section_name).and_then(|table| table.get(list)).and_then(toml::Value::as_array);
            let entries = entries.into_iter().flatten();
            entries
                .filter_map(|entry| {
                    Some((entry.get("crate")?.as_str()?.to_owned(), strings(entry.get(about))))
                })
                .collect()
        };
        let exceptions = of_crates("licenses", "exceptions", "allow");
        let bans = of_crates("bans", "deny", "wrappers");
        if licences.is_empty() || bans.is_empty() {
            return Err("deny.toml names no licences or no bans".to_owned());
        }
        Ok(Self { licences, exceptions, bans })
    }

    fn problems(&self, metadata: &Metadata) -> Vec<String> {
        let mut problems = Vec::new();
        let mut names = BTreeMap::new();
        for package in metadata.packages() {
            names.insert(package.id, package.name);
            let licence = package.licence.unwrap_or("no licence");
            if package.foreign && !self.allows(licence) && !self.excepts(package.name, licence) {
                problems.push(format!("{} {}: {licence}", package.name, package.version));
            }
        }
        for (user, used) in metadata.edges() {
            let name = |id: &str| names.get(id).copied().unwrap_or_default();
            let ban = self.bans.iter().find(|(banned, _)| banned == name(used));
            if let Some((banned, wrappers)) = ban
                && !wrappers.iter().any(|wrapper| wrapper == name(user))
            {
                problems.push(format!("{} depends on {banned}", name(user)));
            }
        }
        problems
    }

    fn excepts(&self, package: &str, licence: &str) -> bool {
        self.exceptions
            .iter()
            .any(|(name, licences)| name == package && licences.iter().any(|l| l == licence))
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
            exceptions = [{ crate = "minicbor", allow = ["BlueOak-1.0.0"] }]
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
    fn a_banned_crate_is_named_with_who_is_built_with_it() {
        let package = |name: &str| json!({ "id": name, "name": name, "version": "1.0.0", "license": "MIT", "source": null });
        let node = |id: &str, deps: &[&str]| json!({ "id": id, "deps": deps.iter().map(|to| json!({ "pkg": to })).collect::<Vec<_>>() });
        let packages = ["registro-hub", "registro", "aws-lc-rs"].map(package);
        let metadata = Metadata::from_json(json!({
            "packages": packages,
            "resolve": { "nodes": [
                node("registro-hub", &["aws-lc-rs"]),
                node("registro", &["aws-lc-rs"]),
                node("aws-lc-rs", &[]),
            ] },
        }));
        assert_eq!(policy().problems(&metadata), ["registro depends on aws-lc-rs"]);
    }

    #[test]
    fn an_exception_holds_for_its_crate_alone() {
        let package = |name: &str, licence: &str| json!({ "id": name, "name": name, "version": "1.0.0", "license": licence, "source": "registry" });
        let metadata = Metadata::from_json(json!({ "packages": [
            package("minicbor", "BlueOak-1.0.0"),
            package("minicbor", "GPL-3.0"),
            package("other", "BlueOak-1.0.0"),
        ] }));
        assert_eq!(policy().problems(&metadata), ["minicbor 1.0.0: GPL-3.0", "other 1.0.0: BlueOak-1.0.0"]);
    }

    #[test]
    fn a_file_without_rules_is_an_error() {
        assert!(Policy::parse("[licenses]\nallow = []").is_err());
    }
}
