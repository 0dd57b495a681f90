//! The one task runner: `cargo xtask ci` is what CI runs and what a person runs.
//!
//! | module | what |
//! |---|---|
//! | [`task`] | the tasks, by name |
//! | [`ci`] | all of them in order, timed, until one fails |
//! | [`command`] | programs that must succeed |
//! | [`workspace`] | where things are |
//! | [`tools`] | what has to be installed, and its installation |
//! | the others | one task each, or one check |

mod android;
mod automerge_js;
mod bench;
mod bindings;
mod chroot;
mod ci;
mod command;
mod dist;
mod elf;
mod header;
mod ios;
mod kotlin;
mod layering;
mod licences;
mod lint;
mod metadata;
mod named_tests;
mod peers;
mod rust_tests;
mod school_day;
mod shipped;
mod surface;
mod swift;
mod task;
mod tools;
mod workspace;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next();
    let arguments: Vec<String> = arguments.collect();
    match name.as_deref() {
        None | Some("help" | "-h" | "--help") => {
            println!("{}", task::list());
            ExitCode::SUCCESS
        }
        Some("ci") => ci::run(&task::of_ci(), &arguments),
        Some(name) => match task::named(name) {
            Some(task) => ci::run(&[task], &arguments),
            None => {
                eprintln!("there is no task {name}\n\n{}", task::list());
                ExitCode::from(2)
            }
        },
    }
}
