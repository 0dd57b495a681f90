//! One step of a task: commands that must succeed.

use std::path::PathBuf;
use std::process::Command;

/// The folder of the workspace.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().map(PathBuf::from).unwrap_or_default()
}

/// Runs a command in the workspace's folder; says how to repeat it if it fails.
pub fn call(program: &str, arguments: &[&str]) -> Result<(), String> {
    println!("$ {program} {}", arguments.join(" "));
    let status = Command::new(program)
        .args(arguments)
        .current_dir(root())
        .status()
        .map_err(|error| format!("{program} does not start ({error}); is it installed?"))?;
    if status.success() { Ok(()) } else { Err(format!("failed: {program} {}", arguments.join(" "))) }
}
