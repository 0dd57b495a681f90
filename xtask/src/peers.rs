//! Logins against real servers, real reference clients and a real browser: installs them, and runs the tests that
//! start them.

use std::path::{Path, PathBuf};

use crate::command::{Done, cargo, output, program, run};
use crate::{tools, workspace};

/// The tests that need them (`required-features` in `tests/Cargo.toml`).
const TESTS: &[&str] =
    &["external_provider", "federation_peers", "login_pages", "oidc_provider", "reference_clients"];

/// Installs what `tests/peers` pins, and runs the tests.
pub fn test() -> Done {
    tools::need(&[tools::NODE, tools::NPM, tools::PYTHON, tools::CHROMIUM])?;
    new_enough(&output(program("node").arg("--version"))?)?;
    let folder = workspace::root().join("tests/peers");
    for peer in folders(&folder)? {
        if peer.join("package-lock.json").exists() {
            run(program("npm")
                .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
                .current_dir(&peer))?;
        }
    }
    let python = python(&folder.join("federation/requirements.txt"))?;
    let mut command = cargo("test");
    command.args(["--workspace", "--features", "registro-tests/peers"]);
    TESTS.iter().for_each(|name| {
        command.args(["--test", name]);
    });
    run(command.env("REGISTRO_PEERS_PYTHON", python))
}

/// The servers and clients ask for Node 20.
fn new_enough(version: &str) -> Done {
    let major = version.trim().trim_start_matches('v').split('.').next().and_then(|part| part.parse().ok());
    match major {
        Some(20..=u32::MAX) => Ok(()),
        _ => Err(format!("Node 20 or newer is needed, and this is {}", version.trim())),
    }
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        folders.push(entry.map_err(failed)?.path());
    }
    folders.sort();
    Ok(folders)
}

/// A Python with what the file pins, made once for each version of the file.
fn python(requirements: &Path) -> Result<PathBuf, String> {
    let pinned = workspace::read(requirements)?;
    let failed = |error: std::io::Error| format!("{}: {error}", requirements.display());
    let folder = workspace::cache()?.join("peers-python");
    let (note, python) = (folder.join("installed.txt"), folder.join("bin/python"));
    if std::fs::read_to_string(&note).is_ok_and(|known| known == pinned) {
        return Ok(python);
    }
    workspace::emptied(&folder)?;
    run(program("python3").args(["-m", "venv"]).arg(&folder))?;
    run(program(&python.to_string_lossy())
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
        .arg(requirements))?;
    // Last: what was broken off is made anew.
    std::fs::write(&note, pinned).map_err(failed)?;
    Ok(python)
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_old_node_is_named() {
        assert!(super::new_enough("v20.20.2\n").is_ok() && super::new_enough("v100.0.0").is_ok());
        assert!(super::new_enough("v18.20.4\n").is_err() && super::new_enough("").is_err());
    }
}
