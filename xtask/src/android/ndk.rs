//! Google's compilers for Android, where they are installed.

use std::path::{Path, PathBuf};

/// An NDK.
pub struct Ndk {
    programs: PathBuf,
}

impl Ndk {
    /// One of its programs.
    pub fn tool(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }
}

/// The NDK that a variable names, or the newest one of the SDK that a variable names.
///
/// # Errors
/// One line that says what is missing.
pub fn find() -> Result<Ndk, String> {
    let variable = |name: &&str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let named = ["ANDROID_NDK_HOME", "ANDROID_NDK_ROOT"].iter().filter_map(variable);
    let installed =
        ["ANDROID_HOME", "ANDROID_SDK_ROOT"].iter().filter_map(variable).flat_map(|sdk| newest(&sdk));
    named.chain(installed).find_map(|folder| programs(&folder)).map(|programs| Ndk { programs }).ok_or_else(
        || {
            "no Android NDK here: ANDROID_NDK_HOME names none (r28 or newer is needed); nothing was built"
                .to_owned()
        },
    )
}

/// Those of an SDK, newest first.
fn newest(sdk: &Path) -> Vec<PathBuf> {
    let version = |folder: &PathBuf| -> Vec<u32> {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.split('.').map(|part| part.parse().unwrap_or(0)).collect()
    };
    let mut found = folders(&sdk.join("ndk"));
    found.sort_by_key(|folder| std::cmp::Reverse(version(folder)));
    found
}

/// Its programs for the machine that it was made for; it has one such folder.
fn programs(ndk: &Path) -> Option<PathBuf> {
    let hosts = folders(&ndk.join("toolchains/llvm/prebuilt"));
    hosts.into_iter().map(|host| host.join("bin")).find(|programs| programs.is_dir())
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}
