//! The public surface of the generated Kotlin and Swift, kept in the repository: what an app can call changes in
//! sight of a review, and never by accident.

mod declarations;
mod language;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::bindings::{self, Built};
use crate::command::Done;
use crate::workspace;

/// Compares what was generated with the snapshots, or, with `--accept`, writes them.
pub fn run(arguments: &[String]) -> Done {
    let accept = match arguments {
        [] => false,
        [one] if one == "--accept" => true,
        _ => return Err("the only argument is --accept".to_owned()),
    };
    let built = bindings::generate()?;
    for (snapshot, now) in surfaces(&built)? {
        if accept {
            std::fs::write(&snapshot, now).map_err(|error| format!("{}: {error}", snapshot.display()))?;
            println!("written: {}", snapshot.display());
        } else {
            compare(&snapshot, &now)?;
        }
    }
    Ok(())
}

/// Compares what was generated with the snapshots.
pub fn check(built: &Built) -> Done {
    surfaces(built)?.iter().try_for_each(|(snapshot, now)| compare(snapshot, now))
}

/// Each snapshot's file, and what would be in it.
fn surfaces(built: &Built) -> Result<[(PathBuf, String); 2], String> {
    let folder = workspace::root().join("bindings/surface");
    let kotlin = workspace::read(&built.kotlin.join("it/registro/registro_ffi.kt"))?;
    let swift = workspace::read(&built.swift.join("RegistroKit.swift"))?;
    Ok([
        (folder.join("kotlin.txt"), language::kotlin(&kotlin)),
        (folder.join("swift.txt"), language::swift(&swift)),
    ])
}

fn compare(snapshot: &Path, now: &str) -> Done {
    let before = std::fs::read_to_string(snapshot).unwrap_or_default();
    let differs = difference(&before, now);
    if differs.is_empty() && before == now {
        println!("{}: {} lines, as generated", snapshot.display(), now.lines().count());
        return Ok(());
    }
    differs.iter().for_each(|line| println!("{line}"));
    Err(format!(
        "the public surface is not what {} says; if it is meant to change: cargo xtask surface --accept, a line in \
         CHANGELOG.md, and both in the same commit",
        snapshot.display()
    ))
}

/// Lines that went and that came, each under what it belongs to.
fn difference(before: &str, now: &str) -> Vec<String> {
    let (old, new) = (paths(before), paths(now));
    let gone = old.difference(&new).map(|line| format!("- {line}"));
    gone.chain(new.difference(&old).map(|line| format!("+ {line}"))).collect()
}

/// Every line with those that it stands below.
fn paths(text: &str) -> BTreeSet<String> {
    let mut above: Vec<&str> = Vec::new();
    let mut paths = BTreeSet::new();
    for line in text.lines() {
        let trimmed = line.trim_start();
        above.truncate((line.len() - trimmed.len()) / 4);
        above.push(trimmed);
        paths.insert(above.join(" / "));
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_what_it_belongs_to() {
        let before = "class A\n    fun one()\nclass B\n    fun one()\n";
        let now = "class A\n    fun one()\nclass B\n    fun two()\n";
        assert_eq!(difference(before, now), ["- class B / fun one()", "+ class B / fun two()"]);
        assert!(difference(now, now).is_empty());
    }
}
