//! Documents that name tests as proof: each test must exist.

use std::collections::BTreeSet;
use std::path::Path;

use crate::command::Done;
use crate::workspace;

/// Documents whose tables end in a column of tests.
const DOCUMENTS: &[&str] = &["docs/identity.md"];

/// Checks them.
pub fn run() -> Done {
    let mut tests = BTreeSet::new();
    for folder in ["core", "hub", "bindings", "tests"] {
        collect(&workspace::root().join(folder), &mut tests)?;
    }
    let mut missing = Vec::new();
    let mut named = 0;
    for document in DOCUMENTS {
        let text = workspace::read(&workspace::root().join(document))?;
        for name in names(&text) {
            named += 1;
            if !tests.contains(name) {
                missing.push(format!("{document}: {name}"));
            }
        }
    }
    if missing.is_empty() {
        println!("{named} tests are named as proof, and all of them exist");
        return Ok(());
    }
    Err(format!("named as proof, but there is no such test:\n  {}", missing.join("\n  ")))
}

/// What stands in the last column of a table whose head calls it "test".
fn names(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut counts = false;
    for line in text.lines() {
        let Some(cell) = line.strip_suffix(" |").and_then(|row| row.rsplit(" | ").next()) else {
            counts &= line.starts_with('|');
            continue;
        };
        if cell == "test" {
            counts = true;
        } else if counts {
            found.extend(cell.split('`').skip(1).step_by(2));
        }
    }
    found
}

fn collect(folder: &Path, tests: &mut BTreeSet<String>) -> Done {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let hidden = ["target", "node_modules"].iter().any(|name| path.ends_with(name));
        if path.is_dir() && !hidden {
            collect(&path, tests)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            tests.extend(tests_in(&workspace::read(&path)?));
        }
    }
    Ok(())
}

fn tests_in(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut marked = false;
    for line in text.lines().map(str::trim_start) {
        marked |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        let declared = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn "));
        if let Some(declared) = declared.filter(|_| std::mem::take(&mut marked)) {
            found.extend(declared.split('(').next().map(str::to_owned));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_read_out_of_tables_and_out_of_code() {
        let text =
            "| a | test |\n|---|---|\n| x | `one`, `two` |\n\n| other | what |\n| `no` | `neither` |\n";
        assert_eq!(names(text), ["one", "two"]);
        let code = "#[test]\nfn one() {}\nfn helper() {}\n    #[tokio::test(flavor = \"x\")]\n    async fn two() {}\n";
        assert_eq!(tests_in(code), ["one", "two"]);
    }
}
