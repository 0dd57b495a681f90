//! The tests of all crates, and the worked cases of the register's rules.

use crate::command::{Done, cargo, run};

/// All tests of all crates, with debug assertions and overflow checks.
///
/// Cargo unites features over a whole workspace; the library that ships is built by itself (`bindings`).
pub fn tests() -> Done {
    run(cargo("test").arg("--workspace"))
}

/// The worked cases of `tests/data/oracles.json`.
pub fn oracles() -> Done {
    run(cargo("run")
        .args(["--release", "-p", "registro-model", "--example", "oracles", "--"])
        .arg("tests/data/oracles.json"))
}
