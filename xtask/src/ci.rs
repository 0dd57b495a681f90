//! Tasks in order, timed, until one fails.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::task::Task;

/// Runs the tasks with these arguments; says how long each took, and at the first that fails what repeats it.
pub fn run(tasks: &[Task], arguments: &[String]) -> ExitCode {
    let start = Instant::now();
    let mut done: Vec<(&str, Duration)> = Vec::new();
    for (index, task) in tasks.iter().enumerate() {
        println!("\n=== {}/{} {}: {}", index + 1, tasks.len(), task.name, task.what);
        let began = Instant::now();
        let outcome = task.run(arguments);
        let elapsed = began.elapsed();
        if let Err(reason) = outcome {
            println!("--- {} failed after {:.1} s", task.name, elapsed.as_secs_f64());
            summary(&done, start.elapsed());
            println!("FAILED at {}: {reason}\nrepeat with: cargo xtask {}", task.name, task.name);
            return ExitCode::FAILURE;
        }
        println!("--- {} took {:.1} s", task.name, elapsed.as_secs_f64());
        done.push((task.name, elapsed));
    }
    summary(&done, start.elapsed());
    println!("all {} done", tasks.len());
    ExitCode::SUCCESS
}

fn summary(done: &[(&str, Duration)], all: Duration) {
    println!();
    for (name, elapsed) in done {
        println!("{name:<14} {:>7.1} s", elapsed.as_secs_f64());
    }
    println!("{:<14} {:>7.1} s", "together", all.as_secs_f64());
}
