//! The JavaScript Automerge opens every document of the school day and reads the same facts.

use crate::command::{Done, program, run};
use crate::{school_day, tools, workspace};

/// Installs what `tests/js/package-lock.json` pins, and runs its tests on the day that was played last.
pub fn run_tests() -> Done {
    tools::need(&[tools::NODE, tools::NPM])?;
    let day = school_day::folder()?;
    if !day.join("report.json").exists() {
        school_day::run()?;
    }
    let folder = workspace::root().join("tests/js");
    run(program("npm").args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(&folder))?;
    run(program("node").arg("--test").env("SCHOOL_DAY", &day).current_dir(&folder))
}
