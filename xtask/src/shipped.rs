//! What holds for every library that ships: how it is compiled, and what is checked of the result.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{Done, cargo, output, program};
use crate::elf::{self, Elf};
use crate::{header, metadata, workspace};

/// Most bytes of a stripped library: what a phone downloads of it (DESIGN §11).
const MOST_BYTES: u64 = 8_000_000;
/// Android devices with memory pages of this size load no 64-bit library whose parts are aligned to less.
const PAGE: u64 = 0x4000;
/// What every Android has (Google's list of stable native APIs).
const ANDROID_LIBRARIES: &[&str] = &["libc.so", "libm.so", "libdl.so", "liblog.so"];

/// Where a library runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// Android: nothing but its own stable libraries may be needed.
    Android,
    /// Apple's: a library that is linked into the app.
    Apple,
    /// A desktop or a server.
    Desktop,
}

/// A build of the library that ships. Nothing in it says where it was built.
pub fn build(system: System) -> Result<Command, String> {
    let mut command = cargo("rustc");
    // Only as the library that is loaded: made in one go with the others, nothing that they could export would be left
    // out of it (8.2 MB stripped instead of 6.6, 25 November 2026).
    command.args(["--profile", "mobile", "-p", "registro-ffi", "--crate-type"]);
    command.arg(if system == System::Apple { "staticlib" } else { "cdylib" });
    let places = places()?;
    let mut flags: Vec<String> =
        places.iter().map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display())).collect();
    let elf = system == System::Android || (system == System::Desktop && cfg!(target_os = "linux"));
    if elf {
        // From NDK r28 on this is so by itself; in the machine's own library it makes the checks mean something.
        flags.push(format!("-Clink-arg=-Wl,-z,max-page-size={PAGE}"));
    }
    command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    // SQLite and ring are C.
    let c_flags: Vec<String> =
        places.iter().map(|(from, to)| format!("-ffile-prefix-map={}={to}", from.display())).collect();
    command.env("CFLAGS", c_flags.join(" "));
    Ok(command)
}

/// Folders whose names would say where and by whom it was built, and what stands for them.
fn places() -> Result<Vec<(PathBuf, &'static str)>, String> {
    let sysroot = output(program("rustc").args(["--print", "sysroot"]))?;
    let mut places =
        vec![(workspace::root().to_owned(), "registro"), (PathBuf::from(sysroot.trim()), "rust")];
    let crates: BTreeSet<PathBuf> = metadata::everything()?.folders_of_foreign_packages().collect();
    places.extend(crates.into_iter().map(|folder| (folder, "crates")));
    Ok(places)
}

/// Writes the library without what only a debugger reads.
pub fn strip(tool: &Path, library: &Path, to: &Path) -> Done {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    output(program(&tool.to_string_lossy()).arg("--strip-all").arg("-o").args([to, library])).map(drop)
}

/// Checks a stripped library, and prints its size.
pub fn check(library: &Path, header: &str, machine: &str, bits: u32, system: System) -> Done {
    let elf = elf::read(library)?;
    let bytes = std::fs::read(library).map_err(|error| format!("{}: {error}", library.display()))?;
    let mut wrong = wrong_in(&elf, machine, bits, system);
    wrong.extend(header::missing(header, &elf.exported).map(|name| format!("lacks {name}")));
    let size = bytes.len() as u64;
    if size > MOST_BYTES {
        wrong.push(format!("{size} bytes are more than {MOST_BYTES}"));
    }
    let mut names: Vec<PathBuf> = places()?.into_iter().map(|(folder, _)| folder).collect();
    names.extend(std::env::var_os("CARGO_HOME").map(PathBuf::from));
    names.extend(std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")));
    for name in names.iter().map(|folder| folder.to_string_lossy()).filter(|name| name.len() > 1) {
        if bytes.windows(name.len()).any(|part| part == name.as_bytes()) {
            wrong.push(format!("says where it was built: {name}"));
        }
    }
    if !wrong.is_empty() {
        return Err(format!("{}: {}", library.display(), wrong.join("; ")));
    }
    println!(
        "{}: {size} bytes of {MOST_BYTES} at most, {} functions of the header",
        library.display(),
        header::promised(header).len()
    );
    Ok(())
}

fn wrong_in(elf: &Elf, machine: &str, bits: u32, system: System) -> Vec<String> {
    let mut wrong = Vec::new();
    if elf.machine != machine || elf.bits != bits {
        wrong.push(format!("is for {} with {} bits, not for {machine} with {bits}", elf.machine, elf.bits));
    }
    // 32-bit devices have small pages only.
    if bits == 64
        && let Some(align) = elf.alignments.iter().find(|align| **align < PAGE)
    {
        wrong.push(format!("a part of it is aligned to {align:#x}, not to {PAGE:#x}"));
    }
    let debug = |name: &&String| name.starts_with(".debug") || *name == ".symtab";
    wrong.extend(
        elf.sections.iter().filter(debug).map(|name| format!("has {name}, which only a debugger reads")),
    );
    if system == System::Android {
        let foreign = elf.needed.iter().filter(|name| !ANDROID_LIBRARIES.contains(&name.as_str()));
        wrong.extend(foreign.map(|name| format!("needs {name}, which Android does not have")));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_that_would_fail_on_a_phone_is_named() {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let good = || Elf {
            machine: "AArch64".to_owned(),
            bits: 64,
            alignments: vec![0x4000, 0x10000],
            needed: set(&["libc.so"]),
            sections: set(&[".text"]),
            exported: set(&[]),
        };
        let wrong = |elf: &Elf| wrong_in(elf, "AArch64", 64, System::Android).len();
        assert_eq!(wrong(&good()), 0);
        assert_eq!(wrong(&Elf { machine: "ARM".to_owned(), ..good() }), 1);
        assert_eq!(wrong(&Elf { alignments: vec![0x4000, 0x1000], ..good() }), 1);
        assert_eq!(wrong(&Elf { needed: set(&["libc.so.6"]), ..good() }), 1);
        assert_eq!(wrong(&Elf { sections: set(&[".debug_info", ".symtab"]), ..good() }), 2);
        let old = Elf { machine: "ARM".to_owned(), bits: 32, alignments: vec![0x1000], ..good() };
        assert_eq!(wrong_in(&old, "ARM", 32, System::Android), Vec::<String>::new());
    }
}
