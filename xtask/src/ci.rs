//! The steps of CI, in order.

use std::process::ExitCode;
use std::time::Instant;

use crate::step::call;

/// A named step.
pub struct Step {
    /// Its name, which is also the task's.
    pub name: &'static str,
    /// What it shows.
    pub what: &'static str,
    run: fn() -> Result<(), String>,
}

/// Everything that CI runs.
pub const STEPS: &[Step] = &[
    Step { name: "lint", what: "formatting and clippy, warnings are errors", run: lint },
    Step { name: "test", what: "all tests of all crates", run: test },
    Step { name: "oracles", what: "the worked cases of tests/data/oracles.json", run: oracles },
];

/// Runs steps until one fails; says how long each took.
pub fn run(steps: &[Step]) -> ExitCode {
    let start = Instant::now();
    let mut done = Vec::new();
    for step in steps {
        println!("== {}: {}", step.name, step.what);
        let began = Instant::now();
        if let Err(error) = (step.run)() {
            eprintln!("\n{error}\nrepeat with: cargo xtask {}", step.name);
            return ExitCode::FAILURE;
        }
        done.push((step.name, began.elapsed()));
    }
    println!();
    for (name, elapsed) in done {
        println!("{name:<14} {:>6.1} s", elapsed.as_secs_f64());
    }
    println!("{:<14} {:>6.1} s", "all", start.elapsed().as_secs_f64());
    ExitCode::SUCCESS
}

fn lint() -> Result<(), String> {
    call("cargo", &["fmt", "--all", "--check"])?;
    call("cargo", &["clippy", "--workspace", "--lib", "--bins", "--", "-D", "warnings"])?;
    // Tests may unwrap: a panic is how they fail.
    let allow = ["-A", "clippy::unwrap_used", "-A", "clippy::string_slice", "-A", "missing_docs"];
    let clippy = ["clippy", "--workspace", "--tests", "--examples", "--", "-D", "warnings"];
    call("cargo", &[clippy.as_slice(), &allow].concat())
}

fn test() -> Result<(), String> {
    call("cargo", &["test", "--workspace"])
}

fn oracles() -> Result<(), String> {
    call(
        "cargo",
        &[
            "run",
            "--release",
            "-p",
            "registro-model",
            "--example",
            "oracles",
            "--",
            "tests/data/oracles.json",
        ],
    )
}
