//! What has to be installed, and its installation on a Debian machine.

use std::path::Path;

use crate::command::{Done, program, run};

/// A program and the Debian package that has it.
#[derive(Debug, Clone, Copy)]
pub struct Tool {
    /// Its name in the search path, or its place.
    pub name: &'static str,
    package: &'static str,
}

/// Says what a library is.
pub const READELF: Tool = Tool { name: "readelf", package: "binutils" };
/// Takes what only a debugger reads out of a library.
pub const STRIP: Tool = Tool { name: "strip", package: "binutils" };
/// Runs JavaScript.
pub const NODE: Tool = Tool { name: "node", package: "nodejs" };
/// Installs JavaScript.
pub const NPM: Tool = Tool { name: "npm", package: "npm" };
/// Runs Python. Its package brings what makes environments, which Debian keeps apart.
pub const PYTHON: Tool = Tool { name: "python3", package: "python3-venv" };
/// A browser.
pub const CHROMIUM: Tool = Tool { name: "chromium", package: "chromium" };
/// A JDK.
pub const JAVAC: Tool = Tool { name: "javac", package: "default-jdk-headless" };
/// Packs archives.
pub const JAR: Tool = Tool { name: "jar", package: "default-jdk-headless" };
/// Compiles the resources of Android apps.
pub const AAPT: Tool = Tool { name: "aapt2", package: "aapt" };
/// Android's own resources, which those of a package refer to.
pub const FRAMEWORK: Tool =
    Tool { name: "/usr/share/android-framework-res/framework-res.apk", package: "android-framework-res" };
/// Builds for the JVM.
pub const MAVEN: Tool = Tool { name: "mvn", package: "maven" };
/// Makes a folder with a Debian in it.
pub const DEBOOTSTRAP: Tool = Tool { name: "debootstrap", package: "debootstrap" };
/// Gives a process mounts of its own.
pub const UNSHARE: Tool = Tool { name: "unshare", package: "util-linux" };

/// Has these tools: installs what is missing if this is root on Debian, otherwise names it.
pub fn need(tools: &[Tool]) -> Done {
    let missing = missing(tools);
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|tool| tool.package).collect();
    let packages = packages.join(" ");
    let names: Vec<&str> = missing.iter().map(|tool| tool.name).collect();
    let names = names.join(", ");
    if !is_root() || !is_there("apt-get") {
        return Err(format!("missing: {names}; on Debian: apt-get install {packages}"));
    }
    println!("missing: {names}; installing {packages}");
    run(apt().args(["-q", "update"]))?;
    run(apt().args(["-q", "-y", "--no-install-recommends", "install"]).args(packages.split(' ')))?;
    match self::missing(tools).first() {
        None => Ok(()),
        Some(tool) => Err(format!("{} is missing although {} is installed", tool.name, tool.package)),
    }
}

fn missing(tools: &[Tool]) -> Vec<Tool> {
    tools.iter().filter(|tool| !is_there(tool.name)).copied().collect()
}

fn apt() -> std::process::Command {
    let mut command = program("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").args(["-o", "Acquire::Retries=3"]);
    // Another installation may be running: wait for it, five minutes at most.
    command.args(["-o", "DPkg::Lock::Timeout=300"]);
    command
}

/// Whether this process may mount and install.
pub fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap_or_default();
    // Real, effective, saved, file system.
    ids.split_whitespace().nth(1) == Some("0")
}

/// Whether a program is in the search path, or where administrators' programs are.
pub fn is_there(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(Into::into));
    folders.into_iter().any(|folder| Path::new(&folder).join(name).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_found_out() {
        let nothing = Tool { name: "no-such-program", package: "no-such-package" };
        let shell = Tool { name: "sh", package: "dash" };
        let names: Vec<_> = missing(&[shell, nothing]).iter().map(|tool| tool.name).collect();
        assert_eq!(names, ["no-such-program"]);
    }
}
