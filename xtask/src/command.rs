//! Programs that must succeed.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use crate::workspace;

/// What a task comes to: nothing, or a sentence on what failed.
pub type Done = Result<(), String>;

/// A program with its arguments, run in the workspace's folder, without standard input.
pub fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    command.current_dir(workspace::root()).stdin(Stdio::null());
    command
}

/// The cargo that runs this. `--locked` in CI: what was committed is what is tested.
pub fn cargo(subcommand: &str) -> Command {
    let name = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = program(&name);
    command.arg(subcommand);
    if in_ci() && subcommand != "fmt" {
        command.arg("--locked");
    }
    // Set by the cargo that started this: they would make some dependencies compile again and again.
    for (variable, _) in std::env::vars_os() {
        let name = variable.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&variable);
        }
    }
    command
}

/// Whether nobody is watching.
pub fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !value.is_empty() && value != "false" && value != "0")
}

/// The command as a person would type it.
pub fn shown(command: &Command) -> String {
    let quote = |text: &OsStr| {
        let text = text.to_string_lossy();
        let plain = |c: char| c.is_alphanumeric() || "-_./=:+@,".contains(c);
        if !text.is_empty() && text.chars().all(plain) { text.into_owned() } else { format!("'{text}'") }
    };
    let program = std::path::Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    std::iter::once(quote(name)).chain(command.get_args().map(quote)).collect::<Vec<_>>().join(" ")
}

/// Runs it with its output in sight.
pub fn run(command: &mut Command) -> Done {
    let line = shown(command);
    println!("$ {line}");
    let status = command.status().map_err(|error| format!("{line}: does not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{line}: {status}")) }
}

/// Runs it and gives what it printed; what it says on standard error stays in sight.
pub fn output(command: &mut Command) -> Result<String, String> {
    let line = shown(command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{line}: does not start: {error}"))?;
    if !output.status.success() {
        return Err(format!("{line}: {}", output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("{line}: its output is not text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_fails_is_named_with_its_arguments() {
        let failure = run(Command::new("false").arg("two words")).unwrap_err();
        assert!(failure.starts_with("false 'two words': "), "{failure}");
    }

    #[test]
    fn a_program_that_is_missing_is_named() {
        let failure = output(&mut Command::new("no-such-program")).unwrap_err();
        assert!(failure.starts_with("no-such-program: does not start"), "{failure}");
    }
}
