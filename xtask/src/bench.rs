//! The figures to hold.

use crate::command::{Done, cargo, run};

/// Measures them side by side, and prints a table.
pub fn measure() -> Done {
    run(cargo("run").args(["--release", "-p", "registro-tests", "--example", "bench"]))
}
