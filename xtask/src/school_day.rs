//! A school day on the sample school: the README's first command, with debug assertions and overflow checks.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::command::{Done, shown};
use crate::{rust_tests, workspace};

/// Where the day's documents and its report are written.
pub fn folder() -> Result<PathBuf, String> {
    Ok(workspace::target()?.join("school-day"))
}

/// Plays the day and judges the figures of its last line.
pub fn run() -> Done {
    let folder = folder()?;
    workspace::emptied(&folder)?;
    let mut command = rust_tests::example("school_day")?;
    command.args(["--json", "--out"]).arg(&folder);
    let told = told(&mut command)?;
    let figures = told.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    judge(figures)?;
    println!("all agree, nothing is lost");
    Ok(())
}

/// Runs it, shows what it prints and keeps it.
fn told(command: &mut Command) -> Result<String, String> {
    use std::io::{BufRead, BufReader};

    let line = shown(command);
    println!("$ {line}");
    let failed = |error: std::io::Error| format!("{line}: {error}");
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(failed)?;
    let mut told = String::new();
    if let Some(out) = child.stdout.take() {
        for text in BufReader::new(out).lines() {
            let text = text.map_err(failed)?;
            println!("{text}");
            told.push_str(&text);
            told.push('\n');
        }
    }
    let status = child.wait().map_err(failed)?;
    if status.success() { Ok(told) } else { Err(format!("{line}: {status}")) }
}

fn judge(figures: &str) -> Done {
    let read: Value = serde_json::from_str(figures)
        .map_err(|_| format!("the last line of the day is not an object of figures: {figures}"))?;
    let number = |name: &str| read.get(name).and_then(Value::as_u64);
    if read.get("agree").and_then(Value::as_bool) != Some(true) {
        return Err(format!("devices and hub do not agree: {figures}"));
    }
    if number("lost") != Some(0) {
        return Err(format!("something that was acknowledged is lost: {figures}"));
    }
    // A day on which nothing happened agrees too.
    if number("acknowledged").unwrap_or(0) == 0 || number("devices").unwrap_or(0) < 8 {
        return Err(format!("the day was not played: {figures}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::judge;

    #[test]
    fn a_day_that_disagrees_loses_or_never_happened_fails() {
        let day = |agree: bool, lost: u32, acknowledged: u32| {
            judge(&format!(r#"{{"agree":{agree},"lost":{lost},"acknowledged":{acknowledged},"devices":8}}"#))
        };
        assert!(day(true, 0, 11).is_ok());
        assert!(day(false, 0, 11).is_err());
        assert!(day(true, 1, 11).is_err());
        assert!(day(true, 0, 0).is_err());
        assert!(judge("").is_err());
        assert!(judge("{}").is_err());
    }
}
