//! A Debian 13 with Swift in a folder of the cache: Debian 12 has no Swift, and no other source of it is needed.
//!
//! Made once per machine, in 1 to 3 minutes; 2.7 GB. Everything that is mounted for it is mounted in a mount
//! namespace of its own and ends with the process.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{Done, program, run};
use crate::{tools, workspace};

/// What is in the folder. Change it, and the folder is made anew.
const RECIPE: &str = "1: trixie minbase; swiftlang libswiftlang libc6-dev gcc g++ binutils\n";
const SUITE: &str = "trixie";
const PACKAGES: &[&str] = &["swiftlang", "libswiftlang", "libc6-dev", "gcc", "g++", "binutils"];
/// Where the recipe is written when all of it was done.
const MARK: &str = "etc/registro-recipe";

/// The folder, kept from being replaced as long as this lives.
pub struct Chroot {
    folder: PathBuf,
    _lock: File,
}

impl Chroot {
    /// Makes the folder unless it is there. Two runs at once wait for each other.
    ///
    /// # Errors
    /// Not root; nothing to download from; no room.
    pub fn with_swift() -> Result<Self, String> {
        tools::need(&[tools::DEBOOTSTRAP, tools::UNSHARE])?;
        if !tools::is_root() {
            return Err("a folder with another Debian needs root: run this task as root".to_owned());
        }
        let cache = workspace::cache()?;
        let folder = cache.join("trixie-swift");
        let lock = lock(&cache.join("trixie-swift.lock"))?;
        if std::fs::read_to_string(folder.join(MARK)).is_ok_and(|mark| mark == RECIPE) {
            println!("Swift is in {}", folder.display());
        } else {
            make(&cache, &folder)?;
        }
        // Readers share: the next run need not wait for these tests.
        lock.lock_shared().map_err(|error| format!("lock: {error}"))?;
        Ok(Self { folder, _lock: lock })
    }

    /// A command inside, with these folders of this machine shown at these places, and nothing of this machine's
    /// environment.
    pub fn command(&self, shown: &[(&Path, &str)], environment: &[(&str, &str)], line: &[&str]) -> Command {
        let mut command = enter(&self.folder, shown);
        command.args(["/usr/bin/env", "-i", "HOME=/root", "PATH=/usr/bin:/bin", "LANG=C.UTF-8"]);
        command.args(environment.iter().map(|(name, value)| format!("{name}={value}")));
        command.args(line);
        command
    }
}

fn lock(path: &Path) -> Result<File, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let file = File::options().create(true).append(true).open(path).map_err(failed)?;
    if file.try_lock().is_err() {
        println!("waiting for another run that has {}", path.display());
        file.lock().map_err(failed)?;
    }
    Ok(file)
}

fn make(cache: &Path, folder: &Path) -> Done {
    // Beside it, and renamed at the end: what is left of a run that was ended early is never taken for whole.
    let unfinished = cache.join("trixie-swift.unfinished");
    remove(&unfinished)?;
    println!("making {} (once per machine, some minutes)", folder.display());
    run(&mut isolated(
        program("debootstrap").arg("--variant=minbase").arg(SUITE).arg(&unfinished).env("LC_ALL", "C"),
    ))?;
    let inside = format!(
        "set -eu; export DEBIAN_FRONTEND=noninteractive LC_ALL=C; apt-get -q -o Acquire::Retries=3 update; \
         apt-get -q -y -o Acquire::Retries=3 --no-install-recommends install {}; apt-get clean; swift --version",
        PACKAGES.join(" ")
    );
    run(enter(&unfinished, &[]).args(["/bin/sh", "-c", &inside]))?;
    std::fs::write(unfinished.join(MARK), RECIPE).map_err(|error| format!("{MARK}: {error}"))?;
    remove(folder)?;
    std::fs::rename(&unfinished, folder).map_err(|error| format!("{}: {error}", folder.display()))
}

/// Removes a folder, and refuses if anything is mounted in it: that would be removed with it.
fn remove(folder: &Path) -> Done {
    let mounts = workspace::read(Path::new("/proc/self/mounts"))?;
    let inside = |line: &str| line.split(' ').nth(1).is_some_and(|at| Path::new(at).starts_with(folder));
    if let Some(line) = mounts.lines().find(|line| inside(line)) {
        return Err(format!("something is mounted in {}: {line}; umount it", folder.display()));
    }
    if folder.exists() { run(program("rm").args(["-rf", "--one-file-system"]).arg(folder)) } else { Ok(()) }
}

fn enter(folder: &Path, shown: &[(&Path, &str)]) -> Command {
    let bind: Vec<String> = shown.iter().map(|(from, to)| format!("{to} {}", from.display())).collect();
    let mut shell = program("sh");
    shell.arg("xtask/src/enter.sh").arg(folder).env("BIND", bind.join("\n"));
    isolated(&mut shell)
}

/// The same command with mounts and process numbers of its own; everything that it starts ends with it.
fn isolated(command: &mut Command) -> Command {
    let mut isolated = program("unshare");
    isolated.args(["--mount", "--pid", "--fork", "--kill-child", "--"]);
    isolated.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            isolated.env(name, value);
        }
    }
    isolated
}
