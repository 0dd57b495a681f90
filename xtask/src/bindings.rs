//! The library that ships, its Kotlin and Swift, and a check that they fit together.

use std::path::{Path, PathBuf};

use crate::command::{self, Done, cargo, program};
use crate::shipped::{self, System};
use crate::{surface, tools, workspace};

/// The processor of this machine, in `readelf`'s words.
const MACHINE: &str = if cfg!(target_arch = "aarch64") { "AArch64" } else { "Advanced Micro Devices X86-64" };

/// What was built and generated.
pub struct Built {
    /// Folder of the hub's program and of the generators.
    pub programs: PathBuf,
    /// Folder of `libregistro_ffi.so`, as phones get it.
    pub library: PathBuf,
    /// Folder of the generated Kotlin.
    pub kotlin: PathBuf,
    /// Folder of the generated Swift, with the C header and the module map.
    pub swift: PathBuf,
}

impl Built {
    /// The library without what only a debugger reads.
    pub fn stripped(&self) -> PathBuf {
        self.library.join("stripped").join(library_name())
    }
}

/// Builds, generates, checks.
pub fn run() -> Done {
    build().map(drop)
}

/// Builds, generates, checks, and says where everything is.
pub fn build() -> Result<Built, String> {
    let built = generate()?;
    surface::check(&built)?;
    put_into_package(&built.swift)?;
    let header = workspace::read(&built.swift.join("RegistroKitFFI.h"))?;
    shipped::check(&built.stripped(), &header, MACHINE, 64, System::Desktop)?;
    Ok(built)
}

/// Builds and generates.
pub fn generate() -> Result<Built, String> {
    tools::need(&[tools::READELF, tools::STRIP])?;
    let target = workspace::target()?;
    let programs = target.join("debug");
    let library = target.join("mobile").join(library_name());
    let built = Built {
        programs: programs.clone(),
        library: target.join("mobile"),
        kotlin: target.join("bindings/kotlin"),
        swift: target.join("bindings/swift"),
    };
    // One by one: in one command cargo would unite their features, and the library would ship the generator's.
    command::run(&mut shipped::build(System::Desktop)?)?;
    shipped::strip(Path::new("strip"), &library, &built.stripped())?;
    // With the features of the whole workspace, as its tests were built: nothing is compiled once more. The hub that
    // the Kotlin and Swift tests talk to is among them.
    command::run(cargo("build").args(["--workspace", "--bins", "--examples"]))?;

    workspace::emptied(&built.kotlin)?;
    workspace::emptied(&built.swift)?;
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
            .args([&library, &built.swift]),
    )?;
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
        workspace::copied(&swift.join(file), &sources.join(module).join(file))?;
    }
    Ok(())
}
