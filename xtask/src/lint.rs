//! Formatting, clippy, licences, layering, tests that documents name.

use crate::command::{self, Done, cargo, in_ci, output, program};
use crate::{layering, licences, named_tests, workspace};

/// Runs every check that looks at the sources alone, the quick ones first.
pub fn run() -> Done {
    command::run(cargo("fmt").args(["--all", "--check"]))?;
    lock_file_is_committed()?;
    licences::run()?;
    layering::run()?;
    named_tests::run()?;
    command::run(cargo("clippy").args(["--workspace", "--lib", "--bins", "--", "-D", "warnings"]))?;
    // Tests may unwrap, and need no documentation: a panic is how they fail.
    command::run(
        cargo("clippy")
            .args(["--workspace", "--tests", "--examples", "--features", "registro-tests/peers"])
            .args([
                "--",
                "-D",
                "warnings",
                "-A",
                "clippy::unwrap_used",
                "-A",
                "clippy::string_slice",
                "-A",
                "missing_docs",
            ]),
    )
}

/// In a fresh checkout cargo would mend a stale lock file before anything looks at it.
fn lock_file_is_committed() -> Done {
    if !in_ci() || !workspace::root().join(".git").exists() {
        return Ok(());
    }
    let changed = output(program("git").args(["status", "--porcelain", "--", "Cargo.lock"]))?;
    if changed.trim().is_empty() {
        return Ok(());
    }
    Err("Cargo.lock is not what was committed: commit the one that cargo just wrote".to_owned())
}
