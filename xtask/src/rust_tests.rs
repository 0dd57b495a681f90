//! The tests of all crates, and the worked cases of the register's rules.

use std::process::Command;

use crate::command::{Done, cargo, program, run};
use crate::workspace;

/// All tests of all crates, with debug assertions and overflow checks.
///
/// Cargo unites features over a whole workspace; the library that ships is built by itself (`bindings`).
pub fn tests() -> Done {
    run(cargo("test").arg("--workspace"))
}

/// The worked cases of `tests/data/oracles.json`.
pub fn oracles() -> Done {
    run(example("oracles")?.arg("tests/data/oracles.json"))
}

/// An example as the tests were built: with the features of the whole workspace nothing is compiled once more.
pub fn example(name: &str) -> Result<Command, String> {
    run(cargo("build").args(["--workspace", "--bins", "--examples"]))?;
    Ok(program(&workspace::target()?.join("debug/examples").join(name).to_string_lossy()))
}
