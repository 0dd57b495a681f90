//! The Kotlin tests, on a plain JVM against the library of this machine and a real hub.

use std::path::Path;

use crate::command::{Done, program, run};
use crate::{bindings, tools, workspace};

/// Builds what they need and runs them with Maven.
pub fn test() -> Done {
    tools::need(&[tools::JAVAC, tools::MAVEN])?;
    let built = bindings::build()?;
    let module = workspace::root().join("android");
    // Classes of tests that are gone would run on.
    let classes = module.join("target");
    if classes.exists() {
        std::fs::remove_dir_all(&classes).map_err(|error| format!("{}: {error}", classes.display()))?;
    }
    let set = |name: &str, path: &Path| format!("-Dregistro.{name}={}", path.display());
    run(program("mvn")
        .args(["--batch-mode", "--no-transfer-progress", "--file"])
        .arg(module.join("pom.xml"))
        .arg(set("bindings", &built.kotlin))
        .arg(set("library", &built.library))
        .arg(set("hub", &built.programs.join("registro-hub")))
        .arg(set("school", &workspace::sample_school()))
        .arg("test"))
}
