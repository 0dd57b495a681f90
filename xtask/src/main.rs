//! The one task runner: `cargo xtask ci` is what CI runs and what a person runs.

mod ci;
mod step;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("ci") => ci::run(ci::STEPS),
        Some(name) => match ci::STEPS.iter().find(|step| step.name == name) {
            Some(step) => ci::run(std::slice::from_ref(step)),
            None => usage(),
        },
        None => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("cargo xtask <task>\n\n  ci            everything that CI runs, in this order:");
    for step in ci::STEPS {
        eprintln!("  {:<13} {}", step.name, step.what);
    }
    ExitCode::from(2)
}
