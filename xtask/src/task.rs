//! The tasks, by name.

use crate::command::Done;
use crate::{
    automerge_js, bench, bindings, kotlin, layering, licences, lint, peers, rust_tests, school_day, swift,
};

/// Something that the runner does.
#[derive(Debug, Clone, Copy)]
pub struct Task {
    /// What a person types.
    pub name: &'static str,
    /// What it shows, or makes.
    pub what: &'static str,
    /// Whether CI runs it, in this order.
    in_ci: bool,
    /// Does it.
    pub run: fn() -> Done,
}

const TASKS: &[Task] = &[
    task("lint", "formatting, clippy, licences, layering, named tests", lint::run),
    task("test", "all tests of all crates", rust_tests::tests),
    task("school-day", "a school day on the sample school: all agree, nothing is lost", school_day::run),
    task("oracles", "the worked cases of the register's rules", rust_tests::oracles),
    task("peers", "logins against real servers, reference clients and a browser", peers::test),
    task("automerge-js", "the JavaScript Automerge reads the same facts", automerge_js::run_tests),
    task("bindings", "the library, its Kotlin and Swift, and a check that they fit", bindings::run),
    task("kotlin", "the Kotlin tests, against a real hub", kotlin::test),
    task("swift", "the Swift tests, against a real hub, in a Debian 13 folder", swift::test),
    by_hand("licences", "what is depended on (part of lint)", licences::run),
    by_hand("layering", "who depends on whom (part of lint)", layering::run),
    by_hand("bench", "the figures to hold, as a table", bench::measure),
];

const fn task(name: &'static str, what: &'static str, run: fn() -> Done) -> Task {
    Task { name, what, in_ci: true, run }
}

const fn by_hand(name: &'static str, what: &'static str, run: fn() -> Done) -> Task {
    Task { name, what, in_ci: false, run }
}

/// What CI runs, in order.
pub fn of_ci() -> Vec<Task> {
    TASKS.iter().filter(|task| task.in_ci).copied().collect()
}

/// The task of that name.
pub fn named(name: &str) -> Option<Task> {
    TASKS.iter().find(|task| task.name == name).copied()
}

/// What to type.
pub fn list() -> String {
    let line = |task: &Task| format!("\n  {:<13} {}", task.name, task.what);
    let in_ci: String = TASKS.iter().filter(|task| task.in_ci).map(line).collect();
    let others: String = TASKS.iter().filter(|task| !task.in_ci).map(line).collect();
    format!(
        "cargo xtask <task>\n\n  ci            everything that CI runs, in this order:{in_ci}\n\nand by hand:{others}\n\n\
         REGISTRO_CACHE says where toolchains are kept (default: ~/.cache/registro)."
    )
}
