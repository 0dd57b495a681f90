//! The AAR: the library for each kind of phone, the Kotlin for Android, and what an app takes over from it.

mod aar;
mod ndk;

use std::path::{Path, PathBuf};

use crate::bindings::{self, Built};
use crate::command::{self, Done};
use crate::shipped::{self, System};
use crate::{kotlin, tools, workspace};

/// A kind of phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abi {
    /// Android's name for it.
    name: &'static str,
    /// Rust's name.
    target: &'static str,
    /// The NDK's compiler for Android 8.0 (API 26), the oldest that is served.
    clang: &'static str,
    /// `readelf`'s name for its processor.
    machine: &'static str,
    bits: u32,
}

/// New phones and tablets, those old tablets that schools keep, and the emulator.
const ABIS: &[Abi] = &[
    Abi {
        name: "arm64-v8a",
        target: "aarch64-linux-android",
        clang: "aarch64-linux-android26-clang",
        machine: "AArch64",
        bits: 64,
    },
    Abi {
        name: "armeabi-v7a",
        target: "armv7-linux-androideabi",
        clang: "armv7a-linux-androideabi26-clang",
        machine: "ARM",
        bits: 32,
    },
    Abi {
        name: "x86_64",
        target: "x86_64-linux-android",
        clang: "x86_64-linux-android26-clang",
        machine: "Advanced Micro Devices X86-64",
        bits: 64,
    },
];

/// Builds and checks the AAR, for all kinds of phone or those that are named: `--abi arm64-v8a --abi x86_64`.
pub fn run(arguments: &[String]) -> Done {
    let abis = asked(arguments)?;
    let ndk = ndk::find()?;
    let built = bindings::build()?;
    command::run(kotlin::maven(&built)?.args([
        "-Dmaven.test.skip=true",
        "--projects",
        "kotlin,aar",
        "package",
    ]))?;
    build(&ndk, &abis, &built).map(drop)
}

/// The AAR for all kinds of phone, where there is an NDK; otherwise why there is none. Maven has packed its classes.
pub fn for_every_phone(built: &Built) -> Result<Result<PathBuf, String>, String> {
    match ndk::find() {
        Ok(ndk) => build(&ndk, ABIS, built).map(Ok),
        Err(missing) => Ok(Err(missing)),
    }
}

/// An AAR that no phone runs: the library of this machine in the place of the emulator's. Its making and the checks of
/// it are the same. Maven has packed its classes.
pub fn test_only(built: &Built) -> Result<PathBuf, String> {
    let abi = ABIS.iter().find(|abi| abi.name == "x86_64").ok_or("no x86_64")?;
    let natives = [(*abi, built.stripped())];
    packed(&natives, built, &workspace::target()?.join("android/test-only"), System::Desktop)
}

fn asked(arguments: &[String]) -> Result<Vec<Abi>, String> {
    let named = |pair: &[String]| match pair {
        [flag, name] if flag == "--abi" => ABIS.iter().find(|abi| abi.name == name).copied(),
        _ => None,
    };
    let abis: Option<Vec<Abi>> = arguments.chunks(2).map(named).collect();
    let names: Vec<&str> = ABIS.iter().map(|abi| abi.name).collect();
    match abis {
        Some(abis) if abis.is_empty() => Ok(ABIS.to_vec()),
        Some(abis) => Ok(abis),
        None => {
            Err(format!("usage: cargo xtask android [--abi ABI]…, where ABI is one of {}", names.join(", ")))
        }
    }
}

fn build(ndk: &ndk::Ndk, abis: &[Abi], built: &Built) -> Result<PathBuf, String> {
    // All of them, before anything is compiled.
    for abi in abis {
        let mut asking = command::program("rustc");
        let folder = command::output(asking.args(["--print", "target-libdir", "--target", abi.target]))?;
        if !Path::new(folder.trim()).is_dir() {
            return Err(format!(
                "Rust for {0} is missing: rustup target add {0}; nothing was built",
                abi.target
            ));
        }
    }
    let folder = workspace::target()?.join("android");
    let mut natives = Vec::new();
    for abi in abis {
        let upper = abi.target.to_uppercase().replace('-', "_");
        let (clang, archiver) = (ndk.tool(abi.clang), ndk.tool("llvm-ar"));
        command::run(
            shipped::build(System::Android)?
                .args(["--target", abi.target])
                .env(format!("CC_{}", abi.target), &clang)
                .env(format!("AR_{}", abi.target), &archiver)
                .env(format!("CARGO_TARGET_{upper}_LINKER"), &clang),
        )?;
        let library = workspace::target()?.join(abi.target).join("mobile/libregistro_ffi.so");
        let stripped = folder.join("stripped").join(abi.name).join("libregistro_ffi.so");
        shipped::strip(&ndk.tool("llvm-strip"), &library, &stripped)?;
        natives.push((*abi, stripped));
    }
    packed(&natives, built, &folder, System::Android)
}

/// Packs all of it, checks what came out, and only then puts it in its place.
fn packed(
    natives: &[(Abi, PathBuf)],
    built: &Built,
    folder: &Path,
    system: System,
) -> Result<PathBuf, String> {
    tools::need(&[tools::JAR])?;
    let classes = classes("");
    let aar = folder.join(format!("registro-android-{}.aar", version()));
    let unfinished = folder.join("unfinished");
    workspace::emptied(&unfinished)?;
    let packed = unfinished.join("registro.aar");
    let libraries: Vec<(&str, &Path)> =
        natives.iter().map(|(abi, path)| (abi.name, path.as_path())).collect();
    aar::pack(&classes, &libraries, &unfinished.join("content"), &packed)?;
    let content = aar::check(&packed, &libraries, &unfinished.join("unpacked"))?;
    let header = workspace::read(&built.swift.join("RegistroKitFFI.h"))?;
    for (abi, _) in natives {
        let library = content.join("jni").join(abi.name).join("libregistro_ffi.so");
        shipped::check(&library, &header, abi.machine, abi.bits, system)?;
    }
    let failed = |error: std::io::Error| format!("{}: {error}", aar.display());
    std::fs::rename(&packed, &aar).map_err(failed)?;
    workspace::removed(&unfinished)?;
    println!("{}: {} bytes", aar.display(), std::fs::metadata(&aar).map_err(failed)?.len());
    Ok(aar)
}

/// What Maven has packed of the AAR's Kotlin: its classes, or with `-sources` what they were made from.
pub fn classes(kind: &str) -> PathBuf {
    let folder = workspace::root().join("android/aar/target");
    folder.join(format!("registro-android-{}{kind}.jar", version()))
}

/// The version of all that is published.
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_abi_is_taken_by_its_name_or_refused_with_the_names_that_there_are() {
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let names =
            |line: &str| asked(&words(line)).map(|abis| abis.iter().map(|abi| abi.name).collect::<Vec<_>>());
        assert_eq!(names("").unwrap(), ["arm64-v8a", "armeabi-v7a", "x86_64"]);
        assert_eq!(names("--abi x86_64 --abi arm64-v8a").unwrap(), ["x86_64", "arm64-v8a"]);
        for wrong in ["--abi", "--abi mips", "x86_64", "--abi x86_64 --abi mips", "--abi mips --abi x86_64"] {
            assert!(names(wrong).unwrap_err().contains("armeabi-v7a"), "{wrong}");
        }
    }
}
