//! The library that ships, its Kotlin and Swift, and a check that they fit together.

use std::path::{Path, PathBuf};

use crate::command::{self, Done, cargo, output, program};
use crate::{header, tools, workspace};

/// Most bytes of the library once stripped: what a phone downloads of it.
const MOST_BYTES: u64 = 8_000_000;

/// What was built and generated.
pub struct Built {
    /// Folder of the hub's program and of the generators.
    pub programs: PathBuf,
    /// Folder of `libregistro_ffi.so`, as phones get it.
    pub library: PathBuf,
    /// Folder of the generated Kotlin.
    pub kotlin: PathBuf,
}

/// Builds, generates, checks.
pub fn run() -> Done {
    build().map(drop)
}

/// Builds, generates, checks, and says where everything is.
pub fn build() -> Result<Built, String> {
    tools::need(&[tools::NM, tools::STRIP])?;
    let target = workspace::target()?;
    let programs = target.join("debug");
    let library = target.join("mobile").join(library_name());
    let built = Built {
        programs: programs.clone(),
        library: target.join("mobile"),
        kotlin: target.join("bindings/kotlin"),
    };
    let swift = target.join("bindings/swift");
    // One by one: in one command cargo would unite their features, and the library would ship the generator's.
    // Only as the library that is loaded: made in one go with the others, nothing that they could export would be left
    // out of it (8.2 MB stripped instead of 6.6, 25 November 2026).
    command::run(cargo("rustc").args([
        "--profile",
        "mobile",
        "-p",
        "registro-ffi",
        "--crate-type",
        "cdylib",
    ]))?;
    // With the features of the whole workspace, as its tests were built: nothing is compiled once more. The hub that
    // the Kotlin and Swift tests talk to is among them.
    command::run(cargo("build").args(["--workspace", "--bins", "--examples"]))?;

    workspace::emptied(&built.kotlin)?;
    workspace::emptied(&swift)?;
    let generator = |name: &str| {
        let mut command = program(&programs.join(name).to_string_lossy());
        command.env("CARGO_NET_OFFLINE", "true");
        command
    };
    command::run(
        generator("uniffi-bindgen")
            .args(["generate", "--language", "kotlin", "--no-format", "--config", "uniffi.toml", "--out-dir"])
            .args([&built.kotlin, &library]),
    )?;
    command::run(
        generator("uniffi-bindgen-swift")
            .args(["--swift-sources", "--headers", "--modulemap", "--config", "uniffi.toml"])
            .args(["--module-name", "RegistroKitFFI", "--modulemap-filename", "module.modulemap"])
            .args([&library, &swift]),
    )?;
    header::check(&workspace::read(&swift.join("RegistroKitFFI.h"))?, &library)?;
    put_into_package(&swift)?;
    check_size(&library)?;
    Ok(built)
}

/// The file name of the library on this system.
pub fn library_name() -> String {
    format!("{}registro_ffi{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}

/// A Swift package finds its sources only inside its own folder.
fn put_into_package(swift: &Path) -> Done {
    let sources = workspace::root().join("ios/Sources");
    for (module, file) in [
        ("RegistroKit", "RegistroKit.swift"),
        ("RegistroKitFFI", "RegistroKitFFI.h"),
        ("RegistroKitFFI", "module.modulemap"),
    ] {
        let folder = sources.join(module);
        let to = folder.join(file);
        std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::copy(swift.join(file), &to))
            .map_err(|error| format!("{}: {error}", to.display()))?;
    }
    Ok(())
}

fn check_size(library: &Path) -> Done {
    let stripped = library.with_extension("stripped");
    output(program("strip").arg("-o").args([&stripped, library]))?;
    let bytes =
        std::fs::metadata(&stripped).map_err(|error| format!("{}: {error}", stripped.display()))?.len();
    println!("{}: {bytes} bytes stripped, of {MOST_BYTES} at most", library_name());
    if bytes <= MOST_BYTES { Ok(()) } else { Err(format!("the library is too large: {bytes} bytes")) }
}
