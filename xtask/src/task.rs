//! The tasks, by name.

use crate::command::Done;
use crate::{
    android, automerge_js, bench, bindings, dist, ios, kotlin, layering, licences, lint, peers, rust_tests,
    school_day, surface, swift,
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
    does: Does,
}

#[derive(Debug, Clone, Copy)]
enum Does {
    Alone(fn() -> Done),
    /// Takes what a person types after its name.
    With(fn(&[String]) -> Done),
}

impl Task {
    /// Does it, with what was typed after its name.
    pub fn run(&self, arguments: &[String]) -> Done {
        match (self.does, arguments) {
            (Does::With(run), _) => run(arguments),
            (Does::Alone(run), []) => run(),
            (Does::Alone(_), [extra, ..]) => Err(format!("{} takes no arguments: {extra}", self.name)),
        }
    }
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
    task("packages", "what is published, and two apps outside the checkout that use it", dist::test),
    by_hand("dist", "what is published, in target/dist", dist::make),
    given("android", "the AAR, with an NDK; --abi arm64-v8a and others for some phones alone", android::run),
    by_hand("ios", "the XCFramework, on a Mac", ios::run),
    by_hand("licences", "what is depended on (part of lint)", licences::run),
    by_hand("layering", "who depends on whom (part of lint)", layering::run),
    given(
        "surface",
        "the public Kotlin and Swift beside its snapshots; --accept takes what is generated",
        surface::run,
    ),
    by_hand("bench", "the figures to hold, as a table", bench::measure),
];

const fn task(name: &'static str, what: &'static str, run: fn() -> Done) -> Task {
    Task { name, what, in_ci: true, does: Does::Alone(run) }
}

const fn by_hand(name: &'static str, what: &'static str, run: fn() -> Done) -> Task {
    Task { name, what, in_ci: false, does: Does::Alone(run) }
}

const fn given(name: &'static str, what: &'static str, run: fn(&[String]) -> Done) -> Task {
    Task { name, what, in_ci: false, does: Does::With(run) }
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
