//! A real hub with the sample school, for the apps that are tried.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use crate::bindings::Built;
use crate::command::{output, program};
use crate::workspace;

/// A lesson day of the sample school, just before its first hour.
const CLOCK: &str = "2026-11-23T07:30:00+01:00";

/// A hub that serves, and ends with this.
pub struct Hub {
    process: Child,
    /// Where it listens.
    pub address: String,
}

impl Hub {
    /// Imports the sample school into a folder, and serves it.
    pub fn start(built: &Built, folder: &Path) -> Result<Self, String> {
        let hub = built.programs.join("registro-hub");
        let hub = hub.to_string_lossy();
        output(program(&hub).arg("import").arg(workspace::sample_school()).arg("--data").arg(folder))?;
        let mut command = program(&hub);
        command.args(["serve", "--listen", "127.0.0.1:0", "--dev-login", "--until-stdin-closes"]);
        command.args(["--clock", CLOCK, "--data"]).arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        let failed = |error: std::io::Error| format!("the hub: {error}");
        let mut hub = Self { process: command.spawn().map_err(failed)?, address: String::new() };
        let mut line = String::new();
        if let Some(out) = hub.process.stdout.take() {
            BufReader::new(out).read_line(&mut line).map_err(failed)?;
        }
        let address = line.trim().strip_prefix("listening on ");
        hub.address = address.ok_or_else(|| format!("the hub does not serve: {line}"))?.to_owned();
        Ok(hub)
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // It ends when its input closes; there is nobody to tell if it does not.
        let _ = self.process.wait();
    }
}
