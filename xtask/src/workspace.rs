//! Where things are.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::metadata;

/// The folder of the workspace.
pub fn root() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}

/// Where cargo builds, which `CARGO_TARGET_DIR` may have moved.
pub fn target() -> Result<&'static Path, String> {
    static TARGET: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    TARGET.get_or_init(|| metadata::workspace_only()?.target_directory()).as_deref().map_err(String::clone)
}

/// Where toolchains are kept between runs, outside the checkout. Results are never kept there.
pub fn cache() -> Result<PathBuf, String> {
    let folder = match (std::env::var_os("REGISTRO_CACHE"), std::env::var_os("HOME")) {
        (Some(folder), _) if !folder.is_empty() => PathBuf::from(folder),
        (_, Some(home)) if !home.is_empty() => PathBuf::from(home).join(".cache/registro"),
        _ => return Err("neither REGISTRO_CACHE nor HOME says where to keep toolchains".to_owned()),
    };
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    folder.canonicalize().map_err(|error| format!("{}: {error}", folder.display()))
}

/// The sample school.
pub fn sample_school() -> PathBuf {
    root().join("tests/data/istituto")
}

/// Makes an empty folder, or empties it.
pub fn emptied(folder: &Path) -> Result<(), String> {
    removed(folder)?;
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

/// Removes a folder if it is there.
pub fn removed(folder: &Path) -> Result<(), String> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    Ok(())
}

/// Reads a file as text.
pub fn read(file: &Path) -> Result<String, String> {
    std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))
}

/// Copies a file, into a folder that is made if it is not there.
pub fn copied(from: &Path, to: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", from.display());
    to.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(failed)?;
    std::fs::copy(from, to).map(drop).map_err(failed)
}

/// All files below a folder, by their path in it, sorted.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    fn collect(folder: &Path, inside: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
        for entry in std::fs::read_dir(folder.join(inside))? {
            let entry = entry?;
            let path = inside.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                collect(folder, &path, found)?;
            } else {
                found.push(path);
            }
        }
        Ok(())
    }
    let mut found = Vec::new();
    collect(folder, Path::new(""), &mut found).map_err(|error| format!("{}: {error}", folder.display()))?;
    found.sort();
    Ok(found)
}
