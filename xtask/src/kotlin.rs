//! The Kotlin tests: on a plain JVM, and on Android's own classes, against the library of this machine and a real hub.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bindings::{self, Built};
use crate::command::{Done, program, run};
use crate::{tools, workspace};

/// Builds what they need and runs them with Maven.
pub fn test() -> Done {
    let built = bindings::build()?;
    run(maven(&built)?.args(["--projects", "kotlin,aar", "test"]))
}

/// Maven on the modules of `android`, told where everything is. Classes that are gone would be packed or tested on:
/// it begins without any.
pub fn maven(built: &Built) -> Result<Command, String> {
    let modules = workspace::root().join("android");
    for module in ["kotlin", "jvm", "aar"] {
        workspace::removed(&modules.join(module).join("target"))?;
    }
    let set = |name: &str, path: &Path| format!("-Dregistro.{name}={}", path.display());
    let mut command = maven_alone()?;
    command
        .arg("--file")
        .arg(modules.join("pom.xml"))
        .arg(set("bindings", &built.kotlin))
        .arg(set("library", &built.library))
        .arg(set("natives", &natives()?))
        .arg(set("hub", &built.programs.join("registro-hub")))
        .arg(set("school", &workspace::sample_school()));
    Ok(command)
}

/// Maven, on whatever it is told.
pub fn maven_alone() -> Result<Command, String> {
    tools::need(&[tools::JAVAC, tools::MAVEN])?;
    let mut command = program("mvn");
    command.args(["--batch-mode", "--no-transfer-progress"]);
    // Cargo names its own folder there, and JNA would take an older library from it than the one that is tested.
    command.env_remove("LD_LIBRARY_PATH");
    Ok(command)
}

/// Where the libraries that archives take in are put.
pub fn natives() -> Result<PathBuf, String> {
    Ok(workspace::target()?.join("natives"))
}
